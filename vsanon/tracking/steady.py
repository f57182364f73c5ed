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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32
from vsanon.detections import TrackedBoxes
from vsanon.tracking.cover import COLOUR_REACH, GRID, NONE, TrackFrames

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]

_BENT = (0.1, 0.3)
"""How well frames are spread that a parabola is fitted to: up to the first value a line is, between them a mix."""

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
    _by: tuple[Mapping[int, int], Mapping[int, int]] = field(init=False)

    def __post_init__(self) -> None:
        if self.ends.shape != (len(self.boxes), 2):
            raise ValueError(f"{len(self.boxes)} boxes need as many ends, got {self.ends.shape}")
        before, after = (
            {row: k for k, row in enumerate(self.ends[:, side].tolist()) if row != NONE} for side in (0, 1)
        )
        object.__setattr__(self, "_by", (before, after))

    def with_before(self, row: int) -> int | None:
        """The box whose track was last detected at `row`."""
        return self._by[0].get(row)

    def with_after(self, row: int) -> int | None:
        """The box whose track is next detected at `row`."""
        return self._by[1].get(row)


def steady(
    window: Sequence[CoveredFrame | None], first: int, n: int, frames: TrackFrames
) -> tuple[F32, NDArray[np.uint8]]:
    """The boxes that are painted on frame `n`, and their colours.

    Args:
        window: frames `first … first + len(window) - 1`; None where nothing is known of one.
        first: the number of the window's first frame in the clip.
        n: the frame asked for; something is known of it.
        frames: how far to look.

    Returns:
        (boxes, 4) float32, pixels, rounded outward to 1/8 px; each holds what must be covered, but for `slack`.
        And (boxes, 5, 5, 3) uint8 RGB: the mean swatches of the track over `COLOUR_REACH` frames to either side.
    """
    here = window[n - first]
    if here is None:
        raise ValueError(f"nothing is known of frame {n}")
    count = len(here.boxes)
    if not count:
        return here.boxes.xyxy, here.boxes.swatches
    reach = frames.path + 2 * frames.envelope
    edges = np.zeros((2 * reach + 1, count, 4))
    known = np.zeros((2 * reach + 1, count, 1))
    edges[reach], known[reach] = here.boxes.xyxy, 1
    colours, shown = here.boxes.swatches.astype(np.int64), np.ones((count, 1, 1, 1), np.int64)
    for step in (1, -1):
        at = list(enumerate(range(count)))
        for m in range(n + step, n + step * (frames.steady_reach + 1), step):
            if not 0 <= m - first < len(window):
                break
            near, frame = window[m - step - first], window[m - first]
            if near is None or frame is None or (frame if step > 0 else near).cut:
                break
            follow = _following if step > 0 else _preceding
            at = [(k, j) for k, i in at if (j := follow(near, i, m - step, frame)) is not None]
            if not at:
                break
            own, theirs = [k for k, _ in at], [j for _, j in at]
            if abs(m - n) <= reach:
                edges[reach + m - n, own] = frame.boxes.xyxy[theirs]
                known[reach + m - n, own] = 1
            if abs(m - n) <= COLOUR_REACH:
                colours[own] += frame.boxes.swatches[theirs]
                shown[own] += 1
    centre = _smoothed((edges[..., :2] + edges[..., 2:]) / 2, known, frames.path, frames.centre_sigma, bends=True)
    half = _smoothed((edges[..., 2:] - edges[..., :2]) / 2, known, frames.path, frames.size_sigma)
    path = np.concatenate([centre - half, centre + half], axis=-1)
    middle = 2 * frames.envelope
    inner = slice(frames.path, len(edges) - frames.path)
    size = 2 * np.maximum(half, 0)
    beyond = _OUTWARD * (edges[inner] - path) - frames.slack * np.concatenate([size, size], axis=-1)
    beyond = np.where(known[inner] > 0, beyond, -np.inf)
    painted = path[middle] + _OUTWARD * _enveloped(beyond, frames.envelope)
    lower = np.floor(painted[:, :2] * GRID) / GRID
    upper = np.ceil(np.maximum(painted[:, 2:], painted[:, :2]) * GRID) / GRID
    mixed = (2 * colours + shown) // (2 * shown)
    return np.concatenate([lower, upper], axis=1).astype(np.float32), mixed.astype(np.uint8)


def _following(frame: CoveredFrame, i: int, n: int, after: CoveredFrame) -> int | None:
    """Which box of frame `n + 1` goes on with box `i` of frame `n`."""
    last, coming = frame.ends[i].tolist()
    found = after.with_before(coming if coming // 4096 == n else last)
    return after.with_after(coming) if found is None and coming // 4096 > n else found


def _preceding(frame: CoveredFrame, i: int, n: int, before: CoveredFrame) -> int | None:
    """Which box of frame `n - 1` box `i` of frame `n` goes on with."""
    last, coming = frame.ends[i].tolist()
    if last != NONE and last // 4096 == n - 1:
        return before.with_after(last)
    found = before.with_before(last)
    return before.with_after(coming) if found is None else found


def _smoothed(values: F64, known: F64, path: int, sigma: float, *, bends: bool = False) -> F64:
    """A local fit over the known frames, with Gaussian weights, for all frames but `path` at either end.

    One sum after the other, so that every machine adds in the same order.

    Args:
        bends: fit a parabola, which follows what turns; else a line. A line also where too few frames are known.
    """
    length = len(values) - 2 * path
    sums = np.zeros((5, length, *known.shape[1:]))
    moments = np.zeros((3, length, *values.shape[1:]))
    for k in range(-path, path + 1):
        near = slice(path + k, path + k + length)
        weight = known[near] * math.exp(-0.5 * (k / sigma) ** 2)
        weighted = weight * values[near]
        for power in range(5):
            sums[power] += weight * k**power
        for power in range(3):
            moments[power] += weighted * k**power
    s0, s1, s2, s3, s4 = sums
    spread = s2 * s0 - s1 * s1
    fits = spread > 1e-6
    line = (s2 * moments[0] - s1 * moments[1]) / np.where(fits, spread, 1)
    fitted: F64 = np.where(fits, line, moments[0] / np.where(s0 > 0, s0, 1))
    if bends:
        minors = s2 * s4 - s3 * s3, s1 * s4 - s2 * s3, s1 * s3 - s2 * s2
        whole = s0 * minors[0] - s1 * minors[1] + s2 * minors[2]
        bent = minors[0] * moments[0] - minors[1] * moments[1] + minors[2] * moments[2]
        # 2/3 where frames to both sides are known, 0.08 at a track's end, where a parabola runs off.
        seen = np.where(fits, whole / np.where(fits, spread * s4, 1), 0)
        share = np.clip((seen - _BENT[0]) / (_BENT[1] - _BENT[0]), 0, 1)
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
