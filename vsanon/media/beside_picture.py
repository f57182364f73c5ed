"""What a packet of a picture holds beside the picture: units that decoders pass over, and bytes behind its end.

A decoder shows nothing of them, and whoever has the file gets them out of it: a picture, a place, a name.
"""

from collections.abc import Iterator

from vsanon.media.beside_frames import FRAME_CODECS, beside_frame
from vsanon.media.beside_images import IMAGE_CODECS, beside_image

_H264 = frozenset((1, 5, 7, 8, 9, 10, 11))
"""Slices, parameters, delimiters and ends of the base layer (ITU-T H.264, table 7-1); 6 and 12 are looked into."""
_HEVC = frozenset((*range(10), *range(16, 22), 32, 33, 34, 35, 36, 37))
"""The same of ITU-T H.265, table 7-1; 39 and 40, 38 are looked into."""
_MESSAGES = frozenset((0, 1, 5, 6, 129, 132, 137, 144, 147))
"""Buffering, timing, encoders' marks, recovery point, parameter sets, picture hash, and HDR, of HLG its transfer
characteristics (annex D)."""
_MOST_MESSAGE = 256
_MARKS = (
    bytes.fromhex("dc45e9bde6d948b7962cd820d923eeef") + b"x264 - core ",
    bytes.fromhex("2ca2de09b51747dbbb55a4fe7fc2fc4e") + b"x265 (build ",
)
"""How what x264 and x265 write of their own settings begins."""
_MOST_MARK = 2048
_MOST_PARAMETERS, _MOST_DELIMITER = 256, 3
"""Of a set of parameters, which takes some 60 bytes, and of delimiters and ends."""
_PARAMETERS = {"h264": frozenset((7, 8)), "hevc": frozenset((32, 33, 34))}
_DELIMITERS = {"h264": frozenset((9, 10, 11)), "hevc": frozenset((35, 36, 37))}
_AV1 = frozenset((1, 2, 3, 4, 6, 7))
"""Sequence and frame headers, delimiters and tiles (AV1 specification, 6.2.2); 5 is of HDR where it is known."""
_AV1_METADATA, _AV1_HDR = 5, (1, 2)
_AV1_MOST = {1: 64, 2: 0, 3: 1024, 7: 1024}
"""Bytes of a sequence header, a delimiter and frame headers at most."""
_MPEG2 = frozenset((*range(0xB0), 0xB3, 0xB5, 0xB7, 0xB8))
"""Pictures, slices, sequence and group headers, extensions and the end (ITU-T H.262, table 6-1)."""
_MPEG2_MOST = {0: 12, 0xB3: 140, 0xB5: 18, 0xB7: 1, 0xB8: 8}
_MPEG2_EXTENSIONS = frozenset((1, 2, 8))
"""Of the sequence, its display, and of a picture's coding; those of copyright and others are not written."""


def beside_picture(codec: str, extradata: bytes, packet: bytes) -> str | None:
    """What a packet holds beside its picture, in words; None where there is nothing, or nothing known of the codec.

    Args:
        codec: "h264", "hevc", "av1", "mpeg2video", and those of `FRAME_CODECS` and `IMAGE_CODECS`, are looked into.
        extradata: of the stream; avcC and hvcC say how long the lengths before the units are.
        packet: of the video stream.
    """
    if codec in ("h264", "hevc"):
        units = _units(codec, extradata, packet)
        return next(filter(None, (_unit(codec, unit) for unit in units)), None)
    if codec in FRAME_CODECS:
        return beside_frame(codec, packet)
    if codec in IMAGE_CODECS:
        return beside_image(codec, packet)
    if codec == "av1":
        return _open_units(packet)
    if codec == "mpeg2video":
        return next(filter(None, map(_mpeg2_unit, packet.split(b"\0\0\1")[1:])), None)
    return None


def beside_header(codec: str, extradata: bytes) -> str | None:
    """What the header of a stream holds beside what its pictures need, in words; of sound nothing is known.

    Args:
        codec: of the stream.
        extradata: as the file has it: avcC, hvcC, av1C, or units one after the other.
    """
    if codec == "av1" and extradata[:1] == b"\x81":
        return _open_units(extradata[4:])
    if codec not in ("h264", "hevc") or not extradata:
        return None
    if extradata[0] != 1:
        return next(filter(None, (_unit(codec, unit) for unit in _units(codec, b"", extradata))), None)
    units, end = _sets(codec, extradata)
    # High profiles say behind their sets how they store chroma, in four bytes (ISO/IEC 14496-15, 5.3.3.1.2).
    if len(extradata) - end not in ((0, 4) if codec == "h264" else (0,)):
        return f"{len(extradata) - end} bytes behind the sets of parameters"
    return next(filter(None, (_unit(codec, unit) for unit in units)), None)


