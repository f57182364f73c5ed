"""The tracks within a window of linked frames, as arrays over all of them; pure.

Chains of links are `tracklets`; pieces of one object are joined by `bridged`; what the frame's edge cuts is made
whole by `completed`. A window is looked at anew for every frame, so nothing here goes track by track or frame by
frame where it need not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon.assignment import NEVER, assign
from vsanon.boxes import F32, center_size
from vsanon.detections import Detections
from vsanon.tracking.evidence import Evidences
from vsanon.tracking.linking import link_cost, pair_cost

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]

_NEAR = 0.05
"""A box this near to the frame's edge, in its own sides, is taken for one that the edge cuts."""


@dataclass(frozen=True, slots=True, eq=False)
class LinkedFrame:
    """One frame of the window: its detections, their links to the frame before, whether a shot starts here, and
    whether a model has seen it.

    `detections` is None where no detection was made.

    Raises:
        ValueError: not one link for each detection.
    """

    detections: Detections | None
    links: tuple[int, ...]
    cut: bool
    searched: bool = True

    def __post_init__(self) -> None:
        count = 0 if self.detections is None else len(self.detections)
        if len(self.links) != count:
            raise ValueError(f"{count} detections need {count} links, got {len(self.links)}")


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """The rows of t tracks, one after the other, m in all.

    Args:
        begin: (t + 1,) row of each track's first detection, and m.
        at: (m,) frame numbers, rising within a track.
        index: (m,) positions in the detections of these frames.
        cxywh: (m, 4) boxes as centre and size, pixels.
        scores: (m,).
        labels: t class names.
    """

    begin: I64
    at: I64
    index: I64
    cxywh: F32
    scores: F32
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def first(self) -> I64:
        """(t,) frame of each track's first detection."""
        return self.at[self.begin[:-1]]

    @property
    def last(self) -> I64:
        """(t,) frame of each track's last detection."""
        return self.at[self.begin[1:] - 1]

    def owners(self) -> I64:
        """(m,) the track of each row."""
        return np.repeat(np.arange(len(self)), np.diff(self.begin))

    def before(self, n: int) -> I64:
        """(t,) how many detections each track has before frame `n`."""
        return self.sums(self.at < n)

    def sums(self, values: NDArray[Any]) -> NDArray[Any]:
        """(t, ...) the sum of each track's rows."""
        return np.add.reduceat(values, self.begin[:-1], axis=0, dtype=np.int64 if values.dtype == bool else None)

    def rows(self, chosen: NDArray[np.bool_]) -> "Tracks":
        """The tracks with some of their rows, at least one of each."""
        begin = _begins(self.sums(chosen))
        return Tracks(
            begin, self.at[chosen], self.index[chosen], self.cxywh[chosen], self.scores[chosen], self.labels
        )


def tracklets(window: Sequence[LinkedFrame], first: int, start: int, stop: int, evidence: Evidences) -> Tracks:
    """Follow the links of the frames from `start` on and before `stop`; chains of which nothing counts are noise.

    Args:
        window: frames from number `first` on.
        first: number of the window's first frame in the clip.
        evidence: says which detections count.

    Returns:
        The chains, by their last detection.
    """
    shot = window[start:stop]
    counts = np.array([0 if f.detections is None else len(f.detections) for f in shot])
    found = [f.detections for f in shot if f.detections is not None and len(f.detections)]
    if not found:
        none = np.zeros(0, np.int64)
        return Tracks(_begins(none), none, none, np.zeros((0, 4), np.float32), np.zeros(0, np.float32), ())
    # Detections are told by one number each, that of their row in all of them.
    begins = _begins(counts)
    frame = np.repeat(np.arange(len(counts)), counts)
    links = np.fromiter(chain.from_iterable(f.links for f in shot), np.int64, len(frame))
    linked = np.flatnonzero((links >= 0) & (frame > 0) & (links < counts[frame - 1]))
    last = np.arange(len(frame))
    last[begins[frame[linked] - 1] + links[linked]] = linked
    while not np.array_equal(further := last[last], last):
        last = further
    order = np.argsort(last, kind="stable")
    begin = np.flatnonzero(np.diff(last[order], prepend=-1))
    scores = np.concatenate([d.scores for d in found])
    counted = evidence.counts(found)
    sure = np.logical_or.reduceat(counted[order], begin)
    scores = scores[order]
    lengths = np.diff(begin, append=len(order))
    kept = np.repeat(sure, lengths)
    order = order[kept]
    index = order - begins[frame[order]]
    begin = _begins(lengths[sure])
    xyxy = np.concatenate([d.xyxy for d in found])[order]
    names = [shot[i].detections for i in frame[order[begin[:-1]]].tolist()]
    labels = tuple(d.classes[j] for d, j in zip(names, index[begin[:-1]].tolist(), strict=True) if d is not None)
    return Tracks(begin, first + start + frame[order], index, center_size(xyxy), scores[kept], labels)


