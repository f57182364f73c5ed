"""Shapes to per-plane weights: which samples of each plane a box covers, and how much.

A region is a hard core of weight 1 and a ramp around it that falls to 0. Nothing inside the core keeps any of
the source, and the ramp lies wholly outside the core, so feathering never mixes an original sample back into
a box. All rounding is outward: a sample that the shape touches at all belongs to the core.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32
from vsanon.covering.block_grid import grow_to_grid, reaches_px
from vsanon.covering.ellipses import Ellipse, ellipse_around, weights_of
from vsanon.covering.ramps import STEPS, ramp, spans
from vsanon.covering.shapes import Edges, Shape, grow, outermost, slackened


@dataclass(frozen=True, slots=True)
class FrameLayout:
    """What masks need to know of a clip's format.

    Args:
        size: luma (width, height), pixels.
        subsampling: log2 of the chroma subsampling, horizontal and vertical, as in VapourSynth.
        planes: 1 or 3.
        interlaced: the rows of a frame belong to two fields.

    Raises:
        ValueError: no such layout, or a size that the subsampling does not divide.
    """

    size: tuple[int, int]
    subsampling: tuple[int, int] = (0, 0)
    planes: int = 3
    interlaced: bool = False

    def __post_init__(self) -> None:
        if min(self.size) < 1 or min(self.subsampling) < 0 or self.planes not in (1, 3):
            raise ValueError(f"a layout needs a size, a subsampling >= 0 and 1 or 3 planes, got {self}")
        if any(s % (1 << log2) for s, log2 in zip(self.size, self.subsampling, strict=True)):
            raise ValueError(f"the size must be divisible by the chroma subsampling, got {self}")

    def plane_shape(self, plane: int) -> tuple[int, int]:
        """(height, width) of a plane."""
        ssw, ssh = self.subsampling if plane else (0, 0)
        return self.size[1] >> ssh, self.size[0] >> ssw


@dataclass(frozen=True, slots=True, eq=False)
class PlaneMask:
    """The weights of one region in one plane.

    Args:
        x: left column of `steps` in the plane.
        y: top row of `steps` in the plane.
        steps: (h, w) uint16, weights in steps of 1 / `STEPS`; `STEPS` in the hard core.
        inner: of subsampled chroma, the same before it was grown beyond luma.
    """

    x: int
    y: int
    steps: NDArray[np.uint16]
    inner: NDArray[np.uint16] | None = None

    @property
    def weight(self) -> F32:
        """(h, w) float32 in [0, 1]; 1 in the hard core."""
        return self.steps * np.float32(1 / STEPS)

    @property
    def window(self) -> tuple[slice, slice]:
        """The region's rows and columns of the plane."""
        height, width = self.steps.shape
        return slice(self.y, self.y + height), slice(self.x, self.x + width)


def plane_masks(box: F32, shape: Shape, layout: FrameLayout, grid: int = 1) -> tuple[PlaneMask, ...]:
    """The weights of a box in each plane of a frame.

    Luma: the core is every sample that the shape touches: the margin-grown ellipse or rectangle, or the polygon. It
    contains all of the box and its shape's slack around it; an ellipse that is too narrow for them is widened. No
    margin of a class is less than the reach of `block_grid`, and a polygon, which is all there is to hide, grows by
    it: so far does the source's codec carry traces.

    Outside the core the weight is `max(0, 1 - d / f)`, with `f` the feather in pixels and `d` the distance in
    pixels from the sample, a unit square, to the shape itself, not to the core: an edge that moves by a part of a
    pixel moves the ramp by that fraction. Weights are steps of 1/256. For an ellipse `d` is of first order: its
    implicit function over that function's gradient (Taubin 1991). For a polygon, whose edges are whole pixels, the
    weight is `max(0, 1 - d / (f + 1))` with `d` the distance to the core (5x5 chamfer, Borgefors 1986).

    Subsampled chroma: a sample has the greatest weight of all luma samples that it spans, and the result is
    grown by one more sample on each side, because the filters that made and will show the chroma reach that
    far. In interlaced 4:2:0, rows 2k and 2k + 1 of a chroma plane belong to the two fields and together span
    luma rows 4k to 4k + 3, each every other one: both get the greatest weight of all four, and one more
    sample of the same field is two rows of the frame.

    The cost grows with the region, not with the frame.

    Args:
        box: (4,), `x0, y0, x1, y1`, luma pixels, end-exclusive; best not clipped to the frame, so that the
            margins are those of the whole object.
        grid: side of the source codec's blocks in luma pixels; 1 for none.

    Returns:
        One mask a plane, clipped to the frame, the last row and column included; none where the box is empty
        or wholly outside the frame.

    Raises:
        ValueError: a coordinate is not finite, the box is inverted, or `grid` is not positive.
    """
    return masks_of([box], [shape], layout, grid)[0]


