"""Truth follows its pictures: cut, shown at another rate, scaled, to the frame and to the bit."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsanon.validation.truth.boxes import Truth
from vsanon.validation.truth.transforms import cut, frames_at, resampled, scaled

FRAMES = 12


def truth_of(*rows: tuple[int, int, tuple[float, ...]]) -> Truth:
    """Rows of (frame, id, box)."""
    no = np.zeros(len(rows), np.bool_)
    return Truth(
        np.array([r[0] for r in rows], np.int64),
        np.array([r[1] for r in rows], np.int64),
        np.array(["face"] * len(rows), np.str_),
        np.array([r[2] for r in rows], np.float32).reshape(-1, 4),
        ignore=no,
        occluded=no,
        readable=no,
    )


@st.composite
def truths(draw: st.DrawFn) -> Truth:
    keys = draw(st.lists(st.tuples(st.integers(0, FRAMES - 1), st.integers(1, 4)), unique=True, max_size=20))
    edge = st.integers(0, 4000).map(lambda v: v / 8)
    side = st.integers(1, 800).map(lambda v: v / 8)
    boxes = [(x, y, x + w, y + h) for x, y, w, h in (draw(st.tuples(edge, edge, side, side)) for _ in keys)]
    return truth_of(*((n, i, box) for (n, i), box in zip(keys, boxes, strict=True)))


def same(a: Truth, b: Truth) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in Truth.__slots__)


def test_a_cut_counts_its_frames_from_0_and_ends_before_its_stop() -> None:
    truth = truth_of((3, 1, (0, 0, 1, 1)), (5, 1, (0, 0, 2, 2)), (5, 2, (0, 0, 3, 3)), (8, 1, (0, 0, 4, 4)))
    part = cut(truth, 5, 8)
    assert (part.frames.tolist(), part.ids.tolist(), part.xyxy[:, 2].tolist()) == ([0, 0], [1, 2], [2, 3])
    assert len(cut(truth, 6, 8)) == 0


@given(truths(), st.tuples(*[st.integers(0, FRAMES)] * 4))
def test_cutting_twice_is_one_cut(truth: Truth, at: tuple[int, int, int, int]) -> None:
    (a, b), (c, d) = sorted(at[:2]), sorted(at[2:])
    assert same(cut(cut(truth, a, b), c, d), cut(truth, min(a + c, b), min(a + d, b)))


@given(truths())
def test_a_clip_that_shows_each_frame_once_keeps_its_truth(truth: Truth) -> None:
    assert same(resampled(truth, np.arange(FRAMES)), truth)


@given(truths(), st.integers(0, FRAMES), st.integers(0, FRAMES))
def test_a_cut_is_a_clip_that_shows_these_frames(truth: Truth, a: int, b: int) -> None:
    assert same(resampled(truth, np.arange(a, max(a, b))), cut(truth, a, max(a, b)))


@given(truths(), st.lists(st.integers(0, FRAMES - 1)), st.data())
def test_showing_a_clip_of_shown_frames_shows_the_source(
    truth: Truth, shown: list[int], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.integers(0, len(shown) - 1))) if shown else []
    assert same(resampled(resampled(truth, shown), again), resampled(truth, [shown[n] for n in again]))


def test_a_frame_shown_twice_has_its_boxes_twice_and_a_dropped_one_none() -> None:
    truth = truth_of((0, 1, (0, 0, 1, 1)), (1, 1, (0, 0, 2, 2)), (2, 1, (0, 0, 3, 3)), (2, 7, (0, 0, 9, 9)))
    shown = resampled(truth, [0, 0, 2, 5])
    assert shown.frames.tolist() == [0, 1, 2, 2]
    assert shown.ids.tolist() == [1, 1, 1, 7]
    assert shown.xyxy[:, 2].tolist() == [1, 1, 3, 9]


@pytest.mark.parametrize("shown", [[-1], [0.5], [[0, 1]]])
def test_source_frames_that_are_no_frames_are_refused(shown: list[object]) -> None:
    with pytest.raises(ValueError, match="whole numbers from 0 up"):
        resampled(truth_of((0, 1, (0, 0, 1, 1))), shown)


@pytest.mark.parametrize(
    ("fps_in", "fps_out", "shown"),
    [
        ("25", "25", [0, 1, 2, 3, 4, 5]),
        ("25", "50", [0, 0, 1, 1, 2, 2]),
        ("50", "25", [0, 2, 4, 6, 8, 10]),
        ("24", "30", [0, 0, 1, 2, 3, 4]),
        ("30", "24", [0, 1, 2, 3, 5, 6]),
        ("30000/1001", "30", [0, 0, 1, 2, 3, 4]),
    ],
)
def test_a_frame_shows_the_last_one_that_has_begun(fps_in: str, fps_out: str, shown: list[int]) -> None:
    assert frames_at(6, Fraction(fps_in), Fraction(fps_out)).tolist() == shown


def test_a_rate_of_a_thousandth_less_shows_one_frame_less_in_1001() -> None:
    """Frame 1000 of 30 fps begins at 33.333 s, just before frame 999.001 of 29.97 fps."""
    shown = frames_at(2003, Fraction(30000, 1001), Fraction(30))
    assert (shown[1000], shown[1001], shown[2002]) == (999, 1000, 2000)
    assert frames_at(0, Fraction(1), Fraction(1)).tolist() == []


@given(st.fractions(1, 120), st.fractions(1, 120), st.integers(0, 300))
def test_shown_frames_have_begun_and_their_next_has_not(fps_in: Fraction, fps_out: Fraction, n: int) -> None:
    shown = int(frames_at(n + 1, fps_in, fps_out)[n])
    assert shown / fps_in <= n / fps_out < (shown + 1) / fps_in


def test_a_box_of_the_whole_frame_stays_one_at_any_size() -> None:
    truth = truth_of((0, 1, (0, 0, 1920, 1080)))
    assert scaled(truth, (1920, 1080), (1277, 719)).xyxy.tolist() == [[0, 0, 1277, 719]]


def test_each_axis_has_its_own_factor() -> None:
    truth = truth_of((0, 1, (10, 10, 30, 50)))
    assert scaled(truth, (100, 100), (50, 200)).xyxy.tolist() == [[5, 20, 15, 100]]


@given(truths(), st.sampled_from([0.25, 0.5, 2, 8]))
def test_scaling_by_a_power_of_two_and_back_is_exact(truth: Truth, factor: float) -> None:
    size = (int(640 * factor), int(360 * factor))
    assert same(scaled(scaled(truth, (640, 360), size), size, (640, 360)), truth)


@given(truths(), st.tuples(st.integers(64, 4096), st.integers(64, 4096)))
def test_scaling_there_and_back_is_within_two_roundings(truth: Truth, size: tuple[int, int]) -> None:
    back = scaled(scaled(truth, (640, 360), size), size, (640, 360))
    np.testing.assert_allclose(back.xyxy, truth.xyxy, rtol=2 * np.finfo(np.float32).eps)


def test_impossible_cuts_rates_and_sizes_are_refused() -> None:
    truth = truth_of((0, 1, (0, 0, 1, 1)))
    with pytest.raises(ValueError, match="0 <= start <= stop, got 3:2"):
        cut(truth, 3, 2)
    with pytest.raises(ValueError, match="rates above 0"):
        frames_at(1, Fraction(0), Fraction(25))
    with pytest.raises(ValueError, match="above 0 pixels"):
        scaled(truth, (0, 1), (1, 1))
