"""How much of the source is left in the covered regions of an encoded file, summed up over all their frames.

In one frame a codec's noise hides what has less contrast than it. Noise does not repeat the source's detail frame
by frame, and what lies bare does. So the blocks of a region, and of each of its parts, are explained by least
squares as

    delivered = level + tilt + b * painted + c * source,

frame by frame, and what belongs to `c` is added up over time: its share of the source's detail (1 where bare, 0
where hidden), and how well that explains what else differs from the paint (its partial correlation). A codec that
flattens the paint changes `b`, and no noise has a high correlation over hundreds of blocks.
"""

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from vsanon.job.block_means import F32
from vsanon.job.painted import PaintedFrame

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


def sums_of(frame: PaintedFrame, found: F32) -> list[Sums]:
    """Look at the regions of a frame, all at once: its calls cost NumPy more than its sums.

    Args:
        frame: as it was painted.
        found: (planes, blocks of all cores) as delivered.
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
