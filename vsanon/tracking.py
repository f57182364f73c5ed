"""Link detections over time and say which boxes cover a frame; pure, and blind to everything but its window.

Two steps, so that neither needs to be "run up to" a frame:

1. `link` joins the detections of one frame to those of the frame before. It sees two frames only, so its
   answer is the same from wherever a clip is entered.
2. `cover` follows these links through the frames around `n`, bridges gaps, and answers with the boxes
   that cover `n`: smoothed where detected, interpolated across gaps, held before a track's first and after
   its last detection, and never carried across a cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from vsanon.assignment import NEVER, assign
from vsanon.boxes import F32, center_size, iou
from vsanon.timing import frames_for
from vsanon.tracks import Detections, Origin, TrackedBoxes, no_cells

GRID = 8
"""Tracked boxes are rounded outward to 1/8 px, so that text carries them exactly."""

_NEAR = 0.05
"""A box this near to the frame's edge, in its own sides, is taken for one that the edge cuts."""


@dataclass(frozen=True, slots=True)
class TrackSettings:
    """How detections become tracks.

    Args:
        gap_s: the longest gap between two detections of a track that is bridged, seconds.
        lead_s: how long a track is held before its first and after its last detection, seconds.
        confirm_score: a track is confirmed by one detection with at least this score ...
        confirm_count: ... or by this many with at least `cover_score`. Only confirmed tracks are bridged and
            held.
        cover_score: a detection with at least this score is covered in its frame, confirmed or not; weaker
            ones only carry a confirmed track on.
        smooth_s: the standard deviation of the smoothing window, seconds.
        growth: how much a box grows, as a share of its size, for each second to the nearest detection.
        weak_growth: how much the box of a detection of score 0 grows, falling to nothing at `confirm_score`: a
            weak detection is a less exact one.

    Raises:
        ValueError: a value lies outside its range.
    """

    gap_s: float = 1.0
    lead_s: float = 0.5
    confirm_score: float = 0.4
    confirm_count: int = 5
    cover_score: float = 0.2
    smooth_s: float = 0.12
    growth: float = 0.4
    weak_growth: float = 0.3

    def __post_init__(self) -> None:
        if not (0 < self.gap_s <= 10 and 0 <= self.lead_s <= 10 and 0 < self.smooth_s <= 1):
            raise ValueError("gap_s, lead_s and smooth_s must be positive, and at most 10, 10 and 1 seconds")
        if not (0 <= self.cover_score <= 1 and 0 < self.confirm_score <= 1 and self.confirm_count >= 1):
            raise ValueError("scores lie in [0, 1], confirm_score above 0, and confirm_count is at least 1")
        if not (0 <= self.growth <= 10 and 0 <= self.weak_growth <= 2):
            raise ValueError("growth lies in [0, 10] per second, and weak_growth in [0, 2]")

    def frames(self, fps: Fraction) -> "TrackFrames":
        """These settings in frames of a clip with this rate."""
        gap, lead = frames_for(self.gap_s, fps), frames_for(self.lead_s, fps)
        context = frames_for(3 * self.smooth_s, fps)
        return TrackFrames(
            gap, lead, max(gap, lead) + context, float(self.smooth_s * fps), self.growth / float(fps)
        )


@dataclass(frozen=True, slots=True)
class TrackFrames:
    """`TrackSettings` in frames: bridged gap, lead, radius of the window, smoothing sigma, growth a frame."""

    gap: int
    lead: int
    radius: int
    sigma: float
    growth: float


def is_cut(changes: Sequence[Sequence[float]], threshold: float = 0.06) -> bool:
    """Say whether the middle frame of five starts a new shot.

    Args:
        changes: mean absolute luma differences, in [0, 1], of frames n-2 … n+2: to the frame before each, to the
            frame two before, and to the frame three before.
        threshold: the least difference that a cut makes.

    A cut stands out from the changes around it, which a pan or a shake does not; and all frames after it stay
    different from those before it, which they do not after a flash of one or two frames.
    """
    one, two, three = changes
    here = one[2]
    around = float(np.median([one[0], one[1], one[3], one[4]]))
    # Of pairs that lie on both sides: n-2 and n, n-1 and n+1, n-3 and n, n-1 and n+2.
    is_flash = min(two[2], two[3], three[2], three[4]) < here / 2
    return here >= threshold and here >= 3 * around and not is_flash


