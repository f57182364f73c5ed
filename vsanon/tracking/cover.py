"""Which boxes cover a frame, by the detections around it; pure, and blind to everything but its window.

Two steps, so that neither needs to be "run up to" a frame:

1. `linking.link` joins the detections of one frame to those of the frame before. It sees two frames only, so its
   answer is the same from wherever a clip is entered.
2. `cover` follows these links through the frames around `n`, bridges gaps, and answers with what must be covered
   in `n`: the boxes as detected, interpolated across gaps, held before a track's first and after its last
   detection, and never carried across a cut. Where small pictures of the frames show it, what is not found lies
   where it is seen (`following`); else it goes straight.

What is painted is `steady.steady` of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32
from vsanon.detections import Origin, TrackedBoxes, no_swatches
from vsanon.tracking.bridging import bridged
from vsanon.tracking.confirmed import is_confirmed
from vsanon.tracking.edges import completed, crosses
from vsanon.tracking.following import F64, U8, Paths
from vsanon.tracking.held_colours import held_colours
from vsanon.tracking.settings import TrackFrames, TrackSettings
from vsanon.tracking.tracklets import (
    I64,
    LinkedFrame,
    Tracks,
    begins,
    chained,
    smooth,
    tracklets,
    velocity,
)

GRID = 8
"""Tracked boxes are rounded outward to 1/8 px, so that text carries them exactly."""

NONE = -1
"""In place of a detection: there is none within the window."""

APART = 0.5
"""What is followed across a gap arrives where it is found again, to this share of its side."""

_FAR = 1 << 40
"""More frames than there are."""

_NOTHING = TrackedBoxes(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), (), (), (), no_swatches(0))


def cover(
    frames: Sequence[LinkedFrame],
    first: int,
    asked: Sequence[int],
    size: tuple[int, int],
    settings: TrackSettings,
    spans: TrackFrames,
    paths: Paths | None = None,
) -> list[tuple[TrackedBoxes, I64]]:
    """What must be covered in some frames, each by the frames of its shot at most `spans.radius` away.

    Args:
        frames: those from number `first` of the clip on, as far as they are near one that is asked for.
        first: the number of the first of them in the clip.
        asked: the frames asked for, among them, rising.
        size: (width, height) of the clip, pixels; boxes that its edges cut are made whole again.
        settings: how tracks are confirmed.
        spans: the same settings' spans, in frames.
        paths: where boxes went that were followed before, in the same clip; None for none.

    Returns:
        For each frame asked for, boxes in the order of their ids. An id is the clip-wide number of the detection
        that the track is anchored to, the first in the block of `radius` frames that holds the frame; the score is
        that detection's, and the colour swatches are the mean of all the track's in the block, so they hold still
        within it. And for each box, (n, 2), the detection of its track before the frame, and that in the frame or
        after it, as `frame * 4096 + position`; `NONE` where the window shows none.

    Raises:
        ValueError: no detection was made for a frame asked for.
    """
    for n in asked:
        if frames[n - first].detections is None:
            raise ValueError(f"no detection was made for frame {n}")
    chains = chained(frames, first, settings.evidence)
    starts, stops = _windows(frames, first, asked, spans.radius)
    tracks = bridged(tracklets(chains, starts, stops), spans.gap, _speed_reach(spans), size)
    tracks = completed(tracks, size)
    if not len(tracks):
        return [(_NOTHING, np.zeros((0, 2), np.int64)) for _ in asked]
    searched = np.array([frame.searched for frame in frames], bool)
    own = settings.evidence.table(tracks.labels)
    owner = tracks.owners()
    strength = own.of(owner).strength(tracks.scores, tracks.cxywh[:, 3])
    looks = begins(searched)
    held = [
        looks[np.clip(n, starts[tracks.window], stops[tracks.window]) - first]
        for n in (tracks.first - spans.lead, tracks.last + spans.lead + 1)
    ]
    confirmed = is_confirmed(tracks, own, strength, searched[tracks.at - first], held[1] - held[0])

    time = np.array(asked, np.int64)
    place = _Place.of(tracks, time[tracks.window])
    near = np.where(
        strength >= own.column("cover_score")[owner], np.abs(tracks.at - time[tracks.window][owner]), _FAR
    )
    alone = np.minimum.reduceat(near, tracks.begin[:-1]) <= spans.doubt
    # What crosses the edge is held as long as a gap may be.
    way = velocity(tracks, place.after, _speed_reach(spans)) * np.sign(place.n - place.after)[:, None]
    out = crosses(tracks.cxywh[place.row], way.astype(np.float32), spans.lead, spans.gap, size)
    kept = place.away <= np.where(out, max(spans.gap, spans.lead), spans.lead)
    shown = np.flatnonzero(np.where(confirmed, ~place.held | kept, alone))
    if not len(shown):
        return [(_NOTHING, np.zeros((0, 2), np.int64)) for _ in asked]
    weakness = np.maximum(0.0, 1 - strength[place.row].astype(np.float64) / own.column("confirm_score"))
    weakness = np.where(confirmed, weakness, 0)[shown]
    tracks = tracks.select(shown)
    place = _Place.of(tracks, time[tracks.window])
    pictures = _Pictures(paths or Paths(), [frame.picture for frame in frames], first, size)
    boxes = _boxes(tracks, place, weakness, settings, spans, pictures)
    found = place.detected & searched[place.n - first]
    origins = np.where(found, Origin.DETECTED, np.where(place.held, Origin.HELD, Origin.INTERPOLATED))
    anchor = _anchors(tracks, place.n, spans.radius)
    numbers = chains.at[tracks.row] * 4096 + chains.index[tracks.row]
    colours = held_colours(chains, tracks, tracks.row[anchor], place.n - place.n % spans.radius, spans.radius)
    ends, ids, scores, labels = _ends(tracks, place, numbers), numbers[anchor], tracks.scores[anchor], tracks.labels
    order = np.lexsort((ids, tracks.window))
    answers = []
    for part in np.split(order, np.searchsorted(tracks.window, np.arange(1, len(asked)))):
        names, which = tuple(labels[k] for k in part.tolist()), tuple(Origin(o) for o in origins[part].tolist())
        own_boxes = TrackedBoxes(boxes[part], scores[part], names, tuple(ids[part].tolist()), which, colours[part])
        answers.append((own_boxes, ends[part]))
    return answers


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """Where the frames asked for lie among the detections of t tracks, a value for each.

    Args:
        n: the frame asked for.
        ahead: row of the first detection in or after it; one past the track's last where there is none.
        row: the same, but the track's last where there is none.
        before, after: where it was found last before `n`, and first from `n` on; beyond its ends one frame stands
            for both.
        detected, inside, held: it was found in `n`; before and after; only on one side.
        away: frames to the nearest detection.
    """

    n: I64
    ahead: I64
    row: I64
    before: I64
    after: I64
    detected: NDArray[np.bool_]
    inside: NDArray[np.bool_]
    held: NDArray[np.bool_]
    away: I64

    @classmethod
    def of(cls, tracks: Tracks, n: I64) -> "_Place":
        """Look up the frames `n` of the tracks."""
        ahead = tracks.begin[:-1] + tracks.before(n)
        row = np.minimum(ahead, tracks.begin[1:] - 1)
        before, after = tracks.at[np.maximum(ahead - 1, tracks.begin[:-1])], tracks.at[row]
        detected, inside = after == n, (before < n) & (n < after)
        away = np.where(inside, np.minimum(n - before, after - n), np.where(n > after, n - after, before - n))
        return cls(n, ahead, row, before, after, detected, inside, ~detected & ~inside, away)


@dataclass(frozen=True, slots=True, eq=False)
class _Pictures:
    """The small grey pictures of frames of a size, from number `first` on, and the paths known in them."""

    paths: Paths
    small: Sequence[U8 | None]
    first: int
    size: tuple[int, int]

    def follow(self, tracks: Tracks, rows: I64, to: I64) -> tuple[F64, I64]:
        """`Paths.follow` what is detected in rows of tracks to other frames."""
        boxes = tracks.cxywh[rows].astype(np.float64)
        return self.paths.follow(self.small, self.first, tracks.at[rows], to, boxes, self.size)


def _windows(frames: Sequence[LinkedFrame], first: int, asked: Sequence[int], radius: int) -> tuple[I64, I64]:
    """(w,) (w,) the frames around each that is asked for, within its shot, end-exclusive."""
    n = np.array(asked, np.int64)
    stop = first + len(frames)
    cuts = np.array([first, *(first + i for i, f in enumerate(frames) if f.cut and i), stop])
    after = np.searchsorted(cuts, n, "right")
    return np.maximum(n - radius, cuts[after - 1]), np.minimum(n + radius + 1, cuts[after])


def _ends(tracks: Tracks, place: _Place, numbers: I64) -> I64:
    """(t, 2) each track's last detection before the frame asked for, and its first from there on."""
    last = np.where(place.ahead > tracks.begin[:-1], numbers[np.maximum(place.ahead - 1, 0)], NONE)
    coming = np.where(place.ahead < tracks.begin[1:], numbers[place.row], NONE)
    return np.stack([last, coming], axis=1)


