"""The command line of tracks: edit, export, import, review."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from vsanon.cli.shared import FILE, SHAPE_OPTIONS, Command, Group, say, tell
from vsanon.errors import InputError


class _Frames(click.ParamType[Any]):
    """START:STOP in frames or START-STOP in timecode, end-exclusive; what it means follows from the track file."""

    name = "START:STOP"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        from vsanon.timing import FrameRange, frame_range

        if isinstance(value, FrameRange):
            return value
        clock = _clock(ctx)
        try:
            return frame_range(str(value), clock)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _Frame(click.ParamType[Any]):
    """A frame's number, or its timecode."""

    name = "FRAME"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        from vsanon.timing import frame_at

        try:
            return value if isinstance(value, int) else frame_at(str(value), _clock(ctx))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _clock(ctx: Any) -> Any:
    """The clock of the track file that the command names; arguments come before options, see `_tracks`."""
    from vsanon.tracks.file import read_tracks

    return read_tracks(ctx.params["tracks"]).clock if ctx is not None and "tracks" in ctx.params else None


class _Key(click.ParamType[Any]):
    """FRAME:X0,Y0,X1,Y1, or FRAME:X,Y;X,Y;X,Y for a polygon; the frame may be a timecode."""

    name = "FRAME:BOX"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        from vsanon.timing import frame_at
        from vsanon.tracks.edit_kinds import KeyFrame
        from vsanon.tracks.edits import outline_points

        if isinstance(value, KeyFrame):
            return value
        frame, _, where = str(value).rpartition(":") if ";" not in str(value) else _parted(str(value))
        try:
            frame = str(frame_at(frame, _clock(ctx)))
            if ";" in where:
                pairs = [point.split(",") for point in where.split(";")]
                box, points = outline_points([(float(x), float(y)) for x, y in pairs])
                return KeyFrame(int(frame), box, points)
            x0, y0, x1, y1 = (float(v) for v in where.split(","))
            return KeyFrame(int(frame), (x0, y0, x1, y1))
        except ValueError as error:
            self.fail(f"{value!r}: {error}; FRAME:X0,Y0,X1,Y1 or FRAME:X,Y;X,Y;X,Y was expected", param, ctx)


def _parted(value: str) -> tuple[str, str, str]:
    """A key frame with ";" in it, in its polygon or in its timecode, in two at the ":" between them."""
    import re

    found = re.fullmatch(r"(\d+|\d\d:\d\d:\d\d[:;.]\d\d):(.*)", value)
    return (found[1], ":", found[2]) if found else value.partition(":")


_tracks = click.argument("tracks", metavar="TRACKS", type=FILE, is_eager=True)
_track = click.option("--track", type=click.IntRange(1), required=True, help="The identity, as in `review`.")
_frames = click.option(
    "--frames",
    type=_Frames(),
    required=True,
    help="Frames START to STOP - 1; or START-STOP in the source's timecode.",
)


def _why(function: Callable[..., Any]) -> Callable[..., Any]:
    function = click.option("--reason", required=True, help="Why; auditors read it.")(function)
    return click.option("--by", required=True, envvar="VSANON_BY", help="Who [or set VSANON_BY].")(function)


@click.group(cls=Group)
def edit() -> None:
    """Correct tracks: each edit is kept beside the results, with author, time and reason."""


def _add(tracks: Path, by: str, reason: str, *changes: Any) -> None:
    from vsanon.tracks import edits
    from vsanon.tracks.file import read_tracks

    for new in edits.add(tracks, changes, by=by, reason=reason):
        tell(f"edit {new.number}: {edits.describe(new, read_tracks(tracks).clock)}")


@edit.command("list")
@_tracks
def edit_list(tracks: Path) -> None:
    """List the edits of TRACKS, as they apply."""
    from vsanon.tracks import edits
    from vsanon.tracks.file import read_tracks

    table = read_tracks(tracks)
    for entry in edits.edits_of(table):
        tell(f"{entry.number:4}  {entry.at}  {entry.by}: {edits.describe(entry, table.clock)} ({entry.reason})")


@edit.command()
@_tracks
@_track
@_frames
@_why
def expose(tracks: Path, track: int, frames: Any, by: str, reason: str) -> None:
    """Leave a track uncovered in a range."""
    from vsanon.tracks.edit_kinds import Expose

    _add(tracks, by, reason, Expose(track, frames))


@edit.command()
@_tracks
@_track
@_frames
@_why
def keep(tracks: Path, track: int, frames: Any, by: str, reason: str) -> None:
    """Cover a track in every frame of a range, also where it was not found."""
    from vsanon.tracks.edit_kinds import Keep

    _add(tracks, by, reason, Keep(track, frames))


@edit.command()
@_tracks
@_track
@_why
def drop(tracks: Path, track: int, by: str, reason: str) -> None:
    """Remove a track that is none: a false detection."""
    from vsanon.tracks.edit_kinds import Drop

    _add(tracks, by, reason, Drop(track))


