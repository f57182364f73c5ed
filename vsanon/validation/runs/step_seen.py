"""What is seen in a master, in one decoding for all its encodes: tiny pictures, and the true boxes.

Of the boxes it is their conditions, and the luma that encodes are compared with.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.filters.clips import grey
from vsanon.job.frames import frames_of, luma16
from vsanon.media.source import open_source
from vsanon.validation.metrics import conditions
from vsanon.validation.metrics.heads import Head
from vsanon.validation.metrics.stability import motion
from vsanon.validation.runs.keys import key_of
from vsanon.validation.runs.known import Known
from vsanon.validation.runs.step_heads import Heads, points_by
from vsanon.validation.runs.step_search import small_size
from vsanon.validation.runs.store import Result, Step, Store
from vsanon.validation.runs.true_boxes import TrueBoxes
from vsanon.validation.truth.boxes import Truth

FACE = "face"
"""The class whose boxes hold heads."""

_TINY, _BOXES = "tiny.npy", "boxes.npy"
_WIDE_PX = 64

U8 = NDArray[np.uint8]


def seen(store: Store, master: Step, known: Known) -> Step:
    """What is seen in a master.

    Args:
        store: where steps lie.
        master: the frames.
        known: the true boxes at its size and rate.

    Returns:
        The step: the frames that start a shot in `cuts`, and in `values` each condition of each row of the truth;
        `tiny_pictures` and `boxes_of` read what else it leaves.
    """
    truth = known.truth

    def make(folder: Path) -> Result:
        clip = open_source(master.file()).clip
        size, fps = (clip.width, clip.height), float(Fraction(master.result["fps"]))
        luma = luma16(clip)
        small = grey(luma, small_size(size))
        rows = _Rows(truth) if truth is not None else None
        boxes = TrueBoxes(known)
        pictures: list[U8] = []
        for n, (full, little) in enumerate(zip(frames_of(luma), small.frames(close=True), strict=True)):
            pictures.append(np.asarray(little[0]).copy())
            boxes.see(n, np.asarray(full[0]))
            if rows is not None:
                rows.see(n, np.asarray(full[0]))
        np.save(folder / _TINY, np.stack([tiny(picture) for picture in pictures]))
        np.save(folder / _BOXES, boxes.samples())
        cuts = [n for n, pair in enumerate(pairwise(pictures), start=1) if conditions.is_cut(*pair)]
        return {"cuts": cuts, "values": {} if rows is None else rows.values(pictures, cuts, fps, size)}

    return store.step(key_of("seen", master=master.key, truth=known.key, points=points_by()), make, _TINY)


def tiny(picture: U8) -> U8:
    """A picture of `small_size`, so small that what an encode does to it hardly shows."""
    height, width = picture.shape
    size = min(width, _WIDE_PX), max(1, min(height, round(height * _WIDE_PX / width)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def tiny_pictures(looked: Step) -> U8:
    """Those of the master, (n, h, w) uint8.

    Args:
        looked: of `seen`.
    """
    return np.asarray(np.load(looked.file()), np.uint8)


def boxes_of(looked: Step, master: Step, known: Known) -> TrueBoxes:
    """The true boxes of all classes with the master's luma.

    Args:
        looked, master, known: of `seen`.
    """
    boxes, (width, height) = TrueBoxes(known), master.result["size"]
    boxes.take(np.load(looked.file().with_name(_BOXES)), (height, width))
    return boxes


class _Rows:
    """What the picture shows of each row of a truth."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._looks: list[conditions.Look | None] = [None] * len(truth)
        self._heads: list[Head | None] = [None] * len(truth)
        self._turned = Heads()

    def see(self, n: int, luma: NDArray[np.uint16]) -> None:
        """Look at the boxes of frame `n`, (H, W)."""
        truth, rows = self._truth, self._truth.rows(n)
        for k in range(rows.start, rows.stop):
            self._looks[k] = conditions.look_at(luma, truth.xyxy[k])
            if truth.classes[k] == FACE:
                self._heads[k] = self._turned.see(luma, truth.xyxy[k])

    def values(
        self, pictures: Sequence[U8], cuts: Sequence[int], fps: float, size: tuple[int, int]
    ) -> dict[str, list[str]]:
        """The value of every condition for each row, by name.

        Args:
            pictures: each frame of the clip, small.
            cuts: frames that start a shot.
            fps: frames a second.
            size: (width, height) of the frames.
        """
        truth, last = self._truth, len(pictures) - 1
        # Only frames that show somebody need to know how the camera moves; the first moves as the second does.
        wanted = sorted({min(max(int(n), 1), last) for n in truth.frames} - {0})
        moved = np.zeros(last + 2)
        for n in wanted:
            flow = motion(pictures[n - 1 : n + 1]) if n not in cuts else None
            moved[n] = 0.0 if flow is None else conditions.camera_movement(flow) * fps
        moved[0] = moved[1]
        since = np.zeros(len(truth))
        for name in np.unique(truth.classes):
            own = truth.classes == name
            since[own] = conditions.seconds_since(truth.frames[own], truth.ids[own], cuts, fps)
        flags = truth.occluded, truth.readable
        return conditions.named(truth.xyxy, flags, self._looks, self._heads, since, moved[truth.frames], size)
