"""The drawings of the demo clip: people, a car with a plate, a pillar, a street and a park.

Lengths are in units of the thing drawn (half a face's or a plate's width), so that one drawing serves every
size; `unit` says how many pixels one unit takes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import asin, cos, sin

import cv2
import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Color = tuple[float, float, float]
Point = tuple[float, float]

BLACK: Color = (14, 14, 16)
PLATE_LETTERS = "ABCDEFGHKLMNPRSTUVWXYZ"


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


@dataclass(frozen=True, slots=True)
class Look:
    """What tells one person from another."""

    skin: Color
    hair: Color
    coat: Color
    shirt: Color
    long_hair: bool = False
    beard: float = 0.0
    glasses: bool = False


LOOKS = (
    Look((236, 190, 162), (70, 44, 28), (48, 72, 104), (226, 226, 222)),
    Look((216, 162, 128), (34, 26, 26), (146, 58, 52), (240, 226, 196), long_hair=True),
    Look((240, 202, 178), (146, 104, 62), (66, 92, 72), (214, 196, 150), beard=0.5),
    Look((152, 104, 76), (24, 20, 20), (178, 150, 96), (88, 42, 46)),
    Look((238, 194, 170), (128, 64, 36), (92, 78, 118), (236, 232, 240), long_hair=True, glasses=True),
)


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


FACE = (-0.98, -1.06, 0.98, 1.3)
"""The truth box of a face in units: ear to ear, hairline to chin."""

PLATE = (-1.0, -0.22, 1.0, 0.22)
"""The truth box of a plate in units, its rim included."""


def draw_person(look: Look, yaw: float, face_px: float, rng: np.random.Generator) -> Sprite:
    """A person from the hair down to the knees, the head turned by `yaw` radians, the face `face_px` high."""
    canvas = Canvas(face_px / (FACE[3] - FACE[1]), -3.3, -2.1, 3.3, 15.0)
    if look.long_hair:
        canvas.ellipse((0, 0.3), (1.17, 1.75), _tint(look.hair, 0.7), soft=0.1)
    _draw_body(canvas, look, rng)
    _draw_head(canvas.part(-1.5, -2.1, 1.5, 2.2), look, yaw)
    return canvas.sprite(FACE, "face")


def _draw_body(canvas: Canvas, look: Look, rng: np.random.Generator) -> None:
    x, y = canvas.x, canvas.y
    canvas.ellipse((0, 2.75), (2.55, 1.35), look.coat, soft=0.06)
    canvas.box(-2.55, 2.65, 2.55, 16, look.coat, rounding=0.5, soft=0.06)
    coarse = rng.normal(0, 1, (6, 12)).astype(np.float32)
    folds = np.asarray(cv2.resize(coarse, (x.size, y.size), interpolation=cv2.INTER_CUBIC), np.float32)
    light = 1.06 - 0.06 * (x + 0.8) ** 2 + 0.09 * folds
    arms = np.exp(-(((np.abs(x) - 1.72 - 0.01 * y) / 0.07) ** 2)) * np.clip((y - 3.4) / 0.8, 0, 1)
    canvas.light((light - 0.4 * arms).astype(np.float32))
    opening = np.abs(x) - 0.17 * (5.6 - y)
    collar = 1.1 + 0.55 * np.abs(x) - y
    lapels = np.maximum(opening - 0.32, collar).astype(np.float32)
    canvas.paint(canvas.cover(lapels), _tint(look.coat, 0.72))
    canvas.paint(canvas.cover(np.maximum(opening, collar + 0.2).astype(np.float32), 0.05), look.shirt)
    seam = np.maximum(np.abs(x) - 0.03, 5.6 - y).astype(np.float32)
    canvas.paint(canvas.cover(seam), _tint(look.coat, 0.45))
    for button in (6.6, 8.4, 10.2):
        canvas.ellipse((0.22, button), (0.1, 0.1), _tint(look.coat, 0.35))
    canvas.ellipse((0, 1.6), (0.56, 0.5), _tint(look.skin, 0.72, 0.05), soft=0.04)
    canvas.box(-0.52, 0.5, 0.52, 1.65, _tint(look.skin, 0.74, 0.05), rounding=0.1, soft=0.05)
    neck = canvas.part(-0.53, 0.9, 0.53, 2.3)
    under_chin = np.exp(-(((neck.y - 1.2) / 0.34) ** 2))
    round_side = np.abs(neck.x + 0.1) * np.clip((1.65 - neck.y) / 0.4, 0, 1)
    neck.light((1 - 0.55 * under_chin - 0.25 * round_side).astype(np.float32))


def _draw_head(canvas: Canvas, look: Look, yaw: float) -> None:
    skin, hair = look.skin, look.hair
    shade, deep = _tint(skin, 0.62, 0.12), _tint(skin, 0.34, 0.15)
    for side in (-1, 1):
        place = (side * (0.89 - 0.06 * side * sin(yaw)), 0.05)
        canvas.ellipse(place, (0.12, 0.28), _tint(skin, 0.84, 0.06), soft=0.04)
        canvas.ellipse(place, (0.05, 0.17), _tint(skin, 0.55, 0.12), 0.7, 0.07)

    def rim(part: Canvas) -> F32:
        jaw = 0.88 * np.where(part.y > 0, 1 - 0.2 * (part.y / 1.3) ** 2, 1)
        return np.asarray((np.hypot(part.x / jaw, part.y / 1.3) - 1) * 0.9, np.float32)

    def inside(part: Canvas) -> F32:
        return part.cover(rim(part), 0.03)

    def feature(
        at: Point, radii: Point, color: Color, opacity: float = 1.0, soft: float = 0.03, tilt: float = 0.0
    ) -> None:
        """A feature of the front view, moved and narrowed as on a turned cylinder."""
        angle = asin(at[0])
        squeeze = max(cos(angle + yaw) / cos(angle), 0.25)
        place = (sin(angle + yaw) * 0.93, at[1])
        canvas.ellipse(place, (radii[0] * squeeze, radii[1]), color, opacity, soft, tilt, inside)

    x, y, distance, head = canvas.x, canvas.y, rim(canvas), inside(canvas)
    canvas.paint(head, skin)
    gain = 1.07 - 0.36 * np.clip(1 + distance / 0.5, 0, 1) ** 2
    gain += -0.11 * (x - sin(yaw) * 0.6) - 0.06 * np.clip(y, 0, 2) ** 2
    canvas.light(np.where(head > 0, 1 + head * (gain - 1), 1).astype(np.float32))
    feature((0, -0.72), (0.5, 0.2), _tint(skin, 1.12), 0.45, 0.38)
    for side in (-1, 1):
        feature((side * 0.5, 0.36), (0.27, 0.22), _tint(skin, 0.98, 0.18), 0.55, 0.35)
        feature((side * 0.41, -0.2), (0.28, 0.18), shade, 0.65, 0.2)
        feature((side * 0.41, -0.16), (0.205, 0.095), (240, 237, 233))
        feature((side * 0.41, -0.165), (0.098, 0.098), _tint(hair, 0.9))
        feature((side * 0.41, -0.165), (0.05, 0.05), BLACK)
        feature((side * 0.41 - 0.035, -0.2), (0.025, 0.025), (255, 255, 255), 0.9)
        feature((side * 0.41, -0.252), (0.235, 0.036), _tint(deep, 0.6), 0.95, 0.045, -side * 0.06)
        feature((side * 0.41, -0.05), (0.19, 0.022), shade, 0.6, 0.05)
        feature((side * 0.43, -0.475), (0.27, 0.052), _tint(hair, 0.8), 0.92, 0.06, side * 0.02)
    feature((0.12, 0.06), (0.07, 0.4), shade, 0.5, 0.14)
    feature((-0.03, 0.05), (0.06, 0.38), _tint(skin, 1.14), 0.6, 0.1)
    feature((0, 0.36), (0.14, 0.11), _tint(skin, 1.1, 0.04), 0.7, 0.14)
    feature((0.02, 0.48), (0.22, 0.06), shade, 0.75, 0.1)
    for side in (-1, 1):
        feature((side * 0.1, 0.45), (0.055, 0.032), deep, 0.95, 0.04)
        feature((side * 0.37, 0.58), (0.025, 0.15), shade, 0.45, 0.08, -side * 0.5)
    if look.beard:
        fur = np.clip((y - 0.35) / 0.4, 0, 1) * np.clip((distance + 0.6) / 0.35, 0, 1) * head
        canvas.paint(np.clip(fur * look.beard * 1.5, 0, 0.85).astype(np.float32), _tint(hair, 0.8))
        feature((0, 0.61), (0.36, 0.065), _tint(hair, 0.8), look.beard, 0.08)
    _draw_mouth(canvas, yaw, inside)
    feature((0, 0.98), (0.2, 0.045), shade, 0.55, 0.1)
    feature((-0.05, 1.1), (0.16, 0.09), _tint(skin, 1.08), 0.3, 0.15)
    if look.glasses:
        for side in (-1, 1):
            middle, radius = sin(asin(side * 0.42) + yaw) * 0.93, 0.31 * cos(yaw * 0.8)
            ring = np.abs(np.hypot((x - middle) / radius, (y + 0.16) / 0.23) - 1) * 0.27 - 0.03
            canvas.paint(canvas.cover(ring.astype(np.float32), 0.03), BLACK)
        feature((0, -0.2), (0.12, 0.03), BLACK)
    _draw_hair(canvas, look, yaw)


def _draw_mouth(canvas: Canvas, yaw: float, inside: Callable[[Canvas], F32]) -> None:
    """A closed, smiling mouth: its corners lie above its middle."""
    part = canvas.part(-0.7, 0.5, 0.7, 1.1)
    u = (part.x - sin(yaw) * 0.9) / (0.36 * cos(yaw))
    v = part.y - 0.8 + 0.07 * u**2
    taper = np.sqrt(np.clip(1 - u**2, 0, 1))
    face = inside(part)
    lips = ((-0.035, 0.05, (160, 82, 78)), (0.045, 0.07, (190, 104, 98)), (0.0, 0.018, (84, 34, 34)))
    for middle, half, color in lips:
        distance = np.where(np.abs(u) < 1, np.abs(v - middle * taper) - half * taper, 1)
        part.paint(part.cover(distance.astype(np.float32), 0.045) * face * np.float32(0.9), color)


def _draw_hair(canvas: Canvas, look: Look, yaw: float) -> None:
    x, y = canvas.x, canvas.y
    hairline = -1.0 + 0.5 * (x - 0.5 * sin(yaw)) ** 2 + 0.03 * np.sin(9 * x + 2)
    scalp = canvas.cover((np.hypot(x, (y + 0.3) / 1.22) - 1).astype(np.float32), 0.05)
    cap = scalp * canvas.cover((y - hairline).astype(np.float32), 0.09)
    if look.long_hair:
        locks = canvas.cover((np.hypot(x / 1.1, (y - 0.25) / 1.6) - 1).astype(np.float32), 0.08)
        beside = canvas.cover((0.8 - np.abs(x - 0.1 * sin(yaw)) + 0.04 * y).astype(np.float32), 0.08)
        cap = np.maximum(cap, locks * beside * canvas.cover((-0.8 - y).astype(np.float32), 0.3))
    else:
        sideburns = scalp * canvas.cover((0.78 - np.abs(x)).astype(np.float32), 0.08)
        cap = np.maximum(cap, sideburns) * canvas.cover((y + 0.25).astype(np.float32), 0.15)
    shine = 1 + 0.1 * np.sin(x * 38 + 3 * np.sin(y * 2.2)) + 0.08 * np.sin(x * 15 + y * 4)
    shine += 0.45 * np.exp(-(((y + 1.15 - 0.2 * x) / 0.2) ** 2) - ((x + 0.25) ** 2) / 0.3)
    canvas.paint(cap, (np.asarray(look.hair, np.float32) * shine[..., None]).astype(np.float32))


def draw_car(plate_px: float, rng: np.random.Generator) -> Sprite:
    """A car from behind, its plate `plate_px` high."""
    canvas = Canvas(plate_px / (PLATE[3] - PLATE[1]), -5.4, -5.2, 5.4, 2.4)
    x, y = canvas.x, canvas.y
    body: Color = (158, 36, 40)
    canvas.ellipse((0, 1.8), (3.6, 0.3), BLACK, 0.75, 0.3)
    for side in (-1, 1):
        canvas.box(side * 2.75 - 0.5, 0.4, side * 2.75 + 0.5, 1.9, (22, 22, 24), 0.25)
    slant = np.maximum(np.abs(x) - 1.9 - 0.3 * (y + 4.6), 0)
    roof = (np.hypot(slant, np.minimum(y + 4.3, 0)) - 0.4).astype(np.float32)
    below = (y + 1.5).astype(np.float32)
    canvas.paint(canvas.cover(np.maximum(roof, below), 0.05), body)
    glass = canvas.cover(np.maximum(roof + np.float32(0.38), below + np.float32(0.5)), 0.05)
    canvas.paint(glass, (44, 56, 66))
    gleam = np.exp(-(((y + 3.6 + 0.12 * x) / 0.3) ** 2))
    canvas.paint((glass * gleam * 0.4).astype(np.float32), (190, 205, 215))
    canvas.box(-3.5, -2.1, 3.5, 1.3, body, 0.6, 0.06)
    shelf = np.exp(-(((y + 1.85) / 0.15) ** 2))
    canvas.light((1.22 - 0.14 * (y + 2) - 0.02 * x**2 + 0.3 * shelf).astype(np.float32))
    canvas.box(-3.45, 0.62, 3.45, 1.25, (40, 40, 44), 0.3, 0.06)
    for side in (-1, 1):
        canvas.box(side * 2.85 - 0.5, -1.5, side * 2.85 + 0.5, -0.6, (120, 8, 10), 0.2, 0.05)
        canvas.box(side * 2.85 - 0.4, -1.4, side * 2.85 + 0.4, -1.05, (236, 60, 44), 0.12, 0.1)
    canvas.box(-1.25, -0.42, 1.25, 0.42, _tint(body, 0.55), 0.15, 0.1)
    _draw_plate(canvas, rng)
    return canvas.sprite(PLATE, "plate")


def _draw_plate(canvas: Canvas, rng: np.random.Generator) -> None:
    canvas.box(*PLATE, (30, 30, 34), 0.05)
    canvas.box(-0.97, -0.19, 0.97, 0.19, (242, 242, 234), 0.04)
    canvas.box(-0.97, -0.19, -0.83, 0.19, (24, 60, 150), 0.02)
    text = "".join(rng.choice(list(PLATE_LETTERS), 3)) + " " + "".join(str(d) for d in rng.integers(0, 10, 3))
    # Drawn large, cut to its ink and fitted to the plate: fonts differ between builds of OpenCV.
    ink = np.zeros((120, 700), np.uint8)
    cv2.putText(ink, text, (20, 90), cv2.FONT_HERSHEY_SIMPLEX, 2.4, (255,), 8, cv2.LINE_AA)
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    part = canvas.part(-0.74, -0.13, 0.9, 0.13)
    height, width = part.rgba.shape[:2]
    letters = cv2.resize(ink, (width, height), interpolation=cv2.INTER_AREA)
    part.paint((np.asarray(letters) / np.float32(255)).astype(np.float32), BLACK)


def draw_pillar(height_px: float, rng: np.random.Generator) -> Sprite:
    """A fluted stone column, `height_px` high and a tenth as wide."""
    canvas = Canvas(height_px, -0.06, -0.5, 0.06, 0.5)
    canvas.box(-0.05, -1, 0.05, 1, (154, 148, 138), soft=0.004)
    noise = rng.normal(0, 1, canvas.rgba.shape[:2]).astype(np.float32)
    stone = np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.5), np.float32)
    across = np.clip(canvas.x / 0.05, -1, 1)
    shade = (0.2 + 0.85 * np.sqrt(1 - across**2)) * (1 - 0.25 * across)
    flutes = 1 + 0.07 * np.sin(np.arcsin(across) * 22)
    canvas.light((shade * flutes + 0.15 * stone).astype(np.float32))
    return canvas.sprite((-0.05, -0.5, 0.05, 0.5), "")


def draw_street(size: tuple[int, int], zoom: float, rng: np.random.Generator) -> U8:
    """A brick front with windows above a pavement, (H, W, 3) of `size`; `zoom` is the height over 360 px."""
    width, height = size
    x = np.arange(width, dtype=np.float32)[None] / np.float32(zoom)
    y = np.arange(height, dtype=np.float32)[:, None] / np.float32(zoom)
    course = np.floor(y / 8)
    along = x + 9 * (course % 2)
    tone = rng.random((64, 4096), np.float32)[course.astype(int) % 64, (along // 18).astype(int) % 4096]
    wall = _flat(150, 92, 72) * (0.8 + 0.28 * tone[..., None])
    wall = np.where(((y % 8 < 1.2) | (along % 18 < 1.2))[..., None], _flat(172, 160, 146), wall)
    wx, wy = np.abs(x % 150 - 75), y - 75
    wall = np.where(((wx < 40) & (np.abs(wy) < 62))[..., None], _flat(222, 218, 208), wall)
    pane = (wx < 35) & (np.abs(wy) < 57) & (wx > 2) & (np.abs(wy + 10) > 2)
    glass = 70 + 50 * np.clip((x * 0.6 - y) % 90 / 90, 0, 1)
    wall = np.where(pane[..., None], glass[..., None] * _flat(0.8, 1.0, 1.15), wall)
    stone = _flat(132, 129, 124) * (0.9 + 0.1 * _clouds((height, width), 12 * zoom, rng)[..., None])
    depth = np.maximum(y - 225, 1)
    seam = (np.abs((x - 365) / depth * 60 % 46) < 1.6) | (np.abs(900 / depth % 4) < 0.16)
    stone = np.where(seam[..., None], stone * 0.78, stone)
    kerb = np.where((y < 251)[..., None], _flat(112, 106, 100), stone)
    picture = np.where((y > 245)[..., None], kerb, wall)
    picture *= (0.95 + 0.08 * _clouds((height, width), 160 * zoom, rng))[..., None]
    return _developed(picture, 1.1 * zoom)


def draw_park(size: tuple[int, int], zoom: float, rng: np.random.Generator) -> U8:
    """Sky, trees out of focus, grass and a road, (H, W, 3) of `size`; `zoom` is the height over 360 px."""
    shape = size[1], size[0]
    y = np.arange(size[1], dtype=np.float32)[:, None, None] / np.float32(zoom)
    leaves = _clouds(shape, 22 * zoom, rng)[..., None]
    tops = 85 + 60 * _clouds((2, size[0]), 120 * zoom, rng)[:1, :, None] + 12 * leaves
    sky = _flat(156, 190, 226) + y * _flat(0.35, 0.25, 0.1)
    picture = sky + 22 * np.clip(_clouds(shape, 120 * zoom, rng), -0.2, 1)[..., None]
    picture = np.where(y > tops, _flat(70, 100, 54) * (1 + 0.4 * leaves.clip(-1.2, 1.2)), picture)
    blades = 1 + 0.22 * _clouds(shape, 7 * zoom, rng)[..., None]
    picture = np.where(y > 215, _flat(108, 136, 66) * blades, picture)
    gravel = 1 + 0.1 * _clouds(shape, 5 * zoom, rng)[..., None]
    picture = np.where(y > 245, _flat(118, 116, 118) * gravel, picture)
    picture = np.where((y > 241) & (y < 247), np.float32(180), picture)
    return _developed(picture, 1.6 * zoom)


def _flat(*color: float) -> F32:
    return np.array(color, np.float32)


def _tint(color: Color, factor: float, warm: float = 0.0) -> Color:
    """`color` times `factor`, its red raised and its blue lowered by the share `warm`."""
    r, g, b = color
    return min(255.0, r * factor * (1 + warm)), min(255.0, g * factor), min(255.0, b * factor * (1 - warm))


def _clouds(shape: tuple[int, int], cell: float, rng: np.random.Generator) -> F32:
    """(H, W) smooth noise about zero in four octaves, the coarsest with features of `cell` px."""
    total = np.zeros(shape, np.float32)
    for octave in range(4):
        rows, columns = (max(2, round(extent * 2**octave / cell)) for extent in shape)
        noise = rng.normal(0, 0.5, (rows, columns)).astype(np.float32)
        layer = np.asarray(cv2.resize(noise, shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32)
        total += layer / np.float32(2**octave)
    return total


def _developed(picture: NDArray[np.floating], blur_px: float) -> U8:
    """Blurred a little, as a lens does, and rounded to uint8."""
    soft = np.asarray(cv2.GaussianBlur(picture.astype(np.float32), (0, 0), blur_px), np.float32)
    return soft.clip(0, 255).round().astype(np.uint8)
