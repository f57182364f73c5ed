"""A frame that is searched turned, because the camera hung sideways or upside down; and its boxes turned back."""

import numpy as np

from vsanon.boxes import F32
from vsanon.detections import Detections
from vsanon.errors import InputError

AUTO = "auto"
TURNS = (0, 90, 180, 270)
"""Degrees clockwise that make a picture upright."""


def check_turned(turned: int | str) -> None:
    """Refuse what is no turn.

    Raises:
        InputError: neither "auto" nor one of `TURNS`.
    """
    if turned != AUTO and (isinstance(turned, bool) or turned not in TURNS):
        known = ", ".join(map(str, TURNS))
        raise InputError(f'turned is "{AUTO}" or degrees clockwise, one of {known}, got {turned!r}')


def turned_back(found: Detections, size: tuple[int, int], turned: int) -> Detections:
    """Detections in a turned frame as they lie in the frame itself, their colour swatches with them.

    Args:
        found: boxes in pixels of the turned frame.
        size: (width, height) of the turned frame, pixels.
        turned: by how many degrees clockwise it was turned; one of `TURNS`.
    """
    if not turned:
        return found
    swatches = np.ascontiguousarray(np.rot90(found.swatches, turned // 90, axes=(1, 2)))
    return Detections(_boxes_back(found.xyxy, size, turned), found.scores, found.classes, swatches, found.agreed)


def _boxes_back(xyxy: F32, size: tuple[int, int], turned: int) -> F32:
    width, height = size
    x0, y0, x1, y1 = xyxy.T
    if turned == 90:
        edges = (y0, width - x1, y1, width - x0)
    elif turned == 180:
        edges = (width - x1, height - y1, width - x0, height - y0)
    else:
        edges = (height - y1, x0, height - y0, x1)
    return np.stack(edges, axis=1).astype(np.float32)
