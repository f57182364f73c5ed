"""Which tracks may be one person: a proposal by colours and size, over cuts, without a likeness of any face."""

from collections.abc import Sequence

import numpy as np

from vsanon.detections import Origin
from vsanon.review.document import State
from vsanon.review.moments import rows_by_track
from vsanon.tracking.identities import IdentitySettings, Run, identify


def proposals(state: State) -> list[list[int]]:
    """Tracks that `analyze --across-cuts` would have made one: it was not asked for, or edits changed them since.

    Returns:
        Groups of two tracks or more, each and all by rising number.
    """
    table, frames = state.whole, state.whole.frames
    runs: list[Run] = []
    of_track: list[int] = []
    for track, rows in rows_by_track(table):
        rows = rows[table.origins[rows] != Origin.MANUAL]
        if not len(rows):
            continue
        _, first = np.unique(frames[rows], return_index=True)
        rows = rows[first]
        for part in np.split(rows, np.flatnonzero(np.diff(frames[rows]) > 1) + 1):
            run = int(table.runs[part[0]])
            detected = table.origins[part] == Origin.DETECTED
            colours = table.colours_of(part[[0, -1]])
            runs.append(Run(int(frames[part[0]]), table.xyxy[part], detected, table.classes[run], colours))
            of_track.append(track)
    if not runs:
        return []
    alike = identify(runs, table.cuts, table.fps, IdentitySettings(across_cuts=True))
    return _joined(of_track, [int(i) for i in alike])


def _joined(tracks: Sequence[int], alike: Sequence[int]) -> list[list[int]]:
    """Tracks that share a likeness, directly or by way of others."""
    group = {track: {track} for track in tracks}
    by_likeness: dict[int, int] = {}
    for track, likeness in zip(tracks, alike, strict=True):
        other = by_likeness.setdefault(likeness, track)
        if group[other] is not group[track]:
            group[other] |= group[track]
            for member in group[other]:
                group[member] = group[other]
    return sorted(list(members) for members in {tuple(sorted(g)) for g in group.values()} if len(members) > 1)
