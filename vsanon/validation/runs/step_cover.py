"""A searched file covered, its masks measured against the truth, and its picture inside the true boxes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon import filters
from vsanon.boxes import F32
from vsanon.covering.masks import FrameLayout
from vsanon.job.frames import luma16_at
from vsanon.job.mattes import weights
from vsanon.job.settings import Settings
from vsanon.media.source import open_source
from vsanon.tracks.file import read_tracks
from vsanon.tracks.table import TrackTable
from vsanon.validation.metrics.alignment import alignment_warning, best_shift, stranger_warning
from vsanon.validation.metrics.exposure import ExposureMeter
from vsanon.validation.metrics.observed import tracked_boxes, true_boxes
from vsanon.validation.metrics.picture_parts import inside_boxes
from vsanon.validation.metrics.stability import mask_flicker, motion
from vsanon.validation.metrics.summary import box_rows, class_figures, evenly, plain, tracked_figures
from vsanon.validation.metrics.unmeasured import NotMeasured
from vsanon.validation.runs.keys import key_of
from vsanon.validation.runs.known import Known
from vsanon.validation.runs.step_search import LUMA, small_size
from vsanon.validation.runs.store import Result, Step, Store
from vsanon.validation.truth.boxes import Truth
from vsanon.validation.truth.persons import persons

REGION_FRAMES = 25
"""The most frames whose truth boxes are compared with the master."""
_PAD_PX = 8


def cover(store: Store, found: Step, known: Known, settings: Settings, under: Step | None) -> Result:
    """Cover what was found, and measure the masks against the truth.

    Args:
        store: where steps lie.
        found: the search.
        known: the true boxes at its size and rate.
        settings: of the search.
        under: the conditions of its boxes; None: nothing is known.
    """
    truth = known.truth
    key = key_of("cover", search=found.key, truth=known.key, conditions=None if under is None else under.key)

    def make(_: Path) -> Result:
        tracks, searched = found.file(), found.result
        (width, height), fps, frames = searched["size"], Fraction(searched["fps"]), searched["frames"]
        meter = ExposureMeter(truth if truth is not None else _nothing(), (width, height), fps)
        table = read_tracks(tracks)
        with _one_thread():
            flicker = _masks(searched, table, tracks.with_name(LUMA), meter)
        exposure = meter.result()
        classes: dict[str, Any] = {}
        for name in settings.search.classes:
            tracked, raw = tracked_boxes(table, name), box_rows(searched["detections"][name])
            classes[name] = {"tracked": tracked_figures(tracked, frames, fps)}
            if truth is not None and under is not None and name in exposure.classes:
                rows = searched["scored"][name]
                values, of = under.result["values"], persons(truth, name, float(fps), under.result["cuts"])
                scored = box_rows(rows), [row[5] for row in rows]
                classes[name] |= class_figures(truth, name, raw, scored, tracked, meter, values, of)
                own = true_boxes(truth, name)
                lies = stranger_warning(own, raw) or alignment_warning(best_shift(own, raw, frames))
                classes[name]["alignment"] = lies
            else:
                classes[name] |= dict.fromkeys(("detection", "exposure", "tracks", "stability"))
        without = NotMeasured("there is no truth to tell a needed mask from a needless one")
        return {
            "over_blur": plain(without) if truth is None else exposure.over_blur,
            "mask_flicker": plain(NotMeasured("a single frame does not flicker")) if flicker is None else flicker,
            "classes": classes,
        }

    return store.step(key, make).result


class TrueBoxes:
    """The true boxes that are compared with the master, and their luma once somebody has decoded the encode.

    Args:
        known: the true boxes at the encode's size and rate.
        classes: whose boxes.

    Attributes:
        key: says which truth.
        frames: those that are looked at, at most `REGION_FRAMES` a class.
        shape: (H, W) of the frames that were seen.
    """

    def __init__(self, known: Known, classes: Sequence[str]) -> None:
        self.classes = tuple(classes)
        self.key = known.key
        self.shape: tuple[int, ...] | None = None
        self._boxes: dict[int, list[tuple[str, F32]]] = {}
        truth = _nothing() if known.truth is None else known.truth
        for name in classes:
            true = true_boxes(truth, name)
            true = true.select(~true.ignore)
            frames = np.unique(true.frames)
            for n in [int(frames[k]) for k in evenly(len(frames), REGION_FRAMES)] if len(true) else []:
                self._boxes.setdefault(n, []).extend((name, box) for box in true.xyxy[true.rows(n)])
        self.frames = frozenset(self._boxes)
        self._seen: dict[int, list[NDArray[np.uint16]]] = {}

    @property
    def waiting(self) -> list[int]:
        """Frames that were not seen yet, rising."""
        return sorted(self.frames - self._seen.keys())

    def see(self, n: int, luma: NDArray[np.uint16]) -> None:
        """Keep what lies around the boxes of frame `n` of the encode, (H, W)."""
        self.shape = luma.shape
        self._seen[n] = [luma[_window(box, luma.shape)].copy() for _, box in self._boxes[n]]

    def compare(self, n: int, master: NDArray[np.uint16]) -> Iterator[tuple[str, tuple[float, float]]]:
        """Class, PSNR and SSIM of each box of frame `n` that lies in the frame, against the master's luma."""
        for (name, box), seen in zip(self._boxes[n], self._seen[n], strict=True):
            window = _window(box, master.shape)
            if not seen.size:
                continue
            origin = np.array([window[1].start, window[0].start] * 2, np.float32)
            found = inside_boxes(master[window], seen, (box - origin)[None], 16)
            if np.isfinite(found.psnr_db[0]):
                yield name, (float(found.psnr_db[0]), float(found.ssim[0]))


