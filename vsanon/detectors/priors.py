"""Square priors on a grid of cells, and the boxes that are told relative to them: SSD's encoding.

Formula: Liu et al. 2016, "SSD: single shot multibox detector" (arXiv 1512.02325), section 2.2, with the
variances of its authors' code.
"""

from functools import lru_cache

import numpy as np

from vsanon.boxes import F32

VARIANCES = (0.1, 0.2)

Sides = tuple[tuple[int, tuple[int, ...]], ...]
"""Stride of each level, pixels, and the sides of the priors on each of its cells, pixels."""


@lru_cache(maxsize=16)
def squares(width: int, height: int, sides: Sides) -> F32:
    """The priors `cx, cy, side` of a picture, (n, 3) float32 pixels: by stride, row, column, side; read only."""
    levels = []
    for stride, of_cell in sides:
        y, x, side = np.meshgrid(np.arange(height // stride), np.arange(width // stride), of_cell, indexing="ij")
        levels.append(np.stack([(x + 0.5) * stride, (y + 0.5) * stride, side], axis=-1).reshape(-1, 3))
    priors = np.concatenate(levels).astype(np.float32)
    priors.flags.writeable = False
    return priors


def decode(loc: F32, priors: F32) -> F32:
    """Boxes, (n, 4) float32 pixels, not clipped.

    Args:
        loc: (n, 4 or more) float32; the centre's offset right and down in sides of the prior, the log of
            width and height in the same sides, each divided by its variance.
        priors: (n, 3) float32, as `squares` gives them.
    """
    side = priors[:, 2:]
    center = priors[:, :2] + loc[:, :2] * VARIANCES[0] * side
    half = np.exp(loc[:, 2:4] * VARIANCES[1]) * side / 2
    return np.concatenate([center - half, center + half], axis=1).astype(np.float32)
