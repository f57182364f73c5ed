"""A second look at what a model found and is not sure of: the same model sees it again, turned and at other sizes.

What is a plate stays one when it is turned a little or shown smaller; what merely looks like one in the picture at
hand, a window's frame, a pale collar, does not. So the mean score over several such pictures tells them apart where
the first score does not. It is no score of its own, but a word for or against: `tracking.confirmed` counts it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32
from vsanon.detections import Detections
from vsanon.detectors.base import U8, Detector
from vsanon.detectors.scale import View

REGION = 3.0
"""What is shown around an object, in its sides."""
_NEAR = 0.35
"""What is found again lies in the middle, to this share of a side, ..."""
_ALIKE = (0.5, 1.6)
"""... and has a side of so many times the object's."""
_SHRINK = 0.7
"""What is shown smaller than by this factor is averaged first."""


@dataclass(frozen=True, slots=True)
class SecondLook:
    """What is looked at again, and how.

    Args:
        least: the first look's score from which on it is asked, ...
        sure: ... and from which on no more: such a score needs no second look.
        most: of how many objects of a frame at most, the best first.
        sides: the sizes at which the object is shown, pixels: the root of its area ...
        turns: ... each turned by these angles, degrees.
        agrees: the mean score of all of these from which on the second look agrees.

    Raises:
        ValueError: a value lies outside what it can be.
    """

    least: float = 0.45
    sure: float = 0.9
    most: int = 6
    sides: tuple[int, ...] = (28, 48)
    turns: tuple[float, ...] = (-30, -15, 15, 30)
    agrees: float = 0.58

    def __post_init__(self) -> None:
        if not (0 <= self.least <= self.sure <= 1 and 0 < self.agrees <= 1 and self.most >= 0):
            raise ValueError("scores lie in [0, 1], least is not above sure, and most is at least 0")
        if not (self.sides and self.turns and min(self.sides) >= 8):
            raise ValueError("a second look needs a size of at least 8 pixels and an angle")


def second_look(
    found: Detections, views: Sequence[View], pictures: Sequence[U8], detector: Detector, settings: SecondLook
) -> NDArray[np.bool_]:
    """(n,) with which of the detections a second look agrees; with none that it was not asked about.

    Args:
        found: of one class and the detector's, best first, pixels of the frame.
        views: the parts of the frame that are at hand, the whole first, ...
        pictures: ... and (3, height, width) RGB of each.
        detector: takes pictures of any size.
        settings: see there.

    Raises:
        ModelError: the model fails.
    """
    agreed = np.zeros(len(found), bool)
    asked = (found.scores >= settings.least) & (found.scores < settings.sure)
    for k in np.flatnonzero(asked)[: settings.most].tolist():
        at = _finest(views, found.xyxy[k])
        shown = _around(views[at], pictures[at], found.xyxy[k])
        agreed[k] = _agrees(detector, shown, found.classes[k], settings)
    return agreed


def _agrees(
    detector: Detector, shown: tuple[NDArray[np.uint8], NDArray[np.float64], float], name: str, settings: SecondLook
) -> bool:
    """Whether the mean over all looks is high enough; as soon as that is clear no more are taken."""
    looks = [(side, turn) for side in settings.sides for turn in settings.turns]
    wanted, total = settings.agrees * len(looks), 0.0
    for left, (side, turn) in zip(range(len(looks) - 1, -1, -1), looks, strict=True):
        total += _again(detector, *shown, side, turn, name)
        if total >= wanted or total + left < wanted:
            break
    return total >= wanted


def _finest(views: Sequence[View], box: F32) -> int:
    """The finest of the views that show all around a box which lies in the frame; else that of the whole."""
    whole = views[0]
    half = REGION / 2 * _side(box)
    centre = (box[:2] + box[2:]) / 2
    low = np.maximum(centre - half, 0)
    high = np.minimum(centre + half, [whole.width, whole.height])
    holding = [
        i
        for i, v in enumerate(views)
        if v.left <= low[0] and v.top <= low[1] and v.left + v.width >= high[0] and v.top + v.height >= high[1]
    ]
    return min(holding or [0], key=lambda i: (max(views[i].factor), i))


def _around(view: View, picture: U8, box: F32) -> tuple[NDArray[np.uint8], NDArray[np.float64], float]:
    """(h, w, 3) what a view shows around a box, and the box's centre and side in it, pixels."""
    inner = (box.astype(np.float64) - np.array([view.left, view.top] * 2)) / np.array(view.factor * 2)
    centre, side = (inner[:2] + inner[2:]) / 2, max(_side(inner), 1.0)
    # As much as is shown of it when it is turned.
    reach = REGION * 0.75 * side
    left, top = np.maximum(np.floor(centre - reach), 0).astype(int).tolist()
    right, bottom = np.minimum(np.ceil(centre + reach), view.size).astype(int).tolist()
    part = np.ascontiguousarray(picture[:, top:bottom, left:right].transpose(1, 2, 0))
    return part, centre - [left, top], side


def _again(
    detector: Detector,
    part: NDArray[np.uint8],
    centre: NDArray[np.float64],
    side: float,
    wanted: int,
    turn: float,
    name: str,
) -> float:
    """The score of the object when it is shown with another side, turned; 0 where it is not found again."""
    factor = wanted / side
    if factor < _SHRINK:
        part = np.asarray(cv2.resize(part, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
        centre, factor = centre * factor, 1.0
    stride = detector.card.input.stride
    size = ceil(REGION * wanted / stride) * stride
    matrix = np.asarray(cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), turn, factor), np.float64)
    matrix[:, 2] += size / 2 - centre
    shown = cv2.warpAffine(part, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    found = detector.detect(np.ascontiguousarray(shown.transpose(2, 0, 1)))
    off = np.abs((found.xyxy[:, :2] + found.xyxy[:, 2:]) / 2 - size / 2).max(axis=1, initial=0)
    sides = np.sqrt((found.xyxy[:, 2:] - found.xyxy[:, :2]).prod(axis=1)) / wanted
    same = (off < _NEAR * wanted) & (sides > _ALIKE[0]) & (sides < _ALIKE[1]) & (np.array(found.classes) == name)
    return float(found.scores[same].max(initial=0))


def _side(box: NDArray[np.floating]) -> float:
    return float(np.sqrt((box[2:] - box[:2]).prod()))
