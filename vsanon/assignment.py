"""Pairs of the least total cost, as the linker, the sampler and the identities need them."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

NEVER: Final = 1e6
"""The cost of two that can't be a pair."""

_FEW = 8
"""Rows of which two want the same column, at most, and ..."""
_WAYS = 200
"""... ways to pair a group of them, for all to be tried one by one; ..."""
_CLEAR = 1e-6
"""... one of them must cost so much less than all others: sums that differ by less may be rounded the other way."""

_Pairs = list[tuple[int, int]]


def assign(cost: NDArray[np.floating]) -> _Pairs:
    """The pairs (row, column) of the least total cost, by row, without those at `NEVER`.

    Args:
        cost: (n, m), finite; all but `NEVER` are small beside it.
    """
    possible = cost < NEVER
    wanted = possible.sum(axis=0)
    shared = (possible.sum(axis=1) > 1) | (possible & (wanted > 1)).any(axis=1)
    found = [(int(i), int(j)) for i, j in np.argwhere(possible & ~shared[:, None])]
    if not shared.any():
        return found  # no two want the same
    few = np.flatnonzero(shared).tolist()
    for group in _groups(possible, few) if len(few) <= _FEW else ():
        best = _best({i: {j: float(cost[i, j]) for j in columns} for i, columns in group.items()})
        if best is None:
            break
        found += best
        few = [i for i in few if i not in group]
    if not few:
        return sorted(found)
    # Only here: importing it takes longer than all else that a short job does before its first frame.
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(cost)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if possible[i, j]]


def _groups(possible: NDArray[np.bool_], rows: Sequence[int]) -> Iterator[dict[int, list[int]]]:
    """The rows that want the same columns, directly or by way of others, each with the columns that it can have."""
    left = {i: np.flatnonzero(possible[i]).tolist() for i in rows}
    while left:
        first = next(iter(left))
        group, taken = {first: left.pop(first)}, possible[first].copy()
        while joined := [i for i in left if taken[left[i]].any()]:
            for i in joined:
                group[i] = left.pop(i)
                taken |= possible[i]
        yield group


def _best(costs: dict[int, dict[int, float]]) -> _Pairs | None:
    """The most pairs of a group, for the least cost; None where there are many ways, or two are alike."""
    ways: list[tuple[float, _Pairs]] = [(0.0, [])]
    for i, own in costs.items():
        more = [
            (total + c, [*pairs, (i, j)])
            for total, pairs in ways
            for j, c in own.items()
            if all(j != taken for _, taken in pairs)
        ]
        ways += more
        if len(ways) > _WAYS:
            return None
    most = max(len(pairs) for _, pairs in ways)
    (least, best), *others = sorted((total, pairs) for total, pairs in ways if len(pairs) == most)
    return best if not others or others[0][0] - least > _CLEAR * max(1.0, abs(least)) else None
