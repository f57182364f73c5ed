"""Stills of a cell that show nobody: all that is known to identify is painted over before a picture leaves.

Every true box (also an ignored one) and every masked pixel is painted over: grey where the mask covered it, hatched
where it was bare. On top lie the outlines: truth in orange, the mask's edge in blue.
"""

import base64
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32

U8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]

COVERED, HATCH, BARE = (128, 128, 128), (196, 60, 38), (250, 222, 214)
TRUTH, MASK = (255, 160, 0), (0, 130, 220)
_QUALITY = 68
_AROUND = 3.0
"""A still shows so many widths and heights of the box."""
_LEAST_PX = 96
_OUT_PX = 2
"""Truth boxes are painted over so much further out: a box is no outline of a head."""


def painted(rgb: U8, masked: Bool, truth: F32) -> U8:
    """A picture without anyone known in it.

    Args:
        rgb: (H, W, 3).
        masked: (H, W), where the mask changes anything.
        truth: (n, 4) pixels; all that is known, ignored ones too.
    """
    known = np.zeros_like(masked)
    for left, top, right, bottom in _inside(truth, masked.shape, _OUT_PX):
        known[top:bottom, left:right] = True
    found = rgb.copy()
    found[masked] = COVERED
    bare = known & ~masked
    y, x = np.nonzero(bare)
    stripes = ((x + y) % 8 < 3)[:, None]
    found[bare] = np.where(stripes, HATCH, BARE)
    return found


def outlined(rgb: U8, masked: Bool, truth: F32, scale: float) -> U8:
    """The outlines of truth and mask over a picture that was enlarged by `scale` from where they are given."""
    found = rgb.copy()
    size = (rgb.shape[1], rgb.shape[0])
    large = cv2.resize(masked.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    edges, _ = cv2.findContours(large, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(found, edges, -1, MASK, 2)
    for box in truth:
        left, top, right, bottom = (round(float(v) * scale) for v in box)
        cv2.rectangle(found, (left, top), (right, bottom), TRUTH, 2)
    return found


def window(box: F32, size: tuple[int, int], aspect: float, around: float = _AROUND) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what a still shows of a frame; the box is in its middle where that fits.


    Args:
        box: (4,) pixels.
        size: (width, height) of the frame.
        aspect: width by height of the still.
        around: how many widths and heights of the box.
    """
    width, height = float(box[2] - box[0]), float(box[3] - box[1])
    w = max(around * width, around * height * aspect, _LEAST_PX)
    w = min(w, size[0], size[1] * aspect)
    h = w / aspect
    x, y = (float(box[0] + box[2]) - w) / 2, (float(box[1] + box[3]) - h) / 2
    left, top = round(min(max(x, 0), size[0] - w)), round(min(max(y, 0), size[1] - h))
    return left, top, min(size[0], left + round(w)), min(size[1], top + round(h))


def still(rgb: U8, masked: Bool, truth: F32, at: tuple[int, int, int, int], size: tuple[int, int]) -> U8:
    """One still, (height, width, 3) of `size`: nobody in it, outlines drawn.

    Args:
        rgb: (H, W, 3), the whole frame.
        masked: (H, W).
        truth: (n, 4) pixels of the frame.
        at: of `window`.
        size: (width, height) of the still.
    """
    left, top, right, bottom = at
    masked = masked[top:bottom, left:right]
    truth = truth - np.array([left, top, left, top], np.float32)
    clean = painted(rgb[top:bottom, left:right], masked, truth)
    shrinks = size[0] < right - left
    large = cv2.resize(clean, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST)
    return outlined(np.asarray(large, np.uint8), masked, truth, size[0] / (right - left))


def beside(pictures: Sequence[U8], gap: int = 4) -> U8:
    """Pictures of one height, from left to right on white."""
    white = np.full((pictures[0].shape[0], gap, 3), 255, np.uint8)
    parts = [part for picture in pictures for part in (picture, white)][:-1]
    return np.concatenate(parts, axis=1)


def jpeg(rgb: U8) -> str:
    """A picture as JPEG, base64."""
    done, content = cv2.imencode(".jpg", rgb[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    assert done
    return base64.b64encode(content.tobytes()).decode()


def _inside(boxes: F32, shape: tuple[int, ...], out_px: int) -> list[tuple[int, int, int, int]]:
    """Whole pixels that boxes touch, and so many more, inside a frame (H, W)."""
    low = np.floor(boxes[:, :2]).astype(int) - out_px
    high = np.ceil(boxes[:, 2:]).astype(int) + out_px
    ends = np.concatenate([low, high], axis=1).clip(0, np.array([shape[1], shape[0]] * 2))
    return [(int(a), int(b), int(c), int(d)) for a, b, c, d in ends]
