"""Moments to look at: where misses hide comes first, and each with the edit that most often mends it."""

import shlex
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsanon.detections import Origin
from vsanon.timing import FrameRange, frames_for
from vsanon.tracks.edit_kinds import Change, Drop, Expose, Keep, KeyFrame, Move, track_of
from vsanon.tracks.table import TrackTable

LOW_SCORE = 0.4
"""A track whose best detection scores less may be false."""
_EDGE_PX = 4


@dataclass(frozen=True, slots=True)
class Moment:
    """Something to look at.

    Args:
        frame: the frame to show.
        track: the identity.
        kind: in a word, what kind of moment it is.
        why: what makes it worth a look.
        rank: the smaller, the sooner it is shown.
        box: x0, y0, x1, y1, pixels.
        remedy: what corrects it; None where that is to undo.
    """

    frame: int
    track: int
    kind: str
    why: str
    rank: int
    box: tuple[float, float, float, float]
    remedy: Change | None


def moments(table: TrackTable) -> list[Moment]:
    """What to look at, first where misses hide.

    First come starts and ends of a track inside the picture and inside a shot (was it there before, is it there
    after?), then long gaps that were bridged, then tracks that never scored well (is it a face at all?), then
    one moment of each other track.

    Args:
        table: with its edits applied.
    """
    width, height = table.size
    hold = frames_for(1.0, table.fps)
    cuts = set(table.cuts) | {0, len(table)}
    frames = table.frames
    found: list[Moment] = []

    def add(rank: int, row: int, kind: str, why: str, remedy: Change | None) -> None:
        x0, y0, x1, y1 = (float(v) for v in table.xyxy[row])
        found.append(Moment(int(frames[row]), int(table.tracks[row]), kind, why, rank, (x0, y0, x1, y1), remedy))

    for track, rows in rows_by_track(table):
        if (table.origins[rows] == Origin.MANUAL).all():
            add(3, int(rows[0]), "by hand", "a region by hand", None)
            continue
        count = len(found)
        starts = np.flatnonzero(np.diff(frames[rows], prepend=-2) > 1)
        for part in np.split(rows, starts[1:]):
            first, last = int(part[0]), int(part[-1])
            start, stop = int(frames[first]), int(frames[last]) + 1
            before = FrameRange(max(start - hold, 0), start + 1)
            after = FrameRange(stop - 1, min(stop + hold, len(table)))
            if start not in cuts and not _leaves(table.xyxy[first], width, height):
                add(0, first, "start", "starts here: was it there before?", Keep(track, before))
            if stop not in cuts and not _leaves(table.xyxy[last], width, height):
                add(0, last, "end", "ends here: is it there after?", Keep(track, after))
            bridged = np.flatnonzero(table.origins[part] == Origin.INTERPOLATED)
            for gap in np.split(bridged, np.flatnonzero(np.diff(bridged) > 1) + 1):
                if len(gap) >= hold // 3:
                    row = int(part[gap[len(gap) // 2]])
                    x0, y0, x1, y1 = (float(v) for v in table.xyxy[row])
                    n = int(frames[row])
                    move = Move(track, FrameRange(n, n + 1), (KeyFrame(n, (x0, y0, x1, y1)),))
                    add(1, row, "gap", f"not found in {len(gap)} frames, bridged: does the box fit?", move)
        if table.scores[table.runs[rows]].max() < LOW_SCORE:
            best = int(rows[table.scores[table.runs[rows]].argmax()])
            add(1, best, "low", "never scored well: is it one at all?", Drop(track))
        if len(found) == count:
            middle = int(rows[len(rows) // 2])
            span = FrameRange(int(frames[rows[0]]), int(frames[rows[-1]]) + 1)
            add(2, middle, "plain", "nothing stands out", Expose(track, span))
    return sorted(found, key=lambda m: (m.rank, m.frame, m.track))


def rows_by_track(table: TrackTable) -> list[tuple[int, NDArray[np.intp]]]:
    """Of each identity its rows, by rising frame."""
    order = np.argsort(table.tracks, kind="stable")
    tracks, first = np.unique(table.tracks[order], return_index=True)
    if not len(order):
        return []
    return [(int(track), rows) for track, rows in zip(tracks, np.split(order, first[1:]), strict=True)]


def command_of(moment: Moment, tracks: str) -> str:
    """The command that corrects a moment, for a shell; BY and REASON are for the reader to fill in.

    Args:
        tracks: the track file's name.
    """
    name = shlex.quote(tracks)
    change = moment.remedy
    if change is None:
        return f"vsanon edit undo {name} --edit NUMBER"
    what = f"--track {track_of(change)}"
    if isinstance(change, (Keep, Expose)):
        what += f" --frames {change.range.start}:{change.range.stop}"
    if isinstance(change, Move):
        key = change.keys[0]
        what += f" --key {key.frame}:{','.join(f'{v:g}' for v in key.box)}"
    return f"vsanon edit {type(change).__name__.lower()} {name} {what} --by BY --reason REASON"


def _leaves(box: NDArray[np.float32], width: int, height: int) -> bool:
    """Whether a box touches the picture's edge, where tracks may well start and end."""
    x0, y0, x1, y1 = (float(v) for v in box)
    return x0 <= _EDGE_PX or y0 <= _EDGE_PX or x1 >= width - _EDGE_PX or y1 >= height - _EDGE_PX
