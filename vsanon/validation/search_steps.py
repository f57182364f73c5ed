"""What vsanon does with an encoded file: search it, cover it, deliver it, and search what was delivered."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import vapoursynth as vs
from numpy.typing import NDArray

from vsanon import filters, pipeline, presets, props
from vsanon.boxes import F32
from vsanon.encode import ffmpeg_version
from vsanon.errors import CheckError, InputError
from vsanon.frames import frames_of, our_errors
from vsanon.settings import Settings, track_header
from vsanon.source import Source, open_source
from vsanon.trackfile import TrackWriter, read_tracks
from vsanon.validation import picture
from vsanon.validation.alignment import alignment_warning, best_shift
from vsanon.validation.detection import residual_rate
from vsanon.validation.exposure import ExposureMeter
from vsanon.validation.measured import NotMeasured
from vsanon.validation.media_steps import luma16, stream_figures
from vsanon.validation.observed import Observed, tracked_boxes, true_boxes
from vsanon.validation.regions import by_zone, inside_boxes, zones
from vsanon.validation.stability import mask_flicker, motion
from vsanon.validation.store import Result, Step, Store, key_of
from vsanon.validation.summary import box_rows, class_figures, evenly, plain, tracked_figures
from vsanon.validation.truth import Truth

TRACKS = "tracks.vsanon"
FLICKER_PX = 320
"""The longer side of the picture that motion and flicker are measured on."""
REGION_FRAMES = 25
"""The most frames whose truth boxes are compared with the master."""
ZONE_FRAMES = 12
"""The most frames that a delivered file is compared in by zone."""
_PAD_PX = 8
_DETECTIONS_KEPT = 1024


def settings_key(settings: Settings) -> dict[str, Any]:
    """What a search depends on: the settings, and its models by content."""
    cards = {name: [card.sha256 for card in used] for name, used in settings.cards().items()}
    return {"search": plain({**settings.search, "track": asdict(settings.track)}), "models": cards}


def search(store: Store, encoded: Step, settings: Settings) -> Step:
    """Detect and track; the track file, and the detections that need no track to be covered.

    Raises:
        CheckError: a frame could not be searched.
        MissingError: a model is missing.
    """
    key = key_of("search", {"encoded": encoded.key, **settings_key(settings)})

    def make(folder: Path) -> Result:
        opened = open_source(encoded.file())
        with our_errors(InputError):
            found = filters.detect(opened.clip, **settings.search)
            data = filters.track(found, settings.track)
            # The tracker is far ahead of this step, which reads each detection too: it would be made twice.
            vs.core.std.SetVideoCache(found, mode=1, fixedsize=True, maxsize=_DETECTIONS_KEPT)
            writer = TrackWriter(track_header(opened, settings))
        rows: dict[str, list[list[float]]] = {name: [] for name in settings.classes}
        with our_errors(CheckError):
            for n, (raw, tracked) in enumerate(zip(found.frames(close=True), frames_of(data), strict=True)):
                _add_rows(rows, n, raw, settings.track.cover_score)
                writer.add(props.read_tracked(tracked.props), cut=bool(tracked.props.get(props.CUT)))
        digest = writer.write(folder / TRACKS)
        return {
            "tracks_sha256": digest,
            "frames": opened.clip.num_frames,
            "size": [opened.clip.width, opened.clip.height],
            "fps": str(opened.timeline.fps),
            "source_filter": opened.filter_version,
            "detections": rows,
        }

    return store.step(key, make, TRACKS)


def cover(
    store: Store,
    source: Step,
    encoded: Step,
    found: Step,
    truth: Truth | None,
    truth_key: str,
    settings: Settings,
) -> Result:
    """Cover what was found, and measure the masks against the truth.

    Args:
        store: where steps lie.
        source: the master.
        encoded: the file that was searched.
        found: the search of it.
        truth: the true boxes at its size and rate; None: nothing is known.
        truth_key: says which truth.
        settings: of the search.
    """
    key = key_of("cover", {"search": found.key, "truth": truth_key, "master": source.key})

    def make(_: Path) -> Result:
        opened, tracks = open_source(encoded.file()), found.file()
        size, fps, frames = (opened.clip.width, opened.clip.height), opened.timeline.fps, opened.clip.num_frames
        meter = ExposureMeter(truth if truth is not None else _nothing(), size, fps)
        flicker = _masks(opened, tracks, meter)
        table = read_tracks(tracks)
        exposure = meter.result()
        classes: dict[str, Any] = {}
        for name in settings.classes:
            tracked, raw = tracked_boxes(table, name), box_rows(found.result["detections"][name])
            classes[name] = {"tracked": tracked_figures(tracked, frames, fps)}
            known = truth is not None and name in exposure.classes
            if truth is not None and known:
                classes[name] |= class_figures(truth, name, raw, tracked, meter)
                classes[name]["regions"] = _regions(source.file(), opened, truth, name)
                classes[name]["alignment"] = alignment_warning(best_shift(true_boxes(truth, name), raw, frames))
            else:
                classes[name] |= dict.fromkeys(("detection", "exposure", "tracks", "stability", "regions"))
        without = NotMeasured("there is no truth to tell a needed mask from a needless one")
        return {
            "over_blur": plain(without) if truth is None else exposure.over_blur,
            "mask_flicker": plain(NotMeasured("a single frame does not flicker")) if flicker is None else flicker,
            "classes": classes,
        }

    return store.step(key, make).result


def deliver(
    store: Store,
    encoded: Step,
    found: Step,
    settings: Settings,
    delivery: str,
    truth: Truth | None,
    models: Sequence[str] | None,
) -> Result:
    """Cover, encode for delivery, verify as the main job does, and measure what the delivery encode did.

    Args:
        store: where steps lie.
        encoded: the file that was searched.
        found: the search of it.
        settings: of the search, with the profile.
        delivery: name or path of the delivery preset.
        truth: the true boxes; None: what was tracked stands for it.
        models: VMAF models; None: no picture metrics.

    Raises:
        CheckError: a check of the main job failed.
    """
    preset = presets.load(delivery)
    first = _anonymised(store, encoded, found, replace(settings, preset="ffv1"))
    inputs = {"master": first.key, "preset": plain(asdict(preset)), "ffmpeg": ffmpeg_version()}
    more = {"models": None if models is None else list(models), "truth": truth is not None}
    key = key_of("deliver", {**inputs, **more, **settings_key(settings)})

    def make(folder: Path) -> Result:
        master, tracks, output = first.file(), found.file(), folder / f"delivered{preset.suffix}"
        book = pipeline.render_file(encoded.file(), tracks, output, replace(settings, preset=delivery))
        quality = None if models is None else picture.measure(master, output, models=models, threads=2)
        opened, table = open_source(output), read_tracks(tracks)
        known = {
            name: true_boxes(truth, name) if truth is not None else tracked_boxes(table, name)
            for name in settings.classes
        }
        return {
            "stream": stream_figures(output, preset),
            "picture": None if quality is None else plain(quality),
            "zones": _zones(open_source(master), opened, tracks),
            "residual": _residual(opened, settings, known),
            "checks": book["checks"],
            "command": book["ffmpeg_command"],
        }

    return store.step(key, make).result


def anonymised_key(found: Step, settings: Settings) -> str:
    """The key of the covered picture without loss."""
    inputs = {"search": found.key, "profile": settings.profile, "ffmpeg": ffmpeg_version()}
    return key_of("anonymise", inputs)


def _anonymised(store: Store, encoded: Step, found: Step, settings: Settings) -> Step:
    def make(folder: Path) -> Result:
        book = pipeline.render_file(encoded.file(), found.file(), folder / "anonymised.mkv", settings)
        return {"sha256": book["output"]["sha256"]}

    return store.step(anonymised_key(found, settings), make, "anonymised.mkv")


def _add_rows(rows: Mapping[str, list[list[float]]], n: int, frame: vs.VideoFrame, score: float) -> None:
    """Keep what is covered by itself; weaker detections only help a track along, and are many."""
    boxes = props.read_detections(frame.props)
    for box, name, own in zip(boxes.xyxy.tolist(), boxes.classes, boxes.scores.tolist(), strict=True):
        if own >= score:
            rows[name].append([n, *box])


def _nothing() -> Truth:
    numbers, flags = np.zeros(0, np.int64), np.zeros(0, np.bool_)
    return Truth(numbers, numbers, np.zeros(0, np.str_), np.zeros((0, 4), np.float32), flags, flags, flags)


def _matte(opened: Source, tracks: Path, *, check: bool = True) -> tuple[vs.VideoNode, float]:
    """The matte of what is covered, and its greatest value; a covered clip is no more the one of the track file."""
    with our_errors(InputError):
        data = filters.load(opened.clip, tracks, check=check)
        matte = filters.mask(opened.clip, data, grid=filters.grid_of(opened.video.codec))
    assert matte.format is not None
    peak = 1.0 if matte.format.sample_type == vs.FLOAT else float((1 << matte.format.bits_per_sample) - 1)
    return matte, peak


def _masks(opened: Source, tracks: Path, meter: ExposureMeter) -> float | None:
    """Show every mask to the meter; the mean flicker from frame to frame, None of a single frame."""
    matte, peak = _matte(opened, tracks)
    factor = max(1, -(-max(opened.clip.width, opened.clip.height) // FLICKER_PX))
    small = (max(1, opened.clip.width // factor), max(1, opened.clip.height // factor))
    with our_errors(CheckError):
        luma = luma16(opened.clip).resize.Bilinear(*small, format=vs.GRAY8)
        before: tuple[NDArray[np.uint8], NDArray[np.bool_]] | None = None
        flickers: list[float] = []
        for n, (frame, plane) in enumerate(zip(frames_of(matte), luma.frames(close=True), strict=True)):
            weights = np.asarray(frame[0])
            touched = weights > 0
            meter.add(n, weights == peak, touched)
            # A small pixel is masked where any of those that it stands for is.
            mask = cv2.resize(touched.astype(np.float32), small, interpolation=cv2.INTER_AREA) > 0
            picture_now = np.asarray(plane[0]).copy()
            if before is not None:
                moving = before[1].any() and mask.any()
                flow = motion((before[0], picture_now)) if moving else None
                flickers.append(mask_flicker(before[1], mask, flow))
            before = picture_now, mask
    return float(np.mean(flickers)) if flickers else None


def _regions(reference: Path, opened: Source, truth: Truth, name: str) -> dict[str, Any] | None:
    """PSNR and SSIM of the encoded luma inside the true boxes, against the master."""
    own = true_boxes(truth, name)
    own = own.select(~own.ignore)
    master = open_source(reference)
    if (master.clip.width, master.clip.height) != (opened.clip.width, opened.clip.height) or not len(own):
        return None
    shown = np.unique(own.frames)
    chosen = [int(shown[k]) for k in evenly(len(shown), REGION_FRAMES)]
    # Chosen frames as clips of their own, read ahead: one by one, each would wait for the decoder.
    a, b = (vs.core.std.Splice([luma16(clip)[n] for n in chosen]) for clip in (master.clip, opened.clip))
    psnr: list[float] = []
    ssim: list[float] = []
    for n, x, y in zip(chosen, a.frames(close=True), b.frames(close=True), strict=True):
        for box in own.xyxy[own.rows(n)]:
            quality = _inside(np.asarray(x[0]), np.asarray(y[0]), box)
            if quality is not None:
                psnr.append(quality[0])
                ssim.append(quality[1])
    if not psnr:
        return None
    return {"boxes": len(psnr), "psnr_db_mean": float(np.mean(psnr)), "ssim_mean": float(np.mean(ssim))}


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


def _zones(first: Source, delivered: Source, tracks: Path) -> dict[str, Any]:
    """Luma of the delivered file against the covered master: in the masks, in the band around them, outside."""
    matte, _ = _matte(first, tracks, check=False)
    a, b = luma16(first.clip), luma16(delivered.clip)
    figures: dict[str, list[tuple[float, float]]] = {"inside": [], "band": [], "outside": []}
    for n in evenly(first.clip.num_frames, ZONE_FRAMES):
        with a.get_frame(n) as x, b.get_frame(n) as y, matte.get_frame(n) as mask:
            parts = zones(np.asarray(mask[0]) > 0)
            for name, values in by_zone(np.asarray(x[0]), np.asarray(y[0]), parts, 16).items():
                if values is not None:
                    figures[name].append(values)
    return {
        name: {
            "frames": len(values),
            "psnr_db_mean": float(np.mean([v[0] for v in values])),
            "psnr_db_minimum": float(min(v[0] for v in values)),
            "ssim_mean": float(np.mean([v[1] for v in values])),
        }
        if values
        else None
        for name, values in figures.items()
    }


def _residual(opened: Source, settings: Settings, known: Mapping[str, Observed]) -> dict[str, Any]:
    """What the detector still finds of what was covered, in the delivered file."""
    with our_errors(InputError):
        found = filters.detect(opened.clip, **settings.search)
    rows: dict[str, list[list[float]]] = {name: [] for name in settings.classes}
    with our_errors(CheckError):
        for n, frame in enumerate(frames_of(found)):
            _add_rows(rows, n, frame, settings.track.cover_score)
    figures = {}
    for name, boxes in known.items():
        shown = len(np.unique(boxes.frames[~boxes.ignore]))
        rate = residual_rate(boxes, box_rows(rows[name]))
        none = NotMeasured("no frame shows anyone")
        figures[name] = {
            "found": 0 if rate is None else round(rate * shown / 1000),
            "shown_frames": shown,
            "per_1000": plain(none) if rate is None else rate,
        }
    return figures
