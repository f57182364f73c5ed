"""Whether a frame still shows the picture that its boxes were made from, by the miniatures of both; pure.

Two miniatures are compared tile by tile and box by box: how well one explains the other up to gain and shading, and
how far one lies beside the other (Lucas and Kanade 1981). So a grade, grain, or another encode is told from a flip,
a pan, another shot or a face that has moved on. `scripts/measure_same_picture.py` measures both kinds of error.
"""

import functools
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32
from vsanon.tracking.miniature import LEVELS, SIDE, U16, rounded

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

LIKE = 0.5
"""The least correlation of the typical tile."""
PART_LIKE = 0.2
"""The least correlation of any tile, and of what surrounds a box."""
AWAY = 0.15
"""How far a picture may lie beside the other at a box, as a share of its width or height."""
MOTION = 0.7
"""A shift is one if it leaves less than this share of what two pictures differ by."""
SURE = 3.0
"""Standard errors by which a shift must exceed what is allowed ..."""
BIAS = 0.05
"""... and samples, as a grade bends edges."""

_TILE, _STEP = 6, 3
_NEAR, _WIDE = (5, 0.3), (9, 0.6)
"""What surrounds a box: at least so many samples, or the box with so much of its size on every side."""
_TEXTURE, _STRONG = 9.0, 25.0
"""Variance in those of a file's rounding from which a tile shows something, and from which it must fit."""
_FLAT = 64.0
"""Of 16 bits: a rounding that is always assumed, a quarter of a step of 8 bits."""
_GAIN = 4
"""By how much a grade may spread tones that a file's rounding made one; an even picture it can't fill."""
_PAINTED = 0.35
"""How far a cover may reach beyond its box, as a share of its size ..."""
_PAINTED_PX = 16
"""... and pixels."""


class Verdict(StrEnum):
    """What a comparison came to."""

    SAME = "same"
    """Sample for sample."""
    CHANGED = "changed"
    """The same picture, graded, cleaned, or encoded anew."""
    UNKNOWN = "unknown"
    """Too flat to tell."""
    OTHER = "other"
    """Another picture, or the same one in another place."""
    UNCHECKED = "unchecked"
    """Nobody looked, because the user chose so."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """The verdict on a frame, and why where it is `OTHER`."""

    verdict: Verdict
    why: str = ""


def compare(analysed: U16, shown: U16, boxes: F32, size: tuple[int, int], painted: F32 | None = None) -> Likeness:
    """Whether a frame still shows what was analysed.

    Args:
        analysed: (h, w) uint16, the miniature of the frame that the boxes were made from, whole or `rounded`.
        shown: (h, w) uint16, that of the frame to be covered, whole.
        boxes: (n, 4) what covers it, pixels of the frame.
        size: (width, height) of the frame, pixels.
        painted: (m, 4) what was covered in `shown` before, and so is not compared.

    Raises:
        ValueError: the miniatures differ in size.
    """
    if analysed.shape != shown.shape:
        raise ValueError(f"miniatures of {analysed.shape} and {shown.shape} samples can't be compared")
    if np.array_equal(analysed, shown) or np.array_equal(analysed, rounded(shown)):
        return Likeness(Verdict.SAME)
    height, width = shown.shape
    free = _free(painted, size, shown.shape)
    b = shown.astype(np.float64)
    a, rounding = _graded(analysed, b, free > 0)
    px = np.array([size[0] / width, size[1] / height])
    tiles, around = _tiles(height, width), functools.partial(_around, boxes, size, (width, height))
    near, wide = around(*_NEAR), around(*_WIDE)
    fit = _Fit.of(a, b, np.concatenate([tiles, near, wide]), free, rounding)
    of_tiles, of_near, of_wide = np.split(np.arange(len(fit.like)), np.cumsum([len(tiles), len(near)]))
    floor = np.maximum(_floor(analysed, b), fit.rounding)
    # Where the picture has become flat nothing is to be seen that needs a cover, and nothing can be told.
    textured = fit.whole & (np.minimum(fit.var_a, fit.var_b) > _TEXTURE * floor)
    strong = (np.maximum(fit.var_a, fit.var_b) > _STRONG * floor) & (fit.var_b > _TEXTURE / 2 * floor)
    unlike = fit.whole & strong & (fit.like < PART_LIKE)
    strength = np.where(textured, np.sqrt(fit.var_a), 0.0)[of_tiles]
    told = bool(strength.any())
    if told and (like := _median(fit.like[of_tiles], strength)) < LIKE:
        return _other(f"most of it is something else (likeness {like:.2f}, {LIKE} or more was expected)")
    if unlike[of_tiles].any():
        x, y = tiles[int(unlike[of_tiles].argmax())].reshape(2, 2).mean(axis=0) * px
        return _other(f"around x {x:.0f}, y {y:.0f} it is something else")
    if unlike[of_near].any():
        return _other(f"around the box {_text(boxes[int(unlike[of_near].argmax())])} it is something else")
    if len(boxes):
        allowed = AWAY * np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0) + BIAS * px
        for part in (of_near, of_wide):
            least = (np.abs(fit.shift[part]) - SURE * fit.error[part]) * px
            moved = (least > allowed).any(axis=1) & textured[part] & (fit.left[part] < MOTION)
            if moved.any():
                return _other(f"at the box {_text(boxes[int(moved.argmax())])} it lies beside what was analysed")
        if np.count_nonzero(strength) >= 4 and (_least_shift(fit.shift[of_tiles], strength) * px > allowed).any():
            return _other("all of it lies beside what was analysed")
    return Likeness(Verdict.CHANGED if told else Verdict.UNKNOWN)


def _other(why: str) -> Likeness:
    return Likeness(Verdict.OTHER, why)


def _text(box: F32) -> str:
    return ",".join(f"{v:.0f}" for v in box)


def _floor(analysed: U16, shown: F64) -> float:
    """The variance of rounding to a file's levels, as it shows after a grade."""
    step = min(_GAIN * float(np.ptp(analysed)), float(np.ptp(shown))) / (LEVELS - 1)
    return max(step**2 / 12, _FLAT**2)


