"""Pieces of one object, joined over gaps: a tracklet's end to the start of a later one of its window; pure."""

import numpy as np
from numpy.typing import NDArray

from vsanon.assignment import NEVER, assign
from vsanon.boxes import F32
from vsanon.tracking.edges import completed, crosses, moved
from vsanon.tracking.linking import pair_cost
from vsanon.tracking.tracklets import I64, Tracks, spans, velocity


def bridged(tracks: Tracks, gap: int, reach: int, size: tuple[int, int]) -> Tracks:
    """Join the end of one tracklet to the start of a later one of its window.

    What comes in over the frame's edge, or goes out there, is not joined to what stands off its way: that would
    draw its cover away from where it comes in.

    Args:
        gap: of how many frames at most.
        reach: over so many frames to either side an end's speed is taken.
        size: (width, height) of the clip, pixels.
    """
    i, j = _successions(tracks, gap)
    if not len(i):
        return tracks
    apart = _apart(tracks, i, j, gap, reach, size)
    i, j = i[~apart], j[~apart]
    if not len(i):
        return tracks
    first, last = tracks.first, tracks.last
    span = first[j] - last[i]
    tail, head = tracks.cxywh[tracks.begin[1:] - 1][i], tracks.cxywh[tracks.begin[:-1]][j]
    # Half of the way by the speed on leaving, half by the speed on coming back: it turned somewhere unseen.
    speed = velocity(tracks, last, reach)[i] + velocity(tracks, first, reach)[j]
    way = speed / 2 * span[:, None]
    most = 1 + span / gap
    going = pair_cost(tail[:, :2] + way, tail[:, 2:], head[:, :2], head[:, 2:], most)
    still = pair_cost(tail[:, :2], tail[:, 2:], head[:, :2], head[:, 2:], most)
    cost = np.minimum(going, still) + 0.02 * span
    root = np.arange(len(tracks))
    fronts = np.flatnonzero(np.diff(tracks.window[i], prepend=-1)).tolist()
    for start, stop in zip(fronts, [*fronts[1:], len(i)], strict=True):
        own = slice(start, stop)
        if (cost[own] < NEVER).any():
            leaving, coming = np.unique(i[own]), np.unique(j[own])
            costs = np.full((len(leaving), len(coming)), NEVER)
            costs[np.searchsorted(leaving, i[own]), np.searchsorted(coming, j[own])] = cost[own]
            pairs = np.array(assign(costs))
            root[coming[pairs[:, 1]]] = leaving[pairs[:, 0]]
    while not np.array_equal(further := root[root], root):
        root = further
    return tracks.joined(root)


def _successions(tracks: Tracks, gap: int) -> tuple[I64, I64]:
    """The tracks that end before others of their window and class begin, and these others, as pairs."""
    if len(tracks) < 2:
        none = np.zeros(0, np.int64)
        return none, none
    first, last = tracks.first, tracks.last
    origin = int(first.min())
    group = (tracks.window * len(tracks.names) + tracks.kind) * (int(last.max()) - origin + gap + 2)
    start = group + first - origin
    order = np.argsort(start, kind="stable")
    after = group + last - origin
    lower, upper = (np.searchsorted(start, after + k, sorter=order) for k in (1, gap + 1))
    found = upper - lower
    return np.repeat(np.arange(len(tracks)), found), order[spans(lower, found)]


def _apart(tracks: Tracks, i: I64, j: I64, gap: int, reach: int, size: tuple[int, int]) -> NDArray[np.bool_]:
    """(p,) of which pairs one crosses the frame's edge, on a way on which the other does not lie."""
    whole = completed(tracks, size)
    first, last = tracks.first, tracks.last
    tail, head = whole.cxywh[tracks.begin[1:] - 1], whole.cxywh[tracks.begin[:-1]]
    onward, back = velocity(whole, last, reach), -velocity(whole, first, reach)
    leaves, enters = (crosses(box, way, 0, gap, size) for box, way in ((tail, onward), (head, back)))
    span = first[j] - last[i]
    return (enters[j] & ~_overlap(moved(head[j], back[j], span), tail[i])) | (
        leaves[i] & ~_overlap(moved(tail[i], onward[i], span), head[j])
    )


def _overlap(a: F32, b: F32) -> NDArray[np.bool_]:
    """(n,) which boxes of centre and size have some part in common."""
    near: NDArray[np.bool_] = np.abs(a[:, :2] - b[:, :2]) < (a[:, 2:] + b[:, 2:]) / 2
    return near.all(axis=1)
