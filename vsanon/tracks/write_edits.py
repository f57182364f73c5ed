"""Writes edits into a track file, and takes them out: one at a time, and only where those that are left apply."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import filelock

from vsanon.errors import InputError, TrackFileError
from vsanon.files import left_beside, lock_beside
from vsanon.tracks.edit_kinds import Change, Edit
from vsanon.tracks.edit_lines import record
from vsanon.tracks.edits import apply, edits_of
from vsanon.tracks.file import read_tracks, rewrite_edits, version_of

_PATIENCE_S = 60.0
"""How long whoever edits waits for another one to finish; a file of hours is written in a few seconds."""


def add(path: Path, changes: Sequence[Change], *, by: str, reason: str) -> list[Edit]:
    """Add changes to a track file, if they can be applied.

    Raises:
        InputError: author or reason is missing, or a change can't be applied.
        TrackFileError: the file can't be read or written.
    """
    with _held(path):
        table = read_tracks(path)
        last = max((edit.number for edit in edits_of(table)), default=0)
        at = now()
        try:
            new = [Edit(last + k, change, by, at, reason) for k, change in enumerate(changes, start=1)]
            records = (*table.edits, *(record(edit) for edit in new))
            apply(replace(table, edits=records))
        except (ValueError, TrackFileError) as error:
            raise InputError(f"{path}: {error}; nothing was changed") from error
        rewrite_edits(path, records)
        return new


def undo(path: Path, number: int) -> Edit:
    """Remove an edit from a track file, if those after it still apply.

    Raises:
        InputError: there is no such edit, or another one needs it.
        TrackFileError: the file can't be read or written.
    """
    with _held(path):
        table = read_tracks(path)
        removed = [edit for edit in edits_of(table) if edit.number == number]
        if not removed:
            raise InputError(f"{path}: there is no edit {number}; `vsanon edit list` shows them")
        records = tuple(r for r in table.edits if r["edit"] != number)
        try:
            apply(replace(table, edits=records))
        except TrackFileError as error:
            raise InputError(f"{path}: edit {number} is needed by another: {error}. Undo that one first") from error
        rewrite_edits(path, records)
        return removed[0]


class ConflictError(InputError):
    """A track file was changed by somebody else in the meantime; nothing was overwritten."""


def exchange(path: Path, version: str, taken: Sequence[Edit], put: Sequence[Edit]) -> str:
    """Take edits out of a track file and put others in, each in its place by number, in one write.

    Args:
        version: what the file was when the change was thought of, by `version_of`.
        taken: edits that must be there as they are.
        put: edits whose numbers must be free then.

    Returns:
        The file's new version.

    Raises:
        ConflictError: the file is not of that version any more.
        InputError: the edits that would be left can't be applied.
        TrackFileError: the file can't be read or written.
    """
    with _held(path):
        if version_of(path) != version:
            raise ConflictError(f"{path} was changed by somebody else in the meantime: look at it again")
        table = read_tracks(path)
        held = {edit.number: edit for edit in edits_of(table)}
        own = {int(r["edit"]): r for r in table.edits}  # as written, with keys that this version does not know
        for edit in taken:
            if held.get(edit.number) != edit:
                raise ConflictError(f"{path}: edit {edit.number} is not what it was: look at it again")
            del own[edit.number]
        for edit in put:
            if edit.number in own:
                raise ConflictError(f"{path}: there is an edit {edit.number} already")
            own[edit.number] = record(edit)
        records = tuple(own[number] for number in sorted(own))
        try:
            apply(replace(table, edits=records))
        except TrackFileError as error:
            raise InputError(f"{error}; nothing was changed") from error
        rewrite_edits(path, records)
        return version_of(path)


def now() -> str:
    """The time of an edit, as it is written."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    """Hold a track file while its edits are read, changed and written, so that two who edit at once both count."""
    lock = filelock.FileLock(lock_beside(path), timeout=_PATIENCE_S, thread_local=False, fallback_to_soft=False)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise TrackFileError(f"{path}: another run is writing it: wait for it, or stop it") from error
    except OSError as error:
        raise TrackFileError(f"{path}: writing failed: {error.strerror}; nothing was changed there") from error
    try:
        for left in left_beside(path):
            left.unlink(missing_ok=True)
        yield
    finally:
        # Held still, so that whoever waits for it sees that the name is gone, and makes a new one.
        with contextlib.suppress(OSError):
            lock_beside(path).unlink()
        lock.release()
