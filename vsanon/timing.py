"""Frame ranges, rational rates, and the way from a frame to its timestamp."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise


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
    evenly spaced beyond the rounding of the time base.

    Examples:
        >>> even = Timeline((0, 1, 2), Fraction(1, 25), Fraction(25))
        >>> even.is_vfr, even.seconds(2)
        (False, Fraction(2, 25))
    """

    pts: tuple[int, ...]
    time_base: Fraction
    fps: Fraction

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