def thin(found: Detections, strong: float, max_iou: float = 0.05) -> Detections:
    """Drop weak detections that overlap a better one: echoes of it, which would lead its track astray.

    Args:
        found: the detections of a frame.
        strong: detections that score at least this stay.
        max_iou: weaker ones go where they overlap a better one of their class by this much or more.
    """
    overlap = iou(found.xyxy, found.xyxy)
    names = np.array(found.classes)
    better = (found.scores[None, :] > found.scores[:, None]) & (names[None, :] == names[:, None])
    echo = (found.scores < strong) & ((overlap >= max_iou) & better).any(axis=1)
    return found.select(~echo) if echo.any() else found


def link(before: Detections, now: Detections, strong: float) -> tuple[int, ...]:
    """Join the detections of a frame to those of the frame before.

    Args:
        before: the frame before.
        now: the frame.
        strong: pairs in which both score at least this are joined first, so that no weak one takes their
            place (two rounds, as in ByteTrack, arXiv 2110.06864).

    Returns:
        For each detection of `now` the index of its predecessor in `before`, or -1. Pairs are of one class,
        lie at most one mean box side apart, differ in size by less than a factor of two, and have the least
        total cost (Hungarian method).
    """
    found = np.full(len(now), -1)
    if len(before) and len(now):
        cost = _link_cost(
            center_size(before.xyxy), center_size(now.xyxy), np.ones((len(before), len(now)), np.float32)
        )
        cost = np.where(np.array(before.classes)[:, None] == np.array(now.classes)[None, :], cost, NEVER)
        both = (before.scores[:, None] >= strong) & (now.scores[None, :] >= strong)
        for i, j in assign(np.where(both, cost, NEVER)):
            found[j] = i
        taken = np.isin(np.arange(len(before)), found)[:, None] | (found >= 0)[None, :]
        for i, j in assign(np.where(taken, NEVER, cost)):
            found[j] = i
    return tuple(int(i) for i in found)


@dataclass(frozen=True, slots=True, eq=False)
class LinkedFrame:
    """One frame of the window: its detections, their links to the frame before, whether a shot starts here, and
    whether a model has seen it.

    `detections` is None where no detection was made.
    """

    detections: Detections | None
    links: tuple[int, ...]
    cut: bool
    searched: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class _Track:
    """One track within the window: `at` (m,) frame numbers, rising; `index` into each frame's detections."""

    at: NDArray[np.int64]
    index: tuple[int, ...]
    cxywh: F32
    scores: F32
    label: str


def cover(
    window: Sequence[LinkedFrame],
    first: int,
    n: int,
    size: tuple[int, int],
    settings: TrackSettings,
    frames: TrackFrames,
) -> TrackedBoxes:
    """The boxes that cover frame `n`.

    Args:
        window: frames `first … first + len(window) - 1`.
        first: the number of the window's first frame in the clip.
        n: the frame asked for, inside the window.
        size: (width, height) of the clip, pixels; boxes that its edges cut are made whole again.
        settings: how tracks are confirmed.
        frames: the same settings' spans, in frames.

    Returns:
        Boxes in the order of their ids. An id is the clip-wide number of the detection that the track is
        anchored to, the first in the block of `radius` frames that holds `n`; score and colour cells are
        that detection's, so they hold still within a block.

    Raises:
        ValueError: no detection was made for frame `n`.
    """
    if window[n - first].detections is None:
        raise ValueError(f"no detection was made for frame {n}")
    start, stop = _shot(window, n - first)
    tracks = _bridge(_tracklets(window, first, start, stop, settings.cover_score), frames)
    tracks = [_completed(track, size) for track in tracks]
    rows = [row for track in tracks if (row := _cover_one(track, n, settings, frames)) is not None]
    answers = []
    for track, box, origin in rows:
        if origin is Origin.DETECTED and not window[n - first].searched:
            origin = Origin.INTERPOLATED
        anchor, index = _anchor(track, n, frames.radius)
        seen = window[anchor - first].detections
        assert seen is not None
        answers.append(
            (anchor * 4096 + index, box, float(seen.scores[index]), track.label, origin, seen.cells[index])
        )
    answers.sort(key=lambda row: row[0])
    return TrackedBoxes(
        np.array([a[1] for a in answers], np.float32).reshape(-1, 4),
        np.array([a[2] for a in answers], np.float32),
        tuple(a[3] for a in answers),
        tuple(a[0] for a in answers),
        tuple(a[4] for a in answers),
        np.stack([a[5] for a in answers]) if answers else no_cells(0),
    )


