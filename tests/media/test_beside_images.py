"""What was laid into an image or a packet beside its picture is found, and nothing where an encoder wrote it."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from vsanon.encode import presets, run
from vsanon.encode.presets import video_args
from vsanon.media.beside_picture import beside_picture
from vsanon.media.streams import codec_name

CANARY = b"+47.3768+008.5416/ a name"
IMAGES = ("png", "tiff", "exr", "exr_float", "dpx")
FRAMES = ("prores_hq", "prores_4444", "dnxhr_hqx", "dnxhr_444", "ffv1", "vp9", "mpeg2_422_mxf")


def encoded(folder: Path, name: str, pix_fmt: str | None, size: str) -> list[tuple[str, bytes, bytes]]:
    """Codec, header and bytes of each of two pictures."""
    preset = presets.load(name)
    images = preset.muxer == "image2"
    out = folder / (f"a%d{preset.suffix}" if images else f"a{preset.suffix}")
    picture = ["-f", "lavfi", "-i", f"testsrc2=s={size}:r=25:d=0.08"]
    run(["-y", *picture, *video_args(preset, pix_fmt or preset.pix_fmts[0]), "-fflags", "+bitexact",
         "-flags:v", "+bitexact", f"file:{out}"])  # fmt: skip
    if images:
        return [(preset.codec, b"", path.read_bytes()) for path in sorted(folder.iterdir())]
    with av.open(str(out)) as container:
        stream = container.streams.video[0]
        header = bytes(stream.codec_context.extradata or b"")
        return [(codec_name(stream), header, bytes(p)) for p in container.demux(stream) if p.size]


EVERY = [(name, pix_fmt) for name in (*IMAGES, *FRAMES) for pix_fmt in presets.load(name).pix_fmts[:4]]


@pytest.mark.parametrize(("name", "pix_fmt"), EVERY)
def test_what_encoders_write_holds_nothing_beside_the_picture(tmp_path: Path, name: str, pix_fmt: str) -> None:
    size = "66x44" if name in IMAGES else "256x120" if "mpeg2" not in name else "1280x720"
    for picture in encoded(tmp_path, name, pix_fmt, size):
        assert beside_picture(*picture) is None


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + zlib.crc32(kind + content).to_bytes(4)


def before(mark: bytes, more: bytes) -> Callable[[bytes], bytes]:
    return lambda file: file.replace(mark, more + mark, 1)


def longer_rows(file: bytes) -> bytes:
    """A PNG whose compressed picture goes on behind its last row."""
    at, packed = 8, b""
    while at < len(file):
        size, kind = struct.unpack_from(">I4s", file, at)
        packed += file[at + 8 : at + 8 + size] if kind == b"IDAT" else b""
        at += 12 + size
    rows = zlib.decompress(packed) + CANARY
    return file[:33] + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def with_tag(file: bytes) -> bytes:
    """A TIFF with one tag more, of a maker, and its value behind the end."""
    (at,) = struct.unpack_from("<I", file, 4)
    (count,) = struct.unpack_from("<H", file, at)
    tags = file[at + 2 : at + 2 + 12 * count]
    place = len(file) + 2 + 12 * (count + 1) + 4
    tag = struct.pack("<HHII", 50341, 7, len(CANARY), place)
    listed = struct.pack("<H", count + 1) + tags + tag + bytes(4) + CANARY
    return file[:4] + struct.pack("<I", len(file)) + file[8:] + listed


def second_directory(file: bytes) -> bytes:
    (at,) = struct.unpack_from("<I", file, 4)
    (count,) = struct.unpack_from("<H", file, at)
    end = at + 2 + 12 * count
    return file[:end] + struct.pack("<I", len(file)) + file[end + 4 :] + file[at:end] + bytes(4)


def with_attribute(name: bytes, kind: bytes) -> Callable[[bytes], bytes]:
    def change(file: bytes) -> bytes:
        more = name + b"\0" + kind + b"\0" + struct.pack("<i", len(CANARY)) + CANARY
        return file[:8] + more + file[8:]

    return change


def put(at: int) -> Callable[[bytes], bytes]:
    return lambda file: file[:at] + CANARY + file[at + len(CANARY) :]


def appended(file: bytes) -> bytes:
    return file + CANARY


def in_prores(packet: bytes) -> bytes:
    """Behind the slices, with all lengths right but the slices'."""
    head = 8 + int.from_bytes(packet[8:10])
    size = int.from_bytes(packet[head + 1 : head + 5]) + len(CANARY)
    whole = packet[:head] + packet[head : head + 1] + size.to_bytes(4) + packet[head + 5 :] + CANARY
    return len(whole).to_bytes(4) + whole[4:]


