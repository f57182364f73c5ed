"""Covered ranges on a timeline: as a CMX 3600 EDL, or as OpenTimelineIO with the extra `otio`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from vsanon.errors import InputError, MissingError
from vsanon.files import write_atomic
from vsanon.timing import FrameRange, Timeline
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
    title: str, ranges: Sequence[Covered], timeline: Timeline, timecode: str | None, reel: str | None = None
) -> str:
    """A CMX 3600 EDL with an event for each range, named in a comment.

    Args:
        title: the source's name.
        ranges: what is covered.
        timeline: of the source.
        timecode: of its first frame, with ";" before the frames where frames are dropped; None starts at 0.
        reel: the source's, by which a conform finds it; None for "AX", which stands for none.

    Raises:
        InputError: the rate is variable or has no timecode, there are more events than the format can number,
            or the timecode is none.
    """
    if timeline.is_vfr:
        raise InputError("an EDL needs a constant frame rate: export otio instead")
    if len(ranges) > MAX_EVENTS:
        raise InputError(f"{len(ranges)} ranges; an EDL numbers {MAX_EVENTS} at most: export otio instead")
    clock = _Clock.of(timeline.fps, timecode)
    lines = [f"TITLE: {_plain(title)}", f"FCM: {'DROP FRAME' if clock.drop else 'NON-DROP FRAME'}", ""]
    for number, covered in enumerate(ranges, start=1):
        start, stop = clock.at(covered.range.start), clock.at(covered.range.stop)
        lines.append(f"{number:03d}  {_reel(reel):<8} V     C        {start} {stop} {start} {stop}")
        lines += [f"* FROM CLIP NAME: {_plain(title)}", f"* COMMENT: COVERED {covered.label} {covered.track}", ""]
    return "\r\n".join(lines)


def _reel(name: str | None) -> str:
    """A reel's name as CMX 3600 has room for it: eight letters, digits and underscores."""
    return re.sub(r"[^A-Za-z0-9_]", "_", name or "AX")[:8]


def write_edl(
    path: Path, title: str, table: TrackTable, timeline: Timeline, timecode: str | None, reel: str | None = None
) -> int:
    """Write `edl` of a table, edits applied; returns the number of events. Errors as there."""
    ranges = covered_ranges(table)
    _write(path, edl(title, ranges, timeline, timecode, reel).encode("ascii", "replace"))
    return len(ranges)


def write_otio(
    path: Path, title: str, table: TrackTable, timeline: Timeline, timecode: str | None, reel: str | None = None
) -> int:
    """Write an OpenTimelineIO timeline: the source as one clip, with a marker on each covered range.

    Returns:
        The number of markers.

    Raises:
        MissingError: OpenTimelineIO is not installed.
        InputError: the file can't be written, or the timecode is none.
    """
    try:
        otio: Any = import_module("opentimelineio")
    except ImportError as error:
        raise MissingError("OpenTimelineIO is not installed: pip install 'vsanon[otio]'") from error
    rate = float(timeline.fps)
    first = _Clock.of(timeline.fps, timecode).first if timecode else 0

    def span(start: int, frames: int) -> Any:
        return otio.opentime.TimeRange(
            otio.opentime.RationalTime(start + first, rate), otio.opentime.RationalTime(frames, rate)
        )

    ranges = covered_ranges(table)
    media = otio.schema.ExternalReference(target_url=_plain(title), available_range=span(0, len(table)))
    clip = otio.schema.Clip(name=title, media_reference=media, source_range=span(0, len(table)))
    if reel is not None:
        clip.metadata["cmx_3600"] = {"reel": reel}
    for covered in ranges:
        clip.markers.append(
            otio.schema.Marker(
                name=f"{covered.label} {covered.track}",
                marked_range=span(covered.range.start, len(covered.range)),
                color=otio.schema.MarkerColor.RED,
                metadata={"vsanon": {"track": covered.track, "class": covered.label}},
            )
        )
    whole = otio.schema.Timeline(name=title)
    lane = otio.schema.Track(name="covered", kind=otio.schema.TrackKind.Video)
    lane.append(clip)
    whole.tracks.append(lane)
    _write(path, otio.adapters.write_to_string(whole, "otio_json").encode())
    return len(ranges)


@dataclass(frozen=True, slots=True)
class _Clock:
    """Timecode of frames: `base` frames a second are counted, `first` is the number of frame 0."""

    base: int
    drop: bool
    first: int

    @classmethod
    def of(cls, fps: Fraction, timecode: str | None) -> "_Clock":
        base = round(fps)
        if not 1 <= base <= 99 or abs(fps - base) > Fraction(base, 500):
            raise InputError(f"there is no timecode for {fps} frames a second")
        drop = bool(timecode and ";" in timecode)
        if drop and base % 30:
            raise InputError(f"timecode {timecode} drops frames, which {fps} frames a second don't")
        if timecode is None:
            return cls(base, drop, 0)
        parts = re.fullmatch(r"(\d\d):(\d\d):(\d\d)[:;.](\d\d)", timecode)
        if parts is None:
            raise InputError(f"{timecode!r:.40} is not a timecode")
        hours, minutes, seconds, frames = (int(p) for p in parts.groups())
        first = ((hours * 60 + minutes) * 60 + seconds) * base + frames
        if drop:
            total = hours * 60 + minutes
            first -= base // 15 * (total - total // 10)
        return cls(base, drop, first)

    def at(self, n: int) -> str:
        """The timecode of frame `n` (SMPTE ST 12-1; drop-frame leaves out two numbers a minute, of 30)."""
        count = self.first + n
        if self.drop:
            gap = self.base // 15
            tens, rest = divmod(count, self.base * 600 - 9 * gap)
            count += tens * 9 * gap
            if rest >= self.base * 60:
                count += gap * (1 + (rest - self.base * 60) // (self.base * 60 - gap))
        seconds, frames = divmod(count, self.base)
        minutes, seconds = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours % 24:02d}:{minutes:02d}:{seconds:02d}{';' if self.drop else ':'}{frames:02d}"


def _plain(text: str) -> str:
    return "".join(c for c in text if c.isprintable())[:200]


def _write(path: Path, content: bytes) -> None:
    try:
        write_atomic(path, content)
    except OSError as error:
        raise InputError(f"{path}: can't be written: {error.strerror}") from error
