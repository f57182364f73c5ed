"""What a region would look like if there were only its surroundings: a membrane spanned between the samples around.

A discrete harmonic function: coarse to fine (pull and push, Gortler 1996), and on each level relaxed towards the
mean of the four neighbours. Sums and products in a fixed order alone, which are the same on all machines.
"""

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32

SWEEPS = 10
"""How often a level is relaxed."""

Bools = NDArray[np.bool_]


def membrane(samples: F32, free: Bools) -> F32 | None:
    """The samples, those that are not free filled in from those that are.

    Args:
        samples: (h, w) float32; what is not finite counts as not free.
        free: (h, w); nothing of a sample that is not free has an influence on the result.

    Returns:
        (h, w) float32 between the least and the greatest free sample; None where none is free.
    """
    known = free & np.isfinite(samples)
    if not known.any():
        return None
    levels = [(np.where(known, samples, np.float32(0)), known)]
    while not levels[-1][1].all():
        levels.append(_coarser(*levels[-1]))
    spanned = levels[-1][0]
    for values, own in reversed(levels[:-1]):
        spanned = _relaxed(np.where(own, values, _finer(spanned, values.shape)), own)
    return spanned


def _coarser(values: F32, known: Bools) -> tuple[F32, Bools]:
    """Means of the known ones of two by two samples."""
    height, width = values.shape
    padded = ((0, height % 2), (0, width % 2))
    values, weights = np.pad(values, padded), np.pad(known.astype(np.float32), padded)

    def sums(of: F32) -> F32:
        return of[::2, ::2] + of[1::2, ::2] + of[::2, 1::2] + of[1::2, 1::2]

    count = sums(weights)
    return np.asarray(sums(values) / np.maximum(count, np.float32(1)), np.float32), count > 0


def _finer(values: F32, shape: tuple[int, ...]) -> F32:
    """Twice as many samples a side, three quarters from the nearest, one from the next."""
    for axis in (0, 1):
        ends = [(1, 1) if k == axis else (0, 0) for k in (0, 1)]
        wide = np.moveaxis(np.pad(values, ends, mode="edge"), axis, 0)
        near = wide[1:-1] * np.float32(0.75)
        twice = np.empty((2 * len(near), *near.shape[1:]), np.float32)
        twice[::2] = near + wide[:-2] * np.float32(0.25)
        twice[1::2] = near + wide[2:] * np.float32(0.25)
        values = np.moveaxis(twice, 0, axis)
    return values[: shape[0], : shape[1]]


def _relaxed(values: F32, known: Bools) -> F32:
    for _ in range(SWEEPS):
        wide = np.pad(values, 1, mode="edge")
        around = wide[:-2, 1:-1] + wide[2:, 1:-1]
        around += wide[1:-1, :-2]
        around += wide[1:-1, 2:]
        around *= np.float32(0.25)
        values = np.where(known, values, around)
    return values
