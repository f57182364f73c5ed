"""Regions: what the boxes of a frame ask to be painted, found anew from boxes, profile and grid."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from vsanon.boxes import F32
from vsanon.covering.colour import SampleFormat
from vsanon.covering.effects import FILL, Fill, is_ringed, method_of
from vsanon.covering.masks import FrameLayout, PlaneMask, masks_of
from vsanon.covering.pictures import Sticker, laid_over, smile
from vsanon.covering.shapes import SHAPES, Edges, Shape, grow, shapes_of
from vsanon.covering.surroundings import F64
from vsanon.detections import TrackedBoxes

Method = Literal["fixed", "tone", "cells", "picture", "smooth"]


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """What one box asks for.

    Args:
        name: its class and id, for people.
        method: "fixed" is the fill, "tone" is one colour of the surroundings, "cells" are of one colour each,
            "picture" is a picture over either of the first two, "smooth" is without detail.
        masks: its weights, a plane each.
        spanned: what cells lie in, luma pixels.
        around: the colour is that of its surroundings, and not the fill.
        drawn: of a picture, a plane each: its code values times its alpha, and its alpha.
        tones: of what takes the colour of its surroundings, a plane each: the mean around it in this frame, and its
            tone; NaN where nothing is around, and empty where it has the mean of its frame.
    """

    name: str
    method: Method
    masks: tuple[PlaneMask, ...]
    spanned: Edges = (0.0, 0.0, 0.0, 0.0)
    around: bool = False
    drawn: tuple[tuple[F32, F32], ...] = ()
    tones: tuple[tuple[float, float], ...] = ()


def regions_of(
    boxes: TrackedBoxes,
    layout: FrameLayout,
    fmt: SampleFormat,
    *,
    profile: str,
    grid: int,
    fill: Fill = FILL,
    picture: Sticker | None = None,
    shapes: Mapping[str, Shape] = SHAPES,
    around: F64 | None = None,
) -> list[Region]:
    """The regions of a frame, in painting order; boxes that do not touch the frame have none.

    Args:
        around: (n, 2, planes), as `props.read_around` gives it.
    """
    found = []
    own = shapes_of(boxes.classes, shapes, boxes.outlines)
    each = zip(boxes.xyxy, own, masks_of(boxes.xyxy, own, layout, grid), strict=True)
    for i, (box, shape, masks) in enumerate(each):
        if masks:
            label = boxes.classes[i]
            paint = method_of(label, profile, fill)
            method: Method = "smooth"
            if paint == "surroundings":
                method = "tone"
            elif paint == "fixed":
                method = "fixed"
            elif paint == "mosaic":
                method = "cells"
            drawn: tuple[tuple[F32, F32], ...] = ()
            if paint == "picture":
                method = "picture"
                log2 = ((0, 0), layout.subsampling, layout.subsampling)
                drawn = tuple(
                    laid_over(picture or smile(), fmt, p, mask, grow(box, shape), log2[p])
                    for p, mask in enumerate(masks)
                )
            ringed = is_ringed(paint, around=isinstance(fill, str))
            tones = () if around is None or not ringed else tuple((float(a), float(b)) for a, b in around[i].T)
            name = f"{label} {boxes.ids[i]}"
            found.append(Region(name, method, masks, grow(box, shape), ringed, drawn, tones))
    return found
