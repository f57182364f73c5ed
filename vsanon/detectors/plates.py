"""The head of vsanon's own plate model: at each cell of four strides a score and the distances to the four sides.

The layout is that of FCOS (Tian et al. 2019, arXiv 1904.01355, section 3.1) without its centre-ness; the graph
gives the distances in pixels. See scripts/train_detector.
"""

import numpy as np

from vsanon.boxes import F32
from vsanon.detections import Detections
from vsanon.detectors.base import U8, misfit, settle, single_class
from vsanon.models import ModelCard, Session

MAX_IOU = 0.4
STRIDES = (8, 16, 32, 64)

_CHANNELS = {"score": 1, "box": 4}
_HEADS = {f"{head}_{stride}": channels for head, channels in _CHANNELS.items() for stride in STRIDES}


class Plates:
    """Detector for the models that scripts/train_detector exports; outputs are known by their names.

    Raises:
        ModelError: the outputs are not such a model's, or the card names several classes.
    """

    def __init__(self, session: Session, threshold: float) -> None:
        self.session = session
        self.threshold = threshold
        self._class = single_class(session.card)
        found = {name: shape[1] if len(shape) == 4 else None for name, shape in session.outputs.items()}
        if found != _HEADS:
            raise misfit(
                session, "maps (1, channels, rows, columns): score_8 to score_64 of 1, box_8 to box_64 of 4"
            )

    @property
    def card(self) -> ModelCard:
        return self.session.card

    def detect(self, rgb: U8) -> Detections:
        heads = dict(zip(_HEADS, self.session.run(rgb, list(_HEADS)), strict=True))
        parts = []
        for stride in STRIDES:
            # The coarsest grid has a row or column more where it does not divide the picture.
            cells = (-(-rgb.shape[1] // stride), -(-rgb.shape[2] // stride))
            score, box = heads[f"score_{stride}"], heads[f"box_{stride}"]
            if score.shape[2:] != cells or box.shape[2:] != cells:
                raise misfit(
                    self.session, f"maps of {cells[0]}x{cells[1]} cells at stride {stride} for this picture"
                )
            parts.append(decode(score[0, 0], box[0], stride, self.threshold))
        xyxy, scores = (np.concatenate(values) for values in zip(*parts, strict=True))
        return settle(xyxy, scores, self._class, rgb, MAX_IOU)


def decode(score: F32, box: F32, stride: int, threshold: float) -> tuple[F32, F32]:
    """Boxes of the cells whose score is at least `threshold`.

    Args:
        score: (rows, columns) float32.
        box: (4, rows, columns) float32; pixels from the cell's middle to the left, upper, right and lower side.

    Returns:
        (n, 4) float32 pixels, not clipped, and (n,) float32 scores in [0, 1].
    """
    y, x = np.nonzero(score >= threshold)
    left, top, right, bottom = box[:, y, x]
    cx, cy = (x + 0.5) * stride, (y + 0.5) * stride
    xyxy = np.stack([cx - left, cy - top, cx + right, cy + bottom], axis=1)
    return xyxy.astype(np.float32), np.clip(score[y, x], 0, 1)
