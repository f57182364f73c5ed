"""Does a truth belong to its clip? Boxes outside of it are refused, frames that are off are noticed and said."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import center_size
from vsanon.validation.metrics.detection import match
from vsanon.validation.metrics.observed import Observed
from vsanon.validation.metrics.unmeasured import NotMeasured

F64 = NDArray[np.float64]

SHIFTS = (0, -1, 1, -2, 2, -3, 3)
"""Frames by which a truth is tried later than it says."""
BLOCK = 10
MIN_BLOCKS = 4
MEETS = 0.1
"""IoU from which boxes are compared at all."""
GAIN = 0.01
ERRORS = 3.0
OFFSET = 0.2
STRANGER_BOXES, STRANGER_SHARE = 20, 0.25
"""So many true and detected boxes it takes, and less than this share of both meets, where a truth is a stranger."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """How a truth lies to what was found.

    Args:
        shift: by how many frames later the truth would fit best.
        gain: in mean IoU, over no shift.
        error: its standard error.
        offset: the median of how far the found boxes lie to the right of and below the true ones, as shares of
            their width and height, at that shift.
    """

    shift: int
    gain: float
    error: float
    offset: tuple[float, float]


def best_shift(truth: Observed, found: Observed, frames: int) -> Alignment | NotMeasured:
    """Try the truth some frames earlier and later against what a detector found, frame by frame and untracked.

    The gain of a shift is the mean over all true boxes of the IoU with the box that they match (0 where they
    match none), less the same without a shift, over the frames that every shift reaches. Its error is that of the
    mean over blocks of `BLOCK` frames, as neighbouring frames are alike.

    Args:
        truth: the true boxes of one class.
        found: what was detected of it; identities don't matter.
        frames: of the clip.

    Returns:
        The shift of the greatest gain; or why there is none.
    """
    reach = max(SHIFTS)
    own = truth.select(~truth.ignore & (truth.frames >= reach) & (truth.frames < frames - reach))
    blocks = np.unique(own.frames // BLOCK, return_inverse=True)[1]
    if not len(own) or blocks.max() + 1 < MIN_BLOCKS:
        return NotMeasured(f"a shift of frames shows in {MIN_BLOCKS} blocks of {BLOCK} frames with truth, at least")
    overlap = {shift: _overlap(own, found, shift) for shift in SHIFTS}
    if not overlap[0][0].any():
        return NotMeasured("no true box meets a detected one")
    counts = np.bincount(blocks)

    def gain(shift: int) -> tuple[float, float]:
        """The gain, and its standard error, 0 where all blocks agree."""
        sums = np.bincount(blocks, overlap[shift][0] - overlap[0][0])
        mean = sums.sum() / counts.sum()
        # A ratio of sums over blocks (Cochran 1977, 2.11).
        spread = ((sums - mean * counts) ** 2).sum() * len(counts) / (len(counts) - 1)
        return float(mean), float(np.sqrt(spread) / counts.sum())

    best = max(SHIFTS, key=lambda shift: (gain(shift)[0], -abs(shift)))
    matched, offsets = overlap[best][0] > 0, overlap[best][1]
    middle = np.median(offsets[matched], axis=0) if matched.any() else np.zeros(2)
    return Alignment(best, *gain(best), (float(middle[0]), float(middle[1])))


def stranger_warning(truth: Observed, found: Observed) -> str | None:
    """What a report must say of a truth that seems to be of another clip; None where nothing does.

    Hardly a true box meets a detected one, and hardly a detected one a true one: a poor picture makes a detector
    find few, and what it finds is there for all that.

    Args:
        truth: the true boxes of one class; those that are ignored may be found, too.
        found: what was detected of it.
    """
    counted = truth.select(~truth.ignore)
    if min(len(counted), len(found)) < STRANGER_BOXES:
        return None
    met = float((_overlap(counted, found, 0)[0] > 0).mean())
    known = float((_overlap(found, truth, 0)[0] > 0).mean())
    if max(met, known) >= STRANGER_SHARE:
        return None
    return (
        f"it seems to be of another clip: {met:.0%} of its {len(counted)} boxes meet what was detected, and "
        f"{known:.0%} of {len(found)} detected boxes meet one of them"
    )


def _overlap(truth: Observed, found: Observed, shift: int) -> tuple[F64, F64]:
    """For each true box, the IoU with its match `shift` frames later, and how far that lies off in own sides."""
    overlap, offset = np.zeros(len(truth)), np.zeros((len(truth), 2))
    for n in np.unique(truth.frames).tolist():
        rows, other = truth.rows(n), found.rows(n + shift)
        own, theirs = truth.xyxy[rows], found.xyxy[other]
        pairs = match(own, theirs, MEETS)
        at = rows.start + pairs.truth
        overlap[at] = pairs.iou
        a, b = center_size(own[pairs.truth]), center_size(theirs[pairs.predicted])
        offset[at] = (b[:, :2] - a[:, :2]) / a[:, 2:]
    return overlap, offset


def alignment_warning(found: Alignment | NotMeasured) -> str | None:
    """What a report must say of a truth that seems to lie off its clip; None where nothing does.

    Frames are said to be off where the gain is at least `GAIN` and `ERRORS` times its standard error, places where
    the offset is at least `OFFSET` of a box. Tried on six real clips with their truth as it is, shifted by frames
    and moved by pixels; in a clip whose objects hardly move a shift can't be seen, and is not claimed.
    """
    if isinstance(found, NotMeasured):
        return None
    words = []
    if found.shift and found.gain >= GAIN and found.gain >= ERRORS * found.error:
        way = "earlier" if found.shift > 0 else "later"
        frames = f"{abs(found.shift)} frame{'s' if abs(found.shift) > 1 else ''}"
        if abs(found.shift) == max(SHIFTS):
            frames += " or more"  # what lies beyond was not tried
        words.append(
            f"it seems to be {frames} {way} than the picture: shifted by {found.shift:+d}, its mean IoU with what "
            f"was detected is {found.gain:.3f} higher (standard error {found.error:.3f})"
        )
    right, below = found.offset
    if max(abs(right), abs(below)) >= OFFSET:
        words.append(
            f"what was detected lies {right:+.2f} of a box's width to the right and {below:+.2f} of its height "
            "further down"
        )
    return "; ".join(words) or None
