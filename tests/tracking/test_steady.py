"""Paths that are painted: smooth, no larger than they must be, and never short of what must be covered."""

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.support.clips import found
from tests.tracking.test_cover import covered
from vsanon.covering.masks import FrameLayout, plane_masks
from vsanon.covering.ramps import STEPS
from vsanon.covering.shapes import OTHER, SHAPES, Shape
from vsanon.detections import Origin, TrackedBoxes, no_swatches
from vsanon.tracking.cover import NONE
from vsanon.tracking.settings import TrackFrames, TrackSettings
from vsanon.tracking.steady import CoveredFrame, steady

F64 = NDArray[np.float64]
Box = tuple[float, float, float, float]

SPANS = TrackSettings().frames(Fraction(25))
"""Paths are smoothed over 9 frames to either side; an edge stays out for 5; colours are means over 36."""
STILL: Box = (40, 40, 80, 90)
KINDS: tuple[Literal["ellipse", "superellipse", "rectangle"], ...] = ("ellipse", "superellipse", "rectangle")


def frame(n: int, *boxes: Sequence[float] | None, cut: bool = False) -> CoveredFrame:
    """A frame with the box of each track that it has; all are detected in every frame that shows them."""
    shown = [k for k, box in enumerate(boxes) if box is not None]
    count = len(shown)
    xyxy = np.array([boxes[k] for k in shown], np.float32).reshape(-1, 4)
    found = TrackedBoxes(xyxy, np.ones(count, np.float32), ("face",) * count, tuple(shown),
                         (Origin.DETECTED,) * count, no_swatches(count))  # fmt: skip
    ends = np.array([[(n - 1) * 4096 + k if n else NONE, n * 4096 + k] for k in shown], np.int64).reshape(-1, 2)
    return CoveredFrame(found, ends, cut)


def painted(boxes: Sequence[Sequence[float] | None], cuts: Sequence[int] = ()) -> F64:
    """(frames, 4) what is painted of one track; NaN where it is not there."""
    window = [frame(n, box, cut=n in cuts) for n, box in enumerate(boxes)]
    rows = [xyxy for xyxy, _ in steady(window, 0, range(len(boxes)), SPANS)]
    return np.array([row[0] if len(row) else [np.nan] * 4 for row in rows], np.float64)


def short(boxes: F64, answer: F64) -> F64:
    """(frames, 4) by how much each edge falls short of what must be covered, pixels."""
    return np.array([1, 1, -1, -1]) * (answer - boxes)


def jitter(boxes: F64) -> F64:
    """(4,) root mean square of the second difference of centre and size."""
    rows = np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], axis=1)
    return np.sqrt(np.mean(np.diff(rows, 2, axis=0) ** 2, axis=0))


def shaken(level: float, seed: int, length: int = 60) -> F64:
    return np.array(STILL) + np.random.default_rng(seed).uniform(-level, level, (length, 4))


@given(st.floats(0, 12), st.integers(0, 10_000), st.lists(st.integers(0, 59), max_size=4))
@settings(max_examples=30, deadline=None)
def test_no_edge_falls_short_by_more_than_a_twentieth_of_the_side_whatever_is_seen(
    level: float, seed: int, jumps: list[int]
) -> None:
    boxes = shaken(level, seed)
    for n in jumps:
        boxes[n] += [-30, -20, 25, 35]
    answer = painted(boxes.tolist())
    side = answer[:, 2:] - answer[:, :2]
    assert (short(boxes, answer) <= 0.05 * np.concatenate([side, side], axis=1) + 0.001).all()


def test_without_slack_every_box_is_contained() -> None:
    spans = TrackSettings(slack=0.0).frames(Fraction(25))
    boxes = shaken(10, 1)
    window = [frame(n, box) for n, box in enumerate(boxes.tolist())]
    answer = np.array([steady(window, 0, [n], spans)[0][0][0] for n in range(60)])
    assert (short(boxes, answer) <= 0.001).all()


def test_what_moves_by_a_third_of_its_side_a_frame_is_given_no_slack() -> None:
    """A box of 40 by 50 px: at 1 px a frame its edges lie up to 2 and 2.5 px inside, at 13 none."""
    for step, slack in ((1, 2.0), (13, -0.05)):
        boxes = shaken(4, 5) + np.arange(60)[:, None] * np.array([step, 0, step, 0])
        missing = short(boxes, painted(boxes.tolist())).max()
        assert slack <= missing <= max(slack + 0.6, 0)


