"""What is wrong with the paint of one region in one plane: other colours, mixed cells, detail of the source."""

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32
from vsanon.covering.masks import PlaneMask
from vsanon.covering.ramps import STEPS
from vsanon.covering.shapes import Edges
from vsanon.covering.surroundings import RING_PX
from vsanon.detections import SWATCHES
from vsanon.job.regions import Region

COPIED = 4
"""Side, in samples, of the least piece that may not be the source's own, where that has detail."""

DETAIL = 2.0
"""Codes by which a sample stands out of those around it, and so is detail."""

RANGE = 3
"""Codes between the least and the greatest sample of a piece that has detail."""

TILE = 8
"""Side of the tiles whose detail is compared, samples."""

DETAIL_SHARE, DETAIL_CORRELATION = 0.4, 0.9
"""A tile that keeps more than this of the source's detail, and hardly any other, shows it. Bare, both are 1; by
paint that covers half, the share is 0.5."""

_FINE_FROM = 20
"""The least side, in samples, of a region whose paint is so smooth that its detail can be compared."""

_ENERGY = 64.0
"""Squared detail, in codes, that a tile must have to be judged: rounding then moves its share by 0.03."""

_FINE_REACH = 2
"""How far a sample's detail hangs on others, samples."""

_FEWEST = 16
"""The least samples of a tile that are judged: an edge of a mosaic's cell looks like any two samples of noise."""


Bools = NDArray[np.bool_]


def look(
    now: NDArray[Any],
    was: NDArray[Any],
    masks: Sequence[PlaneMask],
    i: int,
    regions: Sequence[Region],
    paint: tuple[Any, tuple[F32, F32] | None, tuple[float, float] | None],
    shares: tuple[float, float],
    bits: int,
) -> tuple[str, bool]:
    """What is wrong with a region in one plane, in words, and whether anything wrong could have been seen.

    Args:
        paint: the code value of the fill, and where there are such the picture over it and its tones, see `Region`.
        shares: samples of the plane for each luma sample, across and down.
    """
    mask, method, is_float = masks[i], regions[i].method, now.dtype == np.float32
    core = mask.steps == STEPS
    painted, source = now[mask.window], was[mask.window]
    rest, rim = core, None
    if method == "cells" and mask.inner is not None:
        # Where chroma is covered beyond luma it goes over into that of the surroundings.
        rim = mask.inner < STEPS
    if method != "smooth":
        # Where another kind of paint reaches, only that none of the source's detail is left can be asked.
        others = [m for k, m in enumerate(masks) if k != i and not regions[k].method == method == "fixed"]
        own = core & ~_reached(mask, others) if others else core
        if rim is not None:
            own = own & ~rim
        samples = painted[own]
        if len(samples):
            if method == "cells":
                if mixed := _mixed_cells(painted, own, mask, regions[i].spanned, shares):
                    return f"{mixed} cells are not of one colour", True
            else:
                reach_x, reach_y = (max(int(RING_PX * share), 1) for share in shares)
                ring = _ring_mean(was, masks, i, (reach_x, reach_y)) if regions[i].around else None
                word = "mean"
                if paint[2] is not None:
                    # Of a tone, which is a mean over frames, each frame's share is looked at with that frame.
                    said, tone = (value if math.isfinite(value) else None for value in paint[2])
                    if not _alike(said, ring, 1e-4 if is_float else 0.51):
                        return f"the mean around it is {ring}, its tone was made with {said}", True
                    word, ring = "tone", tone
                under, room = (float(paint[0]), 0.0) if ring is None else (ring, 0.51)
                what = f"the fill {under:g}" if ring is None else f"the {word} of their surroundings, {under:.4g}"
                colour: Any = under
                if paint[1] is not None:
                    drawn, alpha = paint[1]
                    colour, room, what = (drawn + under * (1 - alpha))[own], room + 0.51, f"the picture over {what}"
                if room or is_float:
                    # A comparison with NaN is false, whichever way: what is not near is wrong.
                    wrong = ~(np.abs(samples.astype(np.float64) - colour) <= (1e-4 if is_float else room))
                else:
                    wrong = samples != now.dtype.type(colour)
                if wrong.any():
                    return f"{int(wrong.sum())} of {len(samples)} samples are not {what}", True
        if own is core:
            return "", True
        rest = core & ~own
        if not rest.any():
            return "", True
    if is_float and not np.isfinite(painted[rest]).all():
        return "samples that are no number", True
    # In codes of 8 bits, whatever the format's: rounding is then half a code at most.
    unit = np.float32(255 if is_float else 2.0 ** (8 - bits))
    steps = np.zeros_like(core) if rim is None else rim.copy()
    for k, region in enumerate(regions):
        if (inner := masks[k].inner) is not None:
            steps |= _varies(mask, PlaneMask(masks[k].x, masks[k].y, inner))
        if k != i:
            steps |= _varies(mask, masks[k])
        if region.method == "picture" and k != i:
            steps |= _reached(mask, [masks[k]])
        if method != "smooth" and region.method == "cells":
            of_it = core if k == i else _reached(mask, [masks[k]])
            if of_it.any():
                places = [_cell_of(mask, axis, region.spanned, shares[axis])[1] for axis in (0, 1)]
                steps |= (places[1][:, None] | places[0]) & of_it
    return _detail(painted * unit, source * unit, _fine_of(was, mask.window, unit), rest, rest & ~steps)


