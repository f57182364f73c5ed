"""What a source looks like, in a few numbers that an encode does not change and that show nobody."""

from collections.abc import Iterator
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.filters import VideoNode
from vsanon.validation.conclusions.footage import SIDE

COUNT = 24
"""Pictures that are looked at, evenly over the clip."""
AROUND = 6
"""A picture is at rest where it moves least of so many before and after it."""
_SMALL, _SMOOTH = (64, 36), 5
"""The size that motion is measured at, (width, height), and over how many frames it is averaged."""

_BLACK = (16 + 8) * 256
_BAR_SHARE = 0.02
"""A row or column at the edge of which less is brighter than black is a bar, and no part of the picture."""


def looks(luma: VideoNode) -> Iterator[str]:
    """What some pictures look like, 512 bits each in hex: a difference hash, and which half of it is sure.

    A bit says whether the picture gets brighter to the right, 16 x 16 of them. Where it hardly changes, an encode
    alone turns the bit; so the second half marks those differences that are above their median.

    Args:
        luma: the clip in one plane of 16 bits.
    """
    count = min(COUNT, luma.num_frames)
    for k in range(count):
        with luma.get_frame((2 * k + 1) * luma.num_frames // (2 * count)) as frame:
            yield look_of(np.asarray(frame[0]))


def looks_at_rest(luma: VideoNode) -> list[str]:
    """The looks of the pictures that move least of those around: a part of the clip has the same ones.

    Pictures evenly over a part are others than those over the whole. All frames are read.

    Args:
        luma: as `looks` takes it.
    """
    small = (
        cv2.resize(np.asarray(frame[0]), _SMALL, interpolation=cv2.INTER_AREA).astype(np.float32)
        for frame in luma.frames(close=True)
    )
    moved = np.array([np.abs(after - before).mean() for before, after in pairwise(small)])
    chosen = at_rest(moved) if len(moved) else []
    found = []
    for n in chosen:
        with luma.get_frame(n) as frame:
            found.append(look_of(np.asarray(frame[0])))
    return found


def at_rest(moved: NDArray[np.floating]) -> list[int]:
    """Which frames move least of those around them.

    Args:
        moved: (n - 1,) how far each frame differs from the one before it, from the second on.
    """
    padded = np.pad(np.concatenate([moved[:1], moved]), _SMOOTH // 2, mode="edge")
    motion = np.convolve(padded, np.ones(_SMOOTH) / _SMOOTH, "valid")
    return [k for k in range(len(motion)) if motion[k] == motion[max(0, k - AROUND) : k + AROUND + 1].min()]


def look_of(picture: NDArray[np.uint16]) -> str:
    """The look of one picture, (H, W); bars around it are left out."""
    small = cv2.resize(_without_bars(picture), (SIDE + 1, SIDE), interpolation=cv2.INTER_AREA).astype(np.int32)
    steps = small[:, 1:] - small[:, :-1]
    sure = np.abs(steps) >= np.median(np.abs(steps))
    return np.packbits([steps > 0, sure]).tobytes().hex()


def _without_bars(picture: NDArray[np.uint16]) -> NDArray[np.uint16]:
    bright = picture > _BLACK
    rows, columns = (np.flatnonzero(bright.mean(axis=axis) > _BAR_SHARE) for axis in (1, 0))
    if min(len(rows), len(columns)) <= SIDE:
        return picture  # it is dark all over
    return np.ascontiguousarray(picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
