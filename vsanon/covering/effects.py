"""In-place effects on plane regions: what covers a box, painted in the clip's own sample format.

Every effect ends in one formula, per plane and region, the smaller boxes first:

    out = src * (1 - w) + fill * w        integer samples: rounded to nearest, halves up

with `w` from `masks.plane_masks`. Under `strict`, `fill` is one code value per plane: where all regions have
one colour, the source merged with a clip of that colour by the matte `masks.combine` is the same picture
within rounding. A colour that is taken from the surroundings differs by region and frame, so a matte can't
carry it.

Only correctly rounded operations make the pictures of all looks but one, so every machine makes the same bytes;
`cosmetic` leaves its Gaussian to OpenCV.
"""

import functools
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32, as_boxes
from vsanon.covering.colour import RGB, U8, SampleFormat, Samples, rgb_to_code
from vsanon.covering.looks import AVERAGED, FILLS, PROFILES
from vsanon.covering.looks import SURROUNDINGS as AROUND
from vsanon.covering.masks import FrameLayout, PlaneMask, masks_of
from vsanon.covering.pictures import Sticker, laid_over, smile
from vsanon.covering.ramps import STEPS
from vsanon.covering.shapes import SHAPES, Edges, Shape, grow, shapes_of
from vsanon.covering.surroundings import F64, OF_SURROUNDINGS, coded, ring_mean, spanned
from vsanon.detections import SWATCHES, Outline
from vsanon.errors import InputError

Fill = RGB | Literal["surroundings"]

FILL: RGB = FILLS["grey"]
"""The fixed colour: a neutral dark grey."""

SIGMA = 0.25
"""Standard deviation of the `cosmetic` Gaussian, as a fraction of the box's longer side."""

SIGMA_REDUCED_PX = 4
"""The Gaussian works at a scale where its deviation is at least this, so its cost does not grow with the
box."""


def paint(
    planes: Callable[[int], Samples],
    xyxy: F32,
    classes: Sequence[str],
    swatches: U8,
    *,
    layout: FrameLayout,
    fmt: SampleFormat,
    profile: str = "strict",
    shapes: Mapping[str, Shape] = SHAPES,
    grid: int = 1,
    fill: Fill = FILL,
    picture: Sticker | None = None,
    surroundings: Collection[str] = OF_SURROUNDINGS,
    outlines: Sequence[Outline | None] = (),
    tones: F64 | None = None,
) -> None:
    """Cover boxes in a frame, in place.

    Samples of weight 0 keep their bits, and samples of weight 1 become exactly the fill, which is

    * for a class in `surroundings`, in every profile but `inpaint`, and in place of the fixed colour where `fill`
      is "surroundings": the mean, per plane, of a ring just outside the region's mask, less what any region covers,
      as it was before painting, or its tone over time, where it is given; the fixed colour where nothing is left;
    * `strict`: the fixed colour;
    * `soft`: the box's swatches, spread over its margin-grown box by a uniform cubic B-spline, which never
      overshoots;
    * `mosaic`: the same swatches as cells, whose edges move with the box by fractions of a sample; where subsampled
      chroma is covered beyond luma, both of these take the chroma of the surroundings;
    * `picture`: the picture over the fixed colour, as large as fits into the margin-grown box;
    * `inpaint`: what the samples around, under no region, span; see `membrane`;
    * `cosmetic`: a Gaussian of the plane, as painted so far. This is not anonymised.

    But for `cosmetic`, nothing of what lies in the cores has an influence on the result.

    Args:
        planes: gives the writable (H, W) samples of a plane; called once for each plane that is painted, and
            not at all where no box lies in the frame.
        xyxy: (n, 4) float32, luma pixels of the frame, end-exclusive.
        classes: n class names.
        swatches: (n, 5, 5, 3) uint8 RGB, for `soft` and `mosaic`; see `sample_swatches`.
        grid: side of the source codec's blocks in luma pixels; see `masks.plane_masks`.
        fill: the fixed colour, 8-bit RGB; or "surroundings", in which case what has none is grey.
        picture: of the profile `picture`; None for that which is drawn here.
        outlines: for each box its own outline, or None for that of its class; empty for none at all.
        tones: (n, planes), see `surroundings.tones`; NaN where nothing is left around, or no tone is asked for.
            None for the mean of the frame's own rings.

    Raises:
        InputError: an unknown profile, `cosmetic` on interlaced frames, a fill that is no 8-bit colour, or a
            matrix that can't be used.
        ValueError: lengths differ, or a plane is not of the layout and format.
    """
    xyxy = as_boxes(xyxy)
    if profile not in PROFILES:
        raise InputError(f"the profile must be one of {', '.join(PROFILES)}, got {profile!r}")
    if profile == "cosmetic" and layout.interlaced:
        raise InputError("cosmetic would blur across the fields of interlaced frames; deinterlace or use strict")
    if fill != AROUND and (isinstance(fill, str) or len(fill) != 3 or any(not 0 <= v <= 255 for v in fill)):
        raise InputError(f"the fill is {AROUND!r} or a colour of three values from 0 to 255, got {fill!r}")
    if len(classes) != len(xyxy) or swatches.shape != (len(xyxy), SWATCHES, SWATCHES, 3):
        raise ValueError(
            f"{len(xyxy)} boxes need as many classes and swatches, got {len(classes)} and {swatches.shape}"
        )

    rgb = FILL if isinstance(fill, str) else (fill[0], fill[1], fill[2])
    fixed = _fill_code(rgb, fmt)
    regions = []
    own = shapes_of(classes, shapes, outlines)
    for i, (box, shape, masks) in enumerate(zip(xyxy, own, masks_of(xyxy, own, layout, grid), strict=True)):
        if masks:
            method = method_of(classes[i], profile, fill, surroundings)
            colours = rgb_to_code(swatches[i], fmt) if method in AVERAGED else None
            tone = None if tones is None else tones[i]
            regions.append(_Region(masks, method, box, grow(box, shape), colours, tone))
    if not regions:
        return
    # What is nearer is larger, and lies on top: a small picture within a large one looks like a hole in it.
    regions.sort(key=lambda region: float(np.prod(region.box[2:] - region.box[:2], dtype=np.float64)))
    job = _Job(layout, fmt, picture or smile(), isinstance(fill, str))
    before: Sequence[NDArray[np.bool_] | None] = ()
    for p in range(layout.planes):
        if p < 2:  # both planes of chroma have the same masks
            before = _cores_before([region.masks[p] for region in regions])
        _paint_plane(_checked(planes(p), p, layout, fmt), p, regions, fixed[p], job, before)


