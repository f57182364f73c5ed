"""A part of a file: from which frame to which, and what becomes of source, tracks and ledger."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from vsanon import filters
from vsanon.encode import Cut
from vsanon.errors import InputError
from vsanon.media.atoms import timecode_at
from vsanon.media.source import Source
from vsanon.timing import Clock, FrameRange, Timeline, frame_at

_WRITTEN = re.compile(r"\d+|\d\d:[0-5]\d:[0-5]\d[:;.]\d\d")


@dataclass(frozen=True, slots=True)
class Span:
    """What was asked for: a first frame and the one after the last, as numbers or in the source's timecode.

    Args:
        first: None for the first of the file.
        stop: the frame that is not taken any more; None for the end of the file.
        trim: deliver just that; else all is delivered, and covered between them only.

    Raises:
        ValueError: one is neither a number nor a timecode, or there is nothing to trim by.
    """

    first: str | None = None
    stop: str | None = None
    trim: bool = False

    def __post_init__(self) -> None:
        for text in (self.first, self.stop):
            if text is not None and _WRITTEN.fullmatch(text) is None:
                raise ValueError(
                    f"{text!r:.40}: a frame's number was expected, such as 120, or a timecode of the source, such "
                    "as 10:00:04:20"
                )
        if self.trim and self.first is None and self.stop is None:
            raise ValueError("--trim delivers a part: say which, with --from, --to or both")

    @property
    def is_whole(self) -> bool:
        """Whether nothing was asked for."""
        return self.first is None and self.stop is None


@dataclass(frozen=True, slots=True)
class Part:
    """Which frames of a source are searched and covered.

    Args:
        frames: of the source.
        of: how many it has.
        timecode: of the first of them, where frames have one.
        cut: where just these are delivered, what that means for sound, texts and chapters; None where all is.
    """

    frames: FrameRange
    of: int
    timecode: str | None
    cut: Cut | None

    @property
    def facts(self) -> dict[str, Any]:
        """What the ledger says of it."""
        told = {} if self.timecode is None else {"timecode": self.timecode}
        return {
            "start": self.frames.start,
            "stop": self.frames.stop,
            "of": self.of,
            "delivered": "part" if self.cut is not None else "all",
            **told,
        }

    def source(self, opened: Source) -> Source:
        """The source as it is delivered."""
        if self.cut is None:
            return opened
        a, b = self.frames.start, self.frames.stop
        timeline = replace(opened.timeline, pts=opened.timeline.pts[a:b])
        return replace(opened, clip=opened.clip[a:b], timeline=timeline)

    def tracks(self, opened: Source, data: filters.VideoNode) -> filters.VideoNode:
        """The tracks of the whole source as they belong to `source`.

        Searched and followed as in the whole, so that a frame looks the same however much is delivered beside it.
        """
        if self.cut is None:
            return filters.within(opened.clip, data, self.frames)
        return data[self.frames.start : self.frames.stop]


def part_of(span: Span, opened: Source) -> Part | None:
    """The frames that are meant; None for all of them.

    Raises:
        InputError: a timecode that the source does not have, or nothing lies between them.
    """
    if span.is_whole:
        return None
    total, clock = len(opened.timeline.pts), _clock(opened)
    ends = []
    for name, text, default in (("--from", span.first, 0), ("--to", span.stop, total)):
        try:
            if text is not None and not text.isdecimal() and clock is None:
                raise ValueError(f"{text}: {_why_no_clock(opened)}: give the frame's number")
            ends.append(default if text is None else frame_at(text, clock))
        except ValueError as error:
            raise InputError(f"{opened.path.name}: {name} {error}") from error
    first, stop = ends
    if first >= total or stop > total:
        last = f"{total - 1}" + (f" ({clock.at(total - 1)})" if clock is not None else "")
        name, text = ("--from", span.first) if first >= total else ("--to", span.stop)
        raise InputError(
            f"{opened.path.name}: {name} {text} lies beyond its last frame, {last}; --to is the frame after the "
            "last one that is taken"
        )
    if first >= stop:
        raise InputError(
            f"{opened.path.name}: nothing lies between --from {span.first or first} and --to {span.stop or stop}, "
            f"frames {first} and {stop}: --to is the frame after the last one that is taken"
        )
    return part_from({"start": first, "stop": stop, "delivered": "part" if span.trim else "all"}, opened)


def part_from(facts: Mapping[str, Any], opened: Source) -> Part:
    """What a ledger says of a part, of a source that was opened.

    Raises:
        InputError: the source has no such part.
    """
    start, stop, total = int(facts["start"]), int(facts["stop"]), len(opened.timeline.pts)
    if not 0 <= start < stop <= total:
        raise InputError(f"{opened.path.name}: there is no part {start}:{stop} of its {total} frames")
    frames = FrameRange(start, stop)
    timecode = _timecode(opened, start)
    cut = None
    if facts["delivered"] == "part":
        line = opened.timeline
        cut = Cut(line.seconds(start), _end(line, stop), timecode)
    return Part(frames, total, timecode, cut)


def _end(line: Timeline, stop: int) -> Any:
    """When a part ends, in seconds: the last frame of a file lasts as long as the one before it."""
    if stop < len(line.pts):
        return line.seconds(stop)
    before = line.pts[-1] - line.pts[-2] if len(line.pts) > 1 else 1 / (line.fps * line.time_base)
    return (line.pts[-1] + before) * line.time_base


def _clock(opened: Source) -> Clock | None:
    """The clock of a source's frames, by the timecode of its first picture; None where there is none."""
    first = opened.first_timecode
    if first is None or opened.timeline.is_vfr:
        return None
    try:
        return Clock.of(opened.timeline.fps, first)
    except ValueError:
        return None


def _timecode(opened: Source, n: int) -> str | None:
    """The timecode of a frame; of uneven frames only a QuickTime track of timecode knows it."""
    if (clock := _clock(opened)) is not None:
        return clock.at(n)
    tracks = tuple(s.track for s in opened.facts.streams if s.track is not None)
    return timecode_at(tracks, opened.timeline.seconds(n))


def _why_no_clock(opened: Source) -> str:
    if opened.timeline.is_vfr:
        return "its frames are uneven, so that they are known by number only"
    return "the source has no timecode that its frames can be counted by"


def searched_of(header: Mapping[str, Any], part: Part | None) -> int | None:
    """How many frames were searched, by the header of a track file; it does not say of a part."""
    searched = header.get("frames_searched") if part is None else None
    return searched if isinstance(searched, int) else None
