"""The averaged swatches that a box is painted from, and their frozen noise."""

import functools
import math

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32, as_boxes
from vsanon.covering.colour import U8
from vsanon.detections import SWATCHES, noisy

EMPTY_SWATCH = 128

FLAT_PX, AVERAGED_PX = 24, 48
"""Smaller sides of a box, pixels: up to the first all its swatches are one, from the second on they are its own."""


def sample_swatches(rgb: U8, xyxy: F32, n_frame: int, seed: int) -> U8:
    """The colours that `soft` paints from: area averages of at most 5x5 swatches a box, with noise.

    The noise is a function of (seed, n_frame, index of the box) alone. It hides little from someone who knows
    the seed; what protects is that 25 averages are left, and that the caller holds them over a track's
    frames.

    Args:
        rgb: (3, H, W) uint8.
        xyxy: (n, 4) float32, pixels of `rgb`, end-exclusive; a pixel that a box touches counts whole.
        n_frame: the frame, >= 0.
        seed: >= 0.

    Returns:
        (n, 5, 5, 3) uint8; mid grey for a box that is empty or wholly outside.

    Raises:
        ValueError: the shapes do not fit, or `n_frame` or `seed` is negative.
    """
    xyxy = as_boxes(xyxy)
    if rgb.ndim != 3 or rgb.shape[0] != 3:
        raise ValueError(f"the picture must be (3, H, W), got {rgb.shape}")
    height, width = rgb.shape[1:]
    swatches = np.full((len(xyxy), SWATCHES, SWATCHES, 3), EMPTY_SWATCH, np.uint8)
    # NumPy promises the raw stream for ever, which it does not for a Generator's distributions (NEP 19). That of a
    # box is the same however many come after it.
    noise = np.random.PCG64([seed, n_frame]).random_raw(swatches.size).reshape(len(xyxy), SWATCHES * SWATCHES * 3)
    inside = np.clip(xyxy, 0, [width, height, width, height])
    seen = np.flatnonzero((inside[:, :2] < inside[:, 2:]).all(axis=1))
    if len(seen):
        means = [
            _area_average(rgb[:, math.floor(y0) : math.ceil(y1), math.floor(x0) : math.ceil(x1)])
            for x0, y0, x1, y1 in inside[seen].tolist()
        ]
        swatches[seen] = noisy(np.stack(means), noise[seen])
    return swatches


def faded(swatches: U8, xyxy: F32) -> U8:
    """The swatches of boxes, those of small ones gone over into their mean: 25 are too many for them.

    By a share of the smaller side, 0 at `FLAT_PX` and 1 at `AVERAGED_PX`. For what is averaged over the frames of a
    track afterwards, see `tracking.steady`: a size that changes from frame to frame would strobe.

    Args:
        swatches: (n, 5, 5, 3) uint8.
        xyxy: (n, 4), pixels.
    """
    sides = np.minimum(xyxy[:, 2] - xyxy[:, 0], xyxy[:, 3] - xyxy[:, 1]).astype(np.float64)
    shares = np.rint(256 * np.clip((sides - FLAT_PX) / (AVERAGED_PX - FLAT_PX), 0, 1)).astype(np.int64)
    share = shares[:, None, None, None]
    mean = (2 * swatches.sum(axis=(1, 2), dtype=np.int64, keepdims=True) + SWATCHES**2) // (2 * SWATCHES**2)
    return np.asarray((mean * (256 - share) + swatches.astype(np.int64) * share + 128) >> 8, np.uint8)


def _area_average(crop: U8) -> NDArray[np.int64]:
    """(5, 5, 3) integer means of a (3, h, w) crop; exact, so that no machine rounds another way."""
    for axis in (1, 2):
        if crop.shape[axis] < SWATCHES:
            crop = np.repeat(crop, SWATCHES, axis=axis)
    (rows, heights), (columns, widths) = (_swatches_of(crop.shape[axis]) for axis in (1, 2))
    sums = np.add.reduceat(np.add.reduceat(crop, rows, axis=1, dtype=np.int64), columns, axis=2)
    count = heights[:, None] * widths
    means: NDArray[np.int64] = ((2 * sums + count) // (2 * count)).transpose(1, 2, 0)
    return means


@functools.lru_cache(maxsize=4096)
def _swatches_of(length: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where the swatches of one side begin, and how long they are; not to be written to."""
    edges = np.arange(SWATCHES + 1) * length // SWATCHES
    return edges[:-1], np.diff(edges)
