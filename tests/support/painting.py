"""Noise to paint on, and shapes whose edges can be counted by hand."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon.covering.colour import SampleFormat
from vsanon.covering.effects import paint
from vsanon.covering.masks import FrameLayout
from vsanon.covering.shapes import Shape
from vsanon.detections import no_swatches

Planes = list[NDArray[Any]]

HARD = Shape("rectangle", (0.0, 0.0, 0.0, 0.0), feather=0.0, min_feather_px=0.0, slack=0.0)
RAMP_3 = Shape("rectangle", (0.0, 0.0, 0.0, 0.0), feather=0.0, min_feather_px=3.0, slack=0.0)


def noise(fmt: SampleFormat, layout: FrameLayout, seed: int = 1) -> Planes:
    rng = np.random.default_rng(seed)
    shapes = [layout.plane_shape(p) for p in range(layout.planes)]
    if fmt.is_float:
        return [rng.uniform(-0.5, 1.2, s).astype(np.float32) for s in shapes]
    return [rng.integers(0, 1 << fmt.bits, s).astype(fmt.dtype) for s in shapes]


def painted(
    planes: Planes,
    fmt: SampleFormat,
    layout: FrameLayout,
    xyxy: object,
    classes: tuple[str, ...],
    swatches: NDArray[np.uint8] | None = None,
    **settings: Any,
) -> Planes:
    out = [p.copy() for p in planes]
    boxes = np.array(xyxy, np.float32).reshape(-1, 4)
    swatches = no_swatches(len(boxes)) if swatches is None else swatches
    paint(out.__getitem__, boxes, classes, swatches, layout=layout, fmt=fmt, **settings)
    return out
