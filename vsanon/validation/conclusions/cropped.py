"""Whether the pictures of one source are parts of those of another by their looks: cut, mirrored or upside down."""

from collections.abc import Sequence
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

I32 = NDArray[np.int32]

LEAST_PICTURES, LEAST_BITS = 8, 400
"""Of fewer pictures, or of fewer bits that both are sure of, over all pictures, nothing is said."""
CUT_SHARE = 0.2
"""How large a share of them may differ. Of 15 real clips, each cut in eight ways by 5 % of two sides to half of
both, every other one upside down, 86 of 120 copies are told; in 29 of the others too little moves, and 5 are cut to
half of both sides. Of 182 pairs of different clips none comes closer than 0.219."""
_SCALES = (1.0, 0.92, 0.84, 0.76, 0.68, 0.6, 0.52)
"""What is left of a side that was cut; ..."""
_ASPECT = 0.17
"""... by how much that may differ between width and height."""
_STILL = 0.8
"""A bit that says the same in more of the pictures than in the others by this share is one of what stands still,
which other footage of the same camera shows as well: it is left out."""


def is_part(whole: Sequence[tuple[int, int]], part: Sequence[tuple[int, int]], side: int) -> bool:
    """Whether, picture by picture, `part` shows what stands in one and the same place of `whole`.

    Args:
        whole: of each picture its bits, and which of them are sure, `side` x `side` as in `footage`.
        part: of as many pictures of the other source, in their order.
    """
    return difference(whole, part, side) <= CUT_SHARE


def difference(whole: Sequence[tuple[int, int]], part: Sequence[tuple[int, int]], side: int) -> float:
    """The share of bits that differ in the place that fits best; 1 where too few are known to tell."""
    if len(whole) != len(part) or len(part) < LEAST_PICTURES:
        return 1.0
    one = _moving(whole, side)
    best = 1.0
    for other in _turned(_moving(part, side)):
        flat, cells = [signs.reshape(len(signs), -1) for signs in (one, other)], np.arange(side * side)
        # Of each cell of one picture with each of the other: in how many pictures both are known, and alike.
        known = (abs(flat[0]).T @ abs(flat[1]))[_places(side), cells].sum(axis=1)
        alike = (flat[0].T @ flat[1])[_places(side), cells].sum(axis=1)
        enough = known >= LEAST_BITS
        best = min(best, float(((1 - alike[enough] / known[enough]) / 2).min(initial=1.0)))
    return best


def _moving(looks: Sequence[tuple[int, int]], side: int) -> I32:
    """(n, side, side): 1 where a picture gets brighter to the right, -1 darker, 0 not known or standing still."""
    count = side * side
    bits = np.array([[int(d) for d in f"{look:0{count}b}{sure:0{count}b}"] for look, sure in looks], np.int32)
    signs = ((2 * bits[:, :count] - 1) * bits[:, count:]).reshape(-1, side, side)
    still = abs(signs.sum(axis=0)) >= _STILL * abs(signs).sum(axis=0)
    return np.asarray(np.where(still, 0, signs), np.int32)


def _turned(signs: I32) -> tuple[I32, ...]:
    """As it is, mirrored, upside down, and both, which is half a turn."""
    return signs, -signs[:, :, ::-1], signs[:, ::-1], -signs[:, ::-1, ::-1]


@cache
def _places(side: int) -> NDArray[np.int16]:
    """(places, side * side): which cell of the whole lies below each cell of a part; by half cells."""
    found = []
    for across, down in product(_SCALES, _SCALES):
        if abs(across - down) > _ASPECT:
            continue
        columns, rows = _along(across, side), _along(down, side)
        found += [(row[:, None] * side + column).ravel() for row, column in product(rows, columns)]
    return np.array(found, np.int16)


def _along(scale: float, side: int) -> list[NDArray[np.int64]]:
    steps = round((1 - scale) * side * 2)
    starts = [(1 - scale) * side * k / max(steps, 1) for k in range(steps + 1)]
    return [np.minimum(start + (np.arange(side) + 0.5) * scale, side - 1).astype(np.int64) for start in starts]