def test_what_bounces_is_painted_hardly_larger_than_it_is() -> None:
    """50 px high, it turns every sixth frame, at 15 px a frame: a path that cuts the turns short needs 60 px."""
    up = 15 * np.abs(np.arange(80) % 12 - 6)
    boxes = np.array(STILL) + np.stack([0 * up, up, 0 * up, up], axis=1)
    answer = painted(boxes.tolist())
    assert (answer[20:60, 3] - answer[20:60, 1]).max() <= 55
    assert short(boxes, answer)[20:60].max() <= 0


def test_what_bounces_is_given_room_where_it_was_not_found() -> None:
    """As above, but frame 42, at the top of a turn, was not found: what is between two is a line, perhaps wrong."""
    up = 15 * np.abs(np.arange(80) % 12 - 6)
    boxes = np.array(STILL) + np.stack([0 * up, up, 0 * up, up], axis=1)
    window = [frame(n, box) for n, box in enumerate(boxes.tolist())]
    window[42] = replace(window[42], ends=np.array([[41 * 4096, 43 * 4096]]))
    window[43] = replace(window[43], ends=np.array([[41 * 4096, 43 * 4096]]))
    answer = np.array([boxes for boxes, _ in (row for row in steady(window, 0, range(80), SPANS))])[:, 0]
    height = answer[:, 3] - answer[:, 1]
    assert height[42] >= 58
    assert height[25] <= 55


def test_a_box_that_trembles_by_two_pixels_is_painted_six_times_as_steadily_and_hardly_larger() -> None:
    boxes = shaken(2, 3, 120)
    answer = painted(boxes.tolist())
    assert (jitter(answer) < jitter(boxes) / 6).all()
    sides = answer[:, 2:] - answer[:, :2]
    assert sides.mean(axis=0) == pytest.approx([40, 50], abs=0.6)


def test_a_box_that_is_still_or_moves_and_grows_evenly_is_painted_as_it_is() -> None:
    for step in ([0, 0, 0, 0], [2, 1, 2, 1], [-1, -1, 1, 1]):
        boxes = np.array(STILL) + np.arange(50)[:, None] * np.array(step)
        assert np.abs(painted(boxes.tolist()) - boxes).max() <= 0.125


def test_one_box_of_twice_the_size_is_met_and_left_without_a_jump() -> None:
    boxes = np.tile(np.array(STILL, np.float64), (61, 1))
    boxes[30] = (20, 15, 100, 115)
    answer = painted(boxes.tolist())
    # 80 wide, less a tenth of the path's side of about 40 at either edge.
    width = answer[:, 2] - answer[:, 0]
    assert width[30] >= 80 - 2 * 0.1 * 46
    assert np.abs(np.diff(width)).max() <= 6
    assert width[30 - 2 * SPANS.envelope - SPANS.path - 1] <= 40.25
    assert (np.diff(width[: 31 - SPANS.envelope]) >= -0.26).all()


def test_the_answer_depends_on_no_frame_beyond_its_reach() -> None:
    boxes = shaken(5, 7, 2 * SPANS.steady_reach + 21).tolist()
    whole = [frame(n, box) for n, box in enumerate(boxes)]
    middle = len(boxes) // 2
    first = middle - SPANS.steady_reach
    part = whole[first : middle + SPANS.steady_reach + 1]
    assert np.array_equal(steady(whole, 0, [middle], SPANS)[0][0], steady(part, first, [middle], SPANS)[0][0])
    assert not np.array_equal(
        steady(whole, 0, [middle], SPANS)[0][0], steady(part[30:-30], first + 30, [middle], SPANS)[0][0]
    )


@pytest.mark.parametrize("cut", [20, 21, 39])
def test_nothing_is_carried_across_a_cut(cut: int) -> None:
    boxes = shaken(5, 9)
    both = painted(boxes.tolist(), cuts=[cut])
    apart = np.concatenate([painted(boxes[:cut].tolist()), painted(boxes[cut:].tolist())])
    assert np.array_equal(both, apart)


def test_two_tracks_that_cross_keep_their_own_paths() -> None:
    one = [(40 + 3 * n, 40, 80 + 3 * n, 90) for n in range(40)]
    other = [(160 - 3 * n, 42, 200 - 3 * n, 92) for n in range(40)]
    window = [frame(n, one[n], other[n]) for n in range(40)]
    for n in range(40):
        assert np.abs(steady(window, 0, [n], SPANS)[0][0] - [one[n], other[n]]).max() <= 0.125


def test_a_track_is_followed_through_frames_in_which_it_was_not_detected() -> None:
    """Detected in frames 0 and 9, between them and after them by its ends."""
    window = []
    for n in range(20):
        box = TrackedBoxes(np.array([STILL], np.float32) + n, np.ones(1, np.float32), ("face",), (0,),
                           (Origin.INTERPOLATED,), no_swatches(1))  # fmt: skip
        before = NONE if n == 0 else 0 if n <= 9 else 9 * 4096
        after = 0 if n == 0 else 9 * 4096 if n <= 9 else NONE
        window.append(CoveredFrame(box, np.array([[before, after]], np.int64), cut=False))
    for n in (0, 5, 9, 10, 19):
        # The path is a line, which the fit gives back only where it sees the neighbours.
        assert np.abs(steady(window, 0, [n], SPANS)[0][0][0] - (np.array(STILL) + n)).max() <= 0.125


