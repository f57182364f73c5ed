"""What the edits of a track file do to the sound, on the source's clock."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from vsanon.encode import Sound, SoundChange
from vsanon.timing import Timeline
from vsanon.tracks.edit_kinds import Bleep, Edit, Mute


def with_edits(sound: Sound, edits: Sequence[Edit], timeline: Timeline) -> Sound:
    """The sound with what edits mute or bleep, from a range's first frame to the one at its stop.

    What begins with the first frame begins with the sound, and what ends with the last one ends with it.
    """
    return replace(sound, changes=tuple(
        SoundChange("mute" if isinstance(edit.change, Mute) else "bleep", track, *_span(edit.change, timeline))
        for edit in edits if isinstance(edit.change, (Mute, Bleep)) for track in edit.change.sound
    ))  # fmt: skip


def _span(change: Mute | Bleep, timeline: Timeline) -> tuple[Fraction | None, Fraction | None]:
    start, stop = change.range.start, change.range.stop
    last = len(timeline.pts)
    return timeline.seconds(start) if start else None, timeline.seconds(stop) if stop < last else None
