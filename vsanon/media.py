"""What a media file holds (streams, video facts, packets, decoded timestamps), read with PyAV."""

import hashlib
import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.container import InputContainer
from av.sidedata.sidedata import Type as SideDataType
from numpy.typing import NDArray

from vsanon.errors import InputError

# ITU-T H.273 code points under ffmpeg's names; 2 is "unspecified" in all three and stays untagged.
MATRICES = {
    0: "gbr",
    1: "bt709",
    4: "fcc",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "ycgco",
    9: "bt2020nc",
    10: "bt2020c",
    11: "smpte2085",
    12: "chroma-derived-nc",
    13: "chroma-derived-c",
    14: "ictcp",
    15: "ipt-c2",
    16: "ycgco-re",
    17: "ycgco-ro",
}
PRIMARIES = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "film",
    9: "bt2020",
    10: "smpte428",
    11: "smpte431",
    12: "smpte432",
    22: "ebu3213",
}
TRANSFERS = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    9: "log100",
    10: "log316",
    11: "iec61966-2-4",
    12: "bt1361e",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    17: "smpte428",
    18: "arib-std-b67",
}
RANGES = {1: "tv", 2: "pc"}
CHROMA_LOCATIONS = {1: "left", 2: "center", 3: "topleft", 4: "top", 5: "bottomleft", 6: "bottom"}
FIELD_ORDERS = {1: "progressive", 2: "tt", 3: "bb", 4: "tb", 5: "bt"}

# Side data that goes with the picture but that no preset carries on; the caller reports it as left behind.
_UNCARRIED = {
    "A53_CC": "closed captions inside the video",
    "DYNAMIC_HDR_PLUS": "HDR10+ dynamic metadata",
    "DYNAMIC_HDR_VIVID": "HDR Vivid dynamic metadata",
    "DOVI_METADATA": "Dolby Vision metadata",
    "DOVI_RPU_BUFFER": "Dolby Vision metadata",
    "dovi_conf": "Dolby Vision metadata",
    "AMBIENT_VIEWING_ENVIRONMENT": "ambient viewing environment",
    "ICC_PROFILE": "ICC profile",
    "SPHERICAL": "spherical projection",
    "STEREO3D": "stereo 3D layout",
    "S12M_TIMECODE": "timecode inside the video frames",
    "AFD": "active format description",
}


