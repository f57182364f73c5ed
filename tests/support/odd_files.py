"""Files with what cameras, recorders and editors put beside a picture, and an own look at atoms."""

import struct
from collections.abc import Iterator
from pathlib import Path

from vsanon.encode import run

SAME = ("-fflags", "+bitexact")
"""Without numbers at random in Matroska's header, in which an identifier may be found."""
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
DRONE = "F/2.8, SS 320, ISO 100, EV 0, GPS (8.541694, 47.376888, 18), D 12.3m, H 10.0m"


def picture(size: str = "192x128", rate: str = "25", seconds: float = 0.4) -> tuple[str, ...]:
    """Input arguments: ffmpeg's test picture."""
    return ("-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}:d={seconds}")


def tone(seconds: float = 0.4, rate: int = 48000) -> tuple[str, ...]:
    """Input arguments: a tone."""
    return ("-f", "lavfi", "-i", f"sine=r={rate}:d={seconds}")


def made(path: Path, *arguments: str) -> Path:
    """A file that ffmpeg makes of these arguments."""
    run(["-y", *arguments, f"file:{path}"])
    return path


def subtitled(path: Path, cues: list[str], codec: str, *more: str) -> Path:
    """A picture with these texts as subtitles, a tenth of a second each."""
    texts = path.with_name(path.name + ".srt")
    texts.write_text(
        "".join(f"{n}\n00:00:{n:02d},000 --> 00:00:{n:02d},100\n{cue}\n\n" for n, cue in enumerate(cues))
    )
    made(path, *picture(), "-i", str(texts), "-map", "0:v", "-map", "1:s", *H264, "-c:s", codec, *more)
    texts.unlink()
    return path


def cropped_mkv(path: Path, right: int, bottom: int, *arguments: str) -> Path:
    """A Matroska file that hides edges of its picture: its sizes for display become PixelCropRight and -Bottom."""
    plain = made(path.with_name("plain.mkv"), *picture(), "-vf", "setsar=4/3", *(arguments or H264), *SAME)
    data = bytearray(plain.read_bytes())
    width, height = data.find(b"\x54\xb0"), data.find(b"\x54\xba")
    for at, name, value in ((width, b"\x54\xdd", right), (height, b"\x54\xaa", bottom)):
        size = data[at + 2] & 0x7F
        data[at : at + 2], data[at + 3 : at + 3 + size] = name, value.to_bytes(size, "big")
    check = data.find(b"\xbf\x84")
    while -1 < check < height:  # the checksum becomes void
        data[check] = 0xEC
        check = data.find(b"\xbf\x84", check + 1)
    path.write_bytes(data)
    plain.unlink()
    return path


def with_vorbis_comment(path: Path, comment: str) -> Path:
    """A Matroska file with a comment in the header of its Vorbis sound, in the place of those that it has."""
    made(path, *picture(), *tone(), *H264, "-c:a", "libvorbis", "-write_crc32", "0")
    data = bytearray(path.read_bytes())
    at = data.find(b"\x03vorbis") + 7
    stop = data.find(b"\x05vorbis", at) - 1  # the framing bit, after which the codebooks follow
    text = comment.encode().ljust(stop - at - 12)
    data[at:stop] = struct.pack("<III", 0, 1, len(text)) + text
    path.write_bytes(data)
    return path


