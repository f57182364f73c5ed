"""What an image file holds beside its picture: chunks, tags, attributes, and bytes that belong to none of them.

All that the encoders of images write is known, and small; whatever else lies there is not the picture.
"""

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping

_PNG = b"\x89PNG\r\n\x1a\n"
_CHUNKS: Mapping[bytes, int] = {
    b"IHDR": 13,
    b"pHYs": 9,
    b"sRGB": 1,
    b"gAMA": 4,
    b"cHRM": 32,
    b"cICP": 4,
    b"sBIT": 4,
    b"mDCV": 24,
    b"mDCv": 24,
    b"cLLI": 8,
    b"cLLi": 8,
    b"IEND": 0,
}
"""Those that say how a PNG is shown, and the most bytes that each takes; it stands there once."""
_PNG_SAMPLES = {0: 1, 2: 3, 4: 2, 6: 4}

_PIECE = 1 << 20

_TIFF_TAGS = frozenset((254, 256, 257, 258, 259, 262, 273, 277, 278, 279, 282, 283, 284, 296, 338, 339))
"""Of the size, the samples, the strips and the resolution (TIFF 6.0, sections 3 to 6 and 18)."""
_TIFF_TYPES = {1: 1, 3: 2, 4: 4, 5: 8}
_RAW, _DEFLATE = 1, (8, 32946)

_EXR_ATTRIBUTES: Mapping[bytes, int] = {
    b"channels": 4 * 18 + 1,
    b"compression": 1,
    b"dataWindow": 16,
    b"displayWindow": 16,
    b"lineOrder": 1,
    b"pixelAspectRatio": 4,
    b"screenWindowCenter": 8,
    b"screenWindowWidth": 4,
    b"framesPerSecond": 8,
    b"gamma": 4,
    b"writer": 4,
    b"chromaticities": 32,
    b"whiteLuminance": 4,
}
"""What is written of an OpenEXR's header, and the most bytes that each takes."""
_EXR_ROWS = {0: 1, 2: 1, 3: 16}
"""Rows in a chunk, of those compressions that are written: none, ZIPS and ZIP."""
_EXR_BYTES = {0: 4, 1: 2, 2: 4}

_DPX_NUMBERS = ((0, 36), (660, 664), (768, 820), (1628, 1636))
"""Where SMPTE 268M has what is needed to read a picture of one element; all else is text, devices and film."""
_DPX_HEADER = 1664
_DPX_SAMPLES = {6: 1, 50: 3, 51: 4}


def beside_image(codec: str, file: bytes) -> str | None:
    """What an image file holds beside its picture, in words; None where there is nothing.

    Args:
        codec: one of `IMAGE_CODECS`.
        file: the whole of it.
    """
    try:
        return next(_LOOKS[codec](file), None)
    except (struct.error, zlib.error, LookupError, ValueError, ZeroDivisionError) as error:
        return f"parts that can't be read ({error})"


