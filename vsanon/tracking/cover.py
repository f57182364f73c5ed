"""Which boxes cover a frame, by the detections around it; pure, and blind to everything but its window.

Two steps, so that neither needs to be "run up to" a frame:

1. `linking.link` joins the detections of one frame to those of the frame before. It sees two frames only, so its
   answer is the same from wherever a clip is entered.
2. `cover` follows these links through the frames around `n`, bridges gaps, and answers with what must be covered
   in `n`: the boxes as detected, interpolated across gaps, held before a track's first and after its last
   detection, and never carried across a cut.

What is painted is `steady.steady` of it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32
from vsanon.detections import SLACK, Origin, TrackedBoxes, no_swatches
from vsanon.timing import frames_for
from vsanon.tracking.confirmed import is_confirmed
from vsanon.tracking.evidence import EVIDENCE, Evidences, EvidenceTable
from vsanon.tracking.tracklets import LinkedFrame, Tracks, bridged, completed, smooth, tracklets, velocity

GRID = 8
"""Tracked boxes are rounded outward to 1/8 px, so that text carries them exactly."""

NOISE = 12
"""Greatest noise on a swatch, as `covering.swatches` gives it to those of a detection."""

COLOUR_REACH = 36
"""Frames to either side that colours are means over."""

NONE = -1
"""In place of a detection: there is none within the window."""

_OUT = -1
"""In place of an origin: the track does not reach the frame."""

_NOTHING = TrackedBoxes(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), (), (), (), no_swatches(0))


@dataclass(frozen=True, slots=True)
class TrackSettings:
    """How detections become tracks.

    Args:
        gap_s: the longest gap between two detections of a track that is bridged, seconds.
        lead_s: how long a track is held before its first and after its last detection, seconds.
        smooth_s: how long boxes are smoothed over, seconds: the standard deviation of the weights is one and a half
            times as much for sizes and the ends of gaps, and three quarters for centres, which turn more quickly.
        steady_s: over how long to either side an edge that reached further once stays out, seconds; the path of a
            box is the steadier for it, and wider.
        slack: how far an edge may reach beyond its smooth path before the box grows, as a share of the box's side:
            what paints the box covers so much more.
        growth: how much a box grows, as a share of its size, for each second to the nearest detection; that of a
            held one slows down to nothing by the end of `lead_s`, so to half of it.
        weak_growth: how much the box of a detection of score 0 grows, falling to nothing at its class's
            `confirm_score`: a weak detection is a less exact one.
        evidence: what it takes for the detections of a class to be a track, and to be covered.

    Raises:
        ValueError: a value lies outside its range.

    Examples:
        >>> TrackSettings(lead_s=0.5).frames(Fraction(25)).lead
        13
    """

    gap_s: float = 1.0
    lead_s: float = 0.5
    smooth_s: float = 0.08
    steady_s: float = 0.2
    slack: float = SLACK
    growth: float = 0.4
    weak_growth: float = 0.3
    evidence: Evidences = EVIDENCE

    def __post_init__(self) -> None:
        if not isinstance(self.evidence, Evidences):
            raise ValueError(f"evidence is an Evidences, got {type(self.evidence).__name__}")
        if not (0 < self.gap_s <= 10 and 0 <= self.lead_s <= 10 and 0 < self.smooth_s <= 1):
            raise ValueError("gap_s, lead_s and smooth_s must be positive, and at most 10, 10 and 1 seconds")
        if not 0 <= self.steady_s <= 2:
            raise ValueError("steady_s lies in [0, 2] seconds")
        if not 0 <= self.slack <= SLACK:
            raise ValueError(f"slack lies in [0, {SLACK}]: more is not covered by every shape")
        if not (0 <= self.growth <= 10 and 0 <= self.weak_growth <= 2):
            raise ValueError("growth lies in [0, 10] per second, and weak_growth in [0, 2]")

    def frames(self, fps: Fraction) -> "TrackFrames":
        """These settings in frames of a clip with this rate."""
        gap, lead = frames_for(self.gap_s, fps), frames_for(self.lead_s, fps)
        sigma = float(self.smooth_s * fps)
        return TrackFrames(
            gap=gap,
            lead=lead,
            radius=max(gap, lead) + frames_for(4.5 * self.smooth_s, fps),
            sigma=1.5 * sigma,
            growth=self.growth / float(fps),
            path=frames_for(4.5 * self.smooth_s, fps),
            centre_sigma=0.75 * sigma,
            size_sigma=1.5 * sigma,
            envelope=frames_for(self.steady_s, fps) if self.steady_s else 0,
            slack=self.slack,
        )


@dataclass(frozen=True, slots=True)
class TrackFrames:
    """`TrackSettings` in frames.

    Args:
        gap: the longest gap that is bridged.
        lead: how long a track is held.
        radius: of the window of `cover`.
        sigma: the standard deviation of the smoothing at the ends of gaps.
        growth: of a box, for each frame to the nearest detection.
        path: how far the smoothing of a path looks to either side.
        centre_sigma, size_sigma: the standard deviations of it.
        envelope: how long an edge that reached further once stays out.
        slack: a share of a box's side, see `TrackSettings`.
    """

    gap: int
    lead: int
    radius: int
    sigma: float
    growth: float
    path: int
    centre_sigma: float
    size_sigma: float
    envelope: int
    slack: float

    @property
    def steady_reach(self) -> int:
        """Frames to either side whose boxes of `cover` have an influence on what is painted."""
        return max(self.path + 2 * self.envelope, COLOUR_REACH)

    @property
    def reach(self) -> int:
        """Frames to either side whose detections have an influence on what is painted."""
        return self.radius + self.steady_reach


def cover(
    window: Sequence[LinkedFrame],
    first: int,
    n: int,
    size: tuple[int, int],
    settings: TrackSettings,
    frames: TrackFrames,
) -> tuple[TrackedBoxes, NDArray[np.int64]]:
    """What must be covered in frame `n`.

    Args:
        window: frames `first … first + len(window) - 1`.
        first: the number of the window's first frame in the clip.
        n: the frame asked for, inside the window.
        size: (width, height) of the clip, pixels; boxes that its edges cut are made whole again.
        settings: how tracks are confirmed.
        frames: the same settings' spans, in frames.

    Returns:
        Boxes in the order of their ids. An id is the clip-wide number of the detection that the track is
        anchored to, the first in the block of `radius` frames that holds `n`; the score is that detection's, and
        the colour swatches are the mean of all the track's in the block, so they hold still within it. And for each
        box, (n, 2), the detection of its track before `n`, and that in `n` or after it, as
        `frame * 4096 + position`; `NONE` where the window shows none.

    Raises:
        ValueError: no detection was made for frame `n`.
    """
    if window[n - first].detections is None:
        raise ValueError(f"no detection was made for frame {n}")
    start, stop = _shot(window, n - first)
    tracks = tracklets(window, first, start, stop, settings.evidence)
    tracks = completed(bridged(tracks, frames.gap, _speed_reach(frames)), size)
    if not len(tracks):
        return _NOTHING, np.zeros((0, 2), np.int64)
    searched = np.array([m for m, frame in enumerate(window[start:stop], first + start) if frame.searched])
    own = settings.evidence.table(tracks.labels)
    strength = own.of(tracks.owners()).strength(tracks.scores, tracks.cxywh[:, 3])
    confirmed = is_confirmed(tracks, own, strength, searched, frames.lead)
    boxes, origins = _reached(tracks, n, confirmed, (own, strength), settings, frames)
    if not window[n - first].searched:
        origins[origins == Origin.DETECTED] = Origin.INTERPOLATED
    anchor = _anchors(tracks, n, frames.radius)
    ids = tracks.at[anchor] * 4096 + tracks.index[anchor]
    shown = np.flatnonzero(origins != _OUT)
    shown = shown[np.argsort(ids[shown])]
    if not len(shown):
        return _NOTHING, np.zeros((0, 2), np.int64)
    found = TrackedBoxes(
        boxes[shown],
        tracks.scores[anchor[shown]],
        tuple(tracks.labels[k] for k in shown.tolist()),
        tuple(ids[shown].tolist()),
        tuple(Origin(o) for o in origins[shown].tolist()),
        np.stack([_held_colours(window, first, tracks, k, anchor[k], (n, frames.radius)) for k in shown.tolist()]),
    )
    return found, _ends(tracks, n)[shown]


def _held_colours(
    window: Sequence[LinkedFrame], first: int, tracks: Tracks, k: int, anchor: int, block: tuple[int, int]
) -> NDArray[np.uint8]:
    """(5, 5, 3) the mean swatches of a track over the block of `n`; those of its anchor where it has none there."""
    n, radius = block
    start = n - n % radius
    own = np.arange(tracks.begin[k], tracks.begin[k + 1])
    own = own[(tracks.at[own] >= start) & (tracks.at[own] < start + radius)]
    rows = zip(tracks.at[own].tolist(), tracks.index[own].tolist(), strict=True) if len(own) else ()
    seen = [d.swatches[i] for at, i in rows if (d := window[at - first].detections) is not None]
    if not seen:
        there = window[int(tracks.at[anchor]) - first].detections
        assert there is not None  # an anchor is a detection
        own_colours: NDArray[np.uint8] = there.swatches[int(tracks.index[anchor])]
        return own_colours
    total = np.sum(seen, axis=0, dtype=np.int64)
    mean = (2 * total + len(seen)) // (2 * len(seen))
    # Each carries noise of its own, of which their mean has little left: as much again, that of the anchor.
    most = round(NOISE * math.sqrt(1 - 1 / len(seen)))
    raw = np.random.PCG64([int(tracks.at[anchor]), int(tracks.index[anchor])]).random_raw(mean.size)
    noise = (raw % np.uint64(2 * most + 1)).astype(np.int64).reshape(mean.shape) - most
    return np.asarray(np.clip(mean + noise, 0, 255), np.uint8)


def _ends(tracks: Tracks, n: int) -> NDArray[np.int64]:
    """(t, 2) each track's last detection before `n`, and its first from `n` on."""
    before = tracks.before(n)
    ahead = tracks.begin[:-1] + before
    rows = tracks.at * 4096 + tracks.index
    last = np.where(before > 0, rows[np.maximum(ahead - 1, 0)], NONE)
    coming = np.where(ahead < tracks.begin[1:], rows[np.minimum(ahead, len(rows) - 1)], NONE)
    return np.stack([last, coming], axis=1)


