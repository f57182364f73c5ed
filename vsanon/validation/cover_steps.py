"""A searched file covered, its masks measured against the truth, and its picture inside the true boxes."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import vapoursynth as vs
from numpy.typing import NDArray

from vsanon import filters
from vsanon.boxes import F32
from vsanon.errors import CheckError, InputError
from vsanon.frames import frames_of, our_errors
from vsanon.settings import Settings
from vsanon.source import open_source
from vsanon.trackfile import read_tracks
from vsanon.validation.alignment import alignment_warning, best_shift
from vsanon.validation.exposure import ExposureMeter
from vsanon.validation.measured import NotMeasured
from vsanon.validation.media_steps import luma16
from vsanon.validation.observed import Observed, tracked_boxes, true_boxes
from vsanon.validation.regions import inside_boxes
from vsanon.validation.search_steps import LUMA, small_size
from vsanon.validation.stability import mask_flicker, motion
from vsanon.validation.store import Result, Step, Store, key_of
from vsanon.validation.summary import box_rows, class_figures, evenly, plain, tracked_figures
from vsanon.validation.truth import Truth

REGION_FRAMES = 25
"""The most frames whose truth boxes are compared with the master."""
_PAD_PX = 8


def cover(
    store: Store, encoded: Step, found: Step, truth: Truth | None, truth_key: str, settings: Settings
) -> Result:
    """Cover what was found, and measure the masks against the truth.

    Args:
        store: where steps lie.
        encoded: the file that was searched.
        found: the search of it.
        truth: the true boxes at its size and rate; None: nothing is known.
        truth_key: says which truth.
        settings: of the search.
    """
    key = key_of("cover", {"search": found.key, "truth": truth_key})

    def make(_: Path) -> Result:
        tracks, said = found.file(), found.result
        (width, height), fps, frames = said["size"], Fraction(said["fps"]), said["frames"]
        meter = ExposureMeter(truth if truth is not None else _nothing(), (width, height), fps)
        # Masks need no picture, only its format; decoded again is what has frames of fields and others.
        clip = _blank(said) if said["fields"] is not None else open_source(encoded.file()).clip
        flicker = _masks(*matte_of(clip, said["codec"], tracks), tracks.with_name(LUMA), meter)
        table = read_tracks(tracks)
        exposure = meter.result()
        classes: dict[str, Any] = {}
        for name in settings.classes:
            tracked, raw = tracked_boxes(table, name), box_rows(said["detections"][name])
            classes[name] = {"tracked": tracked_figures(tracked, frames, fps)}
            if truth is not None and name in exposure.classes:
                classes[name] |= class_figures(truth, name, raw, tracked, meter)
                classes[name]["alignment"] = alignment_warning(best_shift(true_boxes(truth, name), raw, frames))
            else:
                classes[name] |= dict.fromkeys(("detection", "exposure", "tracks", "stability"))
        without = NotMeasured("there is no truth to tell a needed mask from a needless one")
        return {
            "over_blur": plain(without) if truth is None else exposure.over_blur,
            "mask_flicker": plain(NotMeasured("a single frame does not flicker")) if flicker is None else flicker,
            "classes": classes,
        }

    return store.step(key, make).result


def matte_of(clip: vs.VideoNode, codec: str, tracks: Path) -> tuple[vs.VideoNode, float]:
    """The matte of what is covered, and its greatest value.

    Args:
        clip: the file that was searched, or another of its size and length.
        codec: of that file.
        tracks: its track file.
    """
    with our_errors(InputError):
        matte = filters.mask(clip, filters.load(clip, tracks, check=False), grid=filters.grid_of(codec))
    assert matte.format is not None
    peak = 1.0 if matte.format.sample_type == vs.FLOAT else float((1 << matte.format.bits_per_sample) - 1)
    return matte, peak


def regions(
    store: Store, source: Step, encoded: Step, truth: Truth | None, truth_key: str, classes: Sequence[str]
) -> Mapping[str, dict[str, Any] | None]:
    """PSNR and SSIM of the encoded luma inside the true boxes, against the master, by class.

    Args:
        store: where steps lie.
        source: the master.
        encoded: the encode of it.
        truth: the true boxes at its size and rate; None: nothing is known.
        truth_key: says which truth.
        classes: whose boxes.

    Returns:
        Number of boxes, and means of both, of a class; None where no box of it counts, or the sizes differ.
    """
    known = {} if truth is None else {name: _counted(truth, name) for name in classes}
    known = {name: boxes for name, boxes in known.items() if len(boxes)}
    if not known:
        return dict.fromkeys(classes)
    inputs = {"master": source.key, "encoded": encoded.key, "truth": truth_key, "classes": sorted(known)}

    def make(_: Path) -> Result:
        master, opened = open_source(source.file()).clip, open_source(encoded.file()).clip
        if (master.width, master.height) != (opened.width, opened.height):
            return dict.fromkeys(known)
        chosen = {name: set(_chosen(boxes)) for name, boxes in known.items()}
        shown = sorted(set().union(*chosen.values()))
        # Chosen frames as clips of their own, read ahead: one by one, each would wait for the decoder.
        a, b = (vs.core.std.Splice([luma16(clip)[n] for n in shown]) for clip in (master, opened))
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in known}
        with our_errors(CheckError):
            for n, x, y in zip(shown, a.frames(close=True), b.frames(close=True), strict=True):
                for name, boxes in known.items():
                    for box in boxes.xyxy[boxes.rows(n)] if n in chosen[name] else ():
                        quality = _inside(np.asarray(x[0]), np.asarray(y[0]), box)
                        found[name] += [] if quality is None else [quality]
        return {name: _mean(values) for name, values in found.items()}

    result = store.step(key_of("regions", inputs), make).result
    return {name: result.get(name) for name in classes}


def _nothing() -> Truth:
    numbers, flags = np.zeros(0, np.int64), np.zeros(0, np.bool_)
    return Truth(numbers, numbers, np.zeros(0, np.str_), np.zeros((0, 4), np.float32), flags, flags, flags)


def _blank(said: Result) -> vs.VideoNode:
    """A clip of the size, depth, fields and length of the one that was searched, without its picture."""
    fps, (width, height) = Fraction(said["fps"]), said["size"]
    sample = vs.core.get_video_format(said["format"])
    gray = vs.core.query_video_format(vs.GRAY, sample.sample_type, sample.bits_per_sample)
    clip = vs.core.std.BlankClip(
        format=gray.id, width=width, height=height, length=said["frames"],
        fpsnum=fps.numerator, fpsden=fps.denominator, keep=True,
    )  # fmt: skip
    return clip.std.SetFieldBased(said["fields"])


def _masks(matte: vs.VideoNode, peak: float, luma: Path, meter: ExposureMeter) -> float | None:
    """Show every mask to the meter; the mean flicker from frame to frame, None of a single frame.

    Args:
        matte, peak: as of `matte_of`.
        luma: the small picture of each frame, as `search` leaves it.
        meter: takes the masks.
    """
    small = small_size((matte.width, matte.height))
    pictures = np.memmap(luma, np.uint8, "r", shape=(matte.num_frames, small[1], small[0]))
    before: NDArray[np.bool_] | None = None
    flickers: list[float] = []
    with our_errors(CheckError):
        for n, frame in enumerate(frames_of(matte)):
            weights = np.asarray(frame[0])
            touched = weights > 0
            meter.add(n, weights == peak, touched)
            # A small pixel is masked where any of those that it stands for is.
            mask = cv2.resize(touched.astype(np.float32), small, interpolation=cv2.INTER_AREA) > 0
            if before is not None:
                moving = before.any() and mask.any()
                flow = motion((pictures[n - 1], pictures[n])) if moving else None
                flickers.append(mask_flicker(before, mask, flow))
            before = mask
    return float(np.mean(flickers)) if flickers else None


def _counted(truth: Truth, name: str) -> Observed:
    own = true_boxes(truth, name)
    return own.select(~own.ignore)


def _chosen(boxes: Observed) -> list[int]:
    shown = np.unique(boxes.frames)
    return [int(shown[k]) for k in evenly(len(shown), REGION_FRAMES)]


def _inside(reference: NDArray[Any], distorted: NDArray[Any], box: F32) -> tuple[float, float] | None:
    """PSNR and SSIM of one box, looked at with as much around it as the windows of SSIM reach."""
    height, width = reference.shape
    left, top = (max(0, int(np.floor(v)) - _PAD_PX) for v in box[:2])
    right, bottom = (min(m, int(np.ceil(v)) + _PAD_PX) for v, m in zip(box[2:], (width, height), strict=True))
    if left >= right or top >= bottom:
        return None
    window = slice(top, bottom), slice(left, right)
    moved = (box - np.array([left, top, left, top], np.float32))[None]
    found = inside_boxes(reference[window], distorted[window], moved, 16)
    if not np.isfinite(found.psnr_db[0]):
        return None
    return float(found.psnr_db[0]), float(found.ssim[0])


def _mean(values: Sequence[tuple[float, float]]) -> dict[str, Any] | None:
    if not values:
        return None
    psnr, ssim = np.mean(values, axis=0).tolist()
    return {"boxes": len(values), "psnr_db_mean": psnr, "ssim_mean": ssim}
