"""The heads of true faces, looked at one by one with the model that says where eyes and nose are."""

from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32, iou
from vsanon.detectors import open_detector
from vsanon.detectors.centerface import CenterFace
from vsanon.models import cards, store
from vsanon.validation.metrics.detection import shorter_side
from vsanon.validation.metrics.heads import Head, head_of

MODEL = "centerface"
SURE = 0.3
"""The least score of a face whose points are believed."""
_PICTURE_PX, _FACE_PX = 128, 64
"""The side of the picture that the model sees, and the longer side of the box in it."""
_TELLS_PX = 12
_LEAST_IOU = 0.3


def points_by() -> list[Any] | None:
    """What the points of a face come from, for a key: the digests of the model; None where it is not here."""
    card = cards()[MODEL]
    return None if store.locate(card) is None else list(card.digests)


class Heads:
    """Looks at faces; an answer is None where the model is not here, or finds no face there that it is sure of."""

    @cached_property
    def _model(self) -> CenterFace | None:
        found = open_detector(MODEL, threshold=SURE) if points_by() is not None else None
        assert found is None or isinstance(found, CenterFace)
        return found

    def see(self, luma: NDArray[np.uint16], box: F32) -> Head | None:
        """How the head is turned whose face has this box.

        Args:
            luma: (H, W), as of `luma16`.
            box: (4,) float32, pixels.
        """
        if shorter_side(box[None])[0] < _TELLS_PX or self._model is None:
            return None
        scale = _FACE_PX / float(max(box[2] - box[0], box[3] - box[1]))
        middle = (box[:2] + box[2:]) / 2
        move = np.array(
            [[scale, 0, _PICTURE_PX / 2 - scale * middle[0]], [0, scale, _PICTURE_PX / 2 - scale * middle[1]]]
        )
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        seen = cv2.warpAffine(luma, move, (_PICTURE_PX, _PICTURE_PX), flags=how, borderMode=cv2.BORDER_REPLICATE)
        grey = (seen / 256).round().astype(np.uint8)
        found = self._model.landmarks(np.ascontiguousarray(np.broadcast_to(grey, (3, *grey.shape))))
        if found is None:
            return None
        face, points = found
        expected = (np.concatenate([box[:2], box[2:]]).reshape(2, 2) - middle) * scale + _PICTURE_PX / 2
        if iou(face[None], expected.reshape(1, 4).astype(np.float32))[0, 0] < _LEAST_IOU:
            return None  # of somebody beside
        return head_of(points)
