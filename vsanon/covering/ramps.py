"""The soft edge of a mask: how far it reaches into the frame, and its weights, in steps."""

import math

import numpy as np
from numpy.typing import NDArray

from vsanon.covering.shapes import Edges

F64 = NDArray[np.float64]

STEPS = 256
"""Steps of weight that a ramp has at most."""


def spans(edges: Edges, feather_px: float, size: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """The columns and rows, first and end, that a shape and its ramp may reach in the frame."""
    found = []
    for k in (0, 1):
        # Clipped as floats first: these may exceed any int.
        low, high = (min(max(v, 0.0), float(size[k])) for v in (edges[k] - feather_px, edges[k + 2] + feather_px))
        start, stop = math.floor(low), math.ceil(high)
        found.append((min(start, size[k] - 1), max(stop, start + 1)))
    return found[0], found[1]


def ramp(far: F64, feather_px: float) -> NDArray[np.uint16]:
    """Weights by the distance to the shape, in whole steps."""
    if feather_px <= 0:
        return np.zeros(far.shape, np.uint16)
    return np.maximum(np.rint(STEPS - far * (STEPS / feather_px)), 0).astype(np.uint16)