@dataclass(frozen=True, slots=True)
class Color:
    """How sample values stand for light, in ffmpeg's names; None is untagged."""

    matrix: str | None = None
    primaries: str | None = None
    transfer: str | None = None
    range: str | None = None
    chroma_location: str | None = None


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """What an ffmpeg pixel format holds; `chroma` divides (width, height) for the size of a chroma plane."""

    name: str
    rgb: bool
    alpha: bool
    gray: bool
    depth: int
    is_float: bool
    chroma: tuple[int, int]
    planar: bool
    plane_count: int

    def plane_shapes(self, size: tuple[int, int]) -> tuple[tuple[int, int], ...]:
        """(rows, columns) of each plane of a planar format, for a frame of `size` (width, height)."""
        width, height = size
        across, down = self.chroma
        small = (-(-height // down), -(-width // across))
        whole = (height, width)
        return tuple(
            small if not self.rgb and not self.gray and p in (1, 2) else whole for p in range(self.plane_count)
        )

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample: 1, 2 or 4."""
        return 1 if self.depth <= 8 else 2 if self.depth <= 16 else 4


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """The first video stream. `size` is (width, height) as decoded, before `rotation` (degrees) turns it.

    `bit_rate` is in bit/s. `field_order` is ffmpeg's: progressive, tt, bb, tb, bt or unknown. `hdr` holds the
    static metadata of SMPTE ST 2086 and CTA-861.3 in their own integer units (chromaticity in 1/50000,
    luminance in 0.0001 cd/m², MaxCLL and MaxFALL in cd/m²), or None. `uncarried` names what the stream holds
    beside the picture that encoding the frames again does not keep (captions, dynamic HDR).
    """

    index: int
    codec: str
    profile: str | None
    pix_fmt: str
    size: tuple[int, int]
    fps: Fraction
    time_base: Fraction
    sar: Fraction | None
    color: Color
    field_order: str
    rotation: int
    hdr: dict[str, Any] | None
    bit_rate: int | None
    uncarried: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """One stream; `start` is when it begins to be presented, in seconds, or None where the file doesn't say.

    `codec` is "tmcd" for a timecode track, and "none" where ffmpeg knows no codec, as for most data streams.
    """

    index: int
    kind: str
    codec: str
    language: str | None
    title: str | None
    disposition: tuple[str, ...]
    start: Fraction | None
    rate: int | None = None
    channels: int | None = None
    layout: str | None = None

    @property
    def is_picture(self) -> bool:
        """True for cover art and thumbnails, which are video streams only in name."""
        return "attached_pic" in self.disposition


@dataclass(frozen=True, slots=True)
class Chapter:
    """One chapter: `start <= t < stop`, in seconds."""

    start: Fraction
    stop: Fraction
    title: str | None


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """A whole file; `metadata_keys` are `place:key`, never with values."""

    path: Path
    container: str
    streams: tuple[StreamFacts, ...]
    video: VideoFacts | None
    chapters: tuple[Chapter, ...]
    timecode: str | None
    metadata_keys: tuple[str, ...]

    def of_kind(self, kind: str) -> tuple[StreamFacts, ...]:
        """The streams of one kind, in file order, without cover art."""
        return tuple(s for s in self.streams if s.kind == kind and not s.is_picture)


@dataclass(frozen=True, slots=True)
class StreamPackets:
    """The packets of one stream: what they say, and when.

    `sha256` is over all payload bytes in order, so it does not depend on how PCM was cut into packets. What
    belongs to the container is left out: ADTS headers, which a transport stream has and an MP4 does not, and
    the empty samples between two texts of mov_text. `pts` are in `time_base`.
    """

    index: int
    kind: str
    codec: str
    sha256: str
    pts: tuple[int, ...]
    time_base: Fraction

    @property
    def start(self) -> Fraction | None:
        """The first packet's time in seconds, encoder priming included."""
        return self.pts[0] * self.time_base if self.pts else None


def probe(path: str | os.PathLike[str]) -> MediaFacts:
    """Read what the file holds; decodes one frame for what only frames tell.

    Raises:
        InputError: the file is absent, is not a media file, or its video can't be decoded.
    """
    with _opened(path) as container:
        streams = tuple(_stream_facts(s) for s in container.streams)
        stream = _first_video(container)
        keys = [f"file:{key}" for key in container.metadata]
        keys += [f"stream {s.index}:{key}" for s in container.streams for key in s.metadata]
        entries = container.chapters()
        keys += [f"chapter {n}:{key}" for n, entry in enumerate(entries) for key in entry["metadata"]]
        return MediaFacts(
            path=Path(path),
            container=container.format.name,
            streams=streams,
            video=None if stream is None else _video_facts(container, stream, path),
            chapters=tuple(
                Chapter(
                    entry["start"] * _fraction(entry["time_base"]),
                    entry["end"] * _fraction(entry["time_base"]),
                    _tag(entry["metadata"], "title"),
                )
                for entry in entries
            ),
            timecode=_timecode(container, stream),
            metadata_keys=tuple(keys),
        )


def packet_hashes(
    path: str | os.PathLike[str], kinds: Iterable[str] = ("audio", "subtitle")
) -> tuple[StreamPackets, ...]:
    """Hash the packets of each stream of `kinds`, in file order, in one pass over the file.

    Raises:
        InputError: the file can't be read to its end.
    """
    wanted = set(kinds)
    with _opened(path) as container:
        streams = [s for s in container.streams if s.type in wanted]
        hashes = {s.index: hashlib.sha256() for s in streams}
        pts: dict[int, list[int]] = {s.index: [] for s in streams}
        codecs = {s.index: _codec_name(s) for s in streams}
        for packet in container.demux(streams) if streams else ():
            if packet.size == 0:
                continue
            if packet.is_corrupt:
                raise InputError(f"{path}: stream {packet.stream_index} has a damaged packet at {packet.pts}.")
            data = _payload(bytes(packet), codecs[packet.stream_index])
            if not data:
                continue
            hashes[packet.stream_index].update(data)
            if packet.pts is not None:
                pts[packet.stream_index].append(packet.pts)
        return tuple(
            StreamPackets(
                s.index,
                s.type,
                codecs[s.index],
                hashes[s.index].hexdigest(),
                tuple(pts[s.index]),
                _fraction(s.time_base),
            )
            for s in streams
        )


def decode_timestamps(path: str | os.PathLike[str], *, timed: bool = True) -> tuple[tuple[int, ...], Fraction]:
    """Decode every frame of the first video stream and give its timestamps.

    Args:
        path: the file.
        timed: frames must have timestamps; without it they are only counted, as 0, 1, 2, ...

    Returns:
        The pts of the frames in presentation order, and their time base.

    Raises:
        InputError: there is no video, or a packet or frame does not decode without error.
    """
    with _opened(path) as container:
        stream = _first_video(container)
        if stream is None:
            raise InputError(f"{path}: no video stream to decode.")
        context = stream.codec_context
        context.options = {"err_detect": "crccheck+bitstream+buffer+explode"}
        context.thread_type = "AUTO"
        pts: list[int] = []
        with _no_errors_logged(path):
            try:
                for packet in container.demux(stream):
                    for frame in packet.decode():
                        if frame.is_corrupt or (timed and frame.pts is None):
                            raise InputError(f"{path}: frame {len(pts)} is damaged or has no timestamp.")
                        pts.append(frame.pts if timed else len(pts))
            except av.FFmpegError as error:
                raise InputError(f"{path}: frame {len(pts)} or later does not decode: {error}.") from error
            finally:
                # Lets the decoder's threads come to rest: PyAV frees it under the lock that they log with.
                context.flush_buffers()
        return tuple(pts), _fraction(stream.time_base)


def decode_luma(path: str | os.PathLike[str]) -> Iterator[tuple[NDArray[Any], str, bool]]:
    """Decode the first video stream, in presentation order, and give of each frame what is easy to compare.

    Yields:
        (H, W) samples of the first plane (Y; G of planar RGB, B of packed RGB; a view that lives until the next
        frame), the pixel format's name, and whether the samples span the full range.

    Raises:
        InputError: there is no video, or a frame does not decode.
    """
    with _opened(path) as container:
        stream = _first_video(container)
        if stream is None:
            raise InputError(f"{path}: no video stream to decode.")
        stream.codec_context.thread_type = "AUTO"
        for frame in container.decode(stream):
            found, plane = pixel_format(frame.format.name.replace("yuvj", "yuv")), frame.planes[0]
            dtype = np.dtype(np.float32 if found.is_float else f"<u{found.sample_bytes}")
            rows = np.frombuffer(plane, dtype).reshape(plane.height, -1)
            step = 1 if found.planar else 4
            full = found.rgb or frame.format.name != found.name or int(frame.color_range) == 2
            yield rows[:, : plane.width * step : step], found.name, full


@cache
def pixel_format(name: str) -> PixelFormat:
    """Describe an ffmpeg pixel format.

    Raises:
        InputError: ffmpeg has no such format.
    """
    try:
        found = av.VideoFormat(name, 64, 64)
    except ValueError as error:
        raise InputError(f"{name!r} is not a pixel format that ffmpeg knows (`ffmpeg -pix_fmts`).") from error
    parts = found.components
    depth = max(part.bits for part in parts)
    colors = [part for part in parts if not part.is_alpha]
    gray = len(colors) == 1
    chroma = colors[1] if not gray and not found.is_rgb else colors[0]
    planes = {part.plane for part in parts}
    return PixelFormat(
        name=name,
        rgb=found.is_rgb,
        alpha=any(part.is_alpha for part in parts),
        gray=gray,
        depth=depth,
        is_float=depth == 32 or "f16" in name,
        chroma=(64 // chroma.width, 64 // chroma.height),
        planar=len(planes) == len(parts),
        plane_count=len(planes),
    )


@cache
def takes_codec(container: str, codec: str) -> bool:
    """Whether ffmpeg's muxer named `container` (mov, mp4, matroska, ...) takes streams of `codec`."""
    with av.open(os.devnull, "w", format=container) as output:
        try:
            output.add_mux_stream(codec)
        except ValueError:
            return False
        return True


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[InputContainer]:
    # "file:" keeps a name with a colon or a leading dash from being read as a protocol or an option.
    try:
        container = av.open(f"file:{os.fspath(path)}", "r")
    except (av.FFmpegError, OSError) as error:
        raise InputError(f"{path}: can't be opened as a media file: {error}.") from error
    with container:
        try:
            yield container
        except av.FFmpegError as error:
            raise InputError(f"{path}: can't be read: {error}.") from error


@contextmanager
def _no_errors_logged(path: object) -> Iterator[None]:
    """Raise where ffmpeg only logs an error and goes on: a wrong checksum, a lost part of the container."""
    level, (before, _) = av.logging.get_level(), av.logging.get_last_error()
    av.logging.set_level(av.logging.PANIC)  # errors are counted, and nothing is passed on
    try:
        yield
        count, last = av.logging.get_last_error()
    finally:
        av.logging.set_level(level)
    if count != before and last is not None:
        raise InputError(f"{path}: does not decode without error: {last[1]}: {last[2].strip()}.")


def _fraction(value: Any) -> Fraction:
    return Fraction(int(value.numerator), int(value.denominator))


def _rate(*candidates: Any) -> Fraction | None:
    return next((_fraction(c) for c in candidates if c and c.numerator > 0 and c.denominator > 0), None)


def _tag(metadata: dict[str, str], key: str) -> str | None:
    # Matroska writes its tags in capitals, QuickTime in lower case.
    return next((value for name, value in metadata.items() if name.lower() == key and value), None)


def _codec_name(stream: Any) -> str:
    context = getattr(stream, "codec_context", None)
    if context is not None:
        return str(context.codec.canonical_name)
    return "tmcd" if _tag(stream.metadata, "timecode") else str(getattr(stream, "name", None) or "none")


def _first_video(container: InputContainer) -> Any:
    return next(
        (s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic), None
    )


def _stream_facts(stream: Any) -> StreamFacts:
    audio = stream.type == "audio"
    language = _tag(stream.metadata, "language")
    return StreamFacts(
        index=stream.index,
        kind=stream.type,
        codec=_codec_name(stream),
        language=None if language == "und" else language,
        title=_tag(stream.metadata, "title") or _tag(stream.metadata, "name"),
        disposition=tuple(d.name for d in av.stream.Disposition if d.name and d & stream.disposition),
        start=None if stream.start_time is None else stream.start_time * _fraction(stream.time_base),
        rate=stream.codec_context.sample_rate if audio else None,
        channels=stream.codec_context.channels if audio else None,
        layout=stream.codec_context.layout.name if audio else None,
    )


def _video_facts(container: InputContainer, stream: Any, path: object) -> VideoFacts:
    try:
        frame = next(container.decode(stream), None)
    except av.FFmpegError as error:
        raise InputError(f"{path}: the first video frame does not decode: {error}.") from error
    context = stream.codec_context
    fps = _rate(stream.average_rate, stream.guessed_rate, stream.base_rate)
    if frame is None or fps is None:
        raise InputError(f"{path}: the video stream has no frame that decodes, or no frame rate.")
    # yuvj420p is yuv420p in full range, under a name that ffmpeg itself has given up.
    pix_fmt = frame.format.name.replace("yuvj", "yuv")
    full = pix_fmt != frame.format.name
    side = {d.type.name: bytes(d) for d in frame.side_data.values()} | _coded_side_data(context)
    return VideoFacts(
        index=stream.index,
        codec=context.codec.canonical_name,
        profile=context.profile,
        pix_fmt=pix_fmt,
        size=(frame.width, frame.height),
        fps=fps,
        time_base=_fraction(stream.time_base),
        sar=_rate(stream.sample_aspect_ratio),
        color=Color(
            matrix=MATRICES.get(int(context.colorspace)),
            primaries=PRIMARIES.get(int(context.color_primaries)),
            transfer=TRANSFERS.get(int(context.color_trc)),
            range="pc" if full else RANGES.get(int(context.color_range)),
            chroma_location=CHROMA_LOCATIONS.get(int(context.chroma_sample_location)),
        ),
        field_order=FIELD_ORDERS.get(int(context.field_order), "unknown"),
        rotation=int(frame.rotation),
        hdr=_hdr(side),
        bit_rate=stream.bit_rate or None,
        uncarried=tuple(sorted({words for name, words in _UNCARRIED.items() if name in side})),
    )


def _coded_side_data(context: Any) -> dict[str, bytes]:
    names = {
        "mastering_display_metadata": "MASTERING_DISPLAY_METADATA",
        "content_light_level": "CONTENT_LIGHT_LEVEL",
    }
    found = cast(dict[str, bytes], context.coded_side_data)
    return {names.get(k, k if k == "dovi_conf" else k.upper()): v for k, v in found.items()}


def _hdr(side: dict[str, bytes]) -> dict[str, Any] | None:
    """Unpack libavutil's AVMasteringDisplayMetadata (ten rationals, two flags) and AVContentLightMetadata."""
    hdr: dict[str, Any] = {}
    if (mastering := side.get(SideDataType.MASTERING_DISPLAY_METADATA.name)) is not None:
        numbers = struct.unpack_from("=22i", mastering)
        values = [
            Fraction(n, d) if d else Fraction(0) for n, d in zip(numbers[0:20:2], numbers[1:20:2], strict=True)
        ]
        if numbers[20]:
            xy = [round(v * 50000) for v in values[:8]]
            hdr["primaries"] = {"red": xy[0:2], "green": xy[2:4], "blue": xy[4:6], "white": xy[6:8]}
        if numbers[21]:
            hdr["luminance"] = {"min": round(values[8] * 10000), "max": round(values[9] * 10000)}
    if (light := side.get(SideDataType.CONTENT_LIGHT_LEVEL.name)) is not None:
        most, average = struct.unpack_from("=2I", light)
        hdr["light"] = {"max_cll": most, "max_fall": average}
    return hdr or None


def _timecode(container: InputContainer, stream: Any) -> str | None:
    places = ([] if stream is None else [stream]) + list(container.streams)
    found = [_tag(place.metadata, "timecode") for place in places] + [_tag(container.metadata, "timecode")]
    return next((value for value in found if value), None)


def _payload(data: bytes, codec: str) -> bytes:
    # 3GPP TS 26.245: an empty sample only fills the time between two texts; muxers add them as they need.
    if codec == "mov_text" and data[:2] == b"\0\0":
        return b""
    # ISO/IEC 13818-7 ADTS: 12 sync bits, layer 0; protection_absent tells a header of 7 bytes from one of 9.
    if codec == "aac" and len(data) > 7 and data[0] == 0xFF and data[1] & 0xF6 == 0xF0:
        return data[7 if data[1] & 1 else 9 :]
    return data