def regions(store: Store, source: Step, encoded: Step, boxes: TrueBoxes) -> Mapping[str, dict[str, Any] | None]:
    """PSNR and SSIM of the encoded luma inside the true boxes, against the master, by class.

    Args:
        store: where steps lie.
        source: the master.
        encoded: the encode of it.
        boxes: what is compared; frames that it has not seen are decoded.

    Returns:
        Number of boxes, and means of both, of a class; None where no box of it counts, or the sizes differ.
    """
    if not boxes.frames:
        return dict.fromkeys(boxes.classes)
    key = key_of("regions", master=source.key, encoded=encoded.key, truth=boxes.key, classes=list(boxes.classes))

    def make(_: Path) -> Result:
        master = open_source(source.file()).clip
        if waiting := boxes.waiting:
            for n, luma in luma16_at(open_source(encoded.file()).clip, waiting):
                boxes.see(n, luma)
        if boxes.shape != (master.height, master.width):
            return dict.fromkeys(boxes.classes)
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in boxes.classes}
        for n, luma in luma16_at(master, sorted(boxes.frames)):
            for name, quality in boxes.compare(n, luma):
                found[name].append(quality)
        return {name: _mean(values) for name, values in found.items()}

    return store.step(key, make).result


def _nothing() -> Truth:
    numbers, flags = np.zeros(0, np.int64), np.zeros(0, np.bool_)
    return Truth(numbers, numbers, np.zeros(0, np.str_), np.zeros((0, 4), np.float32), flags, flags, flags)


def _masks(searched: Result, table: TrackTable, luma: Path, meter: ExposureMeter) -> float | None:
    """Show every mask to the meter; the mean flicker from frame to frame, None of a single frame.

    Masks are drawn as `filters.mask` draws them, in the depth of the clip, for which no picture is needed.

    Args:
        searched: what the search found out.
        table: its tracks.
        luma: the small picture of each frame, as it leaves it.
        meter: takes the masks.
    """
    size = (searched["size"][0], searched["size"][1])
    small, grid, fields = small_size(size), filters.grid_of(searched["codec"]), searched["interlaced"]
    pictures = np.memmap(luma, np.uint8, "r", shape=(len(table), small[1], small[0]))
    before: NDArray[np.bool_] | None = None
    flickers: list[float] = []
    for n in range(len(table)):
        layout = FrameLayout(size, planes=1, interlaced=fields[n] if isinstance(fields, list) else fields)
        core, touched = _parts(weights(table.at(n), layout, grid)[0], searched["peak"])
        meter.add(n, core, touched)
        # A small pixel is masked where any of those that it stands for is.
        mask = cv2.resize(touched.astype(np.float32), small, interpolation=cv2.INTER_AREA) > 0
        if before is not None:
            moving = before.any() and mask.any()
            flow = motion((pictures[n - 1], pictures[n])) if moving else None
            flickers.append(mask_flicker(before, mask, flow))
        before = mask
    return float(np.mean(flickers)) if flickers else None


@contextmanager
def _one_thread() -> Iterator[None]:
    """OpenCV without threads of its own: on pictures this small they cost more than they gain."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _parts(weight: F32, peak: int | None) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where nothing of the picture is left, and where any of it is changed; None: samples are floats up to 1."""
    if peak is None:
        return weight == 1, weight > 0
    return weight >= 1 - 0.5 / peak, weight >= 0.5 / peak


def _window(box: F32, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The pixels of a box in a frame (H, W), with as much around it as the windows of SSIM reach."""
    low, high = np.floor(box[:2]) - _PAD_PX, np.ceil(box[2:]) + _PAD_PX
    (left, top), (right, bottom) = (np.clip(v, 0, shape[::-1]).astype(int).tolist() for v in (low, high))
    return slice(top, bottom), slice(left, right)


def _mean(values: Sequence[tuple[float, float]]) -> dict[str, Any] | None:
    if not values:
        return None
    psnr, ssim = np.mean(values, axis=0).tolist()
    return {"boxes": len(values), "psnr_db_mean": psnr, "ssim_mean": ssim}
