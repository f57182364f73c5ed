"""Images as cameras and editors write them: what stands beside their samples, put there byte by byte."""

import struct
import zlib
from pathlib import Path

from tests.support.odd_streams import CANARY, CODERS, box, units
from vsanon.encode import run

_SAID = CANARY.encode()


def images(folder: Path, suffix: str, count: int = 2, *arguments: str) -> list[Path]:
    """Numbered images of ffmpeg's test picture, 48x32."""
    folder.mkdir()
    source = ("-f", "lavfi", "-i", "testsrc2=s=48x32:r=25")
    run(["-y", *source, "-frames:v", str(count), *arguments, str(folder / f"%04d{suffix}")])
    return sorted(folder.iterdir())


def exif(orientation: int) -> bytes:
    """EXIF of an orientation, and of the name of a program."""
    said = _SAID + b"\0"
    entries = struct.pack("<HHIHH", 0x112, 3, 1, orientation, 0) + struct.pack("<HHII", 0x131, 2, len(said), 38)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", 2) + entries + bytes(4) + said


def with_chunks(path: Path, orientation: int) -> None:
    """A PNG with EXIF, texts and XMP."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")

    more = chunk(b"tEXt", b"Comment\0" + _SAID) + chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + _SAID)
    more += chunk(b"zTXt", b"GPS\0\0" + zlib.compress(_SAID)) + chunk(b"eXIf", exif(orientation))
    data = path.read_bytes()
    path.write_bytes(data[:33] + more + data[33:])  # behind its header


def with_tags(path: Path, orientation: int) -> None:
    """A TIFF with a description, an artist, XMP, positions, and a directory of a second picture."""
    data = bytearray(path.read_bytes())
    at = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, at)[0]
    entries = [bytes(data[at + 2 + 12 * n : at + 14 + 12 * n]) for n in range(count)]
    data += b"\0" * (len(data) % 2)
    said = len(data)
    data += (_SAID + b"\0").ljust(32, b"\0")
    below = len(data)
    data += struct.pack("<H", 1) + struct.pack("<HHII", 270, 2, len(_SAID) + 1, said) + bytes(4)
    entries.append(struct.pack("<HHIHH", 274, 3, 1, orientation, 0))
    entries += [
        struct.pack("<HHII", tag, kind, len(_SAID) + 1, said) for tag, kind in ((270, 2), (315, 2), (700, 1))
    ]
    entries += [struct.pack("<HHII", tag, 4, 1, below) for tag in (330, 34853)]
    new = {struct.unpack_from("<H", e)[0]: e for e in entries}
    struct.pack_into("<I", data, 4, len(data))
    data += struct.pack("<H", len(new)) + b"".join(new[tag] for tag in sorted(new)) + bytes(4)
    path.write_bytes(data)


def with_attributes(path: Path) -> None:
    """An EXR with an owner, comments, a latitude and a preview picture; the offsets of its lines move."""
    data = path.read_bytes()
    at, own = 8, {}
    while data[at]:
        name = data[at : data.index(b"\0", at)]
        kind = data.index(b"\0", at + len(name) + 1)
        length = struct.unpack_from("<I", data, kind + 1)[0]
        own[name] = data[kind + 5 : kind + 5 + length]
        at = kind + 5 + length
    top, bottom = struct.unpack_from("<ii", own[b"dataWindow"], 4)[0], struct.unpack("<4i", own[b"dataWindow"])[3]
    lines = {0: 1, 1: 1, 2: 1, 3: 16}[own[b"compression"][0]]
    count = -(-(bottom - top + 1) // lines)
    preview = struct.pack("<II", 2, 4) + _SAID.ljust(32, b"\0")
    values = [(b"owner", b"string", _SAID), (b"comments", b"string", _SAID), (b"preview", b"preview", preview)]
    values.append((b"latitude", b"float", struct.pack("<f", 47.376888)))
    more = b"".join(n + b"\0" + k + b"\0" + struct.pack("<I", len(v)) + v for n, k, v in values)
    offsets = struct.unpack_from(f"<{count}Q", data, at + 1)
    moved = struct.pack(f"<{count}Q", *(offset + len(more) for offset in offsets))
    path.write_bytes(data[:at] + more + b"\0" + moved + data[at + 1 + 8 * count :])


def with_names(path: Path) -> None:
    """A DPX with creator, project and copyright (SMPTE ST 268, table 1), device and its number (table 3)."""
    data = bytearray(path.read_bytes())
    for at in (160, 260, 460, 1556, 1588):
        data[at : at + len(_SAID)] = _SAID
    path.write_bytes(data)


def heic(path: Path) -> Path:
    """A photo as phones write it (ISO/IEC 23008-12): four tiles of 64x64 in a grid."""
    tile = path.with_name("tile.mp4")
    source = ("-f", "lavfi", "-i", "testsrc2=s=64x64:r=25", "-frames:v", "1")
    run(["-y", *source, *CODERS["hevc"], "-pix_fmt", "yuv420p", "-tag:v", "hvc1", str(tile)])
    run(["-y", "-i", str(tile), "-c", "copy", "-f", "hevc", str(bare := path.with_name("tile.265"))])
    data, coded = tile.read_bytes(), [u for u in units(bare.read_bytes()) if (u[0] >> 1 & 63) < 32]
    at = data.index(b"hvcC") - 4
    settings = data[at : at + struct.unpack_from(">I", data, at)[0]]
    sample = b"".join(struct.pack(">I", len(unit)) + unit for unit in coded)
    grid = bytes([0, 0, 1, 1]) + struct.pack(">HH", 128, 128)

    def full(kind: bytes, content: bytes, version: int = 0) -> bytes:
        return box(kind, struct.pack(">I", version << 24) + content)

    kinds = [(n, b"hvc1") for n in range(1, 5)] + [(5, b"grid")]
    entries = b"".join(full(b"infe", struct.pack(">HH4sx", n, 0, kind), 2) for n, kind in kinds)
    sizes = [full(b"ispe", struct.pack(">II", size, size)) for size in (64, 128)]
    owned = b"".join(struct.pack(">HBBB", n, 2, 0x81, 2) for n in range(1, 5)) + struct.pack(">HBB", 5, 1, 3)

    def meta(start: int) -> bytes:
        places = b"".join(struct.pack(">HHHII", n, 0, 1, start, len(sample)) for n in range(1, 5))
        places += struct.pack(">HHHII", 5, 0, 1, start + len(sample), len(grid))
        return full(
            b"meta",
            full(b"hdlr", b"\0\0\0\0pict" + bytes(13))
            + full(b"pitm", struct.pack(">H", 5))
            + full(b"iloc", struct.pack(">HH", 0x4400, 5) + places)
            + full(b"iinf", struct.pack(">H", 5) + entries)
            + full(b"iref", box(b"dimg", struct.pack(">6H", 5, 4, 1, 2, 3, 4)))
            + box(b"iprp", box(b"ipco", settings + b"".join(sizes)) + full(b"ipma", struct.pack(">I", 5) + owned)),
        )

    kind = box(b"ftyp", b"heic\0\0\0\0mif1heic")
    path.write_bytes(kind + meta(len(kind) + len(meta(0)) + 8) + box(b"mdat", sample + grid))
    return path
