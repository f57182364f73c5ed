"""The streams of an open file: which video stream is worked on, and what each holds."""

import re
from fractions import Fraction
from typing import Any

import av
from av.container import InputContainer

from vsanon.errors import InputError
from vsanon.media.atoms import Track
from vsanon.media.facts import StreamFacts
from vsanon.media.headers import header_of, what_header_tells


def fraction(value: Any) -> Fraction:
    """ffmpeg's rational numbers as Fraction."""
    return Fraction(int(value.numerator), int(value.denominator))


def ratio(value: Any) -> Fraction | None:
    """As `fraction`; None where there is no such number, or it is not above 0."""
    return fraction(value) if value and value.numerator > 0 and value.denominator > 0 else None


def tag(metadata: dict[str, str], key: str) -> str | None:
    """What a tag says, whatever the case of its name; None where it is missing or empty."""
    # Matroska writes its tags in capitals, QuickTime in lower case.
    return next((value for name, value in metadata.items() if name.lower() == key and value), None)


def codec_name(stream: Any) -> str:
    """The codec as in `StreamFacts`."""
    context = getattr(stream, "codec_context", None)
    if context is not None:
        return str(context.codec.canonical_name)
    if stream.type == "attachment":  # whose name here is that of the file in it
        kind = tag(stream.metadata, "mimetype") or ""
        return kind if _MEDIA_TYPE.fullmatch(kind) else "none"
    return "tmcd" if tag(stream.metadata, "timecode") else str(getattr(stream, "name", None) or "none")


_MEDIA_TYPE = re.compile(r"[a-z]{1,20}/[a-z][a-z.+-]{0,40}")


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
        context = stream.codec_context  # there is none of a codec that nobody knows
        return moves, default, 0 if context is None else context.width * context.height

    return max(streams, key=rank, default=None)


def video_streams(container: InputContainer) -> list[Any]:
    """The video streams that are no cover pictures."""
    return [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]


_BESIDE = (
    av.stream.Disposition.timed_thumbnails | av.stream.Disposition.still_image | av.stream.Disposition.dependent
)
"""Marks of what stands beside a film."""


def stream_facts(stream: Any, track: Track | None, tells: str | None) -> StreamFacts:
    audio, video = stream.type == "audio", stream.type == "video"
    language = tag(stream.metadata, "language")
    context = getattr(stream, "codec_context", None)
    return StreamFacts(
        index=stream.index,
        kind=stream.type,
        codec=codec_name(stream),
        language=None if language == "und" else language,
        title=tag(stream.metadata, "title") or tag(stream.metadata, "name"),
        disposition=tuple(d.name for d in av.stream.Disposition if d.name and d & stream.disposition),
        start=None if stream.start_time is None else stream.start_time * fraction(stream.time_base),
        rate=context.sample_rate if context is not None and audio else None,
        channels=context.channels if context is not None and audio else None,
        layout=context.layout.name if context is not None and audio else None,
        depth=_depth(context) if context is not None and audio else None,
        size=(context.width, context.height) if context is not None and video else None,
        track=track,
        tells=tells or (_sound_tells(stream, track) if audio else None),
    )


EDITED = "parts that its edit list leaves out"
"""Of sound in QuickTime and MP4: where it is copied, they go along, and a reader of the file hears them."""

_PRIMING = 3
"""Packets that encoders write before the first sample, as AAC's of Apple do (2,112 samples)."""
_LEAST_PACKET = 1024


def _is_edited(stream: Any, track: Track | None) -> bool:
    """Whether an edit list leaves out more of a sound than the first packets, which decoders need, and the last."""
    if track is None or track.behind_s is None:
        return track is not None
    if codec_name(stream).startswith("pcm_"):  # whose packets are what ffmpeg makes of them
        return track.skipped > 0 or track.behind_s > _A_TICK_S
    context = stream.codec_context
    packet, rate = (context.frame_size, context.sample_rate) if context is not None else (0, track.scale)
    return Fraction(track.skipped, track.scale) > Fraction(_PRIMING * max(packet or 0, _LEAST_PACKET), rate or 1)


_A_TICK_S = Fraction(1, 500)
"""To which QuickTime's movies round their lengths: 1/600 s."""


def _sound_tells(stream: Any, track: Track | None) -> str | None:
    if _is_edited(stream, track):
        return EDITED
    words = what_header_tells(codec_name(stream), header_of(stream))
    return None if words is None else f"{words} in its header"


def _depth(context: Any) -> int:
    """Bits of the integers that hold decoded sound: floats, of lossy codecs, as 24."""
    name = "" if context.format is None else context.format.name.removesuffix("p")
    return {"u8": 16, "s16": 16, "s32": 24 if 0 < (context.bits_per_raw_sample or 0) <= 24 else 32}.get(name, 24)


def level_of(codec: str, extradata: bytes) -> str | None:
    """The level that the parameters of a stream name, such as "4.1"; None where they don't stand apart.

    `AVCLevelIndication` of avcC and `general_level_idc` of hvcC: tenths of a level in H.264, thirtieths in H.265.
    """
    if codec == "h264" and len(extradata) > 3 and extradata[0] == 1:
        return f"{extradata[3] // 10}.{extradata[3] % 10}"
    if codec == "hevc" and len(extradata) > 12 and extradata[0] == 1:
        return f"{extradata[12] // 30}.{extradata[12] % 30 // 3}"
    return None
