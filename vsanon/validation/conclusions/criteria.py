"""Criteria put to an evidence file: which cells each asks for, what they say together, and the verdict on it.

A statement of conformity takes the bound of the interval, and fails closed: where a cell that a criterion asks for
failed, or nobody knows who is in it, it can fail but not pass.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import Any

import numpy as np

from vsanon.validation.conclusions.clustered_shares import ALIKE
from vsanon.validation.conclusions.planning import Reach, reach
from vsanon.validation.conclusions.sample import IN_FULL, OF_DELIVERIES, codec_of, support
from vsanon.validation.conclusions.shares import (
    BY_IDENTITY,
    Cell,
    Json,
    Method,
    Shares,
    as_figure,
    clip_of,
    exposure_of,
    found,
    mean_of_clips,
    measured,
    shares,
    under_conditions,
)
from vsanon.validation.conclusions.statistics import Interval, Outcome, decide_at_least, decide_at_most
from vsanon.validation.metrics.conditions import CONDITIONS
from vsanon.validation.metrics.unmeasured import NotMeasured

THRESHOLD = 0.5
"""IoU at which precision is taken."""
_CLOSED_IN_FULL = "; not shown where a cell failed or was not run"
SEES = 0.5
"""The share of boxes that a detector has to find before they are covered, for what it finds afterwards to count."""
Found = tuple[Interval | NotMeasured, Json]

_RULES = {
    "at_least": "pass only where the lower bound of the interval is at least {limit:g}; fail only where the upper "
    "bound is below it",
    "at_most": "pass only where the upper bound of the interval is at most {limit:g}; fail only where the lower "
    "bound is above it",
}
_INTERVAL = (
    "; {confidence:.0%} intervals by one rule whatever was missed: each identity counts once, with the share of "
    "its own trials; people of one clip are taken to be alike by a correlation of {alike:g}; the bounds are those "
    "of Dirichlet weights on as many identities as the sample is worth, and those of Clopper and Pearson where "
    "each was always or never hit"
)
_CLOSED = (
    "; not shown where a cell failed, was not run or has no truth, or the sample does not have two bit rates in "
    "each of two formats on the same two clips"
)


def judge(evidence: Mapping[str, Any], criterion: Mapping[str, Any], method: Method) -> Json:
    """One criterion: its groups, each with figure and outcome, and what follows of them.

    Args:
        evidence: as read.
        criterion: of it.
        method: of the intervals.

    Returns:
        As `criteria` of the conclusions.
    """
    bound = "at_least" if "at_least" in criterion else "at_most"
    limit = float(criterion[bound])
    asked = [cell for cell in evidence["cells"] if _is_asked(cell, criterion, evidence)]
    groups: dict[tuple[str, ...], list[Cell]] = {}
    for cell in asked:
        groups.setdefault(_group(cell, criterion["per"]), []).append(cell)
    names = _names(list(groups), criterion["per"])
    judged = [
        {"name": name, **_judged(cells, evidence, criterion, bound, limit, method)}
        for name, cells in zip(names, groups.values(), strict=True)
    ]
    outcomes = {group["outcome"] for group in judged}
    sample = support(asked, evidence, criterion)
    if Outcome.FAIL in outcomes:
        outcome = Outcome.FAIL
    else:
        outcome = Outcome.PASS if outcomes == {Outcome.PASS} and sample["supports"] else Outcome.NOT_SHOWN
    rule = _RULES[bound].format(limit=limit) + (_CLOSED if criterion["metric"] not in IN_FULL else _CLOSED_IN_FULL)
    if criterion["metric"] not in ("checks_passed", "over_blur"):
        rule += _INTERVAL.format(confidence=method.confidence, alike=ALIKE)
    return {
        "id": criterion["id"],
        "metric": criterion["metric"],
        "class": criterion.get("class"),
        "limit": limit,
        "bound": bound,
        "rule": rule,
        "outcome": str(outcome),
        "groups": judged,
        "sample": sample,
        "advice": _advice(list(groups.values()), criterion, bound, limit, method),
    }


def _advice(
    groups: list[list[Cell]], criterion: Mapping[str, Any], bound: str, limit: float, method: Method
) -> str | None:
    """What the group that needs most lacks, and what would do; None for what has no people.

    It takes what was measured into account: where the share itself lies beyond the limit, no footage mends that.
    """
    found = []
    for cells in groups:
        if criterion["metric"] in BY_IDENTITY:
            rows = _rows_of(cells, criterion)
        elif criterion["metric"] == "found_again_share":
            rows, _ = _again(cells, criterion["class"])
        else:
            continue
        estimate = float(rows.hits.sum() / rows.trials.sum()) if len(rows) else None
        found.append(reach(rows.clips, rows.trials, bound, limit, method.confidence, estimate))

    def lacks(one: Reach) -> tuple[float, float]:
        beyond = 0.0 if one.estimate is None else abs(one.estimate - limit)
        return (inf if one.needed is None else one.needed - one.worth), beyond

    return max(found, key=lacks).sentence(bound, limit, criterion["class"]) if found else None


def _judged(
    cells: list[Cell],
    evidence: Mapping[str, Any],
    criterion: Mapping[str, Any],
    bound: str,
    limit: float,
    method: Method,
) -> Json:
    interval, value = _FIGURES[criterion["metric"]](cells, criterion, method)
    decided = (decide_at_least if bound == "at_least" else decide_at_most)(interval, limit)
    words = {"failed": "failed", "not run": "was not run yet"}
    why = [f"{cell['id']} {words[cell['outcome']]}" for cell in cells if cell["outcome"] in words]
    if criterion["metric"] != "checks_passed":
        kinds = {cell["source"]: evidence["sources"][cell["source"]]["truth"]["kind"] for cell in cells}
        why += [f"{source} has no truth" for source, kind in sorted(kinds.items()) if kind == "none"]
    why += _unmeasured(cells, criterion)
    outcome = decided.outcome
    if outcome is Outcome.PASS and why:
        outcome = Outcome.NOT_SHOWN
    if isinstance(interval, NotMeasured):
        why.append(interval.reason)
    return {"outcome": str(outcome), "value": value, "cells": [cell["id"] for cell in cells], "why": why}


def _is_asked(cell: Cell, criterion: Mapping[str, Any], evidence: Mapping[str, Any]) -> bool:
    name = criterion.get("class")
    if name is not None and name not in evidence["settings"][cell["setting"]]["classes"]:
        return False
    if criterion["metric"] in OF_DELIVERIES and cell["delivery"] is None:
        return False
    facts, where = {**cell, "codec": codec_of(cell, evidence)}, criterion.get("where", {})
    tags = evidence["sources"][cell["source"]]["tags"]
    tagged = all(str(tags.get(tag)) in allowed for tag, allowed in where.get("tags", {}).items())
    parts = {key: allowed for key, allowed in where.items() if key not in (*CONDITIONS, "tags")}
    return tagged and all(facts[key] in allowed for key, allowed in parts.items())


def _group(cell: Cell, per: str) -> tuple[str, ...]:
    """What is pooled for one verdict; settings and profiles are never averaged, but in `all`."""
    chosen = (cell["setting"], cell["profile"])
    match per:
        case "encode":
            return (cell["encode"], *chosen)
        case "source":
            return (cell["source"], *chosen)
        case "cell":
            return (cell["id"],)
        case _:
            return ("all",)


def _names(keys: list[tuple[str, ...]], per: str) -> list[str]:
    """The first part of each, with the others where they tell groups apart."""
    several = per in ("encode", "source") and len({key[1:] for key in keys}) > 1
    return ["/".join(key) if several else key[0] for key in keys]


def _unmeasured(cells: Sequence[Cell], criterion: Mapping[str, Any]) -> list[str]:
    """Cells that don't say what a criterion on a figure of whole cells needs."""
    metric, lacking = criterion["metric"], []
    for cell in cells:
        if cell["outcome"] != "measured":
            continue
        if metric == "over_blur" and isinstance(cell["over_blur"], dict):
            lacking.append(f"{cell['id']}: {cell['over_blur']['not_measured']}")
        if metric == "checks_passed" and not (cell["delivered"] or {}).get("checks"):
            lacking.append(f"{cell['id']}: nothing was checked")
        if metric in ("found_again_share", "residual_per_1000") and _residual(cell, criterion["class"]) is None:
            lacking.append(f"{cell['id']}: nothing was searched after delivery")
    if metric in ("found_again_share", "residual_per_1000"):
        before = shares(cells, criterion["class"], "detection_recall")
        if len(before) and before.hits.sum() < SEES * before.trials.sum():
            share = float(before.hits.sum() / before.trials.sum())
            lacking.append(
                f"the detector finds {share:.0%} of them uncovered: that it finds few afterwards says little"
            )
    return lacking


