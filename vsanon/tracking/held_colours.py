"""The colours of a track, which hold still within a block of frames; pure."""

import math

import numpy as np
from numpy.typing import NDArray

from vsanon.detections import NOISE, noisy
from vsanon.tracking.tracklets import I64, Chains, Tracks


def held_colours(chains: Chains, tracks: Tracks, anchors: I64, starts: I64, length: int) -> NDArray[np.uint8]:
    """(t, 5, 5, 3) the mean swatches of tracks over blocks of frames; those of their anchors where they have none.

    Args:
        anchors: (t,) rows of the chains.
        starts: (t,) where each block begins.
        length: of a block, frames.
    """
    start = np.repeat(starts, np.diff(tracks.begin))
    within = (tracks.at >= start) & (tracks.at < start + length)
    colours = np.empty((len(tracks), *chains.swatches.shape[1:]), np.uint8)
    known: dict[tuple[int, bytes], NDArray[np.uint8]] = {}  # most tracks stand for several frames of a block
    for k, (anchor, begin, end) in enumerate(
        zip(anchors.tolist(), tracks.begin[:-1].tolist(), tracks.begin[1:].tolist(), strict=True)
    ):
        rows = tracks.row[begin:end][within[begin:end]]
        key = anchor, rows.tobytes()
        if key not in known:
            known[key] = _mean(chains, anchor, rows)
        colours[k] = known[key]
    return colours


def _mean(chains: Chains, anchor: int, rows: I64) -> NDArray[np.uint8]:
    if not len(rows):
        alone: NDArray[np.uint8] = chains.swatches[anchor]
        return alone
    total = np.sum(chains.swatches[rows], axis=0, dtype=np.int64)
    mean = (2 * total + len(rows)) // (2 * len(rows))
    # Each carries noise of its own, of which their mean has little left: as much again, that of the anchor.
    most = round(NOISE * math.sqrt(1 - 1 / len(rows)))
    raw = np.random.PCG64([int(chains.at[anchor]), int(chains.index[anchor])]).random_raw(mean.size)
    return noisy(mean, raw, most)
