"""When what goes with the picture begins: the time that becomes 0, its timecode, and how sound is fitted to it."""

from fractions import Fraction
from math import ceil, floor

from vsanon.encode.carry import CopyPlan
from vsanon.encode.sound import SoundFit
from vsanon.media import MediaFacts
from vsanon.media.atoms import timecode_at
from vsanon.timing import Timeline


def sound_fits(plan: CopyPlan, timeline: Timeline) -> dict[int, SoundFit]:
    """By the index of its stream, how sound is fitted to the picture; empty where it goes along as it is."""
    if not plan.heard:
        return {}
    if plan.cut is not None:
        first, length = plan.cut.start, plan.cut.stop - plan.cut.start
    else:
        uneven = len(timeline.pts) > 1
        step = timeline.pts[1] - timeline.pts[0] if uneven else 1 / (timeline.fps * timeline.time_base)
        first, length = timeline.seconds(0), (timeline.pts[-1] - timeline.pts[0] + step) * timeline.time_base
    return {
        index: SoundFit(round((starts - first) * rate), ceil(length * rate), rate)
        for index, (starts, rate) in plan.heard.items()
    }


def start_origin(timeline: Timeline, plan: CopyPlan | None) -> Fraction:
    """The source's time that becomes 0: the earliest start of the picture and of the streams kept with it.

    It lies on the picture's time base, so that the picture's times stay exact, and the copied streams move by
    the same time to the nearest of their own ticks. Priming before 0 stays before 0.
    """
    if plan is not None and plan.cut is not None:
        return plan.cut.start
    streams = plan.streams if plan is not None and not plan.heard else ()
    starts = [s.start for s, _ in streams if s.start is not None and s.kind == "audio"]
    earliest = min([timeline.seconds(0), *(max(start, Fraction(0)) for start in starts)])
    return floor(earliest / timeline.time_base) * timeline.time_base


def timecode_of(source: MediaFacts, plan: CopyPlan, origin: Fraction) -> str | None:
    """The timecode at which the output begins: the source's, at the time that becomes 0."""
    if plan.cut is not None:
        return plan.timecode
    tracks = tuple(stream.track for stream in source.streams if stream.track is not None)
    return plan.timecode and (timecode_at(tracks, origin) or plan.timecode)
