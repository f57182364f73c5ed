"""Files with units in their streams, and boxes in their containers, that ffmpeg does not write."""

import re
import struct
from collections.abc import Callable
from pathlib import Path

import av

from tests.support.odd_files import H264, made, picture, tone

CANARY = "Kanarie 47.376888"
"""Looked for in all that a job writes."""

_HEAD = {b"meta": 12, b"stsd": 16, b"avc1": 86, b"hvc1": 86}
"""Bytes before the boxes in a box."""

CODERS = {
    "h264": ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-pix_fmt", "yuv420p"),
    "hevc": ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:bframes=0"),
}


def filmed(path: Path, *arguments: str) -> Path:
    """A picture and a tone."""
    return made(path, *picture(seconds=0.2), *tone(0.2), *H264, "-c:a", "aac", *arguments)


def box(kind: bytes, content: bytes) -> bytes:
    """A box of ISO/IEC 14496-12."""
    return struct.pack(">I4s", 8 + len(content), kind) + content


def add_box(path: Path, new: bytes, *where: bytes) -> Path:
    """Put boxes at the end of the first box down a path of kinds, of the file without one; its index comes last."""
    data = bytearray(path.read_bytes())
    at, stop, lengths = 0, len(data), []
    for kind in where:
        while data[at + 4 : at + 8] != kind:
            at += int(struct.unpack_from(">I", data, at)[0])
            assert at < stop, f"no {kind!r} in it"
        lengths.append(at)
        stop = at + struct.unpack_from(">I", data, at)[0]
        at += _HEAD.get(kind, 8)
    for length in lengths:
        struct.pack_into(">I", data, length, struct.unpack_from(">I", data, length)[0] + len(new))
    data[stop:stop] = new
    path.write_bytes(data)
    return path


def units(stream: bytes) -> list[bytes]:
    """The NAL units of a byte stream (ITU-T H.264 and H.265, annex B)."""
    return re.split(rb"\x00*\x00\x00\x01", stream)[1:]


def with_units(
    path: Path, codec: str, more: Callable[[int], bytes], *arguments: str, after: bool = False, sound: bool = True
) -> Path:
    """A file whose coded pictures have these units before or after them, told their number; empty for none."""
    bare = made(path.with_name("bare." + codec), *picture(seconds=0.2), *CODERS[codec], *arguments, "-f", codec)
    stream, n = b"", 0
    for unit in units(bare.read_bytes()):
        parts = [unit]
        if (unit[0] & 31) in (1, 5) if codec == "h264" else (unit[0] >> 1 & 63) < 32:
            parts.insert(len(parts) if after else 0, more(n))
            n += 1
        stream += b"".join(b"\0\0\0\1" + part for part in parts if part)
    bare.write_bytes(stream)
    heard = (*tone(0.2), "-c:a", "aac") if sound else ()
    tag = ("-tag:v", "hvc1") if codec == "hevc" and path.suffix in (".mp4", ".mov") else ()
    made(path, "-r", "25", "-f", codec, "-i", str(bare), *heard, "-c:v", "copy", *tag)
    bare.unlink()
    return path


def sei(codec: str, kind: int, payload: bytes) -> bytes:
    """A message of supplemental enhancement information (ITU-T H.264, 7.3.2.3; H.265, 7.3.2.4)."""
    head = b"\6" if codec == "h264" else bytes([39 << 1, 1])
    many, rest = divmod(len(payload), 255)
    said = bytes([kind]) + b"\xff" * many + bytes([rest]) + payload + b"\x80"
    return head + re.sub(rb"\0\0(?=[\0-\3])", b"\0\0\3", said)


def caption(codec: str, letters: str) -> bytes:
    """Two letters of a closed caption (ANSI/CTA-708, 4.4: cc_data in ATSC's user data), with odd parity."""
    said = bytes(ord(c) | (bin(ord(c)).count("1") % 2 == 0) << 7 for c in letters)
    return sei(codec, 4, b"\xb5\0\x31GA94\3\x42\xff\xfc" + said + b"\xfc\x80\x80\xff")