def _boxes(
    tracks: Tracks,
    place: _Place,
    weakness: F64,
    settings: TrackSettings,
    spans: TrackFrames,
    pictures: _Pictures,
) -> F32:
    """(t, 4) the box of each track in the frame asked for."""
    n, before, after, inside, held = place.n, place.before, place.after, place.inside, place.held
    share = np.where(inside, (n - before) / np.maximum(after - before, 1), 1.0)[:, None]
    whole = smooth(tracks, after, spans.sigma)
    if inside.any():
        earlier = smooth(tracks, before, spans.sigma)
        _bend(earlier, whole, tracks, place, pictures)
        whole = earlier * (1 - share).astype(np.float32) + whole * share.astype(np.float32)
    if held.any():
        rows = np.flatnonzero(held)
        gone, seen = pictures.follow(tracks, place.row[rows], n[rows])
        away = n[rows] - after[rows]
        speed = velocity(tracks, after, _speed_reach(spans))[rows]
        # From where it was found: a smooth path lags behind what is shaken.
        begin = np.where(seen[:, None] > 0, tracks.cxywh[place.row[rows], :2], whole[rows, :2])
        # Where it is seen no more it goes on as it was found to.
        whole[rows, :2] = begin + gone + speed * (away - np.sign(away) * seen)[:, None]
    # What is held grows ever more slowly: else it leaves a tongue on whatever comes after it.
    away = place.away
    grown = np.where(held, away * (1 - np.minimum(away / max(2 * spans.lead, 1), 0.5)), away)
    growth = np.array([spans.growth.get(name, spans.growth[""]) for name in tracks.labels])
    whole[:, 2:] *= (1 + growth * grown)[:, None].astype(np.float32)
    exact = tracks.cxywh[place.row]
    exact[:, 2:] *= (1 + settings.weak_growth * weakness)[:, None].astype(np.float32)
    return np.where(place.detected[:, None], _outward(exact), _outward(whole))


