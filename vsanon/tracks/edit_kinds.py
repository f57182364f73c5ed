"""The kinds of edit that people make."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from vsanon.detections import Outline
from vsanon.timing import FrameRange
from vsanon.tracks.lines import is_label

LIMIT = 2.0**20
"""Pixels within which all boxes lie."""

REGION_ID = 2**61
"""Above every name of the tracker, so that regions are painted last."""

Box = tuple[float, float, float, float]
Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """Where a box is at a frame.

    Args:
        frame: the frame.
        box: x0, y0, x1, y1, pixels, end-exclusive.
        points: of a polygon, as shares of the box, in [0, 1].
        tracked: put there by following the picture, not by hand.

    Raises:
        ValueError: a box that is empty, turned inside out or far outside; points outside of it.
    """

    frame: int
    box: Box
    points: Points = ()
    tracked: bool = False

    def __post_init__(self) -> None:
        x0, y0, x1, y1 = self.box
        if not all(math.isfinite(v) and abs(v) <= LIMIT for v in self.box) or not (x0 < x1 and y0 < y1):
            raise ValueError(f"a box needs x0 < x1 and y0 < y1 within a million pixels, got {self.box}")
        if self.frame < 0 or not all(0 <= v <= 1 for point in self.points for v in point):
            raise ValueError("a key frame needs a frame from 0 up, and points in [0, 1] of its box")


@dataclass(frozen=True, slots=True)
class Keep:
    """Cover a track in every frame of a range: what earlier edits took away comes back, gaps are bridged."""

    track: int
    range: FrameRange


@dataclass(frozen=True, slots=True)
class Expose:
    """Leave a track uncovered in a range."""

    track: int
    range: FrameRange


@dataclass(frozen=True, slots=True)
class Drop:
    """Remove a track that is none: a false detection."""

    track: int


@dataclass(frozen=True, slots=True)
class Merge:
    """The tracks `others` are the same identity as `track`."""

    track: int
    others: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """From `frame` on, a track is another identity: `into`."""

    track: int
    frame: int
    into: int


@dataclass(frozen=True, slots=True)
class Move:
    """Within a range, a track's boxes are those of the key frames: linear between, constant outside."""

    track: int
    range: FrameRange
    keys: tuple[KeyFrame, ...]

    def __post_init__(self) -> None:
        _check_keys(self.keys)


@dataclass(frozen=True, slots=True)
class Region:
    """A region that nobody detected: a logo, a tattoo, a screen, a badge.

    Args:
        track: its number, which no track has yet.
        range: where it is covered.
        label: its class.
        shape: how it fills its box.
        keys: where it is: linear between key frames, constant before the first and after the last.
    """

    track: int
    range: FrameRange
    label: str
    shape: Literal["rectangle", "ellipse", "polygon"]
    keys: tuple[KeyFrame, ...]

    def __post_init__(self) -> None:
        _check_keys(self.keys)
        if not is_label(self.label):
            raise ValueError(f"class is a name of 1 to 100 letters, got {self.label!r:.80}")
        for key in self.keys:
            Outline(self.shape, key.points)


@dataclass(frozen=True, slots=True)
class Mute:
    """Sound tracks of the source, counted from 1, are silent in a range of frames."""

    sound: tuple[int, ...]
    range: FrameRange

    def __post_init__(self) -> None:
        _check_sound(self.sound)


@dataclass(frozen=True, slots=True)
class Bleep:
    """Sound tracks of the source, counted from 1, are a tone in a range of frames."""

    sound: tuple[int, ...]
    range: FrameRange

    def __post_init__(self) -> None:
        _check_sound(self.sound)


@dataclass(frozen=True, slots=True)
class Tick:
    """A doubtful moment that somebody has looked at: its frame, its track, and what kind it is of."""

    frame: int
    track: int
    kind: str


@dataclass(frozen=True, slots=True)
class Find:
    """What a second opinion saw where no region was.

    Args:
        number: its own, among all finds of a file; ticks name it.
        label: its class.
        score: the best of its detections, in [0, 1].
        range: the frames from the first to the last of them.
        keys: where it is: linear between them.
    """

    number: int
    label: str
    score: float
    range: FrameRange
    keys: tuple[KeyFrame, ...]

    def __post_init__(self) -> None:
        _check_keys(self.keys)
        if not is_label(self.label):
            raise ValueError(f"class is a name of 1 to 100 letters, got {self.label!r:.80}")
        if not 0 <= self.score <= 1 or self.number < 1:
            raise ValueError("a find has a number from 1 up, and a score in [0, 1]")


@dataclass(frozen=True, slots=True)
class Opinion:
    """A second search of a clip, and what it saw where no region was.

    Args:
        name: which one, see `review.second_opinion`.
        models: the names of their cards.
        searched: frames that a model has seen; between them finds are followed.
        frames: of the clip.
        finds: what no region covered.
    """

    name: str
    models: tuple[str, ...]
    searched: int
    frames: int
    finds: tuple[Find, ...] = ()

    def __post_init__(self) -> None:
        if not all(is_label(name) for name in (self.name, *self.models)):
            raise ValueError("a second opinion and its models have names of 1 to 100 letters")
        if not 0 <= self.searched <= self.frames:
            raise ValueError(f"{self.searched} frames searched of {self.frames}")


@dataclass(frozen=True, slots=True)
class Review:
    """What a person has looked at; it changes no box, and stands in the ledger as evidence of the look.

    Args:
        seen: the frames that were shown, as ranges that rise.
        seconds: how long the person looked, seconds.
        revealed: frames that were shown without their covers.
        ticked: doubtful moments that were ticked off.
        left: how many were not.
        opinions: second searches that were made in the meantime.
    """

    seen: tuple[FrameRange, ...]
    seconds: float
    revealed: tuple[FrameRange, ...] = ()
    ticked: tuple[Tick, ...] = ()
    left: int = 0
    opinions: tuple[Opinion, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.seconds <= LIMIT * 1000 or self.left < 0:
            raise ValueError("a review has seconds, and a count of what is left, from 0 up")
        for spans in (self.seen, self.revealed):
            if any(b.start <= a.stop for a, b in pairwise(spans)):
                raise ValueError("the ranges of a review rise, with frames between them")


Change = Keep | Expose | Drop | Merge | Split | Move | Region | Mute | Bleep
"""What changes tracks, or the sound beside them."""


def track_of(change: Change | Review) -> int:
    """The track that a change is of; 0 where it is of none."""
    return 0 if isinstance(change, (Review, Mute, Bleep)) else change.track


@dataclass(frozen=True, slots=True)
class Edit:
    """A change, and who made it, when and why.

    Raises:
        ValueError: author, time or reason is missing.
    """

    number: int
    change: Change | Review
    by: str
    at: str
    reason: str

    def __post_init__(self) -> None:
        for name, text in (("by", self.by), ("at", self.at), ("reason", self.reason)):
            if not text.strip() or len(text) > 2000:
                raise ValueError(f"every edit says {name} in 1 to 2000 letters")

    @property
    def op(self) -> str:
        """The change's name, as in the file."""
        return type(self.change).__name__.lower()


def _check_sound(tracks: Sequence[int]) -> None:
    if not tracks or any(track < 1 for track in tracks) or len(set(tracks)) < len(tracks):
        raise ValueError("sound tracks are counted from 1, and each is named once")


def _check_keys(keys: Sequence[KeyFrame]) -> None:
    at = [key.frame for key in keys]
    if not at or at != sorted(set(at)):
        raise ValueError("key frames must be there, and rise")
    if len({len(key.points) for key in keys}) > 1:
        raise ValueError("all key frames of a polygon need as many points")
