"""What stands around and behind: a street, a park, a pillar."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.drawn.canvas import Canvas, Sprite

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]


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