def dolby_vision(profile: int, compatible: int) -> bytes:
    """The box by which a sample entry says Dolby Vision: version 1.0, level 6, a base layer with metadata."""
    record = bytes([1, 0]) + (profile << 9 | 6 << 3 | 0b101).to_bytes(2, "big") + bytes([compatible << 4])
    return box(b"dvcC" if profile < 8 else b"dvvC", record.ljust(24, b"\0"))


def hdr10_plus() -> bytes:
    """Dynamic metadata of a picture (SMPTE ST 2094-40), one window and no tone curve."""
    fields = [(1, 8), (1, 2), (4000, 27), (0, 1), (1000, 17), (2000, 17), (3000, 17), (500, 17), (1, 4)]
    fields += [(50, 7), (4000, 17), (10, 10), (0, 1), (0, 1), (0, 1)]
    bits = "".join(f"{value:0{length}b}" for value, length in fields)
    bits += "0" * (-len(bits) % 8)
    return sei("hevc", 4, b"\xb5\0\x3c\0\1\4" + int(bits, 2).to_bytes(len(bits) // 8, "big"))


def with_tagged_sound(path: Path, at: int = 0) -> Path:
    """A picture with MP3 of which packet `at` of 25 begins with an ID3 tag, as a file of music does."""
    film = made(path.with_name("film.mkv"), *picture(seconds=0.2), *H264)
    song = made(path.with_name("song.mp3"), *tone(0.6), "-write_xing", "0", "-id3v2_version", "0")
    said = CANARY.encode()
    tag = b"ID3\4\0\0\0\0\0" + bytes([len(said) + 10]) + b"TXXX\0\0\0" + bytes([len(said)]) + b"\0\0" + said
    with av.open(str(film)) as video, av.open(str(song)) as audio, av.open(str(path), "w") as file:
        pairs = [(each, file.add_stream_from_template(each.streams[0])) for each in (video, audio)]
        for n, (each, stream) in enumerate(pairs):
            number = 0
            for own in each.demux(each.streams[0]):
                if not own.size:
                    continue
                packet = av.Packet(tag + bytes(own) if (n, number) == (1, at) else bytes(own))
                packet.pts, packet.dts, packet.time_base = own.pts, own.dts, own.time_base
                packet.duration, packet.is_keyframe, packet.stream = own.duration, own.is_keyframe, stream
                file.mux(packet)
                number += 1
    film.unlink()
    song.unlink()
    return path


XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + b"<x:xmpmeta>"
C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481") + bytes(4) + b"manifest"
"""What a box of type uuid holds (XMP part 3, 1.2.7; C2PA 2.1, A.5)."""

CLUSTER = bytes.fromhex("1f43b675")
"""How the pictures of a Matroska file begin."""


def element(kind: str, content: bytes) -> bytes:
    """An element of Matroska."""
    return bytes.fromhex(kind) + (1 << 56 | len(content)).to_bytes(8, "big") + content


def chapters(*more: bytes) -> bytes:
    """Two chapters of 0.1 s, the second of which comes first, and what else stands in their edition."""
    own = ((1, 100), (2, 0))
    atoms = [
        element("b6", element("73c4", bytes([n])) + element("91", (start * 10**6).to_bytes(4, "big")))
        for n, start in own
    ]
    return element("1043a770", element("45b9", b"".join((*more, *atoms))))


def chaptered(path: Path, more: bytes) -> Path:
    """A Matroska file with more elements before its pictures, whose size stays open."""
    made(path, *picture(seconds=0.2), *H264, "-write_crc32", "0", "-f", "matroska", "-live", "1")
    data = path.read_bytes()
    at = data.index(CLUSTER)
    path.write_bytes(data[:at] + more + data[at:])
    return path
