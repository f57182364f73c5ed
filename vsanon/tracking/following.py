"""Where an object goes while nothing finds it: points on it are followed from picture to picture (Lucas and Kanade
1981, in a pyramid as of Bouguet 2001), and back, so that a point that is not found again is not believed.
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

PICTURE_PX = 320
"""The longer side of the small grey pictures of frames; frames are not enlarged to it."""

_WINDOW = 9
_LEVELS = 3
_STEPS = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 10, 0.03)
_BACK_PX = 0.7
"""What is followed on and back comes to where it was, to so many pixels of the small picture."""
_LEAST = 4
"""Points of a box that must be followed for it to be."""
_REMEMBERED, _OF_CALLS = 256, 8
"""So many of the paths that were asked for last are remembered, or what so many calls like the last one ask for:
the blocks around one ask for the same ones, and each takes a kilobyte or two."""
_ACROSS = np.linspace(-0.4, 0.4, 5)
_POINTS = np.stack(np.meshgrid(_ACROSS, _ACROSS), axis=-1).reshape(-1, 2)
"""(p, 2) where the points of a box lie, in its sides, from its centre."""


def picture_size(size: tuple[int, int]) -> tuple[int, int]:
    """(width, height) of the small grey picture of frames of this size."""
    factor = min(1.0, PICTURE_PX / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


class Paths:
    """Where boxes go. Paths that were asked for last are remembered, and to forget them changes nothing."""

    def __init__(self) -> None:
        self._known: dict[_Start, _Path] = {}

    def follow(
        self, pictures: Sequence[U8 | None], first: int, ends: I64, to: I64, cxywh: F64, size: tuple[int, int]
    ) -> tuple[F64, I64]:
        """Follow what boxes show from the frame that each was found in to another one, before or after it.

        Args:
            pictures: (h, w) uint8 small grey pictures of the frames from number `first` on, or None; nothing is
                followed to a picture of another size.
            first: see there.
            ends: (b,) the number of the frame that each box was found in.
            to: (b,) that of the frame that it is followed to; all between are among the pictures.
            cxywh: (b, 4) centres and sizes, pixels of the frame.
            size: (width, height) of the frame, pixels.

        Returns:
            (b, 2) how far each centre went, pixels, and (b,) over how many frames it could be followed, of
            |to - ends|.
        """
        signs, away = np.sign(to - ends), np.abs(to - ends)
        paths: list[_Path] = []
        for end, sign, box, frames in zip(ends.tolist(), signs.tolist(), cxywh, away.tolist(), strict=True):
            key = (end, sign, box.tobytes())
            path = self._known[key] = self._known.pop(key) if key in self._known else _Path(end, sign, box)
            path.wanted = max(path.wanted, frames)
            paths.append(path)
        for sign in (-1, 1):
            _extend([path for path in dict.fromkeys(paths) if path.sign == sign], pictures, first, size)
        seen = np.array([min(path.frames, frames) for path, frames in zip(paths, away.tolist(), strict=True)], int)
        gone = np.array([path.way[k] for path, k in zip(paths, seen.tolist(), strict=True)]).reshape(-1, 2)
        while len(self._known) > max(_REMEMBERED, _OF_CALLS * len(paths)):
            del self._known[next(iter(self._known))]
        return gone, seen


_Start = tuple[int, int, bytes]


class _Path:
    """Where one box went after 0, 1, 2, … frames, and how many are wanted; `lost` where it was seen no more."""

    __slots__ = ("box", "end", "lost", "sign", "wanted", "way")

    def __init__(self, end: int, sign: int, box: F64) -> None:
        self.end, self.sign, self.box = end, sign, box
        self.way, self.wanted, self.lost = [np.zeros(2)], 0, False

    @property
    def frames(self) -> int:
        return len(self.way) - 1


def _extend(paths: Sequence[_Path], pictures: Sequence[U8 | None], first: int, size: tuple[int, int]) -> None:
    """Follow boxes on, all in one direction, as far as is wanted: those that come to one frame in one call."""
    steps = sorted({path.end * path.sign + k for path in paths for k in range(path.frames, path.wanted)})
    for m in steps:
        on = [p for p in paths if not p.lost and p.end * p.sign + p.frames == m and p.frames < p.wanted]
        if not on:
            continue
        here, there = (pictures[abs(k) - first] for k in (m, m + 1))
        found = np.zeros(len(on), np.bool_)
        if here is not None and there is not None and here.shape == there.shape:
            factor = np.array([here.shape[1] / size[0], here.shape[0] / size[1]])
            boxes = np.array([p.box for p in on])
            centres = boxes[:, :2] + np.array([p.way[-1] for p in on])
            step, found = _step(here, there, centres * factor, boxes[:, 2:] * factor)
        for k, p in enumerate(on):
            if found[k]:
                p.way.append(p.way[-1] + step[k] / factor)
            p.lost = not found[k]


def _step(here: U8, there: U8, centres: F64, sides: F64) -> tuple[F64, NDArray[np.bool_]]:
    """(b, 2) how far boxes move from one picture to the next, in its pixels, and (b,) whether that was seen."""
    height, width = here.shape
    # The centre of the first pixel lies at a half.
    points = centres[:, None] + _POINTS * sides[:, None] - 0.5
    inside = ((points >= 0) & (points <= (width - 1, height - 1))).all(axis=2)
    given = points.astype(np.float32).reshape(-1, 1, 2)
    onward, first = _flow(here, there, given)
    back, second = _flow(there, here, onward)
    exact = np.abs(back - given).max(axis=(1, 2)) < _BACK_PX
    good = inside & (first & second & exact).reshape(inside.shape)
    moved = (onward - given).reshape(points.shape).astype(np.float64)
    # The median of those that are good: all others are sorted behind them.
    ranked = np.sort(np.where(good[..., None], moved, np.inf), axis=1)
    count = good.sum(axis=1)
    row, middle = np.arange(len(centres)), np.maximum(count - 1, 0)
    step = (ranked[row, middle // 2] + ranked[row, (middle + 1) // 2]) / 2
    return step, count >= _LEAST


def _flow(here: U8, there: U8, points: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    options: dict[str, Any] = {"winSize": (_WINDOW, _WINDOW), "maxLevel": _LEVELS, "criteria": _STEPS}
    found, seen, _ = cv2.calcOpticalFlowPyrLK(here, there, points, None, **options)  # type: ignore[call-overload]
    return np.asarray(found, np.float32), np.asarray(seen).ravel() == 1
