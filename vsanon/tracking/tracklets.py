"""The tracks within windows of linked frames, as arrays over all of them; pure.

Detections that links join are `Chains`, of a run of frames; what a window shows of them are its `tracklets`; pieces
of one object are joined in `bridging`; what the frame's edge cuts is made whole in `edges`. Every frame has a
window of its own, so a run of frames is looked at for several at once, and nothing here goes track by track, frame
by frame or window by window where it need not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32, center_size
from vsanon.detections import Detections
from vsanon.tracking.evidence import Evidences

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LinkedFrame:
    """One frame of the window: its detections, their links to the frame before, whether a shot starts here,
    whether a model has seen it, and a small grey picture of it, (h, w) uint8, or None.

    `detections` is None where no detection was made.

    Raises:
        ValueError: not one link for each detection.
    """

    detections: Detections | None
    links: tuple[int, ...]
    cut: bool
    searched: bool = True
    picture: NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        count = 0 if self.detections is None else len(self.detections)
        if len(self.links) != count:
            raise ValueError(f"{count} detections need {count} links, got {len(self.links)}")


@dataclass(frozen=True, slots=True, eq=False)
class Chains:
    """The detections of a run of frames, by the c chains that links join them to, m in all.

    Args:
        begin: (c + 1,) row of each chain's first detection, and m.
        at: (m,) frame numbers, rising by one within a chain.
        index: (m,) positions in the detections of these frames.
        place: (m,) numbers that rise with frame and position.
        counted: (m,) which count as evidence.
        agreed: (m,) with which a second look agreed.
        cxywh: (m, 4) boxes as centre and size, pixels.
        scores: (m,).
        swatches: (m, 5, 5, 3) uint8 RGB.
        kind: (c,) which of the names is a chain's class.
        names: of classes.
    """

    begin: I64
    at: I64
    index: I64
    place: I64
    counted: NDArray[np.bool_]
    agreed: NDArray[np.bool_]
    cxywh: F32
    scores: F32
    swatches: NDArray[np.uint8]
    kind: I64
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """The rows of t tracks, one after the other, m in all.

    Args:
        begin: (t + 1,) row of each track's first detection, and m.
        at: (m,) frame numbers, rising within a track.
        row: (m,) which rows of the chains they are.
        counted: (m,) which count as evidence.
        agreed: (m,) with which a second look agreed.
        cxywh: (m, 4) boxes as centre and size, pixels.
        scores: (m,).
        window: (t,) the position of the window that shows the track; rising.
        kind: (t,) which of the names is a track's class.
        names: of classes.
    """

    begin: I64
    at: I64
    row: I64
    counted: NDArray[np.bool_]
    agreed: NDArray[np.bool_]
    cxywh: F32
    scores: F32
    window: I64
    kind: I64
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.kind)

    @property
    def labels(self) -> tuple[str, ...]:
        """t class names."""
        return tuple(self.names[k] for k in self.kind.tolist())

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

    def before(self, n: I64) -> I64:
        """(t,) how many detections each track has before frame `n[k]`."""
        return self.sums(self.at < np.repeat(n, np.diff(self.begin)))

    def sums(self, values: NDArray[Any]) -> NDArray[Any]:
        """(t, ...) the sum of each track's rows."""
        return np.add.reduceat(values, self.begin[:-1], axis=0, dtype=np.int64 if values.dtype == bool else None)

    def rows(self, chosen: NDArray[np.bool_]) -> "Tracks":
        """The tracks with some of their rows, at least one of each."""
        return self._of(np.flatnonzero(chosen), self.sums(chosen), self.window, self.kind)

    def select(self, chosen: I64) -> "Tracks":
        """Some of the tracks, in this order."""
        lengths = np.diff(self.begin)[chosen]
        rows = spans(self.begin[chosen], lengths)
        return self._of(rows, lengths, self.window[chosen], self.kind[chosen])

    def joined(self, root: I64) -> "Tracks":
        """Tracks of one root become one; those of a root follow each other in time."""
        order = np.lexsort((self.first, root))
        lengths = np.diff(self.begin)[order]
        rows = spans(self.begin[order], lengths)
        fronts = np.flatnonzero(np.diff(root[order], prepend=-1))
        roots = root[order[fronts]]
        return self._of(rows, np.add.reduceat(lengths, fronts), self.window[roots], self.kind[roots])

    def _of(self, rows: I64, lengths: I64, window: I64, kind: I64) -> "Tracks":
        at, row, counted, agreed = self.at[rows], self.row[rows], self.counted[rows], self.agreed[rows]
        return Tracks(
            begins(lengths), at, row, counted, agreed, self.cxywh[rows], self.scores[rows], window, kind, self.names
        )


