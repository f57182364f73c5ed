"""A searched file covered and encoded for delivery, and what that encode did to the picture and to the covering."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from vsanon import filters
from vsanon.encode import presets
from vsanon.errors import CheckError, InputError
from vsanon.job import pipeline
from vsanon.job.frames import frames_of, luma16, our_errors
from vsanon.job.settings import Settings
from vsanon.media.source import Source, open_source
from vsanon.tracks.file import read_tracks
from vsanon.validation.metrics import picture
from vsanon.validation.metrics.detection import residual_rate
from vsanon.validation.metrics.observed import Observed, tracked_boxes, true_boxes
from vsanon.validation.metrics.picture_parts import by_zone, zones
from vsanon.validation.metrics.summary import box_rows, evenly, plain
from vsanon.validation.metrics.unmeasured import NotMeasured
from vsanon.validation.runs.keys import key_of
from vsanon.validation.runs.known import Known
from vsanon.validation.runs.step_media import stream_figures
from vsanon.validation.runs.step_search import add_rows, settings_key
from vsanon.validation.runs.store import Result, Step, Store

ZONE_FRAMES = 12
"""The most frames that a delivered file is compared in by zone."""


def deliver(
    store: Store,
    encoded: Step,
    found: Step,
    settings: Settings,
    delivery: str,
    known: Known,
    models: Sequence[str] | None,
) -> Result:
    """Cover, encode for delivery, verify as the main job does, and measure what the delivery encode did.

    Args:
        store: where steps lie.
        encoded: the file that was searched.
        found: the search of it.
        settings: of the search, with the profile.
        delivery: name or path of the delivery preset.
        known: the true boxes; where nothing is known, what was tracked stands for them.
        models: VMAF models; None: no picture metrics.

    Raises:
        CheckError: a check of the main job failed.
    """
    preset = presets.load(delivery)
    name = f"delivered{preset.suffix}"
    first = _anonymised(store, encoded, found, replace(settings, preset="ffv1"))
    key = delivered_key(first.key, settings, delivery, known, models)

    def make(folder: Path) -> Result:
        master, tracks, output = first.file(), found.file(), folder / name
        book = pipeline.render_file(encoded.file(), tracks, output, replace(settings, preset=delivery))
        quality = None if models is None else picture.measure(master, output, models=models, threads=2)
        opened, table = open_source(output), read_tracks(tracks)
        boxes = {
            name: tracked_boxes(table, name) if known.truth is None else true_boxes(known.truth, name)
            for name in settings.search.classes
        }
        return {
            "stream": stream_figures(output, preset),
            "picture": None if quality is None else plain(quality),
            "zones": _zones(open_source(master), opened, tracks, found.result["codec"]),
            "residual": _residual(opened, settings, boxes, table.header["settings"]["turned"]),
            "checks": book["checks"],
            "command": book["ffmpeg_command"],
        }

    return store.step(key, make, name).result


def delivered_key(
    anonymised: str, settings: Settings, delivery: str, known: Known, models: Sequence[str] | None
) -> str:
    """The key of the delivered file, and of what was measured of it.

    Args:
        anonymised: of `anonymised_key`.
        settings, delivery, known, models: as for `deliver`.
    """
    vmaf, preset = None if models is None else list(models), plain(asdict(presets.load(delivery)))
    inputs = {"anonymised": anonymised, "preset": preset, "picture": vmaf, "truth": known.key}
    return key_of("deliver", **inputs, **settings_key(settings))


def anonymised_key(found: Step, settings: Settings) -> str:
    """The key of the covered picture without loss."""
    return key_of("anonymise", search=found.key, profile=settings.profile)


def _anonymised(store: Store, encoded: Step, found: Step, settings: Settings) -> Step:
    def make(folder: Path) -> Result:
        book = pipeline.render_file(encoded.file(), found.file(), folder / "anonymised.mkv", settings)
        return {"sha256": book["output"]["sha256"]}

    return store.step(anonymised_key(found, settings), make, "anonymised.mkv")


def _zones(first: Source, delivered: Source, tracks: Path, codec: str) -> dict[str, Any]:
    """Luma of the delivered file against the covered master: in the masks, in the band around them, outside.

    Masks were drawn to the block grid of the searched file, whose codec this is; the master has none.
    """
    with our_errors(InputError):
        data = filters.load(first.clip, tracks, same_picture=False)  # a covered clip is no more the analysed one
        matte = filters.mask(first.clip, data, grid=filters.grid_of(codec))
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


def _residual(opened: Source, settings: Settings, known: Mapping[str, Observed], turned: int) -> dict[str, Any]:
    """What the detector still finds of what was covered, in the delivered file; turned as its source was."""
    with our_errors(InputError):
        found = filters.detect(opened.clip, settings.search, turned=turned)
    rows: dict[str, list[list[float]]] = {name: [] for name in settings.search.classes}
    with our_errors(CheckError):
        for n, frame in enumerate(frames_of(found)):
            add_rows(rows, n, frame, settings.track.evidence)
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
