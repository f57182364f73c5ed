"""Zones of a frame that are not searched: what is left to search, and which boxes lie in them."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32, area
from vsanon.errors import InputError

Zone = tuple[int, int, int, int]
"""Left, top, right, bottom, pixels of the frame, end-exclusive."""

HELD = 0.9
"""A box lies in a zone that holds this share of it; what reaches further out is covered."""


def area_left(size: tuple[int, int], zones: Sequence[Zone], step: tuple[int, int] = (1, 1)) -> Zone:
    """The smallest rectangle that holds all that no zone covers, rounded outward to multiples of `step`.

    Args:
        size: (width, height) of the frame, pixels; multiples of `step`.

    Raises:
        InputError: a zone is no rectangle of whole pixels within the frame, or nothing is left.
    """
    width, height = size
    for zone in zones:
        whole = isinstance(zone, Sequence) and len(zone) == 4 and all(isinstance(v, int) for v in zone)
        if not whole or not (0 <= zone[0] < zone[2] <= width and 0 <= zone[1] < zone[3] <= height):
            raise InputError(
                f"a zone to ignore is x0, y0, x1, y1 in whole pixels within {width}x{height}, got {zone!r}"
            )
    xs = sorted({0, width, *(z[0] for z in zones), *(z[2] for z in zones)})
    ys = sorted({0, height, *(z[1] for z in zones), *(z[3] for z in zones)})
    left = [
        (x0, y0, x1, y1)
        for x0, x1 in pairwise(xs)
        for y0, y1 in pairwise(ys)
        if not any(z[0] <= x0 and z[1] <= y0 and x1 <= z[2] and y1 <= z[3] for z in zones)
    ]
    if not left:
        raise InputError("the zones to ignore leave nothing of the frame to search")
    low = [min(cell[axis] for cell in left) // step[axis] * step[axis] for axis in (0, 1)]
    high = [-(-max(cell[2 + axis] for cell in left) // step[axis]) * step[axis] for axis in (0, 1)]
    return low[0], low[1], high[0], high[1]


def in_zones(xyxy: F32, zones: Sequence[Zone]) -> NDArray[np.bool_]:
    """Which boxes lie in a zone, (n,) bool; a box without area does not."""
    held = np.zeros(len(xyxy), bool)
    for x0, y0, x1, y1 in zones:
        part = np.clip(xyxy, [x0, y0, x0, y0], [x1, y1, x1, y1]).astype(np.float32)
        held |= (area(xyxy) > 0) & (area(part) >= HELD * area(xyxy))
    return held
