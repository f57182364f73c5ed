"""Tracks are only painted on the picture that they were made from; whoever means another one says so."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import vapoursynth as vs
from numpy.typing import NDArray

import vsanon
from tests.support.clips import Box, covered, data, drawn, same
from tests.support.loops import first_quick
from vsanon.filters import props
from vsanon.filters.same_picture import miniatures_of, worse
from vsanon.tracking.same_picture import Verdict
from vsanon.tracks.file import TrackWriter

SIZE, LENGTH = (320, 180), 12
RGB = {"format": vs.RGB24}


def box(n: int) -> Box:
    return (60 + 8 * n, 50, 100 + 8 * n, 98)


def draw(n: int, p: int, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """A still texture, and an object of 40x48 px with a texture of its own that moves by 8 px a frame."""
    if p:
        return np.full(shape, 128, np.uint8)
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    plane = 90 + 30 * np.sin(x / 23) * np.cos(y / 17) + 25 * np.sin((x + 2 * y) / 31)
    x0, y0, x1, y1 = (int(v) for v in box(n))
    plane[y0:y1, x0:x1] = 180 + 40 * np.sin((y[y0:y1, x0:x1] - y0) / 6) * np.cos((x[y0:y1, x0:x1] - x0) / 8)
    return np.asarray(plane, np.uint8)


@pytest.fixture(scope="module")
def clip() -> vs.VideoNode:
    return drawn(draw, size=SIZE, length=LENGTH)


@pytest.fixture(scope="module")
def tracks(clip: vs.VideoNode) -> vs.VideoNode:
    return data(clip, lambda n: covered([box(n)]))


def picture(frame: vs.VideoFrame) -> str:
    return props.text(frame.props[props.PICTURE])


def curve(gamma: float) -> Callable[[vs.VideoNode], vs.VideoNode]:
    table = [round(255 * (v / 255) ** gamma) for v in range(256)]
    return lambda clip: clip.std.Lut(planes=[0], lut=table)


MOVED: dict[str, Callable[[vs.VideoNode], vs.VideoNode]] = {
    "flipped": lambda c: c.std.FlipHorizontal(),
    "turned": lambda c: c.std.Turn180(),
    "panned by 24 px": lambda c: c.std.Crop(left=24).std.AddBorders(right=24),
    "zoomed": lambda c: c.resize.Bicubic(*SIZE, src_left=32, src_top=18, src_width=256, src_height=144),
    "three frames late": lambda c: c[3:] + c[-1] * 3,
    "reversed": lambda c: c.std.Reverse(),
    "spliced in another order": lambda c: c[6:] + c[:6],
    "another clip": lambda c: drawn(lambda n, p, s: draw(n, p, s)[::-1].T.reshape(s), size=SIZE, length=LENGTH),
}


@pytest.mark.parametrize("name", MOVED)
@pytest.mark.parametrize("filter_", [vsanon.blur, vsanon.mask])
def test_a_picture_that_moved_from_under_its_boxes_stops_at_its_first_frame(
    clip: vs.VideoNode, tracks: vs.VideoNode, filter_: Any, name: str
) -> None:
    out = filter_(MOVED[name](clip), tracks)
    with pytest.raises(vs.Error, match=rf"{filter_.__name__}: frame 0: the picture is not the one that was"):
        out.get_frame(0)


def test_the_frames_of_a_splice_that_are_in_their_place_are_let_through(
    clip: vs.VideoNode, tracks: vs.VideoNode
) -> None:
    out = vsanon.blur(clip[:8] + clip[2:6], tracks)
    assert [picture(out.get_frame(n)) for n in range(8)] == ["same"] * 8
    for n in range(8, 12):
        with pytest.raises(vs.Error, match=f"blur: frame {n}: the picture is not"):
            out.get_frame(n)


def test_a_data_clip_that_takes_part_in_every_cut_goes_on_fitting(clip: vs.VideoNode, tracks: vs.VideoNode) -> None:
    def edited(c: vs.VideoNode) -> vs.VideoNode:
        return (c[5:] + c[:3]).std.Reverse()

    assert [picture(f) for f in vsanon.blur(edited(clip), edited(tracks)).frames()] == ["same"] * 10


@pytest.mark.parametrize(
    "change",
    first_quick(
        [
            curve(0.7),
            curve(1.5),
            lambda c: c.std.BoxBlur(planes=[0], hradius=1, vradius=1),
            lambda c: c.resize.Bilinear(160, 90).resize.Bicubic(*SIZE),
            lambda c: c.resize.Bicubic(format=vs.YUV444P16),
            lambda c: c.resize.Bicubic(format=vs.RGBS, matrix_in=1),
        ]
    ),
)
def test_a_graded_cleaned_or_converted_picture_is_covered_and_said_to_be_changed(
    clip: vs.VideoNode, tracks: vs.VideoNode, change: Callable[[vs.VideoNode], vs.VideoNode]
) -> None:
    for filter_ in (vsanon.blur, vsanon.mask):
        assert {picture(f) for f in filter_(change(clip), tracks).frames()} <= {"changed", "same"}
    assert picture(vsanon.blur(curve(0.7)(clip), tracks).get_frame(3)) == "changed"


def test_whoever_means_another_picture_says_so_and_it_is_marked(clip: vs.VideoNode, tracks: vs.VideoNode) -> None:
    flipped = clip.std.FlipHorizontal()
    out = vsanon.blur(flipped, tracks, same_picture=False)
    assert [picture(f) for f in out.frames()] == ["unchecked"] * LENGTH
    assert picture(vsanon.mask(flipped, tracks, same_picture=False).get_frame(0)) == "unchecked"
    # What is painted is the same.
    checked = vsanon.blur(clip, tracks).get_frame(4)
    assert same(vsanon.blur(clip, tracks, same_picture=False).get_frame(4), checked)


def test_a_clip_may_be_covered_twice(clip: vs.VideoNode, tracks: vs.VideoNode) -> None:
    other = data(clip, lambda n: covered([(220, 120, 260, 160)], ["plate"]))
    for profile in ("strict", "soft"):
        twice = vsanon.blur(vsanon.blur(clip, tracks), other, profile=profile)
        assert {picture(f) for f in twice.frames()} == {"changed"}
    with pytest.raises(vs.Error, match="frame 0: the picture is not"):
        vsanon.blur(vsanon.blur(MOVED["another clip"](clip), tracks, same_picture=False), other).get_frame(0)


def test_an_overlay_shows_that_the_picture_is_another(clip: vs.VideoNode, tracks: vs.VideoNode) -> None:
    flipped = clip.std.FlipVertical()
    shown, plain = vsanon.overlay(flipped, tracks).get_frame(0), flipped.get_frame(0)
    # The words stand at the top, away from the box.
    assert (np.asarray(shown[0])[:36] != np.asarray(plain[0])[:36]).any()
    fits = vsanon.overlay(clip, tracks).get_frame(0)
    assert np.array_equal(np.asarray(fits[0])[:24], np.asarray(clip.get_frame(0)[0])[:24])


def test_boxes_that_were_altered_on_the_way_are_refused(clip: vs.VideoNode, tracks: vs.VideoNode) -> None:
    altered = [
        {"VsanonCount": 0},
        {"VsanonBoxes": [0.0, 0.0, 8.0, 8.0]},
        {"VsanonScores": 0.5},
        {"VsanonClasses": "tree"},
        {"VsanonOrigins": 1},
        {"VsanonCells": bytes(75)},
    ]
    for change in altered:
        for filter_ in (vsanon.blur, vsanon.mask, vsanon.overlay):
            with pytest.raises(
                vs.Error, match=f"{filter_.__name__}: frame 0: the properties of boxes were altered"
            ):
                filter_(clip, tracks.std.SetFrameProps(**change)).get_frame(0)
    with pytest.raises(vs.Error, match="frame 0: the properties of boxes were altered"):
        vsanon.blur(clip, tracks.std.RemoveFrameProps("VsanonSeal")).get_frame(0)


def test_boxes_written_again_are_those_of_whoever_wrote_them(clip: vs.VideoNode, tracks: vs.VideoNode) -> None:
    def none(n: int, f: vs.VideoFrame) -> vs.VideoFrame:
        out = f.copy()
        props.write(out.props, covered([]), SIZE)
        return out

    out = vsanon.blur(clip, tracks.std.ModifyFrame(tracks, none))
    assert same(out.get_frame(0), clip.get_frame(0))


@pytest.fixture
def file(clip: vs.VideoNode, tmp_path: Path) -> Path:
    writer = TrackWriter({"frames": LENGTH, "size": list(SIZE), "fps": "25"})
    for n, frame in enumerate(miniatures_of(clip).frames()):
        writer.add(covered([box(n)]), miniature=np.asarray(frame[0]))
    writer.write(tmp_path / "t.vsanon")
    return tmp_path / "t.vsanon"


def test_a_track_file_fits_its_clip_and_a_graded_one(clip: vs.VideoNode, file: Path) -> None:
    for shown, verdict in ((clip, "same"), (curve(0.7)(clip), "changed")):
        out = vsanon.blur(shown, vsanon.load(shown, file))
        assert [picture(f) for f in out.frames()] == [verdict] * LENGTH


@pytest.mark.parametrize("name", MOVED)
def test_a_track_file_of_another_picture_is_refused_when_the_script_is_read(
    clip: vs.VideoNode, file: Path, name: str
) -> None:
    with pytest.raises(vs.Error, match=r"^load: .*t\.vsanon belongs to another clip: frame 0: the picture is not"):
        vsanon.load(MOVED[name](clip), file)


def test_frames_that_differ_between_the_five_looked_at_first_are_refused_when_they_come(
    clip: vs.VideoNode, file: Path
) -> None:
    # Looked at: 0, 2, 5, 8, 11.
    swapped = clip[:6] + clip[10:11] + clip[7:]
    loaded = vsanon.load(swapped, file)
    loaded.get_frame(5)
    with pytest.raises(vs.Error, match="load: frame 6: the picture is not"):
        loaded.get_frame(6)
    with pytest.raises(vs.Error, match="load: frame 6: the picture is not"):
        vsanon.blur(swapped, loaded).get_frame(6)
    unchecked = vsanon.blur(swapped, vsanon.load(swapped, file, same_picture=False))
    assert [picture(f) for f in unchecked.frames()] == ["unchecked"] * LENGTH


def test_a_track_file_without_miniatures_is_taken_by_whoever_says_so(clip: vs.VideoNode, tmp_path: Path) -> None:
    writer = TrackWriter({"frames": LENGTH, "size": list(SIZE), "fps": "25"})
    for n in range(LENGTH):
        writer.add(covered([box(n)]))
    writer.write(tmp_path / "t.vsanon")
    with pytest.raises(vs.Error, match=r"does not say which picture its frames .* pass same_picture=False"):
        vsanon.load(clip, tmp_path / "t.vsanon")
    assert picture(vsanon.load(clip, tmp_path / "t.vsanon", same_picture=False).get_frame(0)) == "unchecked"


def test_of_two_verdicts_the_one_that_says_less_stays() -> None:
    assert worse(Verdict.SAME, None) is Verdict.SAME
    assert worse(Verdict.SAME, b"changed") is Verdict.CHANGED
    assert worse(Verdict.UNKNOWN, "changed") is Verdict.UNKNOWN
    assert worse(Verdict.CHANGED, "unchecked") is Verdict.UNCHECKED
