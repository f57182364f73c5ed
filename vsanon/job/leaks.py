"""How much of the source is left in the covered regions of an encoded file, summed up over all their frames.

In one frame a codec's noise hides what has less contrast than it. Noise does not repeat the source's detail frame
by frame, and what lies bare does. So the blocks of a region, and of each of its parts, are explained by least
squares as

    delivered = level + tilt + b * painted + c * source,

frame by frame, and what belongs to `c` is added up over time: its share of the source's detail (1 where bare, 0
where hidden), and how well that explains what else differs from the paint (its partial correlation). A codec that
flattens the paint changes `b`. Noise that is copied from frame to frame, as codecs copy what hardly changes, is so
many times the same noise: over the thousands of parts of a long film some correlates by chance, and only what is
clear of that counts.

A picture has edges of its own, and what a codec makes of them does repeat, frame by frame, over the same face. So
there all planes of the paint explain each plane, as they are and smoothed over neighbours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon.job.painted import PaintedFrame
from vsanon.job.windows import F32, Stack
from vsanon.scratch import Scratch

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
_CLEAR = 12.0
"""The t of a correlation, r sqrt(f / (1 - r²)) with f blocks of freedom, from which on it is no chance. Of 11,000
parts of an honest encode (525 frames of a crowd) the best had 8.4, with r 0.43 and a share of 0.85 of 0.3 codes of
chroma; with boxes that another provider had found one passed 0.5 in both, and a good file was refused. Of 90 tracks
that were noticed when they were laid bare on four clips, faces, their middles and their chroma alone, in H.264 and
H.265, each has a part of 14 and more."""


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
    def packed(self) -> bytes:
        """To the bit."""
        return np.stack([self.along, self.way, self.off, self.freedom]).tobytes()

    @classmethod
    def unpacked(cls, packed: bytes) -> "Sums":
        """From what `packed` gives."""
        return cls(*np.frombuffer(bytearray(packed)).reshape(4, -1, PARTS * PARTS + 1))

    @property
    def told(self) -> NDArray[np.bool_]:
        """(planes, parts) where there is enough to judge by; what is no number always is."""
        return (self.freedom >= _FREEDOM) & ~(self.way < _LEAST_CODES**2 * self.freedom)

    @property
    def clear(self) -> NDArray[np.bool_]:
        """(planes, parts) where no copied noise has such a correlation by chance; what is no number is clear."""
        r2 = np.minimum(self.correlation**2, 1)
        return ~(r2 * self.freedom < _CLEAR**2 * (1 - r2))

    @property
    def share(self) -> F64:
        """Of the source's detail, how much is there."""
        return self.along / np.maximum(self.way, 1e-9)

    @property
    def correlation(self) -> F64:
        """How much of what differs from the paint that explains."""
        return self.along / np.sqrt(np.maximum(self.way * self.off, 1e-18))


