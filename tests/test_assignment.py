"""Pairs of the least total cost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from vsanon.assignment import NEVER, assign


def test_the_dearer_pair_is_taken_where_the_total_is_less() -> None:
    # 1 + 5 = 6 or 2 + 3 = 5.
    assert assign(np.array([[1.0, 2.0], [3.0, 5.0]])) == [(0, 1), (1, 0)]


def test_what_can_be_no_pair_is_none() -> None:
    assert assign(np.array([[NEVER, 4.0], [NEVER, NEVER]])) == [(0, 1)]


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (2, 0)])
def test_nobody_makes_no_pair(shape: tuple[int, int]) -> None:
    assert assign(np.zeros(shape)) == []


_SIDES = st.integers(1, 5)


@given(arrays(np.float64, st.tuples(_SIDES, _SIDES), elements=st.sampled_from([1, 2, 7, NEVER])))
def test_the_short_way_gives_what_the_long_one_gives(cost: NDArray[np.float64]) -> None:
    rows, columns = linear_sum_assignment(cost)
    least = [(i, j) for i, j in zip(rows.tolist(), columns.tolist(), strict=True) if cost[i, j] < NEVER]
    found = assign(cost)
    assert len(found) == len(least)
    assert sum(cost[i, j] for i, j in found) == sum(cost[i, j] for i, j in least)
