"""Edits: what people change about tracks, as data beside the results, applied each time a track file is loaded.

Results are never overwritten: without its edits a file holds what was found, to the byte. Edits apply in the
order of their lines, each to what those before it left, so the later one wins.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon.detections import Origin, Outline, no_swatches
from vsanon.errors import TrackFileError
from vsanon.timing import FrameRange
from vsanon.tracking.cover import GRID
from vsanon.tracks import edit_words
from vsanon.tracks.edit_kinds import (
    REGION_ID,
    Bleep,
    Box,
    Drop,
    Edit,
    Expose,
    Keep,
    KeyFrame,
    Merge,
    Move,
    Mute,
    Points,
    Region,
    Review,
    Split,
    track_of,
)
from vsanon.tracks.edit_lines import parse
from vsanon.tracks.table import TrackTable


def edits_of(table: TrackTable) -> tuple[Edit, ...]:
    """The edits of a table, checked.

    Raises:
        TrackFileError: an edit is not valid; its number is named.
    """
    edits = tuple(parse(record) for record in table.edits)
    numbers = [edit.number for edit in edits]
    if numbers != sorted(set(numbers)):
        raise TrackFileError("the numbers of the edits do not rise: the file was changed by hand")
    return edits


def apply(table: TrackTable) -> TrackTable:
    """The table with its edits applied; the table itself where it has none.

    Raises:
        TrackFileError: an edit is not valid, or speaks of a track or a frame that is not there.
    """
    edits = edits_of(table)
    return _changed(table, edits).table() if edits else table


def _changed(table: TrackTable, edits: Sequence[Edit]) -> "_Rows":
    rows = _Rows(table)
    for edit in edits:
        try:
            rows.change(edit)
        except ValueError as error:
            raise TrackFileError(f"edit {edit.number} ({edit.op}): {error}") from error
    return rows


def listed(table: TrackTable) -> list[dict[str, Any]]:
    """The edits of a table as the ledger lists them: with how many boxes each leaves bare, once all are applied.

    Of a track that is exposed or dropped those are its boxes, unless a later edit covers them again. A track that
    is moved leaves those bare that a model has seen, and of which less than half is covered now: whoever moves a
    cover from where it was only followed to, or a little, corrects it.

    Raises:
        TrackFileError: as for `apply`.
    """
    edits = edits_of(table)
    bare = _changed(table, edits).bare()
    return [edit_words.summary(edit, bare[edit.number]) for edit in edits]


def free_track(table: TrackTable) -> int:
    """The least number above all that tracks and edits use."""
    used = [int(table.tracks.max(initial=0))]
    for edit in edits_of(table):
        used += [track_of(edit.change), edit.change.into if isinstance(edit.change, Split) else 0]
    return max(used) + 1


def outline_points(points: Sequence[tuple[float, float]]) -> tuple[Box, Points]:
    """A polygon in pixels as its box and the shares of it.

    Raises:
        ValueError: it has no extent.
    """
    xy = np.array(points, np.float64).reshape(-1, 2)
    low, high = xy.min(axis=0, initial=math.inf), xy.max(axis=0, initial=-math.inf)
    if len(xy) < 3 or not np.isfinite(xy).all() or (high <= low).any():
        raise ValueError("a polygon needs three points or more that span an area")
    shares = (xy - low) / (high - low)
    return (*map(float, low), *map(float, high)), tuple((float(x), float(y)) for x, y in shares)  # type: ignore[return-value]


def place(keys: Sequence[KeyFrame], frames: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where key frames put a box at each frame.

    Returns:
        (m, 4) float64 boxes, pixels; (m, points, 2) float64 shares.
    """
    at = [key.frame for key in keys]
    values = np.array([[*key.box, *(v for point in key.points for v in point)] for key in keys], np.float64)
    between = np.stack([np.interp(frames, at, column) for column in values.T], axis=1)
    return between[:, :4], between[:, 4:].reshape(len(frames), -1, 2)


_SHOWN, _HIDDEN, _REPLACED = 0, 1, 2