def with_data_beside_sound(path: Path, data: bytes, first: int = 0) -> Path:
    """A Matroska file with BlockAdditions beside its packets of sound, from number `first` on (RFC 9559, 5.1.3)."""
    sound = ("-c:a", "pcm_s16le", "-metadata:s:a", "language=ger", "-write_crc32", "0")
    made(path, *picture(), *tone(), *H264, *sound, "-f", "matroska", "-live", "1")  # sizes of clusters stay open
    old, out, at, n = path.read_bytes(), bytearray(), 0, 0
    # The language becomes MaxBlockAdditionID 1, and three bytes of nothing.
    old = old.replace(b"\x22\xb5\x9c\x83ger", b"\x55\xee\x81\1\xec\x81\0")
    while at < len(old):
        kind, body = _ebml(old, at)
        _, start = _ebml(old, body)
        if old[at:body] in (b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"):  # segment and cluster
            out += old[at:body] + b"\1" + b"\xff" * 7
            at = start
            continue
        size = int.from_bytes(old[body:start]) & ((1 << 7 * (start - body)) - 1)
        content, at_next = old[start : start + size], start + size
        if kind == 0xA3 and content[0] == 0x82:  # a simple block of track 2 becomes a group
            more = _element(b"\xa6", _element(b"\xee", b"\1") + _element(b"\xa5", data)) if n >= first else b""
            out += _element(b"\xa0", _element(b"\xa1", content) + _element(b"\x75\xa1", more) * bool(more))
            n += 1
        else:
            out += old[at:at_next]
        at = at_next
    path.write_bytes(out)
    return path


def _ebml(data: bytes, at: int) -> tuple[int, int]:
    """A number of variable length with its mark, and where it stops."""
    stop = at + 9 - data[at].bit_length()
    return int.from_bytes(data[at:stop]), stop


def _element(kind: bytes, content: bytes) -> bytes:
    return kind + (1 << 56 | len(content)).to_bytes(8) + content


def with_timecode_edit(path: Path, source: Path, skipped: int) -> Path:
    """A copy of a QuickTime file whose timecode track begins so many of its ticks later, as a trimmed one does."""
    data = bytearray(source.read_bytes())
    ((track, stop),) = [(start, stop) for _, start, stop in atoms(data, b"trak") if b"mhlrtmcd" in data[start:stop]]
    (edits,) = [start for _, start, _ in atoms(data, b"elst") if track < start < stop]
    struct.pack_into(">i", data, edits + 12, skipped)
    path.write_bytes(data)
    return path


def with_edits(path: Path, *parts: tuple[float, float], speed: int = 1) -> Path:
    """A QuickTime file of which these parts are played, one after the other: how long, from where on, seconds."""
    data = bytearray(path.read_bytes())
    ((_, movie, _),) = atoms(data, b"moov")
    (scale,) = struct.unpack_from(">I", data, movie + 8 + 12)
    for _, track, stop in reversed(list(atoms(data, b"trak"))):
        (own,) = [struct.unpack_from(">I", data, at + 12)[0] for _, at, _ in atoms(data, b"mdhd", track, stop)]
        ((_, edits, end),) = atoms(data, b"edts", track, stop)
        primed = max(struct.unpack_from(">i", data, edits + 8 + 12)[0], 0)
        rows = [
            struct.pack(">IiI", round(length * scale), primed + round(begins * own), speed << 16)
            for length, begins in parts
        ]
        content = struct.pack(">II", 0, len(rows)) + b"".join(rows)
        new = struct.pack(">I4s", 8 + len(content), b"elst") + content
        more = len(new) - (end - edits)
        data[edits - 8 : end] = struct.pack(">I4s", 8 + len(new), b"edts") + new
        for at in (track - 8, movie - 8):
            struct.pack_into(">I", data, at, struct.unpack_from(">I", data, at)[0] + more)
    path.write_bytes(data)
    return path


def atoms(
    data: bytes | bytearray, wanted: bytes, start: int = 0, stop: int | None = None
) -> Iterator[tuple[bytes, int, int]]:
    """(kind, start of the content, stop) of all atoms of a kind, wherever they lie, read by hand."""
    stop = len(data) if stop is None else stop
    while start + 8 <= stop:
        length, kind = struct.unpack_from(">I4s", data, start)
        length = length or stop - start
        if length < 8:
            return
        if kind == wanted:
            yield kind, start + 8, start + length
        if kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"tref"):
            yield from atoms(data, wanted, start + 8, start + length)
        start += length