def _share_of_identities(cells: list[Cell], criterion: Mapping[str, Any], method: Method) -> Found:
    return found(_rows_of(cells, criterion), method, criterion["class"])


def _rows_of(cells: list[Cell], criterion: Mapping[str, Any]) -> Shares:
    least, under = criterion.get("at_least_frames", 1), under_conditions(criterion)
    return shares(cells, criterion["class"], criterion["metric"], least, under)


def _precision(cells: list[Cell], criterion: Mapping[str, Any], method: Method) -> Found:
    """tp / (tp + fp), with the clip as the unit: a false box has no identity."""
    sums: dict[str, tuple[float, float]] = {}
    for cell in measured(cells):
        for row in (cell["classes"].get(criterion["class"]) or {}).get("detection") or ():
            if row["threshold"] == THRESHOLD:
                hits, trials = sums.get(clip_of(cell), (0.0, 0.0))
                tp, fp = row["all"]["tp"], row["all"]["fp"]
                sums[clip_of(cell)] = (hits + tp, trials + tp + fp)
    clips = sorted(clip for clip, (_, trials) in sums.items() if trials)
    counted = np.array([sums[clip] for clip in clips], np.float64).reshape(-1, 2)
    rows = Shares(tuple(clips), tuple(range(len(clips))), counted[:, 0], counted[:, 1])
    interval, value = found(rows, method, f"detected {criterion['class']}")
    return interval, value if "not_measured" in value else {**value, "n_identities": None}


