"""Pairs of the least total cost."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from vsanon import assignment
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


def test_the_solver_comes_without_all_else_that_its_package_holds() -> None:
    # In a process of its own: here it is imported already. All that it takes to start is a second of every job.
    told = (
        "import sys, numpy as np; from vsanon.assignment import assign; "
        "print(assign(np.array([[1.0, 2.0], [3.0, 5.0]])), 'scipy.optimize' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[(0, 1), (1, 0)] False"


def test_a_package_that_keeps_it_elsewhere_serves_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assignment, "PathFinder", SimpleNamespace(find_spec=lambda name, places: None))
    monkeypatch.setattr(assignment, "_solver", assignment._solver.__wrapped__)
    assert assign(np.array([[1.0, 2.0], [3.0, 5.0]])) == [(0, 1), (1, 0)]
