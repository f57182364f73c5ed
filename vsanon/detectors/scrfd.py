"""SCRFD: a score, and the distances to a box's four sides, for each anchor of a grid; key points are not read.

Formula: Guo et al. 2021 (arXiv 2105.04714), and the decoder of its authors' package.
"""

from typing import NamedTuple

import numpy as np

from vsanon.boxes import F32
from vsanon.detections import Detections
from vsanon.detectors.base import U8, misfit, settle, single_class
from vsanon.models import ModelCard, Session

MAX_IOU = 0.4


class Layout(NamedTuple):
    """The strides of a model's levels, pixels, and the anchors on each cell."""

    strides: tuple[int, ...]
    anchors: int


LAYOUTS = {
    6: Layout((8, 16, 32), 2),
    9: Layout((8, 16, 32), 2),
    10: Layout((8, 16, 32, 64, 128), 1),
    15: Layout((8, 16, 32, 64, 128), 1),
}
"""Layout by the number of outputs: scores of each level, boxes of each, and in 9 and 15 key points of each."""


class Scrfd:
    """Detector for SCRFD of any size, with and without key points; outputs are known by their order.

    Raises:
        ModelError: the outputs are not SCRFD's, or the card names several classes.
    """

    def __init__(self, session: Session, threshold: float) -> None:
        self.session = session
        self.threshold = threshold
        self._class = single_class(session.card)
        self._layout = LAYOUTS.get(len(session.outputs), Layout((), 1))
        levels = len(self._layout.strides)
        columns = [shape[-1] if shape else None for shape in session.outputs.values()]
        if not levels or columns[: 2 * levels] != [1] * levels + [4] * levels:
            raise misfit(
                session, "6, 9, 10 or 15 outputs: for each level rows of 1 score, then rows of 4 distances"
            )
        self._heads = list(session.outputs)[: 2 * levels]

    @property
    def card(self) -> ModelCard:
        return self.session.card

    def detect(self, rgb: U8) -> Detections:
        outputs = self.session.run(rgb, self._heads)
        levels = []
        strides, anchors = self._layout
        for i, stride in enumerate(strides):
            scores = outputs[i].reshape(-1)
            distances = outputs[i + len(strides)].reshape(-1, 4)
            columns = rgb.shape[2] // stride
            rows = rgb.shape[1] // stride * columns * anchors
            if not len(scores) == len(distances) == rows:
                raise misfit(self.session, f"{rows} rows at stride {stride} for this picture, not {len(scores)}")
            levels.append(decode(scores, distances, columns, stride, anchors, self.threshold))
        xyxy, scores = (np.concatenate(parts) for parts in zip(*levels, strict=True))
        return settle(xyxy, scores, self._class, rgb, MAX_IOU)


def decode(
    scores: F32, distances: F32, columns: int, stride: int, anchors: int, threshold: float
) -> tuple[F32, F32]:
    """Boxes of one level whose score is at least `threshold`.

    Args:
        scores: (n,) float32, by row, column, anchor.
        distances: (n, 4) float32, from the cell's corner to the left, upper, right and lower side, in cells.
        columns: cells in a row.
        stride: side of a cell, pixels.
        anchors: on each cell.

    Returns:
        (m, 4) float32 pixels, not clipped, and (m,) float32 scores in [0, 1].
    """
    at = np.flatnonzero(scores >= threshold)
    cell = at // anchors
    corner = np.stack([cell % columns, cell // columns], axis=1).astype(np.float32)
    near, far = distances[at, :2], distances[at, 2:]
    xyxy = np.concatenate([corner - near, corner + far], axis=1) * stride
    return xyxy.astype(np.float32), np.clip(scores[at], 0, 1)