def paint_alpha(
    planes: Callable[[int], Samples],
    xyxy: F32,
    classes: Sequence[str],
    *,
    layout: FrameLayout,
    fmt: SampleFormat,
    shapes: Mapping[str, Shape] = SHAPES,
    grid: int = 1,
    outlines: Sequence[Outline | None] = (),
) -> None:
    """Make alpha opaque by the luma weights of the boxes, in place, so that what was painted shows.

    Args:
        planes: gives the writable alpha samples for plane 0; not called where no box lies in the frame.
        layout: of the clip that the alpha belongs to.
        fmt: of the alpha itself, whose range is always full.
        xyxy, classes, shapes, grid, outlines: as for `paint`.

    Raises:
        ValueError: lengths differ, or the alpha is not of the layout's luma size and its format.
    """
    single = FrameLayout(layout.size, planes=1, interlaced=layout.interlaced)
    own = shapes_of(classes, shapes, outlines)
    masks = [mask for region in masks_of(as_boxes(xyxy), own, single, grid) for mask in region]
    if masks:
        alpha = _checked(planes(0), 0, single, fmt)
        for mask in masks:
            _blend(alpha[mask.window], mask, fmt.peak)


Method = Literal["fixed", "surroundings", "soft", "mosaic", "picture", "inpaint", "gaussian"]


def method_of(
    class_name: str, profile: str, fill: Fill = FILL, surroundings: Collection[str] = OF_SURROUNDINGS
) -> Method:
    """How a box is painted: by its class and the job's choice alone, so that no track ever changes it."""
    if profile == "inpaint":
        return "inpaint"
    if class_name in surroundings:
        return "surroundings"
    match profile:
        case "cosmetic":
            return "gaussian"
        case "soft" | "mosaic" | "picture":
            return profile
    return "surroundings" if isinstance(fill, str) else "fixed"


def is_ringed(method: Method, *, around: bool) -> bool:
    """Whether what is painted so takes the colour of its surroundings; `around`: the fill is that colour."""
    return method == "surroundings" or (around and method == "picture")


def takes_tone(class_name: str, profile: str, fill: Fill) -> bool:
    """Whether boxes of a class take the colour of their surroundings."""
    return is_ringed(method_of(class_name, profile, fill), around=isinstance(fill, str))


@dataclass(frozen=True, slots=True, eq=False)
class _Region:
    masks: tuple[PlaneMask, ...]
    method: Method
    box: F32
    grown: Edges
    colours: Samples | None
    tone: F64 | None = None


@dataclass(frozen=True, slots=True)
class _Job:
    """What all regions have in common; `around`: what lies under a picture is of its surroundings' colour."""

    layout: FrameLayout
    fmt: SampleFormat
    picture: Sticker
    around: bool


