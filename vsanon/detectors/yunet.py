"""YuNet, in both its heads: grid cells at three strides (2023 and later), and priors at four (2022).

Formulas: Wu, Peng, Yu, "YuNet: a tiny millisecond-level face detector" (2023), and the decoders of
OpenCV's FaceDetectorYN, before and after it changed heads in 4.8; but the older one took the wrong variance for
the widths of the older head.
"""

import numpy as np

from vsanon.boxes import F32
from vsanon.detections import Detections
from vsanon.detectors.base import U8, misfit, settle, single_class
from vsanon.detectors.priors import decode, squares
from vsanon.models import ModelCard, Session

MAX_IOU = 0.3

GRID_STRIDES = (8, 16, 32)
PRIOR_SIDES = ((8, (10, 16, 24)), (16, (32, 48)), (32, (64, 96)), (64, (128, 192, 256)))
"""Stride of a level, and the sides of the square priors on each of its cells, pixels."""

_GRID_COLUMNS = {"cls": 1, "obj": 1, "bbox": 4}
_GRID = {f"{head}_{stride}": columns for head, columns in _GRID_COLUMNS.items() for stride in GRID_STRIDES}
_PRIORS = {"loc": 14, "conf": 2, "iou": 1}

READ = (*_GRID, *_PRIORS)
"""The outputs that are read; the grid's head has three more, with points of a face."""


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
        priors = squares(rgb.shape[2], rgb.shape[1], PRIOR_SIDES)
        if not len(loc) == len(conf) == len(overlap) == len(priors):
            raise misfit(self.session, f"{len(priors)} rows for this picture, not {len(loc)}")
        scores = prior_scores(conf[:, 1], overlap[:, 0])
        at = np.flatnonzero(scores >= self.threshold)
        return decode(loc[at], priors[at]), scores[at]


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


def prior_scores(certain: F32, overlap: F32) -> F32:
    """Scores of priors, (n,) float32 in [0, 1].

    Args:
        certain: (n,) float32, certainty of an object.
        overlap: (n,) float32, the IoU that the model expects of its own box.
    """
    scores: F32 = np.sqrt(np.clip(certain, 0, 1) * np.clip(overlap, 0, 1))
    return scores
