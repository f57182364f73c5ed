"""What lies beside the samples of coded pictures is told wherever it begins."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.support.odd_files import H264, made, picture
from tests.support.odd_streams import CANARY, add_box, caption, dolby_vision, hdr10_plus, sei, with_units
from vsanon.errors import InputError
from vsanon.media import probe
from vsanon.media.intact import require_intact
from vsanon.media.side_data import require_own_colors
from vsanon.media.source import open_source

ENTRY = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"hvc1")
RPU = bytes([62 << 1, 1, 0x19]) + CANARY.encode()


@pytest.mark.parametrize("suffix", [".mp4", ".ts"])
def test_captions_that_begin_after_the_first_frame_are_told(tmp_path: Path, suffix: str) -> None:
    source = with_units(tmp_path / f"in{suffix}", "h264", lambda n: caption("h264", "An") if n > 2 else b"")
    opened = open_source(source)
    assert opened.video.uncarried == ()
    assert require_intact(opened) == ("closed captions inside the video",)


def joined(folder: Path, *kinds: tuple[str, ...]) -> Path:
    """A bare stream of 20 frames of each kind, one after the other."""
    parts = [
        made(folder / f"{n}.h264", *picture(seconds=0.8), *H264, "-tune", "zerolatency", *kind)
        for n, kind in enumerate(kinds)
    ]
    whole = folder / "in.h264"
    whole.write_bytes(b"".join(part.read_bytes() for part in parts))
    return whole


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (("-flags", "+ildct+ilme", "-x264-params", "tff=1"), ("fields: frames later on are interlaced",)),
        (("-colorspace", "bt709"), ("colour tags that change",)),
        (("-color_range", "pc"), ("colour tags that change",)),
        ((), ()),
    ],
)
def test_what_changes_on_the_way_and_is_taken_as_it_begins_is_told(
    tmp_path: Path, second: tuple[str, ...], told: tuple[str, ...]
) -> None:
    opened = open_source(joined(tmp_path, (), second))
    assert (opened.clip.num_frames, opened.field_order) == (40, "progressive")
    found = require_intact(opened)
    assert len(found) == len(told)
    assert all(words.startswith(begins) for words, begins in zip(found, told, strict=True))


def test_a_stream_that_turns_on_the_way_is_refused_and_not_called_damaged(tmp_path: Path) -> None:
    turn = ("-bsf:v", "h264_metadata=display_orientation=insert:rotate=90")
    with pytest.raises(InputError, match="frame 20 is shown turned otherwise") as error:
        require_intact(open_source(joined(tmp_path, (), turn)))
    assert "damaged" not in str(error.value)


def test_fields_that_are_kept_are_not_told(tmp_path: Path) -> None:
    fields = ("-flags", "+ildct+ilme", "-x264-params", "tff=1")
    opened = open_source(joined(tmp_path, fields, ()))
    assert opened.field_order in ("tt", "bb")
    assert require_intact(opened) == ()


def test_what_a_device_writes_into_a_later_frame_is_told(tmp_path: Path) -> None:
    words = sei("h264", 5, b"a device's number" + CANARY.encode())
    source = with_units(tmp_path / "in.mp4", "h264", lambda n: words if n == 3 else b"", sound=False)
    (told,) = require_intact(open_source(source))
    assert told.startswith("data of a device inside the video")


def test_dynamic_metadata_of_hdr10_plus_and_dolby_vision_are_told(tmp_path: Path) -> None:
    plus = with_units(tmp_path / "plus.mp4", "hevc", lambda _: hdr10_plus(), sound=False)
    assert require_intact(open_source(plus)) == ("HDR10+ dynamic metadata",)
    dolby = with_units(tmp_path / "dolby.mp4", "hevc", lambda _: RPU, after=True, sound=False)
    video = probe(add_box(dolby, dolby_vision(8, 1), *ENTRY)).video
    assert video is not None
    assert video.uncarried == ("Dolby Vision metadata",)


def test_dolby_vision_whose_picture_is_none_by_itself_is_refused(tmp_path: Path) -> None:
    source = with_units(tmp_path / "in.mp4", "hevc", lambda _: RPU, after=True, sound=False)
    add_box(source, dolby_vision(5, 0), *ENTRY)
    with pytest.raises(InputError, match="Dolby Vision of profile 5"):
        probe(source)


@pytest.mark.parametrize(
    ("profile", "full_range", "refused"), [("0000", "1", True), ("0000", "0", False), ("0001", "0", False)]
)
def test_dolby_vision_of_profile_5_in_a_bare_stream_is_refused_by_its_metadata(
    profile: str, full_range: str, refused: bool
) -> None:
    # Prefix, type 2, format 18, profile, level, said of the sequence, no resampling, fixed point, 23 as 24 in
    # Exp-Golomb, index 1, range.
    bits = f"{25:08b}{2:06b}{18:011b}{profile}00001000{'0000' + '11000'}01{full_range}"
    metadata = int(bits.ljust(160, "0"), 2).to_bytes(20)
    with pytest.raises(InputError, match="profile 5") if refused else nullcontext():
        require_own_colors("a.hevc", {"DOVI_RPU_BUFFER": metadata})