@functools.lru_cache(maxsize=16)
def _fill_code(fill: RGB, fmt: SampleFormat) -> Samples:
    code = rgb_to_code(np.array(fill, np.uint8), fmt)
    code.flags.writeable = False
    return code


def _checked(samples: Samples, p: int, layout: FrameLayout, fmt: SampleFormat) -> Samples:
    if samples.shape != layout.plane_shape(p) or samples.dtype != fmt.dtype:
        expected = f"{layout.plane_shape(p)} of {fmt.dtype}"
        raise ValueError(f"plane {p} must be {expected}, got {samples.shape} of {samples.dtype}")
    return samples


def _paint_plane(
    plane: Samples,
    p: int,
    regions: Sequence[_Region],
    fixed: Any,
    job: _Job,
    before: Sequence[NDArray[np.bool_] | None],
) -> None:
    log2 = job.layout.subsampling if p else (0, 0)
    masks = [r.masks[p] for r in regions]
    # All rings are read before anything is painted, so that the order of the boxes doesn't change a colour.
    means = [_around(plane, p, r, masks, log2) if is_ringed(r.method, around=job.around) else None for r in regions]
    for region, mask, mean, covered in zip(regions, masks, means, before, strict=True):
        if region.colours is not None:
            weights = _spline if region.method == "soft" else _cells
            cover: float | F32 = _spread(region.colours[..., p], mask, region.grown, log2, weights)
            if mask.inner is not None and (around := ring_mean(plane, mask, masks, log2)) is not None:
                # Chroma is covered beyond luma: swatches there would be a rim of skin on whatever is beside it, and
                # the colour of the surroundings would be one on another mask.
                inner = mask.inner * np.float32(1 / STEPS)
                under = np.float32(around)
                beside = under if covered is None else np.where(covered, plane[mask.window], under)
                cover = cover * inner + beside * (1 - inner)
        elif region.method == "gaussian":
            cover = _gaussian(plane, mask, region.box, log2)
        elif region.method == "inpaint" and (filled := spanned(plane, mask, masks, log2)) is not None:
            cover = filled
        else:
            cover = float(fixed) if mean is None else mean
            if region.method == "picture":
                drawn, alpha = laid_over(job.picture, job.fmt, p, mask, region.grown, log2)
                cover = drawn + np.float32(cover) * (1 - alpha)
        if region.colours is None and mask.inner is not None:
            mask = _less_beyond_luma(mask, covered)
        _blend(plane[mask.window], mask, cover)


def _less_beyond_luma(mask: PlaneMask, covered: NDArray[np.bool_] | None) -> PlaneMask:
    """A mask that leaves chroma beyond luma alone where another one covers it: it would be a rim on that one."""
    if mask.inner is None or covered is None:
        return mask
    return PlaneMask(mask.x, mask.y, np.where(covered, mask.inner, mask.steps))


def _around(
    plane: Samples, p: int, region: _Region, masks: Sequence[PlaneMask], log2: tuple[int, int]
) -> float | None:
    """The colour of a region's surroundings; None where nothing is left around."""
    if region.tone is None:
        return ring_mean(plane, region.masks[p], masks, log2)
    tone = float(region.tone[p])
    return coded(tone, is_float=plane.dtype == np.float32) if math.isfinite(tone) else None


def _cores_before(masks: Sequence[PlaneMask]) -> list[NDArray[np.bool_] | None]:
    """For each mask of chroma that was grown beyond luma, (h, w) which samples of its window lie in the core of one
    before it; None where none does.
    """
    if all(mask.inner is None for mask in masks):
        return [None] * len(masks)
    low = np.array([(mask.x, mask.y) for mask in masks])
    high = low + [mask.steps.shape[::-1] for mask in masks]
    meet = (low[:, None] < high).all(axis=2) & (low < high[:, None]).all(axis=2)
    found: list[NDArray[np.bool_] | None] = [None] * len(masks)
    for k, j in zip(*(at.tolist() for at in np.nonzero(np.tril(meet, -1))), strict=True):
        mask, other = masks[k], masks[j]
        top, left = max(mask.y, other.y), max(mask.x, other.x)
        bottom = min(mask.y + mask.steps.shape[0], other.y + other.steps.shape[0])
        right = min(mask.x + mask.steps.shape[1], other.x + other.steps.shape[1])
        core = other.steps[top - other.y : bottom - other.y, left - other.x : right - other.x] == STEPS
        if core.any():
            own = found[k]
            if own is None:
                own = found[k] = np.zeros(mask.steps.shape, np.bool_)
            own[top - mask.y : bottom - mask.y, left - mask.x : right - mask.x] |= core
    return found


