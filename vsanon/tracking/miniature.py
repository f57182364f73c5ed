"""The miniature of a frame: a small grey picture of it, which says what its boxes belong to; pure."""

import numpy as np
from numpy.typing import NDArray

U16 = NDArray[np.uint16]

SIDE = 32
"""Samples on the longer side of a miniature."""
LEVELS = 16
"""Between a miniature's least and greatest sample, where it is kept in a file."""


def miniature_size(size: tuple[int, int]) -> tuple[int, int]:
    """(width, height) in samples of the miniatures of frames of this size."""
    width, height = size
    share = min(width, height) / max(width, height)
    short = max(4, round(SIDE * share))
    return (SIDE, short) if width >= height else (short, SIDE)


def rounded(miniature: U16) -> U16:
    """A miniature as a file keeps it, in `LEVELS` steps; rounding it again changes nothing.

    Args:
        miniature: (h, w) uint16.
    """
    least, greatest = int(miniature.min()), int(miniature.max())
    return unpacked(least, greatest, levels_of(miniature))


def levels_of(miniature: U16) -> NDArray[np.uint8]:
    """(h, w) uint8, the level of each sample between the least and the greatest."""
    least, greatest = int(miniature.min()), int(miniature.max())
    steps = (miniature.astype(np.float64) - least) * ((LEVELS - 1) / max(greatest - least, 1))
    return np.rint(steps).astype(np.uint8)


def unpacked(least: int, greatest: int, levels: NDArray[np.uint8]) -> U16:
    """The miniature of these levels."""
    return np.rint(least + levels * ((greatest - least) / (LEVELS - 1))).astype(np.uint16)
