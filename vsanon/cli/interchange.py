"""The command line of other tools: `vsanon export` and `vsanon import`."""

import shlex
from pathlib import Path
from typing import Any

import click

from vsanon.cli.edit import add
from vsanon.cli.shared import FILE, OVERWRITE, SHAPE_OPTIONS, Command, Group, say, tell
from vsanon.cli.tracks import ANY_PICTURE, SOURCE, TRACKS, require_target, why
from vsanon.errors import InputError


@click.group(cls=Group)
def export() -> None:
    """Hand tracks to other tools: CVAT, MOTChallenge, COCO, a matte, an EDL, OpenTimelineIO."""


_out = click.option("-o", "--output", type=FILE, required=True, help="The file to write.")


def _table(tracks: Path) -> Any:
    from vsanon.tracks import edits
    from vsanon.tracks.file import read_tracks

    return edits.apply(read_tracks(tracks))


def _told(output: Path, format_: str) -> None:
    from vsanon.interchange import LOSSES

    for loss in LOSSES.get(format_, ()):
        say(f"not carried: {loss}")
    tell(output)


@export.command("cvat")
@TRACKS
@_out
@OVERWRITE
@click.option("--tolerance", default=0.0, show_default=True,
              help="Mark only the key frames that meet all boxes this closely, pixels.")  # fmt: skip
def export_cvat(tracks: Path, output: Path, overwrite: bool, tolerance: float) -> None:
    """Write CVAT video XML 1.1."""
    from vsanon.interchange import cvat

    require_target([tracks], output, overwrite)
    cvat.write(output, _table(tracks), name=tracks.name, tolerance_px=max(tolerance, 0.0))
    _told(output, "cvat")


@export.command("mot")
@TRACKS
@_out
@OVERWRITE
def export_mot(tracks: Path, output: Path, overwrite: bool) -> None:
    """Write MOTChallenge CSV."""
    from vsanon.interchange import mot

    require_target([tracks], output, overwrite)
    mot.write(output, _table(tracks))
    _told(output, "mot")


@export.command("coco")
@TRACKS
@_out
@OVERWRITE
def export_coco(tracks: Path, output: Path, overwrite: bool) -> None:
    """Write COCO JSON, an image a frame."""
    from vsanon.interchange import coco

    require_target([tracks], output, overwrite)
    coco.write(output, _table(tracks))
    _told(output, "coco")


@export.command("matte")
@TRACKS
@SOURCE
@_out
@OVERWRITE
@click.option("--form", type=click.Choice(["gray", "alpha", "planar"]), default="gray", show_default=True,
              help="gray: 10-bit luma matte. alpha: ProRes 4444. planar: for ffmpeg's maskedmerge.")  # fmt: skip
@ANY_PICTURE
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

    require_target([tracks, source], output, overwrite)
    table = _table(tracks)
    opened = open_source(source, video_track_of(table.header))
    assert isinstance(table, TrackTable)
    if len(table) != len(opened.timeline.pts):
        raise InputError(f"{tracks} covers {len(table)} frames, {source} has {len(opened.timeline.pts)}")
    count = write(output, source, table, opened.timeline, opened.first_timecode, reel_of(opened.facts.names))
    say(f"{count} covered ranges")
    tell(output)


@export.command("edl")
@TRACKS
@SOURCE
@_out
@OVERWRITE
def export_edl(tracks: Path, source: Path, output: Path, overwrite: bool) -> None:
    """Write the covered ranges as a CMX 3600 EDL."""
    from vsanon.interchange.timelines import write_edl

    _timeline(tracks, source, output, overwrite, write_edl)


@export.command("otio")
@TRACKS
@SOURCE
@_out
@OVERWRITE
def export_otio(tracks: Path, source: Path, output: Path, overwrite: bool) -> None:
    """Write the covered ranges as markers of an OpenTimelineIO timeline (the extra `otio`)."""
    from vsanon.interchange.timelines import write_otio

    _timeline(tracks, source, output, overwrite, write_otio)


@click.command("import", cls=Command)
@click.argument("format_", metavar="FORMAT", type=click.Choice(["cvat", "mot", "coco"]))
@click.argument("file", metavar="FILE", type=FILE)
@click.option("--into", "tracks", type=FILE, required=True, help="The track file that was exported.")
@click.option("--tolerance", default=None, type=click.FloatRange(0), help="Differences that are none, pixels.")
@why
def import_(format_: str, file: Path, tracks: Path, tolerance: float | None, by: str, reason: str) -> None:
    """Take over what was changed in another tool, as edits of the track file."""
    from vsanon.interchange import changes, coco, cvat, mot

    table = _table(tracks)
    lanes = {"cvat": cvat.read, "mot": mot.read, "coco": coco.read}[format_](file, len(table), table.size)
    limit = changes.TOLERANCE_PX if tolerance is None else tolerance
    found, notes = changes.changes_between(table, lanes, limit)
    for note in notes:
        say(f"not taken over: {note}")
    if not found:
        say("nothing was changed")
        return
    add(tracks, by, reason, *found)


COMMANDS: tuple[click.Command, ...] = (export, import_)
"""What `vsanon` adds to its own commands."""
