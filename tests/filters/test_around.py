"""The tone of a region's surroundings over time: it holds still, is the same in a part, and costs no other look."""

import numpy as np
import pytest
import vapoursynth as vs
from numpy.typing import NDArray

import vsanon
from tests.support.clips import covered, data, drawn, planes
from vsanon import filters
from vsanon.covering.effects import FILL, Fill
from vsanon.covering.surroundings import TONE_REACH
from vsanon.filters import props

LENGTH = 40
PLATE = (60.0, 40.0, 100.0, 56.0)


def flickering(light: NDArray[np.int64]) -> vs.VideoNode:
    """A ground of one luma a frame."""
    return drawn(lambda n, p, shape: np.full(shape, 128 if p else light[n], np.uint8), length=len(light))


def lumas(clip: vs.VideoNode) -> list[int]:
    """Of the middle of the plate, in each frame."""
    return [int(planes(frame)[0][48, 80]) for frame in clip.frames(close=True)]


@pytest.mark.parametrize(("label", "fill"), [("plate", FILL), ("face", "surroundings")])
def test_a_ground_that_flickers_by_a_hundred_codes_moves_the_paint_by_one_at_most(label: str, fill: Fill) -> None:
    light = np.where(np.arange(LENGTH) % 2, 60, 160)
    clip = flickering(light)
    tracks = data(clip, lambda n: covered([PLATE], [label]))
    found = lumas(vsanon.blur(clip, tracks, fill=fill))[TONE_REACH:-TONE_REACH]
    assert set(found) <= {109, 110, 111}


def test_the_paint_follows_light_that_changes_for_good() -> None:
    light = np.where(np.arange(3 * LENGTH) < LENGTH, 50, 150)
    clip = flickering(light)
    found = lumas(vsanon.blur(clip, data(clip, lambda n: covered([PLATE], ["plate"]))))
    assert found[: LENGTH - TONE_REACH] == [50] * (LENGTH - TONE_REACH)
    assert found[LENGTH + TONE_REACH :] == [150] * (2 * LENGTH - TONE_REACH)
    # Of 26 shares in all, the middle frame has two: a step of 100 codes is spread out into ones of 7.7 at most.
    assert 7 <= np.diff(found).max() <= 9
    assert np.diff(found).min() >= 0


def test_no_tone_goes_over_a_cut() -> None:
    light = np.where(np.arange(LENGTH) < 20, 50, 150)
    clip = flickering(light)
    tracks = data(clip, lambda n: covered([PLATE], ["plate"]))
    cut = tracks.std.ModifyFrame(tracks, lambda n, f: _with(f, props.CUT, int(n == 20)))
    assert lumas(vsanon.blur(clip, cut)) == light.tolist()


def test_neighbours_keep_their_own_tones() -> None:
    """Two plates before two grounds, and the order of the boxes changes from frame to frame."""
    left, right = (20.0, 40.0, 50.0, 56.0), (110.0, 40.0, 140.0, 56.0)

    def ground(n: int, p: int, shape: tuple[int, int]) -> NDArray[np.uint8]:
        plane = np.full(shape, 128 if p else 50, np.uint8)
        if not p:
            plane[:, 80:] = 150
        return plane

    clip = drawn(ground, length=LENGTH)
    tracks = data(clip, lambda n: covered([left, right][:: 1 if n % 2 else -1], ["plate"] * 2))
    for frame in vsanon.blur(clip, tracks).frames(close=True):
        assert [int(planes(frame)[0][48, x]) for x in (35, 125)] == [50, 150]


def test_a_part_has_the_tones_of_the_whole_whatever_was_asked_for_first() -> None:
    rng = np.random.default_rng(5)
    clip = flickering(rng.integers(30, 200, LENGTH))
    tracks = data(clip, lambda n: covered([(60 + n, 40, 100 + n, 56)], ["plate"]))
    whole = [planes(frame) for frame in vsanon.blur(clip, tracks).frames(close=True)]
    toned = filters.around(clip, tracks)
    part = vsanon.blur(clip[17:23], toned[17:23])
    for n in (22, 17, 20):
        with part.get_frame(n - 17) as frame:
            assert all(np.array_equal(a, b) for a, b in zip(planes(frame), whole[n], strict=True))


def test_what_takes_no_tone_needs_no_other_frame() -> None:
    clip = flickering(np.full(LENGTH, 90))

    def only(n: int, f: vs.VideoFrame) -> vs.VideoFrame:
        if n not in (0, 20):  # the first one is looked at for its format
            raise RuntimeError("another frame was asked for")
        return f

    def painted(label: str) -> vs.VideoFrame:
        tracks = data(clip, lambda n: covered([PLATE], [label]))
        return vsanon.blur(clip.std.ModifyFrame(clip, only), tracks, same_picture=False).get_frame(20)

    assert planes(painted("face"))[0][48, 80] == 71
    with pytest.raises(vs.Error, match="another frame was asked for"):
        painted("plate")


def test_boxes_that_were_written_anew_lose_the_tones_of_those_before() -> None:
    clip = flickering(np.full(LENGTH, 90))
    toned = filters.around(clip, data(clip, lambda n: covered([PLATE], ["plate"])))
    with toned.get_frame(3) as frame:
        own = frame.copy()
        assert props.read_around(own.props, 1, 3) is not None
        props.write(own.props, covered([PLATE, PLATE], ["plate"] * 2), (160, 96))
        assert props.read_around(own.props, 2, 3) is None


def _with(f: vs.VideoFrame, name: str, value: int) -> vs.VideoFrame:
    out = f.copy()
    out.props[name] = value
    return out
