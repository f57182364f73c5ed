"""Drawn things on their ways across a picture: where they are, what they hide, and their layers.

Pixel i of a picture has its middle at i + 0.5, so that boxes are edges, as everywhere in vsanon.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import cos, hypot, pi, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.drawn.canvas import Point, Sprite

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Corners = tuple[float, float, float, float]
Window = tuple[slice, slice]


@dataclass(frozen=True, slots=True)
class Way:
    """A straight way with the bob and sway of a walk, in pixels of the picture and frames.

    Args:
        at: the place at frame 0.
        step: a frame.
        grow: the factor in size a frame.
        bob: how far up and down.
        roll: how far to either side, radians.
        stride: frames of two steps.
    """

    at: Point
    step: Point
    grow: float = 1.0
    bob: float = 0.0
    roll: float = 0.0
    stride: float = 14.0

    def pose(self, n: int) -> tuple[float, float, float, float]:
        """x, y, the factor in size, and the angle at frame `n`."""
        phase = 2 * pi * n / self.stride
        x, y = self.at[0] + self.step[0] * n, self.at[1] + self.step[1] * n + self.bob * sin(2 * phase)
        return x, y, self.grow ** float(n), self.roll * sin(phase)


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """A drawn thing on its way.

    Args:
        pixels: (H, W, 4) uint8 RGBA, premultiplied.
        anchor: the place in `pixels` that goes the way.
        scale: from pixels of the drawing to those of the picture, at frame 0.
        label: its class; empty where it has no truth.
        outline: (k, 2) corners of its truth around the anchor, in `pixels`; for a face the two half axes of its
            ellipse, as corners.
        blur_px: how far it is smeared, pixels of the picture.
        way: where it goes.
    """

    pixels: U8
    anchor: Point
    scale: float
    label: str
    outline: F64
    blur_px: float
    way: Way

    def box(self, n: int) -> Corners:
        """The truth box at frame `n`, not clipped: what spans the ellipse of a face, or the corners of a plate."""
        x, y, grow, angle = self.way.pose(n)
        turn = _turn(grow * self.scale, angle)
        if self.label == "face":
            (a, _), (_, b) = self.outline * (grow * self.scale)
            a, b = hypot(a * cos(angle), b * sin(angle)), hypot(a * sin(angle), b * cos(angle))
            return x - a, y - b, x + a, y + b
        corners = self.outline @ turn.T + (x, y)
        (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
        return float(x0), float(y0), float(x1), float(y1)

    def layer(self, n: int, size: tuple[int, int]) -> tuple[Window, U8] | None:
        """The window of a picture of `size` that it touches at frame `n`, and its RGBA there; None: nowhere."""
        x, y, grow, angle = self.way.pose(n)
        turn, anchor = _turn(grow * self.scale, angle), np.array(self.anchor)
        height, width = self.pixels.shape[:2]
        corners = (np.array([[0, 0], [width, 0], [0, height], [width, height]]) - anchor) @ turn.T + (x, y)
        x0, y0 = (int(v) for v in np.clip(np.floor(corners.min(axis=0)), 0, size))
        x1, y1 = (int(v) for v in np.clip(np.ceil(corners.max(axis=0)), 0, size))
        if x0 >= x1 or y0 >= y1:
            return None
        shift = np.array([x - x0, y - y0]) - turn @ (anchor - 0.5) - 0.5
        layer = cv2.warpAffine(self.pixels, np.column_stack([turn, shift]), (x1 - x0, y1 - y0))
        return (slice(y0, y1), slice(x0, x1)), np.asarray(layer, np.uint8)


def cast(sprite: Sprite, shown_px: float, way: Way, *, yaw: float = 0.0, blur_px: float = 0.0) -> Actor:
    """Put a drawing on its way.

    Args:
        sprite: the drawing.
        shown_px: how high its truth box is shown at frame 0, before it is turned.
        way: where it goes.
        yaw: radians by which a plate's car stands turned away, seen in perspective.
        blur_px: the width of a lens's blur; motion blur, half of a step long, comes on top.
    """
    scale = shown_px / (2 * sprite.half[1])
    pixels, anchor = sprite.pixels, np.array(sprite.anchor)
    a, b = sprite.half
    outline = np.array([[a, 0.0], [0.0, b]])
    if sprite.label != "face":
        outline = np.array([[-a, -b], [a, -b], [a, b], [-a, b]])
    if yaw:
        pixels, outline, anchor = _yawed(pixels, outline, anchor, yaw)
    step = hypot(*way.step)
    if blur_px:
        pixels = _blurred(pixels, blur_px / scale / 2)
    if step >= 2:
        pixels = _smeared(pixels, (way.step[0] / scale / 2, way.step[1] / scale / 2))
    smear = hypot(blur_px, step / 2 if step >= 2 else 0)
    return Actor(pixels, (float(anchor[0]), float(anchor[1])), scale, sprite.label, outline, smear, way)


def compose(background: U8, layers: Sequence[tuple[Window, U8]]) -> U8:
    """Lay layers over a picture, farthest first; `background` is painted on."""
    for window, layer in layers:
        under = background[window]
        rest = cv2.bitwise_not(cv2.cvtColor(np.ascontiguousarray(layer[..., 3]), cv2.COLOR_GRAY2RGB))
        kept = cv2.multiply(under, rest, scale=1 / 255)
        background[window] = cv2.add(kept, np.ascontiguousarray(layer[..., :3]))
    return background


def shown(actors: Sequence[Actor], n: int, size: tuple[int, int]) -> Iterator[tuple[int, Corners, float]]:
    """What has a truth box in a picture: which actor, its box clipped to the frame, and its visible share.

    The visible share is that of the unclipped box that lies within the frame with nothing drawn in front of it.

    Args:
        actors: farthest first.
        n: the frame.
        size: (width, height), pixels.
    """
    hidden = np.zeros((size[1], size[0]), np.float32)
    for i, actor in reversed(list(enumerate(actors))):
        if actor.label:
            x0, y0, x1, y1 = actor.box(n)
            inner = (max(x0, 0.0), max(y0, 0.0), min(x1, float(size[0])), min(y1, float(size[1])))
            if inner[0] < inner[2] and inner[1] < inner[3]:
                share = (inner[2] - inner[0]) * (inner[3] - inner[1]) / ((x1 - x0) * (y1 - y0))
                behind = hidden[int(inner[1]) : -int(-inner[3] // 1), int(inner[0]) : -int(-inner[2] // 1)]
                yield i, inner, share * (1 - float(behind.mean()))
        if (found := actor.layer(n, size)) is not None:
            window, layer = found
            hidden[window] = np.maximum(hidden[window], layer[..., 3] / np.float32(255))


def _turn(scale: float, angle: float) -> F64:
    return scale * np.array([[cos(angle), -sin(angle)], [sin(angle), cos(angle)]])


def _yawed(pixels: U8, outline: F64, anchor: F64, yaw: float) -> tuple[U8, F64, F64]:
    """A flat drawing turned about its upright axis, seen from three of its widths away."""
    height, width = pixels.shape[:2]
    far = 3.0 * width
    # x' = far x cos / (far + x sin), y' = far y / (far + x sin), about the anchor.
    to_anchor = np.array([[1, 0, -anchor[0]], [0, 1, -anchor[1]], [0, 0, 1]])
    turn = np.array([[far * cos(yaw), 0, 0], [0, far, 0], [sin(yaw), 0, far]])
    corners = _mapped(turn @ to_anchor, np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64))
    low = np.floor(corners.min(axis=0))
    extent = np.ceil(corners.max(axis=0)) - low
    # Middles of pixels lie at a half.
    half, back = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]]), np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])
    move = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]])
    whole = back @ move @ turn @ to_anchor @ half
    warped = cv2.warpPerspective(pixels, whole, (int(extent[0]), int(extent[1])))
    return np.asarray(warped, np.uint8), _mapped(turn, outline), -low


def _mapped(matrix: F64, points: F64) -> F64:
    lifted = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return np.asarray(lifted[:, :2] / lifted[:, 2:])


def _blurred(pixels: U8, sigma: float) -> U8:
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT), np.uint8)


def _smeared(pixels: U8, along: Point) -> U8:
    """Averaged along a line of this length, as an open shutter does."""
    reach = int(np.ceil(max(abs(along[0]), abs(along[1])) / 2)) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for t in np.linspace(-0.5, 0.5, 8 * reach + 1):
        x, y = reach + along[0] * t, reach + along[1] * t
        column, row = int(x), int(y)
        for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
            if row + dy <= 2 * reach and column + dx <= 2 * reach:
                kernel[row + dy, column + dx] += abs(1 - dx - (x - column)) * abs(1 - dy - (y - row))
    return np.asarray(cv2.filter2D(pixels, -1, kernel / kernel.sum(), borderType=cv2.BORDER_CONSTANT), np.uint8)
