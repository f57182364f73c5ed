"""Shares by identity out of the cells of an evidence file, and the figures that they give.

Where several cells show an identity, its hits and trials are summed, so that a person who is tested under ten
encodes, or in a clip that is there under two names, counts as one person.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon.validation.conclusions.metric_kinds import BY_IDENTITY
from vsanon.validation.conclusions.share_intervals import share_interval
from vsanon.validation.conclusions.statistics import SEED, Interval
from vsanon.validation.metrics.conditions import CONDITIONS, of_stratum
from vsanon.validation.metrics.unmeasured import NotMeasured

Json = dict[str, Any]
Under = Mapping[str, Sequence[str]]
"""Values of conditions, by name."""
Cell = Mapping[str, Any]
F64 = NDArray[np.float64]

_SUMMED = ("frames", "exposed_frames", "found_frames", "exposed_px_frames")


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
        clips: (m,) str, the footage of each.
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
        """Footage and identity of each row."""
        return list(zip(self.clips, self.ids, strict=True))


def measured(cells: Sequence[Cell]) -> list[Cell]:
    """The cells that did not fail, each once where they differ in their delivery alone, which comes after."""
    first: dict[tuple[str, str, str, str], Cell] = {}
    for cell in cells:
        if cell["outcome"] == "measured":
            first.setdefault((cell["source"], cell["encode"], cell["setting"], cell["profile"]), cell)
    return list(first.values())


def clip_of(cell: Cell) -> str:
    """The footage of a cell: one name for all sources that show the same."""
    return str(cell.get("clip", cell["source"]))


def exposure_of(cell: Cell, name: str) -> Mapping[str, Any] | None:
    """The exposure of a class in a cell; None where the cell failed, or there is no truth of the class."""
    if cell["outcome"] != "measured":
        return None
    found: Mapping[str, Any] | None = (cell["classes"].get(name) or {}).get("exposure")
    return found


def people(exposure: Mapping[str, Any]) -> list[Json]:
    """The identities of an exposure, those that are one person as one: what they count is summed.

    Args:
        exposure: of a class in a cell; an identity may name its `person`, which is itself where it does not.
    """
    of_person: dict[int, list[Json]] = {}
    for one in exposure["identities"]:
        of_person.setdefault(one.get("person", one["id"]), []).append(one)
    return [own[0] if len(own) == 1 else _as_one(person, own) for person, own in of_person.items()]


def _as_one(person: int, own: Sequence[Json]) -> Json:
    sums = {key: sum(one[key] for one in own) for key in _SUMMED}
    lists = {key: [row for one in own for row in one.get(key, ())] for key in ("sides", "strata")}
    area = {"truth_px": sum(one["truth_px"] for one in own)} if all("truth_px" in one for one in own) else {}
    return {"id": person, **sums, **area, **lists}


def shares(
    cells: Sequence[Cell], name: str, metric: str, at_least_frames: int = 1, under: Under | None = None
) -> Shares:
    """The shares of every identity of a class in these cells.

    Args:
        cells: of an evidence file; failed ones and those without truth add nothing.
        name: the class.
        metric: one of `BY_IDENTITY`.
        at_least_frames: for `exposed_identity_share`: exposed frames from which an identity counts as exposed, or
            all of its frames where it has fewer.
        under: the values of conditions under which boxes count; identities without such a box are left out.
    """
    sums: dict[tuple[str, int], tuple[float, float]] = {}
    for cell in measured(cells):
        exposure = exposure_of(cell, name)
        if exposure is not None:
            for identity, hits, trials in _rows(exposure, metric, at_least_frames, under or {}):
                before = sums.get((clip_of(cell), identity), (0.0, 0.0))
                sums[clip_of(cell), identity] = (before[0] + hits, before[1] + trials)
    rows = sorted((key, value) for key, value in sums.items() if value[1] > 0)
    return Shares(
        tuple(key[0] for key, _ in rows),
        tuple(key[1] for key, _ in rows),
        np.array([value[0] for _, value in rows], np.float64),
        np.array([value[1] for _, value in rows], np.float64),
    )


def found(rows: Shares, method: Method, what: str = "box") -> tuple[Interval | NotMeasured, Json]:
    """Σhits / Σtrials with its interval, by itself and as a figure; or why there is none."""
    if not len(rows):
        reason = f"no {what} of known position was measured"
        return NotMeasured(reason), {"not_measured": reason}
    drawn = share_interval(rows.clips, rows.hits, rows.trials, method.confidence)
    return drawn.interval, {
        **asdict(drawn.interval),
        "n_clips": drawn.n_clips,
        "n_identities": drawn.n_identities,
        "n_trials": drawn.n_trials,
        "worth": drawn.worth,
    }


def figure(rows: Shares, method: Method, what: str = "box") -> Json:
    """Σhits / Σtrials with its interval as a figure."""
    return found(rows, method, what)[1]


def range_of_clips(values: Mapping[str, float], method: Method) -> Interval | NotMeasured:
    """The mean of a figure that each clip has one of, from the least clip to the greatest.

    It says nothing beyond these clips. An interval by their spread would be narrower where the best clip is made as
    bad as the others.
    """
    numbers = np.array([values[clip] for clip in sorted(values)])
    if not len(numbers):
        return NotMeasured("no cell has it")
    low, high = float(numbers.min()), float(numbers.max())
    mean = min(max(float(numbers.mean()), low), high)
    return Interval(mean, low, high, method.confidence, "counted in full: from the least clip to the greatest")


def as_figure(interval: Interval | NotMeasured, n_clips: int, n_trials: float | None) -> Json:
    """A figure that has no identities."""
    if isinstance(interval, NotMeasured):
        return {"not_measured": interval.reason}
    return {**asdict(interval), "n_clips": n_clips, "n_identities": None, "n_trials": n_trials}


def under_conditions(criterion: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """The conditions of boxes that a criterion asks for."""
    return {key: values for key, values in criterion.get("where", {}).items() if key in CONDITIONS}


def _rows(
    exposure: Mapping[str, Any], metric: str, at_least_frames: int, under: Under
) -> Iterator[tuple[int, float, float]]:
    """Each identity, its hits and its trials."""
    identities = people(exposure)
    if under:
        yield from _under(identities, metric, at_least_frames, under)
        return
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
            # Who is there in fewer frames, and bare in all of them, is no better off.
            yield one["id"], bare >= min(at_least_frames, frames), 1
        else:
            raise ValueError(f"identities have no {metric}; known are {', '.join(BY_IDENTITY)}")


def _under(
    identities: Sequence[Mapping[str, Any]], metric: str, at_least_frames: int, under: Under
) -> Iterator[tuple[int, float, float]]:
    """As `_rows`, of the boxes under some conditions alone."""
    for one in identities:
        rows = [row for row in one.get("strata", ()) if _is_under(row["is"], under)]
        boxes, covered, found = (sum(row[key] for row in rows) for key in ("boxes", "covered", "found"))
        if not boxes:
            continue
        area, bare = (float(sum(row[key] for row in rows)) for key in ("truth_px", "bare_px"))
        by_metric = {
            "coverage_recall": (covered, boxes),
            "detection_recall": (found, boxes),
            "pixel_recall": (max(area - bare, 0.0), area),
            "exposed_identity_share": (boxes - covered >= min(at_least_frames, boxes), 1),
        }
        yield one["id"], *by_metric[metric]


def _is_under(stratum: str, under: Under) -> bool:
    values = of_stratum(stratum)
    return all(values.get(name) in wanted for name, wanted in under.items())


def _pixels(exposure: Mapping[str, Any]) -> Iterator[tuple[int, float, float]]:
    """Covered and true px² of each identity; where only the sum is known, by the size classes of its boxes."""
    identities = people(exposure)
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
