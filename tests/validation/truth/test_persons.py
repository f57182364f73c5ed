"""Identities of a truth that are one person; by hand: boxes of 20 x 20 px at 10 frames a second."""

import numpy as np
import pytest

from vsanon.validation.truth.boxes import Truth
from vsanon.validation.truth.persons import persons


def truth(*rows: tuple[int, int, float]) -> Truth:
    """Of frame, id and left edge."""
    frames, ids, left = (np.array(column) for column in zip(*rows, strict=True))
    xyxy = np.stack([left, 0 * left, left + 20, 0 * left + 20], axis=1).astype(np.float32)
    none = np.zeros(len(rows), np.bool_)
    return Truth(frames, ids, np.full(len(rows), "face"), xyxy, none, none, none)


def test_a_track_that_breaks_off_and_goes_on_under_other_ids_is_one_person() -> None:
    """A new id every two frames, one pixel further each time."""
    broken = truth(*((n, 1 + n // 2, float(n)) for n in range(10)))
    assert set(persons(broken, "face", 10).values()) == {1}


def test_who_goes_on_after_more_than_a_second_or_elsewhere_is_somebody_else() -> None:
    assert persons(truth((0, 1, 0), (10, 2, 0)), "face", 10) == {1: 1, 2: 1}
    assert persons(truth((0, 1, 0), (11, 2, 0)), "face", 10) == {1: 1, 2: 2}
    # Boxes of 20 px that are 6 px apart overlap by 14 / 26 = 0.54, 7 px apart by 13 / 27 = 0.48.
    assert persons(truth((0, 1, 0), (1, 2, 6)), "face", 10) == {1: 1, 2: 1}
    assert persons(truth((0, 1, 0), (1, 2, 7)), "face", 10) == {1: 1, 2: 2}


def test_nobody_goes_on_after_a_cut() -> None:
    assert persons(truth((0, 1, 0), (1, 2, 0)), "face", 10, cuts=[1]) == {1: 1, 2: 2}


def test_two_who_are_there_together_are_one_where_most_of_their_boxes_are_the_same() -> None:
    """Of three frames together, they lie on each other in two, or in one."""
    twice = truth((0, 3, 0), (0, 7, 0), (1, 3, 5), (1, 7, 6), (2, 3, 0), (2, 7, 90))
    assert persons(twice, "face", 10) == {3: 3, 7: 3}
    crossing = truth((0, 3, 0), (0, 7, 20), (1, 3, 10), (1, 7, 10), (2, 3, 20), (2, 7, 0))
    assert persons(crossing, "face", 10) == {3: 3, 7: 7}


@pytest.mark.parametrize("name", ["plate", "face"])
def test_another_class_is_not_looked_at(name: str) -> None:
    assert persons(truth((0, 1, 0)), name, 10) == ({1: 1} if name == "face" else {})
