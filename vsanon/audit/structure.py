"""What is left of a target's structure: how well what a redacted picture shows there follows the original; pure.

Two pictures are compared inside the ellipse of a box, in two bands of spatial frequency that are scaled by the box,
as what identifies a face is a matter of cycles per face, not of pixels (Näsänen 1999). Asked is how much of the one
explains the other (correlation, and the gain of the regression), not by how much the samples differ: a dark
face under a grey fill hardly changes and nothing of it is left, a bright one under a tint changes in every sample
and is there.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Box = Sequence[float]

FINE, COARSE = 0, 1
BANDS = ((12.0, 6.0), (6.0, 3.0))
"""Cycles on the box's shorter side from which a band ends and begins, where its filters let half through. Below
lies what any tone and any cover of five cells keeps."""

LETTERS = 2.0, 0.75
"""The band of lettering's strokes as a whole, by which it is read where the finer ones show nothing: under a mosaic
of five rows three quarters of a plate's characters are, and next to nothing is left in those."""

SIGMA = math.sqrt(2 * math.log(2)) / (2 * math.pi)
"""Of a Gaussian in samples that halves the frequency of one cycle a sample."""
LEAST_SIDE_PX = 12
"""Under two samples a cycle of the coarse band's end nothing of it can be told."""
_BLOCKS, _MOST_BLOCKS = 4, 12
"""Blocks along the shorter side, and at most along the longer."""
_BLOCK_PX = 8
"""A block has at least this side where the box allows two: in one of four pixels a cover's own edges follow the
original's by chance, in one frame of a dozen."""


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """The second moments of an original and of what is left of it, in one plane, one band.

    Args:
        was, now, both: (1 + k,) variance of the original, of the redacted, and their covariance, in squared
            codes of 8 bits: of all that is inside first, then of each block.
    """

    was: F64
    now: F64
    both: F64

    @property
    def correlation(self) -> F64:
        """(1 + k,) in [-1, 1]; 0 where one of both is flat."""
        scale = np.sqrt(self.was * self.now)
        return np.divide(self.both, scale, out=np.zeros_like(scale), where=scale > 1e-9)

    @property
    def gain(self) -> F64:
        """(1 + k,) how much of the original's contrast is left; 0 where it has none."""
        return np.divide(self.both, self.was, out=np.zeros_like(self.both), where=self.was > 1e-9)

    @property
    def apart(self) -> float:
        """The variance of the difference of both."""
        return float(max(self.was[0] + self.now[0] - 2 * self.both[0], 0.0))


def compare(was: F32, now: F32, box: Box, *, whole: bool = False) -> tuple[Likeness, Likeness] | None:
    """What is left of the original inside a box, in one plane.

    Args:
        was, now: (H, W) the original and the redacted picture, in codes of 8 bits.
        box: x0, y0, x1, y1 in pixels of both; what lies outside the picture is left out.
        whole: all of the box counts, as for a plate; else its ellipse, as for a face.

    Returns:
        The fine band and the coarse one; None where the box is too small to tell.
    """
    found = _inside(was, now, box, whole)
    if found is None:
        return None
    pictures, inside, side = found
    blocks = _blocks(inside, side)
    fine, coarse = (_moments(_band(pictures, inside, side, *band), inside, blocks) for band in BANDS)
    return fine, coarse


def compare_letters(was: F32, now: F32, box: Box) -> Likeness | None:
    """What is left of lettering's strokes in all of a box, in the band `LETTERS`; see `compare`."""
    found = _inside(was, now, box, whole=True)
    if found is None:
        return None
    pictures, inside, side = found
    return _moments(_band(pictures, inside, side, *LETTERS), inside, ())


def _inside(was: F32, now: F32, box: Box, whole: bool) -> tuple[F32, NDArray[np.bool_], float] | None:
    """Both pictures around a box (h, w, 2), what of them counts, and the box's shorter side; None if too small."""
    height, width = was.shape
    x0, y0, x1, y1 = (float(v) for v in box)
    side = min(x1 - x0, y1 - y0)
    left, top = max(math.floor(x0), 0), max(math.floor(y0), 0)
    right, bottom = min(math.ceil(x1), width), min(math.ceil(y1), height)
    if side < LEAST_SIDE_PX or min(right - left, bottom - top) < LEAST_SIDE_PX / 2:
        return None
    window = slice(top, bottom), slice(left, right)
    y, x = np.mgrid[top:bottom, left:right] + 0.5
    u, v = (x - (x0 + x1) / 2) / ((x1 - x0) / 2), (y - (y0 + y1) / 2) / ((y1 - y0) / 2)
    inside = (np.maximum(abs(u), abs(v)) if whole else np.hypot(u, v)) <= 1
    if np.count_nonzero(inside) < LEAST_SIDE_PX**2 / 2:
        return None
    return np.stack([was[window], now[window]], axis=-1).astype(np.float32), inside, side


def _band(pictures: F32, inside: NDArray[np.bool_], side: float, high: float, low: float) -> F64:
    """(h, w, 2) what lies between two frequencies, of what is inside alone: nothing of the surroundings gets in."""
    return _smooth(pictures, inside, side / high) - _smooth(pictures, inside, side / low)


def _smooth(pictures: F32, inside: NDArray[np.bool_], cycle_px: float) -> F64:
    sigma = SIGMA * cycle_px
    weight = inside.astype(np.float32)
    if sigma < 0.3:
        return np.asarray(pictures, np.float64)
    total = cv2.GaussianBlur(weight, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
    # Away from the mean, rounding is small beside the contrast.
    mean = pictures[inside].mean(axis=0)
    smooth = cv2.GaussianBlur((pictures - mean) * weight[..., None], (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(smooth / np.maximum(total, 1e-6)[..., None] + mean, np.float64)


def _blocks(inside: NDArray[np.bool_], side: float) -> list[NDArray[np.bool_]]:
    """The parts of a region that are judged by themselves: those that are mostly inside."""
    height, width = inside.shape
    step = max(side / _BLOCKS, min(_BLOCK_PX, side / 2))
    rows, columns = (int(np.clip(round(length / step), 1, _MOST_BLOCKS)) for length in (height, width))
    y, x = np.linspace(0, height, rows + 1).astype(int), np.linspace(0, width, columns + 1).astype(int)
    found = []
    for i in range(rows):
        for k in range(columns):
            part = np.zeros_like(inside)
            part[y[i] : y[i + 1], x[k] : x[k + 1]] = True
            if np.count_nonzero(part & inside) > 0.6 * np.count_nonzero(part):
                found.append(part & inside)
    return found


def _moments(band: F64, inside: NDArray[np.bool_], blocks: Sequence[NDArray[np.bool_]]) -> Likeness:
    rows = []
    for part in (inside, *blocks):
        values = band[part]
        values = values - values.mean(axis=0)
        was, now = values.T
        rows.append((was @ was / len(values), now @ now / len(values), was @ now / len(values)))
    table = np.array(rows).T
    return Likeness(table[0], table[1], table[2])
