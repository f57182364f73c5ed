"""Shares by identity out of the cells of an evidence file, and the figures that they give.

An identity is drawn with its clip. Where several cells show it, its hits and trials are summed, so that a person
who is tested under ten encodes counts as one person.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import ceil, floor, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from vsanon.validation.conclusions.statistics import (
    SEED,
    ClusterInterval,
    Interval,
    clopper_pearson,
    cluster_bootstrap,
    conformity,
)
from vsanon.validation.metrics.unmeasured import NotMeasured

Json = dict[str, Any]
Cell = Mapping[str, Any]
F64 = NDArray[np.float64]

BY_IDENTITY = ("coverage_recall", "detection_recall", "pixel_recall", "exposed_identity_share")
"""Metrics of which every identity has a share."""
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Method:
    """How intervals are made.

    Args:
        confidence: such as 0.95.
        seed: of the random numbers.
    """

    confidence: float
    seed: int = SEED


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """Hits and trials, one row an identity, sorted.

    Args:
        clips: (m,) str, the source of each.
        ids: (m,) its identity in the truth.
        hits, trials: (m,) float64.
    """

    clips: tuple[str, ...]
    ids: tuple[int, ...]
    hits: F64
    trials: F64

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def keys(self) -> list[tuple[str, int]]:
        """Source and identity of each row."""
        return list(zip(self.clips, self.ids, strict=True))


def measured(cells: Sequence[Cell]) -> list[Cell]:
    """The cells that did not fail, each once where they differ in their delivery alone, which comes after."""
    first: dict[tuple[str, str, str, str], Cell] = {}
    for cell in cells:
        if cell["outcome"] == "measured":
            first.setdefault((cell["source"], cell["encode"], cell["setting"], cell["profile"]), cell)
    return list(first.values())


def exposure_of(cell: Cell, name: str) -> Mapping[str, Any] | None:
    """The exposure of a class in a cell; None where the cell failed, or there is no truth of the class."""
    if cell["outcome"] != "measured":
        return None
    found: Mapping[str, Any] | None = (cell["classes"].get(name) or {}).get("exposure")
    return found


def shares(cells: Sequence[Cell], name: str, metric: str, at_least_frames: int = 1) -> Shares:
    """The shares of every identity of a class in these cells.

    Args:
        cells: of an evidence file; failed ones and those without truth add nothing.
        name: the class.
        metric: one of `BY_IDENTITY`.
        at_least_frames: for `exposed_identity_share`: exposed frames from which an identity counts as exposed.
    """
    sums: dict[tuple[str, int], tuple[float, float]] = {}
    for cell in measured(cells):
        exposure = exposure_of(cell, name)
        if exposure is not None:
            for identity, hits, trials in _rows(exposure, metric, at_least_frames):
                before = sums.get((cell["source"], identity), (0.0, 0.0))
                sums[cell["source"], identity] = (before[0] + hits, before[1] + trials)
    rows = sorted((key, value) for key, value in sums.items() if value[1] > 0)
    return Shares(
        tuple(key[0] for key, _ in rows),
        tuple(key[1] for key, _ in rows),
        np.array([value[0] for _, value in rows], np.float64),
        np.array([value[1] for _, value in rows], np.float64),
    )


def figure(found: Shares, method: Method, what: str = "box") -> Json:
    """The headline figure: Σhits / Σtrials with its cluster bootstrap, or why there is none."""
    interval = _interval(found, method)
    return _no(what) if interval is None else _figure(interval.interval, interval)


def conforming(found: Shares, method: Method, what: str = "box") -> tuple[Interval | NotMeasured, Json]:
    """The interval for a statement of conformity, and the same as a figure."""
    interval = _interval(found, method)
    if interval is None:
        return NotMeasured(_reason(what)), _no(what)
    shown = conformity(interval)
    return shown, _figure(shown, interval)


def mean_of_clips(values: Mapping[str, float], method: Method, zero_trials: int = 0) -> Interval | NotMeasured:
    """The mean of a figure that each clip has one of, with Student's interval; never below 0.

    Args:
        values: by clip.
        method: its confidence.
        zero_trials: where all clips have 0: independent trials of which none hit, for the upper bound (then the
            values are counts per 1,000); 0 gives no interval.
    """
    numbers = np.array([values[clip] for clip in sorted(values)])
    if not len(numbers):
        return NotMeasured("no cell has it")
    mean = float(numbers.mean())
    if not numbers.any() and zero_trials:
        top = 1000 * clopper_pearson(0, zero_trials, method.confidence).high
        return Interval(0.0, 0.0, top, method.confidence, "Clopper–Pearson, one trial for each identity, per 1,000")
    if len(numbers) < 2:
        return NotMeasured("one clip alone gives no interval")
    reach = float(t.ppf((1 + method.confidence) / 2, len(numbers) - 1)) * float(numbers.std(ddof=1))
    reach /= sqrt(len(numbers))
    return Interval(
        mean, max(0.0, mean - reach), mean + reach, method.confidence, "Student's t over the means of the clips"
    )


def as_figure(interval: Interval | NotMeasured, n_clips: int, n_trials: float | None) -> Json:
    """A figure that has no identities."""
    if isinstance(interval, NotMeasured):
        return {"not_measured": interval.reason}
    return {**asdict(interval), "n_clips": n_clips, "n_identities": None, "n_trials": n_trials}


def _rows(exposure: Mapping[str, Any], metric: str, at_least_frames: int) -> Iterator[tuple[int, float, float]]:
    """Each identity, its hits and its trials."""
    identities = exposure["identities"]
    if metric == "pixel_recall":
        yield from _pixels(exposure)
        return
    for one in identities:
        frames, bare = one["frames"], one["exposed_frames"]
        if metric == "coverage_recall":
            yield one["id"], frames - bare, frames
        elif metric == "detection_recall":
            yield one["id"], one["found_frames"], frames
        elif metric == "exposed_identity_share":
            yield one["id"], bare >= at_least_frames, 1
        else:
            raise ValueError(f"identities have no {metric}; known are {', '.join(BY_IDENTITY)}")


def _pixels(exposure: Mapping[str, Any]) -> Iterator[tuple[int, float, float]]:
    """Covered and true px² of each identity; where only the sum is known, by the size classes of its boxes."""
    identities = exposure["identities"]
    if all("truth_px" in one for one in identities):
        areas = [float(one["truth_px"]) for one in identities]
    else:
        areas = [
            sum(side["boxes"] * side["low_px"] * side["high_px"] for side in one["sides"]) or float(one["frames"])
            for one in identities
        ]
        scale = exposure["truth_px"] / sum(areas) if areas else 1.0
        areas = [max(area * scale, one["exposed_px_frames"]) for area, one in zip(areas, identities, strict=True)]
    for one, area in zip(identities, areas, strict=True):
        yield one["id"], max(area - one["exposed_px_frames"], 0.0), area


def _interval(found: Shares, method: Method) -> ClusterInterval | None:
    if not len(found):
        return None
    # Sums of areas may pass their whole by a rounding.
    hits = np.where(np.abs(found.trials - found.hits) <= _ROUNDING * found.trials, found.trials, found.hits)
    drawn = cluster_bootstrap(found.clips, hits, found.trials, seed=method.seed, confidence=method.confidence)
    if drawn.interval.high - drawn.interval.low < _ROUNDING and 0 < drawn.interval.estimate < 1:
        # All draws are equal, as with one identity: they would claim certainty.
        return ClusterInterval(
            _one_trial_each(drawn.interval.estimate, len(found), method.confidence),
            drawn.n_clips,
            drawn.n_identities,
            drawn.n_trials,
            None,
        )
    return drawn


def _one_trial_each(share: float, n: int, confidence: float) -> Interval:
    low = clopper_pearson(floor(share * n + _ROUNDING), n, confidence).low
    high = clopper_pearson(ceil(share * n - _ROUNDING), n, confidence).high
    method = "Clopper–Pearson, one trial for each identity, as all draws are equal"
    return Interval(share, low, high, confidence, method)


def _figure(interval: Interval, sample: ClusterInterval) -> Json:
    return {
        **asdict(interval),
        "n_clips": sample.n_clips,
        "n_identities": sample.n_identities,
        "n_trials": sample.n_trials,
    }


def _no(what: str) -> Json:
    return {"not_measured": _reason(what)}


def _reason(what: str) -> str:
    return f"no {what} of known position was measured"
