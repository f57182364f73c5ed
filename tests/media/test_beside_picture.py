"""What lies in the packets of a picture beside it is found, by the shape of its units."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsanon.media.beside_frames import FRAME_CODECS
from vsanon.media.beside_images import IMAGE_CODECS
from vsanon.media.beside_picture import beside_header, beside_picture

X264 = bytes.fromhex("dc45e9bde6d948b7962cd820d923eeef") + b"x264 - core 165 - H.264/MPEG-4 AVC codec\0"
DEVICE = bytes(range(16)) + b"+47.3768+008.5416/"


def units(*content: bytes) -> bytes:
    """Units of a byte stream."""
    return b"".join(b"\0\0\0\1" + unit for unit in content)


def sized(*content: bytes) -> bytes:
    """Units with their lengths before them, of four bytes."""
    return b"".join(len(unit).to_bytes(4) + unit for unit in content)


def message(kind: int, content: bytes) -> bytes:
    return bytes((kind, len(content))) + content


def sei(*messages: bytes) -> bytes:
    return b"\x06" + b"".join(messages) + b"\x80"


SLICE = b"\x65\x88\x84\x21"
AVCC, HVCC = b"\1\x64\0\x28\xff", b"\1" + bytes(20) + b"\x03"


@pytest.mark.parametrize(
    ("unit", "found"),
    [
        (SLICE, None),
        (sei(message(5, X264)), None),
        (sei(message(6, b"\x84")), None),
        (sei(message(1, b"12"), message(5, X264)), None),
        (sei(message(5, DEVICE)), "34 bytes of user data"),
        (sei(message(5, X264), message(5, DEVICE)), "34 bytes of user data"),
        (sei(message(5, X264[:40] + b"\xff\xd8")), "42 bytes of user data"),
        (sei(message(4, b"GA94")), "4 bytes in a message of type 4"),
        (b"\x06\x06\x20short\x80", "32 bytes in a message of type 6"),
        (b"\x06\x05" + b"\xff" * 9 + b"\x05" + X264[:40] + b"x" * 2260 + b"\x80", "2300 bytes of user data"),
        (
            sei(b"\x06\xff\x09" + b"x" * 264),
            "264 bytes in a message of type 6",
        ),
        (b"\x0c\xff\xff\x80", None),
        (b"\x0c\xff\xd8\xff\x80", "5 bytes of filler that are not empty"),
        (b"\x18" + b"a face", "7 bytes in a unit of type 24"),
        (b"\x14" + b"a face", "7 bytes in a unit of type 20"),
        (b"\x67" + bytes(range(1, 250)), None),
        (b"\x67" + b"a face" * 50, "301 bytes in a unit of type 7"),
        (b"\x68" + b"a face" * 50, "301 bytes in a unit of type 8"),
        (b"\x09a face", "7 bytes in a unit of type 9"),
    ],
)
@pytest.mark.parametrize("form", ["sizes", "start codes"])
def test_units_of_h264(unit: bytes, found: str | None, form: str) -> None:
    joined = sized(SLICE, unit) if form == "sizes" else units(SLICE, unit)
    assert beside_picture("h264", AVCC if form == "sizes" else b"", joined) == found


@pytest.mark.parametrize(
    ("unit", "found"),
    [
        (b"\x26\x01\xaf", None),
        (b"\x26\x09\xaf", "3 bytes in a unit of type 19, layer 1"),
        (b"\x4e\x01" + message(5, DEVICE) + b"\x80", "34 bytes of user data"),
        (b"\x4e\x01" + message(137, bytes(24)) + b"\x80", None),
        (b"\x4e\x01" + message(147, b"\x12") + b"\x80", None),
        (b"\x60\x01" + b"a face", "8 bytes in a unit of type 48"),
        (b"\x42\x01" + b"a face" * 50, "302 bytes in a unit of type 33"),
        (b"\x46\x01" + b"a face", "8 bytes in a unit of type 35"),
    ],
)
def test_units_of_h265(unit: bytes, found: str | None) -> None:
    assert beside_picture("hevc", HVCC, sized(b"\x26\x01\xaf", unit)) == found


@pytest.mark.parametrize(
    ("codec", "packet", "found"),
    [
        ("mpeg2video", b"\0\0\1\xb3head\0\0\1\0pic", None),
        ("mpeg2video", b"\0\0\1\xb3head\0\0\1\xb2a face\0\0\1\0pic", "6 bytes of user data"),
        ("mpeg2video", b"\0\0\1\xb3head\0\0\1\xb5\x40copyright\0\0\1\0pic", "11 bytes in a unit of type 0xb5"),
        ("mpeg2video", b"\0\0\1\xb3head\0\0\1\xb6a face\0\0\1\0pic", "7 bytes in a unit of type 0xb6"),
        ("mpeg2video", b"\0\0\1\xb3head\0\0\1\0pic\0\0\1\xb7a face", "7 bytes in a unit of type 0xb7"),
        ("av1", b"\x12\0\x32\x04tile", None),
        ("av1", b"\x12\x04face\x32\x04tile", "4 bytes in a unit of type 2"),
        ("av1", b"\x0a\x48" + b"a face" * 12, "72 bytes in a unit of type 1"),
        ("av1", b"\x12\0\x2a\x05\x01hdr!", None),
        ("av1", b"\x12\0\x2a\x05\x04face", "5 bytes in a unit of type 5"),
        ("av1", b"\x12\0\x2a\xac\x02\x01" + b"hdr" * 100, "300 bytes in a unit of type 5"),
        ("av1", b"\x12\0\x7a\x04face", "4 bytes in a unit of type 15"),
        ("mjpeg", b"anything", None),
    ],
)
def test_pictures_of_other_codecs(codec: str, packet: bytes, found: str | None) -> None:
    assert beside_picture(codec, b"", packet) == found


SPS, PPS = b"\x67\x64\0\x0c\xac", b"\x68\xeb\xe3"
AVC = b"\1\x64\0\x0c\xff\xe1" + b"\0\5" + SPS + b"\1\0\3" + PPS
HEVC_SET = b"\x42\x01\x01"
HVC = b"\1" + bytes(20) + b"\x0f\1" + b"\x21\0\1\0\3" + HEVC_SET


@pytest.mark.parametrize(
    ("codec", "header", "found"),
    [
        ("h264", AVC, None),
        ("h264", AVC + b"\xfd\xf8\xf8\0", None),
        ("h264", AVC + DEVICE, "34 bytes behind the sets of parameters"),
        ("h264", AVC[:-1], "-1 bytes behind the sets of parameters"),
        ("h264", AVC[:5], "-2 bytes behind the sets of parameters"),
        ("h264", AVC[:8] + b"\x09\x10\x10\x10" + AVC[12:], "5 bytes in a unit of type 9"),
        ("h264", units(SPS, PPS), None),
        ("h264", units(SPS, b"\x0da face"), "7 bytes in a unit of type 13"),
        ("hevc", HVC, None),
        ("hevc", HVC + b"a face", "6 bytes behind the sets of parameters"),
        ("hevc", HVC[:22] + b"\2" + HVC[23:] + b"\x27\0\1\0\x27\x4e\1" + message(5, DEVICE) + b"\x80",
         "34 bytes of user data"),
        ("av1", b"\x81\0\x0c\0\x0a\x04size", None),
        ("av1", b"\x81\0\x0c\0\x0a\x04size\x7a\x06a face", "6 bytes in a unit of type 15"),
        ("ffv1", b"anything", None),
        ("h264", b"", None),
    ],
)  # fmt: skip
def test_headers_of_streams(codec: str, header: bytes, found: str | None) -> None:
    assert beside_header(codec, header) == found


BEGINNINGS = (b"", b"\0\0\1\xb5", b"\0\0\1\xb3", b"\0\0\0\1\x67", b"\0\0\0\1\x06", b"\0\0\0\1\x4e\1", AVCC, HVCC,
              b"\x0a\x0b", b"\x81\5\0\0\x0a", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"II*\0\x08\0\0\0",
              b"v/1\x01\x02\0\0\0", b"SDPX\0\0\x06\x80")  # fmt: skip


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(BEGINNINGS), st.binary(max_size=60))
def test_whatever_a_strangers_packet_holds_is_told_in_words(begins: bytes, rest: bytes) -> None:
    for codec in ("h264", "hevc", "av1", "mpeg2video", *FRAME_CODECS, *IMAGE_CODECS):
        for said in (
            beside_picture(codec, b"", begins + rest),
            beside_picture(codec, begins + rest, rest),
            beside_header(codec, begins + rest),
        ):
            assert said is None or said


def test_an_extension_of_mpeg_2_that_is_cut_short_is_told() -> None:
    assert beside_picture("mpeg2video", b"", b"\0\0\1\xb5\0") == "1 bytes in a unit of type 0xb5"
