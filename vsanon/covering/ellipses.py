"""Ellipses and superellipses as weights: of all of a frame at once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon.covering.ramps import F64, STEPS, spans
from vsanon.covering.shapes import Edges

Steps = NDArray[np.uint16]

_AT_ONCE = 1 << 17
"""Samples whose weights are worked out at once, about."""


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse or a superellipse: of which box, its middle, half its axes, its ramp, and what that may reach."""

    number: int
    middle: tuple[float, float]
    half: tuple[float, float]
    feather_px: float
    x: int
    y: int
    width: int
    height: int

    @property
    def is_endless(self) -> bool:
        """Whether it is too large for its function to be worked out: all that it may reach lies in it."""
        return not all(math.isfinite(side) and side < 1e15 for side in self.half)


def ellipse_around(
    number: int, box: Edges, grown: Edges, feather_px: float, size: tuple[int, int], *, fourth: bool
) -> Ellipse:
    """An ellipse that is wide enough for what must be in it.

    Args:
        number: of the box.
        box: what must be in it.
        grown: what it is inscribed in, where that is wide enough.
        feather_px: width of its ramp.
        size: (width, height) of the frame.
        fourth: it is a superellipse of the fourth order.
    """
    (left, top), (right, bottom) = grown[:2], grown[2:]
    across, down = max((right - left) / 2, 0.5), max((bottom - top) / 2, 0.5)
    centre_x, centre_y = (left + right) / 2, (top + bottom) / 2
    u = max(((box[0] - centre_x) / across) ** 2, ((box[2] - centre_x) / across) ** 2)
    v = max(((box[1] - centre_y) / down) ** 2, ((box[3] - centre_y) / down) ** 2)
    farthest = u * u + v * v if fourth else u + v
    if farthest > 1:
        widened = _root(farthest, math.sqrt, fourth=fourth) * (1 + 1e-9)
        across, down = across * widened, down * widened
    edges = (centre_x - across, centre_y - down, centre_x + across, centre_y + down)
    (x, stop_x), (y, stop_y) = spans(edges, feather_px, size)
    return Ellipse(number, (centre_x, centre_y), (across, down), feather_px, x, y, stop_x - x, stop_y - y)


def _root(level: Any, root: Any, *, fourth: bool) -> Any:
    return root(root(level)) if fourth else root(level)


def weights_of(ellipses: Sequence[Ellipse], *, fourth: bool) -> list[Steps]:
    """The (height, width) weights of ellipses, of products and square roots alone, the same on all machines."""
    found: list[Steps] = []
    while rest := ellipses[len(found) :]:
        # As many as stay in a processor's cache.
        samples = np.cumsum([e.width * e.height for e in rest])
        found += _few(rest[: max(int((samples <= _AT_ONCE).sum()), 1)], fourth=fourth)
    return found


def _few(ellipses: Sequence[Ellipse], *, fourth: bool) -> list[Steps]:
    """The samples of all of them lie one after the other, row by row."""
    (off_x, less_x, slope_x), (off_y, less_y, slope_y) = (_off(ellipses, axis, fourth=fourth) for axis in (0, 1))
    part_x, part_y = less_x * off_x, less_y * off_y
    widths, heights = np.array([e.width for e in ellipses]), np.array([e.height for e in ellipses])
    starts, columns, rows = (np.cumsum(n) - n for n in (widths * heights, widths, heights))
    level = np.empty(int(starts[-1] + widths[-1] * heights[-1]))
    places = [*zip(starts.tolist(), columns.tolist(), rows.tolist(), ellipses, strict=True)]
    for start, column, row, e in places:
        own = level[start : start + e.width * e.height].reshape(e.height, e.width)
        np.add(part_y[row : row + e.height, None], part_x[column : column + e.width], out=own)
    outside = level >= 1
    steps = np.multiply(~outside, STEPS, dtype=np.uint16)
    # Let r be the root of the level, and m the lesser half axis. The gradient of the function is r³ / m at most (of
    # an ellipse r / m), as a norm of the sixth order is no greater than that of the fourth: so the distance is
    # (r - 1) m at least, there is no weight from r = 1 + f / m on, and what lies beyond need not be worked out.
    reach = 1 + max(max(e.feather_px, 0) / min(e.half) for e in ellipses)
    at = np.flatnonzero(outside & (level < (reach**4 if fourth else reach**2)))
    counts = np.diff(np.append(np.searchsorted(at, starts), len(at)))
    first, width, column, row = (np.repeat(v, counts) for v in (starts, widths, columns, rows))
    down, across = np.divmod(at - first, width)
    far = _root(level[at], np.sqrt, fourth=fourth)
    slope = np.sqrt(slope_y[row + down] + slope_x[column + across])
    away = (far - 1) * (far * far * far if fourth else far) / slope
    ramped = [e.feather_px > 0 for e in ellipses]
    most = np.repeat([STEPS if r else 0.0 for r in ramped], counts)
    each = np.repeat([STEPS / e.feather_px if r else 0.0 for r, e in zip(ramped, ellipses, strict=True)], counts)
    steps[at] = np.maximum(np.rint(most - away * each), 0).astype(np.uint16)
    return [steps[start : start + e.width * e.height].reshape(e.height, e.width) for start, _, _, e in places]


def _off(ellipses: Sequence[Ellipse], axis: int, *, fourth: bool) -> tuple[F64, F64, F64]:
    """How far the columns (axis 0) or rows of all ellipses lie from the middle of their own, in half axes.

    Of each pixel, the point nearest to the middle: it touches the ellipse if that point lies within.

    Returns:
        That, to one less than the order, and the squared part of it in the gradient.
    """
    counts = [e.height if axis else e.width for e in ellipses]
    ends = np.cumsum(counts)
    first = [(e.y if axis else e.x) - end + count for e, end, count in zip(ellipses, ends, counts, strict=True)]
    at = np.arange(ends[-1], dtype=np.float64) + np.repeat(np.array(first, np.float64), counts)
    middle, half = (np.repeat([values[axis] for values in each], counts)
                    for each in ([e.middle for e in ellipses], [e.half for e in ellipses]))  # fmt: skip
    off = np.maximum(np.abs(at + 0.5 - middle) - 0.5, 0) / half
    less = off * off * off if fourth else off
    return off, less, (less / half) ** 2
