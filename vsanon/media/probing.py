"""Opens a media file with PyAV and tells what it holds."""

import os
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any, cast

import av
from av.container import InputContainer
from av.sidedata.sidedata import Type as SideDataType

from vsanon.errors import InputError
from vsanon.media.atoms import Aperture, Track, lacks_header, read_tracks, timecode_at
from vsanon.media.complaints import reading
from vsanon.media.containers import OPTIONS, REFUSED, require_own_media
from vsanon.media.facts import Chapter, MediaFacts, StreamFacts, VideoFacts
from vsanon.media.formats import CHROMA_LOCATIONS, FIELD_ORDERS, MATRICES, PRIMARIES, RANGES, TRANSFERS, Color
from vsanon.media.frame_rate import nominal_rate
from vsanon.media.texts import what_streams_tell

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


_TIMECODE = re.compile(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d[:;.]\d\d")
"""Of a day; what ffmpeg makes of the numbers in a device's own data may be none."""

_NAME = re.compile(r"(^|[._])reel|(^|[._])tape|clip[._ ]?(id|name)|umid|package_name", re.IGNORECASE)


def probe(path: str | os.PathLike[str], video_track: int | None = None) -> MediaFacts:
    """Read what the file holds; decodes one frame for what only frames tell, and reads its subtitles to their end.

    Args:
        path: the file.
        video_track: which of its video tracks is worked on, as in `video_stream`.

    Raises:
        InputError: the file is absent, is not a media file, or its video can't be decoded.
    """
    tells = _tells(path)
    with opened(path) as container:
        require_own_media(Path(path), container.format.name)
        is_quicktime = container.format.name.startswith("mov,")
        tracks = {track.number: track for track in read_tracks(Path(path))} if is_quicktime else {}
        streams = tuple(_stream_facts(s, tracks.get(s.id), tells.get(s.index)) for s in container.streams)
        stream = video_stream(container, video_track)
        keys = [f"file:{key}" for key in container.metadata]
        keys += [f"stream {s.index}:{key}" for s in container.streams for key in s.metadata]
        entries = container.chapters()
        keys += [f"chapter {n}:{key}" for n, entry in enumerate(entries) for key in entry["metadata"]]
        return MediaFacts(
            path=Path(path),
            container=container.format.name,
            streams=streams,
            video=None
            if stream is None
            else _video_facts(container, stream, path, getattr(tracks.get(stream.id), "aperture", None)),
            chapters=tuple(
                Chapter(
                    entry["start"] * fraction(entry["time_base"]),
                    entry["end"] * fraction(entry["time_base"]),
                    _tag(entry["metadata"], "title"),
                )
                for entry in entries
            ),
            timecode=timecode_at(tuple(tracks.values())) or _timecode(container, stream),
            metadata_keys=tuple(keys),
            names=_names(container, stream),
            duration=None if container.duration is None else Fraction(container.duration, 1_000_000),
        )


def _tells(path: str | os.PathLike[str]) -> dict[int, str]:
    """What the subtitles tell that is no speech, by stream; for which the file is read on its own."""
    with opened(path) as container:
        require_own_media(Path(path), container.format.name)
        return what_streams_tell(container, {s.index: codec_name(s) for s in container.streams.subtitles})


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[InputContainer]:
    """Open a file for reading; what ffmpeg says against it becomes an InputError that names the file."""
    with reading(), opened_in_turn(path) as container:
        yield container


@contextmanager
def opened_in_turn(path: str | os.PathLike[str]) -> Iterator[InputContainer]:
    """As `opened`, for whoever has the turn to listen; see `complaints`."""
    # "file:" keeps a name with a colon or a leading dash from being read as a protocol or an option.
    try:
        container = av.open(f"file:{os.fspath(path)}", "r", options=dict(OPTIONS))
    except av.ArgumentError as error:  # what ffmpeg answers where the demuxer is not one of those
        raise InputError(f"{path}: {REFUSED}") from error
    except (av.FFmpegError, OSError) as error:
        if lacks_header(Path(path)):
            raise InputError(
                f"{path}: its movie header (moov) is missing, without which nobody knows where its pictures are: "
                "the recording was not closed, or the copy is cut short. Copy it again, or let the camera repair it"
            ) from error
        raise InputError(f"{path}: can't be opened as a media file: {getattr(error, 'strerror', error)}") from error
    with container:
        try:
            yield container
        except av.FFmpegError as error:
            raise InputError(f"{path}: can't be read: {error}.") from error


def fraction(value: Any) -> Fraction:
    """ffmpeg's rational numbers as Fraction."""
    return Fraction(int(value.numerator), int(value.denominator))


def _ratio(value: Any) -> Fraction | None:
    """As `fraction`; None where there is no such number, or it is not above 0."""
    return fraction(value) if value and value.numerator > 0 and value.denominator > 0 else None


def _tag(metadata: dict[str, str], key: str) -> str | None:
    # Matroska writes its tags in capitals, QuickTime in lower case.
    return next((value for name, value in metadata.items() if name.lower() == key and value), None)


def codec_name(stream: Any) -> str:
    """The codec as in `StreamFacts`."""
    context = getattr(stream, "codec_context", None)
    if context is not None:
        return str(context.codec.canonical_name)
    return "tmcd" if _tag(stream.metadata, "timecode") else str(getattr(stream, "name", None) or "none")


def video_stream(container: InputContainer, track: int | None = None) -> Any:
    """The video stream that is worked on, or None where there is none.

    Of several, that which is marked as default; of those the one with the greatest picture, and of those the first.
    One of a single picture, such as a thumbnail, comes after all others, and a cover is none.

    Args:
        container: the file.
        track: which of them, counted from 1, whatever their marks.

    Raises:
        InputError: there is no such track.
    """
    streams = video_streams(container)
    if track is not None:
        if not 1 <= track <= len(streams):
            raise InputError(
                f"{container.name.removeprefix('file:')}: no video track {track}: it has {len(streams)}"
            )
        return streams[track - 1]

    def rank(stream: Any) -> tuple[bool, bool, int]:
        default = bool(stream.disposition & av.stream.Disposition.default)
        moves = stream.frames != 1 and not stream.disposition & _BESIDE
        return moves, default, stream.codec_context.width * stream.codec_context.height

    return max(streams, key=rank, default=None)


def video_streams(container: InputContainer) -> list[Any]:
    """The video streams that are no cover pictures."""
    return [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]


_BESIDE = (
    av.stream.Disposition.timed_thumbnails | av.stream.Disposition.still_image | av.stream.Disposition.dependent
)
"""Marks of what stands beside a film."""


def _stream_facts(stream: Any, track: Track | None, tells: str | None) -> StreamFacts:
    audio, video = stream.type == "audio", stream.type == "video"
    language = _tag(stream.metadata, "language")
    context = getattr(stream, "codec_context", None)
    return StreamFacts(
        index=stream.index,
        kind=stream.type,
        codec=codec_name(stream),
        language=None if language == "und" else language,
        title=_tag(stream.metadata, "title") or _tag(stream.metadata, "name"),
        disposition=tuple(d.name for d in av.stream.Disposition if d.name and d & stream.disposition),
        start=None if stream.start_time is None else stream.start_time * fraction(stream.time_base),
        rate=context.sample_rate if context is not None and audio else None,
        channels=context.channels if context is not None and audio else None,
        layout=context.layout.name if context is not None and audio else None,
        depth=_depth(context) if context is not None and audio else None,
        size=(context.width, context.height) if context is not None and video else None,
        track=track,
        tells=tells,
    )


def _depth(context: Any) -> int:
    """Bits of the integers that hold decoded sound: floats, of lossy codecs, as 24."""
    name = "" if context.format is None else context.format.name.removesuffix("p")
    return {"u8": 16, "s16": 16, "s32": 24 if 0 < (context.bits_per_raw_sample or 0) <= 24 else 32}.get(name, 24)


def _video_facts(container: InputContainer, stream: Any, path: object, aperture: Aperture | None) -> VideoFacts:
    try:
        frame = next(container.decode(stream), None)
    except av.FFmpegError as error:
        raise InputError(f"{path}: the first video frame does not decode: {error}.") from error
    context = stream.codec_context
    fps = nominal_rate(*map(_ratio, (stream.average_rate, stream.guessed_rate, stream.base_rate)))
    if frame is None or fps is None:
        raise InputError(f"{path}: the video stream has no frame that decodes, or no frame rate.")
    # yuvj420p is yuv420p in full range, under a name that ffmpeg itself has given up.
    pix_fmt = frame.format.name.replace("yuvj", "yuv")
    full = pix_fmt != frame.format.name
    layers = bool(stream.disposition & av.stream.Disposition.multilayer)
    more = ("further views of the picture, such as those of stereo, which are not searched",) if layers else ()
    matrix = MATRICES.get(int(context.colorspace))
    side = {d.type.name: bytes(d) for d in frame.side_data.values()} | _coded_side_data(context)
    return VideoFacts(
        index=stream.index,
        track=video_streams(container).index(stream) + 1,
        codec=context.codec.canonical_name,
        profile=context.profile,
        pix_fmt=pix_fmt,
        size=(frame.width, frame.height),
        fps=fps,
        time_base=fraction(stream.time_base),
        sar=_ratio(stream.sample_aspect_ratio),
        color=Color(
            matrix=matrix and ("gbr" if frame.format.is_rgb else matrix),  # DNxHR calls its RGB bt709
            primaries=PRIMARIES.get(int(context.color_primaries)),
            transfer=TRANSFERS.get(int(context.color_trc)),
            range="pc" if full else RANGES.get(int(context.color_range)),
            chroma_location=CHROMA_LOCATIONS.get(int(context.chroma_sample_location)),
        ),
        field_order=FIELD_ORDERS.get(int(context.field_order), "unknown"),
        rotation=int(frame.rotation),
        turn=_turn(path, side),
        crop=_hidden(_crop(side), _beyond(aperture, (frame.width, frame.height))),
        hides_alpha=context.codec.canonical_name in ("vp8", "vp9") and _tag(stream.metadata, "alpha_mode") == "1",
        hdr=_hdr(side),
        bit_rate=stream.bit_rate or None,
        uncarried=tuple(sorted({words for name, words in _UNCARRIED.items() if name in side})) + more,
        level=level_of(context.codec.canonical_name, bytes(context.extradata or b"")),
    )


def level_of(codec: str, extradata: bytes) -> str | None:
    """The level that the parameters of a stream name, such as "4.1"; None where they don't stand apart.

    `AVCLevelIndication` of avcC and `general_level_idc` of hvcC: tenths of a level in H.264, thirtieths in H.265.
    """
    if codec == "h264" and len(extradata) > 3 and extradata[0] == 1:
        return f"{extradata[3] // 10}.{extradata[3] % 10}"
    if codec == "hevc" and len(extradata) > 12 and extradata[0] == 1:
        return f"{extradata[12] // 30}.{extradata[12] % 30 // 3}"
    return None


def _coded_side_data(context: Any) -> dict[str, bytes]:
    names = {
        "mastering_display_metadata": "MASTERING_DISPLAY_METADATA",
        "content_light_level": "CONTENT_LIGHT_LEVEL",
    }
    found = cast(dict[str, bytes], context.coded_side_data)
    return {names.get(k, k if k == "dovi_conf" else k.upper()): v for k, v in found.items()}


def _turn(path: object, side: dict[str, bytes]) -> tuple[int, int, int, int]:
    """The display matrix (ISO/IEC 14496-12, 6.2.2), without its scale and shift.

    Raises:
        InputError: it turns by less than a quarter.
    """
    if (found := side.get("DISPLAYMATRIX")) is None:
        return (1, 0, 0, 1)
    a, b, _, c, d, *_ = struct.unpack("=9i", found)
    least = max(abs(v) for v in (a, b, c, d)) / 1000
    turn = tuple((v > least) - (v < -least) for v in (a, b, c, d))
    if turn == (0, 0, 0, 0):
        return (1, 0, 0, 1)
    if [v != 0 for v in turn] not in ([True, False, False, True], [False, True, True, False]):
        raise InputError(
            f"{path}: is shown turned by another angle than a quarter circle, or slanted: take that off first "
            "(ffmpeg -display_rotation 0 -i IN -map 0 -c copy OUT), and turn the picture in the edit"
        )
    return turn[0], turn[1], turn[2], turn[3]


Edges = tuple[int, int, int, int]


def _hidden(one: Edges, other: Edges) -> Edges:
    """What either says."""
    left, top, right, bottom = map(max, one, other)
    return (left, top, right, bottom)


def _crop(side: dict[str, bytes]) -> Edges:
    """The edges that the container hides, (left, top, right, bottom): Matroska's PixelCrop, QuickTime's `clap`."""
    if (found := side.get("FRAME_CROPPING")) is None or len(found) != 16:
        return (0, 0, 0, 0)
    top, bottom, left, right = struct.unpack("<4I", found)
    return (left, top, right, bottom)


def _beyond(aperture: Aperture | None, size: tuple[int, int]) -> Edges:
    """The edges beyond a clean aperture; ffmpeg passes over one that is wider or higher than the picture.

    A column of which a part is hidden is hidden.
    """
    if aperture is None:
        return (0, 0, 0, 0)
    edges = []
    for whole, clean, middle in zip(size, aperture[:2], aperture[2:], strict=True):
        before = Fraction(whole, 2) + middle - clean / 2
        edges.append((max(ceil(before), 0), max(ceil(whole - before - clean), 0)))
    (left, right), (top, bottom) = edges
    return (left, top, right, bottom)


def _names(container: InputContainer, stream: Any) -> dict[str, str]:
    """The names by which editors find the material, from the picture's own place first."""
    found: dict[str, str] = {}
    others = [s for s in container.streams if s.type not in ("audio", "subtitle")]
    for place in ([] if stream is None else [stream]) + others + [container]:
        for key, value in place.metadata.items():
            if is_name(key) and value and key.lower() not in map(str.lower, found):
                found[key.lower() if key.isupper() else key] = value
    return found


def is_name(key: str) -> bool:
    """Whether a tag of this key names a reel, a tape or a clip, or is a UMID (SMPTE ST 330)."""
    return _NAME.search(key) is not None


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
    return next((value for value in found if value and _TIMECODE.fullmatch(value)), None)
