"""The frame's edge: what it cuts is made whole, and what crosses it is told from what does not; pure."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32
from vsanon.tracking.tracklets import I64, Tracks

_NEAR = 0.05
"""A box this near to the frame's edge, in its own sides and ..."""
_NEAR_FRAME = 0.001
"""... in the frame's longer side, is taken for one that the edge cuts: small boxes are no more exact than that."""
_SEEN = 2 / 3
"""Of the extent across the edge; the share that models need to see how large something is along it."""


def is_cut(cxywh: F32, size: tuple[int, int]) -> NDArray[np.bool_]:
    """(n, 4) whether the frame's left, top, right, bottom edge cuts each box of centre and size, or nearly."""
    near = _NEAR * cxywh[:, 2:] + _NEAR_FRAME * max(size)
    lower, upper = cxywh[:, :2] - cxywh[:, 2:] / 2, cxywh[:, :2] + cxywh[:, 2:] / 2
    return np.concatenate([lower <= near, upper >= np.array(size, np.float32) - near], axis=1)


def crosses(cxywh: F32, speed: F32, cut: int, out: int, size: tuple[int, int]) -> NDArray[np.bool_]:
    """(n,) which boxes of centre and size are on their way over the frame's edge.

    Args:
        speed: (n, 2) pixels a frame.
        cut: by so many frames on, the edge cuts them ...
        out: ... and by so many, they are wholly out.
        size: (width, height), pixels.
    """
    there, beyond = (moved(cxywh, speed, np.full(len(cxywh), frames)) for frames in (cut, out))
    lower, upper = beyond[:, :2] - beyond[:, 2:] / 2, beyond[:, :2] + beyond[:, 2:] / 2
    outside = ((upper <= 0) | (lower >= np.array(size, np.float32))).any(axis=1)
    answer: NDArray[np.bool_] = outside & is_cut(there, size).any(axis=1)
    return answer


def moved(cxywh: F32, speed: F32, frames: I64) -> F32:
    """(n, 4) boxes of centre and size, so many frames on at these speeds, (n, 2) pixels a frame."""
    answer = cxywh.copy()
    answer[:, :2] += speed * frames[:, None].astype(np.float32)
    return answer


def completed(tracks: Tracks, size: tuple[int, int]) -> Tracks:
    """Give boxes that the frame's edge cuts the extent of the track's nearest box that it does not cut.

    Or where it cuts all of them, that of the largest. Of what is mostly out, models no longer see along the edge
    either how large it is: there a box is no smaller than the nearest one of which `_SEEN` or more is in.

    What is left of an object that leaves the frame shrinks, and its margins with it, and its centre lags behind.
    Weak detections are of parts of it, and don't tell how large it is.
    """
    centre, extent = tracks.cxywh[:, :2], tracks.cxywh[:, 2:]
    lower, upper = centre - extent / 2, centre + extent / 2
    cut_below, cut_above = np.split(is_cut(tracks.cxywh, size), 2, axis=1)
    cut = cut_below | cut_above
    if not cut.any():
        return tracks
    owner = tracks.owners()
    most = np.maximum.reduceat(extent, tracks.begin[:-1], axis=0)[owner]
    wanted = extent.copy()
    for axis in (0, 1):
        nearest, known = _nearest(tracks, owner, tracks.counted & ~cut[:, axis])
        whole = np.where(known, np.maximum(extent[:, axis], extent[nearest, axis]), most[:, axis])
        wanted[:, axis] = np.where(cut[:, axis], whole, extent[:, axis])
    little = extent < _SEEN * wanted
    touched = (tracks.sums(cut.any(axis=1)) > 0)[owner]
    for axis in (0, 1):
        nearest, known = _nearest(tracks, owner, tracks.counted & ~little[:, 1 - axis])
        along = np.maximum(wanted[:, axis], np.where(known, extent[nearest, axis], 0))
        full = np.where(little[:, 1 - axis], along, wanted[:, axis])
        below, above = cut_below[:, axis], cut_above[:, axis]
        low, high = lower[:, axis].copy(), upper[:, axis].copy()
        more = np.where(cut[:, axis], 0, (full - extent[:, axis]) / 2)
        lower[:, axis] = np.where(below & ~above, high - full, low - more)
        upper[:, axis] = np.where(above & ~below, low + full, high + more)
    whole = np.concatenate([(lower + upper) / 2, upper - lower], axis=1)
    return replace(tracks, cxywh=np.where(touched[:, None], whole, tracks.cxywh))


def _nearest(tracks: Tracks, owner: I64, good: NDArray[np.bool_]) -> tuple[I64, NDArray[np.bool_]]:
    """(m,) the row of each track's nearest good detection in time, (m,) whether there is one."""
    rows = np.arange(len(good))
    before = np.maximum.accumulate(np.where(good, rows, -1))
    after = np.minimum.accumulate(np.where(good, rows, len(good))[::-1])[::-1]
    known, comes = before >= tracks.begin[owner], after < tracks.begin[owner + 1]
    at = tracks.at
    sooner = known & (~comes | (at - at[before] <= at[np.minimum(after, len(at) - 1)] - at))
    return np.where(sooner, before, np.where(comes, after, rows)), known | comes
