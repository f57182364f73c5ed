"""What a detector is, and the last steps that all families share."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32, area, clip_boxes, nms
from vsanon.detections import Detections
from vsanon.errors import ModelError
from vsanon.models import ModelCard, Session

U8 = NDArray[np.uint8]


class Detector(Protocol):
    """Finds boxes in one picture; keeps nothing, so that any number of threads may use it at a time."""

    @property
    def card(self) -> ModelCard:
        """The model behind it."""
        ...

    def detect(self, rgb: U8) -> Detections:
        """Find boxes in a picture.

        Args:
            rgb: (3, H, W) uint8, planar RGB; H and W are multiples of `card.input.stride`.

        Returns:
            Boxes in pixels of that picture, best first; a box lies within the picture and has an area.

        Raises:
            ValueError: `rgb` is not such an array.
            InputError: the model takes pictures of another size only.
            ModelError: the model fails, or its outputs are not those of its family.
        """
        ...


class Family(Protocol):
    """A class of detectors: opens one on a session, if the model's outputs are the family's."""

    def __call__(self, session: Session, threshold: float) -> Detector: ...


def settle(xyxy: F32, scores: F32, names: str | Sequence[str], rgb: U8, max_iou: float) -> Detections:
    """Clip raw boxes to the picture, drop those outside it, and keep the best of those that overlap.

    Args:
        xyxy: (n, 4) float32, pixels of the picture.
        scores: (n,) float32 in [0, 1].
        names: the class of each box, or the one of all; boxes of two classes never drop each other.
        rgb: (3, H, W), the picture.
        max_iou: boxes that overlap a better one by this much or more are dropped.
    """
    boxes = clip_boxes(xyxy, (rgb.shape[2], rgb.shape[1]))
    classes = np.full(len(boxes), names) if isinstance(names, str) else np.array(names, dtype=np.str_)
    inside = np.flatnonzero(area(boxes) > 0)
    parts = []
    for name in np.unique(classes[inside]):
        at = inside[classes[inside] == name]
        parts.append(at[nms(boxes[at], scores[at], max_iou)])
    kept = np.concatenate([np.zeros(0, np.intp), *parts])
    kept = kept[np.argsort(-scores[kept], kind="stable")]
    return Detections(boxes[kept], scores[kept], tuple(str(c) for c in classes[kept]))


def single_class(card: ModelCard) -> str:
    """The class of a family that knows one.

    Raises:
        ModelError: the card names several.
    """
    if len(card.classes) != 1:
        raise ModelError(
            f"the model {card.name}: {card.family} finds one class, its card names {list(card.classes)}"
        )
    return card.classes[0]


def misfit(session: Session, expected: str) -> ModelError:
    """The error for outputs that are not those of the card's family."""
    path = session.card.path
    where = f"in its card {path}" if path is not None and path.suffix != ".onnx" else "when opening it"
    found = ", ".join(f"{name} {list(shape)}" for name, shape in session.outputs.items())
    return ModelError(
        f"the model {session.card.name} is no {session.card.family}: expected {expected}, found {found}.\n"
        f"  Name its own family and all of its classes {where}."
    )
