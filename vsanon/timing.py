"""Frame ranges, rational rates, and the way from a frame to its timestamp."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import gcd


@dataclass(frozen=True, slots=True)
class FrameRange:
    """Frames `start <= n < stop`; 0-based, end-exclusive."""

    start: int
    stop: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.stop:
            raise ValueError(f"frame range needs 0 <= start < stop, got {self.start}:{self.stop}")

    def __len__(self) -> int:
        return self.stop - self.start

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.start, self.stop))

    def __contains__(self, n: object) -> bool:
        return isinstance(n, int) and self.start <= n < self.stop


@dataclass(frozen=True, slots=True)
class Timeline:
    """When each frame is shown: `pts[n] * time_base` seconds.

    `pts` is strictly rising; `fps` is the nominal (average) rate; `is_vfr` says that frames are not
    evenly spaced beyond the rounding of the time base. `step`, of a part, is what all times of the whole film lie
    apart, or a multiple of it: encoders write it into their header, which is to be the same in every part.

    Examples:
        >>> even = Timeline((0, 1, 2), Fraction(1, 25), Fraction(25))
        >>> even.is_vfr, even.seconds(2)
        (False, Fraction(2, 25))
    """

    pts: tuple[int, ...]
    time_base: Fraction
    fps: Fraction
    step: int = 0

    def __post_init__(self) -> None:
        if not self.pts:
            raise ValueError("a timeline needs at least one frame")
        if any(b <= a for a, b in pairwise(self.pts)):
            raise ValueError("timestamps must rise from frame to frame")
        if self.time_base <= 0 or self.fps <= 0:
            raise ValueError(f"time_base and fps must be positive, got {self.time_base} and {self.fps}")

    @property
    def is_vfr(self) -> bool:
        """True where a frame lies more than one tick and a half from its evenly spaced place."""
        step = 1 / (self.fps * self.time_base)
        return any(abs(p - self.pts[0] - n * step) > Fraction(3, 2) for n, p in enumerate(self.pts))

    @property
    def densest(self) -> Fraction:
        """Frames a second where they follow fastest over half a second, for spans that must not be short.

        A screen recorder that writes 25 frames a second while something moves, and none in between, has a mean rate
        by which half a second is two frames.

        Examples:
            >>> bursts = [start + n for start in (0, 2000, 4000) for n in (0, 40, 80, 120)]
            >>> Timeline(tuple(bursts), Fraction(1, 1000), Fraction(3)).densest
            Fraction(8, 1)
        """
        span, most, start = Fraction(1, 2) / self.time_base, 0, 0
        for n, at in enumerate(self.pts):
            while at - self.pts[start] >= span:
                start += 1
            most = max(most, n + 1 - start)
        return Fraction(2 * most)

    def part(self, start: int, stop: int) -> "Timeline":
        """That of frames `start` to `stop - 1`, to be encoded alone and joined to the others.

        Examples:
            >>> Timeline((0, 80, 160, 200), Fraction(1, 1000), Fraction(15)).part(0, 3).step
            40
        """
        step = gcd(*(p - self.pts[0] for p in self.pts))
        return Timeline(self.pts[start:stop], self.time_base, self.fps, step)

    def evened(self) -> "Timeline":
        """From 0 in whole frames, without what the time base has rounded; itself where frames are not even."""
        return self if self.is_vfr else Timeline(tuple(range(len(self.pts))), 1 / self.fps, self.fps)

    def seconds(self, n: int) -> Fraction:
        """The time of frame `n`, in seconds."""
        return self.pts[n] * self.time_base


def frames_for(seconds: float, fps: Fraction) -> int:
    """The number of frames that lasts at least `seconds`.

    Examples:
        >>> frames_for(0.5, Fraction(25))
        13
    """
    exact = Fraction(seconds).limit_denominator(10**6) * fps
    return -(-exact.numerator // exact.denominator)


_TIMECODE = re.compile(r"(\d\d):([0-5]\d):([0-5]\d)[:;.](\d\d)")


@dataclass(frozen=True, slots=True)
class Clock:
    """Timecode of frames (SMPTE ST 12-1): `base` frames a second are counted, `first` is the number of frame 0.

    Drop-frame leaves out two numbers a minute of 30, but for each tenth minute.

    Examples:
        >>> Clock.of(Fraction(30000, 1001), "00:00:59;28").at(2)
        '00:01:00;02'
        >>> Clock.of(Fraction(25), "10:00:00:00").frame("10:00:01:05")
        30
        >>> Clock(30, True, 0).at(1800), Clock(25, False, 900000).at(10)
        ('00:01:00;02', '10:00:00:10')
    """

    base: int
    drop: bool
    first: int

    @classmethod
    def of(cls, fps: Fraction, timecode: str | None) -> "Clock":
        """The clock of a clip whose frame 0 has that timecode, with ";" where frames are dropped; None starts at 0.

        Raises:
            ValueError: such a rate has no timecode, or the timecode is none of it.
        """
        base = round(fps)
        if not 1 <= base <= 99 or abs(fps - base) > Fraction(base, 500):
            raise ValueError(f"there is no timecode for {fps} frames a second")
        drop = bool(timecode and ";" in timecode)
        if drop and base % 30:
            raise ValueError(f"timecode {timecode} drops frames, which {fps} frames a second don't")
        if timecode is None:
            return cls(base, drop, 0)
        return cls(base, drop, cls(base, drop, 0).frame(timecode))

    def frame(self, timecode: str) -> int:
        """The frame that has a timecode, which may lie before frame 0 or after the last one.

        Raises:
            ValueError: it is no timecode, or none that this clock shows.
        """
        parts = _TIMECODE.fullmatch(timecode)
        if parts is None:
            raise ValueError(f"{timecode!r:.40} is not a timecode")
        hours, minutes, seconds, frames = (int(p) for p in parts.groups())
        minute = hours * 60 + minutes
        gap = self.base // 15 if self.drop else 0
        if frames >= self.base:
            raise ValueError(f"{timecode}: there are {self.base} frames to a second")
        if gap and frames < gap and seconds == 0 and minutes % 10:
            raise ValueError(f"{timecode} is one of the numbers that drop-frame leaves out")
        return (minute * 60 + seconds) * self.base + frames - gap * (minute - minute // 10) - self.first

    @property
    def day(self) -> int:
        """The frames that it counts in a day."""
        return self.base * 86_400 - (self.base // 15 * (1440 - 144) if self.drop else 0)

    def at(self, n: int) -> str:
        """The timecode of frame `n`."""
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


def frame_range(text: str, clock: Clock | None) -> FrameRange:
    """A range as people write it: START:STOP in frames, or START-STOP in timecode; the stop is not in it.

    Args:
        text: such as "120:300", or "10:00:04:20-10:00:12:00".
        clock: of the clip; None where it has no timecode.

    Raises:
        ValueError: it is neither, or of another clip.
    """
    if frames := re.fullmatch(r"(\d+):(\d+)", text):
        return FrameRange(int(frames[1]), int(frames[2]))
    codes = re.fullmatch(rf"({_TIMECODE.pattern})[-–]({_TIMECODE.pattern})", text)
    if codes is None:
        raise ValueError(
            "START:STOP was expected, such as 120:300 for frames 120 to 299, or START-STOP in the source's "
            "timecode, such as 10:00:04:20-10:00:12:00, without the frame at STOP"
        )
    start, stop = frame_at(codes[1], clock), frame_at(codes[6], clock)
    return FrameRange(start, stop)


def frame_at(text: str, clock: Clock | None) -> int:
    """A frame as people write it: its number, or its timecode, after midnight too, for twelve hours.

    Raises:
        ValueError: it is neither, or lies before the clip.

    Examples:
        >>> frame_at("00:00:00:10", Clock.of(Fraction(25), "23:59:59:10"))
        25
    """
    if text.isdecimal():
        return int(text)
    if clock is None:
        raise ValueError(f"{text}: no timecode is known of the clip: give frames, or analyze it again")
    n = clock.frame(text)
    if n < 0 and n + clock.day <= clock.day // 2:
        return n + clock.day
    if n < 0:
        raise ValueError(f"{text} lies before the clip, whose first frame is {clock.at(0)}")
    return n
