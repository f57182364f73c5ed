"""Why boxes are missed or wrong, and how well those that were found fit: by whose sign they are too small.

The split is that of TIDE (Bolya et al. 2020) as far as it applies to one class: a missed true box was badly placed
where some box that is no pair overlaps it by `NEAR` at least, else it was not found. A false box is a duplicate
where it overlaps a true box that has a pair by the threshold, badly placed where it overlaps one by `NEAR`, else
background. Boxes in ignored truth count neither way.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import area, iou
from vsanon.validation.metrics.detection import ROUNDING, match
from vsanon.validation.metrics.observed import Observed, both

NEAR = 0.1
"""IoU from which a box is near another: TIDE's background threshold."""
TOO_SMALL = 0.9
"""A box of less than this share of the true area is underestimated."""


@dataclass(frozen=True, slots=True)
class Split:
    """Missed true boxes and false ones, by why.

    Args:
        not_found, badly_placed: missed true boxes; together the false negatives.
        false_badly_placed, duplicate, background: false boxes; together the false positives.
    """

    not_found: int
    badly_placed: int
    false_badly_placed: int
    duplicate: int
    background: int


@dataclass(frozen=True, slots=True)
class Fit:
    """How the found boxes fit, in shares of the true box's side; above 0 the found box reaches further out.

    Args:
        boxes: pairs.
        left, top, right, bottom: mean by which each edge lies outside (below 0: inside) of the true one.
        area: mean of found area / true area − 1.
        underestimated: the share of pairs with less than `TOO_SMALL` of the true area.
        edge_px: mean distance of an edge from the true one, pixels.
        edge_share: the same in shares of the side.
    """

    boxes: int
    left: float
    top: float
    right: float
    bottom: float
    area: float
    underestimated: float
    edge_px: float
    edge_share: float


def split_and_fit(truth: Observed, found: Observed, threshold: float = 0.5) -> tuple[Split, Fit | None]:
    """Why what is missed was missed, and how what was found fits; None where nothing was.

    Args:
        truth: the true boxes of one class.
        found: boxes of the same class, by a detector or a tracker.
        threshold: IoU of a pair.
    """
    counts = dict.fromkeys(("not_found", "badly_placed", "false_badly_placed", "duplicate", "background"), 0)
    pairs_of: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
    for _, own, other in both(truth, found):
        true, boxes, ignore = truth.xyxy[own], found.xyxy[other], truth.ignore[own]
        pairs = match(true, boxes, threshold, ignore)
        pairs_of.append((true[pairs.truth], boxes[pairs.predicted]))
        overlap = np.zeros((len(true), len(boxes)))
        if overlap.size:
            overlap = iou(true, boxes).astype(np.float64)
        paired, spare = np.zeros(len(true), np.bool_), ~pairs.absorbed
        paired[pairs.truth] = True
        spare[pairs.predicted] = False
        missed = overlap[~paired & ~ignore][:, spare]
        near = (missed >= NEAR).any(axis=1) if missed.size else np.zeros(len(missed), np.bool_)
        counts["badly_placed"] += int(near.sum())
        counts["not_found"] += int((~near).sum())
        false = overlap[~ignore][:, spare]
        twice = (false[paired[~ignore]] >= threshold - ROUNDING).any(axis=0)
        close = (false >= NEAR).any(axis=0)
        counts["duplicate"] += int(twice.sum())
        counts["false_badly_placed"] += int((close & ~twice).sum())
        counts["background"] += int((~close & ~twice).sum())
    return Split(**counts), _fit(pairs_of)


def _fit(pairs: list[tuple[NDArray[np.float32], NDArray[np.float32]]]) -> Fit | None:
    true = np.concatenate([a for a, _ in pairs] or [np.zeros((0, 4), np.float32)]).astype(np.float64)
    if not len(true):
        return None
    boxes = np.concatenate([b for _, b in pairs]).astype(np.float64)
    out = (boxes - true) * np.array([-1, -1, 1, 1])
    sides = np.tile(true[:, 2:] - true[:, :2], 2)
    ratio = area(boxes.astype(np.float32)).astype(np.float64) / area(true.astype(np.float32))
    left, top, right, bottom = (out / sides).mean(axis=0).tolist()
    return Fit(
        boxes=len(true),
        left=left,
        top=top,
        right=right,
        bottom=bottom,
        area=float(ratio.mean() - 1),
        underestimated=float((ratio < TOO_SMALL).mean()),
        edge_px=float(np.abs(out).mean()),
        edge_share=float(np.abs(out / sides).mean()),
    )
