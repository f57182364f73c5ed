"""What lies around a region, less what any region covers: the mean of a ring, what its samples span, and a tone.

The mean of a ring jumps with what passes behind a region, by up to 85 codes of 255 a frame where people cross. A
*tone* is the mean of a region's rings over the frames around: it follows the light, and does not flicker.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32, iou
from vsanon.covering.colour import U8, Samples
from vsanon.covering.masks import PlaneMask
from vsanon.covering.membrane import membrane

OF_SURROUNDINGS = frozenset({"plate", "text"})
"""Classes that take the colour of their surroundings, and constant fill only (Hill 2016), in every profile but
`inpaint`, which takes nothing of theirs either."""

RING_PX = 8
"""Width of the ring that the surroundings are sampled from, luma pixels."""

TONE_REACH = 12
"""Frames to either side whose rings a tone is the mean of."""

F64 = NDArray[np.float64]


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
    mean = exact_ring_mean(plane, mask, masks, log2)
    return None if mean is None else coded(mean, is_float=plane.dtype == np.float32)


def exact_ring_mean(
    plane: Samples, mask: PlaneMask, masks: Sequence[PlaneMask], log2: tuple[int, int]
) -> float | None:
    """`ring_mean`, not rounded."""
    around, free, _ = _free(plane, _reached_by(mask, log2), masks)
    if not free.any():
        return None
    mean = float(cv2.mean(around, free)[0])
    return mean if math.isfinite(mean) else None


def coded(mean: float, *, is_float: bool) -> float:
    """The code value for a mean of samples, halves rounded up; of float samples, as it is."""
    return mean if is_float else float(math.floor(mean + 0.5))


@dataclass(frozen=True, slots=True, eq=False)
class Rings:
    """The rings around some regions of one frame.

    Args:
        xyxy: (n, 4) float32, the boxes.
        kinds: (n,) int64, the same for boxes of one class.
        means: (n, planes) float64, not rounded; NaN where nothing is left around.
        cut: a shot starts here.
    """

    xyxy: F32
    kinds: NDArray[np.int64]
    means: F64
    cut: bool = False


def tones(window: Sequence[Rings], at: int) -> F64:
    """The tones of a frame's regions: of each the mean of its rings, those of frames farther away counting less.

    A region goes on with that of the next frame which overlaps it most, if the other way round it is so, too: then
    the same regions belong together whichever frame is asked for. Names are not looked at: those of a clip that is
    followed and those of its track file differ.

    Args:
        window: frames that follow each other, `TONE_REACH` of them to either side, fewer at a clip's ends.
        at: the frame's place in the window.

    Returns:
        (n, planes) float64; NaN where none of its rings has samples.
    """
    own = window[at].means
    weights = [1 + math.cos(math.pi * k / (TONE_REACH + 1)) for k in range(TONE_REACH + 1)]
    known = np.isfinite(own)
    total, shares = np.where(known, own, 0) * weights[0], known * weights[0]
    for side in (-1, 1):
        rows = np.arange(len(own))
        for away in range(1, TONE_REACH + 1):
            here, there = at + side * (away - 1), at + side * away
            if not 0 <= there < len(window) or window[max(here, there)].cut:
                break
            rows = np.where(rows >= 0, _goes_on(window[here], window[there])[rows], -1)
            goes_on = rows >= 0
            if not goes_on.any():
                break
            means = window[there].means[rows[goes_on]]
            known = np.isfinite(means)
            total[goes_on] += np.where(known, means, 0) * weights[away]
            shares[goes_on] += known * weights[away]
    return np.where(shares > 0, total / np.where(shares > 0, shares, 1), np.nan)


def _goes_on(one: Rings, other: Rings) -> NDArray[np.int64]:
    """For each region of a frame that of its neighbour which it goes on with; -1 for none, and where two fit alike.

    One entry more, for regions that ended before.
    """
    none = np.full(len(one.kinds) + 1, -1)
    if not len(one.kinds) or not len(other.kinds):
        return none
    overlap = iou(one.xyxy, other.xyxy)
    overlap[one.kinds[:, None] != other.kinds] = 0
    most, theirs = overlap.max(axis=1), overlap.max(axis=0)
    best = (overlap == most[:, None]) & (overlap == theirs) & (overlap > 0)
    alone = (best.sum(axis=1) == 1) & (best[:, best.argmax(axis=1)].sum(axis=0) == 1)
    none[:-1][alone] = best.argmax(axis=1)[alone]
    return none


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
