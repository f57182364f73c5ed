"""What a source looks like, in a few numbers that an encode does not change and that show nobody."""

from collections import deque
from collections.abc import Iterator

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
_LATER = AROUND + _SMOOTH // 2
"""How many pictures after one tell whether it is at rest."""

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
    for n in _evenly(luma.num_frames):
        with luma.get_frame(n) as frame:
            yield look_of(np.asarray(frame[0]))


def looks_of_all(luma: VideoNode) -> tuple[list[str], list[str]]:
    """The same `looks`, and those of the pictures at rest, as `Looks` finds them."""
    seen = Looks(luma.num_frames)
    for frame in luma.frames(close=True):
        seen.see(np.asarray(frame[0]))
    return seen.found()


class Looks:
    """What a clip looks like, by all its pictures in order.

    Beside `looks` it finds those of the pictures that move least of those around them: a part of the clip has the
    same ones, where pictures evenly over a part are others than those over the whole.

    Args:
        frames: of the clip.
    """

    def __init__(self, frames: int) -> None:
        self._even = _evenly(frames)
        self._looks: dict[int, str] = {}
        self._held: deque[tuple[int, NDArray[np.uint16]]] = deque()
        self._moved: list[float] = []
        self._before: NDArray[np.float32] | None = None

    def see(self, picture: NDArray[np.uint16]) -> None:
        """Take the next picture, (H, W)."""
        small = np.asarray(cv2.resize(picture, _SMALL, interpolation=cv2.INTER_AREA), np.float32)
        if self._before is not None:
            self._moved.append(float(np.abs(small - self._before).mean()))
        self._held.append((0 if self._before is None else len(self._moved), picture.copy()))
        self._before = small
        if len(self._held) > _LATER:
            self._look()

    def found(self) -> tuple[list[str], list[str]]:
        """The looks of the pictures evenly over the clip, and of those at rest."""
        while self._held:
            self._look()
        rest = at_rest(np.array(self._moved)) if self._moved else []
        return [self._looks[n] for n in self._even], [self._looks[n] for n in rest]

    def _look(self) -> None:
        """Look at the oldest picture that is held, where that is asked for: by now its surroundings are known."""
        n, picture = self._held.popleft()
        # One more before them: what comes first takes its motion from the second.
        first = max(0, n - _LATER - 1)
        around = self._moved[first : n + _LATER]
        if n in self._even or (around and n - first in at_rest(np.array(around))):
            self._looks[n] = look_of(picture)


def _evenly(frames: int) -> list[int]:
    """Which of so many frames `looks` are of."""
    count = min(COUNT, frames)
    return [(2 * k + 1) * frames // (2 * count) for k in range(count)]


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
    bright = (picture > _BLACK).view(np.uint8)
    counts = (cv2.reduce(bright, along, cv2.REDUCE_SUM, dtype=cv2.CV_32S) for along in (1, 0))
    rows, columns = (np.flatnonzero(c > _BAR_SHARE * bright.size / c.size) for c in counts)
    if min(len(rows), len(columns)) <= SIDE:
        return picture  # it is dark all over
    return np.ascontiguousarray(picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
