"""The figures of one class in one cell, as plain values: what the evidence holds of it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from fractions import Fraction
from itertools import pairwise
from math import floor, log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon.validation.metrics.box_coverage import is_exposed
from vsanon.validation.metrics.conditions import CONDITIONS
from vsanon.validation.metrics.detection import DetectionScores, scores, shorter_side
from vsanon.validation.metrics.errors_of_boxes import split_and_fit
from vsanon.validation.metrics.exposure import ClassExposure, ExposureMeter
from vsanon.validation.metrics.observed import Observed, true_boxes
from vsanon.validation.metrics.pooling import stretch
from vsanon.validation.metrics.stability import stability, switching
from vsanon.validation.metrics.sweep import sweep
from vsanon.validation.metrics.tracking import clear, hota, idf1, lost_tracks
from vsanon.validation.metrics.unmeasured import NotMeasured
from vsanon.validation.truth.boxes import Truth

_HALF_OCTAVES = 2


def plain(value: Any) -> Any:
    """A figure as JSON has it: a fraction as text, what is not measured with its reason, tuples as lists."""
    if isinstance(value, NotMeasured):
        return {"not_measured": value.reason}
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return str(value) if isinstance(value, Fraction) else value


def tracked_figures(tracked: Observed, frames: int, fps: Fraction) -> dict[str, Any]:
    """What can be said of the tracks of a class without truth."""
    return {
        "boxes": len(tracked),
        "tracks": len(np.unique(tracked.ids)),
        "frames": frames,
        "switches_per_identity_second": switching(tracked, fps).per_identity_second,
    }


def class_figures(
    truth: Truth,
    name: str,
    found: Observed,
    scored: tuple[Observed, Sequence[float]],
    tracked: Observed,
    meter: ExposureMeter,
    under: Mapping[str, Sequence[str]],
    person: Mapping[int, int],
) -> dict[str, Any]:
    """All figures of a class against its truth.

    Args:
        truth: the true boxes of the clip.
        name: the class; some of its truth counts.
        found: what was detected and is covered by itself, before it was tracked.
        scored: all that was detected, and its scores.
        tracked: what was tracked.
        meter: has seen the masks of every frame.
        under: the conditions of each row of the truth, as of `conditions.named`.
        person: of each identity, as of `persons`.
    """
    own = true_boxes(truth, name)
    exposure = meter.result().classes[name]
    detection = scores(own, found)
    split, fit = split_and_fit(own, found)
    counted = (truth.classes == name) & ~truth.ignore
    # In the declared order: the store sorts keys.
    strata = [" ".join(values) for values in zip(*(under[name] for name in CONDITIONS), strict=True)]
    return {
        "detection": [_detection(s) for s in detection],
        "sweep": plain(sweep(own, *scored)),
        "errors": asdict(split),
        "fit": plain(NotMeasured("no true box was found")) if fit is None else asdict(fit),
        "exposure": _exposure(
            truth,
            name,
            exposure,
            meter,
            next(s for s in detection if s.threshold == 0.5),
            np.array(strata, np.str_)[counted],
            person,
        ),
        "tracks": _tracks(truth, name, own, tracked, meter),
        "stability": {
            name: plain(NotMeasured("no true box was found")) if figure is None else figure
            for name, figure in plain(stability(own, tracked)).items()
        },
    }


def truth_figures(truth: Truth) -> dict[str, Any]:
    """What a truth holds, by class: boxes, identities, sizes in pixels."""
    found = {}
    for name in np.unique(truth.classes).tolist():
        own = true_boxes(truth, name)
        sides = shorter_side(own.xyxy[~own.ignore]).astype(np.float64)
        spread = None
        if len(sides):
            spread = {"minimum": float(sides.min()), "mean": float(sides.mean()), "maximum": float(sides.max())}
        found[name] = {
            "boxes": len(sides),
            "ignored": int(own.ignore.sum()),
            "identities": len(np.unique(own.ids[~own.ignore])),
            "shorter_side": spread,
            "median_side": float(np.median(sides)) if len(sides) else None,
        }
    return found


def runs_of(frames: NDArray[np.int64], exposed: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """The rows of each exposed run: frames that follow one another, (n,) rising."""
    at = np.flatnonzero(exposed)
    if not len(at):
        return []
    breaks = np.flatnonzero((np.diff(at) != 1) | (np.diff(frames[at]) != 1)) + 1
    return [np.asarray(run) for run in np.split(at, breaks)]


def half_octave(side_px: float) -> tuple[float, float]:
    """The bin of a size: from 2^(k/2) to 2^((k+1)/2) pixels."""
    k = floor(_HALF_OCTAVES * log2(side_px) + 1e-9)
    return round(2 ** (k / _HALF_OCTAVES), 4), round(2 ** ((k + 1) / _HALF_OCTAVES), 4)


def _detection(found: DetectionScores) -> dict[str, Any]:
    strata = {name: asdict(counts) for name, counts in found.strata.items()}
    return {"threshold": found.threshold, "all": asdict(found.all), "strata": strata}


def _exposure(
    truth: Truth,
    name: str,
    exposure: ClassExposure,
    meter: ExposureMeter,
    detection: DetectionScores,
    under: NDArray[np.str_],
    person: Mapping[int, int],
) -> dict[str, Any]:
    counted = (truth.classes == name) & ~truth.ignore
    cov, frames, ids = meter.coverages()[counted], truth.frames[counted], truth.ids[counted]
    exposed = is_exposed(cov, exposure.tau)
    hits = np.array(detection.hits, np.bool_)
    sides = shorter_side(truth.xyxy[counted]).astype(np.float64)
    area = meter.areas()[counted]
    missed = (1 - cov) * area
    identities = []
    for figures in exposure.identities:
        own = ids == figures.track_id
        lost = lost_tracks(frames[own], ids[own], exposed[own])
        identities.append(
            {
                **{k: v for k, v in asdict(figures).items() if k not in ("class_name", "track_id")},
                "id": figures.track_id,
                "person": person[figures.track_id],
                "truth_px": float(area[own].sum()),
                "found_frames": int(hits[own].sum()),
                "first_frame": int(frames[own][0]),
                "last_frame": int(frames[own][-1]),
                "dropped": lost.dropped,
                "never_covered": bool(lost.never_covered),
                "runs": [
                    _run(frames[own][rows], cov[own][rows], missed[own][rows], sides[own][rows])
                    for rows in runs_of(frames[own], exposed[own])
                ],
                "sides": _sides(sides[own], ~exposed[own], hits[own]),
                "strata": _strata(under[own], ~exposed[own], hits[own], area[own], missed[own]),
            }
        )
    return {
        "tau": exposure.tau,
        "boxes": exposure.boxes,
        "covered_boxes": exposure.covered_boxes,
        "truth_px": exposure.truth_px,
        "covered_px": exposure.covered_px,
        "over_time": _over_time(frames, cov, meter.frames),
        "identities": identities,
    }


def _over_time(frames: NDArray[np.int64], cov: NDArray[np.float64], count: int) -> list[float | None]:
    """The least coverage of a box in each `stretch` of a clip's frames; None where nobody is there."""
    each = stretch(count)
    found: list[float | None] = []
    for start in range(0, count, each):
        own = cov[(frames >= start) & (frames < start + each)]
        found.append(float(own.min()) if len(own) else None)
    return found


