"""Opens a media file with PyAV and tells what it holds."""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
from av.container import InputContainer
from av.sidedata.sidedata import Type as SideDataType

from vsanon.errors import InputError
from vsanon.media.complaints import reading
from vsanon.media.containers import OPTIONS, REFUSED, require_own_media
from vsanon.media.facts import Chapter, MediaFacts, StreamFacts, VideoFacts
from vsanon.media.formats import CHROMA_LOCATIONS, FIELD_ORDERS, MATRICES, PRIMARIES, RANGES, TRANSFERS, Color

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


def probe(path: str | os.PathLike[str]) -> MediaFacts:
    """Read what the file holds; decodes one frame for what only frames tell.

    Raises:
        InputError: the file is absent, is not a media file, or its video can't be decoded.
    """
    with opened(path) as container:
        require_own_media(Path(path), container.format.name)
        streams = tuple(_stream_facts(s) for s in container.streams)
        stream = first_video(container)
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
                    entry["start"] * fraction(entry["time_base"]),
                    entry["end"] * fraction(entry["time_base"]),
                    _tag(entry["metadata"], "title"),
                )
                for entry in entries
            ),
            timecode=_timecode(container, stream),
            metadata_keys=tuple(keys),
        )


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
        raise InputError(f"{path}: can't be opened as a media file: {error}.") from error
    with container:
        try:
            yield container
        except av.FFmpegError as error:
            raise InputError(f"{path}: can't be read: {error}.") from error


def fraction(value: Any) -> Fraction:
    """ffmpeg's rational numbers as Fraction."""
    return Fraction(int(value.numerator), int(value.denominator))


def _rate(*candidates: Any) -> Fraction | None:
    return next((fraction(c) for c in candidates if c and c.numerator > 0 and c.denominator > 0), None)


def _tag(metadata: dict[str, str], key: str) -> str | None:
    # Matroska writes its tags in capitals, QuickTime in lower case.
    return next((value for name, value in metadata.items() if name.lower() == key and value), None)


def codec_name(stream: Any) -> str:
    """The codec as in `StreamFacts`."""
    context = getattr(stream, "codec_context", None)
    if context is not None:
        return str(context.codec.canonical_name)
    return "tmcd" if _tag(stream.metadata, "timecode") else str(getattr(stream, "name", None) or "none")


def first_video(container: InputContainer) -> Any:
    """The first video stream that is no cover picture, or None."""
    return next(
        (s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic), None
    )


def _stream_facts(stream: Any) -> StreamFacts:
    audio = stream.type == "audio"
    language = _tag(stream.metadata, "language")
    return StreamFacts(
        index=stream.index,
        kind=stream.type,
        codec=codec_name(stream),
        language=None if language == "und" else language,
        title=_tag(stream.metadata, "title") or _tag(stream.metadata, "name"),
        disposition=tuple(d.name for d in av.stream.Disposition if d.name and d & stream.disposition),
        start=None if stream.start_time is None else stream.start_time * fraction(stream.time_base),
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
        time_base=fraction(stream.time_base),
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