def bridged(tracks: Tracks, gap: int, reach: int) -> Tracks:
    """Join the end of one tracklet to the start of a later one.

    Args:
        gap: of how many frames at most.
        reach: over so many frames to either side an end's speed is taken.
    """
    if len(tracks) < 2:
        return tracks
    labels = np.array(tracks.labels)
    span = tracks.first[None, :] - tracks.last[:, None]
    allowed = (span >= 1) & (span <= gap) & (labels[:, None] == labels[None, :])
    leaving, coming = np.flatnonzero(allowed.any(axis=1)), np.flatnonzero(allowed.any(axis=0))
    if not len(leaving):
        return tracks
    at = np.ix_(leaving, coming)
    span, allowed = span[at], allowed[at]
    tail, head = tracks.cxywh[tracks.begin[1:] - 1][leaving], tracks.cxywh[tracks.begin[:-1]][coming]
    speed_out, speed_in = (
        velocity(tracks, tracks.last, reach)[leaving],
        velocity(tracks, tracks.first, reach)[coming],
    )
    # Half of the way by the speed on leaving, half by the speed on coming back: it turned somewhere unseen.
    way = (speed_out[:, None, :] + speed_in[None, :, :]) / 2 * span[..., None]
    most = 1 + span / gap
    moved = pair_cost(tail[:, None, :2] + way, tail[:, None, 2:], head[None, :, :2], head[None, :, 2:], most)
    cost = np.where(allowed, np.minimum(moved, link_cost(tail, head, most)) + 0.02 * span, NEVER)
    root = np.arange(len(tracks))
    # By time of the start, so that a chain of several pieces joins from its front.
    pairs = [(leaving[i], coming[j]) for i, j in assign(cost)]
    for i, j in sorted(pairs, key=lambda pair: int(tracks.first[pair[1]])):
        root[j] = root[i]
    owner = root[tracks.owners()]
    order = np.lexsort((tracks.at, owner))
    roots, lengths = np.unique(owner, return_counts=True)
    return Tracks(
        _begins(lengths),
        tracks.at[order],
        tracks.index[order],
        tracks.cxywh[order],
        tracks.scores[order],
        tuple(tracks.labels[k] for k in roots.tolist()),
    )


def completed(tracks: Tracks, size: tuple[int, int]) -> Tracks:
    """Give boxes that the frame's edge cuts the extent of the track's nearest box that it does not cut.

    What is left of an object that leaves the frame shrinks, and its margins with it, and its centre lags behind.
    """
    centre, extent = tracks.cxywh[:, :2], tracks.cxywh[:, 2:]
    lower, upper = centre - extent / 2, centre + extent / 2
    cut_below, cut_above = lower <= _NEAR * extent, upper >= np.array(size, np.float32) - _NEAR * extent
    cut = cut_below | cut_above
    if not cut.any():
        return tracks
    cxywh = tracks.cxywh.copy()
    for k in np.flatnonzero(tracks.sums(cut.any(axis=1))).tolist():
        own = slice(tracks.begin[k], tracks.begin[k + 1])
        at, low, high, wide = tracks.at[own], lower[own], upper[own], extent[own]
        for axis in (0, 1):
            uncut = np.flatnonzero(~cut[own, axis])
            if len(uncut):
                nearest = uncut[np.abs(at[:, None] - at[uncut]).argmin(axis=1)]
                wanted = np.maximum(wide[:, axis], wide[nearest, axis])
                below, above = cut_below[own, axis], cut_above[own, axis]
                low[:, axis] = np.where(below & ~above, high[:, axis] - wanted, low[:, axis])
                high[:, axis] = np.where(above & ~below, low[:, axis] + wanted, high[:, axis])
        cxywh[own] = np.concatenate([(low + high) / 2, high - low], axis=1)
    return replace(tracks, cxywh=cxywh)


def smooth(tracks: Tracks, at: I64, sigma: float) -> F32:
    """(t, 4) centre and size of each track at the frame of one of its detections: a local linear fit over them.

    Weights are Gaussian, of deviation `sigma` frames. The size is the largest of the nearest detections: a detector
    that falters shrinks its boxes first.
    """
    apart = tracks.at - at[tracks.owners()]
    near = tracks.rows(np.abs(apart) <= max(1.0, 3 * sigma))
    owner = near.owners()
    away = (near.at - at[owner]).astype(np.float64)
    weight = np.exp(-0.5 * (away / sigma) ** 2)
    values = near.cxywh.astype(np.float64)
    total = near.sums(weight)
    mean = near.sums(weight * away) / total
    level = near.sums(weight[:, None] * values) / total[:, None]
    centred = away - mean[owner]
    spread = near.sums(weight * centred**2)
    slope = near.sums((weight * centred)[:, None] * (values - level[owner]))
    fits = spread > 1e-9
    answer = level - slope / np.where(fits, spread, np.inf)[:, None] * mean[:, None]
    nearest = np.where((np.abs(away) <= max(1.0, 1.5 * sigma))[:, None], values[:, 2:], 1.0)
    answer[:, 2:] = np.maximum(np.maximum.reduceat(nearest, near.begin[:-1], axis=0), 1.0)
    return np.asarray(answer, np.float32)


def velocity(tracks: Tracks, at: I64, reach: int) -> F32:
    """(t, 2) motion of each track's centre around the frame of one of its detections, pixels a frame.

    By the detections at most `reach` frames away; 0 where there are fewer than three.
    """
    near = tracks.rows(np.abs(tracks.at - at[tracks.owners()]) <= reach)
    count, owner = np.diff(near.begin)[:, None], near.owners()
    # Of small numbers: the products of frame numbers of a long clip would lose digits.
    frame = (near.at - at[owner])[:, None].astype(np.float64)
    apart = frame - (near.sums(frame) / count)[owner]
    values = near.cxywh[:, :2].astype(np.float64)
    values -= (near.sums(values) / count)[owner]
    slope = near.sums(apart * values) / np.where(count < 3, np.inf, near.sums(apart**2))
    return np.asarray(slope, np.float32)


def _begins(lengths: NDArray[np.integer]) -> I64:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])
