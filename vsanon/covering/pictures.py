"""Pictures that are laid over regions: what one is, one that is drawn here, and a region's share of one."""

import base64
import bz2
import functools
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32
from vsanon.covering.colour import SampleFormat, rgb_to_code
from vsanon.covering.masks import PlaneMask
from vsanon.covering.shapes import Edges

SIDE = 256
"""The longer side that larger pictures are reduced to, by whole halves; a power of two."""

OWN = "smile"
"""The name of the picture that is drawn here."""


@dataclass(frozen=True, slots=True)
class Sticker:
    """A picture with alpha.

    Args:
        name: of its file, or of what is drawn here.
        sha256: of its file; of its samples where it is drawn here.
        size: (width, height), 1 to `SIDE` each.
        rgba: its samples by rows, 8 bits, the colours not multiplied by alpha.

    Raises:
        ValueError: a size outside its range, or not as many samples.
    """

    name: str
    sha256: str
    size: tuple[int, int]
    rgba: bytes

    def __post_init__(self) -> None:
        if not all(1 <= side <= SIDE for side in self.size) or len(self.rgba) != 4 * self.size[0] * self.size[1]:
            raise ValueError(f"a picture has 1 to {SIDE} samples a side, and four bytes each, got {self.size}")

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Sticker":
        """From what `facts` gives.

        Raises:
            KeyError, TypeError, ValueError: it is not whole, or not packed as it should be.
        """
        width, height = (int(v) for v in plain["size"])
        if not (1 <= width <= SIDE and 1 <= height <= SIDE):
            raise ValueError(f"a picture has 1 to {SIDE} samples a side, got {width}x{height}")
        reader = bz2.BZ2Decompressor()
        try:
            rgba = reader.decompress(base64.b64decode(plain["rgba"], validate=True), 4 * width * height + 1)
        except OSError as error:
            raise ValueError(f"not the samples of a picture: {error}") from error
        return cls(str(plain["name"]), str(plain["sha256"]), (width, height), rgba)

    @property
    def facts(self) -> dict[str, Any]:
        """All of it, so that who checks or shares the work needs no file."""
        packed = base64.b64encode(bz2.compress(self.rgba)).decode()
        return {"name": self.name, "sha256": self.sha256, "size": list(self.size), "rgba": packed}


@functools.cache
def smile() -> Sticker:
    """A yellow face that smiles, which looks like nobody; drawn in shares of its radius."""
    at = (np.arange(SIDE) + 0.5) / (SIDE / 2) - 1
    x, y = at[None, :], at[:, None]
    soft = SIDE / 2

    def disc(centre: tuple[float, float], radii: tuple[float, float]) -> NDArray[np.float64]:
        far = np.sqrt(((x - centre[0]) / radii[0]) ** 2 + ((y - centre[1]) / radii[1]) ** 2)
        return np.clip((1 - far) * min(radii) * soft + 0.5, 0, 1)

    mouth = disc((0, 0.12), (0.58, 0.58)) * (1 - disc((0, -0.02), (0.62, 0.56)))
    dark = np.maximum(np.maximum(disc((-0.33, -0.25), (0.11, 0.17)), disc((0.33, -0.25), (0.11, 0.17))), mouth)
    alpha, inner = disc((0, 0), (0.98, 0.98)), disc((0, 0), (0.92, 0.92))
    rgba = np.empty((SIDE, SIDE, 4))
    for k, (rim, skin, ink) in enumerate(zip((214, 150, 20), (250, 205, 62), (70, 46, 18), strict=True)):
        lit = rim + (skin - rim) * inner
        rgba[..., k] = lit + (ink - lit) * dark
    rgba[..., 3] = 255 * alpha
    samples = np.floor(rgba + 0.5).astype(np.uint8).tobytes()
    return Sticker(OWN, hashlib.sha256(samples).hexdigest(), (SIDE, SIDE), samples)