def _blend(region: Samples, mask: PlaneMask, fill: float | F32) -> None:
    if region.dtype != np.float32 and isinstance(fill, float):
        _blend_code(region, mask.steps, int(fill))
        return
    weight = mask.weight
    mixed = region * (1 - weight)
    mixed += fill * weight
    if region.dtype == np.float32:
        np.copyto(region, mixed, where=weight > 0)
        # The formula again, safe against a NaN or infinity in the source.
        np.copyto(region, np.float32(fill), where=weight == 1)
    else:
        # Below 2^24, where weight 0 gives back the source's integer exactly.
        mixed += np.float32(0.5)
        np.copyto(region, mixed, casting="unsafe")


def _blend_code(region: Samples, steps: NDArray[np.uint16], fill: int) -> None:
    """The formula for one code value, in integers: its products with 256 steps are exact either way."""
    wide = np.uint16 if region.dtype == np.uint8 else np.uint32
    mixed = np.multiply(region, STEPS - steps, dtype=wide)
    mixed += np.multiply(steps, wide(fill), dtype=wide)
    mixed += wide(STEPS // 2)
    mixed >>= wide(STEPS.bit_length() - 1)
    np.copyto(region, mixed, casting="unsafe")


Weights = Callable[[int, int, float, float, int], F32]


def _spread(colours: Samples, mask: PlaneMask, grown: Edges, log2: tuple[int, int], weights: Weights) -> F32:
    height, width = mask.steps.shape
    down = weights(mask.y, height, grown[1], grown[3], log2[1])
    across = weights(mask.x, width, grown[0], grown[2], log2[0])
    rows = np.zeros((height, SWATCHES), np.float32)
    for k in range(SWATCHES):
        rows += down[:, k, None] * np.float32(colours[k])
    spread = np.zeros((height, width), np.float32)
    for k in range(SWATCHES):
        spread += rows[:, k, None] * across[:, k]
    return spread


def _spline(start: int, count: int, lower: float, upper: float, log2: int) -> F32:
    """(count, 5) B-spline weights of the swatches for each sample of an axis; the outer swatches go on for ever."""
    centre = (np.arange(start, start + count) + 0.5) * (1 << log2)
    at = np.clip((centre - lower) / (upper - lower) * SWATCHES - 0.5, -1, SWATCHES)
    d = np.abs(at[:, None] - np.arange(-2, SWATCHES + 2))
    far = np.maximum(2 - d, 0)
    values = np.where(d < 1, 4 - 6 * d * d + 3 * d * d * d, far * far * far) / 6
    weights: NDArray[np.float64] = values[:, 2:-2].copy()
    weights[:, 0] = values[:, 0] + values[:, 1] + values[:, 2]
    weights[:, -1] = values[:, -3] + values[:, -2] + values[:, -1]
    return weights.astype(np.float32)


def _cells(start: int, count: int, lower: float, upper: float, log2: int) -> F32:
    """(count, 5) shares of each sample of an axis that lie in a swatch's cell; the outer ones go on for ever."""
    step = (upper - lower) / SWATCHES
    edges = (lower + step * np.arange(1, SWATCHES)) / (1 << log2)
    passed = np.clip(np.arange(start + 1, start + count + 1)[:, None] - edges, 0, 1)
    steps = np.concatenate([np.ones((count, 1)), passed, np.zeros((count, 1))], axis=1)
    return np.asarray(steps[:, :-1] - steps[:, 1:], np.float32)


def _gaussian(plane: Samples, mask: PlaneMask, box: F32, log2: tuple[int, int]) -> F32:
    sigma = SIGMA * float(max(box[2] - box[0], box[3] - box[1]))
    sigma_x, sigma_y = sigma / (1 << log2[0]), sigma / (1 << log2[1])
    top, left = max(mask.y - math.ceil(3 * sigma_y), 0), max(mask.x - math.ceil(3 * sigma_x), 0)
    height, width = mask.steps.shape
    bottom, right = mask.y + height + math.ceil(3 * sigma_y), mask.x + width + math.ceil(3 * sigma_x)
    source = plane[top:bottom, left:right].astype(np.float32)
    size = (source.shape[1], source.shape[0])
    small = (
        math.ceil(size[0] / max(sigma_x / SIGMA_REDUCED_PX, 1)),
        math.ceil(size[1] / max(sigma_y / SIGMA_REDUCED_PX, 1)),
    )
    reduced = cv2.resize(source, small, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(
        reduced,
        (0, 0),
        sigmaX=sigma_x * small[0] / size[0],
        sigmaY=sigma_y * small[1] / size[1],
        borderType=cv2.BORDER_REPLICATE,
    )
    enlarged = cv2.resize(blurred, size, interpolation=cv2.INTER_LINEAR)
    y, x = mask.y - top, mask.x - left
    return np.asarray(enlarged[y : y + height, x : x + width], np.float32)
