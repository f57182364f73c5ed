"""The command line of edits: `vsanon edit`, each kind of correction a command."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from vsanon.cli.shared import FILE, Group, say, tell
from vsanon.cli.tracks import TRACKS, Frame, Frames, Key, why
from vsanon.errors import InputError

_track = click.option("--track", type=click.IntRange(1), required=True, help="The identity, as in `review`.")
_frames = click.option(
    "--frames",
    type=Frames(),
    required=True,
    help="Frames START to STOP - 1; or START-STOP in the source's timecode.",
)


@click.group(cls=Group)
def edit() -> None:
    """Correct tracks: each edit is kept beside the results, with author, time and reason."""


def _correction(*options: Callable[..., Any]) -> Callable[..., click.Command]:
    """A command of `edit` that adds edits: it takes a track file, these options, and who edits and why."""

    def command(function: Any) -> click.Command:
        for option in reversed((TRACKS, *options, why)):
            function = option(function)
        return edit.command()(function)

    return command


@contextmanager
def _our_errors() -> Iterator[None]:
    """What an edit refuses of its own values, as an error of ours."""
    try:
        yield
    except ValueError as error:
        raise InputError(str(error)) from error


def add(tracks: Path, by: str, reason: str, *changes: Any) -> None:
    """Add edits to a track file, and say what each is."""
    from vsanon.tracks import edit_words, write_edits
    from vsanon.tracks.file import read_tracks

    for new in write_edits.add(tracks, changes, by=by, reason=reason):
        tell(f"edit {new.number}: {edit_words.describe(new, read_tracks(tracks).clock)}")


@edit.command("list")
@TRACKS
def edit_list(tracks: Path) -> None:
    """List the edits of TRACKS, as they apply."""
    from vsanon.tracks import edit_words, edits
    from vsanon.tracks.file import read_tracks

    table = read_tracks(tracks)
    for entry in edits.edits_of(table):
        tell(
            f"{entry.number:4}  {entry.at}  {entry.by}: {edit_words.describe(entry, table.clock)} ({entry.reason})"
        )


@_correction(_track, _frames)
def expose(tracks: Path, track: int, frames: Any, by: str, reason: str) -> None:
    """Leave a track uncovered in a range."""
    from vsanon.tracks.edit_kinds import Expose

    add(tracks, by, reason, Expose(track, frames))


@_correction(_track, _frames)
def keep(tracks: Path, track: int, frames: Any, by: str, reason: str) -> None:
    """Cover a track in every frame of a range, also where it was not found."""
    from vsanon.tracks.edit_kinds import Keep

    add(tracks, by, reason, Keep(track, frames))


@_correction(_track)
def drop(tracks: Path, track: int, by: str, reason: str) -> None:
    """Remove a track that is none: a false detection."""
    from vsanon.tracks.edit_kinds import Drop

    add(tracks, by, reason, Drop(track))


@_correction(
    _track,
    click.option("--with", "others", type=click.IntRange(1), multiple=True, required=True, help="Becomes --track."),
)
def merge(tracks: Path, track: int, others: tuple[int, ...], by: str, reason: str) -> None:
    """Say that tracks are one identity."""
    from vsanon.tracks.edit_kinds import Merge

    add(tracks, by, reason, Merge(track, others))


@_correction(
    _track,
    click.option(
        "--at", "frame", type=Frame(), required=True, help="First frame of the later part, or its timecode."
    ),
)
def split(tracks: Path, track: int, frame: int, by: str, reason: str) -> None:
    """Say that a track is two identities; the later part gets a new number."""
    from vsanon.tracks.edit_kinds import Split
    from vsanon.tracks.edits import free_track
    from vsanon.tracks.file import read_tracks

    add(tracks, by, reason, Split(track, frame, free_track(read_tracks(tracks))))


_key = click.option(
    "--key", "keys", type=Key(), multiple=True, required=True,
    help="Key frame: FRAME:X0,Y0,X1,Y1, or FRAME:X,Y;X,Y;X,Y for a polygon. Linear between two.",
)  # fmt: skip
_span = click.option("--frames", type=Frames(), help="Where it applies [default: first to last key frame].")


def _whole(keys: Any, frames: Any) -> Any:
    from vsanon.timing import FrameRange

    return frames or FrameRange(min(key.frame for key in keys), max(key.frame for key in keys) + 1)


def _sorted(keys: Any) -> Any:
    return tuple(sorted(keys, key=lambda key: key.frame))


@_correction(_track, _key, _span)
def move(tracks: Path, track: int, keys: Any, frames: Any, by: str, reason: str) -> None:
    """Move or resize a track's boxes with key frames."""
    from vsanon.tracks.edit_kinds import Move

    with _our_errors():
        change = Move(track, _whole(keys, frames), _sorted(keys))
    add(tracks, by, reason, change)


