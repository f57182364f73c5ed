"""Which tracks the window has evidence enough for; what is none is not covered."""

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32
from vsanon.tracking.evidence import EvidenceTable
from vsanon.tracking.tracklets import I64, Tracks

MOVED, FAR = 0.5, 8.0
"""Sides of an object. What goes as far as the first between its first and its last detection in the window is no
caption over the picture; what is small and goes as far as the second is no lamp and no sign that a moving camera
shows. A second look takes these for plates as well."""
AGREED = 0.2
"""Of the searched frames that show an object; where a second look agrees with fewer, it is by a coincidence."""
WIDE, MEAN, STEADY, AGREED_MEAN = 1.2, 0.8, 0.5, 0.7
"""What is so many times as wide as high need neither move nor score as high as is wanted once: this mean score is
enough, or the last where a second look agrees with half of what was searched. Plates of parked cars before a camera
that stands show the same score all their life; the one square logo that does as well is no wider than high."""


def is_confirmed(
    tracks: Tracks, own: EvidenceTable, strength: F32, seen: NDArray[np.bool_], looks: I64
) -> NDArray[np.bool_]:
    """(t,) which tracks the window has evidence enough for.

    Args:
        own: the evidence of each track.
        strength: (m,) of each row, as in `EvidenceTable.strength`.
        seen: (m,) whether a model has seen the frame of each row; what was followed between is no new evidence.
        looks: (t,) how many frames of the window a model has seen, so near to a track that it would be held there:
            these may be asked why they do not show it.

    A detection with which a second look agreed stands for any score, in a track that moves and has enough of them;
    and a wide track that scores well in the mean needs no high score.
    """
    owner = tracks.owners()
    # One is enough wherever it comes from, and must be where no searched frame lies within the window.
    alone = (own.column("confirm_times") == 1) | (tracks.sums(seen) == 0)
    told = seen | alone[owner]
    agreed = tracks.agreed & seen
    often = tracks.sums(agreed) >= np.maximum(own.column("confirm_times"), AGREED * tracks.sums(seen))
    agreed &= (often & _moves(tracks, own.column("small_px")))[owner]
    high = tracks.sums(((strength >= own.column("confirm_score")[owner]) & told) | agreed)
    # How long it was there counts, not how often it was looked at: else a search in steps would ask for less.
    lasting = tracks.sums(((strength >= own.wanted(np.diff(tracks.begin))[owner]) & told) | agreed)
    needed = np.where(alone, 1, np.minimum(own.column("confirm_times"), np.maximum(looks, 1)))
    least = np.maximum(1, np.ceil(own.column("confirm_share") * tracks.sums(told) - 1e-3))
    by_height = (high >= needed) & (lasting >= least)
    counted = tracks.sums(strength >= own.column("count_score")[owner])
    enough = own.column("confirm_count")
    by_number = (enough > 0) & (counted >= enough)
    confirmed: NDArray[np.bool_] = by_height | by_number | _scores_well(tracks, own, strength, seen)
    return confirmed


def _scores_well(tracks: Tracks, own: EvidenceTable, strength: F32, seen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(t,) which tracks are wide, and score well in the mean of the frames that a model has seen."""
    times = tracks.sums(seen)
    steady = tracks.sums(tracks.agreed & seen) >= STEADY * times
    enough = tracks.sums(np.where(seen, strength, 0)) >= np.where(steady, AGREED_MEAN, MEAN) * times
    width, height = (tracks.sums(tracks.cxywh[:, k]) for k in (2, 3))
    well: NDArray[np.bool_] = enough & (times >= own.column("confirm_times")) & (width >= WIDE * height)
    return well & (times > 0)


def _moves(tracks: Tracks, small_px: F32) -> NDArray[np.bool_]:
    """(t,) which tracks lead far enough away; `small_px` is the height below which each is small."""
    first, last = tracks.cxywh[tracks.begin[:-1]], tracks.cxywh[tracks.begin[1:] - 1]
    side = np.sqrt(np.sqrt(first[:, 2:].prod(axis=1) * last[:, 2:].prod(axis=1)))
    least = np.where((first[:, 3] + last[:, 3]) / 2 < small_px, FAR, MOVED)
    moves: NDArray[np.bool_] = np.linalg.norm(last[:, :2] - first[:, :2], axis=1) >= least * side
    return moves
