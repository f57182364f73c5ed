"""Pairs of the least total cost."""

import sys

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
    assert assign(cost) == least


@given(
    arrays(
        np.float64,
        st.tuples(_SIDES, _SIDES),
        elements=st.one_of(st.floats(0, 3, width=32), st.just(NEVER)),
        fill=st.just(NEVER),
    )
)
def test_so_it_does_for_costs_of_any_size(cost: NDArray[np.float64]) -> None:
    rows, columns = linear_sum_assignment(cost)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    assert assign(cost) == [(i, j) for i, j in pairs if cost[i, j] < NEVER]


def test_a_few_faces_close_together_need_no_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)  # importing it fails
    apart = np.full((6, 6), NEVER)
    apart[:2, :2] = [[1.0, 2.0], [3.0, 5.0]]
    apart[2:5, 2:5] = [[0.1, 0.9, NEVER], [0.8, 0.2, 0.7], [NEVER, 0.6, 0.3]]
    apart[5, 5] = 0.5
    assert assign(apart) == [(0, 1), (1, 0), (2, 2), (3, 3), (4, 4), (5, 5)]


def test_what_costs_the_same_either_way_is_left_to_the_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(ModuleNotFoundError):
        assign(np.ones((2, 2)))