@_correction(
    click.option("--class", "label", default="region", show_default=True, help="What it is: logo, tattoo, screen."),
    click.option(
        "--shape", type=click.Choice(["rectangle", "ellipse", "polygon"]), default="rectangle", show_default=True
    ),
    _key,
    _span,
    click.option("--follow", is_flag=True, help="Follow the picture between the key frames; needs --source."),
    click.option("--source", type=FILE, help="The clip, for --follow."),
    click.option(
        "--any-picture",
        is_flag=True,
        help="Follow in frames that show another picture than the one analysed, unchecked.",
    ),
)
def region(
    tracks: Path, label: str, shape: Any, keys: Any, frames: Any, follow: bool, source: Path | None, by: str,
    reason: str, any_picture: bool,
) -> None:  # fmt: skip
    """Add a region that nobody detected; it is covered exactly as drawn."""
    from vsanon.tracks.edit_kinds import Region
    from vsanon.tracks.edits import free_track
    from vsanon.tracks.file import read_tracks

    track = free_track(read_tracks(tracks))
    keys = _sorted(keys)
    with _our_errors():
        change = Region(track, _whole(keys, frames), label, shape, keys)
        if follow:
            if source is None or len(keys) < 2:
                raise click.UsageError("--follow needs --source IN and two key frames or more")
            from vsanon.job.follow_region import follow_region

            followed, lost = follow_region(source, tracks, keys, same_picture=not any_picture)
            change = Region(track, change.range, label, shape, followed)
            if lost:
                say(f"the motion was lost in {len(lost)} frames ({lost[0]} to {lost[-1]}): look at them")
    add(tracks, by, reason, change)


_time = click.option(
    "--time", "--frames", "frames", type=Frames(), required=True,
    help="From when to when: START-STOP in the source's timecode; or frames START to STOP - 1.",
)  # fmt: skip
_sound = click.option(
    "--track", "sound", type=click.IntRange(1), multiple=True, required=True,
    help="Which of the source's sound tracks, counted from 1; may be repeated.",
)  # fmt: skip


@_correction(_sound, _time)
def mute(tracks: Path, sound: tuple[int, ...], frames: Any, by: str, reason: str) -> None:
    """Make sound tracks silent in a range; `render` does it. PCM stays the same elsewhere, sample for sample."""
    from vsanon.tracks.edit_kinds import Mute

    with _our_errors():
        change = Mute(sound, frames)
    add(tracks, by, reason, change)


@_correction(_sound, _time)
def bleep(tracks: Path, sound: tuple[int, ...], frames: Any, by: str, reason: str) -> None:
    """Put a tone in place of sound tracks in a range; `render` does it. PCM stays the same elsewhere."""
    from vsanon.tracks.edit_kinds import Bleep

    with _our_errors():
        change = Bleep(sound, frames)
    add(tracks, by, reason, change)


@edit.command()
@TRACKS
@click.option("--edit", "number", type=click.IntRange(1), required=True, help="Its number in `edit list`.")
def undo(tracks: Path, number: int) -> None:
    """Remove an edit."""
    from vsanon.tracks import edit_words, write_edits

    tell(f"removed edit {number}: {edit_words.describe(write_edits.undo(tracks, number))}")


COMMANDS: tuple[click.Command, ...] = (edit,)
"""What `vsanon` adds to its own commands."""
