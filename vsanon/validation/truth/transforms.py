"""Truth that follows its pictures exactly: through cuts, other frame rates and other sizes."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vsanon.validation.truth.boxes import Truth

I64 = NDArray[np.int64]


def cut(truth: Truth, start: int, stop: int) -> Truth:
    """The truth of frames `start <= n < stop`, renumbered from 0.

    Raises:
        ValueError: not 0 <= start <= stop.
    """
    if not 0 <= start <= stop:
        raise ValueError(f"a cut needs 0 <= start <= stop, got {start}:{stop}")
    rows = slice(*(int(row) for row in np.searchsorted(truth.frames, [start, stop])))
    return _taken(truth, np.arange(rows.start, rows.stop), truth.frames[rows] - start)


def resampled(truth: Truth, source_frames: ArrayLike) -> Truth:
    """The truth of a clip that shows the source's frames in another order, more often, or not at all.

    Args:
        truth: of the source.
        source_frames: (m,) integers from 0 up: the source's frame that is shown at each frame of the clip.

    Raises:
        ValueError: `source_frames` is not one row of such numbers.
    """
    shown = np.asarray(source_frames)
    if shown.size == 0:
        shown = np.zeros(0, np.int64)
    if shown.ndim != 1 or shown.dtype.kind not in "iu" or shown.min(initial=0) < 0:
        raise ValueError(f"source frames are one row of whole numbers from 0 up, got {shown.dtype} {shown.shape}")
    first, last = np.searchsorted(truth.frames, shown), np.searchsorted(truth.frames, shown, side="right")
    counts = last - first
    frames = np.repeat(np.arange(len(shown)), counts)
    # The rows of each shown frame one after the other: its first row, and how far on within it.
    begins = np.repeat(np.cumsum(counts) - counts, counts)
    return _taken(truth, np.repeat(first, counts) + np.arange(len(frames)) - begins, frames)


def frames_at(count: int, fps_in: Fraction, fps_out: Fraction) -> I64:
    """The source's frame that is shown at each frame of a clip of another rate.

    Frame `n` of the clip begins at `n / fps_out` and shows the last of the source's frames that has begun by
    then, in exact arithmetic: floor(n · fps_in / fps_out).

    Args:
        count: frames of the clip.
        fps_in, fps_out: the rates of the source and of the clip.

    Returns:
        (count,) int64, never falling. The last may lie past the source's end where the clip is longer.

    Raises:
        ValueError: `count` is negative, or a rate is not above 0.
    """
    if count < 0 or fps_in <= 0 or fps_out <= 0:
        raise ValueError(f"frames need a count from 0 up and rates above 0, got {count}, {fps_in} and {fps_out}")
    step = Fraction(fps_in) / Fraction(fps_out)
    return np.array([n * step.numerator // step.denominator for n in range(count)], np.int64)


def scaled(truth: Truth, from_size: tuple[int, int], to_size: tuple[int, int]) -> Truth:
    """The truth of the clip scaled from one size to another, each axis by its own factor.

    Boxes are edges, not pixel centres, so that they scale by plain multiplication: a box of the whole frame stays
    one. Exact where the factor is a power of two, else rounded once to float32.

    Args:
        truth: of the clip before.
        from_size, to_size: (width, height), pixels.

    Raises:
        ValueError: a side is not above 0.
    """
    if min(*from_size, *to_size) <= 0:
        raise ValueError(f"sizes are above 0 pixels, got {from_size} and {to_size}")
    xyxy = truth.xyxy.astype(np.float64) * (to_size * 2) / (from_size * 2)
    return replace(truth, xyxy=xyxy.astype(np.float32))


def _taken(truth: Truth, rows: NDArray[np.intp], frames: I64) -> Truth:
    columns = {name: getattr(truth, name)[rows] for name in Truth.__slots__}
    return Truth(**{**columns, "frames": frames})
