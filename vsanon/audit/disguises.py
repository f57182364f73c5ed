"""Whether a target comes back inside of its cover in another guise: moved, mirrored, or as a drawing; pure.

What is moved by a tenth of a face no longer follows the original sample by sample, and everybody knows the face. So
the middle of the original is looked for all over the covered box, as it is, mirrored, and as its edges.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.audit.structure import BANDS, SIGMA, Box

F32 = NDArray[np.float32]

LEAST_SIDE_PX = 16
"""In a smaller box so little is told that something follows the original by chance."""
SIDE = 48
"""The box's shorter side as it is compared, samples: four for each cycle of the finest band."""
INNER, REACH = 0.35, 0.7
"""Half of what is looked for, and of where it is looked for, in sizes of the box."""
CORRELATION = 0.65
"""From which it is found. Of faces and plates of five clips, under fills, blurs and mosaics of 4 and 6 cells, the
best place has 0.56 at most; moved, mirrored or drawn ones have a median of 0.93 to 0.98."""
SAME_CORRELATION, SAME_GAIN = 0.97, 0.1
"""Of a smaller box: from which, and how near to 1, all samples are as they were ..."""
LEAST_SAMPLES, CONTRAST_RMS = 25, 8.0
"""... where there are so many, of so much contrast."""
LEAST_RMS = 0.6
"""Contrast of what is found, in codes of 8 bits."""
FLAT_RMS = 1.5
"""Contrast under which there is nothing to look for."""


@dataclass(frozen=True, slots=True)
class Disguise:
    """The guise in which most of a target is found.

    Args:
        name: in words.
        correlation: at the best of all places, without its sign.
        gain: how much of its contrast is found there; of edges, of theirs.
    """

    name: str
    correlation: float
    gain: float


def disguise_of(was: F32, now: F32, box: Box) -> Disguise | None:
    """The guise in which a target comes back; None where it doesn't, or is too small or flat to tell.

    Args:
        was, now: (H, W) luma of the original and of the redacted picture, in codes of 8 bits.
        box: x0, y0, x1, y1 in pixels of both.
    """
    side = min(box[2] - box[0], box[3] - box[1])
    if side < LEAST_SIDE_PX:
        return _unchanged(was, now, box)
    scale = SIDE / side
    seen = _band(_cut(now, box, REACH, scale))
    found = []
    own = _cut(was, box, REACH, scale)
    # A drawing's lines are as wide as the picture's samples, not as those that it is compared in.
    drawn = _cut(was, box, REACH, scale, _edges)
    for name, shown in (("moved inside its box", own), ("mirrored", _mirrored(own)), ("as edges", drawn)):
        wanted = _middle(_band(shown))
        if wanted.std() < FLAT_RMS:
            continue
        likeness = np.abs(cv2.matchTemplate(seen, wanted, cv2.TM_CCOEFF_NORMED))
        y, x = (int(v) for v in np.unravel_index(likeness.argmax(), likeness.shape))
        r = float(likeness[y, x])
        contrast = r * float(seen[y : y + wanted.shape[0], x : x + wanted.shape[1]].std())
        if r >= CORRELATION and contrast >= LEAST_RMS:
            found.append(Disguise(name, r, contrast / float(wanted.std())))
    return max(found, key=lambda one: one.correlation, default=None)


def _unchanged(was: F32, now: F32, box: Box) -> Disguise | None:
    """What is too small to be looked at by its bands may still be as it was, to the sample."""
    window = tuple(slice(max(round(box[k]), 0), max(round(box[k + 2]), 0)) for k in (1, 0))
    a, b = (np.asarray(picture[window], np.float64) for picture in (was, now))
    if a.size < LEAST_SAMPLES or a.std() < CONTRAST_RMS or b.std() <= 0:
        return None
    r = float(np.mean((a - a.mean()) * (b - b.mean())) / (a.std() * b.std()))
    gain = r * float(b.std() / a.std())
    return Disguise("as it was", r, gain) if r >= SAME_CORRELATION and abs(gain - 1) <= SAME_GAIN else None


def _mirrored(picture: F32) -> F32:
    return np.ascontiguousarray(picture[:, ::-1])


def _edges(picture: F32) -> F32:
    return np.asarray(
        np.hypot(cv2.Sobel(picture, cv2.CV_32F, 1, 0), cv2.Sobel(picture, cv2.CV_32F, 0, 1)), np.float32
    )


def _cut(
    picture: F32, box: Sequence[float], half: float, scale: float, look: Callable[[F32], F32] | None = None
) -> F32:
    """What lies around a box's middle, or a look of it, by `scale` larger; beyond the picture its edge goes on."""
    width, height = (box[2] - box[0]) * 2 * half, (box[3] - box[1]) * 2 * half
    left, top = (box[0] + box[2] - width) / 2, (box[1] + box[3] - height) / 2
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    x0, y0 = int(np.floor(left)) - 1, int(np.floor(top)) - 1
    x1, y1 = int(np.ceil(left + width)) + 1, int(np.ceil(top + height)) + 1
    rows = np.clip(np.arange(y0, y1), 0, picture.shape[0] - 1)
    columns = np.clip(np.arange(x0, x1), 0, picture.shape[1] - 1)
    part = np.asarray(picture[rows[:, None], columns[None]], np.float32)
    part = part if look is None else look(part)
    if scale < 1:  # what does not fit must go first
        part = np.asarray(cv2.GaussianBlur(part, (0, 0), 0.4 / scale), np.float32)
    shift = scale * (np.array([x0 - left, y0 - top]) + 0.5) - 0.5
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    return np.asarray(cv2.warpAffine(part, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _band(part: F32) -> F32:
    """What identifies, as `structure.BANDS` have it, of a part whose box has the shorter side `SIDE`."""
    high, low = BANDS[0][0], BANDS[-1][1]
    fine, coarse = (cv2.GaussianBlur(part, (0, 0), SIGMA * SIDE / cycles) for cycles in (high, low))
    return np.asarray(fine - coarse, np.float32)


def _middle(part: F32) -> F32:
    height, width = part.shape
    rows, columns = (round(length * (1 - INNER / REACH) / 2) for length in (height, width))
    return np.ascontiguousarray(part[rows : height - rows, columns : width - columns])