def in_prores_header(packet: bytes) -> bytes:
    head = int.from_bytes(packet[8:10])
    whole = packet[:8] + (head + len(CANARY)).to_bytes(2) + packet[10 : 8 + head] + CANARY + packet[8 + head :]
    return len(whole).to_bytes(4) + whole[4:]


def in_padding(packet: bytes) -> bytes:
    return packet[: -4 - len(CANARY)] + CANARY + packet[-4:]


def hidden_picture(packet: bytes) -> bytes:
    """A superframe of two that both are shown."""
    sizes = len(packet).to_bytes(4, "little")
    return packet + packet + b"\xd9" + sizes + sizes + b"\xd9"


def beside_superframe(packet: bytes) -> bytes:
    return packet + CANARY + b"\xd8" + len(packet).to_bytes(4, "little") + b"\xd8"


PLANTED = [
    ("png", before(b"\0\0\0\0IEND", chunk(b"tEXt", b"Comment\0" + CANARY)), "33 bytes in a chunk 'tEXt'"),
    ("png", before(b"\0\0\0\0IEND", chunk(b"eXIf", CANARY)), "25 bytes in a chunk 'eXIf'"),
    ("png", before(b"\0\0\0\0IEND", chunk(b"iCCP", CANARY)), "25 bytes in a chunk 'iCCP'"),
    ("png", before(b"\0\0\0\0IEND", chunk(b"fdAT", CANARY)), "25 bytes in a chunk 'fdAT'"),
    ("png", before(b"\0\0\0\0IEND", chunk(b"gAMA", CANARY)), "25 bytes in a chunk 'gAMA'"),
    ("png", before(b"\0\0\0\0IEND", chunk(b"IDAT", CANARY)), "25 bytes behind those of a picture"),
    ("png", longer_rows, "more than the 8756 bytes of a picture"),
    ("png", appended, "25 bytes behind its last chunk"),
    ("tiff", appended, "25 bytes that belong to no part"),
    ("tiff", with_tag, "25 values in a tag 50341"),
    ("tiff", second_directory, "a further directory of tags"),
    ("exr", appended, "25 bytes behind its last part"),
    ("exr", with_attribute(b"preview", b"preview"), "25 bytes in an attribute 'preview'"),
    ("exr", with_attribute(b"capDate", b"string"), "25 bytes in an attribute 'capDate'"),
    ("dpx", appended, "bytes of a picture of"),
    ("dpx", put(36), "25 bytes in its header, at byte 36"),
    ("dpx", put(260), "25 bytes in its header, at byte 36"),
    ("dpx", put(1556), "25 bytes in its header, at byte 820"),
    ("dpx", put(836), "25 bytes in its header, at byte 820"),
    ("prores_hq", appended, "25 bytes behind a picture"),
    ("prores_hq", in_prores, "25 bytes beside the slices of a picture"),
    ("prores_hq", in_prores_header, "173 bytes in the header of a picture"),
    ("dnxhr_hqx", appended, "640 bytes in the header of a picture, or some behind its end"),
    ("dnxhr_hqx", put(0x80), "25 bytes in the header of a picture"),
    ("dnxhr_hqx", put(0x240), "25 bytes in the header of a picture"),
    ("dnxhr_hqx", in_padding, "25 bytes of padding that are not empty"),
    ("ffv1", appended, "bytes that belong to no slice"),
    ("ffv1", lambda packet: CANARY + packet, "bytes that belong to no slice"),
    ("vp9", hidden_picture, "2 pictures, of which 2 are shown"),
    ("vp9", beside_superframe, "25 bytes beside its pictures"),
]


@pytest.mark.parametrize(("name", "plant", "words"), PLANTED)
def test_what_was_laid_beside_a_picture_is_found(
    tmp_path: Path, name: str, plant: Callable[[bytes], bytes], words: str
) -> None:
    codec, header, picture = encoded(tmp_path, name, None, "66x44" if name in IMAGES else "256x120")[1]
    planted = plant(picture)
    assert planted != picture
    assert words in (beside_picture(codec, header, planted) or "")


@pytest.mark.parametrize("name", [*IMAGES, "prores_hq", "dnxhr_hqx", "ffv1"])
def test_a_picture_that_is_cut_short_is_told_in_words(tmp_path: Path, name: str) -> None:
    codec, header, picture = encoded(tmp_path, name, None, "66x44" if name in IMAGES else "256x120")[0]
    for size in (1, 8, 40, len(picture) // 2, len(picture) - 1):
        assert beside_picture(codec, header, picture[:size]) is not None