@edit.command()
@_tracks
@_track
@click.option("--with", "others", type=click.IntRange(1), multiple=True, required=True, help="Becomes --track.")
@_why
def merge(tracks: Path, track: int, others: tuple[int, ...], by: str, reason: str) -> None:
    """Say that tracks are one identity."""
    from vsanon.tracks.edit_kinds import Merge

    _add(tracks, by, reason, Merge(track, others))


@edit.command()
@_tracks
@_track
@click.option("--at", "frame", type=_Frame(), required=True, help="First frame of the later part, or its timecode.")
@_why
def split(tracks: Path, track: int, frame: int, by: str, reason: str) -> None:
    """Say that a track is two identities; the later part gets a new number."""
    from vsanon.tracks.edit_kinds import Split
    from vsanon.tracks.edits import free_track
    from vsanon.tracks.file import read_tracks

    _add(tracks, by, reason, Split(track, frame, free_track(read_tracks(tracks))))


_key = click.option(
    "--key", "keys", type=_Key(), multiple=True, required=True,
    help="Key frame: FRAME:X0,Y0,X1,Y1, or FRAME:X,Y;X,Y;X,Y for a polygon. Linear between two.",
)  # fmt: skip
_span = click.option("--frames", type=_Frames(), help="Where it applies [default: first to last key frame].")


def _whole(keys: Any, frames: Any) -> Any:
    from vsanon.timing import FrameRange

    return frames or FrameRange(min(key.frame for key in keys), max(key.frame for key in keys) + 1)


def _sorted(keys: Any) -> Any:
    return tuple(sorted(keys, key=lambda key: key.frame))


@edit.command()
@_tracks
@_track
@_key
@_span
@_why
def move(tracks: Path, track: int, keys: Any, frames: Any, by: str, reason: str) -> None:
    """Move or resize a track's boxes with key frames."""
    from vsanon.tracks.edit_kinds import Move

    try:
        change = Move(track, _whole(keys, frames), _sorted(keys))
    except ValueError as error:
        raise InputError(str(error)) from error
    _add(tracks, by, reason, change)


@edit.command()
@_tracks
@click.option("--class", "label", default="region", show_default=True, help="What it is: logo, tattoo, screen.")
@click.option("--shape", type=click.Choice(["rectangle", "ellipse", "polygon"]), default="rectangle",
              show_default=True)  # fmt: skip
@_key
@_span
@click.option("--follow", is_flag=True, help="Follow the picture between the key frames; needs --source.")
@click.option("--source", type=FILE, help="The clip, for --follow.")
@click.option("--any-picture", is_flag=True,
              help="Follow in frames that show another picture than the one analysed, unchecked.")  # fmt: skip
@_why
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
    try:
        change = Region(track, _whole(keys, frames), label, shape, keys)
        if follow:
            if source is None or len(keys) < 2:
                raise click.UsageError("--follow needs --source IN and two key frames or more")
            from vsanon.job.follow_region import follow_region

            followed, lost = follow_region(source, tracks, keys, same_picture=not any_picture)
            change = Region(track, change.range, label, shape, followed)
            if lost:
                say(f"the motion was lost in {len(lost)} frames ({lost[0]} to {lost[-1]}): look at them")
    except ValueError as error:
        raise InputError(str(error)) from error
    _add(tracks, by, reason, change)


@edit.command()
@_tracks
@click.option("--edit", "number", type=click.IntRange(1), required=True, help="Its number in `edit list`.")
def undo(tracks: Path, number: int) -> None:
    """Remove an edit."""
    from vsanon.tracks import edits

    tell(f"removed edit {number}: {edits.describe(edits.undo(tracks, number))}")


@click.group(cls=Group)
def export() -> None:
    """Hand tracks to other tools: CVAT, MOTChallenge, COCO, a matte, an EDL, OpenTimelineIO."""


_out = click.option("-o", "--output", type=FILE, required=True)
_source = click.option("--source", type=FILE, required=True, help="The clip that the tracks belong to.")
_overwrite = click.option("--overwrite", is_flag=True, help="Replace an existing output.")
_any_picture = click.option(
    "--any-picture", is_flag=True, help="Take frames that show another picture than the one analysed, unchecked."
)  # fmt: skip


def _table(tracks: Path) -> Any:
    from vsanon.tracks import edits
    from vsanon.tracks.file import read_tracks

    return edits.apply(read_tracks(tracks))


def _target(inputs: list[Path], output: Path, overwrite: bool) -> None:
    from vsanon.job.delivery import require_targets

    require_targets(inputs, [output], overwrite=overwrite)


def _told(output: Path, format_: str) -> None:
    from vsanon.interchange import LOSSES

    for loss in LOSSES.get(format_, ()):
        say(f"not carried: {loss}")
    tell(output)


@export.command("cvat")
@_tracks
@_out
@_overwrite
@click.option("--tolerance", default=0.0, show_default=True,
              help="Mark only the key frames that meet all boxes this closely, pixels.")  # fmt: skip
