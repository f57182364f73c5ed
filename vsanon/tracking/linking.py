"""Join the detections of a frame to those of the frame before, within a shot; pure, and it sees two frames only.

So its answer is the same from wherever a clip is entered.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vsanon.assignment import NEVER, assign
from vsanon.boxes import F32, center_size, iou
from vsanon.detections import Detections
from vsanon.tracking.evidence import EVIDENCE, Evidences

REACH = 1.0
"""How far apart the boxes of one object may lie in neighbouring frames, mean sides of both ..."""
REACHES = {"plate": 2.0}
"""... and those of these classes: a plate is flat, and moves with a car, by its own width a frame."""
ECHOES = {"plate": 0.5}
"""These do not hide each other: what scores less than this share of what it overlaps is an echo of it ..."""
SAME = 0.3
"""... and what scores less at all, where they overlap by this much."""


def is_cut(changes: Sequence[Sequence[float]], threshold: float = 0.06) -> bool:
    """Say whether the middle frame of five starts a new shot.

    Args:
        changes: mean absolute luma differences, in [0, 1], of frames n-2 … n+2: to the frame before each, to the
            frame two before, and to the frame three before; NaN where one of the two lies outside the clip.
        threshold: the least difference that a cut makes.

    A cut stands out from the changes around it, which a pan or a shake does not; and all frames after it stay
    different from those before it, which they do not after a flash of one or two frames. What lies outside the
    clip speaks neither for nor against.
    """
    one, two, three = changes
    here = one[2]
    known = [v for v in (one[0], one[1], one[3], one[4]) if not math.isnan(v)]
    around = float(np.median(known)) if known else 0.0
    # Of pairs that lie on both sides: n-2 and n, n-1 and n+1, n-3 and n, n-1 and n+2.
    is_flash = any(v < here / 2 for v in (two[2], two[3], three[2], three[4]))
    return here >= threshold and here >= 3 * around and not is_flash


def thin(found: Detections, evidence: Evidences = EVIDENCE, max_iou: float = 0.05) -> Detections:
    """Drop weak detections that overlap a better one: echoes of it, which would lead its track astray.

    Args:
        found: the detections of a frame.
        evidence: detections that count stay, but for `ECHOES`.
        max_iou: weaker ones go where they overlap a better one of their class by this much or more.
    """
    names = np.array(found.classes, np.str_)
    share = np.array([ECHOES.get(name, 0.0) for name in found.classes], np.float32)
    share[~evidence.counts([found])] = 1
    weak = np.flatnonzero(share)
    if not len(weak):
        return found
    overlap = iou(found.xyxy[weak], found.xyxy)
    share = np.where(overlap >= SAME, 1, share[weak, None])
    better = (found.scores * share > found.scores[weak, None]) & (names == names[weak, None])
    echo = (better & (overlap >= max_iou)).any(axis=1)
    return found.select(np.delete(np.arange(len(found)), weak[echo])) if echo.any() else found


def link(before: Detections, now: Detections, evidence: Evidences = EVIDENCE) -> tuple[int, ...]:
    """Join the detections of a frame to those of the frame before.

    Args:
        before: the frame before.
        now: the frame.
        evidence: pairs in which both count are joined first, so that no weak one takes their place (two rounds,
            as in ByteTrack, arXiv 2110.06864).

    Returns:
        For each detection of `now` the index of its predecessor in `before`, or -1. Pairs are of one class,
        lie at most `REACH` or their class's of `REACHES` apart, differ in size by less than a factor of two, and
        have the least total cost (Hungarian method).
    """
    found = np.full(len(now), -1)
    if len(before) and len(now):
        reach = np.array([[REACHES.get(name, REACH)] for name in before.classes], np.float32)
        cost = link_cost(center_size(before.xyxy), center_size(now.xyxy), reach)
        cost = np.where(np.array(before.classes)[:, None] == np.array(now.classes)[None, :], cost, NEVER)
        counts = [evidence.counts([found]) for found in (before, now)]
        both = counts[0][:, None] & counts[1][None, :]
        for i, j in assign(np.where(both, cost, NEVER)):
            found[j] = i
        taken = np.isin(np.arange(len(before)), found)[:, None] | (found >= 0)[None, :]
        for i, j in assign(np.where(taken, NEVER, cost)):
            found[j] = i
    return tuple(int(i) for i in found)


def link_cost(a: F32, b: F32, reach: NDArray[np.floating]) -> NDArray[np.floating]:
    """Cost of joining each box of `a` to each of `b`, as centre and size; `NEVER` outside the gate."""
    return pair_cost(a[:, None, :2], a[:, None, 2:], b[None, :, :2], b[None, :, 2:], reach)


def pair_cost(
    at_a: NDArray[np.floating],
    size_a: NDArray[np.floating],
    at_b: NDArray[np.floating],
    size_b: NDArray[np.floating],
    reach: NDArray[np.floating],
) -> NDArray[np.floating]:
    """Distance in mean sides plus difference in size as a power of two, of centres and sizes (..., 2).

    `NEVER` where the distance is above `reach`, or one size is over twice the other.
    """
    side_a = np.sqrt(np.maximum(size_a, 1e-3).prod(axis=-1))
    side_b = np.sqrt(np.maximum(size_b, 1e-3).prod(axis=-1))
    distance = np.sqrt(((at_b - at_a) ** 2).sum(axis=-1)) / ((side_a + side_b) / 2)
    ratio = np.abs(np.log2(side_b / side_a))
    return np.where((distance <= reach) & (ratio <= 1), distance + ratio, NEVER)
