"""The boxes that are painted: for each track the smallest smooth path that contains what must be covered; pure.

`cover` says for each frame what must be covered, by what was found around it, and that trembles as detectors do.
Here each edge of a track's boxes becomes a smooth path plus an envelope of how far the edge reaches beyond that
path, less a slack that the margin of its shape holds anyway. The envelope is the running maximum over a window,
smoothed by a kernel that is no wider than the window: each value that the kernel averages is one that held for the
frame itself as well, so the average does, too. A union on top is never needed.

Colours, which hold still within a block of frames, go over into those of the next block by and by: they are means
over 37 frames or more of a longer track, so that one frame can change them by 7 codes of 255 at most.

A frame's answer depends on the answers of `cover` within `TrackFrames.steady_reach` frames, and on nothing else.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32
from vsanon.detections import TrackedBoxes, no_swatches
from vsanon.tracking.cover import GRID, NONE
from vsanon.tracking.settings import COLOUR_REACH, TrackFrames
from vsanon.tracking.tracklets import F64, I64, begins, spans

_BENT = (0.1, 0.3)
"""How well frames are spread that a parabola is fitted to: up to the first value a line is, between them a mix."""

_STRIDE = 1 << 40
"""More than there are rows of ends within a window."""

_FAST = (0.15, 0.3)
"""Sides of a box a frame: what moves by the second and more is given no slack, up to the first all of it: it is
blurred, and found less exactly."""

_TURNS = (0.2, 0.3)
"""Sides of a box a frame: what moves by the second and more, or did a moment ago, is followed more closely, what
moves by less than the first as smoothly as anything."""
_CLOSE = 0.45
"""The standard deviation of the smoothing of what is, as a share of that of others."""

_OUTWARD = np.array([-1.0, -1.0, 1.0, 1.0])
"""Which way each edge goes outward."""


@dataclass(frozen=True, slots=True, eq=False)
class CoveredFrame:
    """What `cover` said of one frame.

    Args:
        boxes: n boxes.
        ends: (n, 2) int64, for each box the detection of its track before this frame, and that in this frame or
            after it, as `frame * 4096 + position`; `NONE` where the window shows none. They tell which boxes of two
            frames are of one track.
        cut: a shot starts here.
    """

    boxes: TrackedBoxes
    ends: I64
    cut: bool

    def __post_init__(self) -> None:
        if self.ends.shape != (len(self.boxes), 2):
            raise ValueError(f"{len(self.boxes)} boxes need as many ends, got {self.ends.shape}")


def steady(
    window: Sequence[CoveredFrame | None], first: int, asked: Sequence[int], frames: TrackFrames
) -> list[tuple[F32, NDArray[np.uint8]]]:
    """The boxes that are painted on some frames, and their colours.

    Args:
        window: frames from number `first` of the clip on; None where nothing is known of one.
        first: the number of the window's first frame in the clip.
        asked: the frames asked for, rising; something is known of them.
        frames: how far to look.

    Returns:
        For each frame asked for, what `paths` and `colours` give.
    """
    rows = Rows.of(window, first)
    return list(zip(paths(rows, asked, frames), colours(rows, asked), strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The boxes of a window of frames, one after the other, and one more, of nothing, which goes on with itself.

    Args:
        first: the number of the window's first frame in the clip.
        counts: (frames,) how many boxes each frame has.
        known: (frames,) of which frames something is known.
        xyxy, swatches: of the boxes.
        found: (m + 1,) which boxes were found in their very frame.
        steps: (m + 1,) and (m + 1,), see `_steps`.
    """

    first: int
    counts: I64
    known: NDArray[np.bool_]
    xyxy: F32
    swatches: NDArray[np.uint8]
    found: NDArray[np.bool_]
    steps: tuple[I64, I64]

    @classmethod
    def of(cls, window: Sequence[CoveredFrame | None], first: int) -> "Rows":
        """Those of a window of frames from number `first` of the clip on; None where nothing is known of one."""
        known = [frame for frame in window if frame is not None]
        counts = np.array([0 if frame is None else len(frame.boxes) for frame in window], np.int64)
        xyxy = np.concatenate([*(frame.boxes.xyxy for frame in known), np.zeros((1, 4), np.float32)])
        swatches = np.concatenate([*(frame.boxes.swatches for frame in known), no_swatches(1)])
        swatches[-1] = 0
        ends = np.concatenate([*(frame.ends for frame in known), np.zeros((0, 2), np.int64)])
        found = ends[:, 1] // 4096 == first + np.repeat(np.arange(len(counts)), counts)
        steps = _steps(window, first, ends, counts)
        is_known = np.array([frame is not None for frame in window], bool)
        return cls(first, counts, is_known, xyxy, swatches, np.append(found, True), steps)

    def at(self, asked: Sequence[int]) -> tuple[I64, list[tuple[int, int]]]:
        """The rows of some frames' boxes, and where among them each frame's begin and end.

        Raises:
            ValueError: nothing is known of one.
        """
        for n in asked:
            if not self.known[n - self.first]:
                raise ValueError(f"nothing is known of frame {n}")
        here = np.array(asked, np.int64) - self.first
        own = self.counts[here]
        return spans(begins(self.counts)[here], own), list(pairwise(begins(own).tolist()))