def export_cvat(tracks: Path, output: Path, overwrite: bool, tolerance: float) -> None:
    """Write CVAT video XML 1.1."""
    from vsanon.interchange import cvat

    _target([tracks], output, overwrite)
    cvat.write(output, _table(tracks), name=tracks.name, tolerance_px=max(tolerance, 0.0))
    _told(output, "cvat")


@export.command("mot")
@_tracks
@_out
@_overwrite
def export_mot(tracks: Path, output: Path, overwrite: bool) -> None:
    """Write MOTChallenge CSV."""
    from vsanon.interchange import mot

    _target([tracks], output, overwrite)
    mot.write(output, _table(tracks))
    _told(output, "mot")


@export.command("coco")
@_tracks
@_out
@_overwrite
def export_coco(tracks: Path, output: Path, overwrite: bool) -> None:
    """Write COCO JSON, an image a frame."""
    from vsanon.interchange import coco

    _target([tracks], output, overwrite)
    coco.write(output, _table(tracks))
    _told(output, "coco")


@export.command("matte")
@_tracks
@_source
@_out
@_overwrite
@click.option("--form", type=click.Choice(["gray", "alpha", "planar"]), default="gray", show_default=True,
              help="gray: 10-bit luma matte. alpha: ProRes 4444. planar: for ffmpeg's maskedmerge.")  # fmt: skip
@_any_picture
@SHAPE_OPTIONS[0]
@SHAPE_OPTIONS[1]
def export_matte(
    tracks: Path,
    source: Path,
    output: Path,
    overwrite: bool,
    form: str,
    any_picture: bool,
    margins: tuple[str, ...],
    feathers: tuple[str, ...],
) -> None:
    """Write a matte: .mov (ProRes; FFV1 where planar) or .mkv (FFV1)."""
    from vsanon.covering.choices import shapes_of
    from vsanon.job.mattes import write_matte

    shapes = shapes_of(margins, feathers)
    matte = write_matte(
        source, tracks, output, form=form, shapes=shapes, same_picture=not any_picture, overwrite=overwrite, say=say
    )
    for note in matte.notes:
        say(f"not carried: {note}")
    if matte.merge:
        say(f"to apply it without vsanon:\n{shlex.join(matte.merge)}")
    tell(matte.path)


def _timeline(tracks: Path, source: Path, output: Path, overwrite: bool, write: Any) -> None:
    from vsanon.encode import reel_of
    from vsanon.job.settings import video_track_of
    from vsanon.media.source import open_source
    from vsanon.tracks.table import TrackTable

    _target([tracks, source], output, overwrite)
    table = _table(tracks)
    opened = open_source(source, video_track_of(table.header))
    assert isinstance(table, TrackTable)
    if len(table) != len(opened.timeline.pts):
        raise InputError(f"{tracks} covers {len(table)} frames, {source} has {len(opened.timeline.pts)}")
    count = write(output, source, table, opened.timeline, opened.facts.timecode, reel_of(opened.facts.names))
    say(f"{count} covered ranges")
    tell(output)


@export.command("edl")
@_tracks
@_source
@_out
@_overwrite
def export_edl(tracks: Path, source: Path, output: Path, overwrite: bool) -> None:
    """Write the covered ranges as a CMX 3600 EDL."""
    from vsanon.interchange.timelines import write_edl

    _timeline(tracks, source, output, overwrite, write_edl)


@export.command("otio")
@_tracks
@_source
@_out
@_overwrite
def export_otio(tracks: Path, source: Path, output: Path, overwrite: bool) -> None:
    """Write the covered ranges as markers of an OpenTimelineIO timeline (the extra `otio`)."""
    from vsanon.interchange.timelines import write_otio

    _timeline(tracks, source, output, overwrite, write_otio)


@click.command("import", cls=Command)
@click.argument("format_", metavar="FORMAT", type=click.Choice(["cvat", "mot", "coco"]))
@click.argument("file", metavar="FILE", type=FILE)
@click.option("--into", "tracks", type=FILE, required=True, help="The track file that was exported.")
@click.option("--tolerance", default=None, type=click.FloatRange(0), help="Differences that are none, pixels.")
@_why
def import_(format_: str, file: Path, tracks: Path, tolerance: float | None, by: str, reason: str) -> None:
    """Take over what was changed in another tool, as edits of the track file."""
    from vsanon.interchange import changes, coco, cvat, mot

    table = _table(tracks)
    lanes = {"cvat": cvat.read, "mot": mot.read, "coco": coco.read}[format_](file, len(table))
    limit = changes.TOLERANCE_PX if tolerance is None else tolerance
    found, notes = changes.changes_between(table, lanes, limit)
    for note in notes:
        say(f"not taken over: {note}")
    if not found:
        say("nothing was changed")
        return
    _add(tracks, by, reason, *found)


COMMANDS: tuple[click.Command, ...] = (edit, export, import_)
"""What `vsanon` adds to its own commands."""
