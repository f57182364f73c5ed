"""How an object looks in one picture, and where it is seen in another: by correlation (Lewis 1995)."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
F64 = NDArray[np.float64]

FOUND = 0.7
"""The least correlation (zero-mean, normalised) at which a followed object counts as seen."""
REACH = 0.5
"""How far from where it is expected an object is looked for, as a share of its longer side."""

_CONTRAST = 8
_TEMPLATE_PX = 24
_LEAST_PX = 6


class Template:
    """How an object looks at an end, reduced so that the cost does not grow with its size."""

    def __init__(self, picture: U8, box: F64, factor: F64) -> None:
        height, width = picture.shape
        self._factor, self._centre = factor, box[:2] * factor
        sides = np.maximum(box[2:] * factor, 8.0)
        low, high = np.rint(self._centre - sides / 2), np.rint(self._centre + sides / 2)
        self._x0, self._y0 = (int(v) for v in np.maximum(low, 0))
        self._x1, self._y1 = (int(v) for v in np.minimum(high, (width, height)))
        self._reach = math.ceil(float(sides.max()) * REACH)
        part = picture[self._y0 : max(self._y1, 0), self._x0 : max(self._x1, 0)]
        self._part: U8 | None = None
        if min(part.shape) >= _LEAST_PX and int(part.max()) - int(part.min()) >= _CONTRAST:
            self._by = max(1, min(part.shape) // _TEMPLATE_PX)
            self._part = _reduced(part, self._by)

    def find(self, picture: U8, expected: F64) -> F64 | None:
        """The centre of where it is seen near a centre, pixels of the frame; None where it is not."""
        if self._part is None:
            return None
        height, width = picture.shape
        shift_x, shift_y = (int(v) for v in np.rint(np.clip(expected * self._factor - self._centre, -1e6, 1e6)))
        left, right = max(0, self._x0 + shift_x - self._reach), min(width, self._x1 + shift_x + self._reach)
        top, bottom = max(0, self._y0 + shift_y - self._reach), min(height, self._y1 + shift_y + self._reach)
        if right - left < self._x1 - self._x0 or bottom - top < self._y1 - self._y0:
            return None
        around = _reduced(picture[top:bottom, left:right], self._by)
        score, (x, y) = best(around, self._part)
        if score < FOUND:
            return None
        moved = np.array([left + x * self._by - self._x0, top + y * self._by - self._y0])
        place: F64 = (self._centre + moved) / self._factor
        return place


def _reduced(part: U8, by: int) -> U8:
    if by == 1:
        return part
    size = (max(1, part.shape[1] // by), max(1, part.shape[0] // by))
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)


def best(around: U8, part: U8) -> tuple[float, tuple[int, int]]:
    """The best correlation of a part with a place in a picture, and its left top; -1 where it does not fit."""
    if around.shape[0] < part.shape[0] or around.shape[1] < part.shape[1]:
        return -1.0, (0, 0)
    _, score, _, (x, y) = cv2.minMaxLoc(cv2.matchTemplate(around, part, cv2.TM_CCOEFF_NORMED))
    return float(score), (x, y)
