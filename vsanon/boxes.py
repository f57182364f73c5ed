"""Box geometry on arrays: clip, grow, overlap, suppress.

Boxes are (n, 4) float32 `x0, y0, x1, y1` in pixels, end-exclusive, so a box of the whole frame is
`0, 0, width, height` and its area is the number of pixels that it covers.
"""

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

AT_ONCE = 512
"""Of so many boxes the overlaps of each with each are computed at once, which takes a few megabytes."""


def as_boxes(xyxy: object) -> F32:
    """Return `xyxy` as (n, 4) float32; an empty input becomes (0, 4).

    Raises:
        ValueError: the shape is not (n, 4), or a value is not finite.
    """
    boxes = np.asarray(xyxy, dtype=np.float32)
    if boxes.size == 0:
        return np.zeros((0, 4), np.float32)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"boxes need the shape (n, 4), got {boxes.shape}")
    if not np.isfinite(boxes).all():
        raise ValueError("boxes must be finite")
    return boxes


def clip_boxes(xyxy: F32, size: tuple[int, int]) -> F32:
    """Clip boxes to the frame, keeping its last row and column.

    Args:
        xyxy: (n, 4) float32, pixels, end-exclusive.
        size: (width, height), pixels.

    Returns:
        (n, 4) float32; a box wholly outside has zero area.

    Examples:
        >>> clip_boxes(np.array([[-5, 10, 330, 180]], np.float32), (320, 180)).tolist()
        [[0.0, 10.0, 320.0, 180.0]]
    """
    limit = np.array([*size, *size], np.float32)
    return np.clip(as_boxes(xyxy), 0, limit).astype(np.float32)


def area(xyxy: F32) -> F32:
    """Area of each box, (n,) float32 in px²; a box turned inside out has none."""
    extent = np.maximum(xyxy[:, 2:] - xyxy[:, :2], 0)
    covered: F32 = extent[:, 0] * extent[:, 1]
    return covered


def center_size(xyxy: F32) -> F32:
    """Boxes as (n, 4) float32 `cx, cy, width, height`."""
    return np.concatenate([(xyxy[:, :2] + xyxy[:, 2:]) / 2, xyxy[:, 2:] - xyxy[:, :2]], axis=1)


def from_center_size(cxywh: F32) -> F32:
    """The inverse of `center_size`."""
    half = cxywh[:, 2:] / 2
    return np.concatenate([cxywh[:, :2] - half, cxywh[:, :2] + half], axis=1).astype(np.float32)


def scale_boxes(xyxy: F32, factor: tuple[float, float], offset: tuple[float, float] = (0.0, 0.0)) -> F32:
    """Map boxes by `(xyxy - offset) * factor`, both given as (x, y)."""
    shift = np.array([*offset, *offset], np.float32)
    scale = np.array([*factor, *factor], np.float32)
    return ((xyxy - shift) * scale).astype(np.float32)


def iou(a: F32, b: F32) -> F32:
    """Intersection over union of each pair, (len(a), len(b)) float32; two empty boxes give 0."""
    # Side by side and in place: with both axes in one array NumPy takes five times as long.
    inter = _shared(a[:, 0::2], b[:, 0::2])
    inter *= _shared(a[:, 1::2], b[:, 1::2])
    union = area(a)[:, None] + area(b)[None, :]
    union -= inter
    share: F32 = np.divide(inter, np.maximum(union, np.finfo(np.float32).tiny, out=union), out=inter)
    return share


def _shared(a: F32, b: F32) -> F32:
    """The length that each two of the spans (n, 2) and (m, 2) share, (n, m)."""
    shared: F32 = np.minimum.outer(a[:, 1], b[:, 1])
    shared -= np.maximum.outer(a[:, 0], b[:, 0])
    return np.maximum(shared, 0, out=shared)


def nms(xyxy: F32, scores: F32, threshold: float) -> NDArray[np.intp]:
    """Greedy non-maximum suppression.

    Args:
        xyxy: (n, 4) float32, pixels.
        scores: (n,) float32.
        threshold: boxes whose IoU with a kept, better one is at least this are dropped.

    Returns:
        Indices of the kept boxes, best score first; ties keep the order of the input.
    """
    order = np.argsort(-scores, kind="stable")
    kept = []
    # Row by row: the overlaps of each with each would take gigabytes where a low threshold lets thousands through.
    while len(order) > AT_ONCE:
        best, order = order[:1], order[1:]
        kept.append(best)
        order = order[iou(xyxy[best], xyxy[order])[0] < threshold]
    distinct = iou(xyxy[order], xyxy[order]) < threshold
    alive = np.ones(len(order), bool)
    for i in range(len(order)):
        if alive[i]:
            alive[i + 1 :] &= distinct[i, i + 1 :]
    return np.concatenate([*kept, order[alive]])
