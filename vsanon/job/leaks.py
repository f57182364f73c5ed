"""How much of the source is left in the covered regions of an encoded file, summed up over all their frames.

In one frame a codec's noise hides what has less contrast than it. Noise does not repeat the source's detail frame
by frame, and what lies bare does. So the blocks of a region, and of each of its parts, are explained by least
squares as

    delivered = level + tilt + b * painted + c * source,

frame by frame, and what belongs to `c` is added up over time: its share of the source's detail (1 where bare, 0
where hidden), and how well that explains what else differs from the paint (its partial correlation). A codec that
flattens the paint changes `b`, and no noise has a high correlation over hundreds of blocks.

A picture has edges of its own, and what a codec makes of them does repeat, frame by frame, over the same face. So
there all planes of the paint explain each plane, as they are and smoothed over neighbours.
"""

from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon.job.painted import PaintedFrame
from vsanon.job.windows import F32

F64 = NDArray[np.float64]

LEAK_SHARE = LEAK_CORRELATION = 0.5
"""Of the source's detail, what must not be there, and how well that must explain what differs from the paint. Seen
in honest encodes of 12 frames: the lesser of both 0.37 at most; bare, in h265_crf: 0.72 in the typical part, and
0.9 and more in the one that shows most."""

PARTS = 3
"""Parts of a region across and down."""

_EXPLAINED = 4
"""What is taken out of each frame: level, two tilts, and the paint."""
_FEWEST = 9
"""Blocks of a part from which a frame of it is looked at."""
_FREEDOM = 100
"""Blocks, over all frames, from which a correlation by chance stays far below `LEAK_CORRELATION` ..."""
_LEAST_CODES = 0.22
"""... and what detail the source must have there, in codes of 255 (root mean square)."""


@dataclass(slots=True, eq=False)
class Sums:
    """Of each plane and part, and last of the whole.

    Args:
        along: what differs from the paint, times the source's own detail.
        way: the square of that detail.
        off: the square of what differs.
        freedom: blocks beyond those that any explanation takes.
    """

    along: F64
    way: F64
    off: F64
    freedom: F64

    @classmethod
    def none(cls, planes: int) -> "Sums":
        """Nothing yet."""
        return cls(*(np.zeros((planes, PARTS * PARTS + 1)) for _ in range(4)))

    def add(self, other: "Sums") -> None:
        """Add up, in place."""
        for mine, more in ((self.along, other.along), (self.way, other.way), (self.off, other.off),
                           (self.freedom, other.freedom)):  # fmt: skip
            mine += more

    @property
    def told(self) -> NDArray[np.bool_]:
        """(planes, parts) where there is enough to judge by; what is no number always is."""
        return (self.freedom >= _FREEDOM) & ~(self.way < _LEAST_CODES**2 * self.freedom)

    @property
    def share(self) -> F64:
        """Of the source's detail, how much is there."""
        return self.along / np.maximum(self.way, 1e-9)

    @property
    def correlation(self) -> F64:
        """How much of what differs from the paint that explains."""
        return self.along / np.sqrt(np.maximum(self.way * self.off, 1e-18))