def _shot(window: Sequence[LinkedFrame], at: int) -> tuple[int, int]:
    """The part of the window that belongs to the shot of position `at`, end-exclusive."""
    start = next((i for i in range(at, 0, -1) if window[i].cut), 0)
    stop = next((i for i in range(at + 1, len(window)) if window[i].cut), len(window))
    return start, stop


def _tracklets(window: Sequence[LinkedFrame], first: int, start: int, stop: int, least: float) -> list[_Track]:
    """Follow the links; chains in which no detection scores at least `least` are noise."""
    found = [window[i].detections for i in range(start, stop)]
    counts = [0 if d is None else len(d) for d in found]
    # Detections are told by one number each, so that arrays are made for all of them at once.
    begins = np.cumsum([0, *counts])
    frame = np.repeat(np.arange(len(counts)), counts)
    xyxy = np.concatenate([np.zeros((0, 4), np.float32), *(d.xyxy for d in found if d is not None)])
    scores = np.concatenate([np.zeros(0, np.float32), *(d.scores for d in found if d is not None)])
    cxywh, enough = center_size(xyxy), (scores >= least).tolist()
    done: list[list[int]] = []
    open_: dict[int, list[int]] = {}
    for i, (count, begin) in enumerate(zip(counts, begins.tolist(), strict=False)):
        links = window[start + i].links
        following: dict[int, list[int]] = {}
        for j in range(count):
            chain = open_.pop(links[j], None) if i else None
            following[j] = chain if chain is not None else []
            following[j].append(begin + j)
        done.extend(open_.values())
        open_ = following
    done.extend(open_.values())
    tracks = []
    for chain in done:
        if any(enough[k] for k in chain):
            at = frame[chain]
            seen = found[at[0]]
            assert seen is not None
            index = chain - begins[at]
            label = seen.classes[index[0]]
            tracks.append(_Track(first + start + at, tuple(index.tolist()), cxywh[chain], scores[chain], label))
    return tracks


def _bridge(tracks: list[_Track], frames: TrackFrames) -> list[_Track]:
    """Join the end of one tracklet to the start of a later one, at most `gap` frames on."""
    if len(tracks) < 2:
        return tracks
    ends = np.array([t.at[-1] for t in tracks])
    starts = np.array([t.at[0] for t in tracks])
    span = starts[None, :] - ends[:, None]
    labels = np.array([t.label for t in tracks])
    allowed = (span >= 1) & (span <= frames.gap) & (labels[:, None] == labels[None, :])
    if not allowed.any():
        return tracks
    tail = np.stack([t.cxywh[-1] for t in tracks])
    head = np.stack([t.cxywh[0] for t in tracks])
    speed_out, speed_in = (np.zeros((len(tracks), 2), np.float32) for _ in range(2))
    for i in np.flatnonzero(allowed.any(axis=1)).tolist():
        speed_out[i] = _velocity(tracks[i], ends[i], frames)
    for j in np.flatnonzero(allowed.any(axis=0)).tolist():
        speed_in[j] = _velocity(tracks[j], starts[j], frames)
    # Half of the way by the speed on leaving, half by the speed on coming back: it turned somewhere unseen.
    way = (speed_out[:, None, :] + speed_in[None, :, :]) / 2 * span[..., None]
    reach = 1 + span / frames.gap
    moved = _pair_cost(tail[:, None, :2] + way, tail[:, None, 2:], head[None, :, :2], head[None, :, 2:], reach)
    stayed = _link_cost(tail, head, reach)
    cost = np.where(allowed, np.minimum(moved, stayed) + 0.02 * span, NEVER)
    joined = list(range(len(tracks)))
    merged: dict[int, _Track] = {}
    # By time of the start, so that a chain of several pieces joins from its front.
    for i, j in sorted(assign(cost), key=lambda pair: int(starts[pair[1]])):
        root = joined[i]
        while joined[root] != root:
            root = joined[root]
        merged[root] = _concatenate(merged.get(root, tracks[root]), tracks[j])
        joined[j] = root
    return [merged.get(k, tracks[k]) for k in range(len(tracks)) if joined[k] == k]


