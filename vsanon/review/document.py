"""The track file that is being corrected: its state, changes to it, undo and redo, and who else changed it."""

import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vsanon.errors import InputError, TrackFileError
from vsanon.tracks import edits, write_edits
from vsanon.tracks.edit_kinds import Change, Edit, Expose, Review
from vsanon.tracks.edit_lines import change_of
from vsanon.tracks.file import read_tracks, version_of
from vsanon.tracks.table import TrackTable
from vsanon.tracks.write_edits import ConflictError

_TRIES = 20
MOST_CHANGES = 1000
"""In one step; a person makes a handful."""


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """A track file at one moment.

    Args:
        file_version: of the whole file, see `tracks.file.version_of`.
        version: of what decides over covers: reviews don't change it.
        analysis: of what was found: no edit changes it.
        raw: what was found.
        table: with all edits applied: what is covered.
        whole: as if nothing had been exposed: what could be covered again.
        edits: all of them, by number.
    """

    file_version: str
    version: str
    analysis: str
    raw: TrackTable
    table: TrackTable
    whole: TrackTable
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """What one action did: edits that went, and edits that came."""

    taken: tuple[Edit, ...]
    put: tuple[Edit, ...]


class Document:
    """A track file, its author, and the way back.

    All that is known of the past is in the file itself: a server that dies loses what could be done again
    (`redo`), and nothing that was done.

    Args:
        path: the track file.
        by: who makes the edits.

    Raises:
        TrackFileError: the file can't be read, or its edits can't be applied.
    """

    def __init__(self, path: Path, by: str) -> None:
        self.path, self.by = path, by
        self._lock = threading.RLock()
        self._done: list[Step] = []
        self._undone: list[Step] = []
        self._state = _read(path)

    def state(self) -> State:
        """The file as it is now, also where somebody else has changed it."""
        with self._lock:
            if version_of(self.path) != self._state.file_version:
                self._state = _read(self.path)
            return self._state

    def commit(
        self, version: str, changes: Sequence[Mapping[str, Any]], reason: str, replaces: Sequence[int] = ()
    ) -> tuple[Edit, ...]:
        """Make changes, as one step, in one write.

        Args:
            version: of the state that the person saw.
            changes: as lines of the track file tell them, without number, author, time and reason; a region without
                a track and a split without `into` get the next free number.
            reason: why.
            replaces: the author's own edits, whose place these take.

        Returns:
            The edits that were added.

        Raises:
            ConflictError: the file is not in that state any more.
            InputError: a change is not valid, or can't be applied; nothing was changed.
        """
        with self._lock:
            state = self._seen(version)
            taken = [edit for edit in state.edits if edit.number in set(replaces)]
            if len(taken) != len(set(replaces)):
                raise ConflictError(f"{self.path}: an edit to be replaced is not there any more")
            for edit in taken:
                if edit.by != self.by or isinstance(edit.change, Review):
                    raise InputError(f"edit {edit.number} is not yours to replace: add one")
            numbers = [edit.number for edit in taken]
            last = state.edits[-1].number if state.edits else 0
            numbers += range(last + 1, last + 1 + max(len(changes) - len(numbers), 0))
            put = self._edits(state, changes, reason, numbers)
            self._exchange(state, Step(tuple(taken), put))
            self._done.append(Step(tuple(taken), put))
            self._undone.clear()
            return put

    def undo(self, version: str) -> Step:
        """Take the last step back: of this session, then the author's own edits in the file, the latest first.

        Raises:
            ConflictError: as for `commit`, or somebody changed or needs what would go.
            InputError: there is nothing to undo.
        """
        with self._lock:
            state = self._seen(version)
            step = self._last(state)
            if step is None:
                raise InputError("there is nothing of yours to undo")
            self._exchange(state, Step(step.put, step.taken))
            if self._done:
                self._done.pop()
            self._undone.append(step)
            return step

    def redo(self, version: str) -> Step:
        """Make the step again that was undone last.

        Raises:
            As for `undo`.
        """
        with self._lock:
            state = self._seen(version)
            if not self._undone:
                raise InputError("there is nothing to do again")
            step = self._undone[-1]
            going = {edit.number for edit in step.taken}
            there = {edit.number for edit in state.edits} - going
            put = list(step.put)
            if there & {edit.number for edit in put}:  # somebody else has taken the numbers meanwhile
                last = max(there)
                put = [replace(edit, number=last + k) for k, edit in enumerate(put, start=1)]
            again = Step(step.taken, tuple(put))
            self._exchange(state, again)
            self._undone.pop()
            self._done.append(again)
            return again

    def remove(self, version: str, number: int) -> None:
        """Undo one edit of the list, whoever made it, as `vsanon edit undo` does; a step that can be undone."""
        with self._lock:
            state = self._seen(version)
            gone = tuple(e for e in state.edits if e.number == number and not isinstance(e.change, Review))
            if not gone:
                raise InputError(f"there is no edit {number}")
            self._exchange(state, Step(gone, ()))
            self._done.append(Step(gone, ()))
            self._undone.clear()

    def can(self) -> dict[str, bool]:
        """Whether there is something to undo and to redo."""
        with self._lock:
            return {"undo": self._last(self._state) is not None, "redo": bool(self._undone)}

    def record(self, old: Edit | None, make: Callable[[State], Review], reason: str) -> Edit:
        """Put a review into the file, in the place of an older one of this session; no step that can be undone.

        Raises:
            TrackFileError: the file can't be written.
        """
        with self._lock:
            for _ in range(_TRIES):
                state = self.state()
                number = old.number if old else (state.edits[-1].number if state.edits else 0) + 1
                new = Edit(number, make(state), self.by, write_edits.now(), reason)
                try:
                    self._exchange(state, Step((old,) if old else (), (new,)))
                except ConflictError:
                    old = next((edit for edit in self.state().edits if old and edit.number == old.number), None)
                    continue
                return new
            raise TrackFileError(f"{self.path}: others write it without a pause")

    def _seen(self, version: str) -> State:
        state = self.state()
        if state.version != version:
            raise ConflictError("somebody else has changed the tracks in the meantime: look at them again")
        return state

    def _last(self, state: State) -> Step | None:
        if self._done:
            return self._done[-1]
        own = [e for e in state.edits if e.by == self.by and not isinstance(e.change, Review)]
        return Step((), (own[-1],)) if own else None

    def _exchange(self, state: State, step: Step) -> None:
        write_edits.exchange(self.path, state.file_version, step.taken, step.put)
        self._state = self.state()

    def _edits(
        self, state: State, changes: Sequence[Mapping[str, Any]], reason: str, numbers: Sequence[int]
    ) -> tuple[Edit, ...]:
        if not 0 < len(changes) <= MOST_CHANGES:
            raise InputError(f"1 to {MOST_CHANGES} changes were expected, got {len(changes)}")
        free, at = edits.free_track(state.raw), write_edits.now()
        made: list[Edit] = []
        for number, change in zip(numbers, changes, strict=True):
            line = dict(change)
            for name in {"region": ("track",), "split": ("into",)}.get(str(line.get("op")), ()):
                if line.get(name) is None:
                    line[name], free = free, free + 1
            made.append(_edit(number, line, self.by, at, reason))
        return tuple(made)


