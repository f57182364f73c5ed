"""YOLO: the raw heads of v5 (with objectness, three anchors a cell) and of v8 and later (without, one a cell),
with and without key points, and exports that hold their own suppression.

Formulas: the exports of ultralytics (YOLOv5, YOLOv8, YOLO11, YOLOv10), of WongKinYiu (YOLOv7, YOLOv9 "end2end")
and of yolov5-face; all of them decode the boxes into pixels inside the graph. Key points are not read.
"""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from vsanon.boxes import F32, from_center_size
from vsanon.detections import Detections
from vsanon.detectors.base import U8, misfit, settle
from vsanon.errors import ModelError
from vsanon.models import ModelCard, Session

MAX_IOU = 0.5

STRIDES = ((8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32))
"""Strides of the levels of the usual models, and of those made for large (P6) and for small (P2) objects."""
ANCHORS = 3
LEAST_CELLS = 4 * 4 + 2 * 2 + 1
"""Cells of the smallest picture, 32x32."""
MAX_ENDED_ROWS = 1000
"""An export with suppression inside gives no more boxes than this; a raw head's rows go by the picture."""

_POINTS_XY = (0, 8, 10)
_POINTS = (0, 8, 10, 12, 15)
"""Columns of no, four or five key points; as x and y, or with a certainty too."""
_KEEP_ALL = 2.0


class Layout(StrEnum):
    """What a row of the output is; `classes` and `points` stand for as many columns."""

    V5 = "x, y, width, height, objectness, points, classes"
    V8 = "x, y, width, height, classes, points"
    ENDED = "x0, y0, x1, y1, score, class, points"
    ENDED_BATCH = "picture, x0, y0, x1, y1, class, score"


class Yolo:
    """Detector for YOLO; `classes` of its card name the classes that the model knows, in their order.

    Which layout an output has is read off its shape, and checked against the picture at every run: a raw
    head has as many rows as the picture has cells, or thrice as many.

    Raises:
        ModelError: the first output can't be of any of the layouts.
    """

    def __init__(self, session: Session, threshold: float) -> None:
        self.session = session
        self.threshold = threshold
        self._head, shape = next(iter(session.outputs.items()))
        if not _may_fit(shape, len(session.card.classes)):
            raise misfit(session, _expected(len(session.card.classes)))

    @property
    def card(self) -> ModelCard:
        return self.session.card

    def detect(self, rgb: U8) -> Detections:
        (value,) = self.session.run(rgb, [self._head])
        height, width = rgb.shape[1:]
        layout = layout_of(value.shape, (width, height), len(self.card.classes))
        if layout is None:
            gave = f"for a picture of {width}x{height} it gave {list(value.shape)}"
            raise misfit(self.session, f"{_expected(len(self.card.classes))}; {gave}")
        rows = value if value.ndim == 2 else value[0]
        if layout is Layout.V8 and rows.shape[0] in _columns(layout, len(self.card.classes)):
            rows = rows.T
        try:
            xyxy, scores, classes = decode(rows, layout, self.card.classes, self.threshold)
        except ValueError as error:
            raise ModelError(f"the model {self.card.name}: {error}") from error
        ended = layout in (Layout.ENDED, Layout.ENDED_BATCH)
        return settle(xyxy, scores, classes, rgb, _KEEP_ALL if ended else MAX_IOU)