def _concatenate(a: _Track, b: _Track) -> _Track:
    return _Track(
        np.concatenate([a.at, b.at]),
        a.index + b.index,
        np.concatenate([a.cxywh, b.cxywh]),
        np.concatenate([a.scores, b.scores]),
        a.label,
    )


def _completed(track: _Track, size: tuple[int, int]) -> _Track:
    """Give boxes that the frame's edge cuts the extent of the track's nearest box that it does not cut.

    What is left of an object that leaves the frame shrinks, and its margins with it, and its centre lags behind.
    """
    centre, extent = track.cxywh[:, :2], track.cxywh[:, 2:]
    lower, upper = centre - extent / 2, centre + extent / 2
    cut_below, cut_above = lower <= _NEAR * extent, upper >= np.array(size, np.float32) - _NEAR * extent
    whole = ~(cut_below | cut_above)
    if whole.all():
        return track
    for axis in (0, 1):
        uncut = np.flatnonzero(whole[:, axis])
        if len(uncut):
            nearest = uncut[np.abs(track.at[:, None] - track.at[uncut]).argmin(axis=1)]
            wanted = np.maximum(extent[:, axis], extent[nearest, axis])
            below, above = cut_below[:, axis], cut_above[:, axis]
            lower[:, axis] = np.where(below & ~above, upper[:, axis] - wanted, lower[:, axis])
            upper[:, axis] = np.where(above & ~below, lower[:, axis] + wanted, upper[:, axis])
    return replace(track, cxywh=np.concatenate([(lower + upper) / 2, upper - lower], axis=1))


def _cover_one(
    track: _Track, n: int, settings: TrackSettings, frames: TrackFrames
) -> tuple[_Track, NDArray[np.float32], Origin] | None:
    """The box of one track at `n`, or None where it does not reach `n`."""
    k = int(np.searchsorted(track.at, n))
    detected = k < len(track.at) and track.at[k] == n
    sure = int((track.scores >= settings.cover_score).sum())
    confirmed = track.scores.max() >= settings.confirm_score or sure >= settings.confirm_count
    if not confirmed:
        if detected and track.scores[k] >= settings.cover_score:
            return track, _outward(track.cxywh[k]), Origin.DETECTED
        return None
    if detected:
        box = track.cxywh[k].copy()
        box[2:] *= 1 + settings.weak_growth * max(0.0, 1 - float(track.scores[k]) / settings.confirm_score)
        seen, smooth = _outward(box), _outward(_smooth(track, n, frames))
        union = np.concatenate([np.minimum(seen[:2], smooth[:2]), np.maximum(seen[2:], smooth[2:])])
        return track, union, Origin.DETECTED
    if 0 < k < len(track.at):
        before, after = int(track.at[k - 1]), int(track.at[k])
        share = (n - before) / (after - before)
        box = _smooth(track, before, frames) * (1 - share) + _smooth(track, after, frames) * share
        return track, _grown(box, min(n - before, after - n), frames), Origin.INTERPOLATED
    end = 0 if k == 0 else len(track.at) - 1
    away = n - int(track.at[end])
    if abs(away) > frames.lead:
        return None
    box = _smooth(track, int(track.at[end]), frames).copy()
    box[:2] += _velocity(track, int(track.at[end]), frames) * away
    return track, _grown(box, abs(away), frames), Origin.HELD