def _run(
    frames: NDArray[np.int64], cov: NDArray[np.float64], missed_px: NDArray[np.float64], sides: NDArray[np.float64]
) -> dict[str, Any]:
    worst = int(cov.argmin())
    return {
        "start": int(frames[0]),
        "stop": int(frames[-1]) + 1,
        "worst_frame": int(frames[worst]),
        "worst_coverage": float(cov[worst]),
        "exposed_px_frames": float(missed_px.sum()),
        "median_side_px": float(np.median(sides)),
    }


def _sides(
    sides: NDArray[np.float64], covered: NDArray[np.bool_], found: NDArray[np.bool_]
) -> list[dict[str, Any]]:
    bins = [half_octave(side) for side in sides.tolist()]
    rows = []
    for low, high in sorted(set(bins)):
        own = np.array([b == (low, high) for b in bins], np.bool_)
        rows.append(
            {
                "low_px": low,
                "high_px": high,
                "boxes": int(own.sum()),
                "covered": int(covered[own].sum()),
                "found": int(found[own].sum()),
            }
        )
    return rows


def _strata(
    under: NDArray[np.str_],
    covered: NDArray[np.bool_],
    found: NDArray[np.bool_],
    area_px: NDArray[np.float64],
    missed_px: NDArray[np.float64],
) -> list[dict[str, Any]]:
    """Counts of the boxes under each combination of conditions that there is; `is` names their values in order."""
    rows = []
    for values in np.unique(under).tolist():
        own = under == values
        rows.append(
            {
                "is": values,
                "boxes": int(own.sum()),
                "covered": int(covered[own].sum()),
                "found": int(found[own].sum()),
                "truth_px": float(area_px[own].sum()),
                "bare_px": float(missed_px[own].sum()),
            }
        )
    return rows


def _tracks(truth: Truth, name: str, own: Observed, tracked: Observed, meter: ExposureMeter) -> dict[str, Any]:
    counted = (truth.classes == name) & ~truth.ignore
    exposed = is_exposed(meter.coverages()[counted], meter.tau[name])
    figures = clear(own, tracked)
    whole = hota(own, tracked)
    nothing = NotMeasured("there is no truth that counts")
    score = idf1(own, tracked)
    return {
        "hota": plain(nothing) if whole is None else whole.hota,
        "det_a": plain(nothing) if whole is None else whole.det_a,
        "ass_a": plain(nothing) if whole is None else whole.ass_a,
        "idf1": plain(nothing) if score is None else score,
        "mota": plain(nothing) if figures.mota is None else figures.mota,
        **{k: v for k, v in asdict(figures).items() if k not in ("tp", "fp", "fn")},
        "lost": asdict(lost_tracks(truth.frames[counted], truth.ids[counted], exposed)),
    }


def box_rows(rows: Sequence[Sequence[float]]) -> Observed:
    """Boxes kept as rows of frame, x0, y0, x1, y1, …; each its own identity, since nobody tracked them."""
    table = np.array([row[:5] for row in rows], np.float64).reshape(-1, 5)
    return Observed(table[:, 0].astype(np.int64), np.arange(len(table)), table[:, 1:].astype(np.float32))


def evenly(frames: int, most: int) -> list[int]:
    """At most so many frames, evenly over the clip, the first and the last among them.

    Raises:
        ValueError: there is no frame, or fewer than two are asked for.
    """
    if frames < 1 or most < 2:
        raise ValueError(f"needs a frame and at least two to choose, got {frames} and {most}")
    if frames <= most:
        return list(range(frames))
    chosen = [k * (frames - 1) // (most - 1) for k in range(most)]
    assert all(a < b for a, b in pairwise(chosen))
    return chosen
