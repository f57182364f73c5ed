"""A searched file covered, its masks measured against the truth, and its picture inside the true boxes."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon import filters, turns
from vsanon.covering.masks import FrameLayout, combined
from vsanon.detections import TrackedBoxes
from vsanon.job.frames import luma16_at
from vsanon.job.mattes import regions_of
from vsanon.job.settings import Settings
from vsanon.media.source import open_source
from vsanon.tracks.file import read_tracks
from vsanon.tracks.table import TrackTable
from vsanon.validation.metrics.alignment import alignment_warning, best_shift, stranger_warning
from vsanon.validation.metrics.exposure import ExposureMeter
from vsanon.validation.metrics.observed import tracked_boxes, true_boxes
from vsanon.validation.metrics.stability import mask_flicker, motion
from vsanon.validation.metrics.summary import box_rows, class_figures, plain, tracked_figures
from vsanon.validation.metrics.unmeasured import NotMeasured
from vsanon.validation.runs.keys import key_of
from vsanon.validation.runs.known import Known
from vsanon.validation.runs.step_search import LUMA, small_size
from vsanon.validation.runs.store import Result, Step, Store
from vsanon.validation.runs.true_boxes import TrueBoxes
from vsanon.validation.truth.boxes import Truth
from vsanon.validation.truth.persons import persons

Bool = NDArray[np.bool_]


def cover(store: Store, found: Step, known: Known, settings: Settings, looked: Step) -> Result:
    """Cover what was found, and measure the masks against the truth.

    Args:
        store: where steps lie.
        found: the search.
        known: the true boxes at its size and rate.
        settings: of the search.
        looked: of `step_seen`, for the conditions of the true boxes.
    """
    truth = known.truth
    key = key_of("cover", search=found.key, truth=known.key, seen=looked.key)

    def make(_: Path) -> Result:
        tracks, searched = found.file(), found.result
        (width, height), fps, frames = searched["size"], Fraction(searched["fps"]), searched["frames"]
        meter = ExposureMeter(truth if truth is not None else _nothing(), (width, height), fps)
        table = read_tracks(tracks)
        with turns.opencv_in_one():
            flicker = _masks(searched, table, tracks.with_name(LUMA), meter)
        exposure = meter.result()
        classes: dict[str, Any] = {}
        for name in settings.search.classes:
            tracked, raw = tracked_boxes(table, name), box_rows(searched["detections"][name])
            classes[name] = {"tracked": tracked_figures(tracked, frames, fps)}
            if truth is not None and name in exposure.classes:
                rows = searched["scored"][name]
                values, of = looked.result["values"], persons(truth, name, float(fps), looked.result["cuts"])
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


def regions(
    store: Store, source: Step, encoded: Step, boxes: TrueBoxes, its: Callable[[], TrueBoxes]
) -> Mapping[str, dict[str, Any] | None]:
    """PSNR and SSIM of the encoded luma inside the true boxes, against the master, by class.

    Args:
        store: where steps lie.
        source: the master.
        encoded: the encode of it.
        boxes: what is compared; frames that it has not seen are decoded.
        its: gives the same boxes in the master.

    Returns:
        Number of boxes, and means of both, of a class; None where no box of it counts, or the sizes differ.
    """
    if not boxes.frames:
        return dict.fromkeys(boxes.classes)
    key = key_of("regions", master=source.key, encoded=encoded.key, truth=boxes.key, classes=list(boxes.classes))

    def make(_: Path) -> Result:
        master = its()
        if waiting := boxes.waiting:
            for n, luma in luma16_at(open_source(encoded.file()).clip, waiting):
                boxes.see(n, luma)
        if boxes.shape != master.shape:
            return dict.fromkeys(boxes.classes)
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in boxes.classes}
        for name, quality in boxes.against(master):
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
        core, touched = parts_of(table.at(n), layout, grid, searched["peak"])
        meter.add(n, core, touched)
        mask = shrunk(touched, small)
        if before is not None:
            moving = before.any() and mask.any()
            flow = motion((pictures[n - 1], pictures[n])) if moving else None
            flickers.append(mask_flicker(before, mask, flow))
        before = mask
    return float(np.mean(flickers)) if flickers else None


def parts_of(boxes: TrackedBoxes, layout: FrameLayout, grid: int, peak: int | None) -> tuple[Bool, Bool]:
    """Where nothing of the picture is left, and where any of it is changed, (H, W) each.

    Args:
        boxes: what is covered.
        layout: of the frame.
        grid: side of the codec's blocks.
        peak: the greatest sample; None: samples are floats up to 1.
    """
    core, touched = (np.zeros(layout.plane_shape(0), np.bool_) for _ in range(2))
    window, weight = combined([masks[0] for masks in regions_of(boxes, layout, grid) if masks])
    if peak is None:
        core[window], touched[window] = weight == 1, weight > 0
    else:
        core[window], touched[window] = weight >= 1 - 0.5 / peak, weight >= 0.5 / peak
    return core, touched


def shrunk(mask: Bool, size: tuple[int, int]) -> Bool:
    """A mask in another size, (width, height): a pixel is masked where any of those that it stands for is."""
    (height, width), (w, h) = mask.shape, size
    if height % h or width % w:
        return np.asarray(cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0)
    rows = np.logical_or.reduce([mask[k :: height // h] for k in range(height // h)])
    return np.asarray(np.logical_or.reduce([rows[:, k :: width // w] for k in range(width // w)]))


def _mean(values: Sequence[tuple[float, float]]) -> dict[str, Any] | None:
    if not values:
        return None
    psnr, ssim = np.mean(values, axis=0).tolist()
    return {"boxes": len(values), "psnr_db_mean": psnr, "ssim_mean": ssim}
