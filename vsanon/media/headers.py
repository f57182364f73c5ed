"""What stands in a stream's own header beside what its decoder needs, which would go along where it is copied."""

import re
import struct
from collections.abc import Iterator
from typing import Any

from vsanon.media.telemetry import what_name_tells

MORE = "more than its encoder and title"

_COMMENTS = b"\x03vorbis"
_NAMED = frozenset({"encoder", "title", "language", "waveformatextensible_channel_mask"})
_PRINTED = re.compile(rb"[ -~]{8,}")


def what_header_tells(codec: str, header: bytes) -> str | None:
    """What a header tells that is not carried, in words, such as a position; None where there is no such thing.

    Vorbis keeps comments in it (Vorbis I specification, 5), such as LOCATION, and whole pictures: where Matroska
    or MP4 hold the stream, no reader shows them, and all players have them.

    Args:
        codec: as in `StreamFacts`.
        header: ffmpeg's extradata of the stream.

    Examples:
        >>> what_header_tells("aac", bytes.fromhex("118856e500")) is None
        True
        >>> what_header_tells("aac", b"x" * 4 + b"+47.3768+008.5416/")
        'a position'
    """
    if codec == "vorbis":
        comments = list(_comments(header))
        keys = {comment.partition("=")[0].lower() for comment in comments[1:]}
        told = next(filter(None, map(what_name_tells, comments)), None)
        return told or (MORE if keys - _NAMED else None)
    printed = (part.decode("ascii") for part in _PRINTED.findall(header))
    return next(filter(None, map(what_name_tells, printed)), None)


BESIDE = "data beside its packets"
"""Of sound: Matroska's BlockAdditions, which are copied with the packets and shown nowhere."""

TAGGED = "the tag of a music file (ID3), with its names and pictures, before its sound"
MAY_BE_TAGGED = frozenset({"mp1", "mp2", "mp3"})
"""The codecs whose files have such tags, which recorders of streams leave among the packets."""
_TAGS = (b"ID3", b"APETAGEX")


def is_beside(packet: Any) -> bool:
    """Whether Matroska holds data beside this packet (RFC 9559, 5.1.3.5.2)."""
    return any(data.data_type == "matroska_block_additional" for data in packet.iter_sidedata())


def is_tagged(packet: Any) -> bool:
    """Whether a tag as at the beginning of MP3 files stands in this packet of sound, before its samples."""
    return bytes(packet).startswith(_TAGS)


def _comments(header: bytes) -> Iterator[str]:
    """The vendor and the comments; a list that is longer than its header is one comment of no known name."""
    at = header.find(_COMMENTS)
    if at < 0:
        return
    at += len(_COMMENTS)
    try:
        yield (vendor := _text(header, at)).decode("utf-8", "replace")
        at += 4 + len(vendor)
        (count,) = struct.unpack_from("<I", header, at)
        at += 4
        for _ in range(count):
            yield (text := _text(header, at)).decode("utf-8", "replace")
            at += 4 + len(text)
    except struct.error:
        yield from ("", "?")


def _text(header: bytes, at: int) -> bytes:
    (length,) = struct.unpack_from("<I", header, at)
    if at + 4 + length > len(header):
        raise struct.error("longer than its header")
    return header[at + 4 : at + 4 + length]


def header_of(stream: Any) -> bytes:
    """The header that a stream's packets are decoded by; nothing of a codec that nobody knows."""
    context = stream.codec_context
    return b"" if context is None else bytes(context.extradata or b"")
