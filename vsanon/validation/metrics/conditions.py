"""The conditions under which a true box was to be found: what the truth says of it, and what the picture shows.

All are of the master, before any encode, so that one box is under the same conditions in every cell of its size and
rate. Each has few values; figures are told apart by them, and a criterion may ask for one (`where`). The steps
between values are chosen, not learnt:

* size: the shorter side, pixels.
* occluded, readable: as the truth says.
* edge: cut where the box touches the edge of the frame, near where it is closer to it than its own shorter side.
* since: the time since it came into view, or since a cut, whichever is less.
* light: the mean luma in the box, 0 black and 1 white: dark below 0.2, bright above 0.7.
* overexposed: a tenth of its pixels and more are white (0.97); underexposed: half of them and more are black
  (0.05).
* blur: how little a blur changes it, after Crete et al. 2007 ("The blur effect"); from 0.55 on it is blurred. Boxes
  below 16 px are too small to tell.
* camera: how far the picture moves from frame to frame (the median of the dense flow) in widths a second: still
  below 0.02, fast from 0.2 on.
* yaw, tilt: how a head is turned to the side and to the shoulder, by the points of a face: see `heads`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32
from vsanon.validation.metrics.detection import STRATA, shorter_side
from vsanon.validation.metrics.heads import Head

F64 = NDArray[np.float64]
U16 = NDArray[np.uint16]
Strs = NDArray[np.str_]

CONDITIONS: Mapping[str, tuple[str, ...]] = {
    "size": tuple(STRATA),
    "occluded": ("no", "yes"),
    "readable": ("no", "yes"),
    "edge": ("cut", "near", "inside"),
    "since": ("<0.2s", "0.2-1s", ">1s"),
    "light": ("dark", "normal", "bright"),
    "overexposed": ("no", "yes"),
    "underexposed": ("no", "yes"),
    "blur": ("sharp", "blurred", "unknown"),
    "camera": ("still", "slow", "fast"),
    "yaw": ("front", "turned", "profile", "unknown"),
    "tilt": ("upright", "tilted", "unknown"),
}
"""By name, in the order in which a stratum names them; evidence of earlier versions names the first ones alone."""

_DARK, _BRIGHT = 0.2, 0.7
_WHITE, _WHITE_SHARE, _BLACK, _BLACK_SHARE = 0.97, 0.1, 0.05, 0.5
_BLURRED, _TELLS_PX = 0.55, 16
_BLUR_TAPS = 9
_SLOW, _FAST = 0.02, 0.2
_CUT = 0.6
"""Frames in a row whose small pictures correlate by less are of two shots."""
_TOUCH_PX = 1.0
_NOMINAL = (16 * 256, 235 * 256)
"""Black and white of `luma16`."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the picture shows of one box.

    Args:
        light: mean luma, 0 to 1.
        white, black: shares of its pixels.
        blur: 0 sharp to 1; None: too small to tell.
    """

    light: float
    white: float
    black: float
    blur: float | None


def of_stratum(stratum: str) -> dict[str, str]:
    """The value of each condition that a stratum names, by name."""
    return dict(zip(CONDITIONS, stratum.split(" "), strict=False))


def look_at(luma: U16, box: F32) -> Look | None:
    """What the picture shows of a box; None where it lies outside.

    Args:
        luma: (H, W) uint16, as of `luma16`.
        box: (4,) float32, pixels.
    """
    height, width = luma.shape
    left, top = (max(0, int(np.floor(v))) for v in box[:2])
    right, bottom = min(width, int(np.ceil(box[2]))), min(height, int(np.ceil(box[3])))
    if right <= left or bottom <= top:
        return None
    black, white = _NOMINAL
    part = (luma[top:bottom, left:right].astype(np.float64) - black) / (white - black)
    blur = blur_effect(part) if min(part.shape) >= _TELLS_PX else None
    return Look(float(part.mean()), float((part >= _WHITE).mean()), float((part <= _BLACK).mean()), blur)


def blur_effect(part: F64) -> float:
    """0 where a blur takes all differences between neighbours (it was sharp), 1 where it takes none.

    Crete et al. 2007; the greater of both directions.

    Args:
        part: (H, W) float64.
    """
    found: list[float] = []
    for axis in (0, 1):
        size = (1, _BLUR_TAPS) if axis == 0 else (_BLUR_TAPS, 1)
        smooth = cv2.blur(part, size, borderType=cv2.BORDER_REPLICATE)
        own, left = np.abs(np.diff(part, axis=axis)), np.abs(np.diff(smooth, axis=axis))
        total = float(own.sum())
        lost = float(np.maximum(0, own - left).sum())
        found.append(1.0 if total == 0 else 1 - lost / total)
    return max(found)


def is_cut(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    """Whether two small pictures, (H, W) uint8 each, are of two shots: they hardly correlate."""
    a, b = (cv2.resize(picture, (32, 18), interpolation=cv2.INTER_AREA).ravel() for picture in (before, after))
    one, other = a - a.mean(dtype=np.float64), b - b.mean(dtype=np.float64)
    spread = float(np.sqrt((one @ one) * (other @ other)))
    return bool(spread > 0 and float(one @ other) / spread < _CUT)


def camera_movement(flow: F32) -> float:
    """How far a picture has moved, in its widths: the median of its dense flow, (H, W, 2) float32."""
    x, y = np.median(flow.reshape(-1, 2), axis=0)
    return float(np.hypot(x, y)) / int(flow.shape[1])


def named(
    xyxy: F32,
    flags: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    looks: Sequence[Look | None],
    heads: Sequence[Head | None],
    seconds_since: F64,
    widths_a_second: F64,
    size: tuple[int, int],
) -> dict[str, list[str]]:
    """The value of every condition for each box, by name.

    Args:
        xyxy: (n, 4) float32, pixels.
        flags: occluded and readable, (n,) each.
        looks: n of them.
        heads: n of them; None: no face with its points was found there.
        seconds_since: (n,) since it came into view, or since a cut.
        widths_a_second: (n,) by which the camera moves.
        size: (width, height) of the frame.
    """
    sides = shorter_side(xyxy).astype(np.float64)
    gaps = np.min([xyxy[:, 0], xyxy[:, 1], size[0] - xyxy[:, 2], size[1] - xyxy[:, 3]], axis=0)
    whole = [Look(0.5, 0.0, 0.0, None) if look is None else look for look in looks]
    values = {
        "size": [next(n for n, (low, high) in STRATA.items() if low <= side < high) for side in sides.tolist()],
        "occluded": _yes(flags[0]),
        "readable": _yes(flags[1]),
        "edge": [
            "cut" if gap <= _TOUCH_PX else "near" if gap < side else "inside"
            for gap, side in zip(gaps.tolist(), sides.tolist(), strict=True)
        ],
        "since": ["<0.2s" if s < 0.2 else "0.2-1s" if s < 1 else ">1s" for s in seconds_since.tolist()],
        "light": ["dark" if k.light < _DARK else "bright" if k.light > _BRIGHT else "normal" for k in whole],
        "overexposed": _yes([look.white >= _WHITE_SHARE for look in whole]),
        "underexposed": _yes([look.black >= _BLACK_SHARE for look in whole]),
        "blur": [_blur(look.blur) for look in whole],
        "camera": ["still" if w < _SLOW else "fast" if w >= _FAST else "slow" for w in widths_a_second.tolist()],
        "yaw": ["unknown" if head is None else head.yaw for head in heads],
        "tilt": ["unknown" if head is None else head.tilt for head in heads],
    }
    return {name: values[name] for name in CONDITIONS}


def seconds_since(frames: NDArray[np.int64], ids: NDArray[np.int64], cuts: Sequence[int], fps: float) -> F64:
    """How long each box has been in view without a cut, seconds, (n,) float64.

    Args:
        frames: (n,) of the boxes of one class.
        ids: (n,) of their identities.
        cuts: frames that start a shot.
        fps: frames a second.
    """
    found = np.zeros(len(frames))
    starts = np.array([0, *sorted(cuts)], np.int64)
    for identity in np.unique(ids):
        own = ids == identity
        there = np.sort(frames[own])
        # Whoever was out of view comes in again.
        entries = there[np.flatnonzero(np.diff(there, prepend=there[0] - 2) > 1)]
        shot = starts[np.searchsorted(starts, frames[own], side="right") - 1]
        entry = entries[np.searchsorted(entries, frames[own], side="right") - 1]
        found[own] = (frames[own] - np.maximum(shot, entry)) / fps
    return found


def _yes(flags: Sequence[bool] | NDArray[np.bool_]) -> list[str]:
    return ["yes" if flag else "no" for flag in flags]


def _blur(value: float | None) -> str:
    return "unknown" if value is None else "blurred" if value >= _BLURRED else "sharp"