def masks_of(
    boxes: Iterable[F32], shapes: Iterable[Shape], layout: FrameLayout, grid: int = 1
) -> list[tuple[PlaneMask, ...]]:
    """`plane_masks` of all boxes of a frame, the same to the bit: on masks this small each call costs more than
    what it works out.

    Args:
        boxes, shapes: of each box its edges and its shape.
        layout, grid: as for `plane_masks`.
    """
    if grid < 1:
        raise ValueError(f"the block grid is at least 1 px, got {grid}")
    reach, (width, height) = reaches_px(grid, interlaced=layout.interlaced), layout.size
    lumas: list[PlaneMask | None] = []
    rounds: dict[bool, list[Ellipse]] = {False: [], True: []}
    for box, shape in zip(boxes, shapes, strict=True):
        grown = grow(box, shape)
        x0, y0, x1, y1 = box.tolist()
        must = slackened((x0, y0, x1, y1), shape.slack)
        lumas.append(None)
        if x0 >= x1 or y0 >= y1 or must[2] <= 0 or must[3] <= 0 or must[0] >= width or must[1] >= height:
            continue
        feather_px = max(shape.min_feather_px, shape.feather * min(x1 - x0, y1 - y0))
        if shape.kind == "polygon":
            lumas[-1] = _polygon(shape.points, grown, reach, feather_px, layout.size)
            continue
        wide = outermost(grow_to_grid((x0, y0, x1, y1), grown, reach), must)
        if shape.kind == "rectangle":
            lumas[-1] = _rectangle(wide, feather_px, layout.size)
            continue
        fourth = shape.kind == "superellipse"
        around = ellipse_around(len(lumas) - 1, must, wide, feather_px, layout.size, fourth=fourth)
        if around.is_endless:
            lumas[-1] = PlaneMask(around.x, around.y, np.full((around.height, around.width), STEPS, np.uint16))
        else:
            rounds[fourth].append(around)
    for fourth, ellipses in rounds.items():
        for e, steps in zip(ellipses, weights_of(ellipses, fourth=fourth), strict=True):
            lumas[e.number] = PlaneMask(e.x, e.y, steps)
    if layout.planes == 1:
        return [() if luma is None else (luma,) for luma in lumas]
    found = [luma for luma in lumas if luma is not None]
    coarse = iter(_chromas(found, layout) if any(layout.subsampling) else found)
    return [() if luma is None else (luma, chroma := next(coarse), chroma) for luma in lumas]


def combine(regions: Iterable[tuple[PlaneMask, ...]], layout: FrameLayout, plane: int) -> F32:
    """The weights of all regions over a whole plane, as a matte shows them: `1 - prod(1 - w)`.

    Args:
        regions: results of `plane_masks` for this layout; empty ones count as nothing.

    Returns:
        (height, width) float32 of the plane, in [0, 1]; exactly 1 in every core.
    """
    whole = np.zeros(layout.plane_shape(plane), np.float32)
    window, weight = combined([masks[plane] for masks in regions if masks])
    whole[window] = weight
    return whole


def combined(masks: Sequence[PlaneMask]) -> tuple[tuple[slice, slice], F32]:
    """The same weights in the least rectangle that holds all these regions, whose rows and columns come first."""
    if not masks:
        return (slice(0, 0), slice(0, 0)), np.zeros((0, 0), np.float32)
    x, y = min(mask.x for mask in masks), min(mask.y for mask in masks)
    right = max(mask.x + mask.steps.shape[1] for mask in masks)
    bottom = max(mask.y + mask.steps.shape[0] for mask in masks)
    clear = np.ones((bottom - y, right - x), np.float32)
    for mask in masks:
        rows, columns = mask.window
        clear[rows.start - y : rows.stop - y, columns.start - x : columns.stop - x] *= 1 - mask.weight
    return (slice(y, bottom), slice(x, right)), np.subtract(1, clear, out=clear)


def _rectangle(grown: Edges, feather_px: float, size: tuple[int, int]) -> PlaneMask:
    (x, right), (y, bottom) = spans(grown, feather_px, size)
    columns, rows = np.arange(x, right, dtype=np.float64), np.arange(y, bottom, dtype=np.float64)
    off_x = np.maximum(np.maximum(grown[0] - columns - 1, columns - grown[2]), 0)
    off_y = np.maximum(np.maximum(grown[1] - rows - 1, rows - grown[3]), 0)
    core_x = (columns + 1 > grown[0]) & (columns < grown[2])
    core_y = (rows + 1 > grown[1]) & (rows < grown[3])
    steps = np.full((len(rows), len(columns)), STEPS, np.uint16)
    outside = ~np.logical_and.outer(core_y, core_x)
    if outside.any():
        steps[outside] = ramp(np.sqrt(np.add.outer(off_y**2, off_x**2)[outside]), feather_px)
    return PlaneMask(x, y, steps)