def layout_of(shape: Sequence[int], size: tuple[int, int], classes: int) -> Layout | None:
    """The layout of an output, None where it fits none.

    Args:
        shape: of the output.
        size: (width, height) of the picture that it belongs to, pixels.
        classes: that the model knows.
    """
    if len(shape) == 2:
        return Layout.ENDED_BATCH if shape[1] == 7 else None
    if len(shape) != 3 or shape[0] != 1:
        return None
    cells = [sum((size[0] // s) * (size[1] // s) for s in strides) for strides in STRIDES]
    rows, columns = shape[1:]
    if rows in [ANCHORS * n for n in cells] and columns in _columns(Layout.V5, classes):
        return Layout.V5
    free = _columns(Layout.V8, classes)
    if (rows in free and columns in cells) or (rows in cells and columns in free):
        return Layout.V8
    if rows <= MAX_ENDED_ROWS and columns in _columns(Layout.ENDED, classes):
        return Layout.ENDED
    return None


def decode(rows: F32, layout: Layout, classes: Sequence[str], threshold: float) -> tuple[F32, F32, tuple[str, ...]]:
    """Boxes whose best class has at least the score `threshold`.

    Args:
        rows: (n, columns) float32 as `layout` says; sizes in pixels, certainties in [0, 1].
        classes: the name of each class.

    Returns:
        (m, 4) float32 pixels, not clipped; (m,) float32 scores in [0, 1]; m class names.

    Raises:
        ValueError: a certainty lies outside [0, 1], or a class has no name.
    """
    if layout in (Layout.ENDED, Layout.ENDED_BATCH):
        order = (0, 1, 2, 3, 4, 5) if layout is Layout.ENDED else (1, 2, 3, 4, 6, 5)
        rows = rows[:, order]
        xyxy, scores, best = rows[:, :4], rows[:, 4], rows[:, 5].astype(int)
    else:
        first = rows.shape[1] - len(classes) if layout is Layout.V5 else 4
        certain = rows[:, first : first + len(classes)]
        if layout is Layout.V5:
            _require_shares(certain)
            certain = certain * rows[:, 4:5]
        best = certain.argmax(axis=1)
        scores = certain[np.arange(len(rows)), best]
        xyxy = from_center_size(rows[:, :4])
    _require_shares(scores)
    at = np.flatnonzero(scores >= threshold)
    if len(at) and not 0 <= best[at].min() <= best[at].max() < len(classes):
        raise ValueError(
            f"it gave the class {best[at].max()}, its card names {len(classes)} (from 0): {', '.join(classes)}"
        )
    return xyxy[at].astype(np.float32), np.clip(scores[at], 0, 1), tuple(classes[i] for i in best[at])


def _require_shares(values: F32) -> None:
    slack = 1e-3
    if len(values) and not -slack <= values.min() <= values.max() <= 1 + slack:
        raise ValueError(
            f"certainties run from {values.min():.3g} to {values.max():.3g}, they must lie in [0, 1]: "
            "export it with the sigmoid inside"
        )


def _columns(layout: Layout, classes: int) -> set[int]:
    if layout is Layout.V5:
        return {5 + classes + points for points in _POINTS_XY}
    if layout is Layout.V8:
        return {4 + classes + points for points in _POINTS}
    return {6 + points for points in _POINTS} if layout is Layout.ENDED else {7}


def _may_fit(shape: Sequence[int | str | None], classes: int) -> bool:
    """Whether an output with these dimensions, of which some may be free, can have any of the layouts."""

    def may(dim: int | str | None, allowed: set[int]) -> bool:
        return not isinstance(dim, int) or dim in allowed

    if len(shape) == 2:
        return may(shape[1], {7})
    if len(shape) != 3 or not may(shape[0], {1}):
        return False
    by_row = _columns(Layout.V5, classes) | _columns(Layout.V8, classes) | _columns(Layout.ENDED, classes)
    across = not isinstance(shape[2], int) or shape[2] >= LEAST_CELLS
    return may(shape[2], by_row) or (across and may(shape[1], _columns(Layout.V8, classes)))


def _expected(classes: int) -> str:
    v5, v8 = (sorted(_columns(layout, classes)) for layout in (Layout.V5, Layout.V8))
    named = f"{classes} class" + ("es" if classes > 1 else "")
    return (
        f"with the {named} of its card one output (1, rows, {_or(v5)}) as of YOLOv5, "
        f"(1, {_or(v8)}, rows) as of YOLOv8, or with suppression inside (1, up to {MAX_ENDED_ROWS}, 6) or (n, 7)"
    )


def _or(numbers: Sequence[int]) -> str:
    return "|".join(map(str, numbers))