def _grown(cxywh: NDArray[np.float32], away: int, frames: TrackFrames) -> NDArray[np.float32]:
    """Grow a box by what may have happened unseen since the nearest detection."""
    grown = cxywh.copy()
    grown[2:] *= 1 + frames.growth * away
    return _outward(grown)


def _smooth(track: _Track, n: int, frames: TrackFrames) -> NDArray[np.float32]:
    """Centre and size at `n`: a local linear fit with Gaussian weights over the track's detections.

    The size is the largest of the nearest detections: a detector that falters shrinks its boxes first.
    """
    apart = (track.at - n).astype(np.float64)
    near = np.abs(apart) <= max(1.0, 3 * frames.sigma)
    apart = apart[near]
    weight = np.exp(-0.5 * (apart / frames.sigma) ** 2)
    values = track.cxywh[near].astype(np.float64)
    total = weight.sum()
    mean = (weight @ apart) / total
    level = (weight @ values) / total
    spread = weight @ (apart - mean) ** 2
    answer = level
    if spread > 1e-9:
        answer = level - (weight * (apart - mean)) @ (values - level) / spread * mean
    nearest = np.abs(apart) <= max(1.0, 1.5 * frames.sigma)
    answer[2:] = values[nearest, 2:].max(axis=0, initial=1.0)
    return np.asarray(answer, np.float32)


def _velocity(track: _Track, n: int, frames: TrackFrames) -> NDArray[np.float32]:
    """Motion of the centre around `n`, pixels a frame, over a quarter of the radius."""
    near = np.abs(track.at - n) <= max(2, frames.radius // 4)
    if near.sum() < 3:
        return np.zeros(2, np.float32)
    apart = (track.at[near] - track.at[near].mean()).astype(np.float64)
    values = track.cxywh[near, :2].astype(np.float64)
    return ((apart @ (values - values.mean(axis=0))) / (apart @ apart)).astype(np.float32)


def _anchor(track: _Track, n: int, radius: int) -> tuple[int, int]:
    """The detection that gives the track its id and colours in the block of `n`: (frame, index)."""
    block = n - n % radius
    k = int(np.searchsorted(track.at, block))
    inside = k < len(track.at) and track.at[k] < block + radius
    if not inside:
        k = int(np.argmin(np.abs(track.at - block)))
    return int(track.at[k]), track.index[k]


def _outward(cxywh: NDArray[np.float32]) -> NDArray[np.float32]:
    """A box of centre and size as xyxy, rounded outward to the grid of 1/8 px."""
    lower = np.floor((cxywh[:2] - cxywh[2:] / 2) * GRID) / GRID
    upper = np.ceil((cxywh[:2] + cxywh[2:] / 2) * GRID) / GRID
    return np.concatenate([lower, upper]).astype(np.float32)


def _link_cost(a: F32, b: F32, reach: NDArray[np.floating]) -> NDArray[np.floating]:
    """Cost of joining each box of `a` to each of `b`, as centre and size; `NEVER` outside the gate."""
    return _pair_cost(a[:, None, :2], a[:, None, 2:], b[None, :, :2], b[None, :, 2:], reach)


def _pair_cost(
    at_a: NDArray[np.floating],
    size_a: NDArray[np.floating],
    at_b: NDArray[np.floating],
    size_b: NDArray[np.floating],
    reach: NDArray[np.floating],
) -> NDArray[np.floating]:
    side_a = np.sqrt(np.maximum(size_a, 1e-3).prod(axis=-1))
    side_b = np.sqrt(np.maximum(size_b, 1e-3).prod(axis=-1))
    distance = np.sqrt(((at_b - at_a) ** 2).sum(axis=-1)) / ((side_a + side_b) / 2)
    ratio = np.abs(np.log2(side_b / side_a))
    return np.where((distance <= reach) & (ratio <= 1), distance + ratio, NEVER)