def _polygon(
    points: Iterable[tuple[float, float]],
    grown: Edges,
    reach: tuple[float, float],
    feather_px: float,
    size: tuple[int, int],
) -> PlaneMask:
    """The samples that a polygon touches, generous by a pixel, and those within reach of it."""
    sides = []
    for k in (0, 1):
        more = reach[k] + math.ceil(feather_px)
        low, high = (min(max(v, 0.0), float(size[k])) for v in (grown[k] - more, grown[k + 2] + more))
        start, stop = math.floor(low), math.ceil(high)
        sides.append((min(start, size[k] - 1), max(stop, start + 1)))
    (x0, x1), (y0, y1) = sides
    # What of it lies beyond the frame reaches in from there.
    pad = math.ceil(max(reach)) + math.ceil(feather_px) + 2
    inside = np.zeros((y1 - y0 + 2 * pad, x1 - x0 + 2 * pad), np.uint8)
    # In 1/16 px from the middle of the first pixel, as OpenCV counts; kept in the range of its integers.
    width, height = grown[2] - grown[0], grown[3] - grown[1]
    corners = [(grown[0] + x * width - x0 + pad - 0.5, grown[1] + y * height - y0 + pad - 0.5) for x, y in points]
    fixed = np.clip(np.rint(np.array(corners) * 16), -(2**24), 2**24).astype(np.int32)
    cv2.fillPoly(inside, [fixed], 1, lineType=cv2.LINE_8, shift=4)
    outer, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(inside, outer, -1, 1, cv2.FILLED)
    across, down = (2 * math.ceil(r) + 3 for r in reach)
    kind = cv2.MORPH_ELLIPSE if max(reach) > 0 else cv2.MORPH_RECT
    inside = np.asarray(cv2.dilate(inside, cv2.getStructuringElement(kind, (across, down))))
    steps = np.zeros(inside.shape, np.uint16)
    if inside.any():
        far: F32 = np.asarray(cv2.distanceTransform(1 - inside, cv2.DIST_L2, cv2.DIST_MASK_5), np.float32)
        # Whole steps: OpenCV builds may differ in a distance's last bits, and the machines of a farm may not.
        steps = np.maximum(np.rint(STEPS - far * np.float32(STEPS / (feather_px + 1))), 0).astype(np.uint16)
    return PlaneMask(x0, y0, np.ascontiguousarray(steps[pad : pad + y1 - y0, pad : pad + x1 - x0]))


def _chromas(lumas: Sequence[PlaneMask], layout: FrameLayout) -> list[PlaneMask]:
    """The weights of subsampled chroma, of masks laid one below the other; one that is far wider is alone."""
    narrow = 2 * sorted(luma.steps.shape[1] for luma in lumas)[len(lumas) // 2] if lumas else 0
    together = [k for k, luma in enumerate(lumas) if luma.steps.shape[1] <= narrow]
    found: list[PlaneMask | None] = [None] * len(lumas)
    for group in (together, *([k] for k, luma in enumerate(lumas) if luma.steps.shape[1] > narrow)):
        for k, chroma in zip(group, _laid_chromas([lumas[k] for k in group], layout), strict=True):
            found[k] = chroma
    return [chroma for chroma in found if chroma is not None]


def _laid_chromas(lumas: Sequence[PlaneMask], layout: FrameLayout) -> list[PlaneMask]:
    if not lumas:
        return []
    (ssw, ssh), (plane_height, plane_width) = layout.subsampling, layout.plane_shape(1)
    paired = layout.interlaced and ssh > 0
    # Whole blocks of `step_x` by `step_y` luma samples; each gives `rows` chroma samples in a column.
    step_x, step_y, rows = 1 << ssw, 1 << (ssh + paired), 1 + paired
    grow_y = 2 if layout.interlaced else 1
    beside = -(-grow_y // rows)  # blocks above and below each, so that none grows into the next
    places, start = [], 0
    for luma in lumas:
        height, width = luma.steps.shape
        left, top = luma.x // step_x, luma.y // step_y
        right, bottom = -(-(luma.x + width) // step_x), -(-(luma.y + height) // step_y)
        places.append((start, left, top, right, bottom))
        start += bottom - top + 2 * beside
    wide = max(right - left for _, left, _, right, _ in places) + 2
    aligned = np.zeros((start * step_y, wide * step_x), np.uint16)
    for luma, (start, left, top, _, _) in zip(lumas, places, strict=True):
        height, width = luma.steps.shape
        y, x = (start + beside - top) * step_y + luma.y, (1 - left) * step_x + luma.x
        aligned[y : y + height, x : x + width] = luma.steps
    # Rows first: these lie in memory as they are read.
    spanned = aligned[::step_y]
    for i in range(1, step_y):
        spanned = np.maximum(spanned, aligned[i::step_y])
    pooled = spanned[:, ::step_x]
    for i in range(1, step_x):
        pooled = np.maximum(pooled, spanned[:, i::step_x])
    framed = np.repeat(pooled, rows, axis=0) if rows > 1 else np.ascontiguousarray(pooled)
    steps = np.asarray(cv2.dilate(framed, np.ones((2 * grow_y + 1, 3), np.uint8)), np.uint16)
    found = []
    for start, left, top, right, bottom in places:
        x, y = max(left - 1, 0), max(top * rows - grow_y, 0)
        stop_x, stop_y = min(right + 1, plane_width), min(bottom * rows + grow_y, plane_height)
        row, column = (start + beside - top) * rows + y, x - left + 1
        kept = slice(row, row + stop_y - y), slice(column, column + stop_x - x)
        found.append(PlaneMask(x, y, steps[kept], framed[kept]))
    return found
