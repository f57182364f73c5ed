"""Boxes at a frame: as the detectors give them (`Detections`), as the tracker covers them (`TrackedBoxes`)."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32, as_boxes

SWATCHES = 5
"""Rows and columns of the colour swatches that the `soft` profile paints from."""

NOISE = 12
"""Greatest noise on a swatch, in 8-bit RGB codes."""

SLACK = 0.05
"""How far an edge of a tracked box may lie inside of what must be covered, as a share of the box's side. What
steadies boxes goes no further, and what paints them covers so much more at least, whatever the shape."""


class Origin(IntEnum):
    """Where a covered box comes from."""

    DETECTED = 0
    INTERPOLATED = 1
    HELD = 2
    MANUAL = 3


def no_swatches(n: int) -> NDArray[np.uint8]:
    """(n, 5, 5, 3) uint8 mid-grey swatches, for boxes whose colours nobody sampled."""
    return np.full((n, SWATCHES, SWATCHES, 3), 128, np.uint8)


def noisy(means: NDArray[np.int64], raw: NDArray[np.uint64], most: int = NOISE) -> NDArray[np.uint8]:
    """(..., 5, 5, 3) uint8 swatches out of exact means, with noise whose colour is no stronger than each box's own.

    Independent noise in R, G and B hides a little of the chroma, and with it bare chroma is told from what was
    painted; but it would tint grey footage, which has no chroma to hide.

    Args:
        means: (..., 5, 5, 3) 8-bit RGB.
        raw: as many random bits as means, box by box.
        most: the greatest noise, codes.
    """
    noise = (raw % np.uint64(2 * most + 1)).astype(np.int64).reshape(means.shape) - most
    grey, own = noise[..., :1], np.ptp(means, axis=-1).sum(axis=(-2, -1))[..., None, None, None] // SWATCHES**2
    return np.asarray(np.clip(means + grey + np.clip(noise - grey, -own, own), 0, 255), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """What a detector found in one frame.

    Args:
        xyxy: (n, 4) float32, pixels of the frame, end-exclusive.
        scores: (n,) float32 in [0, 1].
        classes: n class names, such as "face" or "plate".
        swatches: (n, 5, 5, 3) uint8 RGB, area averages of the box, noise included; see `effects`.
        agreed: (n,) with which of them a second look agreed, see `detectors.second_look`; with none by default.

    Raises:
        ValueError: the lengths differ, a box is not finite, or a score lies outside [0, 1].
    """

    xyxy: F32
    scores: F32
    classes: tuple[str, ...]
    swatches: NDArray[np.uint8] = field(default_factory=lambda: no_swatches(0))
    agreed: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))

    def __post_init__(self) -> None:
        object.__setattr__(self, "xyxy", as_boxes(self.xyxy))
        object.__setattr__(self, "scores", np.asarray(self.scores, np.float32).reshape(-1))
        n = len(self.xyxy)
        if len(self.swatches) != n:
            if len(self.swatches):
                raise ValueError(f"{n} boxes need {n} swatches, got {len(self.swatches)}")
            object.__setattr__(self, "swatches", no_swatches(n))
        if len(self.agreed) != n:
            if len(self.agreed):
                raise ValueError(f"{n} boxes need {n} second looks, got {len(self.agreed)}")
            object.__setattr__(self, "agreed", np.zeros(n, bool))
        if len(self.scores) != n or len(self.classes) != n:
            raise ValueError(
                f"{n} boxes need {n} scores and classes, got {len(self.scores)} and {len(self.classes)}"
            )
        if not np.all((self.scores >= 0) & (self.scores <= 1)):
            raise ValueError("scores must lie in [0, 1]")

    def __len__(self) -> int:
        return len(self.xyxy)

    def select(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> "Detections":
        """The detections at `index` (positions or a mask)."""
        at = np.arange(len(self))[index]
        classes = tuple(self.classes[i] for i in at)
        return Detections(self.xyxy[at], self.scores[at], classes, self.swatches[at], self.agreed[at])


def join(parts: list[Detections]) -> Detections:
    """One `Detections` of several, in their order."""
    if not parts:
        return Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), ())
    return Detections(
        np.concatenate([p.xyxy for p in parts]),
        np.concatenate([p.scores for p in parts]),
        tuple(c for p in parts for c in p.classes),
        np.concatenate([p.swatches for p in parts]),
        np.concatenate([p.agreed for p in parts]),
    )


@dataclass(frozen=True, slots=True)
class Outline:
    """What a manual region covers of its box: exactly this, without the margins of a class.

    Args:
        kind: a rectangle fills the box, an ellipse is inscribed in it.
        points: of a polygon, three or more (x, y), as shares of the box's width and height, in [0, 1].

    Raises:
        ValueError: an unknown kind, or points that do not fit it.
    """

    kind: Literal["rectangle", "ellipse", "polygon"]
    points: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in ("rectangle", "ellipse", "polygon"):
            raise ValueError(f"an outline is a rectangle, an ellipse or a polygon, got {self.kind!r}")
        if (len(self.points) >= 3) != (self.kind == "polygon") or (self.points and self.kind != "polygon"):
            raise ValueError(
                f"a polygon has three or more points, and nothing else has any; got {len(self.points)}"
            )
        if not all(len(p) == 2 and 0 <= p[0] <= 1 and 0 <= p[1] <= 1 for p in self.points):
            raise ValueError("the points of an outline are shares of its box, in [0, 1]")


@dataclass(frozen=True, slots=True, eq=False)
class TrackedBoxes:
    """The boxes that cover one frame.

    Args:
        xyxy: (n, 4) float32, pixels of the frame, end-exclusive.
        scores: (n,) float32, the score of what the box is anchored to; from a track file, the best of its run.
        classes: n class names.
        ids: n numbers, each once: the anchor of each box while a clip is followed (see `tracking.cover.cover`),
            its identity where it was read from a track file.
        origins: n origins.
        swatches: (n, 5, 5, 3) uint8 RGB, the track's held colours.
        outlines: n outlines, None for what a detector found; empty where there is none at all.
    """

    xyxy: F32
    scores: F32
    classes: tuple[str, ...]
    ids: tuple[int, ...]
    origins: tuple[Origin, ...]
    swatches: NDArray[np.uint8]
    outlines: tuple[Outline | None, ...] = ()

    def __len__(self) -> int:
        return len(self.xyxy)

    def select(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> "TrackedBoxes":
        """The boxes at `index` (positions or a mask)."""
        at = np.arange(len(self))[index]
        return TrackedBoxes(
            self.xyxy[at],
            self.scores[at],
            tuple(self.classes[i] for i in at),
            tuple(self.ids[i] for i in at),
            tuple(self.origins[i] for i in at),
            self.swatches[at],
            tuple(self.outlines[i] for i in at) if self.outlines else (),
        )