def sums_of(frame: PaintedFrame, found: F32, *, sharp: bool = False) -> list[Sums]:
    """Look at the regions of a frame, all at once: its calls cost NumPy more than its sums.

    Args:
        frame: as it was painted.
        found: (planes, blocks of all cores) as delivered.
        sharp: the paint has edges of its own.
    """
    regions = frame.regions
    if not regions:
        return []
    cores = [np.flatnonzero(region.core) for region in regions]
    sizes = [len(core) for core in cores]
    starts, columns = np.cumsum([0, *sizes[:-1]]), np.repeat([region.window.columns for region in regions], sizes)
    places = np.stack(np.divmod(np.concatenate(cores), columns)[::-1])
    low, high = (
        np.repeat(least.reduceat(places, starts, axis=1), sizes, axis=1) for least in (np.minimum, np.maximum)
    )
    column, row = (places - low) * PARTS // (high + 1 - low)
    parts = np.repeat(np.arange(len(regions)), sizes) * PARTS**2 + row * PARTS + column
    middle = np.repeat(np.add.reduceat(places, starts, axis=1) / sizes, sizes, axis=1)
    order = np.argsort(parts, kind="stable")
    counts = np.bincount(parts, minlength=len(regions) * PARTS**2)
    painted, source, delivered = (values[:, order] for values in (frame.painted, frame.source, found))
    planes, n = painted.shape
    if sharp:
        smooth = _smoothed(frame.painted, places, starts)[:, order]
        explaining = np.concatenate([np.ones((1, n)), (places - middle)[:, order], painted, smooth])
        return _sums_of_sharp(explaining, source - painted, delivered - painted, counts)
    # One more, of zeros, is what parts without a block begin at where no other follows.
    values = np.zeros((6, planes, n + 1))
    values[0, :, :n], values[3, :, :n] = 1, painted
    values[1:3, :, :n] = (places - middle)[:, order][:, None]
    values[4, :, :n] = np.nan_to_num(source - painted, posinf=0, neginf=0)
    values[5, :, :n] = delivered - painted
    begins = np.cumsum(counts) - counts
    moments = np.empty((len(regions), PARTS**2 + 1, planes, 6, 6))
    for i, j in combinations_with_replacement(range(6), 2):
        own = planes if j > 2 else 1  # level and tilts are those of all planes
        sums = np.add.reduceat(values[i, :own] * values[j, :own], begins, axis=1)
        sums[:, counts == 0] = 0  # else the first block of the part that follows
        each = sums.reshape(own, len(regions), PARTS**2).transpose(1, 2, 0)
        moments[:, :-1, :, i, j] = moments[:, :-1, :, j, i] = each
    moments[:, -1] = moments[:, :-1].sum(axis=1)
    numbers = counts.reshape(len(regions), PARTS**2)
    number = np.concatenate([numbers, numbers.sum(axis=1, keepdims=True)], axis=1)
    left = moments[..., :4, :4] + 1e-6 * np.eye(4)
    rest = moments[..., 4:, 4:] - moments[..., 4:, :4] @ np.linalg.solve(left, moments[..., :4, 4:])
    rest = np.where((number >= _FEWEST)[:, :, None, None, None], rest, 0)
    freedom = np.where(number >= _FEWEST, number - _EXPLAINED, 0).astype(float)
    return [
        Sums(
            one[..., 0, 1].T,
            np.maximum(one[..., 0, 0].T, 0),
            one[..., 1, 1].T,
            np.broadcast_to(free, (planes, len(free))),
        )
        for one, free in zip(rest, freedom, strict=True)
    ]


def _smoothed(painted: F32, places: NDArray[np.int64], starts: NDArray[np.int64]) -> F64:
    """(planes, blocks of all cores) the mean of each block and its neighbours within its core."""
    ends = [*starts[1:].tolist(), painted.shape[1]]
    smooth = np.empty(painted.shape)
    for begin, end in zip(starts.tolist(), ends, strict=True):
        column, row = places[:, begin:end] - places[:, begin:end].min(axis=1, keepdims=True)
        laid = np.zeros((len(painted) + 1, int(row.max()) + 3, int(column.max()) + 3))
        laid[:-1, row + 1, column + 1], laid[-1, row + 1, column + 1] = painted[:, begin:end], 1
        around = sum(np.roll(laid, (y, x), (1, 2)) for y in (-1, 0, 1) for x in (-1, 0, 1))
        near = np.asarray(around)[:, row + 1, column + 1]
        smooth[:, begin:end] = near[:-1] / near[-1]
    return smooth


def _sums_of_sharp(
    explaining: F64, way: NDArray[np.floating[Any]], off: NDArray[np.floating[Any]], counts: NDArray[np.intp]
) -> list[Sums]:
    """The sums of each region, of blocks that are sorted by part; `explaining` is taken out of each part."""
    planes, known = len(way), len(explaining)
    blocks = np.concatenate([explaining, np.nan_to_num(way, posinf=0, neginf=0), off])
    ends = np.cumsum(counts)
    each = np.stack([blocks[:, b - c : b] @ blocks[:, b - c : b].T for b, c in zip(ends, counts, strict=True)])
    moments = each.reshape(-1, PARTS**2, *each.shape[1:])
    moments = np.concatenate([moments, moments.sum(axis=1, keepdims=True)], axis=1)
    number = counts.reshape(-1, PARTS**2)
    number = np.concatenate([number, number.sum(axis=1, keepdims=True)], axis=1)
    left, right = moments[..., :known, :known], moments[..., :known, known:]
    # Where the paint is of one colour all of it explains the same.
    inverse = np.linalg.pinv(left, rcond=1e-9, hermitian=True)
    rest = moments[..., known:, known:] - np.swapaxes(right, -1, -2) @ inverse @ right
    told = number >= _FEWEST - _EXPLAINED + known
    rest = np.where(told[..., None, None], rest, 0)
    freedom = np.where(told, number - known, 0).astype(float)
    own, other = np.arange(planes), planes + np.arange(planes)
    return [
        Sums(
            one[:, own, other].T,
            np.maximum(one[:, own, own].T, 0),
            one[:, other, other].T,
            np.broadcast_to(free, (planes, len(free))),
        )
        for one, free in zip(rest, freedom, strict=True)
    ]
