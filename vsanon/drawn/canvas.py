"""The canvas that things are drawn on, and the sprites that come off it.

Lengths are in units of the thing drawn (half a face's or a plate's width), so that one drawing serves every
size; `unit` says how many pixels one unit takes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, sin

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Color = tuple[float, float, float]
Point = tuple[float, float]

BLACK: Color = (14, 14, 16)


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """A drawn thing.

    `pixels` is (H, W, 4) uint8 RGBA, premultiplied. `anchor` is the middle of its truth box, `half` half the
    width and height of that box, all in pixels of the sprite; `label` is empty where it has no truth.
    """

    pixels: U8
    anchor: Point
    half: Point
    label: str


class Canvas:
    """A premultiplied RGBA picture, `left, top` to `right, bottom` in units, painted with soft shapes."""

    def __init__(self, unit: float, left: float, top: float, right: float, bottom: float) -> None:
        width, height = round((right - left) * unit), round((bottom - top) * unit)
        self.unit = unit
        self.corner = (left, top)
        self.x: F32 = (left + (np.arange(width, dtype=np.float32)[None] + 0.5) / unit).astype(np.float32)
        self.y: F32 = (top + (np.arange(height, dtype=np.float32)[:, None] + 0.5) / unit).astype(np.float32)
        self.rgba = np.zeros((height, width, 4), np.float32)

    def part(self, left: float, top: float, right: float, bottom: float) -> "Canvas":
        """A canvas of the part within these limits; painting it paints this one."""
        rows = slice(*np.searchsorted(self.y[:, 0], (top, bottom)))
        columns = slice(*np.searchsorted(self.x[0], (left, right)))
        view = object.__new__(Canvas)
        view.unit, view.corner = self.unit, self.corner
        view.x, view.y, view.rgba = self.x[:, columns], self.y[rows], self.rgba[rows, columns]
        return view

    def cover(self, distance: F32, soft: float = 0.0) -> F32:
        """Opacity of a shape from the distance to its rim, inside negative; the rim is `soft` units wide."""
        ramp = np.clip(0.5 - distance / max(soft, 1 / self.unit), 0, 1)
        return np.asarray(ramp * ramp * (3 - 2 * ramp), np.float32)

    def paint(self, mask: F32, color: Color | F32) -> None:
        """Lay `color` over what is there, `mask` its opacity."""
        mask = np.broadcast_to(mask, self.rgba.shape[:2])
        self.rgba *= 1 - mask[..., None]
        self.rgba[..., :3] += mask[..., None] * np.asarray(color, np.float32)
        self.rgba[..., 3] += mask * 255

    def light(self, gain: F32) -> None:
        """Multiply the colours by `gain`."""
        lit = self.rgba[..., :3] * np.maximum(gain, 0)[..., None]
        self.rgba[..., :3] = np.minimum(lit, self.rgba[..., 3:])

    def ellipse(
        self,
        at: Point,
        radii: Point,
        color: Color,
        opacity: float = 1.0,
        soft: float = 0.03,
        tilt: float = 0.0,
        within: Callable[["Canvas"], F32] | None = None,
    ) -> None:
        """Paint an ellipse, tilted clockwise by `tilt` radians, where `within` lets it."""
        reach = max(radii) * (1 + soft / min(radii))
        part = self.part(at[0] - reach, at[1] - reach, at[0] + reach, at[1] + reach)
        dx, dy = part.x - at[0], part.y - at[1]
        u, v = dx * cos(tilt) + dy * sin(tilt), dy * cos(tilt) - dx * sin(tilt)
        distance = (np.hypot(u / radii[0], v / radii[1]) - 1) * min(radii)
        mask = part.cover(distance.astype(np.float32), soft) * np.float32(opacity)
        part.paint(mask if within is None else mask * within(part), color)

    def box(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        color: Color,
        rounding: float = 0.0,
        soft: float = 0.03,
    ) -> None:
        """Paint a rectangle whose corners are circles of radius `rounding`."""
        part = self.part(x0 - soft, y0 - soft, x1 + soft, y1 + soft)
        dx = np.abs(part.x - (x0 + x1) / 2) - ((x1 - x0) / 2 - rounding)
        dy = np.abs(part.y - (y0 + y1) / 2) - ((y1 - y0) / 2 - rounding)
        outside = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0))
        distance = outside + np.minimum(np.maximum(dx, dy), 0) - rounding
        part.paint(part.cover(distance.astype(np.float32), soft), color)

    def sprite(self, box: tuple[float, float, float, float], label: str) -> Sprite:
        """The finished drawing; `box` is that of its truth, in units."""
        pixels = np.clip(self.rgba.round(), 0, 255).astype(np.uint8)
        middle = ((box[0] + box[2]) / 2 - self.corner[0], (box[1] + box[3]) / 2 - self.corner[1])
        half = ((box[2] - box[0]) / 2 * self.unit, (box[3] - box[1]) / 2 * self.unit)
        return Sprite(pixels, (middle[0] * self.unit, middle[1] * self.unit), half, label)


def tint(color: Color, factor: float, warm: float = 0.0) -> Color:
    """`color` times `factor`, its red raised and its blue lowered by the share `warm`."""
    r, g, b = color
    return min(255.0, r * factor * (1 + warm)), min(255.0, g * factor), min(255.0, b * factor * (1 - warm))
