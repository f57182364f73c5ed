"""Detection scores: truth and prediction matched frame by frame, counted, in all and by size.

Matching is one to one and per frame: as many pairs as possible with an IoU of at least the threshold, and of
those matchings the one with the greatest sum of IoU (Kuhn 1955, the Hungarian method). More pairs come first,
so that a lower threshold never finds fewer.

Ignored truth counts neither way: it is matched last, by the share of a predicted box that lies in it (as COCO
does with crowds), and what it takes is no false positive.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from vsanon.boxes import F32, area, iou
from vsanon.validation.metrics.observed import Observed, both

THRESHOLDS = (0.3, 0.5, 0.7)
"""IoU from which a pair may match; 0.5 is the one that headlines."""

ROUNDING = 1e-6
"""What float32 may take off an IoU: a pair of exactly 0.7 must match at 0.7."""

STRATA: Mapping[str, tuple[float, float]] = {
    "<10": (0, 10),
    "10-20": (10, 20),
    "20-40": (20, 40),
    "40-80": (40, 80),
    ">80": (80, inf),
}
"""Pixels of a box's shorter side, `low <= side < high`."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What matched and what did not.

    Scores without a denominator are None: there is no recall where nothing is to be found.

    Args:
        tp: true boxes that were found.
        fp: predicted boxes without a true one.
        fn: true boxes that were missed.
        iou_sum: the sum of IoU over the pairs.
    """

    tp: int = 0
    fp: int = 0
    fn: int = 0
    iou_sum: float = 0.0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.iou_sum + other.iou_sum)

    @property
    def recall(self) -> float | None:
        """tp / (tp + fn)."""
        return _share(self.tp, self.tp + self.fn)

    @property
    def precision(self) -> float | None:
        """tp / (tp + fp)."""
        return _share(self.tp, self.tp + self.fp)

    @property
    def f1(self) -> float | None:
        """The harmonic mean of precision and recall."""
        return self.f_score(1)

    @property
    def f2(self) -> float | None:
        """The same with recall four times as heavy, as a miss is worse than a needless mask."""
        return self.f_score(2)

    @property
    def mean_iou(self) -> float | None:
        """The mean IoU of the pairs."""
        return _share(self.iou_sum, self.tp)

    def f_score(self, beta: float) -> float | None:
        """(1 + β²) tp / ((1 + β²) tp + β² fn + fp); van Rijsbergen 1979."""
        weight = 1 + beta**2
        return _share(weight * self.tp, weight * self.tp + beta**2 * self.fn + self.fp)


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """The pairs of one frame.

    Args:
        truth: (k,) positions in the true boxes, rising.
        predicted: (k,) the position in the predicted boxes that each is matched to.
        iou: (k,) float64.
        absorbed: (n_predicted,) bool: without a pair, and in an ignored true box.
    """

    truth: NDArray[np.intp]
    predicted: NDArray[np.intp]
    iou: NDArray[np.float64]
    absorbed: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class DetectionScores:
    """The scores of a clip at one threshold.

    Args:
        threshold: the IoU from which a pair may match.
        all: every size.
        strata: by the shorter side; a pair and a miss belong to that of the true box, a false positive to its own.
        hits: for each counted row of the truth, in its order: was it found?
    """

    threshold: float
    all: Counts
    strata: Mapping[str, Counts]
    hits: tuple[bool, ...]


def match(truth: F32, predicted: F32, threshold: float, ignore: NDArray[np.bool_] | None = None) -> Matches:
    """Match the boxes of one frame.

    Args:
        truth: (n, 4) float32, pixels.
        predicted: (m, 4) float32, pixels.
        threshold: IoU in (0, 1].
        ignore: (n,) bool; None: every true box counts.

    Raises:
        ValueError: the threshold is no share.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"an IoU threshold lies in (0, 1], got {threshold}")
    skip = np.zeros(len(truth), np.bool_) if ignore is None else ignore
    counted = np.flatnonzero(~skip)
    overlap = iou(truth[counted], predicted).astype(np.float64)
    rows, columns = assign(overlap, overlap >= threshold - ROUNDING)
    absorbed = np.zeros(len(predicted), np.bool_)
    if skip.any():
        absorbed = (share_inside(predicted, truth[skip]) >= threshold - ROUNDING).any(axis=1)
        absorbed[columns] = False
    return Matches(counted[rows], columns, overlap[rows, columns], absorbed)


