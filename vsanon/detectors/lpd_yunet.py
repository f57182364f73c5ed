"""LPD-YuNet: plates as quadrilaterals on YuNet's older priors; what is kept is the box around each.

Formula: the decoder of OpenCV's model zoo (license_plate_detection_yunet). A row of `loc` holds a box and five
points; the plate's corners are the first, second, fourth and fifth of these.
"""

import numpy as np

from vsanon.boxes import F32
from vsanon.detections import Detections
from vsanon.detectors.base import U8, misfit, settle, single_class
from vsanon.detectors.priors import VARIANCES, squares
from vsanon.detectors.yunet import PRIOR_SIDES, prior_scores
from vsanon.models import ModelCard, Session

MAX_IOU = 0.3

_CORNERS = ((4, 5), (6, 7), (10, 11), (12, 13))
_COLUMNS = {"loc": 14, "conf": 2, "iou": 1}


class LpdYuNet:
    """Detector for LPD-YuNet.

    Raises:
        ModelError: the outputs are not LPD-YuNet's, or the card names several classes.
    """

    def __init__(self, session: Session, threshold: float) -> None:
        self.session = session
        self.threshold = threshold
        self._class = single_class(session.card)
        columns = {name: shape[-1] for name, shape in session.outputs.items() if shape}
        if not _COLUMNS.items() <= columns.items():
            raise misfit(session, f"outputs with these columns: {_COLUMNS}")

    @property
    def card(self) -> ModelCard:
        return self.session.card

    def detect(self, rgb: U8) -> Detections:
        loc, conf, overlap = self.session.run(rgb, list(_COLUMNS))
        priors = squares(rgb.shape[2], rgb.shape[1], PRIOR_SIDES)
        if not len(loc) == len(conf) == len(overlap) == len(priors):
            raise misfit(self.session, f"{len(priors)} rows for this picture, not {len(loc)}")
        scores = prior_scores(conf[:, 1], overlap[:, 0])
        at = np.flatnonzero(scores >= self.threshold)
        corners = decode_corners(loc[at], priors[at])
        xyxy = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
        return settle(xyxy, scores[at], self._class, rgb, MAX_IOU)


def decode_corners(loc: F32, priors: F32) -> F32:
    """The quadrilaterals, (n, 4, 2) float32 pixels, not clipped.

    Args:
        loc: (n, 14) float32; four of its points are corners, as offsets in sides of the prior, divided by
            the variance.
        priors: (n, 3) float32, as `squares` gives them.
    """
    offsets = loc[:, np.array(_CORNERS)]
    corners: F32 = priors[:, None, :2] + offsets * np.float32(VARIANCES[0]) * priors[:, None, 2:]
    return corners.astype(np.float32)
