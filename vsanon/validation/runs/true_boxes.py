"""The true boxes whose picture is compared between a master and its encodes, with their luma in one of these."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32
from vsanon.validation.metrics.observed import true_boxes
from vsanon.validation.metrics.picture_parts import inside_boxes
from vsanon.validation.metrics.summary import evenly
from vsanon.validation.runs.known import Known

REGION_FRAMES = 25
"""The most frames of a class whose boxes are compared."""
_PAD_PX = 8

U16 = NDArray[np.uint16]


class TrueBoxes:
    """True boxes, and what lies around them once somebody has decoded their frames.

    Args:
        known: the true boxes at the size and rate of the frames.
        classes: whose boxes; None: of all that it has.

    Attributes:
        classes: whose boxes.
        key: says which truth.
        frames: those that are looked at, at most `REGION_FRAMES` a class.
        shape: (H, W) of the frames that were seen.
    """

    def __init__(self, known: Known, classes: Sequence[str] | None = None) -> None:
        truth = known.truth
        there = [] if truth is None else np.unique(truth.classes).tolist()
        self.classes = tuple(there if classes is None else classes)
        self.key = known.key
        self.shape: tuple[int, ...] | None = None
        rows: list[tuple[int, str, F32]] = []
        for name in self.classes:
            if truth is None:
                break
            true = true_boxes(truth, name)
            true = true.select(~true.ignore)
            frames = np.unique(true.frames)
            for n in [int(frames[k]) for k in evenly(len(frames), REGION_FRAMES)] if len(true) else []:
                rows.extend((n, name, box) for box in true.xyxy[true.rows(n)])
        self._rows = sorted(rows, key=lambda row: row[:2])
        self._seen: list[U16 | None] = [None] * len(rows)
        self._at: dict[int, list[int]] = defaultdict(list)
        for k, (n, *_) in enumerate(self._rows):
            self._at[n].append(k)
        self.frames = frozenset(self._at)

    @property
    def waiting(self) -> list[int]:
        """Frames that were not seen yet, rising."""
        return sorted({row[0] for row, seen in zip(self._rows, self._seen, strict=True) if seen is None})

    def see(self, n: int, luma: U16) -> None:
        """Keep what lies around the boxes of frame `n` of `frames`, (H, W)."""
        self.shape = luma.shape
        for k in self._at[n]:
            self._seen[k] = luma[_window(self._rows[k][2], luma.shape)].copy()

    def samples(self) -> U16:
        """All that was kept, one after the other, for a file."""
        return np.concatenate([np.zeros(0, np.uint16), *(part.ravel() for part in self._seen if part is not None)])

    def take(self, samples: U16, shape: tuple[int, int]) -> None:
        """Keep what another one kept of the same boxes in frames of this shape, (H, W): its `samples`."""
        self.shape, at = shape, 0
        for k, (*_, box) in enumerate(self._rows):
            height, width = (span.stop - span.start for span in _window(box, shape))
            self._seen[k] = samples[at : at + height * width].reshape(height, width)
            at += height * width

    def against(self, master: "TrueBoxes") -> Iterator[tuple[str, tuple[float, float]]]:
        """Class, PSNR and SSIM of each box that lies in the frame.

        Args:
            master: these boxes and maybe those of other classes, in frames of the same shape.
        """
        theirs = zip(master._rows, master._seen, strict=True)
        own = [seen for row, seen in theirs if row[1] in self.classes]
        for (n, name, box), reference, seen in zip(self._rows, own, self._seen, strict=True):
            if self.shape is None or reference is None or seen is None:
                raise ValueError(f"frame {n} has not been seen on both sides")
            if not seen.size:
                continue
            rows, columns = _window(box, self.shape)
            origin = np.array([columns.start, rows.start] * 2, np.float32)
            found = inside_boxes(reference, seen, (box - origin)[None], 16)
            if np.isfinite(found.psnr_db[0]):
                yield name, (float(found.psnr_db[0]), float(found.ssim[0]))


def _window(box: F32, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The pixels of a box in a frame (H, W), with as much around it as the windows of SSIM reach."""
    low, high = np.floor(box[:2]) - _PAD_PX, np.ceil(box[2:]) + _PAD_PX
    (left, top), (right, bottom) = (np.clip(v, 0, shape[::-1]).astype(int).tolist() for v in (low, high))
    return slice(top, bottom), slice(left, right)
