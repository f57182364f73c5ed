"""Pairs of pictures for the audit's page, in which nobody can be seen who could be: for a wipe between both.

Of the original only that is shown which the redacted picture shows as well: what was changed, what a target or a
find covers, and what lies around these is filled. Of the redacted one, targets are filled unless they are covered.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.audit.judging import FAILING, Left, Level
from vsanon.validation.truth.boxes import Truth

U8 = NDArray[np.uint8]
F64 = NDArray[np.float64]

MOST = 3
"""Pairs on a page."""
WIDTH = 960
"""At most, pixels."""
_FILL = (118, 118, 122)
_REACH = 0.35
"""How far beyond a box is filled, as a share of its size: a box may be tight, and a cover late."""
_CHANGED, _OVER_TYPICAL, _MOST_TYPICAL = 5.0, 3.0, 15.0
"""From which a tile counts as changed: codes, and multiples of the typical tile, but no more than so many codes: of
a clip that was graded as a whole nothing is shown rather than what a cover hides."""
_TILE = 8


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures of one size as JPEG, in base64.

    Args:
        frame, shown: of the original, and of the redacted clip.
        original, redacted: the pictures.
        filled: how many targets and finds the redacted one has filled, as they show or can't be told.
    """

    frame: int
    shown: int
    original: str
    redacted: str
    filled: int


def chosen(truth: Truth, levels: Mapping[int, Left], shown: Mapping[int, int]) -> list[int]:
    """Frames of the original that are worth a look: where most targets fail first, else where most are.

    Args:
        truth: the targets.
        levels: by row of the truth.
        shown: by frame of the original the redacted frame that shows it.
    """
    weight: dict[int, tuple[int, int]] = {}
    for i, left in levels.items():
        n = int(truth.frames[i])
        if n in shown:
            failing, all_ = weight.get(n, (0, 0))
            weight[n] = failing + (left.level in FAILING), all_ + 1
    apart: list[int] = []
    for n in sorted(weight, key=lambda n: (-weight[n][0], -weight[n][1], n)):
        if all(abs(n - other) > 5 for other in apart):
            apart.append(n)
    return sorted(apart[:MOST])


def pair(
    frame: int, shown: int, original: U8, redacted: U8, boxes: F64, levels: Sequence[Level | None], finds: F64
) -> Pair:
    """Both pictures of a frame, filled.

    Args:
        frame, shown: their numbers.
        original, redacted: (H, W, 3) uint8 RGB of one size, laid over each other.
        boxes: (n, 4) all targets of the frame in pixels, those that are ignored as well.
        levels: of each; None for what was not judged.
        finds: (m, 4) what a detector finds in the redacted picture.
    """
    bare = [box for box, level in zip(boxes, levels, strict=True) if level is not Level.COVERED]
    after, before = redacted.copy(), original.copy()
    _fill(after, [*bare, *finds])
    hidden = cv2.resize(_changed(original, redacted), (original.shape[1], original.shape[0]),
                        interpolation=cv2.INTER_NEAREST)  # fmt: skip
    before[hidden > 0] = _FILL
    _fill(before, [*boxes, *finds])
    for picture in (before, after):
        for x0, y0, x1, y1 in boxes.round().astype(int).tolist():
            cv2.rectangle(picture, (x0, y0), (x1, y1), (255, 210, 0), 2)
    return Pair(frame, shown, _jpeg(before), _jpeg(after), len(bare) + len(finds))


def _fill(picture: U8, boxes: Iterable[F64]) -> None:
    height, width = picture.shape[:2]
    for x0, y0, x1, y1 in boxes:
        across, down = _REACH * (x1 - x0), _REACH * (y1 - y0)
        left, top = int(np.clip(x0 - across, 0, width)), int(np.clip(y0 - down, 0, height))
        right, bottom = int(np.clip(np.ceil(x1 + across), 0, width)), int(np.clip(np.ceil(y1 + down), 0, height))
        picture[top:bottom, left:right] = _FILL


def _changed(original: U8, redacted: U8) -> U8:
    """(h, w) 1 for tiles that were changed, and for their neighbours."""
    height, width = original.shape[:2]
    small = (max(width // _TILE, 1), max(height // _TILE, 1))
    apart = np.square(original.astype(np.float32) - redacted).mean(axis=2)
    rms = np.sqrt(cv2.resize(apart, small, interpolation=cv2.INTER_AREA))
    over = rms > np.clip(_OVER_TYPICAL * float(np.median(rms)), _CHANGED, _MOST_TYPICAL)
    return np.asarray(cv2.dilate(over.astype(np.uint8), np.ones((5, 5), np.uint8)), np.uint8)


def _jpeg(picture: U8) -> str:
    height, width = picture.shape[:2]
    if width > WIDTH:
        picture = np.asarray(
            cv2.resize(picture, (WIDTH, round(height * WIDTH / width)), interpolation=cv2.INTER_AREA), np.uint8
        )
    _, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 82])
    return base64.b64encode(data.tobytes()).decode()
