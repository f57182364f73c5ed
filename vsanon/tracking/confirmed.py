"""Which tracks the window has evidence enough for; what is none is not covered."""

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32
from vsanon.tracking.evidence import EvidenceTable
from vsanon.tracking.tracklets import Tracks


def is_confirmed(
    tracks: Tracks, own: EvidenceTable, strength: F32, searched: NDArray[np.int64], lead: int
) -> NDArray[np.bool_]:
    """(t,) which tracks the window has evidence enough for.

    Args:
        own: the evidence of each track.
        strength: (m,) of each row, as in `EvidenceTable.strength`.
        searched: the frames of the shot that a model has seen; what was followed between them is no new evidence.
        lead: frames this near to a track's detections may be asked why they do not show it.
    """
    owner = tracks.owners()
    seen = np.isin(tracks.at, searched)
    # One is enough wherever it comes from, and must be where no searched frame lies within the window.
    alone = (own.confirm_times == 1) | (tracks.sums(seen) == 0)
    told = seen | alone[owner]
    high = tracks.sums((strength >= own.wanted(tracks.sums(told))[owner]) & told)
    asked = np.searchsorted(searched, tracks.last + lead, "right") - np.searchsorted(searched, tracks.first - lead)
    needed = np.where(alone, 1, np.minimum(own.confirm_times, np.maximum(asked, 1)))
    by_height = (high >= needed) & (high >= own.confirm_share * tracks.sums(told))
    counted = tracks.sums(strength >= own.count_score[owner])
    by_number = (own.confirm_count > 0) & (counted >= own.confirm_count)
    confirmed: NDArray[np.bool_] = by_height | by_number
    return confirmed
