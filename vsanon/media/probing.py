"""Opens a media file with PyAV and tells what it holds."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

import av
from av.codec.context import Flags
from av.container import InputContainer

from vsanon.errors import InputError
from vsanon.media import unlisted
from vsanon.media.advice import BY_SUFFIX, SPEED, STILL
from vsanon.media.atoms import Aperture, lacks_header, read_tracks, timecode_at
from vsanon.media.complaints import reading
from vsanon.media.facts import Chapter, MediaFacts, VideoFacts
from vsanon.media.formats import CHROMA_LOCATIONS, FIELD_ORDERS, MATRICES, PRIMARIES, RANGES, TRANSFERS, Color
from vsanon.media.frame_rate import nominal_rate
from vsanon.media.headers import BESIDE, MAY_BE_TAGGED, TAGGED, header_of, is_beside, is_tagged
from vsanon.media.layers import FURTHER, LAYERED, LOOKED_AT, has_further_layers
from vsanon.media.self_contained import OPTIONS, REFUSED, require_own_media
from vsanon.media.side_data import crop_of, hdr_of, require_own_colors, side_data_of, turn_of, uncarried
from vsanon.media.streams import (
    codec_name,
    fraction,
    level_of,
    ratio,
    stream_facts,
    tag,
    video_stream,
    video_streams,
)
from vsanon.media.texts import what_streams_tell

_TIMECODE = re.compile(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d[:;.]\d\d")
"""Of a day; what ffmpeg makes of the numbers in a device's own data may be none."""

_TIMED = ("vide", "soun")

NO_OPTIONS: Mapping[str, str] = MappingProxyType({})

_NAME = re.compile(r"(^|[._])reel|(^|[._])tape|clip[._ ]?(id|name)|umid|package_name", re.IGNORECASE)


def probe(path: str | os.PathLike[str], video_track: int | None = None) -> MediaFacts:
    """Read what the file holds; decodes one frame for what only frames tell, and reads its subtitles to their end.

    Args:
        path: the file.
        video_track: which of its video tracks is worked on, as in `streams.video_stream`.

    Raises:
        InputError: the file is absent, is not a media file, or its video can't be decoded.
    """
    with opened(path) as container:
        require_own_media(Path(path), container.format.name)
        # Read to their end in an opening of their own; most files have no subtitles.
        tells = _subtitles(path) if container.streams.subtitles else {}
        tells |= _beside_sound(path) if container.streams.audio else {}
        is_quicktime = container.format.name.startswith("mov,")
        tracks = {track.number: track for track in read_tracks(Path(path))} if is_quicktime else {}
        if is_quicktime and not tracks:
            raise InputError(f"{path}: one image is no film, nor are those that stand beside it{STILL}")
        if other := next((t for t in tracks.values() if t.handler in _TIMED and t.speed != 1), None):
            raise InputError(f"{path}: track {other.number} {SPEED.format(float(other.speed))}")
        streams = tuple(stream_facts(s, tracks.get(s.id), tells.get(s.index)) for s in container.streams)
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
                    tag(entry["metadata"], "title"),
                )
                for entry in entries
            ),
            timecode=timecode_at(tuple(tracks.values())) or _timecode(container, stream),
            metadata_keys=tuple(keys),
            names=_names(container, stream),
            duration=None if container.duration is None else Fraction(container.duration, 1_000_000),
            unlisted=_unlisted(Path(path), container.format.name),
        )


def _unlisted(path: Path, container: str) -> tuple[str, ...]:
    if container.startswith("mov,"):
        return unlisted.of_quicktime(path)
    return unlisted.of_matroska(path) if container.startswith("matroska") else ()


def _subtitles(path: str | os.PathLike[str]) -> dict[int, str]:
    """What subtitles tell that is no speech, by stream; the file is read for that."""
    with opened(path) as container:
        return what_streams_tell(container, {s.index: codec_name(s) for s in container.streams.subtitles})


def _beside_sound(path: str | os.PathLike[str]) -> dict[int, str]:
    """What packets of sound hold that is none, by stream.

    Of most codecs only the first are looked at; what later ones have beside them is found in the output.
    """
    found: dict[int, str] = {}
    with opened(path) as container:
        sound = container.streams.audio
        most = None if MAY_BE_TAGGED & set(map(codec_name, sound)) else LOOKED_AT * len(sound)
        for packet in islice(container.demux(sound), most):
            if is_tagged(packet) or is_beside(packet):
                found.setdefault(packet.stream_index, TAGGED if is_tagged(packet) else BESIDE)
    return found


