"""What a decoder passes over in a coded picture is left out, and that is said."""

import re
from pathlib import Path

import pytest

from tests.support.footage import blob
from vsanon.encode import run
from vsanon.media import probe
from vsanon.media.layers import FURTHER, has_further_layers

CODERS = {
    "264": ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "0"),
    "265": ("-c:v", "libx265", "-x265-params", "log-level=none:bframes=0"),
}


def second_view(unit: bytes, codec: str) -> bytes:
    """A slice once more, as one of another view; nothing of other units."""
    if codec == "264":
        return bytes([unit[0] & 0xE0 | 20, 0xC0, 0, 1]) + unit[1:] if unit[0] & 31 in (1, 5) else b""
    return bytes([unit[0] & 0xFE, unit[1] & 7 | 1 << 3]) + unit[2:] if unit[0] >> 1 & 63 < 32 else b""


def with_second_view(stream: bytes, codec: str) -> bytes:
    """A byte stream with a second view of each picture."""
    units = re.split(rb"\x00*\x00\x00\x01", stream)[1:]
    more = [(unit, second_view(unit, codec)) for unit in units]
    return b"".join(b"\0\0\0\1" + unit for pair in more for unit in pair if unit)


@pytest.mark.parametrize("codec", CODERS)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_a_second_view_in_the_stream_is_told_whatever_its_container(
    tmp_path: Path, codec: str, suffix: str
) -> None:
    plain = blob(tmp_path / f"plain.{codec}", *CODERS[codec], sound=False)
    bare = tmp_path / f"views.{codec}"
    bare.write_bytes(with_second_view(plain.read_bytes(), codec))
    for made, told in ((bare, (FURTHER,)), (plain, ())):
        file = tmp_path / f"{made.stem}{suffix}"
        kind = {"264": "h264", "265": "hevc"}[codec]
        run(["-y", "-r", "25", "-f", kind, "-i", str(made), "-c", "copy", str(file)])
        video = probe(file).video
        assert video is not None
        assert video.uncarried == told


def test_units_of_dolby_vision_are_no_views_and_other_codecs_have_none() -> None:
    dolby = b"\0\0\0\1" + bytes([62 << 1, 1 << 3 | 1]) + b"\5" * 9
    assert not has_further_layers("hevc", b"", [dolby])
    assert has_further_layers("hevc", b"", [dolby.replace(bytes([62 << 1]), bytes([1 << 1]))])
    assert not has_further_layers("mpeg2video", b"", [dolby.replace(bytes([62 << 1]), bytes([1 << 1]))])


def test_what_a_device_writes_into_the_stream_is_told_and_not_what_an_encoder_writes_of_itself(
    tmp_path: Path,
) -> None:
    source = blob(tmp_path / "in.mp4", *CODERS["264"])
    told = tmp_path / "told.mp4"
    words = "h264_metadata=sei_user_data=086f3693b7b34f2c965321492feee5b8+47.376888N"
    run(["-y", "-i", str(source), "-c", "copy", "-bsf:v", words, str(told)])
    for file, count in ((source, 0), (told, 1)):
        video = probe(file).video
        assert video is not None
        assert len(video.uncarried) == count
