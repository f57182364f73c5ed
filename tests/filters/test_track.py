"""`track`: what it paints from holds still, however sizes and colours of what was found change."""

import random
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import vapoursynth as vs
from numpy.typing import NDArray

import vsanon
from tests.support.clips import data
from vsanon.detections import Detections
from vsanon.filters import props
from vsanon.filters.clips import modify

STRIPES = np.broadcast_to(np.array([0, 0, 255, 255, 255], np.uint8)[None, None, :, None], (1, 5, 5, 3))


def colours(sides: list[float]) -> list[NDArray[np.int64]]:
    """What a face in one place is painted from, by its side in each frame."""

    def at(n: int) -> Detections:
        half = sides[n] / 2
        box = np.array([[80 - half, 48 - half, 80 + half, 48 + half]], np.float32)
        return Detections(box, np.full(1, 0.9, np.float32), ("face",), STRIPES.copy())

    clip = vs.core.std.BlankClip(None, 160, 96, vs.YUV420P8, len(sides), 25, 1)
    found = vsanon.track(data(clip, at))
    return [props.read_tracked(found.get_frame(n).props).swatches[0].astype(int) for n in range(len(sides))]


def test_a_face_whose_size_trembles_about_a_threshold_does_not_strobe() -> None:
    """Sides of 20 and of 52 px by turns: the mean alone, then all of its swatches, 102 to 153 codes apart."""
    shown = colours([20, 52] * 45)
    assert max(int(np.abs(a - b).max()) for a, b in pairwise(shown)) <= 8


def test_a_small_face_is_painted_in_one_colour_and_a_large_one_in_its_own() -> None:
    """Where it is large, each swatch has noise of 12 codes at most."""
    assert np.ptp(colours([20] * 5)[2], axis=(0, 1)).tolist() == [0, 0, 0]
    large = colours([60] * 5)[2]
    assert large[:, :2].max() <= 12
    assert large[:, 2:].min() >= 255 - 12


def crowd(n: int) -> Detections:
    """Three faces of changing colours: one that stays, one that leaves the frame, and one that comes and goes."""
    at = [(80.0, 48.0), (150.0 + n, 30.0), *([(30.0 + n / 4, 70.0)] if n % 50 < 20 else [])]
    boxes = np.array([[x - 9, y - 9, x + 9, y + 9] for x, y in at], np.float32)
    swatches = np.random.default_rng(n).integers(0, 256, (len(at), 5, 5, 3)).astype(np.uint8)
    return Detections(boxes, np.full(len(at), 0.9, np.float32), ("face",) * len(at), swatches)


def unknown_at(gone: int) -> vs.VideoNode:
    """The crowd for 150 frames, of which nobody searched one."""
    clip = vs.core.std.BlankClip(None, 160, 96, vs.YUV420P8, 150, 25, 1)
    return data(clip, lambda n: None if n == gone else crowd(n))


def test_colours_that_are_told_later_are_those_of_the_same_boxes() -> None:
    found = unknown_at(77)
    at_once, later = vsanon.track(found), vsanon.track(found, colours_later=True)
    order = random.Random(3).sample(range(150), 150)
    frames = {n: dict(later.get_frame(n).props) for n in order}
    expected = [dict(at_once.get_frame(n).props) for n in range(150)]
    told = [swatches for n in range(150) for swatches in props.read_colours(frames[n]) or []]
    assert len(told) == 150
    assert sum(len(swatches) for swatches in told if swatches is not None) > 250
    for n, swatches in enumerate(told):
        assert (swatches is None) == (n == 77) == (props.COUNT not in frames[n])
        if swatches is not None:
            one, other = props.read_tracked(expected[n]), props.read_tracked(frames[n])
            assert np.array_equal(one.xyxy, other.xyxy)
            assert (one.ids, one.origins) == (other.ids, other.origins)
            assert np.array_equal(one.swatches, swatches)
            assert (other.swatches == 128).all()


def test_where_colours_are_told_later_fewer_frames_are_needed() -> None:
    """34 of the window, 19 of the path (with colours 36), and 2 that tell a cut, after a block of 8."""

    def last_needed(*, colours_later: bool) -> int:
        asked: set[int] = set()

        def note(n: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
            asked.add(n)
            return f[0]

        noted = modify("noted", [unknown_at(149)], note)
        vsanon.track(noted, colours_later=colours_later).get_frame(0)
        return max(asked)

    assert last_needed(colours_later=False) == 7 + 34 + 36 + 2
    assert last_needed(colours_later=True) == 7 + 34 + 19 + 2
