"""A picture metric proves itself: on frames whose score is known, with the same filters, before it is believed.

The first frames of the reference stand on both sides, one of them changed by a known amount. A filter that reads
its pictures wrongly gives other scores than these, where its scores of the pair itself may look plausible.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isclose, log10

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

FRAMES = 3
"""Of the reference; temporal metrics look two frames back."""
CHANGES = ("itself", "moved", "moved twice", "blurred")
_MOVED = 4
"""By so many steps of 8 bits every sample is moved, towards the middle: none is cut off."""
_DECIBELS = 0.02
"""ffmpeg logs two decimals."""
_TWICE = 20 * log10(2)
_VMAF_ITSELF = 95.0
"""A picture against itself has 97 and more in every model, for what the first frame lacks in motion."""
_VMAF_BLURRED, _BLURRED_DB = 1.0, 45.0
"""A blur of this PSNR or less costs this much VMAF at least."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a metric gave where its value is known.

    Args:
        itself: the worst score of a frame against itself; where that is boundless, 6 dB a bit plus 12.
        expected: of the known change, in words.
        found: what came out, as a number.
        failure: what was wrong, in words; empty where all is as it must be.
    """

    itself: float
    expected: str
    found: float
    failure: str = ""

    @property
    def holds(self) -> bool:
        """Whether the metric may be believed."""
        return not self.failure


def changing(change: str | None, bits: int) -> str:
    """The filters that change a picture, each with a comma before; of the first `FRAMES` alone. None: no filter.

    Raises:
        ValueError: there is no such change.
    """
    if change is None:
        return ""
    few = f",trim=end_frame={FRAMES}"
    if change == "itself":
        return few
    if change == "blurred":
        return f"{few},gblur=sigma=4"
    if change not in CHANGES:
        raise ValueError(f"there is no change {change!r}, only {', '.join(CHANGES)}")
    step = _MOVED * 2 ** (bits - 8) * (2 if change == "moved twice" else 1)
    moved = f"'if(gte(val,{2 ** (bits - 1)}),val-{step},val+{step})'"
    return f"{few},lutyuv=y={moved}:u={moved}:v={moved}"


def prove(name: str, found: Mapping[str, Mapping[str, F64]], bits: int) -> Proof:
    """What a metric gave for each of `CHANGES`.

    Args:
        name: of the metric.
        found: by change, the scores of all metrics by name, (FRAMES,) float64 each, PSNR without its ceiling.
        bits: of a sample.
    """
    itself, moved, twice, blurred = (found[change][name] for change in CHANGES)
    worst = min(float(itself.min()), 6.0 * bits + 12) if "psnr" in name else float(itself.min())
    if name.startswith("psnr"):
        expected = 20 * log10((2**bits - 1) / (_MOVED * 2 ** (bits - 8)))
        proof = Proof(worst, f"{expected:.2f} dB of a known error", _finite(moved))
        right = itself.min() == inf and np.allclose(moved, expected, rtol=0, atol=_DECIBELS)
    elif name.startswith("xpsnr"):
        # Its weights hang on the reference alone: twice the error is four times the weighted square.
        step = float((moved - twice).mean()) if np.isfinite(moved).all() and np.isfinite(twice).all() else 0.0
        proof = Proof(worst, f"{_TWICE:.2f} dB less for twice the error", step)
        right = itself.min() == inf and isclose(step, _TWICE, abs_tol=_DECIBELS)
    elif name == "ssim":
        proof = Proof(worst, "less than 1 for an error, and less still for twice it", float(moved.mean()))
        right = itself.min() == 1 and bool((moved < 1).all() and (twice < moved).all())
    else:
        proof = Proof(worst, "less for a blurred picture", float(blurred.mean()))
        seen = found["blurred"]["psnr_y"].mean() <= _BLURRED_DB
        right = itself.min() >= _VMAF_ITSELF and blurred.mean() <= itself.mean() - (_VMAF_BLURRED if seen else 0)
    if right:
        return proof
    words = (
        f"{name} does not prove itself on the first frames: the reference against itself gives {proof.itself:g}, "
        f"and where {proof.expected} was expected, it gives {proof.found:g}"
    )
    return Proof(proof.itself, proof.expected, proof.found, words)


def _finite(values: F64) -> float:
    return float(values.mean()) if np.isfinite(values).all() else 0.0