def _over_blur(cells: list[Cell], _: Mapping[str, Any], method: Method) -> Found:
    values: dict[str, list[float]] = {}
    for cell in measured(cells):
        if not isinstance(cell["over_blur"], dict):
            values.setdefault(clip_of(cell), []).append(float(cell["over_blur"]))
    interval = mean_of_clips({clip: sum(v) / len(v) for clip, v in values.items()}, method)
    return interval, as_figure(interval, len(values), sum(len(v) for v in values.values()))


def _found_again(cells: list[Cell], criterion: Mapping[str, Any], method: Method) -> Found:
    """The share of true boxes that are found in the delivered file.

    Nobody knows whose they were. They are taken for those of as few people as can be, which makes the interval
    widest: one more that is found makes one person's share larger, and no one's smaller.
    """
    return found(_again(cells, criterion["class"])[0], method, criterion["class"])


def _residual_per_1000(cells: list[Cell], criterion: Mapping[str, Any], method: Method) -> Found:
    """As `_found_again`, for each 1,000 frames that show anyone."""
    rows, frames = _again(cells, criterion["class"])
    interval, value = found(rows, method, criterion["class"])
    if isinstance(interval, NotMeasured):
        return interval, value
    scale = 1000 * float(rows.trials.sum()) / frames
    bounds = {key: scale * getattr(interval, key) for key in ("estimate", "low", "high")}
    return replace(interval, **bounds), {**value, **bounds, "n_trials": frames}


def _again(cells: list[Cell], name: str) -> tuple[Shares, int]:
    """Hits and trials of what was found again, by identity, and how many frames show anyone."""
    boxes: dict[str, dict[int, float]] = {}
    again: dict[str, int] = {}
    frames = 0
    for cell in cells:
        row, exposure = _residual(cell, name), exposure_of(cell, name)
        if row is None or exposure is None or not row["shown_frames"]:
            continue
        clip = clip_of(cell)
        again[clip] = again.get(clip, 0) + row["found"]
        frames += row["shown_frames"]
        own = boxes.setdefault(clip, {})
        for one in exposure["identities"]:
            own[one["id"]] = own.get(one["id"], 0.0) + one["frames"]
    rows: list[tuple[str, int, float, float]] = []
    for clip in sorted(boxes):
        left = float(again[clip])
        for identity, trials in sorted(boxes[clip].items(), key=lambda entry: (-entry[1], entry[0])):
            rows.append((clip, identity, min(left, trials), trials))
            left -= rows[-1][2]
    clips, ids, hits, trials_of = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Shares(clips, ids, np.array(hits, np.float64), np.array(trials_of, np.float64)), frames


def _checks_passed(cells: list[Cell], _: Mapping[str, Any], method: Method) -> Found:
    checks = [check["passed"] for cell in cells for check in (cell["delivered"] or {}).get("checks", ())]
    if not checks:
        nothing = NotMeasured("no delivered file was checked")
        return nothing, {"not_measured": nothing.reason}
    share = sum(checks) / len(checks)
    interval = Interval(share, share, share, method.confidence, "counted in full: every delivered file was checked")
    return interval, as_figure(interval, len({cell["source"] for cell in cells}), len(checks))


def _residual(cell: Cell, name: str) -> Mapping[str, Any] | None:
    row = ((cell["delivered"] or {}).get("residual") or {}).get(name)
    return row if row is not None and "not_measured" not in row else None


_FIGURES: Mapping[str, Callable[[list[Cell], Mapping[str, Any], Method], Found]] = {
    **dict.fromkeys(BY_IDENTITY, _share_of_identities),
    "precision": _precision,
    "over_blur": _over_blur,
    "found_again_share": _found_again,
    "residual_per_1000": _residual_per_1000,
    "checks_passed": _checks_passed,
}