def _of_png(file: bytes) -> Iterator[str]:
    if not file.startswith(_PNG):
        yield "no PNG"
    at, seen, packed, head = len(_PNG), set(), bytearray(), b""
    while at < len(file) and b"IEND" not in seen:
        size, kind = struct.unpack_from(">I4s", file, at)
        content = file[at + 8 : at + 8 + size]
        at += size + 12
        if kind == b"IDAT":
            packed += content
            continue
        if kind in seen or size > _CHUNKS.get(kind, -1):
            yield f"{size} bytes in a chunk {kind.decode('latin-1')!r}"
        seen.add(kind)
        head = content if kind == b"IHDR" else head
    if at != len(file):
        yield f"{len(file) - at} bytes behind its last chunk"
    width, height, bits, colour, *_, interlaced = struct.unpack(">IIBBBBB", head)
    if not interlaced:
        yield from _packed(
            bytes(packed), height * (1 + (width * bits * _PNG_SAMPLES[colour] + 7) // 8), "a picture"
        )


def _packed(content: bytes, size: int, where: str) -> Iterator[str]:
    """Whether a zlib stream gives so many bytes, and is all that is there; unpacked in pieces, and none is kept."""
    stream, got = zlib.decompressobj(), 0
    while got <= size and not stream.eof:
        piece = stream.decompress(content, _PIECE)
        content, got = stream.unconsumed_tail, got + len(piece)
        if not piece and not content:
            break
    if got != size or not stream.eof:
        yield f"{'more' if got > size else 'less'} than the {size} bytes of {where}"
    if stream.unused_data:
        yield f"{len(stream.unused_data)} bytes behind those of {where}"


def _of_tiff(file: bytes) -> Iterator[str]:
    order = {b"II*\0": "<", b"MM\0*": ">"}[file[:4]]
    (at,) = struct.unpack_from(order + "I", file, 4)
    (count,) = struct.unpack_from(order + "H", file, at)
    taken = [(0, 8), (at, at + 6 + 12 * count)]
    (further,) = struct.unpack_from(order + "I", file, at + 2 + 12 * count)
    if further:
        yield f"a further directory of tags, at byte {further}"
    values: dict[int, tuple[int, ...]] = {}
    for n in range(count):
        tag, kind, many = struct.unpack_from(order + "HHI", file, at + 2 + 12 * n)
        if tag not in _TIFF_TAGS or tag in values or kind not in _TIFF_TYPES:
            yield f"{many} values in a tag {tag}"
            return
        place, size = at + 2 + 12 * n + 8, many * _TIFF_TYPES[kind]
        if size > 4:
            (place,) = struct.unpack_from(order + "I", file, place)
            taken.append((place, place + size))
        if place + size > len(file):
            yield f"{many} values in a tag {tag}"
            return
        form = {1: "B", 3: "H", 4: "I", 5: "II"}[kind]
        values[tag] = struct.unpack_from(f"{order}{form * min(many, 1 << 20)}", file, place)
    width, height = values[256][0], values[257][0]
    rows = min(values.get(278, (height,))[0], height)
    samples, bits = values.get(277, (1,))[0], values[258][0]
    strips = -(-height // rows)
    for tag, found in values.items():
        if len(found) > (strips if tag in (273, 279) else max(samples, 2)):
            yield f"{len(found)} values in a tag {tag}"
    for n, (start, size) in enumerate(zip(values[273], values[279], strict=True)):
        taken.append((start, start + size))
        room = min(rows, height - n * rows) * ((width * samples * bits + 7) // 8)
        if values[259][0] == _RAW and size != room:
            yield f"{size} bytes in a strip of {room}"
        elif values[259][0] in _DEFLATE:
            yield from _packed(file[start : start + size], room, "a strip")
    yield from _gaps(file, taken)


def _gaps(file: bytes, taken: list[tuple[int, int]]) -> Iterator[str]:
    """What belongs to no part of a file, or to two."""
    reached = 0
    for start, stop in [*sorted(taken), (len(file), len(file))]:
        if start < min(reached, len(file)):
            yield f"{reached - start} bytes that belong to two parts"
        elif start - reached > 1 or any(file[reached:start]):  # parts begin at even bytes
            yield f"{start - reached} bytes that belong to no part"
        reached = max(stop, reached)
    if reached > len(file):
        yield f"{reached - len(file)} bytes less than its parts"


def _of_exr(file: bytes) -> Iterator[str]:
    if file[:8] != b"v/1\x01\x02\0\0\0":
        yield "further parts, layers or tiles"
        return
    at, seen = 8, dict[bytes, bytes]()
    while file[at]:
        name, kind, _ = file[at : at + 64].split(b"\0", 2)
        at += len(name) + len(kind) + 2
        (size,) = struct.unpack_from("<I", file, at)
        if name in seen or size > _EXR_ATTRIBUTES.get(name, -1):
            yield f"{size} bytes in an attribute {name.decode('latin-1')!r}"
            return
        seen[name] = file[at + 4 : at + 4 + size]
        at += 4 + size
    at += 1
    if seen.get(b"writer", b"lavc") != b"lavc":
        yield "the name of another writer"
    left, top, right, bottom = struct.unpack("<4i", seen[b"dataWindow"])
    if seen[b"displayWindow"] != seen[b"dataWindow"]:
        yield "more picture than is shown"
    channels, row = seen[b"channels"], 0
    while channels[:1] != b"\0":
        name, _, rest = channels.partition(b"\0")
        if name not in (b"A", b"B", b"G", b"R", b"Y"):
            yield f"a channel {name.decode('latin-1')!r}"
        row += _EXR_BYTES[struct.unpack_from("<I", rest)[0]] * (right - left + 1)
        channels = rest[16:]
    height, rows = bottom - top + 1, _EXR_ROWS[seen[b"compression"][0]]
    offsets = struct.unpack_from(f"<{-(-height // rows)}Q", file, at)
    at += 8 * len(offsets)
    for n, offset in enumerate(offsets):
        size = struct.unpack_from("<I", file, at + 4)[0]
        if offset != at:
            yield f"{abs(offset - at)} bytes that belong to no part"
            return
        room = min(rows, height - n * rows) * row
        if size > room:
            yield f"{size} bytes in a part of {room}"
        elif size < room:
            yield from _packed(file[at + 8 : at + 8 + size], room, "a part")
        at += 8 + size
    if at != len(file):
        yield f"{len(file) - at} bytes behind its last part"


def _of_dpx(file: bytes) -> Iterator[str]:
    order = {b"SDPX": ">", b"XPDS": "<"}[file[:4]]
    (at,) = struct.unpack_from(order + "I", file, 4)
    gaps = zip([0, *(stop for _, stop in _DPX_NUMBERS)], [*(start for start, _ in _DPX_NUMBERS), at], strict=True)
    for start, stop in gaps:
        if file[start:stop].strip(b"\0\xff"):
            yield f"{len(file[start:stop].strip(b'\0\xff'))} bytes in its header, at byte {start}"
    count, width, height = struct.unpack_from(order + "HII", file, 770)
    kind, bits = file[800], file[803]
    row = width * _DPX_SAMPLES[kind]
    row = -(-row // 3) * 4 if bits == 10 else row * (1 if bits == 8 else 2)
    size = height * ((row + 3) // 4 * 4)
    if at < _DPX_HEADER or count != 1:
        yield f"{count} pictures, from byte {at}"
    if len(file) - at != size:
        yield f"{len(file) - at} bytes of a picture of {size}"


_LOOKS: Mapping[str, Callable[[bytes], Iterator[str]]] = {
    "png": _of_png,
    "tiff": _of_tiff,
    "exr": _of_exr,
    "dpx": _of_dpx,
}
IMAGE_CODECS = frozenset(_LOOKS)
