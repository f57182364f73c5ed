"""Small pictures of what surrounds a box, with all that was found painted over."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.covering.effects import FILL
from vsanon.covering.shapes import grow, shape_of
from vsanon.detections import TrackedBoxes

CROP_PX = 240


def crop(rgb: NDArray[np.uint8], box: tuple[float, float, float, float], *, frame: bool = True) -> bytes:
    """A JPEG of the surroundings of a box, three times as large as it.

    Args:
        rgb: (H, W, 3) uint8.
        box: x0, y0, x1, y1, pixels.
        frame: draw the box.
    """
    height, width = rgb.shape[:2]
    x0, y0, x1, y1 = box
    side = max(x1 - x0, y1 - y0, 32) * 3
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    left, top = max(int(cx - side / 2), 0), max(int(cy - side / 2), 0)
    right, bottom = min(int(cx + side / 2) + 1, width), min(int(cy + side / 2) + 1, height)
    if right - left < 2 or bottom - top < 2:
        left, top, right, bottom = 0, 0, width, height
    part = rgb[top:bottom, left:right, ::-1].copy()
    scale = CROP_PX / max(part.shape[:2])
    shape = (max(round(part.shape[1] * scale), 1), max(round(part.shape[0] * scale), 1))
    small = cv2.resize(part, shape, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    if frame:
        corners = [(round((x - left) * scale), round((y - top) * scale)) for x, y in ((x0, y0), (x1, y1))]
        cv2.rectangle(small, corners[0], corners[1], (0, 220, 255), 1)
    return cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()


def cover(rgb: NDArray[np.uint8], boxes: TrackedBoxes) -> None:
    """Paint boxes over in a picture that only people see; what was exposed on purpose stays covered in it, too."""
    for box, label in zip(boxes.xyxy, boxes.classes, strict=True):
        x0, y0, x1, y1 = (max(int(v), 0) for v in np.ceil(grow(box, shape_of(label))))
        rgb[y0:y1, x0:x1] = FILL
