"""A car from behind, with its plate."""

import cv2
import numpy as np

from vsanon.drawn.canvas import BLACK, Canvas, Color, Sprite, tint

PLATE_LETTERS = "ABCDEFGHKLMNPRSTUVWXYZ"

PLATE = (-1.0, -0.22, 1.0, 0.22)
"""The truth box of a plate in units, its rim included."""


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
    canvas.box(-1.25, -0.42, 1.25, 0.42, tint(body, 0.55), 0.15, 0.1)
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
