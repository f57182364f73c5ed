"""Which sound tracks a QuickTime or MP4 file plays: the flags and groups of its tracks, as the source has them.

ffmpeg puts all sound into one alternate group, of which players play one track, and enables the first. Eight mono
tracks of a recording belong together, so that a file of another kind than the source's gets what is meant.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vsanon.encode.carry import CopyPlan
from vsanon.media.atoms import ENABLED, group_at, read_tracks


@dataclass(frozen=True, slots=True)
class Played:
    """A sound track that is played at once (`enabled`), or instead of another one of its `group`; 0 is no group."""

    enabled: bool
    group: int


def played(plan: CopyPlan) -> tuple[Played, ...] | None:
    """How the sound of a plan is played, in its order; None leaves it to ffmpeg, one of several languages."""
    sound = [stream for stream, _ in plan.streams if stream.kind == "audio"]
    if all(stream.track is not None for stream in sound):
        return tuple(Played(s.track.enabled, s.track.group) for s in sound if s.track is not None)
    if len({stream.language for stream in sound}) > 1:
        return None
    return tuple(Played(True, 0) for _ in sound)


def set_played(path: Path, wanted: Sequence[Played] | None) -> None:
    """Write it into the headers of a file's sound tracks.

    Raises:
        InputError: the headers can't be followed.
    """
    if not wanted:
        return
    tracks = [track for track in read_tracks(path) if track.handler == "soun"]
    with path.open("r+b") as file:
        for track, want in zip(tracks, wanted, strict=True):
            file.seek(track.header)
            version, *flags = file.read(4)
            flags[-1] = flags[-1] & ~ENABLED | want.enabled * ENABLED
            file.seek(track.header)
            file.write(bytes([version, *flags]))
            file.seek(track.header + group_at(version))
            file.write(struct.pack(">h", want.group))


def found_played(path: Path) -> tuple[Played, ...]:
    """How a file's sound tracks are played."""
    return tuple(Played(t.enabled, t.group) for t in read_tracks(path) if t.handler == "soun")