def chained(frames: Sequence[LinkedFrame], first: int, evidence: Evidences) -> Chains:
    """Follow the links of a run of frames within its shots; chains of which nothing counts are noise.

    Args:
        frames: from number `first` of the clip on.
        evidence: says which detections count.

    Returns:
        The chains, by their last detection.
    """
    counts = np.array([0 if f.detections is None else len(f.detections) for f in frames])
    found = [f.detections for f in frames if f.detections is not None and len(f.detections)]
    names = tuple(dict.fromkeys(chain.from_iterable(d.classes for d in found)))
    # Detections are told by one number each, that of their row in all of them.
    fronts = begins(counts)
    frame = np.repeat(np.arange(len(counts)), counts)
    links = np.fromiter(chain.from_iterable(f.links for f in frames), np.int64, len(frame))
    starts = np.array([f.cut for f in frames], bool)[frame]
    linked = np.flatnonzero((links >= 0) & (frame > 0) & ~starts & (links < counts[frame - 1]))
    last = np.arange(len(frame))
    last[fronts[frame[linked] - 1] + links[linked]] = linked
    while not np.array_equal(further := last[last], last):
        last = further
    counted = evidence.counts(found)
    sure = np.zeros(len(frame), bool)
    sure[last[counted]] = True
    kept = np.flatnonzero(sure[last])
    order = kept[np.argsort(last[kept], kind="stable")]
    begin = np.flatnonzero(np.diff(last[order], prepend=-1))
    kinds = {name: k for k, name in enumerate(names)}
    kind = np.array([kinds[name] for d in found for name in d.classes], np.int64)
    xyxy = np.concatenate([d.xyxy for d in found]) if found else np.zeros((0, 4), np.float32)
    scores = np.concatenate([d.scores for d in found]) if found else np.zeros(0, np.float32)
    agreed = np.concatenate([d.agreed for d in found]) if found else np.zeros(0, bool)
    swatches = np.concatenate([d.swatches for d in found]) if found else np.zeros((0, 5, 5, 3), np.uint8)
    return Chains(
        np.append(begin, len(order)),
        first + frame[order],
        order - fronts[frame[order]],
        order,
        counted[order],
        agreed[order],
        center_size(xyxy[order]),
        scores[order],
        swatches[order],
        kind[order[begin]],
        names,
    )


def tracklets(chains: Chains, starts: I64, stops: I64) -> Tracks:
    """What windows show of the chains, where that counts.

    Args:
        starts, stops: (w,) frames, end-exclusive; each window within one shot.

    Returns:
        The tracklets, by their window and their last detection.
    """
    if not len(chains.kind):
        none = np.zeros(0, np.int64)
        return Tracks(
            begins(none),
            none,
            none,
            chains.counted,
            chains.agreed,
            chains.cxywh,
            chains.scores,
            none,
            none,
            chains.names,
        )
    origin, span = int(chains.at.min()), int(np.ptp(chains.at)) + 2
    number = np.repeat(np.arange(len(chains.kind)), np.diff(chains.begin)) * span + chains.at - origin
    own = np.arange(len(chains.kind)) * span
    low, high = (np.searchsorted(number, own + np.clip(n - origin, 0, span - 1)[:, None]) for n in (starts, stops))
    sure = begins(chains.counted)
    window, chosen = np.nonzero(sure[high] > sure[low])
    low, high = low[window, chosen], high[window, chosen]
    order = np.lexsort((chains.place[high - 1], window))
    low, window, lengths = low[order], window[order], (high - low)[order]
    rows = spans(low, lengths)
    kind = chains.kind[chosen[order]]
    at, counted, agreed = chains.at[rows], chains.counted[rows], chains.agreed[rows]
    return Tracks(
        begins(lengths),
        at,
        rows,
        counted,
        agreed,
        chains.cxywh[rows],
        chains.scores[rows],
        window,
        kind,
        chains.names,
    )


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


def begins(lengths: NDArray[Any]) -> I64:
    """Where each of n runs of these lengths begins, and where the last one ends, (n + 1,)."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


def spans(starts: I64, lengths: I64) -> I64:
    """All numbers of runs, one run after the other."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - ends + lengths, lengths)
