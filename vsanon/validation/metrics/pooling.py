"""The scores of frames in a few numbers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STRETCHES = 150


@dataclass(frozen=True, slots=True)
class Pooled:
    """The scores of all frames in a few numbers.

    Args:
        frames: how many were measured.
        mean: arithmetic mean.
        harmonic_mean: 1 / mean(1 / (s + 1)) − 1, as libvmaf pools, so that a score of 0 has one.
        percentile_1: the 1st percentile, interpolated.
        minimum: the worst score.
        worst_frame: its frame, 0-based, the first of equals.
    """

    frames: int
    mean: float
    harmonic_mean: float
    percentile_1: float
    minimum: float
    worst_frame: int


def pool(scores: NDArray[np.float64]) -> Pooled:
    """Pool the scores of frames, (n,) float64, each above −1.

    Raises:
        ValueError: there is none.
    """
    if not len(scores):
        raise ValueError("no frame has a score")
    return Pooled(
        frames=len(scores),
        mean=float(scores.mean()),
        harmonic_mean=float(1 / (1 / (scores + 1)).mean() - 1),
        percentile_1=float(np.percentile(scores, 1)),
        minimum=float(scores.min()),
        worst_frame=int(scores.argmin()),
    )


def stretch(frames: int) -> int:
    """How many frames stand together where a figure is shown over time, so that it has `STRETCHES` at most."""
    return -(-frames // STRETCHES)


def worst_over_time(scores: NDArray[np.float64]) -> tuple[float, ...]:
    """The least score of each `stretch` of (n,) float64."""
    each = stretch(len(scores))
    return tuple(float(scores[k : k + each].min()) for k in range(0, len(scores), each))


def finite(psnr_db: NDArray[np.float64], bits: int) -> NDArray[np.float64]:
    """PSNR with a ceiling of 6 dB a bit plus 12, as libvmaf has it."""
    return np.minimum(psnr_db, 6 * bits + 12)