def paths(rows: Rows, asked: Sequence[int], frames: TrackFrames) -> list[F32]:
    """For each frame asked for, (boxes, 4) float32, pixels, rounded outward to 1/8 px; each holds what must be
    covered, but for `slack`.

    Args:
        rows: with `TrackFrames.path_reach` frames to either side.
        asked: frames, rising.
        frames: how far to look.
    """
    here, parts = rows.at(asked)
    reach, none = frames.path_reach, len(rows.xyxy) - 1
    edges = np.zeros((2 * reach + 1, len(here), 4))
    seen = np.zeros((2 * reach + 1, len(here)), bool)
    gaps = np.zeros((2 * reach + 1, len(here), 1))
    edges[reach], seen[reach], gaps[reach, :, 0] = rows.xyxy[here], True, ~rows.found[here]
    for side, step in ((1, rows.steps[0]), (-1, rows.steps[1])):
        at = here
        for away in range(1, reach + 1):
            at = step[at]
            goes_on = at != none
            if not goes_on.any():
                break
            edges[reach + side * away], seen[reach + side * away] = rows.xyxy[at], goes_on
            gaps[reach + side * away, :, 0] = ~rows.found[at]
    painted = _painted(edges, seen, gaps, frames) if len(here) else rows.xyxy[here]
    return [painted[a:b] for a, b in parts]