def neighbours(masks: Sequence[PlaneMask]) -> list[list[int]]:
    """For each mask those within reach of what `look` compares, itself among them; of a crowd it needs no more."""
    if not masks:
        return []
    low = np.array([(mask.x, mask.y) for mask in masks])
    high = low + [mask.steps.shape[::-1] for mask in masks]
    reach = max(RING_PX, 2 * _FINE_REACH)
    near = (low[:, None] <= high + reach).all(axis=2) & (low <= high[:, None] + reach).all(axis=2)
    return [[k for k, is_near in enumerate(row) if is_near] for row in near.tolist()]


def _mixed_cells(
    painted: NDArray[Any], own: Bools, mask: PlaneMask, spanned: Edges, shares: tuple[float, float]
) -> int:
    """How many cells of a mosaic hold more than one colour; a sample that an edge crosses is of two."""
    at = [_cell_of(mask, axis, spanned, shares[axis])[0] for axis in (0, 1)]
    cell = np.where((at[1][:, None] >= 0) & (at[0] >= 0), at[1][:, None] * SWATCHES + at[0], -1)
    cell[~own] = -1
    room = 1e-4 if painted.dtype == np.float32 else 0
    found = [painted[cell == k] for k in np.unique(cell[cell >= 0])]
    return sum(not (samples.max() - samples.min() <= room) for samples in found)


def _cell_of(mask: PlaneMask, axis: int, spanned: Edges, share: float) -> tuple[NDArray[np.intp], Bools]:
    """In which cell each column (axis 0) or row of a mask's window lies, -1 on an edge; and which lie beside one.

    Beside an edge `_fine` finds the step from cell to cell, which may well lie where the source has one.
    """
    start, count = (mask.x, mask.steps.shape[1]) if axis == 0 else (mask.y, mask.steps.shape[0])
    low, high = spanned[axis], spanned[axis + 2]
    edges = (low + (high - low) / SWATCHES * np.arange(SWATCHES + 1)) * share
    first = np.arange(start, start + count)[:, None]
    inner = edges[1:-1]
    crossed = ((first < inner) & (inner < first + 1)).any(axis=1)
    beside = ((first - _FINE_REACH < edges) & (edges < first + 1 + _FINE_REACH)).any(axis=1)
    return np.where(crossed, -1, (inner <= first).sum(axis=1)), beside


def _ring_mean(was: NDArray[Any], masks: Sequence[PlaneMask], i: int, reach: tuple[int, int]) -> float | None:
    """Mean of what lies around a region and under none; None where nothing does."""
    (rows, columns), (reach_x, reach_y) = masks[i].window, reach
    top, left = max(rows.start - reach_y, 0), max(columns.start - reach_x, 0)
    bottom, right = min(rows.stop + reach_y, was.shape[0]), min(columns.stop + reach_x, was.shape[1])
    around = PlaneMask(left, top, np.zeros((bottom - top, right - left), np.uint16))
    samples = was[around.window][~_reached(around, masks)]
    mean = float(samples.mean(dtype=np.float64)) if len(samples) else math.nan
    return mean if math.isfinite(mean) else None


def _alike(one: float | None, other: float | None, room: float) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= room


def _reached(mask: PlaneMask, others: Sequence[PlaneMask]) -> Bools:
    """Where in a mask's window others have weight."""
    height, width = mask.steps.shape
    reached = np.zeros((height, width), bool)
    for other in others:
        y0, x0 = max(other.y, mask.y), max(other.x, mask.x)
        y1 = min(other.y + other.steps.shape[0], mask.y + height)
        x1 = min(other.x + other.steps.shape[1], mask.x + width)
        if y0 < y1 and x0 < x1:
            weighted = other.steps[y0 - other.y : y1 - other.y, x0 - other.x : x1 - other.x] > 0
            reached[y0 - mask.y : y1 - mask.y, x0 - mask.x : x1 - mask.x] |= weighted
    return reached


