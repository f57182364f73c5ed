"""What a packet of ProRes, DNxHR, FFV1 or VP9 holds beside its picture: bytes that belong to none of its parts.

What lies in a slice behind the end of what was coded is not seen: where that is only a decoder knows.
"""

import struct
from collections.abc import Callable, Iterator, Mapping

_PRORES_HEADER = 20
_DNXHR = range(1270, 1275)
"""Its compression identifiers (SMPTE ST 2019-1); what DNxHD's are is not looked into."""
_DNXHR_HEADER, _DNXHR_EMPTY, _DNXHR_ROWS = 640, (0x60, 0x160), 0x170
"""Of a picture of up to 68 rows of blocks; the part in which nothing lies; the places of the rows."""
_DNXHR_END = b"\x60\x0d\xc0\xde"
_DNXHR_BLANK = 16
"""Bytes of zeros that no row holds: none of its codes is so long."""
_FFV1_FOOTER = 8
"""Of a slice with its checksum: the size, an error mark and a CRC (RFC 9043, 4.9)."""


def beside_frame(codec: str, packet: bytes) -> str | None:
    """What a packet holds beside its picture, in words; None where there is nothing.

    Args:
        codec: one of `FRAME_CODECS`.
        packet: of the video stream.
    """
    try:
        return next(_LOOKS[codec](packet), None)
    except (struct.error, IndexError, ValueError) as error:
        return f"parts that can't be read ({error})"


def _of_prores(packet: bytes) -> Iterator[str]:
    size = int.from_bytes(packet[:4])
    if size != len(packet):
        yield f"{len(packet) - size} bytes behind a picture"
    (head,) = struct.unpack_from(">H", packet, 8)
    interlaced, tables = packet[20] >> 2 & 3, (packet[27] >> 1 & 1) + (packet[27] & 1)
    if head != _PRORES_HEADER + 64 * tables:
        yield f"{head} bytes in the header of a picture"
    at = 8 + head
    for _ in range(2 if interlaced else 1):
        begins = packet[at] >> 3
        length, slices = struct.unpack_from(">IH", packet, at + 1)
        sizes = struct.unpack_from(f">{slices}H", packet, at + begins)
        if (listed := begins + 2 * slices + sum(sizes)) != length or begins != 8:
            yield f"{length - listed} bytes beside the slices of a picture"
        at += length
    if at != size:
        yield f"{size - at} bytes beside the fields of a picture"


def _of_dnxhr(packet: bytes) -> Iterator[str]:
    (kind,) = struct.unpack_from(">I", packet, 0x28)
    if kind not in _DNXHR:
        return
    (head,) = struct.unpack_from(">I", packet)
    (rows,) = struct.unpack_from(">H", packet, 0x16C)
    listed = _DNXHR_ROWS + 4 * rows
    if head != max(_DNXHR_HEADER, listed) or packet[-4:] != _DNXHR_END:
        yield f"{head} bytes in the header of a picture, or some behind its end"
        return
    if more := len(packet[slice(*_DNXHR_EMPTY)].strip(b"\0") + packet[listed:head].strip(b"\0")):
        yield f"{more} bytes in the header of a picture"
    last = head + max(struct.unpack_from(f">{rows}I", packet, _DNXHR_ROWS))
    blank = packet.find(bytes(_DNXHR_BLANK), last)
    if blank >= 0 and (more := len(packet[blank:-4].strip(b"\0"))):
        yield f"{more} bytes of padding that are not empty"


def _of_ffv1(packet: bytes) -> Iterator[str]:
    at = len(packet)
    while at > 0:
        size = int.from_bytes(packet[max(at - _FFV1_FOOTER, 0) : max(at - 5, 0)])
        at -= size + _FFV1_FOOTER
    if at:
        yield f"{-at} bytes that belong to no slice"


def _of_vp9(packet: bytes) -> Iterator[str]:
    """One picture is shown, as the last; before it lies at most one that is made for others to be built on."""
    mark = packet[-1]
    frames = [packet]
    if mark & 0xE0 == 0xC0:
        each, count = (mark >> 3 & 3) + 1, (mark & 7) + 1
        index = packet[-(2 + each * count) :]
        if len(index) == 2 + each * count and index[0] == mark:
            sizes = [int.from_bytes(index[1 + each * n : 1 + each * (n + 1)], "little") for n in range(count)]
            if (listed := sum(sizes) + len(index)) != len(packet):
                yield f"{len(packet) - listed} bytes beside its pictures"
            starts = [sum(sizes[:n]) for n in range(count)]
            frames = [packet[start : start + size] for start, size in zip(starts, sizes, strict=True)]
    shown = [_is_shown(frame) for frame in frames]
    if len(shown) > 2 or shown[-1:] != [True] or any(shown[:-1]):
        yield f"{len(shown)} pictures, of which {sum(shown)} are shown"


def _is_shown(frame: bytes) -> bool:
    """By the uncompressed header (VP9 specification, 7.2)."""
    at = 5 if frame[0] >> 4 & 3 == 3 else 4
    existing = frame[0] >> (7 - at) & 1
    shown = int.from_bytes(frame[:2]) >> (15 - (at + 2)) & 1
    return bool(existing or shown)


_LOOKS: Mapping[str, Callable[[bytes], Iterator[str]]] = {
    "prores": _of_prores,
    "dnxhd": _of_dnxhr,
    "ffv1": _of_ffv1,
    "vp9": _of_vp9,
}
FRAME_CODECS = frozenset(_LOOKS)