def _sets(codec: str, header: bytes) -> tuple[list[bytes], int]:
    """The units of avcC, which has two lists of them, or of hvcC, which says how many; and where they end."""
    is_avc = codec == "h264"
    at = 5 if is_avc else 23
    units = []
    for _ in range(2 if is_avc else int.from_bytes(header[22:23])):
        # hvcC has the kind before the count.
        count = int.from_bytes(header[at : at + 1]) & 31 if is_avc else int.from_bytes(header[at + 1 : at + 3])
        at += 1 if is_avc else 3
        for _ in range(count):
            size = int.from_bytes(header[at : at + 2])
            units.append(header[at + 2 : at + 2 + size])
            at += 2 + size
    return units, at


def _mpeg2_unit(unit: bytes) -> str | None:
    """What follows a start code."""
    unit = unit.rstrip(b"\0") or b"\0"
    if unit[0] == 0xB2:
        return f"{len(unit) - 1} bytes of user data"
    if unit[0] not in _MPEG2 or (unit[0] == 0xB5 and int.from_bytes(unit[1:2]) >> 4 not in _MPEG2_EXTENSIONS):
        return f"{len(unit)} bytes in a unit of type {unit[0]:#x}"
    if len(unit) > _MPEG2_MOST.get(unit[0], len(unit)):
        return f"{len(unit)} bytes in a unit of type {unit[0]:#x}"
    return None


def _units(codec: str, extradata: bytes, packet: bytes) -> Iterator[bytes]:
    at = 4 if codec == "h264" else 21
    size = (extradata[at] & 3) + 1 if len(extradata) > at and extradata[0] == 1 else 0
    if not size:
        yield from (unit.rstrip(b"\0") for unit in packet.split(b"\0\0\1")[1:])
        return
    at = 0
    while at + size < len(packet):
        length = int.from_bytes(packet[at : at + size])
        yield packet[at + size : at + size + length]
        at += size + length


def _unit(codec: str, unit: bytes) -> str | None:
    if len(unit) < 2:
        return None
    if codec == "h264":
        kind, layer, head = unit[0] & 31, 0, 1
        known, messages, filler = _H264, {6}, 12
    else:
        kind, layer, head = unit[0] >> 1 & 63, (unit[0] & 1) << 5 | unit[1] >> 3, 2
        known, messages, filler = _HEVC, {39, 40}, 38
    if layer or not (kind in known or kind in messages or kind == filler):
        return f"{len(unit)} bytes in a unit of type {kind}" + (f", layer {layer}" if layer else "")
    most = _MOST_PARAMETERS if kind in _PARAMETERS[codec] else _MOST_DELIMITER
    if kind in _PARAMETERS[codec] | _DELIMITERS[codec] and len(unit) > most:
        return f"{len(unit)} bytes in a unit of type {kind}"
    if kind == filler:
        return f"{len(unit)} bytes of filler that are not empty" if unit[head:].strip(b"\xff\x80") else None
    if kind in messages:
        return _message(unit[head:].replace(b"\0\0\3", b"\0\0"))
    return None


def _message(content: bytes) -> str | None:
    """Of supplemental messages, which lie one after the other, the first that is none of an encoder's (7.3.2.3)."""
    at = 0
    while at < len(content) and content[at:].rstrip(b"\0") != b"\x80":
        numbers = []
        for _ in range(2):
            number = 0
            while at < len(content) and content[at] == 0xFF:
                number, at = number + 255, at + 1
            number, at = number + (content[at] if at < len(content) else 0), at + 1
            numbers.append(number)
        kind, size = numbers
        said = content[at : at + size]
        if kind not in _MESSAGES or len(said) < size:
            return f"{size} bytes in a message of type {kind}"
        if kind == 5:
            printed = all(32 <= byte < 127 for byte in said[16:].rstrip(b"\0"))
            if not said.startswith(_MARKS) or not printed or size > _MOST_MARK:
                return f"{size} bytes of user data"
        elif size > _MOST_MESSAGE:
            return f"{size} bytes in a message of type {kind}"
        at += size
    return None


def _open_units(packet: bytes) -> str | None:
    """Of AV1's units (5.3), the first that no picture needs; what is no unit is one of type 0."""
    at = 0
    while at < len(packet):
        kind, has_size = packet[at] >> 3 & 15, packet[at] & 2
        at += 2 if packet[at] & 4 else 1
        size, shift = 0, 0
        while has_size and at < len(packet):
            byte = packet[at]
            size, shift, at = size | (byte & 127) << shift, shift + 7, at + 1
            if byte < 128:
                break
        size = size if has_size else len(packet) - at
        hdr = (
            kind == _AV1_METADATA and packet[at : at + 1] in [bytes([n]) for n in _AV1_HDR] and size < _MOST_MESSAGE
        )
        if not (kind in _AV1 or hdr) or size > _AV1_MOST.get(kind, size):
            return f"{size} bytes in a unit of type {kind}"
        at += size
    return None
