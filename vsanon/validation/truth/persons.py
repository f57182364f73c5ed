"""Which identities of a truth are one person: two names for one face make no sample larger.

Tracks that people draw break off, and those that programs draw do so often; a file may also hold a box twice. What
goes on where another identity ended a moment ago, or lies on another one, counts as the same person. Whoever leaves
and comes back elsewhere under another id is not recognised.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import iou
from vsanon.validation.truth.boxes import Truth

GAP_S = 1.0
"""The longest gap in which one goes on as another ..."""
GOES_ON_IOU = 0.5
"""... whose last box overlaps its first one so far."""
SAME_IOU = 0.8
"""Two boxes of one frame that overlap so far are one face; two identities are one where most of theirs are."""


def persons(truth: Truth, name: str, fps: float, cuts: Sequence[int] = ()) -> dict[int, int]:
    """The person that each identity of a class is: the least of the ids that are one.

    Args:
        truth: the true boxes; ignored ones carry an identity on as others do.
        name: the class.
        fps: frames a second.
        cuts: frames that start a shot, after which nobody goes on.
    """
    rows = np.flatnonzero(truth.classes == name)
    person = {identity: identity for identity in np.unique(truth.ids[rows]).tolist()}
    for a, b in [*_going_on(truth, rows, round(GAP_S * fps), cuts), *_coinciding(truth, rows)]:
        one, other = sorted((person[a], person[b]))
        person = {identity: one if own == other else own for identity, own in person.items()}
    return person


def _going_on(truth: Truth, rows: NDArray[np.intp], most: int, cuts: Sequence[int]) -> list[tuple[int, int]]:
    ids = truth.ids[rows]
    first = {i: rows[ids == i][0] for i in np.unique(ids).tolist()}
    last = {i: rows[ids == i][-1] for i in first}
    shot = np.searchsorted(np.sort(np.asarray(cuts, np.int64)), truth.frames, side="right")
    found = []
    for a, end in last.items():
        for b, start in first.items():
            if not 0 < truth.frames[start] - truth.frames[end] <= max(1, most) or shot[start] != shot[end]:
                continue
            if iou(truth.xyxy[[end]], truth.xyxy[[start]])[0, 0] >= GOES_ON_IOU:
                found.append((a, b))
    return found


def _coinciding(truth: Truth, rows: NDArray[np.intp]) -> list[tuple[int, int]]:
    together: Counter[tuple[int, int]] = Counter()
    same: Counter[tuple[int, int]] = Counter()
    for own in np.split(rows, np.flatnonzero(np.diff(truth.frames[rows])) + 1):
        overlap, ids = iou(truth.xyxy[own], truth.xyxy[own]), truth.ids[own].tolist()
        for i, j in combinations(range(len(ids)), 2):
            pair = min(ids[i], ids[j]), max(ids[i], ids[j])
            together[pair] += 1
            same[pair] += int(overlap[i, j] >= SAME_IOU)
    return [pair for pair, count in together.items() if 2 * same[pair] > count]