class TrackSums:
    """The sums of every track. What was not added to for long lies on the disk of temporary files: of a long film
    there are tens of thousands.

    Args:
        most: so many stay in memory.
    """

    def __init__(self, most: int = 512) -> None:
        self.planes, self._most = 0, most
        self._near: dict[str, Sums] = {}
        self._places: dict[str, int | None] = {}
        self._scratch = Scratch("what the file shows of its tracks could not be kept for the check of all frames")

    def __len__(self) -> int:
        return len(self._places)

    def add(self, name: str, sums: Sums) -> None:
        """Add up what a frame shows of a track.

        Raises:
            CheckError: the disk of temporary files is full.
        """
        self.planes = len(sums.way)
        own = self._near.pop(name) if name in self._near else self._read(self._places.get(name))
        own.add(sums)
        self._near[name], self._places[name] = own, None
        if len(self._near) > self._most:
            oldest = next(iter(self._near))
            self._places[oldest] = self._scratch.append(self._near.pop(oldest).packed)

    def items(self) -> Iterator[tuple[str, Sums]]:
        """Each track and its sums, in the order in which they came first."""
        for name, place in self._places.items():
            yield name, self._near[name] if place is None else self._read(place)

    def _read(self, place: int | None) -> Sums:
        none = Sums.none(self.planes)
        return none if place is None else Sums.unpacked(self._scratch.read(place, len(none.packed)))


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
    sizes = [int(np.count_nonzero(region.core)) for region in regions]
    starts = np.cumsum([0, *sizes[:-1]])
    stack = Stack([region.window for region in regions])
    at = np.flatnonzero(stack.cores([region.core for region in regions]))
    places = np.stack(np.divmod(at, stack.shape[1])[::-1])  # rows of all windows: only differences are looked at
    low, high = (least.reduceat(places, starts, axis=1) for least in (np.minimum, np.maximum))
    column, row = (places - np.repeat(low, sizes, axis=1)) * PARTS // np.repeat(high + 1 - low, sizes, axis=1)
    parts = np.repeat(np.arange(len(regions)) * PARTS**2, sizes) + row * PARTS + column
    middle = np.repeat(np.add.reduceat(places, starts, axis=1) / sizes, sizes, axis=1)
    counts = np.bincount(parts, minlength=len(regions) * PARTS**2)
    # Numbers of 16 bits are sorted by their digits, which is quick.
    order = np.argsort(parts.astype(np.uint16) if len(counts) <= 2**16 else parts, kind="stable")
    tilts = np.take(places - middle, order, axis=1)
    painted, source, delivered = (np.take(values, order, axis=1) for values in (frame.painted, frame.source, found))
    planes, n = painted.shape
    if sharp:
        smooth = np.take(_smoothed(frame.painted, places, starts), order, axis=1)
        explaining = np.concatenate([np.ones((1, n)), tilts, painted, smooth])
        return _sums_of_sharp(explaining, source - painted, delivered - painted, counts)
    # A last column of zeros is where last parts without a block begin. Level and tilts are those of all planes.
    values = np.zeros((3 * planes + 3, n + 1))
    values[0, :n], values[1:3, :n], values[3 : 3 + planes, :n] = 1, tilts, painted
    values[3 + planes : 3 + 2 * planes, :n] = np.nan_to_num(source - painted, posinf=0, neginf=0)
    values[3 + 2 * planes :, :n] = delivered - painted
    ends = [0, 1, 2, 3, *(3 + k * planes for k in (1, 2, 3))]
    each = [values[a:b] for a, b in pairwise(ends)]
    begins, product = np.cumsum(counts) - counts, np.empty((planes, n + 1))
    left = {}
    for i, j in combinations_with_replacement(range(len(each)), 2):
        of = each[j] if i == 0 else np.multiply(each[i], each[j], out=product[: len(each[j])])
        sums = np.add.reduceat(of, begins, axis=1)
        sums[:, counts == 0] = 0  # else the first block of the part that follows
        left[i, j] = _with_whole(sums.reshape(-1, len(regions), PARTS**2))
    for k in range(_EXPLAINED):
        left[k, k] = left[k, k] + 1e-6
    # Taken out one after the other, as in Gauss's elimination of the symmetric matrices of all parts at once.
    for k in range(_EXPLAINED):
        for i in range(k + 1, len(each)):
            share = left[k, i] / left[k, k]
            for j in range(i, len(each)):
                left[i, j] = left[i, j] - share * left[k, j]
    number = _with_whole(counts.reshape(len(regions), PARTS**2))
    told = number >= _FEWEST
    along, way, off = (np.where(told, left[pair], 0).swapaxes(0, 1) for pair in ((4, 5), (4, 4), (5, 5)))
    freedom = np.where(told, number - _EXPLAINED, 0).astype(float)
    return [
        Sums(one, np.maximum(squares, 0), rest, np.broadcast_to(free, (planes, len(free))))
        for one, squares, rest, free in zip(along, way, off, freedom, strict=True)
    ]


def _with_whole(parts: NDArray[Any]) -> NDArray[Any]:
    """The values of each part, along the last axis, and last their sum."""
    return np.concatenate([parts, parts.sum(axis=-1, keepdims=True)], axis=-1)


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
    number = _with_whole(counts.reshape(-1, PARTS**2))
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
