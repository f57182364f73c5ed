"""Coverage and exposure: how much of each true box the masks cover, and for how long a person shows.

Definitions, per class; `|.|` is area, `g` a true box clipped to the frame, `M` the mask of its frame:

* coverage `cov(g) = |g ∩ M| / |g|`, over the pixels that the mask covers fully (`core`);
* exposed: `cov(g) < tau`; coverage recall: the share of boxes that are not;
* over-blur: `|M \\ ∪g| / frame area`, over the pixels that the mask touches at all, mean of the frames.

Truth flagged `ignore` is neither hit nor miss: it has no coverage, no identity and no exposure, but a
mask on it is not over-blur.

How areas are taken: `box_coverage`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32, clip_boxes
from vsanon.errors import InputError
from vsanon.validation.metrics.box_coverage import coverage, is_exposed, missed_area, stray_area
from vsanon.validation.truth.boxes import Truth

F64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

TAU: Mapping[str, float] = {"face": 0.9, "plate": 1.0}
"""The coverage from which a box counts as covered, by class."""


@dataclass(frozen=True, slots=True)
class IdentityExposure:
    """How one identity fared over the frames in which it counts (present and not ignored).

    Args:
        class_name: its class.
        track_id: its id in the truth.
        frames: frames in which it counts.
        exposed_frames: those in which it is exposed.
        longest_run_frames: the most exposed frames in a row; where it is absent or ignored, the row ends.
        frames_to_first_exposure: from its first counted frame to its first exposed one; None: never exposed.
        switches: changes between covered and exposed from one counted frame to the next frame.
        exposed_px_frames: Σ(1 − cov)·|g| in px².
    """

    class_name: str
    track_id: int
    frames: int
    exposed_frames: int
    longest_run_frames: int
    frames_to_first_exposure: int | None
    switches: int
    exposed_px_frames: float


@dataclass(frozen=True, slots=True)
class ClassExposure:
    """The exposure of all identities of one class.

    Args:
        class_name: the class.
        tau: the coverage from which a box counts as covered.
        fps: frames a second, for the figures in ms and seconds.
        boxes: counted true boxes.
        covered_boxes: those with `cov >= tau`.
        truth_px: Σ|g| in px².
        covered_px: Σ|g ∩ M| in px².
        identities: one record an identity, by id.
    """

    class_name: str
    tau: float
    fps: Fraction
    boxes: int
    covered_boxes: int
    truth_px: float
    covered_px: float
    identities: tuple[IdentityExposure, ...]

    @property
    def coverage_recall(self) -> float:
        """The share of boxes covered to `tau`."""
        return self.covered_boxes / self.boxes

    @property
    def pixel_recall(self) -> float:
        """Σ|g ∩ M| / Σ|g|."""
        return self.covered_px / self.truth_px

    @property
    def exposure_rate(self) -> float:
        """The share of boxes that are exposed."""
        return 1 - self.coverage_recall

    @property
    def longest_run_frames(self) -> int:
        """The longest exposed run of any identity."""
        return max(identity.longest_run_frames for identity in self.identities)

    @property
    def longest_run_ms(self) -> float:
        """The same in milliseconds."""
        return float(1000 * self.longest_run_frames / self.fps)

    @property
    def frames_to_first_exposure(self) -> int | None:
        """The shortest time to first exposure of any identity; None: none is ever exposed."""
        waits = [i.frames_to_first_exposure for i in self.identities if i.frames_to_first_exposure is not None]
        return min(waits, default=None)

    @property
    def switches(self) -> int:
        """Changes between covered and exposed, of all identities."""
        return sum(identity.switches for identity in self.identities)

    @property
    def area_time(self) -> float:
        """Σ(1 − cov)·|g| / fps in px²·s."""
        return sum(identity.exposed_px_frames for identity in self.identities) / float(self.fps)

    def exposed_identities(self, at_least_frames: int = 1) -> int:
        """How many identities are exposed in at least that many frames, in a row or not."""
        if at_least_frames < 1:
            raise ValueError(f"an identity is exposed for at least 1 frame, got {at_least_frames}")
        return sum(identity.exposed_frames >= at_least_frames for identity in self.identities)

    def exposed_identity_share(self, at_least_frames: int = 1) -> float:
        """The same as a share of all identities."""
        return self.exposed_identities(at_least_frames) / len(self.identities)


@dataclass(frozen=True, slots=True)
class Exposure:
    """The result for a clip.

    Args:
        frames: frames measured.
        over_blur: masked area without truth as a share of the frame, mean of the frames.
        classes: by class name; a class whose truth is all ignored, or that has none, is absent.
    """

    frames: int
    over_blur: float
    classes: Mapping[str, ClassExposure]


def identity_exposure(
    class_name: str, track_id: int, frames: NDArray[np.int64], exposed: Bool, missed_px: F64
) -> IdentityExposure:
    """The exposure of one identity.

    Args:
        class_name: its class.
        track_id: its id.
        frames: (n,) int64, rising: the frames in which it counts, at least one.
        exposed: (n,) bool.
        missed_px: (n,) float64, bare area in px².
    """
    joined = np.diff(frames) == 1
    longest = run = 0
    for i, bare in enumerate(exposed):
        run = (run if i and joined[i - 1] else 0) + 1 if bare else 0
        longest = max(longest, run)
    first = int(np.argmax(exposed))
    return IdentityExposure(
        class_name=class_name,
        track_id=track_id,
        frames=len(frames),
        exposed_frames=int(exposed.sum()),
        longest_run_frames=longest,
        frames_to_first_exposure=int(frames[first] - frames[0]) if exposed[first] else None,
        switches=int((joined & (exposed[1:] != exposed[:-1])).sum()),
        exposed_px_frames=float(missed_px.sum()),
    )


@dataclass(slots=True)
class ExposureMeter:
    """Takes the masks of a clip frame by frame, in any order, and keeps a few numbers a true box.

    Args:
        truth: the true boxes of the clip.
        size: (width, height) of the frame, pixels.
        fps: frames a second.
        tau: the coverage from which a box counts as covered, by class.

    Raises:
        InputError: a box that counts lies outside the frame, its class has no `tau`, or a `tau` is no share.
    """

    truth: Truth
    size: tuple[int, int]
    fps: Fraction
    tau: Mapping[str, float] = field(default_factory=lambda: TAU)
    _xyxy: F32 = field(init=False)
    _area_px: F64 = field(init=False)
    _missed_px: F64 = field(init=False)
    _stray_px: dict[int, float] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        truth = self.truth
        self._xyxy = clip_boxes(truth.xyxy, self.size)
        extent = self._xyxy[:, 2:].astype(np.float64) - self._xyxy[:, :2]
        self._area_px = extent[:, 0] * extent[:, 1]
        self._missed_px = np.full(len(truth), np.nan)
        for name, share in self.tau.items():
            if not 0 < share <= 1:
                raise InputError(f"tau of {name!r} is a share of its area above 0 and up to 1, got {share}")
        outside = np.flatnonzero((self._area_px <= 0) & ~truth.ignore)
        if len(outside):
            i = outside[0]
            raise InputError(
                f"truth of frame {truth.frames[i]}: {truth.classes[i]} {truth.ids[i]} lies outside the frame "
                f"of {self.size[0]}x{self.size[1]}. Is this the truth of another clip?"
            )
        if unknown := sorted(set(truth.classes[~truth.ignore].tolist()) - set(self.tau)):
            raise InputError(f"no tau for the class {unknown[0]!r}: give one of its own, as in {dict(TAU)}.")

    def add(self, n: int, core: Bool, touched: Bool) -> None:
        """Measure frame `n`.

        Args:
            n: the frame, 0-based; each is given once.
            core: (H, W) bool, True where a pixel is fully covered.
            touched: (H, W) bool, True where the mask changes a pixel at all.

        Raises:
            ValueError: a mask is not bool or not of the frame's size, a pixel is covered but not
                touched, or the frame was given before.
        """
        width, height = self.size
        for name, mask in (("core", core), ("touched", touched)):
            if mask.shape != (height, width) or mask.dtype != np.bool_:
                raise ValueError(f"{name} must be bool ({height}, {width}), got {mask.dtype} {mask.shape}")
        if n in self._stray_px:
            raise ValueError(f"frame {n} was given before")
        if core is not touched and (core > touched).any():
            raise ValueError(f"frame {n}: a pixel that is fully covered must count as touched")
        rows = self.truth.rows(n)
        boxes = self._xyxy[rows]
        self._missed_px[rows] = missed_area(core, boxes)
        self._stray_px[n] = stray_area(touched, boxes[self._area_px[rows] > 0])

    def result(self) -> Exposure:
        """The figures of all frames given.

        Raises:
            InputError: no frame was given, or not all that have truth.
        """
        missing = sorted(set(self.truth.frames.tolist()) - set(self._stray_px))
        if missing:
            raise InputError(
                f"{len(missing)} frames have truth but no mask, the first is {missing[0]}: "
                f"{len(self._stray_px)} frames were given, the truth reaches frame {self.truth.frames[-1]}."
            )
        if not self._stray_px:
            raise InputError("no frame was given: exposure is measured on at least one.")
        width, height = self.size
        names = sorted(set(self.truth.classes[~self.truth.ignore].tolist()))
        return Exposure(
            frames=len(self._stray_px),
            over_blur=sum(self._stray_px.values()) / (len(self._stray_px) * width * height),
            classes={name: self._class_exposure(name) for name in names},
        )

    @property
    def frames(self) -> int:
        """How many frames were given."""
        return len(self._stray_px)

    def areas(self) -> F64:
        """|g| of each row of the truth in px², (n,) float64, within the frame."""
        return self._area_px.copy()

    def coverages(self) -> F64:
        """cov(g) of each row of the truth, (n,) float64; NaN where it is ignored."""
        found = np.full(len(self.truth), np.nan)
        counted = ~self.truth.ignore
        found[counted] = coverage(self._missed_px[counted], self._area_px[counted])
        return found

    def _class_exposure(self, name: str) -> ClassExposure:
        counted = (self.truth.classes == name) & ~self.truth.ignore
        ids, frames = self.truth.ids[counted], self.truth.frames[counted]
        area_px, missed_px = self._area_px[counted], self._missed_px[counted]
        exposed = is_exposed(coverage(missed_px, area_px), self.tau[name])
        identities = [
            identity_exposure(name, i, frames[ids == i], exposed[ids == i], missed_px[ids == i])
            for i in np.unique(ids).tolist()
        ]
        return ClassExposure(
            class_name=name,
            tau=self.tau[name],
            fps=self.fps,
            boxes=len(ids),
            covered_boxes=int((~exposed).sum()),
            truth_px=float(area_px.sum()),
            covered_px=float((area_px - missed_px).sum()),
            identities=tuple(identities),
        )