@dataclass(slots=True)
class _Rows:
    """A table whose rows can be hidden, renamed and added; rows only ever get appended."""

    source: TrackTable
    frames: NDArray[np.int64] = field(init=False)
    xyxy: NDArray[np.float32] = field(init=False)
    origins: NDArray[np.uint8] = field(init=False)
    runs: NDArray[np.int64] = field(init=False)
    colours: NDArray[np.int64] = field(init=False)
    tracks: NDArray[np.int64] = field(init=False)
    state: NDArray[np.uint8] = field(init=False)
    by: NDArray[np.int64] = field(init=False)
    outlines: dict[int, Outline] = field(init=False)
    regions: list[tuple[int, str]] = field(init=False)

    def __post_init__(self) -> None:
        table = self.source
        self.frames, self.xyxy, self.origins = table.frames, table.xyxy, table.origins
        self.runs, self.colours, self.tracks = table.runs, table.colours, table.tracks.copy()
        self.state = np.zeros(len(table.runs), np.uint8)
        self.by = np.zeros(len(table.runs), np.int64)
        self.outlines, self.regions = dict(table.outlines), []

    def change(self, edit: Edit) -> None:
        change = edit.change
        if isinstance(change, (Mute, Bleep)):
            self._within(change.range)
            return
        if isinstance(change, Review):
            return
        if isinstance(change, Region):
            self._region(change, edit.number)
            return
        mine = self._of(change.track)
        match change:
            case Expose():
                shown = mine & self._within(change.range) & (self.state == _SHOWN)
                self.state[shown], self.by[shown] = _HIDDEN, edit.number
            case Drop():
                mine &= self.state != _REPLACED
                self.state[mine], self.by[mine] = _HIDDEN, edit.number
            case Merge():
                for other in change.others:
                    self.tracks[self._of(other)] = change.track
            case Split():
                if (self.tracks == change.into).any():
                    raise ValueError(f"there is a track {change.into} already")
                later = mine & (self.frames >= change.frame)
                if not later.any() or later.sum() == mine.sum():
                    raise ValueError(f"track {change.track} does not lie on both sides of frame {change.frame}")
                self.tracks[later] = change.into
            case Keep():
                self._keep(change, mine)
            case Move():
                self._move(change, mine, edit.number)

    def _keep(self, change: Keep, mine: NDArray[np.bool_]) -> None:
        inside = mine & self._within(change.range)
        back = inside & (self.state == _HIDDEN)
        self.state[back], self.by[back] = _SHOWN, 0
        shown = np.flatnonzero(mine & (self.state == _SHOWN))
        if not len(shown):
            raise ValueError(f"nothing of track {change.track} is left to keep")
        shown = shown[np.argsort(self.frames[shown], kind="stable")]
        at = self.frames[shown]
        missing = np.setdiff1d(np.arange(change.range.start, change.range.stop), at)
        boxes = np.stack([np.interp(missing, at, self.xyxy[shown, c]) for c in range(4)], axis=1)
        self._append(missing, boxes, self._nearest(shown, missing), change.track)

    def _move(self, change: Move, mine: NDArray[np.bool_], number: int) -> None:
        known = np.flatnonzero(mine & (self.state != _REPLACED))
        known = known[np.argsort(self.frames[known], kind="stable")]
        inside = mine & self._within(change.range)
        self.state[inside], self.by[inside] = _REPLACED, number
        frames = np.arange(change.range.start, change.range.stop)
        boxes, _ = place(change.keys, frames)
        self._append(frames, boxes, self._nearest(known, frames), change.track)

    def _region(self, change: Region, number: int) -> None:
        self._within(change.range)
        if (self.tracks == change.track).any():
            raise ValueError(f"there is a track {change.track} already")
        frames = np.arange(change.range.start, change.range.stop)
        boxes, points = place(change.keys, frames)
        run = len(self.source.ids) + len(self.regions)
        self.regions.append((REGION_ID + number, change.label))
        first = len(self.frames)
        self._append(frames, boxes, None, change.track, run)
        for k, shares in enumerate(points):
            polygon = tuple((min(max(float(x), 0.0), 1.0), min(max(float(y), 0.0), 1.0)) for x, y in shares)
            self.outlines[first + k] = Outline(change.shape, polygon)

    def _of(self, track: int) -> NDArray[np.bool_]:
        mine: NDArray[np.bool_] = self.tracks == track
        if not mine.any():
            raise ValueError(f"there is no track {track}")
        return mine

    def _within(self, span: FrameRange) -> NDArray[np.bool_]:
        if span.stop > len(self.source):
            raise ValueError(f"frames {span.start}:{span.stop} reach past the clip's {len(self.source)}")
        within: NDArray[np.bool_] = (self.frames >= span.start) & (self.frames < span.stop)
        return within

    def _nearest(self, rows: NDArray[np.intp], frames: NDArray[np.int64]) -> NDArray[np.intp]:
        """Of `rows`, by rising frame, those nearest to each of `frames`."""
        if not len(rows):
            raise ValueError("nothing of the track is left")
        at = self.frames[rows]
        after = np.clip(np.searchsorted(at, frames), 0, len(rows) - 1)
        before = np.maximum(after - 1, 0)
        return rows[np.where(np.abs(at[before] - frames) <= np.abs(at[after] - frames), before, after)]

    def _append(
        self, frames: NDArray[np.int64], boxes: NDArray[np.floating], like: NDArray[np.intp] | None, track: int,
        run: int = -1,
    ) -> None:  # fmt: skip
        """Add manual rows, rounded outward; their run and outline are those of the rows `like`."""
        first, count = len(self.frames), len(frames)
        if like is not None:
            for k, row in enumerate(like):
                if int(row) in self.outlines:
                    self.outlines[first + k] = self.outlines[int(row)]
        lower, upper = np.floor(boxes[:, :2] * GRID) / GRID, np.ceil(boxes[:, 2:] * GRID) / GRID
        self.frames = np.concatenate([self.frames, frames])
        self.xyxy = np.concatenate([self.xyxy, np.concatenate([lower, upper], axis=1).astype(np.float32)])
        self.origins = np.concatenate([self.origins, np.full(count, Origin.MANUAL, np.uint8)])
        self.runs = np.concatenate([self.runs, np.full(count, run) if like is None else self.runs[like]])
        # A region's are those after all of the table's: it has none of its own.
        colours = np.full(count, len(self.source.swatches)) if like is None else self.colours[like]
        self.colours = np.concatenate([self.colours, colours])
        self.tracks = np.concatenate([self.tracks, np.full(count, track)])
        self.state = np.concatenate([self.state, np.zeros(count, np.uint8)])
        self.by = np.concatenate([self.by, np.zeros(count, np.int64)])

    def bare(self) -> Counter[int]:
        """By the number of an edit, how many boxes it leaves bare, see `listed`."""
        hidden = np.flatnonzero(self.state == _HIDDEN)
        moved = np.flatnonzero((self.state == _REPLACED) & (self.origins == Origin.DETECTED))
        return Counter(self.by[hidden].tolist()) + Counter(self.by[moved[~self._half_covered(moved)]].tolist())

    def _half_covered(self, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Of each row, whether some box that is shown in its frame covers half of it or more."""
        shown = np.flatnonzero((self.state == _SHOWN) & np.isin(self.frames, self.frames[rows]))
        shown = shown[np.argsort(self.frames[shown], kind="stable")]
        first, stop = (np.searchsorted(self.frames[shown], self.frames[rows], side) for side in ("left", "right"))
        answer = np.zeros(len(rows), np.bool_)
        for k, row in enumerate(rows):
            box, covers = self.xyxy[row], self.xyxy[shown[first[k] : stop[k]]]
            inside = np.minimum(covers[:, 2:], box[2:]) - np.maximum(covers[:, :2], box[:2])
            shared = inside.clip(min=0).prod(axis=1).max(initial=0)
            answer[k] = 2 * shared >= (box[2:] - box[:2]).prod()
        return answer

    def table(self) -> TrackTable:
        table, regions = self.source, self.regions
        ids = np.concatenate([table.ids, np.array([i for i, _ in regions], np.int64)])
        rows = np.flatnonzero(self.state == _SHOWN)
        rows = rows[np.lexsort((ids[self.runs[rows]], self.frames[rows]))]
        counts = np.bincount(self.frames[rows], minlength=len(table))
        place_of = {int(row): k for k, row in enumerate(rows)} if self.outlines else {}
        return TrackTable(
            table.header,
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            self.xyxy[rows],
            self.origins[rows],
            self.runs[rows],
            self.tracks[rows],
            ids,
            (*table.classes, *(label for _, label in regions)),
            np.concatenate([table.scores, np.ones(len(regions), np.float32)]),
            np.concatenate([table.swatches, no_swatches(1)]) if regions else table.swatches,
            self.colours[rows],
            {place_of[row]: outline for row, outline in self.outlines.items() if row in place_of},
            table.edits,
            table.miniatures,
        )
