"""Detection over all scores at once: what each threshold finds, and what it takes for something by mistake.

The boxes of a frame take true ones by falling score, each the free one that it overlaps most, from an IoU of `IOU`
on (as VOC and COCO do for precision–recall curves; the counts at one threshold alone are those of `detection`,
which pairs as many as can be). Truth flagged `ignore` counts neither way, and nor do boxes that lie in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import iou
from vsanon.validation.metrics.detection import ROUNDING, share_inside
from vsanon.validation.metrics.observed import Observed, both

IOU = 0.5
SCORES = tuple(round(k / 20, 2) for k in range(1, 20))
"""Thresholds that are kept: 0.05 to 0.95."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a detector finds at each threshold.

    Args:
        boxes: true ones that count.
        scores: of `SCORES` those that the search can tell apart, rising: below its own least score it kept nothing.
        found, false: true boxes that are found from each score on, and boxes that match none.
    """

    boxes: int
    scores: tuple[float, ...]
    found: tuple[int, ...]
    false: tuple[int, ...]


def sweep(truth: Observed, boxes: Observed, scores: Sequence[float]) -> Sweep:
    """Count what each threshold finds.

    Args:
        truth: the true boxes of one class.
        boxes: everything that was detected of it, whatever its score.
        scores: of each of `boxes`.
    """
    score = np.asarray(scores, np.float64)
    right, wrong = np.zeros(len(boxes), np.bool_), np.zeros(len(boxes), np.bool_)
    for _, own, other in both(truth, boxes):
        pairs, stray = _by_score(truth, own, boxes, other, score)
        right[other], wrong[other] = pairs, stray
    count = int((~truth.ignore).sum())
    least = float(score.min()) if len(score) else 1.0
    kept = tuple(s for k, s in enumerate(SCORES) if k + 1 == len(SCORES) or SCORES[k + 1] > least)
    hits, false = np.sort(score[right]), np.sort(score[wrong])
    return Sweep(
        count,
        kept,
        tuple(int(len(hits) - np.searchsorted(hits, s - ROUNDING)) for s in kept),
        tuple(int(len(false) - np.searchsorted(false, s - ROUNDING)) for s in kept),
    )


def _by_score(
    truth: Observed, own: slice, boxes: Observed, other: slice, score: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which boxes of one frame take a true one, and which match nothing."""
    true, found, ignore = truth.xyxy[own], boxes.xyxy[other], truth.ignore[own]
    right, wrong = np.zeros(len(found), np.bool_), np.zeros(len(found), np.bool_)
    overlap = iou(found, true).astype(np.float64)
    overlap[:, ignore] = 0
    absorbed = share_inside(found, true[ignore]).max(axis=1, initial=0) >= IOU - ROUNDING
    # The sort is stable: of equal scores the first box comes first.
    for k in np.argsort(-score[other], kind="stable").tolist():
        best = int(overlap[k].argmax()) if overlap.shape[1] else 0
        if overlap.shape[1] and overlap[k, best] >= IOU - ROUNDING:
            right[k] = True
            overlap[:, best] = 0
        else:
            wrong[k] = not absorbed[k]
    return right, wrong
