"""Regions: what the boxes of a frame ask to be painted, found anew from boxes, profile and grid."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from vsanon.covering.effects import FILL, Fill, method_of
from vsanon.covering.masks import FrameLayout, PlaneMask, plane_masks
from vsanon.covering.shapes import SHAPES, Edges, Shape, grow, shape_of
from vsanon.detections import TrackedBoxes

Method = Literal["fixed", "tone", "cells", "smooth"]


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """What one box asks for.

    Args:
        name: its class and id, for people.
        method: "fixed" is the fill, "tone" is one colour of the surroundings, "cells" are of one colour each,
            "smooth" is without detail.
        masks: its weights, a plane each.
        spanned: what cells lie in, luma pixels.
    """

    name: str
    method: Method
    masks: tuple[PlaneMask, ...]
    spanned: Edges = (0.0, 0.0, 0.0, 0.0)


def regions_of(
    boxes: TrackedBoxes,
    layout: FrameLayout,
    *,
    profile: str,
    grid: int,
    fill: Fill = FILL,
    shapes: Mapping[str, Shape] = SHAPES,
) -> list[Region]:
    """The regions of a frame, in painting order; boxes that do not touch the frame have none."""
    found = []
    for i, box in enumerate(boxes.xyxy):
        label, outline = boxes.classes[i], boxes.outlines[i] if boxes.outlines else None
        shape = shape_of(label, shapes, outline)
        masks = plane_masks(box, shape, layout, grid)
        if masks:
            paint = method_of(label, profile, fill)
            method: Method = "smooth"
            if paint == "surroundings":
                method = "tone"
            elif paint == "fixed":
                method = "fixed"
            elif paint == "mosaic":
                method = "cells"
            found.append(Region(f"{label} {boxes.ids[i]}", method, masks, grow(box, shape)))
    return found
