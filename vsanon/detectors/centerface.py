"""CenterFace: a heat map of face centres, with the log of the size and the offset of the centre at each cell.

Its fourth output, which finding faces does not need, gives five points of each: see `CenterFace.landmarks`.

The formula is that of the paper (Xu et al. 2019, arXiv 1911.03599, section 3) and of the authors' own
decoder, but a box that crosses the left or upper edge is cut there and not shifted inwards.
"""

import numpy as np

from vsanon.boxes import F32
from vsanon.detections import Detections
from vsanon.detectors.base import U8, misfit, settle, single_class
from vsanon.models import ModelCard, Session

CELL_PX = 4
MAX_IOU = 0.3

POINTS = 5
"""The eye at the left of the picture, the one at its right, the tip of the nose, the corners of the mouth."""

_HEADS = ("a heat map of 1 channel", "sizes of 2", "offsets of 2")


class CenterFace:
    """Detector for CenterFace; its outputs are known by their order and channels, as exports differ in names.

    Raises:
        ModelError: the outputs are not CenterFace's, or the card names several classes.
    """

    def __init__(self, session: Session, threshold: float) -> None:
        self.session = session
        self.threshold = threshold
        self._class = single_class(session.card)
        channels = [shape[1] if len(shape) == 4 else None for shape in session.outputs.values()]
        if channels[:3] != [1, 2, 2]:
            raise misfit(session, f"maps (1, channels, H/{CELL_PX}, W/{CELL_PX}): {', '.join(_HEADS)}")
        self._heads = list(session.outputs)[:3]
        self._points = list(session.outputs)[3:4] if channels[3:4] == [2 * POINTS] else []

    @property
    def card(self) -> ModelCard:
        return self.session.card

    def detect(self, rgb: U8) -> Detections:
        heat, log_size, offset = self.session.run(rgb, self._heads)
        cells = (rgb.shape[1] // CELL_PX, rgb.shape[2] // CELL_PX)
        if any(head.shape[2:] != cells for head in (heat, log_size, offset)):
            raise misfit(self.session, f"maps of {cells[0]}x{cells[1]} cells for this picture")
        xyxy, scores = decode(heat[0, 0], log_size[0], offset[0], self.threshold)
        return settle(xyxy, scores, self._class, rgb, MAX_IOU)

    def landmarks(self, rgb: U8) -> tuple[F32, F32] | None:
        """The points of the face that it is surest of; None where it finds none.

        Args:
            rgb: (3, H, W) uint8, as for `detect`.

        Returns:
            (4,) float32, the box, pixels, not clipped; and (5, 2) float32, its `POINTS`, pixels.

        Raises:
            ModelError: the model has no such output.
        """
        if not self._points:
            raise misfit(
                self.session, f"a fourth output of {2 * POINTS} channels, which says where {POINTS} points are"
            )
        heat, log_size, offset, points = self.session.run(rgb, [*self._heads, *self._points])
        y, x = np.unravel_index(int(heat[0, 0].argmax()), heat.shape[2:])
        if heat[0, 0, y, x] < self.threshold:
            return None
        at = np.full_like(heat[0, 0], 0)
        at[y, x] = 1
        (box,), _ = decode(at, log_size[0], offset[0], 1.0)
        # Shares of the box from its left upper corner, down before right.
        shares = points[0, :, y, x].reshape(POINTS, 2)[:, ::-1]
        return box, box[:2] + shares * (box[2:] - box[:2])


def decode(heat: F32, log_size: F32, offset: F32, threshold: float) -> tuple[F32, F32]:
    """Boxes of the cells whose heat is at least `threshold`.

    Args:
        heat: (H/4, W/4) float32, scores.
        log_size: (2, H/4, W/4) float32; the log of height and width, in cells.
        offset: (2, H/4, W/4) float32; down and to the right, in cells, from the cell's middle.

    Returns:
        (n, 4) float32 pixels, not clipped, and (n,) float32 scores in [0, 1].
    """
    y, x = np.nonzero(heat >= threshold)
    height, width = np.exp(log_size[:, y, x]) * CELL_PX
    cy = (y + offset[0, y, x] + 0.5) * CELL_PX
    cx = (x + offset[1, y, x] + 0.5) * CELL_PX
    xyxy = np.stack([cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2], axis=1)
    return xyxy.astype(np.float32), np.clip(heat[y, x], 0, 1)