def test_a_frame_of_which_nothing_is_known_ends_the_path_and_is_refused_itself() -> None:
    boxes = shaken(5, 11)
    window: list[CoveredFrame | None] = [frame(n, box) for n, box in enumerate(boxes.tolist())]
    window[30] = None
    assert np.array_equal(steady(window, 0, [31], SPANS)[0][0], steady(window[31:], 31, [31], SPANS)[0][0])
    with pytest.raises(ValueError, match="nothing is known of frame 30"):
        steady(window, 0, [30], SPANS)


def test_a_frame_without_boxes_has_none_and_wrong_ends_are_refused() -> None:
    assert steady([frame(0)], 0, [0], SPANS)[0][0].shape == (0, 4)
    with pytest.raises(ValueError, match="1 boxes need as many ends"):
        CoveredFrame(frame(0, STILL).boxes, np.zeros((2, 2), np.int64), cut=False)


def test_colours_go_over_into_those_of_the_next_block_by_less_than_eight_codes_a_frame() -> None:
    """From 100 to 160 at frame 80: over 73 frames, so by 60 / 73 = 0.8 a frame, which is 0 or 1."""
    shown = colours([100] * 80 + [160] * 80)
    assert shown[:44] == [100] * 44
    assert shown[116:] == [160] * 44
    assert set(np.diff(shown).tolist()) == {0, 1}


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 255)), min_size=1, max_size=4))
@settings(max_examples=30, deadline=None)
def test_no_colour_of_a_track_changes_by_more_than_eight_codes_a_frame_whatever_was_seen(
    spans: list[tuple[int, int]],
) -> None:
    """The mean is over 37 frames or more wherever one comes or goes: 255 / 37 = 6.9, and a code of rounding."""
    shown = colours([value for length, value in spans for _ in range(length)])
    assert max(np.abs(np.diff(shown)), default=0) <= 8


def colours(values: Sequence[int]) -> list[int]:
    """What a track that never moves is painted in, by the colour of each of its frames."""
    window = []
    for n, value in enumerate(values):
        here = frame(n, STILL)
        swatches = np.full((1, 5, 5, 3), value, np.uint8)
        window.append(CoveredFrame(replace(here.boxes, swatches=swatches), here.ends, cut=False))
    return [int(swatches[0, 0, 0, 0]) for _, swatches in steady(window, 0, range(len(values)), SPANS)]


def test_spans_are_those_of_the_settings() -> None:
    assert isinstance(SPANS, TrackFrames)
    assert (SPANS.path, SPANS.envelope, SPANS.steady_reach) == (9, 5, 36)


NARROW = tuple(Shape(kind, (0.0,) * 4) for kind in KINDS)


@given(
    st.lists(st.tuples(st.integers(0, 45), st.floats(-6, 6), st.floats(-6, 6)), min_size=1, max_size=12,
             unique_by=lambda one: one[0]),
    st.floats(-12, 12), st.floats(0, 0.6), st.sampled_from([*SHAPES.values(), OTHER, *NARROW]),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_what_must_be_covered_lies_in_the_core_of_what_is_painted_for_every_shape_and_speed(
    seen: list[tuple[int, float, float]], speed: float, growth: float, shape: Shape
) -> None:
    """Detected in some frames, and so interpolated, led in and held in others; moving, growing and trembling."""
    frames = [found([])] * 46
    for n, dx, dy in seen:
        x, y, more = 60 + speed * (n - 23) + dx, 50 + 0.5 * speed * (n - 23) + dy, 0.5 * growth * abs(n - 23)
        frames[n] = found([(x - more, y - more, x + 30 + more, y + 40 + more)])
    size = (150, 140)
    window = covered(frames, size)
    for n in range(0, 46, 3):
        here = window[n]
        for must, box in zip(here.boxes.xyxy, steady(window, 0, [n], SPANS)[0][0], strict=True):
            x0, y0 = (max(math.floor(v), 0) for v in must[:2])
            x1, y1 = (min(math.ceil(v), most) for v, most in zip(must[2:], size, strict=True))
            if x0 >= x1 or y0 >= y1:
                continue
            (mask,) = plane_masks(box, shape, FrameLayout(size, planes=1))
            full = np.zeros((size[1], size[0]), bool)
            full[mask.window] = mask.steps == STEPS
            assert full[y0:y1, x0:x1].all(), n
