"""What somebody changed in another tool, as edits: the lanes that come back against the tracks that went out."""

from collections.abc import Mapping, Sequence

import numpy as np

from vsanon.boxes import iou
from vsanon.errors import InputError
from vsanon.interchange import Lane, Place, lanes_of
from vsanon.timing import FrameRange
from vsanon.tracks.edit_kinds import Box, Change, Drop, Expose, KeyFrame, Move, Region
from vsanon.tracks.edits import free_track
from vsanon.tracks.keyframes import thin
from vsanon.tracks.table import TrackTable

TOLERANCE_PX = 1 / 16
"""Half of the eighths of a pixel that tracks are kept in: less is rounding, not a change."""


def changes_between(
    table: TrackTable, lanes: Sequence[Lane], tolerance_px: float = TOLERANCE_PX
) -> tuple[list[Change], list[str]]:
    """The edits that make of `table`, edits applied, what `lanes` say.

    A box that is gone is exposed, one that was changed or added to a track is moved there, a track that is gone
    is dropped, a lane of no known track becomes a region, covered exactly as drawn. Where several boxes of one
    identity in a frame changed, what spans them all is covered.

    Args:
        table: what went out.
        lanes: what came back.
        tolerance_px: boxes whose edges differ by no more are the same.

    Returns:
        The changes, and notes on what can't be taken over.

    Raises:
        InputError: nothing came back of the tracks that went out, or from some frame on nothing of several: more
            likely a file that is cut off or of another clip than somebody who means that all be laid open.
    """
    if len(table.tracks) and not any(lane.places for lane in lanes):
        raise InputError(
            "there is no box in the file, which would lay open every track: export it again; to drop tracks that "
            "are none, use `vsanon edit drop`"
        )
    notes: list[str] = []
    before: dict[int, list[Lane]] = {}
    for lane in lanes_of(table):
        before.setdefault(int(lane.track or 0), []).append(lane)
    _require_end(before, lanes)
    after: dict[int, list[Lane]] = {track: [] for track in before}
    new: list[Lane] = []
    for lane in lanes:
        track = lane.track if lane.track is not None else _recognise(table, lane)
        if track in after:
            after[track].append(lane)
            labels = {known.label for known in before[track]}
            if lane.label and lane.label not in labels:
                notes.append(f"track {track}: its class {', '.join(sorted(labels))} stays, it is not {lane.label}")
        elif lane.places:
            new.append(lane)
    changes: list[Change] = []
    for track, were in before.items():
        changes += _track_changes(track, were, after[track], len(table), tolerance_px)
    number = free_track(table)
    for lane in new:
        changes += _region_changes(number, lane, len(table), notes)
        number += 1
    return changes, notes


def _require_end(before: Mapping[int, Sequence[Lane]], lanes: Sequence[Lane]) -> None:
    """Refuse what looks cut off: from some frame on there is nothing, where several tracks were."""
    last = max((n for lane in lanes for n in lane.places), default=-1)
    late = [track for track, were in before.items() if any(n > last for lane in were for n in lane.places)]
    if len(late) > 1:
        raise InputError(
            f"there is no box from frame {last + 1} on, which would lay open {len(late)} tracks there: export it "
            "again; to leave somebody uncovered, use `vsanon edit expose`"
        )


def _track_changes(
    track: int, were: Sequence[Lane], now: Sequence[Lane], frames: int, tolerance_px: float
) -> list[Change]:
    if not any(lane.places for lane in now):
        return [Drop(track)]
    gone: list[int] = []
    moved: dict[int, Box] = {}
    for n in sorted({n for lane in (*were, *now) for n in lane.places if 0 <= n < frames}):
        old = [lane.places[n] for lane in were if n in lane.places]
        new = [lane.places[n] for lane in now if n in lane.places]
        if not new:
            gone.append(n)
        elif not _same(old, new, tolerance_px):
            edges = np.array([place.box for place in new])
            low, high = edges[:, :2].min(axis=0), edges[:, 2:].max(axis=0)
            moved[n] = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    changes: list[Change] = [Expose(track, span) for span in spans(gone)]
    for span in spans(sorted(moved)):
        keys = thin([KeyFrame(n, moved[n]) for n in span], 0.0)
        changes.append(Move(track, span, tuple(keys)))
    return changes


def _region_changes(number: int, lane: Lane, frames: int, notes: list[str]) -> list[Change]:
    there = sorted(n for n in lane.places if 0 <= n < frames)
    if len(there) < len(lane.places):
        notes.append(f"a new {lane.label or 'region'} reaches past the clip's {frames} frames; cut off there")
    if not there:
        return []
    keys = [KeyFrame(n, lane.places[n].box, lane.places[n].points) for n in there]
    counts = {len(key.points) for key in keys}
    label = lane.label or "region"
    whole = FrameRange(there[0], there[-1] + 1)
    if lane.shape == "polygon" and len(counts) > 1:
        notes.append(f"region {number}: its polygon changes the number of points; its boxes are covered")
        keys, shape = [KeyFrame(key.frame, key.box) for key in keys], "rectangle"
    else:
        shape = lane.shape
    kept = thin(keys, 0.0) if shape != "polygon" else keys
    changes: list[Change] = [Region(number, whole, label, shape, tuple(kept))]  # type: ignore[arg-type]
    missing = sorted(set(whole) - set(there))
    return changes + [Expose(number, span) for span in spans(missing)]


def spans(frames: Sequence[int]) -> list[FrameRange]:
    """Rising frame numbers as ranges."""
    found: list[FrameRange] = []
    start = None
    for k, n in enumerate(frames):
        start = n if start is None else start
        if k + 1 == len(frames) or frames[k + 1] != n + 1:
            found.append(FrameRange(start, n + 1))
            start = None
    return found


def _same(old: Sequence[Place], new: Sequence[Place], tolerance_px: float) -> bool:
    if len(old) != len(new):
        return False
    a, b = (np.array(sorted(place.box for place in places)) for places in (old, new))
    return bool(np.abs(a - b).max() <= tolerance_px)


def _recognise(table: TrackTable, lane: Lane) -> int | None:
    """The identity that a nameless lane mostly agrees with; None where it is new."""
    votes: dict[int, int] = {}
    for n, place in lane.places.items():
        if 0 <= n < len(table) and len(found := table.at(n)):
            overlap = iou(np.array([place.box], np.float32), found.xyxy)[0]
            best = int(overlap.argmax())
            if overlap[best] >= 0.9:
                votes[found.ids[best]] = votes.get(found.ids[best], 0) + 1
    track = max(votes, key=lambda t: votes[t], default=None)
    return track if track is not None and 2 * votes[track] > len(lane.places) else None
