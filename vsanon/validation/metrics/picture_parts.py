"""PSNR and SSIM of parts of a picture: inside boxes, in a mask, in the band around it, and outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from vsanon.boxes import F32, clip_boxes

F64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

BAND_PX = 8
"""How far from a mask its band reaches: where a codec's ringing and blocks carry its edge."""

_K1, _K2, _SIGMA, _REACH_PX = 0.01, 0.03, 1.5, 5
_WINDOW = np.exp(-0.5 * (np.arange(-_REACH_PX, _REACH_PX + 1) / _SIGMA) ** 2)
_WINDOW /= _WINDOW.sum()


@dataclass(frozen=True, slots=True, eq=False)
class Zones:
    """Three parts that together are the frame, (H, W) bool each: the mask, the band just outside it, the rest."""

    inside: Bool
    band: Bool
    outside: Bool


@dataclass(frozen=True, slots=True, eq=False)
class BoxQuality:
    """PSNR in dB and mean SSIM of each box, (n,) float64 each."""

    psnr_db: F64
    ssim: F64


def zones(mask: Bool, band_px: float = BAND_PX) -> Zones:
    """Part a frame by its mask.

    Args:
        mask: (H, W) bool.
        band_px: Euclidean distance from the nearest masked pixel up to which a bare one is in the band.
    """
    near = np.zeros_like(mask)
    if mask.any():
        near = np.asarray(distance_transform_edt(~mask)) <= band_px
    return Zones(mask, near & ~mask, ~near & ~mask)


def psnr(reference: NDArray[Any], distorted: NDArray[Any], bits: int, where: Bool | None = None) -> float:
    """PSNR in dB, 10 log10(peak² / mse) with peak 2^bits − 1, and at most 6 dB a bit plus 12, as in libvmaf.

    Args:
        reference, distorted: (H, W) samples of one plane.
        bits: of a sample.
        where: (H, W) bool; None: everywhere.

    Raises:
        ValueError: shapes differ, or there is no pixel to measure.
    """
    _check(reference, distorted)
    error = (reference.astype(np.float64) - distorted) ** 2
    part = error if where is None else error[where]
    if not part.size:
        raise ValueError("there is no pixel to measure")
    return _decibels(float(part.mean()), bits)


def ssim_map(reference: NDArray[Any], distorted: NDArray[Any], bits: int) -> F64:
    """SSIM of each pixel, (H, W) float64 (Wang et al. 2004): Gaussian window of sigma 1.5 and 11 × 11
    pixels, K1 0.01, K2 0.03.

    Beyond its edge the picture is mirrored.

    Args:
        reference, distorted: (H, W) samples of one plane.
        bits: of a sample.

    Raises:
        ValueError: shapes differ.
    """
    _check(reference, distorted)
    x, y = reference.astype(np.float64), distorted.astype(np.float64)
    peak = 2**bits - 1
    mean_x, mean_y = _window(x), _window(y)
    c1, c2 = (_K1 * peak) ** 2, (_K2 * peak) ** 2
    covariance = _window(x * y) - mean_x * mean_y
    variances = _window(x * x) - mean_x**2 + _window(y * y) - mean_y**2
    likeness: F64 = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    spread: F64 = (mean_x**2 + mean_y**2 + c1) * (variances + c2)
    return np.divide(likeness, spread)


def inside_boxes(reference: NDArray[Any], distorted: NDArray[Any], xyxy: F32, bits: int) -> BoxQuality:
    """PSNR and SSIM of each box, over all pixels that it touches; a box outside the frame is NaN.

    Args:
        reference, distorted: (H, W) samples of one plane.
        xyxy: (n, 4) float32, pixels of that plane.
        bits: of a sample.

    Raises:
        ValueError: shapes differ.
    """
    likeness = ssim_map(reference, distorted, bits)
    height, width = reference.shape
    clipped = clip_boxes(xyxy, (width, height))
    values = np.full((len(clipped), 2), np.nan)
    for i, (x0, y0, x1, y1) in enumerate(clipped):
        at = slice(int(np.floor(y0)), int(np.ceil(y1))), slice(int(np.floor(x0)), int(np.ceil(x1)))
        if x1 > x0 and y1 > y0:
            values[i] = psnr(reference[at], distorted[at], bits), likeness[at].mean()
    return BoxQuality(values[:, 0], values[:, 1])


def by_zone(
    reference: NDArray[Any], distorted: NDArray[Any], parts: Zones, bits: int
) -> Mapping[str, tuple[float, float] | None]:
    """PSNR in dB and mean SSIM of each zone, by its name; None where a zone has no pixel.

    Against the first generation of an anonymised master, their change is what a delivery encode did to it.

    Args:
        reference, distorted: (H, W) samples of one plane.
        parts: the zones of that plane.
        bits: of a sample.

    Raises:
        ValueError: shapes differ.
    """
    likeness = ssim_map(reference, distorted, bits)
    named = {"inside": parts.inside, "band": parts.band, "outside": parts.outside}
    return {
        name: (psnr(reference, distorted, bits, where), float(likeness[where].mean())) if where.any() else None
        for name, where in named.items()
    }


def _decibels(mse: float, bits: int) -> float:
    ceiling = 6.0 * bits + 12
    return ceiling if mse == 0 else min(ceiling, float(10 * np.log10((2**bits - 1) ** 2 / mse)))


def _window(plane: F64) -> F64:
    return np.asarray(
        cv2.sepFilter2D(plane, cv2.CV_64F, _WINDOW, _WINDOW, borderType=cv2.BORDER_REFLECT), np.float64
    )


def _check(reference: NDArray[Any], distorted: NDArray[Any]) -> None:
    if reference.ndim != 2 or reference.shape != distorted.shape:
        raise ValueError(f"two planes of one shape are compared, got {reference.shape} and {distorted.shape}")