def _median(values: F64, weights: F64) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][min(int(np.searchsorted(total, total[-1] / 2)), len(values) - 1)])


def _least_shift(shift: F64, weights: F64) -> F64:
    """(2,) how far the typical tile lies off at least, samples."""
    middle = np.array([_median(shift[:, k], weights) for k in (0, 1)])
    spread = [_median(np.abs(shift[:, k] - middle[k]), weights) for k in (0, 1)]
    # Of a median of tiles of which four show the same: 1.25 deviations, each 1.48 median distances.
    error = 1.85 * float(np.hypot(spread[0], spread[1])) / np.sqrt(np.count_nonzero(weights) / 4)
    least: F64 = np.abs(middle) - SURE * error
    return least


def _graded(analysed: U16, shown: F64, free: NDArray[np.bool_]) -> tuple[F64, F64]:
    """What was analysed with the tones of what is shown: each level becomes the mean of those of its ranks.

    Any rising curve is undone by this: gamma, contrast, crushed blacks.

    Returns:
        (h, w) the tones, and the variance that each sample's level hides, by a grade of at most `_GAIN`.
    """
    tones, hidden = np.full(shown.shape, float(shown.mean())), np.zeros(shown.shape)
    levels, place, counts = np.unique(analysed[free], return_inverse=True, return_counts=True)
    if len(levels):
        ranked, stop = np.sort(shown[free]) - shown.mean(), np.cumsum(counts)
        first, second = (np.concatenate([[0.0], np.cumsum(v)]) for v in (ranked, ranked**2))
        mean = (first[stop] - first[stop - counts]) / counts
        square = (second[stop] - second[stop - counts]) / counts
        tones[free] += mean[place]
        most = (_GAIN * float(np.ptp(levels)) / (LEVELS - 1)) ** 2 / 12
        hidden[free] = np.clip(square - mean**2, 0, most)[place]
    return tones, hidden


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """How one picture explains another in k regions.

    Args:
        whole: (k,) at least half of the region could be compared.
        var_a, var_b: (k,) variances.
        like: (k,) correlation.
        shift: (k, 2) how far the second lies beside the first, samples.
        error: (k, 2) standard errors of that.
        rounding: (k,) the variance that the rounding of the first hides.
        left: (k,) the share of what remains unexplained that remains so after the shift.
    """

    whole: NDArray[np.bool_]
    var_a: F64
    var_b: F64
    like: F64
    shift: F64
    error: F64
    rounding: F64
    left: F64

    @classmethod
    def of(cls, a: F64, b: F64, regions: I64, free: F64, rounding: F64) -> "_Fit":
        """Least squares in each region for b = gain * a + plane - shift * gradient.

        The gradient is that of the mean of both, to which second-order terms cancel; the plane takes up what a
        grade by place, such as a vignette, adds.

        Args:
            a, b: (h, w) the pictures.
            regions: (k, 4) x0, y0, x1, y1 in samples, end-exclusive.
            free: (h, w) 0 for samples that do not count.
            rounding: (h, w) variance of each sample of `a`.
        """
        scale = 1 / max(float(a.std()), float(b.std()), 1.0)
        a, b = (a - a.mean()) * scale, (b - b.mean()) * scale
        (ay, ax), (by, bx) = np.gradient(a), np.gradient(b)
        y, x = np.indices(a.shape) / SIDE - 0.5
        values = np.stack([np.ones_like(a), x, y, a, b, ax, ay, bx, by])
        row, column = np.triu_indices(9)
        # Sums over rectangles out of running sums.
        products = np.concatenate([values[row] * values[column], rounding[None]]) * free
        running = np.zeros((len(products), a.shape[0] + 1, a.shape[1] + 1))
        running[:, 1:, 1:] = products.cumsum(axis=1).cumsum(axis=2)
        x0, y0, x1, y1 = regions.T
        sums = running[:, y1, x1] - running[:, y0, x1] - running[:, y1, x0] + running[:, y0, x0]
        number, area = np.maximum(sums[0], 1e-9), (x1 - x0) * (y1 - y0)
        moments = np.empty((len(regions), 9, 9))
        moments[:, row, column] = moments[:, column, row] = (sums[:-1] / number).T
        planes, beside = moments[:, :3, :3] + 1e-9 * np.eye(3), moments[:, :3, 3:]
        cov = moments[:, 3:, 3:] - beside.transpose(0, 2, 1) @ np.linalg.solve(planes, beside)
        var_a, var_b, both = np.maximum(cov[:, 0, 0], 0), np.maximum(cov[:, 1, 1], 0), cov[:, 0, 1]
        gain = np.clip(both / np.maximum(var_a, 1e-12), 0, 1e3)
        # From a, b and their gradients to a, both halves of the mean gradient, and b.
        to = np.zeros((len(regions), 4, 6))
        to[:, 0, 0] = to[:, 3, 1] = 1
        to[:, 1, 2] = to[:, 2, 3] = gain / 2
        to[:, 1, 4] = to[:, 2, 5] = 0.5
        normal = to @ cov @ to.transpose(0, 2, 1)
        left, right = normal[:, :3, :3] + 1e-9 * np.eye(3), normal[:, :3, 3]
        inverse = np.linalg.inv(left)
        found = (inverse @ right[..., None])[..., 0]
        rest = np.maximum(var_b - both**2 / np.maximum(var_a, 1e-12), 0)
        rest_moved = np.maximum(var_b - (found * right).sum(axis=1), 0)
        spread = np.maximum(inverse[:, [1, 2], [1, 2]], 0) * (rest_moved / np.maximum(number - 7, 1))[:, None]
        return cls(
            number >= area / 2,
            var_a / scale**2,
            var_b / scale**2,
            both / np.sqrt(np.maximum(var_a * var_b, 1e-18)),
            -found[:, 1:],
            np.sqrt(spread),
            sums[-1] / number,
            (rest_moved + 1e-12) / (rest + 1e-12),
        )


