"""Pairs of the least total cost, as the linker, the sampler and the identities need them."""

from collections.abc import Callable
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

NEVER: Final = 1e6
"""The cost of two that can't be a pair."""


def assign(cost: NDArray[np.floating]) -> list[tuple[int, int]]:
    """The pairs (row, column) of the least total cost, by row, without those at `NEVER`.

    Args:
        cost: (n, m), finite; all but `NEVER` are small beside it.
    """
    possible = cost < NEVER
    rows, columns = np.nonzero(possible)
    if (possible.sum(axis=0) > 1).any() or (possible.sum(axis=1) > 1).any():
        rows, columns = _solver()(cost)
    # Else no two want the same.
    return [(i, j) for i, j in zip(rows.tolist(), columns.tolist(), strict=True) if possible[i, j]]


@cache
def _solver() -> Callable[[NDArray[np.floating]], tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """SciPy's `linear_sum_assignment`, without the rest of `scipy.optimize` where that can be.

    To import all of it takes as long as to follow a few hundred frames; the solver is one compiled file of it. A
    SciPy that keeps it elsewhere has it by its public name.
    """
    package = find_spec("scipy.optimize")  # of which nothing is run
    places = None if package is None else package.submodule_search_locations
    spec = PathFinder.find_spec("_lsap", places) if places else None
    if spec is None or spec.loader is None:
        from scipy.optimize import linear_sum_assignment

        return linear_sum_assignment
    solver: Any = module_from_spec(spec)
    spec.loader.exec_module(solver)
    return solver.linear_sum_assignment  # type: ignore[no-any-return]