def laid_over(
    picture: Sticker, fmt: SampleFormat, p: int, mask: PlaneMask, grown: Edges, log2: tuple[int, int]
) -> tuple[F32, F32]:
    """The part of a picture that lies in a mask's window: as large as fits into a box, in its middle, aspect kept.

    Between its halved sizes it goes over from one to the next, so that no size of a box changes it at once.

    Args:
        p: the plane.
        grown: the box, luma pixels.
        log2: of the plane's subsampling, across and down.

    Returns:
        (h, w) float32: its code values multiplied by its alpha, and its alpha from 0 to 1.
    """
    levels = _levels(picture, fmt)
    width, height = max(grown[2] - grown[0], 1e-3), max(grown[3] - grown[1], 1e-3)
    scale = max(picture.size[0] / width, picture.size[1] / height)
    finest = max(math.frexp(scale * (1 << max(log2)))[1] - 1, 0)
    share = max(2 * math.frexp(scale * (1 << max(log2)))[0] - 1, 0.0) if scale * (1 << max(log2)) > 1 else 0.0
    first, second = (min(finest + k, len(levels) - 1) for k in (0, 1))
    starts, counts = (mask.x, mask.y), mask.steps.shape[::-1]
    middle = ((grown[0] + grown[2]) / 2, (grown[1] + grown[3]) / 2)
    parts = []
    for level in (first, second):
        axes = [
            _between(((np.arange(starts[k], starts[k] + counts[k]) + 0.5) * (1 << log2[k]) - middle[k])
                     * (scale / (1 << level)) + len(levels[level][0]) / 2 - 0.5, len(levels[level][0]))
            for k in (0, 1)
        ]  # fmt: skip
        parts.append([_sampled(levels[level][..., c], *axes) for c in (p, -1)])
    nearer, farther = np.float32(1 - share), np.float32(share)
    colour, alpha = (a * nearer + b * farther for a, b in zip(*parts, strict=True))
    return colour, alpha


@functools.lru_cache(maxsize=4)
def _levels(picture: Sticker, fmt: SampleFormat) -> tuple[F32, ...]:
    """The picture in the middle of a clear square, halved down to one sample: (s, s, planes + 1) float32 each."""
    width, height = picture.size
    side = 1 << max(max(width, height) - 1, 1).bit_length()
    rgba = np.frombuffer(picture.rgba, np.uint8).reshape(height, width, 4)
    alpha = rgba[..., 3:] / np.float32(255)
    square = np.zeros((side, side, rgb_to_code(rgba[..., :3], fmt).shape[-1] + 1), np.float32)
    top, left = (side - height) // 2, (side - width) // 2
    inside = square[top : top + height, left : left + width]
    inside[..., :-1] = rgb_to_code(rgba[..., :3], fmt).astype(np.float32) * alpha
    inside[..., -1:] = alpha
    levels = [square]
    while len(levels[-1]) > 1:
        levels.append(_halved(levels[-1]))
    return tuple(levels)


def _halved(samples: F32) -> F32:
    total = samples[::2, ::2] + samples[1::2, ::2] + samples[::2, 1::2] + samples[1::2, 1::2]
    return total * np.float32(0.25)


def _between(at: NDArray[np.float64], count: int) -> tuple[NDArray[np.intp], F32]:
    """Between which samples of a padded axis each place lies, and how far on."""
    clipped = np.clip(at + 1, 0, count + 0.999)
    lower = np.floor(clipped).astype(np.intp)
    return lower, (clipped - lower).astype(np.float32)


def _sampled(samples: F32, across: tuple[NDArray[np.intp], F32], down: tuple[NDArray[np.intp], F32]) -> F32:
    """Bilinear; beyond its ends there is nothing."""
    padded = np.pad(samples, 1)
    (column, right), (row, below) = across, down
    upper = padded[row]
    rows = upper + (padded[row + 1] - upper) * below[:, None]
    left = rows[:, column]
    return np.asarray(left + (rows[:, column + 1] - left) * right, np.float32)
