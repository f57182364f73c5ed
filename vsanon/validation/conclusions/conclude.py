"""What follows from an evidence file: a pure function, so that whoever reads a report can compute it again.

Clips are clusters, and identities are drawn within them. Nothing is passed on what was not measured.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

from threadpoolctl import threadpool_limits

from vsanon.validation.conclusions.comparisons import bd_rates, effects
from vsanon.validation.conclusions.conditions import by_condition, headline
from vsanon.validation.conclusions.contradictions import require_consistent
from vsanon.validation.conclusions.criteria import judge
from vsanon.validation.conclusions.footage import absent, clips_of, repeated, with_clips
from vsanon.validation.conclusions.ladders import rates
from vsanon.validation.conclusions.metric_kinds import BY_IDENTITY
from vsanon.validation.conclusions.recall_curves import recall_curves
from vsanon.validation.conclusions.rounding import rounded
from vsanon.validation.conclusions.sample import codec_of, distinct
from vsanon.validation.conclusions.shares import (
    Cell,
    Json,
    Method,
    clip_of,
    exposure_of,
    figure,
    measured,
    people,
    shares,
)
from vsanon.validation.conclusions.statistics import SEED, Outcome
from vsanon.validation.conclusions.sweeps import sweeps
from vsanon.validation.conclusions.worst import worst_runs


def conclude(evidence: Mapping[str, Any]) -> Json:
    """Figures, verdicts, curves and comparisons of an evidence file.

    Args:
        evidence: as `vsanon validate run` writes it; see `schema/evidence.schema.json`.

    Returns:
        JSON-able: verdict, sample, headline, criteria, pooled, conditions, cells, curves, effects, bd_rates,
        worst, its figures `rounded`. What can't be concluded says {"not_measured": why} in its place.

    Raises:
        InputError: the evidence contradicts itself.
    """
    require_consistent(evidence)
    evidence = with_clips(evidence)
    method = Method(float(evidence["confidence"]), int(evidence["provenance"]["seeds"].get("bootstrap", SEED)))
    cells: Sequence[Cell] = evidence["cells"]
    classes = sorted({name for cell in cells for name in cell["classes"]} | _searched(evidence))
    by_group: dict[tuple[str, str, str], list[Cell]] = {}
    for cell in cells:
        by_group.setdefault((cell["encode"], cell["setting"], cell["profile"]), []).append(cell)

    @cache
    def figures(encode: str, setting: str, profile: str, name: str, metric: str) -> Json:
        return figure(shares(by_group[encode, setting, profile], name, metric), method, name)

    @cache
    def of_cell(place: int, name: str, metric: str) -> Json:
        return figure(shares([cells[place]], name, metric), method, name)

    criteria = [judge(evidence, criterion, method) for criterion in evidence["criteria"]]
    sample = _sample(evidence, classes, criteria)
    # Thousands of fits of three parameters: waiting for threads would take ten times as long as they do.
    with threadpool_limits(1, user_api="blas"):
        curves = recall_curves(evidence, classes, figures, method)
    found: Json = {
        "verdict": _verdict(criteria, sample),
        "sample": sample,
        "criteria": criteria,
        "pooled": [
            {**row, **{metric: figures(*key, row["class"], metric) for metric in BY_IDENTITY}}
            for key, row in _pooled(cells, evidence)
        ],
        "cells": {
            cell["id"]: {
                name: {metric: of_cell(_first(cells, cell), name, metric) for metric in BY_IDENTITY}
                for name in sorted(cell["classes"])
            }
            for cell in cells
            if cell["outcome"] == "measured"
        },
        "curves": curves,
        "sweeps": sweeps(evidence, classes),
        "headline": headline(evidence, classes, method),
        "conditions": by_condition(cells, classes, method),
        "effects": effects(evidence, classes, method),
        "bd_rates": bd_rates(evidence, classes),
        "worst": worst_runs(cells),
    }
    return {key: rounded(value) for key, value in found.items()}


def _searched(evidence: Mapping[str, Any]) -> set[str]:
    return {name for setting in evidence["settings"].values() for name in setting["classes"]}


def _first(cells: Sequence[Cell], cell: Cell) -> int:
    """The first measured cell that differs in its delivery alone: what is measured here comes before that."""
    key = [cell[k] for k in ("source", "encode", "setting", "profile")]
    return next(
        i
        for i, other in enumerate(cells)
        if other["outcome"] == "measured" and [other[k] for k in ("source", "encode", "setting", "profile")] == key
    )


def _sample(evidence: Mapping[str, Any], classes: Sequence[str], criteria: Sequence[Json]) -> Json:
    cells, sources = evidence["cells"], evidence["sources"]
    there = measured(cells)
    counted = [cell for cell in there if any(exposure_of(cell, name) for name in classes)]
    identities, boxes = {}, {}
    for name in classes:
        shown = {clip_of(cell): exposure for cell in there if (exposure := exposure_of(cell, name)) is not None}
        identities[name] = sum(len(people(exposure)) for exposure in shown.values())
        boxes[name] = sum(exposure["boxes"] for exposure in shown.values())
    formats = {codec for cell in counted if (codec := codec_of(cell, evidence)) is not None}
    lacking = [f"{c['id']}: {c['sample']['reason']}" for c in criteria if not c["sample"]["supports"]]
    return {
        "supports": bool(criteria) and not lacking,
        "reason": "; ".join(lacking)
        or "; ".join(f"{c['id']}: {c['sample']['reason']}" for c in criteria)
        or "no criterion asks for anything",
        "bit_rates": distinct(_rates(counted, evidence)),
        "formats": len(formats),
        "clips": len({clip_of(cell) for cell in counted}),
        "identities": identities,
        "boxes": boxes,
        "cells": len(cells),
        "failed": sum(cell["outcome"] == "failed" for cell in cells),
        "absent": len(absent(evidence)),
        "not_run": sum(cell["outcome"] == "not run" for cell in cells),
        "truth": sorted({source["truth"]["kind"] for source in sources.values()}),
        "same_footage": repeated(clips_of(sources)),
    }


def _rates(cells: Sequence[Cell], evidence: Mapping[str, Any]) -> list[float]:
    """The measured rates of what was searched: one an encode, and one a source where it came as it is."""
    encodes = evidence["encodes"]
    found = [rate for name, rate in rates(cells).items() if encodes[name]["preset"] is not None]
    for source in sorted({cell["source"] for cell in cells}):
        as_is = [c for c in cells if c["source"] == source and encodes[c["encode"]]["preset"] is None]
        found += rates(as_is).values()
    return found


def _verdict(criteria: Sequence[Json], sample: Json) -> Json:
    reasons = [
        f"{criterion['id']}: {criterion['outcome']}"
        + (f" for {', '.join(names)}" if (names := _short_of(criterion)) else "")
        for criterion in criteria
        if criterion["outcome"] != Outcome.PASS
    ]
    if not criteria:
        reasons.append("there is no criterion to pass")
    if sample["failed"]:
        reasons.append(f"{sample['failed']} of {sample['cells']} cells failed")
    if sample["absent"]:
        reasons.append(f"{sample['absent']} cells of the matrix are not in the evidence")
    if sample["not_run"]:
        reasons.append(f"{sample['not_run']} of {sample['cells']} cells were not run yet")
    if criteria and not sample["supports"]:
        reasons.append(f"the sample does not support a conclusion: {sample['reason']}")
    if any(criterion["outcome"] == Outcome.FAIL for criterion in criteria):
        outcome = Outcome.FAIL
    else:
        outcome = Outcome.NOT_SHOWN if reasons else Outcome.PASS
    return {"outcome": str(outcome), "reasons": reasons or ["every criterion passes, and no cell failed"]}


def _short_of(criterion: Json) -> list[str]:
    """The groups that make a criterion what it is."""
    return [group["name"] for group in criterion["groups"] if group["outcome"] == criterion["outcome"]]


def _pooled(cells: Sequence[Cell], evidence: Mapping[str, Any]) -> list[tuple[tuple[str, str, str], Json]]:
    """The rows of `pooled` but for their figures, each with encode, setting and profile."""
    groups: dict[tuple[str, str, str, str | None], list[Cell]] = {}
    for cell in cells:
        key = (cell["encode"], cell["setting"], cell["profile"], cell["delivery"])
        groups.setdefault(key, []).append(cell)
    rows: list[tuple[tuple[str, str, str], Json]] = []
    for (encode, setting, profile, delivery), own in groups.items():
        for name in sorted(evidence["settings"][setting]["classes"]):
            frames, ms = _longest(own, name)
            row = {
                "encode": encode,
                "setting": setting,
                "profile": profile,
                "delivery": delivery,
                "class": name,
                "over_blur": _over_blur(own),
                "longest_run_frames": frames,
                "longest_run_ms": ms,
                "cells": [cell["id"] for cell in own],
            }
            rows.append(((encode, setting, profile), row))
    return rows


def _longest(cells: Sequence[Cell], name: str) -> tuple[Any, Any]:
    """The longest run in which anyone is exposed, in frames and in ms."""
    runs = [
        (one["longest_run_frames"], _ms(one["longest_run_frames"], cell))
        for cell in cells
        for one in (exposure_of(cell, name) or {"identities": ()})["identities"]
    ]
    if not runs:
        nothing = {"not_measured": f"no {name} of known position was measured"}
        return nothing, nothing
    return max(frames for frames, _ in runs), max(ms for _, ms in runs)


def _over_blur(cells: Sequence[Cell]) -> float | Json:
    """Mean of the frames of the cells that have it."""
    there = [cell for cell in cells if cell["outcome"] == "measured" and not isinstance(cell["over_blur"], dict)]
    if there:
        frames = sum(cell["frames"] for cell in there)
        return float(sum(cell["over_blur"] * cell["frames"] for cell in there) / frames)
    reasons = sorted({cell["over_blur"]["not_measured"] for cell in cells if isinstance(cell["over_blur"], dict)})
    return {"not_measured": "; ".join(reasons) or "no cell was measured"}


def _ms(frames: int, cell: Cell) -> float:
    return float(1000 * frames / Fraction(cell["fps"]))