def _varies(mask: PlaneMask, other: PlaneMask) -> Bools:
    """Where in a mask's window the weight of another changes within reach of `_fine`: its paint begins there."""
    (height, width), (y, x) = mask.steps.shape, (other.y - mask.y, other.x - mask.x)
    varies = np.zeros((height, width), bool)
    top, left, near = max(y - _FINE_REACH, 0), max(x - _FINE_REACH, 0), 2 * _FINE_REACH + 1
    bottom = min(y + other.steps.shape[0] + _FINE_REACH, height)
    right = min(x + other.steps.shape[1] + _FINE_REACH, width)
    if top < bottom and left < right:
        piece = np.ones((near, near), np.uint8)
        padded = np.pad(other.steps, near)
        changes = cv2.dilate(padded, piece) != cv2.erode(padded, piece)
        varies[top:bottom, left:right] = changes[
            top - y + near : bottom - y + near, left - x + near : right - x + near
        ]
    return varies


def _detail(
    painted: NDArray[Any], source: NDArray[Any], fine_was: NDArray[np.float32], where: Bools, plain: Bools
) -> tuple[str, bool]:
    """Whether the source's detail is found in the paint: sample for sample, or as a share of it.

    Args:
        fine_was: the detail of the source.
        where: which samples to look at.
        plain: which of them to look at for a share: where the paint has no steps of its own.
    """
    was = np.nan_to_num(source.astype(np.float32), posinf=0, neginf=0)
    now = painted.astype(np.float32)
    fine_now = _fine(now)
    piece = np.ones((COPIED, COPIED), np.uint8)
    # A flat piece beside an edge is as flat in a blur.
    varied = cv2.dilate(was, piece) - cv2.erode(was, piece) >= RANGE
    varied &= np.asarray(cv2.dilate((np.abs(fine_was) >= DETAIL).astype(np.uint8), piece), bool)
    # At a window's end OpenCV takes what lies beyond for fitting.
    same = np.pad(where & (now == was), COPIED).astype(np.uint8)
    copied = np.asarray(cv2.erode(same, piece), bool)[COPIED:-COPIED, COPIED:-COPIED] & varied
    told = bool((varied & where).any())
    if copied.any():
        return f"{int(copied.sum())} pieces of {COPIED} samples a side are the source's own", True
    if min(where.shape) < _FINE_FROM:
        return "", told
    reach = 2 * _FINE_REACH + 1
    # What the paint has at a window's end hangs on what lies beyond.
    kernel = np.ones((reach, reach), np.uint8)
    eroded = cv2.erode(where.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    inner = plain & np.asarray(eroded, bool)
    energy = _sums(np.where(inner, fine_was * fine_was, 0))
    shared = _sums(np.where(inner, fine_was * fine_now, 0))
    own = _sums(np.where(inner, fine_now * fine_now, 0))
    judged = (energy >= _ENERGY) & (_sums(inner.astype(np.float32)) >= _FEWEST)
    shows = judged & (shared > DETAIL_SHARE * energy) & (shared > DETAIL_CORRELATION * np.sqrt(energy * own))
    if shows.any():
        most = float(np.max(shared[shows] / energy[shows]))
        return f"{int(shows.sum())} of {int(judged.sum())} tiles keep up to {most:.0%} of its detail", True
    return "", told or bool(judged.any())


def _fine_of(plane: NDArray[Any], window: tuple[slice, slice], unit: np.float32) -> NDArray[np.float32]:
    """The detail of a plane in a window, seen with what lies around it: a slope that ends there is none."""
    (rows, columns), reach = window, _FINE_REACH
    top, left = max(rows.start - reach, 0), max(columns.start - reach, 0)
    around = np.asarray(plane[top : rows.stop + reach, left : columns.stop + reach] * unit, np.float32)
    fine = _fine(np.nan_to_num(around, posinf=0, neginf=0))
    height, width = rows.stop - rows.start, columns.stop - columns.start
    return fine[rows.start - top : rows.start - top + height, columns.start - left : columns.start - left + width]


def _fine(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """What stands out of its surroundings, twice, so that what is only smooth does not: of the fourth order."""
    for _ in range(2):
        samples = samples - np.asarray(cv2.blur(samples, (3, 3)), np.float32)
    return samples


def _sums(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """The sum of each tile, those at the ends as far as they go, and last that of all."""
    rows, columns = (np.arange(0, length, TILE) for length in values.shape)
    sums = np.add.reduceat(np.add.reduceat(values, rows, axis=0), columns, axis=1).ravel()
    return np.append(sums, sums.sum()).astype(np.float64)
