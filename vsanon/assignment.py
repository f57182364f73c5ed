"""Pairs of the least total cost, as the linker, the sampler and the identities need them."""

from typing import Final

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
    if (possible.sum(axis=0) <= 1).all() and (possible.sum(axis=1) <= 1).all():
        return [(int(i), int(j)) for i, j in np.argwhere(possible)]  # no two want the same
    # Only here: importing it takes longer than all else that a short job does before its first frame.
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(cost)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if possible[i, j]]
