"""Which frames are searched: every so many, or by halves those that need it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsanon.errors import InputError
from vsanon.tracking.strides import gaps, levels, spacing_of


def test_a_stride_is_auto_or_a_whole_number_of_frames() -> None:
    assert [spacing_of(s) for s in ("auto", 1, 5, 60)] == [8, 1, 5, 60]
    for wrong in (0, -1, 61, 2.0, True, "8", "Auto", None):
        with pytest.raises(InputError, match="a whole number of frames from 1 to 60, got"):
            spacing_of(wrong)  # type: ignore[arg-type]


@given(st.integers(0, 10))
def test_halving_reaches_every_position_once(k: int) -> None:
    reached = [j for level in levels(1 << k) for j in level]
    assert sorted(reached) == list(range(1, 1 << k))
    assert levels(8) == ((4,), (2, 6), (1, 3, 5, 7))
    with pytest.raises(ValueError, match="power of two, got 6"):
        levels(6)


def test_gaps_lie_between_known_positions_that_are_not_neighbours() -> None:
    assert gaps([8, 0, 3, 4]) == [(0, 3), (4, 8)]
    assert gaps([0, 1]) == gaps([5]) == gaps([]) == []
