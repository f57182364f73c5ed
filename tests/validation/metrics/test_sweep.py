"""Detection over all scores, counted by hand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vsanon.validation.metrics.observed import Observed
from vsanon.validation.metrics.sweep import SCORES, sweep


def observed(rows: list[tuple[int, float]], ignore: list[bool] | None = None) -> Observed:
    """Squares of 10 px whose left edge is given, in frame n."""
    xyxy = np.array([[x, 0, x + 10, 10] for _, x in rows], np.float32).reshape(-1, 4)
    frames = np.array([n for n, _ in rows], np.int64)
    return Observed(frames, np.arange(len(rows)), xyxy, np.array(ignore or [False] * len(rows), np.bool_))


def at(found: object, score: float) -> tuple[int, int]:
    place = found.scores.index(score)  # type: ignore[attr-defined]
    return found.found[place], found.false[place]  # type: ignore[attr-defined]


def test_each_threshold_counts_what_is_at_least_as_sure() -> None:
    """Two of three found, at 0.9 and 0.3; one false box at 0.6."""
    truth = observed([(0, 0), (0, 100), (1, 0)])
    boxes = observed([(0, 1), (0, 50), (1, 0)])
    found = sweep(truth, boxes, [0.9, 0.6, 0.3])
    assert found.boxes == 3
    assert [at(found, s) for s in (0.95, 0.9, 0.65, 0.6, 0.3)] == [(0, 0), (1, 0), (1, 0), (1, 1), (2, 1)]


def test_a_threshold_below_the_least_score_that_was_kept_is_not_told() -> None:
    """0.3 is the least: 0.25 would find more, but nobody kept that; up to 0.3 all are the same."""
    assert sweep(observed([(0, 0)]), observed([(0, 0)]), [0.32]).scores[0] == 0.3


def test_the_surer_of_two_boxes_takes_the_true_one_and_the_other_is_false() -> None:
    found = sweep(observed([(0, 0)]), observed([(0, 0), (0, 2)]), [0.4, 0.8])
    assert (at(found, 0.4), at(found, 0.8)) == ((1, 1), (1, 0))


def test_ignored_truth_and_what_lies_in_it_count_neither_way() -> None:
    found = sweep(observed([(0, 0), (0, 100)], [False, True]), observed([(0, 0), (0, 101)]), [0.5, 0.9])
    assert found.boxes == 1
    assert at(found, 0.5) == (1, 0)


def test_nothing_found_is_no_error() -> None:
    found = sweep(observed([(0, 0)]), observed([]), [])
    assert (found.boxes, found.scores, found.found, found.false) == (1, (0.95,), (0,), (0,))


BOXES = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 60)), max_size=8)


@given(BOXES, BOXES, st.data())
def test_a_lower_threshold_never_finds_fewer_and_all_boxes_are_told(
    true: list[tuple[int, int]], boxes: list[tuple[int, int]], data: st.DataObject
) -> None:
    true, boxes = sorted(true), sorted(boxes)
    scores = data.draw(st.lists(st.floats(0.05, 1), min_size=len(boxes), max_size=len(boxes)))
    found = sweep(observed(true), observed(boxes), scores)
    assert set(found.scores) <= set(SCORES)
    assert list(found.found) == sorted(found.found, reverse=True)
    assert list(found.false) == sorted(found.false, reverse=True)
    assert found.found[0] + found.false[0] == len(boxes) or not boxes
    assert found.found[0] <= len(true)
