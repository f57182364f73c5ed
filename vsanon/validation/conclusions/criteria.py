"""Criteria put to an evidence file: which cells each asks for, what they say together, and the verdict on it.

A statement of conformity takes the bound of the interval, and fails closed: where a cell that a criterion asks for
failed, or nobody knows who is in it, it can fail but not pass.
"""

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from vsanon.validation.conclusions.criterion_figures import FIGURES, again, of_looks, rows_of
from vsanon.validation.conclusions.footage import absent
from vsanon.validation.conclusions.metric_kinds import BY_IDENTITY, IN_FULL, OF_DELIVERIES, OF_LOOKS, OF_NOBODY
from vsanon.validation.conclusions.objections import lacking, misread, unmatched
from vsanon.validation.conclusions.planning import Reach, reach
from vsanon.validation.conclusions.sample import codec_of, support
from vsanon.validation.conclusions.share_intervals import ALIKE
from vsanon.validation.conclusions.shares import Cell, Json, Method
from vsanon.validation.conclusions.statistics import Outcome, decide_at_least, decide_at_most
from vsanon.validation.metrics.conditions import CONDITIONS
from vsanon.validation.metrics.unmeasured import NotMeasured

_CLOSED_IN_FULL = "; not shown where a cell failed or was not run"

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
_BEFOREHAND = (
    "; of the attack on a look used here that came furthest above a guess, made before this run: docs/strength.md"
)
_CLOSED = (
    "; not shown where a cell failed, was not run or has no truth of its own, where nothing is as `where` asks, or "
    "where the sample does not have two bit rates in each of two formats on the same two clips"
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
    whole = [*evidence["cells"], *absent(evidence)]
    asked = [cell for cell in whole if _is_asked(cell, criterion, evidence)]
    objections = [*misread(criterion), *unmatched(asked, criterion, evidence)]
    groups: dict[tuple[str, ...], list[Cell]] = {}
    for cell in asked:
        groups.setdefault(_group(cell, criterion["per"]), []).append(cell)
    names = _names(list(groups), criterion["per"])
    judged = [
        {"name": name, **_judged(cells, evidence, criterion, bound, limit, method, objections)}
        for name, cells in zip(names, groups.values(), strict=True)
    ]
    outcomes = {group["outcome"] for group in judged}
    sample = support(asked, evidence, criterion)
    if Outcome.FAIL in outcomes:
        outcome = Outcome.FAIL
    else:
        outcome = Outcome.PASS if outcomes == {Outcome.PASS} and sample["supports"] else Outcome.NOT_SHOWN
    rule = _RULES[bound].format(limit=limit) + (_CLOSED if criterion["metric"] not in IN_FULL else _CLOSED_IN_FULL)
    if criterion["metric"] in OF_LOOKS:
        rule += _BEFOREHAND
    if criterion["metric"] not in OF_NOBODY:
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
            rows = rows_of(cells, criterion)
        elif criterion["metric"] == "found_again_share":
            rows, _ = again(cells, criterion["class"])
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
    objections: Sequence[str],
) -> Json:
    if criterion["metric"] in OF_LOOKS:
        interval, value = of_looks(cells, criterion, method, evidence.get("attacks", {}))
    else:
        interval, value = FIGURES[criterion["metric"]](cells, criterion, method)
    decided = (decide_at_least if bound == "at_least" else decide_at_most)(interval, limit)
    why = [*objections, *lacking(cells, criterion, evidence)]
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
