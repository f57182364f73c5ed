"""RetinaFace: two certainties and a box for each prior; landmarks are not read.

Formula: Deng et al. 2019 (arXiv 1905.00641), and the PyTorch code that its public exports come from. Two sets
of priors are in use that no output tells apart, so they are two families: that of the original, for faces from
16 px, and that of the "1 MB" models, from 10 px. Their slim and RFB relatives have priors at four strides, which
the number of rows tells.
"""

import numpy as np

from vsanon.detections import Detections
from vsanon.detectors.base import U8, misfit, settle, single_class
from vsanon.detectors.priors import Sides, decode, squares
from vsanon.detectors.yunet import PRIOR_SIDES
from vsanon.models import ModelCard, Session

MAX_IOU = 0.4

SIDES: Sides = ((8, (16, 32)), (16, (64, 128)), (32, (256, 512)))
SIDES_1MB: Sides = ((8, (10, 20)), (16, (32, 64)), (32, (128, 256)))
SIDES_RFB = PRIOR_SIDES

_COLUMNS = (4, 2)


class RetinaFace:
    """Detector for RetinaFace; `loc` and `conf` are known by their columns, as exports differ in names.

    `conf` holds the certainties of background and face after the softmax.

    Raises:
        ModelError: the outputs are not RetinaFace's, or the card names several classes.
    """

    sides: tuple[Sides, ...] = (SIDES,)

    def __init__(self, session: Session, threshold: float) -> None:
        self.session = session
        self.threshold = threshold
        self._class = single_class(session.card)
        by_columns = {shape[2]: name for name, shape in session.outputs.items() if len(shape) == 3}
        if any(columns not in by_columns for columns in _COLUMNS):
            raise misfit(session, "outputs (1, priors, 4) and (1, priors, 2)")
        self._heads = [by_columns[columns] for columns in _COLUMNS]

    @property
    def card(self) -> ModelCard:
        return self.session.card

    def detect(self, rgb: U8) -> Detections:
        loc, conf = (value[0] for value in self.session.run(rgb, self._heads))
        known = [squares(rgb.shape[2], rgb.shape[1], sides) for sides in self.sides]
        priors = next((p for p in known if len(p) == len(loc) == len(conf)), None)
        if priors is None:
            rows = " or ".join(str(len(p)) for p in known)
            raise misfit(self.session, f"{rows} rows for this picture, not {len(loc)}")
        scores = np.clip(conf[:, 1], 0, 1)
        at = np.flatnonzero(scores >= self.threshold)
        return settle(decode(loc[at], priors[at]), scores[at], self._class, rgb, MAX_IOU)


class RetinaFace1MB(RetinaFace):
    """Detector for the "1 MB" models: MobileNet 0.25, slim and RFB."""

    sides = (SIDES_1MB, SIDES_RFB)