@functools.lru_cache(8)
def _tiles(height: int, width: int) -> I64:
    """(k, 4) overlapping squares, all of the picture."""
    rows, columns = _places(height), _places(width)
    return np.array([(x, y, min(x + _TILE, width), min(y + _TILE, height)) for y in rows for x in columns])


def _places(samples: int) -> list[int]:
    last = max(samples - _TILE, 0)
    return sorted({*range(0, last, _STEP), last})


def _around(boxes: F32, size: tuple[int, int], grid: tuple[int, int], least: float, more: float) -> I64:
    """(n, 4) what surrounds each box, whole samples."""
    scale, samples = np.array(grid) / np.array(size), np.array(grid)
    low, high = boxes[:, :2] * scale, boxes[:, 2:] * scale
    reach = np.minimum(np.maximum((high - low) * (0.5 + more), least / 2), samples / 2)
    centre = np.clip((low + high) / 2, reach, samples - reach)
    outward = np.concatenate([np.floor(centre - reach + 1e-6), np.ceil(centre + reach - 1e-6)], axis=1)
    whole: I64 = np.clip(outward, 0, np.tile(samples, 2)).astype(np.int64)
    return whole


def _free(painted: F32 | None, size: tuple[int, int], shape: tuple[int, ...]) -> F64:
    """(h, w) 1 for samples that no cover, and no gradient over the edge of one, has touched."""
    free = np.ones(shape)
    if painted is None or not len(painted):
        return free
    scale = np.tile((shape[1] / size[0], shape[0] / size[1]), 2)
    reach = np.tile(_PAINTED * (painted[:, 2:] - painted[:, :2]) + _PAINTED_PX, 2) * (-1, -1, 1, 1)
    touched = np.rint((painted + reach) * scale + np.array([-1.5, -1.5, 1.5, 1.5]))
    for x0, y0, x1, y1 in np.clip(touched, 0, None).astype(int):
        free[y0:y1, x0:x1] = 0
    return free