@contextmanager
def opened(path: str | os.PathLike[str], options: Mapping[str, str] = NO_OPTIONS) -> Iterator[InputContainer]:
    """Open a file for reading; what ffmpeg says against it becomes an InputError that names the file.

    Args:
        path: the file.
        options: for the demuxer, beside those that every file is opened with.
    """
    with reading(), opened_in_turn(path, options) as container:
        yield container


@contextmanager
def opened_in_turn(
    path: str | os.PathLike[str], options: Mapping[str, str] = NO_OPTIONS
) -> Iterator[InputContainer]:
    """As `opened`, for whoever has the turn to listen; see `complaints`."""
    # "file:" keeps a name with a colon or a leading dash from being read as a protocol or an option.
    try:
        container = av.open(f"file:{os.fspath(path)}", "r", options={**OPTIONS, **options})
    except av.ArgumentError as error:  # what ffmpeg answers where the demuxer is not one of those
        raise InputError(f"{path}: {REFUSED}{BY_SUFFIX.get(Path(path).suffix.lower(), '')}") from error
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


def _video_facts(
    container: InputContainer, stream: Any, path: str | os.PathLike[str], aperture: Aperture | None
) -> VideoFacts:
    context, codec, packets = stream.codec_context, codec_name(stream), container.demux(stream)
    if context is not None:  # a codec that nobody knows has none, and no frame of it decodes
        context.flags |= Flags.unaligned  # else a left edge is cropped by whole words of a processor only
    try:
        first = list(islice(packets, LOOKED_AT)) if codec in LAYERED else []
        frame = next((frame for packet in chain(first, packets) for frame in packet.decode()), None)
    except av.FFmpegError as error:
        raise InputError(f"{path}: the first video frame does not decode: {error}.") from error
    # A bare stream has no times, and ffmpeg calls it 25 a second, whatever its own parameters say.
    own = (context.framerate,) if stream.start_time is None else ()
    fps = nominal_rate(*map(ratio, (*own, stream.average_rate, stream.guessed_rate, stream.base_rate)))
    if frame is None or fps is None:
        raise InputError(f"{path}: the video stream has no frame that decodes, or no frame rate: get a whole copy")
    # yuvj420p is yuv420p in full range, under a name that ffmpeg itself has given up.
    pix_fmt = frame.format.name.replace("yuvj", "yuv")
    full = pix_fmt != frame.format.name
    layers = stream.disposition & av.stream.Disposition.multilayer or has_further_layers(
        codec, header_of(stream), map(bytes, first)
    )
    # Of H.265 the second layer may be alpha, which is decoded.
    more = (FURTHER,) if layers and not any(part.is_alpha for part in frame.format.components) else ()
    matrix = MATRICES.get(int(context.colorspace))
    side = side_data_of(frame, context)
    require_own_colors(path, side)
    return VideoFacts(
        index=stream.index,
        track=video_streams(container).index(stream) + 1,
        codec=codec,
        profile=context.profile,
        pix_fmt=pix_fmt,
        size=(frame.width, frame.height),
        fps=fps,
        time_base=fraction(stream.time_base),
        sar=ratio(stream.sample_aspect_ratio),
        color=Color(
            matrix=matrix and ("gbr" if frame.format.is_rgb else matrix),  # DNxHR calls its RGB bt709
            primaries=PRIMARIES.get(int(context.color_primaries)),
            transfer=TRANSFERS.get(int(context.color_trc)),
            range="pc" if full else RANGES.get(int(context.color_range)),
            chroma_location=CHROMA_LOCATIONS.get(int(context.chroma_sample_location)),
        ),
        field_order=FIELD_ORDERS.get(int(context.field_order), "unknown"),
        rotation=int(frame.rotation),
        turn=turn_of(path, side),
        crop=crop_of(side, aperture, (frame.width, frame.height)),
        hides_alpha=codec in ("vp8", "vp9") and tag(stream.metadata, "alpha_mode") == "1",
        hdr=hdr_of(side),
        bit_rate=stream.bit_rate or None,
        uncarried=uncarried(side) + more,
        turns_itself="display_matrix" not in context.coded_side_data,
        level=level_of(codec, bytes(context.extradata or b"")),
    )


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


def _timecode(container: InputContainer, stream: Any) -> str | None:
    places = ([] if stream is None else [stream]) + list(container.streams)
    found = [tag(place.metadata, "timecode") for place in places] + [tag(container.metadata, "timecode")]
    return next((value for value in found if value and _TIMECODE.fullmatch(value)), None)
