"""The shapes that classes are covered with: their margins, their soft edges, and a box grown by them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from vsanon.boxes import F32
from vsanon.detections import SLACK, Outline

Edges = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a class of boxes is covered.

    Args:
        kind: an ellipse, or a superellipse of the fourth order, whose corners are rounded, is inscribed in the
            margin-grown box; a rectangle fills it; a polygon is spanned in it.
        margin: left, top, right, bottom; fractions of the box's width and height.
        feather: width of the ramp, as a fraction of the box's smaller side.
        min_feather_px: the ramp's least width, in luma pixels; 0 allows a hard edge.
        points: of a polygon, three or more (x, y), as shares of the margin-grown box; what it encloses counts
            as inside, also where it crosses itself.
        slack: how far an edge of the box may lie inside of what must be covered, as a fraction of its side: so much
            more is covered at least. 0 where a person drew the box.

    Raises:
        ValueError: an unknown kind, or a margin or feather that is negative or not finite.

    Examples:
        >>> import numpy as np
        >>> grow(np.array([100, 100, 200, 200], np.float32), Shape("rectangle", (0.25, 0.25, 0.25, 0.25)))
        (75.0, 75.0, 225.0, 225.0)
    """

    kind: Literal["ellipse", "superellipse", "rectangle", "polygon"]
    margin: Edges
    feather: float = 0.03
    min_feather_px: float = 1.0
    points: tuple[tuple[float, float], ...] = ()
    slack: float = SLACK

    def __post_init__(self) -> None:
        if self.kind not in ("ellipse", "superellipse", "rectangle", "polygon"):
            raise ValueError(f"a shape is an ellipse, a superellipse, a rectangle or a polygon, got {self.kind!r}")
        if (len(self.points) >= 3) != (self.kind == "polygon"):
            raise ValueError(f"a polygon, and nothing else, has three points or more, got {len(self.points)}")
        if not all(math.isfinite(v) for point in self.points for v in point):
            raise ValueError("the points of a polygon must be finite")
        values = (*self.margin, self.feather, self.min_feather_px, self.slack)
        if len(self.margin) != 4 or not all(math.isfinite(v) and v >= 0 for v in values):
            raise ValueError(f"a shape needs four margins and a feather that are finite and >= 0, got {self}")


SHAPES: Mapping[str, Shape] = {
    # It contains the box and the slack around it, whose farthest corner, at the bottom, lies at
    # (0.55 / 0.655)⁴ + (0.5525 / 0.6575)⁴ = 0.996 < 1.
    "face": Shape("superellipse", (0.155, 0.16, 0.155, 0.155)),
    "plate": Shape("rectangle", (0.15, 0.15, 0.15, 0.15)),
}
"""The default shape of each class."""

OTHER = Shape("rectangle", (0.15, 0.15, 0.15, 0.15))
"""The shape of a class that has none of its own."""

_CORNERS = 64
# Around the ellipse, not in it: each side touches it at its middle.
_ELLIPSE = tuple(
    (
        0.5 + 0.5 * math.cos(math.tau * (k + 0.5) / _CORNERS) / math.cos(math.pi / _CORNERS),
        0.5 + 0.5 * math.sin(math.tau * (k + 0.5) / _CORNERS) / math.cos(math.pi / _CORNERS),
    )
    for k in range(_CORNERS)
)


def shape_of(class_name: str, shapes: Mapping[str, Shape] = SHAPES, outline: Outline | None = None) -> Shape:
    """The shape that covers a box: that of its outline, or its class's own, or else `OTHER`."""
    if outline is None:
        return shapes.get(class_name, OTHER)
    if outline.kind == "rectangle":
        return Shape("rectangle", (0.0, 0.0, 0.0, 0.0), slack=0.0)
    return Shape("polygon", (0.0, 0.0, 0.0, 0.0), points=outline.points or _ELLIPSE, slack=0.0)


def shapes_of(
    classes: Sequence[str], shapes: Mapping[str, Shape] = SHAPES, outlines: Sequence[Outline | None] = ()
) -> list[Shape]:
    """The shapes that cover boxes; `outlines` is empty where none of them has its own."""
    own = zip(classes, outlines or (None,) * len(classes), strict=True)
    return [shape_of(name, shapes, outline) for name, outline in own]


def grow(box: F32, shape: Shape) -> Edges:
    """The box with its shape's margins, not clipped.

    Args:
        box: (4,), `x0, y0, x1, y1`, luma pixels, end-exclusive.

    Raises:
        ValueError: a coordinate is not finite, or the box is inverted.
    """
    x0, y0, x1, y1 = (float(v) for v in box)
    if not all(math.isfinite(v) for v in (x0, y0, x1, y1)) or x1 < x0 or y1 < y0:
        raise ValueError(f"a box needs finite x0 <= x1 and y0 <= y1, got {x0}, {y0}, {x1}, {y1}")
    left, top, right, bottom = shape.margin
    width, height = x1 - x0, y1 - y0
    return x0 - left * width, y0 - top * height, x1 + right * width, y1 + bottom * height


def slackened(box: Edges, slack: float) -> Edges:
    """A box grown by a share of its sides."""
    x0, y0, x1, y1 = box
    across, down = slack * (x1 - x0), slack * (y1 - y0)
    return x0 - across, y0 - down, x1 + across, y1 + down


def outermost(one: Edges, other: Edges) -> Edges:
    """The least box that holds two."""
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])