def assign(weight: NDArray[np.float64], allowed: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The largest one-to-one set of allowed pairs, and of those the one of greatest weight.

    Args:
        weight: (n, m) float64 in [0, 1].
        allowed: (n, m) bool.

    Returns:
        Rows, rising, and their columns.
    """
    # One pair more outweighs all that the others could differ by.
    gain = np.where(allowed, min(weight.shape) + 1 + weight, 0)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    kept = allowed[rows, columns]
    return rows[kept], columns[kept]


def score(truth: Observed, predicted: Observed, threshold: float = 0.5) -> DetectionScores:
    """Match every frame and count.

    Args:
        truth: the true boxes of one class.
        predicted: what was found, of the same class; identities don't matter here.
        threshold: IoU in (0, 1].
    """
    found = np.zeros(len(truth), np.bool_)
    overlap = np.zeros(len(truth))
    wrong = np.zeros(len(predicted), np.bool_)
    for _, own, other in both(truth, predicted):
        pairs = match(truth.xyxy[own], predicted.xyxy[other], threshold, truth.ignore[own])
        found[own.start + pairs.truth] = True
        overlap[own.start + pairs.truth] = pairs.iou
        wrong[other] = ~pairs.absorbed
        wrong[other.start + pairs.predicted] = False
    counted = ~truth.ignore
    sides, wrong_sides = shorter_side(truth.xyxy), shorter_side(predicted.xyxy)

    def counts(low: float, high: float) -> Counts:
        own = counted & (sides >= low) & (sides < high)
        fp = wrong & (wrong_sides >= low) & (wrong_sides < high)
        tp = int((own & found).sum())
        return Counts(tp, int(fp.sum()), int(own.sum()) - tp, float(overlap[own].sum()))

    strata = {name: counts(*limits) for name, limits in STRATA.items()}
    return DetectionScores(threshold, counts(-inf, inf), strata, tuple(found[counted].tolist()))


def scores(
    truth: Observed, predicted: Observed, thresholds: Sequence[float] = THRESHOLDS
) -> tuple[DetectionScores, ...]:
    """`score` at each threshold."""
    return tuple(score(truth, predicted, threshold) for threshold in thresholds)


def residual_rate(truth: Observed, found: Observed, threshold: float = 0.3) -> float | None:
    """What a detector still finds after anonymisation: matched boxes per 1,000 frames that show anyone.

    Args:
        truth: the true boxes of one class; a frame shows someone where one of them counts.
        found: what was detected in the anonymised picture, of the same class.
        threshold: IoU in (0, 1].

    Returns:
        None where no frame shows anyone.
    """
    shown = len(np.unique(truth.frames[~truth.ignore]))
    return _share(1000 * score(truth, found, threshold).all.tp, shown)


def shorter_side(xyxy: F32) -> F32:
    """min(w, h) of each box, (n,) float32 in pixels."""
    side: F32 = (xyxy[:, 2:] - xyxy[:, :2]).min(axis=1)
    return side


def share_inside(xyxy: F32, regions: F32) -> F32:
    """The share of each box (n, 4) that lies in each region (m, 4): (n, m) float32."""
    lower = np.maximum(xyxy[:, None, :2], regions[None, :, :2])
    upper = np.minimum(xyxy[:, None, 2:], regions[None, :, 2:])
    extent = np.maximum(upper - lower, 0)
    inter = extent[..., 0] * extent[..., 1]
    own = area(xyxy)[:, None]
    share: F32 = np.divide(inter, own, out=np.zeros_like(inter), where=own > 0)
    return share


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
