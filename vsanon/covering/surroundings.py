"""What lies around a region, less what any region covers: the mean of a ring, and what its samples span."""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from vsanon.boxes import F32
from vsanon.covering.colour import U8, Samples
from vsanon.covering.masks import PlaneMask
from vsanon.covering.membrane import membrane

OF_SURROUNDINGS = frozenset({"plate", "text"})
"""Classes that take the colour of their surroundings, and constant fill only (Hill 2016), in every profile but
`inpaint`, which takes nothing of theirs either."""

RING_PX = 8
"""Width of the ring that the surroundings are sampled from, luma pixels."""


def ring_mean(plane: Samples, mask: PlaneMask, masks: Sequence[PlaneMask], log2: tuple[int, int]) -> float | None:
    """The mean of a ring around a mask's window, less what any mask covers; None where nothing is left.

    Args:
        plane: (H, W) samples, before any region is painted.
        mask: one of the masks.
        masks: of all regions on the plane.
        log2: subsampling of the plane, horizontally and vertically.

    Returns:
        A code value, halves rounded up; of float samples, as it is.
    """
    around, free, _ = _free(plane, _reached_by(mask, log2), masks)
    if not free.any():
        return None
    mean = float(cv2.mean(around, free)[0])
    if not math.isfinite(mean):
        return None
    return mean if plane.dtype == np.float32 else float(math.floor(mean + 0.5))


def spanned(plane: Samples, mask: PlaneMask, masks: Sequence[PlaneMask], log2: tuple[int, int]) -> F32 | None:
    """The membrane under a mask and all that meet it, so that there is no seam where they do.

    Args:
        plane, mask, masks, log2: as for `ring_mean`.

    Returns:
        (h, w) float32 samples of the mask's window; None where nothing lies around.
    """
    whole, left = _reached_by(mask, log2), list(masks)
    while met := [m for m in left if _meet(whole, _window_of(m))]:
        left = [m for m in left if m not in met]
        for one in met:
            top, start, bottom, stop = _reached_by(one, log2)
            whole = min(whole[0], top), min(whole[1], start), max(whole[2], bottom), max(whole[3], stop)
    around, free, (top, start) = _free(plane, whole, masks)
    filled = membrane(around.astype(np.float32), free > 0)
    y, x = mask.y - top, mask.x - start
    return None if filled is None else filled[y : y + mask.steps.shape[0], x : x + mask.steps.shape[1]]


_Window = tuple[int, int, int, int]
"""Top, left, bottom, right, end-exclusive, in samples."""


def _window_of(mask: PlaneMask) -> _Window:
    return mask.y, mask.x, mask.y + mask.steps.shape[0], mask.x + mask.steps.shape[1]


def _reached_by(mask: PlaneMask, log2: tuple[int, int]) -> _Window:
    """A mask's window and the ring around it."""
    reach_x, reach_y = (max(RING_PX >> s, 1) for s in log2)
    top, left, bottom, right = _window_of(mask)
    return top - reach_y, left - reach_x, bottom + reach_y, right + reach_x


def _meet(one: _Window, other: _Window) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _free(plane: Samples, window: _Window, masks: Sequence[PlaneMask]) -> tuple[Samples, U8, tuple[int, int]]:
    """The samples of a window, 1 where no mask has weight, and where it begins in the plane."""
    top, left = max(window[0], 0), max(window[1], 0)
    around = plane[top : window[2], left : window[3]]
    free = np.ones(around.shape, np.uint8)
    for other in masks:
        y0, x0 = max(other.y, top), max(other.x, left)
        y1 = min(other.y + other.steps.shape[0], top + free.shape[0])
        x1 = min(other.x + other.steps.shape[1], left + free.shape[1])
        if y0 < y1 and x0 < x1:
            covered = other.steps[y0 - other.y : y1 - other.y, x0 - other.x : x1 - other.x] > 0
            free[y0 - top : y1 - top, x0 - left : x1 - left][covered] = 0
    return around, free, (top, left)
