"""People, from the hair down to the knees, whose heads face detectors take for heads."""

from collections.abc import Callable
from dataclasses import dataclass
from math import asin, cos, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.drawn.canvas import BLACK, Canvas, Color, Point, Sprite, tint

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]


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

FACE = (-0.98, -1.06, 0.98, 1.3)
"""The truth box of a face in units: ear to ear, hairline to chin."""


def draw_person(look: Look, yaw: float, face_px: float, rng: np.random.Generator) -> Sprite:
    """A person from the hair down to the knees, the head turned by `yaw` radians, the face `face_px` high."""
    canvas = Canvas(face_px / (FACE[3] - FACE[1]), -3.3, -2.1, 3.3, 15.0)
    if look.long_hair:
        canvas.ellipse((0, 0.3), (1.17, 1.75), tint(look.hair, 0.7), soft=0.1)
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
    canvas.paint(canvas.cover(lapels), tint(look.coat, 0.72))
    canvas.paint(canvas.cover(np.maximum(opening, collar + 0.2).astype(np.float32), 0.05), look.shirt)
    seam = np.maximum(np.abs(x) - 0.03, 5.6 - y).astype(np.float32)
    canvas.paint(canvas.cover(seam), tint(look.coat, 0.45))
    for button in (6.6, 8.4, 10.2):
        canvas.ellipse((0.22, button), (0.1, 0.1), tint(look.coat, 0.35))
    canvas.ellipse((0, 1.6), (0.56, 0.5), tint(look.skin, 0.72, 0.05), soft=0.04)
    canvas.box(-0.52, 0.5, 0.52, 1.65, tint(look.skin, 0.74, 0.05), rounding=0.1, soft=0.05)
    neck = canvas.part(-0.53, 0.9, 0.53, 2.3)
    under_chin = np.exp(-(((neck.y - 1.2) / 0.34) ** 2))
    round_side = np.abs(neck.x + 0.1) * np.clip((1.65 - neck.y) / 0.4, 0, 1)
    neck.light((1 - 0.55 * under_chin - 0.25 * round_side).astype(np.float32))


def _draw_head(canvas: Canvas, look: Look, yaw: float) -> None:
    skin, hair = look.skin, look.hair
    shade, deep = tint(skin, 0.62, 0.12), tint(skin, 0.34, 0.15)
    for side in (-1, 1):
        place = (side * (0.89 - 0.06 * side * sin(yaw)), 0.05)
        canvas.ellipse(place, (0.12, 0.28), tint(skin, 0.84, 0.06), soft=0.04)
        canvas.ellipse(place, (0.05, 0.17), tint(skin, 0.55, 0.12), 0.7, 0.07)

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
    feature((0, -0.72), (0.5, 0.2), tint(skin, 1.12), 0.45, 0.38)
    for side in (-1, 1):
        feature((side * 0.5, 0.36), (0.27, 0.22), tint(skin, 0.98, 0.18), 0.55, 0.35)
        feature((side * 0.41, -0.2), (0.28, 0.18), shade, 0.65, 0.2)
        feature((side * 0.41, -0.16), (0.205, 0.095), (240, 237, 233))
        feature((side * 0.41, -0.165), (0.098, 0.098), tint(hair, 0.9))
        feature((side * 0.41, -0.165), (0.05, 0.05), BLACK)
        feature((side * 0.41 - 0.035, -0.2), (0.025, 0.025), (255, 255, 255), 0.9)
        feature((side * 0.41, -0.252), (0.235, 0.036), tint(deep, 0.6), 0.95, 0.045, -side * 0.06)
        feature((side * 0.41, -0.05), (0.19, 0.022), shade, 0.6, 0.05)
        feature((side * 0.43, -0.475), (0.27, 0.052), tint(hair, 0.8), 0.92, 0.06, side * 0.02)
    feature((0.12, 0.06), (0.07, 0.4), shade, 0.5, 0.14)
    feature((-0.03, 0.05), (0.06, 0.38), tint(skin, 1.14), 0.6, 0.1)
    feature((0, 0.36), (0.14, 0.11), tint(skin, 1.1, 0.04), 0.7, 0.14)
    feature((0.02, 0.48), (0.22, 0.06), shade, 0.75, 0.1)
    for side in (-1, 1):
        feature((side * 0.1, 0.45), (0.055, 0.032), deep, 0.95, 0.04)
        feature((side * 0.37, 0.58), (0.025, 0.15), shade, 0.45, 0.08, -side * 0.5)
    if look.beard:
        fur = np.clip((y - 0.35) / 0.4, 0, 1) * np.clip((distance + 0.6) / 0.35, 0, 1) * head
        canvas.paint(np.clip(fur * look.beard * 1.5, 0, 0.85).astype(np.float32), tint(hair, 0.8))
        feature((0, 0.61), (0.36, 0.065), tint(hair, 0.8), look.beard, 0.08)
    _draw_mouth(canvas, yaw, inside)
    feature((0, 0.98), (0.2, 0.045), shade, 0.55, 0.1)
    feature((-0.05, 1.1), (0.16, 0.09), tint(skin, 1.08), 0.3, 0.15)
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
