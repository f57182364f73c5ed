"""How much of each true box the masks cover, and how much they cover besides; areas are exact.

Fractional edges are taken exactly. A pixel is the unit square from (x, y) to (x + 1, y + 1), and a box
weighs it by the area that the two share, so a box 10..12.5 wide is 2.5 pixels wide, and missing its last
column costs 0.5 of 2.5. For over-blur, a pixel shared by several boxes counts with the largest share:
exact but for pixels in which the edges of two boxes meet.
"""

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32

F64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

ROUNDING = 1e-12
"""What float arithmetic may take off a coverage; a hundredth of a pixel of an 8K frame is 3e-10 of it."""


def missed_area(core: Bool, xyxy: F32) -> F64:
    """The area of each box that the mask leaves bare.

    Args:
        core: (H, W) bool, True where a pixel is fully covered.
        xyxy: (n, 4) float32, pixels, inside the frame.

    Returns:
        (n,) float64 in px²; exactly 0 where every pixel that the box touches is covered.
    """
    missed = np.zeros(len(xyxy))
    for i, box in enumerate(xyxy):
        rows, row_share = _overlap(box[1], box[3])
        columns, column_share = _overlap(box[0], box[2])
        missed[i] = row_share @ ~core[rows, columns] @ column_share
    return missed


def stray_area(touched: Bool, xyxy: F32) -> float:
    """The masked area outside all boxes, |M \\ ∪g| in px².

    Args:
        touched: (H, W) bool, True where the mask changes a pixel at all.
        xyxy: (n, 4) float32, pixels, inside the frame.
    """
    if not len(xyxy):
        return float(np.count_nonzero(touched))
    # Only the rectangle around all boxes needs shares of pixels; outside it a masked pixel is all stray.
    left, top = np.floor(xyxy[:, :2].min(axis=0)).astype(int)
    right, bottom = np.ceil(xyxy[:, 2:].max(axis=0)).astype(int)
    share = np.zeros((bottom - top, right - left))
    for x0, y0, x1, y1 in xyxy - np.array([left, top, left, top], np.float32):
        rows, row_share = _overlap(y0, y1)
        columns, column_share = _overlap(x0, x1)
        view = share[rows, columns]
        np.maximum(view, np.outer(row_share, column_share), out=view)
    return float(np.count_nonzero(touched) - share[touched[top:bottom, left:right]].sum())


def coverage(missed_px: F64, area_px: F64) -> F64:
    """cov(g), (n,) float64 in [0, 1]; exactly 1 where nothing is missed."""
    return 1 - missed_px / area_px


def is_exposed(cov: F64, tau: float) -> Bool:
    """Where the coverage is below `tau`."""
    return cov < tau - ROUNDING


def _overlap(low: np.float32, high: np.float32) -> tuple[slice, F64]:
    """The pixels that `low..high` touches along one axis, and the share of each that lies inside."""
    start, stop = int(np.floor(low)), int(np.ceil(high))
    edge = np.arange(start, stop, dtype=np.float64)
    return slice(start, stop), np.minimum(edge + 1, float(high)) - np.maximum(edge, float(low))
