"""Covered ranges on a timeline: as a CMX 3600 EDL, or as OpenTimelineIO with the extra `otio`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from vsanon.errors import InputError, MissingError
from vsanon.files import write_output
from vsanon.timing import Clock, FrameRange, Timeline
from vsanon.tracks.table import TrackTable

MAX_EVENTS = 999
"""An event's number has three digits in CMX 3600."""


@dataclass(frozen=True, slots=True)
class Covered:
    """One identity, covered in every frame of a range."""

    track: int
    label: str
    range: FrameRange


def covered_ranges(table: TrackTable) -> list[Covered]:
    """Where each identity is covered, by first frame; of a table with its edits applied."""
    frames = table.frames
    found: list[Covered] = []
    for track in np.unique(table.tracks):
        rows = table.tracks == track
        at = np.unique(frames[rows])
        label = table.classes[int(table.runs[rows][0])]
        for part in np.split(at, np.flatnonzero(np.diff(at) > 1) + 1):
            found.append(Covered(int(track), label, FrameRange(int(part[0]), int(part[-1]) + 1)))
    return sorted(found, key=lambda c: (c.range.start, c.track))


def edl(
    title: str, ranges: Sequence[Covered], timeline: Timeline, timecode: str | None, cuts: Sequence[int] = (),
    reel: str | None = None,
) -> str:  # fmt: skip
    """A CMX 3600 EDL as an editor conforms by: an event a shot, and a marker on each covered range.

    Args:
        title: the source's name.
        ranges: what is covered.
        timeline: of the source.
        timecode: of its first frame, with ";" before the frames where frames are dropped; None starts at 0.
        cuts: first frames of shots, but for the first one's.
        reel: the tape or roll that the source is found by; None takes its name.

    Raises:
        InputError: the rate is variable or has no timecode, there are more shots than the format can number,
            or the timecode is none.
    """  # fmt: skip
    if timeline.is_vfr:
        raise InputError("an EDL needs a constant frame rate: export otio instead")
    frames = len(timeline.pts)
    starts = [0, *(n for n in cuts if 0 < n < frames)]
    if len(starts) > MAX_EVENTS:
        raise InputError(f"{len(starts)} shots; an EDL numbers {MAX_EVENTS} at most: export otio instead")
    clock = clock_of(timeline.fps, timecode)
    name, lines = reel_name(reel or title), [f"TITLE: {_plain(title)}"]
    lines += [f"FCM: {'DROP FRAME' if clock.drop else 'NON-DROP FRAME'}", ""]
    for number, (start, stop) in enumerate(pairwise([*starts, frames]), start=1):
        times = " ".join([clock.at(start), clock.at(stop)] * 2)
        lines += [f"{number:03d}  {name:8} V     C        {times}", f"* FROM CLIP NAME: {_plain(title)}"]
        if reel is not None or name != title:
            lines.append(f"* SOURCE FILE: {_plain(title)}")
        for covered in ranges:
            if start <= covered.range.start < stop:
                at, until = clock.at(covered.range.start), clock.at(covered.range.stop)
                lines.append(f"* LOC: {at} RED     COVERED {covered.label} {covered.track} UNTIL {until}")
        lines.append("")
    return "\r\n".join(lines)


def reel_name(text: str) -> str:
    """A reel as CMX 3600 takes it: eight capitals and digits; of a file its name without the suffix."""
    plain = re.sub(r"[^A-Z0-9_]", "", Path(text).stem.upper())
    return plain[:8] or "AX"


def clock_of(fps: Fraction, timecode: str | None) -> Clock:
    """The clock of a source.

    Raises:
        InputError: such a rate has no timecode, or the timecode is none.
    """
    try:
        return Clock.of(fps, timecode)
    except ValueError as error:
        raise InputError(str(error)) from error


def write_edl(
    path: Path, source: Path, table: TrackTable, timeline: Timeline, timecode: str | None, reel: str | None = None
) -> int:
    """Write `edl` of a table, edits applied; returns the number of covered ranges. Errors as there."""
    ranges = covered_ranges(table)
    _write(path, edl(source.name, ranges, timeline, timecode, table.cuts, reel).encode("ascii", "replace"))
    return len(ranges)


def write_otio(
    path: Path, source: Path, table: TrackTable, timeline: Timeline, timecode: str | None, reel: str | None = None
) -> int:
    """Write an OpenTimelineIO timeline: a clip a shot, with a marker on each covered range of it.

    Args:
        path: the file to write.
        source: the clip; its absolute place goes into the file.
        table: edits applied.
        timeline: of the source.
        timecode: of its first frame; None starts at 0.
        reel: the tape or roll that the source is found by.

    Returns:
        The number of covered ranges; one that goes on over a cut is marked in each of its shots.

    Raises:
        MissingError: OpenTimelineIO is not installed.
        InputError: the file can't be written, or the timecode is none.
    """
    try:
        otio: Any = import_module("opentimelineio")
    except ImportError as error:
        raise MissingError("OpenTimelineIO is not installed: pip install 'vsanon[otio]'") from error
    rate = float(timeline.fps)
    clock = clock_of(timeline.fps, timecode) if timecode else None
    first = clock.first if clock else 0

    def span(start: int, frames: int) -> Any:
        return otio.opentime.TimeRange(
            otio.opentime.RationalTime(start + first, rate), otio.opentime.RationalTime(frames, rate)
        )

    ranges = covered_ranges(table)
    title, url = source.name, source.absolute().as_uri()
    whole = otio.schema.Timeline(name=title)
    whole.global_start_time = otio.opentime.RationalTime(first, rate)
    lane = otio.schema.Track(name="covered", kind=otio.schema.TrackKind.Video)
    starts = [0, *(n for n in table.cuts if 0 < n < len(table))]
    for start, stop in pairwise([*starts, len(table)]):
        reference = otio.schema.ExternalReference(target_url=url, available_range=span(0, len(table)))
        clip = otio.schema.Clip(name=title, media_reference=reference, source_range=span(start, stop - start))
        if reel is not None:
            clip.metadata["cmx_3600"] = {"reel": reel}
        for covered in ranges:
            begin, end = max(covered.range.start, start), min(covered.range.stop, stop)
            if begin < end:
                told = {"track": covered.track, "class": covered.label}
                told |= {"timecode": clock.at(begin)} if clock else {}
                clip.markers.append(
                    otio.schema.Marker(
                        name=f"{covered.label} {covered.track}",
                        marked_range=span(begin, end - begin),
                        color=otio.schema.MarkerColor.RED,
                        metadata={"vsanon": told},
                    )
                )
        lane.append(clip)
    whole.tracks.append(lane)
    _write(path, otio.adapters.write_to_string(whole, "otio_json").encode())
    return len(ranges)


def _plain(text: str) -> str:
    return "".join(c for c in text if c.isprintable())[:200]


def _write(path: Path, content: bytes) -> None:
    write_output(path, content)
