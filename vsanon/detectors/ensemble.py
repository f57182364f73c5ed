"""Several models for one class: their boxes become one answer, by a policy.

Fusion is weighted box fusion (Solovyev, Wang, Gabruseva 2021, arXiv 1910.13302, section 3).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import AT_ONCE, F32, iou
from vsanon.detections import Detections

Method = Literal["union", "fusion"]


@dataclass(frozen=True, slots=True)
class Policy:
    """How the answers of several models for a class become one.

    Args:
        method: "union" keeps the best box of each object and its score, and so loses nothing that one model
            found; "fusion" averages the boxes by their scores, and lowers the score where models disagree.
        min_votes: this many models must have found an object.
        thresholds: (height in pixels, score) rising by height: from that height on, an object needs that score.
        same_iou: boxes that overlap by more than this are of one object.

    Raises:
        ValueError: a value lies outside what it can be.
    """

    method: Method = "union"
    min_votes: int = 1
    thresholds: tuple[tuple[float, float], ...] = ()
    same_iou: float = 0.5

    def __post_init__(self) -> None:
        if self.method not in ("union", "fusion"):
            raise ValueError(f'method is "union" or "fusion", not {self.method!r}')
        if self.min_votes < 1:
            raise ValueError(f"min_votes is at least 1, got {self.min_votes}")
        if not 0 < self.same_iou < 1:
            raise ValueError(f"same_iou must lie between 0 and 1, got {self.same_iou}")
        heights = [height for height, _ in self.thresholds]
        if heights != sorted(set(heights)) or any(not 0 <= score <= 1 for _, score in self.thresholds):
            raise ValueError(f"thresholds are (height, score) with rising heights, got {self.thresholds}")


def unite(parts: Sequence[Detections], policy: Policy) -> Detections:
    """One answer out of those of several models, all for one class and one frame.

    Args:
        parts: what each model found; pixels of the same frame.
        policy: how.

    Returns:
        Boxes, best first.

    Raises:
        ValueError: the boxes are of several classes, or more votes are wanted than there are models.
    """
    if policy.min_votes > len(parts):
        raise ValueError(f"{policy.min_votes} votes are wanted of {len(parts)} models")
    names = {name for part in parts for name in part.classes}
    if len(names) > 1:
        raise ValueError(f"one class at a time, got {', '.join(sorted(names))}")
    xyxy = np.concatenate([part.xyxy for part in parts])
    scores = np.concatenate([part.scores for part in parts])
    voter = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    boxes, united = _united(xyxy, scores, voter, len(parts), policy)
    enough = united >= _needed(boxes, policy)
    boxes, united = boxes[enough], united[enough]
    order = np.argsort(-united, kind="stable")
    return Detections(boxes[order], united[order], tuple(names) * len(order))


def _united(xyxy: F32, scores: F32, voter: NDArray[np.intp], models: int, policy: Policy) -> tuple[F32, F32]:
    """The box and score of each object that has enough votes."""
    if policy.method == "union" and policy.min_votes == 1 and _distinct(xyxy, policy.same_iou):
        order = np.argsort(-scores, kind="stable")
        return xyxy[order], scores[order]
    clusters: list[list[int]] = []
    middle = np.zeros((0, 4), np.float32)
    for i in np.argsort(-scores, kind="stable").tolist():
        overlap = iou(middle, xyxy[i : i + 1])[:, 0]
        best = int(overlap.argmax()) if len(overlap) else -1
        if best >= 0 and overlap[best] > policy.same_iou:
            clusters[best].append(i)
            if policy.method == "fusion":
                at = clusters[best]
                middle[best] = np.average(xyxy[at].astype(np.float64), axis=0, weights=scores[at])
        else:
            clusters.append([i])
            middle = np.concatenate([middle, xyxy[i : i + 1]])
    agreed = [len(set(voter[at].tolist())) >= policy.min_votes for at in clusters]
    if policy.method == "union":
        united = [float(scores[at].max()) for at in clusters]
    else:
        united = [float(scores[at].mean()) * min(models, len(at)) / models for at in clusters]
    kept = np.array(agreed, bool)
    return middle[kept], np.array(united, np.float32)[kept]


def _distinct(xyxy: F32, same_iou: float) -> bool:
    """Whether no two boxes are of one object, as where one model has told its boxes apart.

    False where there are too many to compare at once.
    """
    return len(xyxy) <= AT_ONCE and not np.triu(iou(xyxy, xyxy) > same_iou, 1).any()


def _needed(xyxy: F32, policy: Policy) -> F32:
    """The score that each box needs, by its height."""
    heights = xyxy[:, 3] - xyxy[:, 1]
    steps = np.array([height for height, _ in policy.thresholds])
    needed = np.array([0.0, *(score for _, score in policy.thresholds)], np.float32)
    return needed[np.searchsorted(steps, heights, side="right")]