def _bend(earlier: F32, later: F32, tracks: Tracks, place: _Place, pictures: _Pictures) -> None:
    """Move the boxes at both ends of gaps, (t, 4), by where the first end is seen in the frame asked for.

    Only where it is seen all the way and arrives at the other end: else it goes straight from one to the other.
    What it is off there is made good along the way.
    """
    rows = np.flatnonzero(place.inside)
    start, stop = place.row[rows] - 1, place.after[rows]
    way, seen = pictures.follow(tracks, start, stop)
    ends = tracks.cxywh[start, :2], tracks.cxywh[start + 1, :2]
    off = ends[1] - ends[0] - way
    arrives = np.abs(off).max(axis=1) <= APART * np.sqrt(np.prod(later[rows, 2:], axis=1))
    bent = arrives & (seen == stop - place.before[rows])
    here, _ = pictures.follow(tracks, start[bent], place.n[rows[bent]])
    earlier[rows[bent], :2] = ends[0][bent] + here
    later[rows[bent], :2] = ends[1][bent] + here - way[bent]


def _speed_reach(frames: TrackFrames) -> int:
    """Over how many frames to either side a speed is taken: a quarter of the radius."""
    return max(2, frames.radius // 4)


def _anchors(tracks: Tracks, n: I64, radius: int) -> I64:
    """(t,) the rows of the detections that give tracks their ids and colours in the blocks of these frames."""
    block = n - n % radius
    ahead = tracks.begin[:-1] + tracks.before(block)
    row, behind = np.minimum(ahead, tracks.begin[1:] - 1), np.maximum(ahead - 1, tracks.begin[:-1])
    here, there = tracks.at[row], tracks.at[behind]
    inside = (block <= here) & (here < block + radius)
    nearer = np.abs(here - block) < np.abs(there - block)
    rows: I64 = np.where(inside | nearer, row, behind)
    return rows


def _outward(cxywh: NDArray[np.float32]) -> NDArray[np.float32]:
    """Boxes of centre and size, (t, 4), as xyxy, rounded outward to the grid of 1/8 px."""
    lower = np.floor((cxywh[:, :2] - cxywh[:, 2:] / 2) * GRID) / GRID
    upper = np.ceil((cxywh[:, :2] + cxywh[:, 2:] / 2) * GRID) / GRID
    return np.concatenate([lower, upper], axis=1).astype(np.float32)