def _edit(number: int, line: Mapping[str, Any], by: str, at: str, reason: str) -> Edit:
    try:
        change = change_of(str(line["op"]), line)
        if isinstance(change, Review):
            raise ValueError("a review is no change")
        return Edit(number, change, by, at, reason)
    except KeyError as error:
        raise InputError(f"the change is not valid: {error} is missing") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise InputError(f"the change is not valid: {error}") from error


def _read(path: Path) -> State:
    while True:
        version = version_of(path)
        raw = read_tracks(path)
        if version_of(path) == version:  # else somebody wrote it in between
            break
    all_edits = edits.edits_of(raw)
    digest = hashlib.sha256()
    changing = [r for r, e in zip(raw.edits, all_edits, strict=True) if not isinstance(e.change, Review)]
    digest.update(json.dumps(dict(raw.header), sort_keys=True, default=str).encode())
    for column in (raw.offsets, raw.xyxy, raw.tracks, raw.runs):
        digest.update(column.tobytes())
    analysis = digest.hexdigest()[:32]
    digest.update(json.dumps(changing, sort_keys=True, default=str).encode())
    table, whole = edits.apply(raw), digest.hexdigest()[:32]
    return State(version, whole, analysis, raw, table, _unexposed(raw, all_edits, table), all_edits)


def _unexposed(raw: TrackTable, all_edits: Sequence[Edit], table: TrackTable) -> TrackTable:
    if not any(isinstance(edit.change, Expose) for edit in all_edits):
        return table
    kept = tuple(r for r, e in zip(raw.edits, all_edits, strict=True) if not isinstance(e.change, Expose))
    try:
        return edits.apply(replace(raw, edits=kept))
    except TrackFileError:
        return raw


def changes_of(state: State) -> list[tuple[Edit, Change]]:
    """The edits that change tracks."""
    return [(edit, edit.change) for edit in state.edits if not isinstance(edit.change, Review)]
