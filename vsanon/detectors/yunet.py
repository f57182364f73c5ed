"""YuNet, in both its heads: grid cells at three strides (2023 and later), and priors at four (2022).

Formulas: Wu, Peng, Yu, "YuNet: a tiny millisecond-level face detector" (2023), and the decoders of
OpenCV's FaceDetectorYN, before and after it changed heads in 4.8.
"""

from functools import lru_cache

import numpy as np

from vsanon.boxes import F32
from vsanon.detectors.base import U8, misfit, settle, single_class
from vsanon.models import ModelCard, Session
from vsanon.tracks import Detections

MAX_IOU = 0.3

GRID_STRIDES = (8, 16, 32)
PRIOR_SIDES = {8: (10, 16, 24), 16: (32, 48), 32: (64, 96), 64: (128, 192, 256)}
"""Stride of a level, and the sides of the square priors on each of its cells, pixels."""
VARIANCES = (0.1, 0.2)

_GRID_COLUMNS = {"cls": 1, "obj": 1, "bbox": 4}
_GRID = {f"{head}_{stride}": columns for head, columns in _GRID_COLUMNS.items() for stride in GRID_STRIDES}
_PRIORS = {"loc": 14, "conf": 2, "iou": 1}


class YuNet:
    """Detector for YuNet; which of its heads a model has is read off the names and columns of its outputs.

    Raises:
        ModelError: the outputs are of neither head, or the card names several classes.
    """

    def __init__(self, session: Session, threshold: float) -> None:
        self.session = session
        self.threshold = threshold
        self._class = single_class(session.card)
        columns = {name: shape[-1] for name, shape in session.outputs.items() if shape}
        self._has_priors = _PRIORS.items() <= columns.items()
        if not self._has_priors and not _GRID.items() <= columns.items():
            raise misfit(session, f"outputs with these columns: {_GRID}, or {_PRIORS}")

    @property
    def card(self) -> ModelCard:
        return self.session.card

    def detect(self, rgb: U8) -> Detections:
        xyxy, scores = self._priors(rgb) if self._has_priors else self._grid(rgb)
        return settle(xyxy, scores, self._class, rgb, MAX_IOU)

    def _grid(self, rgb: U8) -> tuple[F32, F32]:
        outputs = [value[0] for value in self.session.run(rgb, list(_GRID))]
        levels = []
        for i, stride in enumerate(GRID_STRIDES):
            cls, obj, bbox = outputs[i::3]
            columns = rgb.shape[2] // stride
            cells = rgb.shape[1] // stride * columns
            if not len(cls) == len(obj) == len(bbox) == cells:
                raise misfit(self.session, f"{cells} rows at stride {stride} for this picture, not {len(bbox)}")
            levels.append(decode_grid(cls[:, 0], obj[:, 0], bbox, columns, stride, self.threshold))
        return np.concatenate([xyxy for xyxy, _ in levels]), np.concatenate([scores for _, scores in levels])

    def _priors(self, rgb: U8) -> tuple[F32, F32]:
        loc, conf, overlap = self.session.run(rgb, list(_PRIORS))
        squares = priors(rgb.shape[2], rgb.shape[1])
        if not len(loc) == len(conf) == len(overlap) == len(squares):
            raise misfit(self.session, f"{len(squares)} rows for this picture, not {len(loc)}")
        return decode_priors(loc, conf[:, 1], overlap[:, 0], squares, self.threshold)


def decode_grid(cls: F32, obj: F32, bbox: F32, columns: int, stride: int, threshold: float) -> tuple[F32, F32]:
    """Boxes of one level whose score, the root of `cls * obj`, is at least `threshold`.

    Args:
        cls: (n,) float32, certainty that the cell holds a face and nothing else.
        obj: (n,) float32, certainty that the cell holds anything.
        bbox: (n, 4) float32; the centre's offset right and down from the cell's corner, the log of width and
            height; all in cells.
        columns: cells in a row.
        stride: side of a cell, pixels.

    Returns:
        (m, 4) float32 pixels, not clipped, and (m,) float32 scores in [0, 1].
    """
    scores = np.sqrt(np.clip(cls, 0, 1) * np.clip(obj, 0, 1))
    at = np.flatnonzero(scores >= threshold)
    corner = np.stack([at % columns, at // columns], axis=1)
    center = (corner + bbox[at, :2]) * stride
    half = np.exp(bbox[at, 2:]) * stride / 2
    return np.concatenate([center - half, center + half], axis=1).astype(np.float32), scores[at]


def decode_priors(loc: F32, face: F32, overlap: F32, squares: F32, threshold: float) -> tuple[F32, F32]:
    """Boxes of the priors whose score, the root of `face * overlap`, is at least `threshold`.

    Args:
        loc: (n, 4 or more) float32; the centre's offset right and down in sides of the prior, the log of
            width and height in the same sides, each divided by its variance.
        face: (n,) float32, certainty of a face.
        overlap: (n,) float32, the IoU that the model expects of its own box.
        squares: (n, 3) float32, as `priors` gives them.

    Returns:
        (m, 4) float32 pixels, not clipped, and (m,) float32 scores in [0, 1].
    """
    scores = np.sqrt(np.clip(face, 0, 1) * np.clip(overlap, 0, 1))
    at = np.flatnonzero(scores >= threshold)
    side = squares[at, 2:]
    center = squares[at, :2] + loc[at, :2] * VARIANCES[0] * side
    half = np.exp(loc[at, 2:4] * VARIANCES[1]) * side / 2
    return np.concatenate([center - half, center + half], axis=1).astype(np.float32), scores[at]


@lru_cache(maxsize=8)
def priors(width: int, height: int) -> F32:
    """Squares `cx, cy, side` of a picture, (n, 3) float32 pixels: by stride, row, column, side; read only."""
    levels = []
    for stride, sides in PRIOR_SIDES.items():
        y, x, side = np.meshgrid(np.arange(height // stride), np.arange(width // stride), sides, indexing="ij")
        levels.append(np.stack([(x + 0.5) * stride, (y + 0.5) * stride, side], axis=-1).reshape(-1, 3))
    squares = np.concatenate(levels).astype(np.float32)
    squares.flags.writeable = False
    return squares
