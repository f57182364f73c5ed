"""Tracking scores: who is who over time. HOTA, IDF1, CLEAR MOT, and our own count of lost tracks.

* CLEAR MOT (Bernardin and Stiefelhagen 2008): an identity keeps the partner that it had last while they overlap,
  and only the others are matched anew; MOTA = 1 − (fn + fp + id switches) / true boxes. Mostly tracked: matched
  in at least 80 % of its frames; mostly lost: in less than 20 % (Li, Huang and Nevatia 2009).
* IDF1 (Ristani et al. 2016): identities matched one to one over the whole clip.
* HOTA (Luiten et al. 2021): sqrt(DetA · AssA), mean over the thresholds 0.05, 0.10, ... 0.95.

A frame without any predicted box counts like every other: an identity that is found again after it has a fragment.
TrackEval passes over such frames and sees none.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from vsanon.boxes import iou
from vsanon.validation.metrics.detection import ROUNDING, assign, match
from vsanon.validation.metrics.observed import Observed, both

MOSTLY_TRACKED = 0.8
MOSTLY_LOST = 0.2
ALPHAS = np.arange(1, 20) / 20
_NOBODY = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Clear:
    """CLEAR MOT of one class.

    Args:
        tp, fp, fn: boxes matched, without truth, and missed.
        id_switches: matches of a true identity with another predicted one than it had last.
        fragments: interruptions: matched, missed, and matched again.
        identities: true identities.
        mostly_tracked, mostly_lost: how many of them.
    """

    tp: int
    fp: int
    fn: int
    id_switches: int
    fragments: int
    identities: int
    mostly_tracked: int
    mostly_lost: int

    @property
    def mota(self) -> float | None:
        """1 − (fn + fp + id switches) / true boxes; below 0 where errors outnumber them, None without truth."""
        boxes = self.tp + self.fn
        return 1 - (self.fn + self.fp + self.id_switches) / boxes if boxes else None


@dataclass(frozen=True, slots=True)
class Hota:
    """HOTA and its two parts, each the mean over `ALPHAS`."""

    hota: float
    det_a: float
    ass_a: float


@dataclass(frozen=True, slots=True)
class LostTracks:
    """How often an identity was lost, by its coverage.

    Args:
        dropped: covered in one frame and uncovered in the next, while it was there in both.
        never_covered: identities that are uncovered in all their frames.
    """

    dropped: int
    never_covered: int

    @property
    def total(self) -> int:
        """Both together."""
        return self.dropped + self.never_covered


def without_ignored(truth: Observed, predicted: Observed, threshold: float = 0.5) -> tuple[Observed, Observed]:
    """Truth that counts, and predicted boxes less those that only ignored truth explains."""
    kept = np.ones(len(predicted), np.bool_)
    for _, own, other in both(truth, predicted):
        ignore = truth.ignore[own]
        if ignore.any():
            pairs = match(truth.xyxy[own], predicted.xyxy[other], threshold, ignore)
            kept[other] = ~pairs.absorbed
    return truth.select(~truth.ignore), predicted.select(kept)


def clear(truth: Observed, predicted: Observed, threshold: float = 0.5) -> Clear:
    """CLEAR MOT; ignored truth is left out as in `without_ignored`.

    Args:
        truth: the true boxes of one class.
        predicted: the tracked boxes of the same class.
        threshold: IoU from which a pair may match.
    """
    truth, predicted = without_ignored(truth, predicted, threshold)
    matched = np.zeros(len(truth), np.bool_)
    last: dict[int, int] = {}
    switches = 0
    for _, own, other in both(truth, predicted):
        ids, predicted_ids = truth.ids[own], predicted.ids[other]
        overlap = iou(truth.xyxy[own], predicted.xyxy[other]).astype(np.float64)
        allowed = overlap >= threshold - ROUNDING
        held = np.array([last.get(i, _NOBODY) for i in ids.tolist()], np.int64)[:, None] == predicted_ids[None, :]
        kept = assign(overlap, allowed & held)
        free = allowed.copy()
        free[kept[0], :] = False
        free[:, kept[1]] = False
        rows, columns = (np.concatenate(pair) for pair in zip(kept, assign(overlap, free), strict=True))
        matched[own.start + rows] = True
        now = dict(zip(ids[rows].tolist(), predicted_ids[columns].tolist(), strict=True))
        switches += sum(last.get(i, k) != k for i, k in now.items())
        last |= now
    shares = [matched[truth.ids == i] for i in np.unique(truth.ids)]
    tp = int(matched.sum())
    return Clear(
        tp=tp,
        fp=len(predicted) - tp,
        fn=len(truth) - tp,
        id_switches=switches,
        fragments=sum(_interruptions(found) for found in shares),
        identities=len(shares),
        mostly_tracked=sum(bool(found.mean() >= MOSTLY_TRACKED) for found in shares),
        mostly_lost=sum(bool(found.mean() < MOSTLY_LOST) for found in shares),
    )


def idf1(truth: Observed, predicted: Observed, threshold: float = 0.5) -> float | None:
    """IDF1 = 2 IDTP / (true boxes + predicted boxes); None where there are neither."""
    truth, predicted = without_ignored(truth, predicted, threshold)
    if not len(truth) + len(predicted):
        return None
    own_ids, own_at = np.unique(truth.ids, return_inverse=True)
    ids, at = np.unique(predicted.ids, return_inverse=True)
    together = np.zeros((len(own_ids), len(ids)))
    for _, own, other in both(truth, predicted):
        overlap = iou(truth.xyxy[own], predicted.xyxy[other])
        together[np.ix_(own_at[own], at[other])] += overlap >= threshold - ROUNDING
    rows, columns = linear_sum_assignment(together, maximize=True)
    return float(2 * together[rows, columns].sum() / (len(truth) + len(predicted)))


def hota(truth: Observed, predicted: Observed) -> Hota | None:
    """HOTA; ignored truth is left out at an IoU of 0.5. None where there is no truth that counts."""
    truth, predicted = without_ignored(truth, predicted)
    if not len(truth):
        return None
    own_ids, own_at, own_frames = np.unique(truth.ids, return_inverse=True, return_counts=True)
    ids, at, frames = np.unique(predicted.ids, return_inverse=True, return_counts=True)
    overlaps = [
        (own_at[own], at[other], iou(truth.xyxy[own], predicted.xyxy[other]).astype(np.float64))
        for _, own, other in both(truth, predicted)
    ]
    # Which identities belong together is asked of the whole clip first, so that a frame's matching serves it.
    alike = np.zeros((len(own_ids), len(ids)))
    for own_rows, rows, overlap in overlaps:
        spread = overlap.sum(axis=0)[None, :] + overlap.sum(axis=1)[:, None] - overlap
        share = np.divide(overlap, spread, out=np.zeros_like(overlap), where=spread > 0)
        alike[np.ix_(own_rows, rows)] += share
    alignment = alike / (own_frames[:, None] + frames[None, :] - alike)
    together = np.zeros((len(ALPHAS), len(own_ids), len(ids)))
    for own_rows, rows, overlap in overlaps:
        i, k = linear_sum_assignment(alignment[np.ix_(own_rows, rows)] * overlap, maximize=True)
        together[:, own_rows[i], rows[k]] += overlap[i, k][None, :] >= ALPHAS[:, None] - ROUNDING
    tp = together.sum(axis=(1, 2))
    det_a = tp / (len(truth) + len(predicted) - tp)
    either = own_frames[:, None] + frames[None, :] - together
    ass_a = (together * together / either).sum(axis=(1, 2)) / np.maximum(tp, 1)
    return Hota(float(np.sqrt(det_a * ass_a).mean()), float(det_a.mean()), float(ass_a.mean()))


def lost_tracks(frames: NDArray[np.int64], ids: NDArray[np.int64], exposed: NDArray[np.bool_]) -> LostTracks:
    """Count losses by coverage; needs no tracker, and no frame is passed over.

    Args:
        frames: (n,) int64, of the true boxes that count, in any order.
        ids: (n,) int64, their identities.
        exposed: (n,) bool, coverage below its limit.
    """
    order = np.lexsort((frames, ids))
    frames, ids, exposed = frames[order], ids[order], exposed[order]
    stays = (np.diff(ids) == 0) & (np.diff(frames) == 1)
    dropped = int((stays & ~exposed[:-1] & exposed[1:]).sum())
    return LostTracks(dropped, sum(bool(exposed[ids == i].all()) for i in np.unique(ids)))


def _interruptions(found: NDArray[np.bool_]) -> int:
    """How often a match is lost and comes back later."""
    at = np.flatnonzero(found)
    return int((np.diff(at) > 1).sum())
