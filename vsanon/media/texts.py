"""What the text streams of a file say, read to their end: whether it is speech, or what a device wrote."""

import struct

from av.container import InputContainer

from vsanon import stops
from vsanon.media.headers import header_of, what_header_tells
from vsanon.media.telemetry import what_name_tells, what_text_tells

READ = frozenset({"subrip", "ass", "webvtt", "mov_text", "text"})
"""The codecs whose packets are text that is looked into."""

HIDDEN = "what can't be looked into"
PICTURES = "pictures, which are not searched"

_STYLES = (b"styl", b"hlit", b"hclr", b"krok", b"dlay", b"tbox", b"blnk", b"twrp", b"encd")
"""What may follow the text in a sample of mov_text: 3GPP TS 26.245, 5.17; all but links, which hold an address."""


def what_streams_tell(container: InputContainer, codecs: dict[int, str]) -> dict[int, str]:
    """Of the subtitle streams of a file, what they tell that is no speech, in words, by their index.

    A stream of pictures, or of a codec that is not looked into, is one of them: what is not searched may hold
    anything.

    Args:
        container: the file, at its beginning.
        codecs: the codec of each subtitle stream, by its index.
    """
    told = {index: _unread(codec) for index, codec in codecs.items() if codec not in READ}
    streams = [s for s in container.streams if s.index in codecs and s.index not in told]
    if not streams:
        return told
    for s in streams:
        if (words := _header(header_of(s), codecs[s.index])) is not None:
            told[s.index] = words
    said: dict[int, list[str]] = {s.index: [] for s in streams}
    for packet in container.demux(streams):
        stops.poll()
        if not packet.size:
            continue
        texts = _texts(bytes(packet), codecs[packet.stream_index])
        beside = [bytes(data).decode("utf-8", "replace") for data in packet.iter_sidedata()]
        if texts is None or any(map(what_name_tells, beside)):
            told.setdefault(packet.stream_index, HIDDEN)
        else:
            said[packet.stream_index] += texts
    for index, texts in said.items():
        if index not in told and (words := what_text_tells(texts)) is not None:
            told[index] = words
    return told


def _unread(codec: str) -> str:
    pictures = ("dvd_subtitle", "dvb_subtitle", "hdmv_pgs_subtitle", "xsub")
    return PICTURES if codec in pictures else HIDDEN


def _header(header: bytes, codec: str) -> str | None:
    """What stands before the first line, and tells what is no name: in ASS the script's information."""
    if codec != "ass":
        return what_header_tells(codec, header)
    lines = [line.strip() for line in header.decode("utf-8", "replace").splitlines()]
    if {"[fonts]", "[graphics]"} & {line.lower() for line in lines}:
        return HIDDEN  # whole files, pictures among them
    named = (line.partition(",")[0] if line.startswith("Style:") else line for line in lines)
    return next(
        filter(None, map(what_name_tells, (line for line in named if not line.startswith("Format:")))), None
    )


def _texts(packet: bytes, codec: str) -> list[str] | None:
    """The text of a packet; None where it holds more than text and style, which is shown nowhere and yet copied."""
    if codec != "mov_text":
        # ASS in Matroska: number, layer, style, name, three margins, effect, text.
        text = packet.decode("utf-8", "replace")
        return [text.split(",", 8)[-1], text.split(",", 8)[3]] if codec == "ass" and text.count(",") > 7 else [text]
    if len(packet) < 2:
        return None
    (length,) = struct.unpack_from(">H", packet)
    said, rest = packet[2 : 2 + length], packet[2 + length :]
    wide = said[:2] in (b"\xfe\xff", b"\xff\xfe")
    while len(rest) >= 8:
        size, kind = struct.unpack_from(">I4s", rest)
        if kind not in _STYLES or not 8 <= size <= len(rest):
            return None
        rest = rest[size:]
    return None if rest else [said.decode("utf-16" if wide else "utf-8", "replace")]
