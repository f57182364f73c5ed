"""How detections become tracks: in seconds as people set it, and in frames of a clip."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from vsanon.detections import SLACK
from vsanon.timing import frames_for
from vsanon.tracking.evidence import EVIDENCE, Evidences

COLOUR_REACH = 36
"""Frames to either side that colours are means over."""

GROWTH = 0.4
"""How much a box grows, as a share of its size, for each second to the nearest detection."""

DOUBT_S = 0.15
"""How long what is covered though its track is not confirmed is held before and after, seconds: a mask of one frame
is seen as a flash, and a doubtful face as a face that is bare in every other frame."""


@dataclass(frozen=True, slots=True)
class TrackSettings:
    """How detections become tracks.

    Args:
        gap_s: the longest gap between two detections of a track that is bridged, seconds.
        lead_s: how long a track is held before its first and after its last detection, seconds; what crosses the
            frame's edge, until it lies outside, but no longer than `gap_s`.
        smooth_s: how long boxes are smoothed over, seconds: the standard deviation of the weights is one and a half
            times as much for sizes and the ends of gaps, and three quarters for centres, which turn more quickly.
        steady_s: over how long to either side an edge that reached further once stays out, seconds; the path of a
            box is the steadier for it, and wider.
        slack: how far an edge may reach beyond its smooth path before the box grows, as a share of the box's side:
            what paints the box covers so much more.
        growth: how much a box grows, as a share of its size, for each second to the nearest detection; or so for
            each of some classes, with `GROWTH` for the others. That of a
            held one slows down to nothing by the end of `lead_s`, so to half of it.
        weak_growth: how much the box of a detection of score 0 grows, falling to nothing at its class's
            `confirm_score`: a weak detection is a less exact one.
        evidence: what it takes for the detections of a class to be a track, and to be covered.

    Raises:
        ValueError: a value lies outside its range.

    Examples:
        >>> TrackSettings(lead_s=0.5).frames(Fraction(25)).lead
        13
    """

    gap_s: float = 1.0
    lead_s: float = 0.5
    smooth_s: float = 0.08
    steady_s: float = 0.2
    slack: float = SLACK
    growth: float | Mapping[str, float] = GROWTH
    weak_growth: float = 0.3
    evidence: Evidences = EVIDENCE

    def __post_init__(self) -> None:
        if not isinstance(self.evidence, Evidences):
            raise ValueError(f"evidence is an Evidences, got {type(self.evidence).__name__}")
        if not (0 < self.gap_s <= 10 and 0 <= self.lead_s <= 10 and 0 < self.smooth_s <= 1):
            raise ValueError("gap_s, lead_s and smooth_s must be positive, and at most 10, 10 and 1 seconds")
        if not 0 <= self.steady_s <= 2:
            raise ValueError("steady_s lies in [0, 2] seconds")
        if not 0 <= self.slack <= SLACK:
            raise ValueError(f"slack lies in [0, {SLACK}]: more is not covered by every shape")
        growths = self.growth.values() if isinstance(self.growth, Mapping) else [self.growth]
        if not (all(0 <= growth <= 10 for growth in growths) and 0 <= self.weak_growth <= 2):
            raise ValueError("growth lies in [0, 10] per second, and weak_growth in [0, 2]")

    @property
    def _growths(self) -> Mapping[str, float]:
        """By class; that of classes without one of their own is under the empty name."""
        return {"": GROWTH, **self.growth} if isinstance(self.growth, Mapping) else {"": self.growth}

    def frames(self, fps: Fraction) -> "TrackFrames":
        """These settings in frames of a clip with this rate."""
        gap, lead = frames_for(self.gap_s, fps), frames_for(self.lead_s, fps)
        sigma = float(self.smooth_s * fps)
        return TrackFrames(
            gap=gap,
            lead=lead,
            radius=max(gap, lead) + frames_for(4.5 * self.smooth_s, fps),
            sigma=1.5 * sigma,
            growth={name: value / float(fps) for name, value in self._growths.items()},
            path=frames_for(4.5 * self.smooth_s, fps),
            centre_sigma=0.75 * sigma,
            size_sigma=1.5 * sigma,
            doubt=min(frames_for(DOUBT_S, fps), lead),
            envelope=frames_for(self.steady_s, fps) if self.steady_s else 0,
            slack=self.slack,
        )


@dataclass(frozen=True, slots=True)
class TrackFrames:
    """`TrackSettings` in frames.

    Args:
        gap: the longest gap that is bridged.
        lead: how long a track is held.
        doubt: how long what is in no confirmed track is held, at most `lead`.
        radius: of the window of `cover`.
        sigma: the standard deviation of the smoothing at the ends of gaps.
        growth: of a box, for each frame to the nearest detection, by class; under the empty name that of others.
        path: how far the smoothing of a path looks to either side.
        centre_sigma, size_sigma: the standard deviations of it.
        envelope: how long an edge that reached further once stays out.
        slack: a share of a box's side, see `TrackSettings`.
    """

    gap: int
    lead: int
    doubt: int
    radius: int
    sigma: float
    growth: Mapping[str, float]
    path: int
    centre_sigma: float
    size_sigma: float
    envelope: int
    slack: float

    @property
    def path_reach(self) -> int:
        """Frames to either side whose boxes of `cover` have an influence on where is painted."""
        return self.path + 2 * self.envelope

    @property
    def steady_reach(self) -> int:
        """Frames to either side whose boxes of `cover` have an influence on what is painted."""
        return max(self.path_reach, COLOUR_REACH)

    @property
    def reach(self) -> int:
        """Frames to either side whose detections have an influence on what is painted."""
        return self.radius + self.steady_reach

    @property
    def sooner(self) -> int:
        """By how many frames it is known sooner where is painted than in which colours."""
        return self.steady_reach - self.path_reach
