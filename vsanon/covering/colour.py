"""Sample formats and colours as codes: what a value is in a plane of a clip."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vsanon.errors import InputError

U8 = NDArray[np.uint8]

Samples = NDArray[Any]
"""(H, W) of a plane, in the sample type of its format."""


RGB = tuple[int, int, int]

MATRICES: Mapping[str, tuple[float, float]] = {
    "709": (0.2126, 0.0722),
    "601": (0.299, 0.114),
    "470bg": (0.299, 0.114),
    "170m": (0.299, 0.114),
    "240m": (0.212, 0.087),
    "fcc": (0.30, 0.11),
    "2020ncl": (0.2627, 0.0593),
}
"""Kr and Kb by ITU-T H.273, table 4; named as in VapourSynth's resizer, with 601 for its two of the same
figures."""


@dataclass(frozen=True, slots=True)
class SampleFormat:
    """How a clip stores colour.

    Args:
        family: colour family.
        bits: bits per sample: 8 to 16, or 32 where `is_float`.
        is_float: float samples: Y, R, G, B in [0, 1], chroma in [-0.5, 0.5], whatever the range.
        full_range: integers span all codes, else 16 to 235 (240) times 2^(bits - 8).
        matrix: a key of `MATRICES` for YUV and GRAY; RGB does not look at it.

    Raises:
        InputError: a sample type that is not supported.
    """

    family: Literal["gray", "yuv", "rgb"]
    bits: int
    is_float: bool = False
    full_range: bool = False
    matrix: str = "709"

    def __post_init__(self) -> None:
        if self.family not in ("gray", "yuv", "rgb"):
            raise InputError(f"the colour family must be gray, yuv or rgb, got {self.family!r}")
        if self.bits != 32 if self.is_float else not 8 <= self.bits <= 16:
            kind = "float" if self.is_float else "integer"
            raise InputError(f"samples are 8 to 16 bits integer or 32 bits float, got {self.bits} bits {kind}")

    @property
    def dtype(self) -> np.dtype[Any]:
        """The samples' type."""
        return np.dtype(np.float32 if self.is_float else np.uint8 if self.bits == 8 else np.uint16)

    @property
    def peak(self) -> float:
        """The greatest code, as in white at full range and in opaque alpha."""
        return 1.0 if self.is_float else float((1 << self.bits) - 1)


def rgb_to_code(rgb: U8, fmt: SampleFormat) -> Samples:
    """RGB colours as the code values of a format (ITU-T H.273, clause 8.3).

    Args:
        rgb: (..., 3) uint8, full range, gamma as in the clip.

    Returns:
        (..., planes) in the format's sample type: Y, Cb, Cr; R, G, B; or Y alone for GRAY.

    Raises:
        InputError: a matrix that is not in `MATRICES`, for YUV or GRAY.
    """
    unit = np.asarray(rgb, np.uint8) / np.float64(255)
    if fmt.family == "rgb":
        return _quantised(unit, False, fmt)
    if fmt.matrix not in MATRICES:
        known = ", ".join(MATRICES)
        raise InputError(f"can't paint colours with the matrix {fmt.matrix!r}; convert the clip to one of {known}")
    kr, kb = MATRICES[fmt.matrix]
    red, green, blue = unit[..., 0], unit[..., 1], unit[..., 2]
    luma = green + kr * (red - green) + kb * (blue - green)  # in this order greys come out exact
    planes = [_quantised(luma, False, fmt)]
    if fmt.family == "yuv":
        planes.append(_quantised((blue - luma) / (2 * (1 - kb)), True, fmt))
        planes.append(_quantised((red - luma) / (2 * (1 - kr)), True, fmt))
    return np.stack(planes, axis=-1)


def _quantised(unit: NDArray[np.float64], chroma: bool, fmt: SampleFormat) -> Samples:
    if fmt.is_float:
        return unit.astype(np.float32)
    if fmt.full_range:
        code = unit * fmt.peak + (1 << (fmt.bits - 1) if chroma else 0)
    else:
        code = (unit * 224 + 128 if chroma else unit * 219 + 16) * (1 << (fmt.bits - 8))
    return np.clip(np.floor(code + 0.5), 0, fmt.peak).astype(fmt.dtype)