def colours(rows: Rows, asked: Sequence[int]) -> list[NDArray[np.uint8]]:
    """For each frame asked for, (boxes, 5, 5, 3) uint8 RGB: the mean swatches of the track over `COLOUR_REACH`
    frames to either side.

    Args:
        rows: with as many frames to either side.
        asked: frames, rising.
    """
    here, parts = rows.at(asked)
    none = len(rows.xyxy) - 1
    total, shown = rows.swatches[here].astype(np.int64), np.ones(len(here), np.int64)
    for step in rows.steps:
        at = here
        for _ in range(COLOUR_REACH):
            at = step[at]
            goes_on = at != none
            if not goes_on.any():
                break
            total += rows.swatches[at]
            shown += goes_on
    count = shown[:, None, None, None]
    mixed = ((2 * total + count) // (2 * count)).astype(np.uint8)
    return [mixed[a:b] for a, b in parts]


def _steps(window: Sequence[CoveredFrame | None], first: int, ends: I64, counts: I64) -> tuple[I64, I64]:
    """(m + 1,) (m + 1,) the box of the next frame, and of the frame before, that each of m boxes goes on with.

    Of frames that follow each other within a shot; m where there is none, and for m itself.
    """
    none = len(ends)
    frame = np.repeat(np.arange(len(counts)), counts)
    last, coming = ends[:, 0], ends[:, 1]
    cut = np.array([*(f is not None and f.cut for f in window), True])

    def box(of: I64, column: I64, row: I64) -> I64:
        """The box of frame `of` with this row in a column of the ends."""
        keys = frame * _STRIDE + column - first * 4096
        order = np.argsort(keys, kind="stable")
        wanted = of * _STRIDE + row - first * 4096
        at = order[np.maximum(np.searchsorted(keys, wanted, "right", sorter=order) - 1, 0)]
        return np.where((row != NONE) & (keys[at] == wanted), at, none)

    here = first + frame
    now, later = coming // 4096 == here, coming // 4096 > here
    after = box(frame + 1, last, np.where(now, coming, last))
    after = np.where((after == none) & later, box(frame + 1, coming, coming), after)
    after[cut[frame + 1]] = none
    previous = (last != NONE) & (last // 4096 == here - 1)
    before = box(frame - 1, last, last)
    before = np.where(before == none, box(frame - 1, coming, coming), before)
    before = np.where(previous, box(frame - 1, coming, last), before)
    before[cut[frame]] = none
    return np.append(after, none), np.append(before, none)


def _painted(edges: F64, seen: NDArray[np.bool_], gaps: F64, frames: TrackFrames) -> F32:
    """(k, 4) the boxes that are painted, rounded outward to 1/8 px.

    Args:
        edges: (2 r + 1, k, 4) what must be covered of k boxes, r frames to either side; 0 where nothing is.
        seen: (2 r + 1, k) where something is.
        gaps: (2 r + 1, k, 1) 1 where it is there, but was not found.
    """
    middles = (edges[..., :2] + edges[..., 2:]) / 2
    centre = _smoothed(middles, seen, frames.path, frames.centre_sigma, bends=True)
    half = _smoothed((edges[..., 2:] - edges[..., :2]) / 2, seen, frames.path, frames.size_sigma)
    size = 2 * np.maximum(half, 0)
    speed = _speed(centre, size)
    # A path that cuts the turns of what is fast short has an envelope as wide as they are. Near gaps nobody knows
    # what is between, and there it has it.
    middle, turn = 2 * frames.envelope, frames.envelope // 2
    lately = _enveloped(_share(speed, _TURNS)[middle - 2 * turn : middle + 2 * turn + 1], turn)
    follow = lately * (1 - _enveloped(gaps[frames.path : len(gaps) - frames.path], frames.envelope))
    if follow.any():
        close = _smoothed(middles, seen, frames.path, frames.centre_sigma * _CLOSE, bends=True)
        centre = centre + follow * (close - centre)
    path = np.concatenate([centre - half, centre + half], axis=-1)
    inner = slice(frames.path, len(edges) - frames.path)
    slack = frames.slack * (1 - np.maximum(_share(speed, _FAST), lately)) * size
    beyond = _OUTWARD * (edges[inner] - path) - np.concatenate([slack, slack], axis=-1)
    beyond = np.where(seen[inner, :, None], beyond, -np.inf)
    painted = path[middle] + _OUTWARD * _enveloped(beyond, frames.envelope)
    lower = np.floor(painted[:, :2] * GRID) / GRID
    upper = np.ceil(np.maximum(painted[:, 2:], painted[:, :2]) * GRID) / GRID
    return np.concatenate([lower, upper], axis=1).astype(np.float32)


def _speed(centre: F64, size: F64) -> F64:
    """(..., 1) how fast a path goes, sides of the box a frame."""
    if len(centre) < 2:
        return np.zeros((*centre.shape[:-1], 1))
    steps = np.gradient(centre, axis=0) / np.maximum(size, 1)
    return np.asarray(np.sqrt(np.square(steps).sum(axis=-1, keepdims=True)), np.float64)


def _share(speed: F64, span: tuple[float, float]) -> F64:
    """From 0 where a speed is that of the span's begin or less to 1 from its end on."""
    return np.asarray(np.clip((speed - span[0]) / (span[1] - span[0]), 0, 1), np.float64)


def _smoothed(values: F64, seen: NDArray[np.bool_], path: int, sigma: float, *, bends: bool = False) -> F64:
    """A local fit over the known frames, with Gaussian weights, for all frames but `path` at either end.

    One sum after the other, so that every machine adds in the same order.

    Args:
        values: (n, k, ...) of k boxes; 0 where not seen.
        seen: (n, k).
        bends: fit a parabola, which follows what turns; else a line. A line also where too few frames are known.
    """
    length = len(values) - 2 * path
    # The sums of the weights are the same for all boxes that are seen in the same frames, as most are.
    patterns, of = np.unique(seen, axis=1, return_inverse=True)
    known = patterns.astype(np.float64)
    powers = 5 if bends else 3
    sums = np.zeros((powers, length, known.shape[1]))
    moments = np.zeros((3 if bends else 2, length, *values.shape[1:]))
    for k in range(-path, path + 1):
        near = slice(path + k, path + k + length)
        factor = math.exp(-0.5 * (k / sigma) ** 2)
        weight = known[near] * factor
        for power in range(powers):
            sums[power] += weight * k**power
        weighted = values[near] * factor
        moments[0] += weighted
        for power in range(1, len(moments)):
            moments[power] += weighted * k**power
    s0, s1, s2, *more = (total[:, of.reshape(-1), None] for total in sums)
    spread = s2 * s0 - s1 * s1
    fits = spread > 1e-6
    line = (s2 * moments[0] - s1 * moments[1]) / np.where(fits, spread, 1)
    fitted: F64 = np.where(fits, line, moments[0] / np.where(s0 > 0, s0, 1))
    if bends:
        s3, s4 = more
        minors = s2 * s4 - s3 * s3, s1 * s4 - s2 * s3, s1 * s3 - s2 * s2
        whole = s0 * minors[0] - s1 * minors[1] + s2 * minors[2]
        bent = minors[0] * moments[0] - minors[1] * moments[1] + minors[2] * moments[2]
        # 2/3 where frames to both sides are known, 0.08 at a track's end, where a parabola runs off.
        clear = np.where(fits, whole / np.where(fits, spread * s4, 1), 0)
        share = np.clip((clear - _BENT[0]) / (_BENT[1] - _BENT[0]), 0, 1)
        fitted = fitted + share * (bent / np.where(share > 0, whole, 1) - fitted)
    return fitted


def _enveloped(beyond: F64, reach: int) -> F64:
    """The running maximum over `reach` frames to either side, smoothed by a raised cosine of the same reach."""
    length = len(beyond) - 2 * reach
    most = np.maximum(beyond[:length], 0)
    for k in range(1, 2 * reach + 1):
        most = np.maximum(most, beyond[k : k + length])
    weights = [1 + math.cos(math.pi * k / (reach + 1)) for k in range(-reach, reach + 1)]
    total = math.fsum(weights)
    smooth: F64 = np.zeros_like(most[0])
    for weight, value in zip(weights, most, strict=True):
        smooth += weight / total * value
    return smooth
