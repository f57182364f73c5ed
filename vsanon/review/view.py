"""What the page shows of a state, as JSON: lanes, boxes, edits, moments, people."""

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon.detections import Origin
from vsanon.review.document import State, changes_of
from vsanon.review.moments import LOW_SCORE, Moment, rows_by_track
from vsanon.review.second_opinion import doubtful, opinions
from vsanon.tracks import edit_words
from vsanon.tracks.edit_kinds import Change, Edit, Region, Review, Tick, track_of
from vsanon.tracks.edit_lines import record
from vsanon.tracks.table import TrackTable

_TOLD = ("range", "keys", "class", "shape", "frame", "into", "others")


def facts(state: State, by: str, ticked: Collection[Tick]) -> dict[str, Any]:
    """All that the page needs to know of the tracks, but the boxes of each frame."""
    return {
        "version": state.version,
        "lanes": lanes(state),
        "edits": [_edit(edit, by, state.table) for edit, _ in changes_of(state)],
        "reviews": [_edit(edit, by, state.table) for edit in state.edits if isinstance(edit.change, Review)],
        "opinions": [edit_words.told(opinion) for opinion in opinions(state)],
        "moments": [
            {
                "frame": m.frame, "track": m.track, "kind": m.kind, "why": m.why, "rank": m.rank,
                "box": list(m.box),
                "ticked": Tick(m.frame, m.track, m.kind) in ticked,
                "remedy": None if m.remedy is None else _change_record(m.remedy),
                "range": _range_of(m),
            }
            for m in doubtful(state)
        ],
    }  # fmt: skip


def lanes(state: State) -> list[dict[str, Any]]:
    """Of each identity its class, its spans [start, stop, origin, low score, covered], and counts of frames."""
    table, frames, covered = state.whole, state.whole.frames, _is_covered(state)
    found = []
    for track, rows in rows_by_track(table):
        _, first = np.unique(frames[rows], return_index=True)
        rows = rows[first]
        at, shown = frames[rows], covered[rows]
        low = table.scores[table.runs[rows]] < LOW_SCORE
        kinds = np.stack([table.origins[rows].astype(int), low.astype(int), shown.astype(int)])
        breaks = (np.diff(at) > 1) | np.diff(kinds).any(axis=0)
        parts = np.split(np.arange(len(rows)), np.flatnonzero(breaks) + 1)
        found.append(
            {
                "track": track,
                "label": table.classes[int(table.runs[rows[0]])],
                "score": round(float(table.scores[table.runs[rows]].max()), 3),
                "manual": bool((table.origins[rows] == Origin.MANUAL).all()),
                "frames": len(rows),
                "covered": int(shown.sum()),
                "spans": [
                    [int(at[p[0]]), int(at[p[-1]]) + 1, int(table.origins[rows[p[0]]]), bool(low[p[0]]),
                     bool(shown[p[0]])]
                    for p in parts
                ],
            }
        )  # fmt: skip
    return found


def boxes(state: State, start: int, stop: int) -> list[list[dict[str, Any]]]:
    """Of each frame `start <= n < stop` its boxes, those that are exposed too."""
    table, covered = state.whole, _is_covered(state)
    found: list[list[dict[str, Any]]] = []
    for n in range(start, stop):
        rows = range(int(table.offsets[n]), int(table.offsets[n + 1]))
        found.append([_box(table, row, bool(covered[row])) for row in rows])
    return found


def _box(table: TrackTable, row: int, covered: bool) -> dict[str, Any]:
    run = int(table.runs[row])
    box: dict[str, Any] = {
        "track": int(table.tracks[row]),
        "box": [float(v) for v in table.xyxy[row]],
        "origin": int(table.origins[row]),
        "label": table.classes[run],
        "score": round(float(table.scores[run]), 3),
        "covered": covered,
    }
    if (outline := table.outlines.get(row)) is not None:
        box |= {"shape": outline.kind, "points": [list(point) for point in outline.points]}
    return box


def _is_covered(state: State) -> NDArray[np.bool_]:
    """(rows of `whole`,) bool: what is covered; the others are exposed."""
    whole, table, count = state.whole, state.table, len(state.whole)
    if whole is table:
        return np.ones(len(whole.tracks), bool)
    found: NDArray[np.bool_] = np.isin(
        whole.tracks * count + whole.frames, table.tracks * count + table.frames
    )  # fmt: skip
    return found


def _edit(edit: Edit, by: str, table: TrackTable) -> dict[str, Any]:
    line = record(edit)
    return {
        "number": edit.number, "op": edit.op, "by": edit.by, "at": edit.at, "reason": edit.reason,
        "mine": edit.by == by, "track": track_of(edit.change), "what": edit_words.describe(edit, table.clock),
        **{name: line[name] for name in _TOLD if name in line},
    }  # fmt: skip


def _range_of(moment: Moment) -> list[int] | None:
    """Where a find of a second opinion is; None for what is of a track."""
    if not isinstance(moment.remedy, Region):
        return None
    return [moment.remedy.range.start, moment.remedy.range.stop]


def _change_record(change: Change) -> dict[str, Any]:
    """A change as the page hands it back."""
    line = record(Edit(1, change, "-", "-", "-"))
    if isinstance(change, Region):
        line["track"] = None  # the next free one
    return {name: value for name, value in line.items() if name not in ("edit", "by", "at", "reason")}