def _shot(window: Sequence[LinkedFrame], at: int) -> tuple[int, int]:
    """The part of the window that belongs to the shot of position `at`, end-exclusive."""
    start = next((i for i in range(at, 0, -1) if window[i].cut), 0)
    stop = next((i for i in range(at + 1, len(window)) if window[i].cut), len(window))
    return start, stop


def _reached(
    tracks: Tracks,
    n: int,
    confirmed: NDArray[np.bool_],
    evidence: tuple[EvidenceTable, F32],
    settings: TrackSettings,
    frames: TrackFrames,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The box of each track at `n`, (t, 4), and where it comes from, (t,); `_OUT` where it does not reach `n`."""
    own, strength = evidence
    ahead = tracks.begin[:-1] + tracks.before(n)
    row = np.minimum(ahead, tracks.begin[1:] - 1)
    detected = tracks.at[row] == n

    # Where it was found last before `n`, and first from `n` on; beyond its ends one frame stands for both.
    before, after = tracks.at[np.maximum(ahead - 1, tracks.begin[:-1])], tracks.at[row]
    inside = (before < n) & (n < after)
    away = np.where(inside, np.minimum(n - before, after - n), np.where(n > after, n - after, before - n))
    share = np.where(inside, (n - before) / np.maximum(after - before, 1), 1.0)[:, None]
    whole = smooth(tracks, after, frames.sigma)
    if inside.any():
        earlier = smooth(tracks, before, frames.sigma)
        whole = earlier * (1 - share).astype(np.float32) + whole * share.astype(np.float32)
    held = ~detected & ~inside
    if held.any():
        speed = velocity(tracks, after, _speed_reach(frames))
        whole[held, :2] += speed[held] * (n - after[held])[:, None].astype(np.float32)
    # What is held grows ever more slowly: else it leaves a tongue on whatever comes after it.
    grown = np.where(held, away * (1 - np.minimum(away / max(2 * frames.lead, 1), 0.5)), away)
    whole[~detected, 2:] *= (1 + frames.growth * grown[~detected])[:, None].astype(np.float32)
    boxes = _outward(whole)

    exact = tracks.cxywh[row]
    weakness = np.maximum(0.0, 1 - strength[row].astype(np.float64) / own.confirm_score)
    exact[confirmed, 2:] *= (1 + settings.weak_growth * weakness[confirmed])[:, None].astype(np.float32)
    boxes = np.where(detected[:, None], _outward(exact), boxes)
    origins = np.where(detected, Origin.DETECTED, np.where(inside, Origin.INTERPOLATED, Origin.HELD))
    alone = detected & (strength[row] >= own.cover_score)
    origins[np.where(confirmed, held & (away > frames.lead), ~alone)] = _OUT
    return boxes, origins


def _speed_reach(frames: TrackFrames) -> int:
    """Over how many frames to either side a speed is taken: a quarter of the radius."""
    return max(2, frames.radius // 4)


def _anchors(tracks: Tracks, n: int, radius: int) -> NDArray[np.int64]:
    """The rows of the detections that give tracks their ids and colours in the block of `n`."""
    block = n - n % radius
    ahead = tracks.begin[:-1] + tracks.before(block)
    row, behind = np.minimum(ahead, tracks.begin[1:] - 1), np.maximum(ahead - 1, tracks.begin[:-1])
    here, there = tracks.at[row], tracks.at[behind]
    inside = (block <= here) & (here < block + radius)
    nearer = np.abs(here - block) < np.abs(there - block)
    rows: NDArray[np.int64] = np.where(inside | nearer, row, behind)
    return rows


def _outward(cxywh: NDArray[np.float32]) -> NDArray[np.float32]:
    """Boxes of centre and size, (t, 4), as xyxy, rounded outward to the grid of 1/8 px."""
    lower = np.floor((cxywh[:, :2] - cxywh[:, 2:] / 2) * GRID) / GRID
    upper = np.ceil((cxywh[:, :2] + cxywh[:, 2:] / 2) * GRID) / GRID
    return np.concatenate([lower, upper], axis=1).astype(np.float32)
