"""Why a criterion can't pass, whatever its figure is: it asks for nothing, or for something that is not there."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from vsanon.validation.conclusions.criterion_figures import residual_of
from vsanon.validation.conclusions.footage import ABSENT
from vsanon.validation.conclusions.metric_kinds import LESS_IS_BETTER, OF_CELLS, UNBOUNDED
from vsanon.validation.conclusions.sample import codec_of
from vsanon.validation.conclusions.shares import Cell, exposure_of, measured, shares, under_conditions
from vsanon.validation.metrics.conditions import CONDITIONS, of_stratum

SEES = 0.5
"""The share of boxes that a detector has to find before they are covered, for what it finds afterwards to count."""
_OUTCOMES = {"failed": "failed", "not run": "was not run yet", ABSENT: "is not in the evidence"}
_NO_TRUTH = {"none": "has no truth", "reference": "has no truth but what vsanon itself found in it"}


def misread(criterion: Mapping[str, Any]) -> list[str]:
    """Why a criterion asks for nothing, or for the opposite of what its metric is for."""
    metric, bound = criterion["metric"], "at_least" if "at_least" in criterion else "at_most"
    limit, right = criterion[bound], "at_most" if metric in LESS_IS_BETTER else "at_least"
    if bound != right:
        return [f"{metric} is better the {'less' if right == 'at_most' else 'more'} it is: ask for {right}"]
    if bound == "at_least" and limit <= 0:
        return [f"{metric} is never below {limit:g}: nothing could fail"]
    if metric not in UNBOUNDED and bound == "at_most" and limit >= 1:
        return [f"{metric} is never above {limit:g}: nothing could fail"]
    return []


def unmatched(cells: Sequence[Cell], criterion: Mapping[str, Any], evidence: Mapping[str, Any]) -> list[str]:
    """Values of `where` that no cell has: a criterion on two things does not pass on one of them."""
    where = criterion.get("where", {})
    facts = [{**cell, "codec": codec_of(cell, evidence)} for cell in cells]
    said = [
        f"no cell has {key} {value or 'none'}"
        for key, allowed in where.items()
        if key not in (*CONDITIONS, "tags")
        for value in allowed
        if not any(fact[key] == value for fact in facts)
    ]
    tags = [evidence["sources"][cell["source"]]["tags"] for cell in cells]
    return said + [
        f"no source has the tag {tag} {value}"
        for tag, allowed in where.get("tags", {}).items()
        for value in allowed
        if not any(str(own.get(tag)) == value for own in tags)
    ]


def lacking(cells: Sequence[Cell], criterion: Mapping[str, Any], evidence: Mapping[str, Any]) -> list[str]:
    """What a group of cells lacks: cells that failed, truth, boxes under the conditions that are asked for."""
    why = [f"{cell['id']} {_OUTCOMES[cell['outcome']]}" for cell in cells if cell["outcome"] in _OUTCOMES]
    if criterion["metric"] != "checks_passed":
        kinds = {cell["source"]: evidence["sources"][cell["source"]]["truth"]["kind"] for cell in cells}
        why += [f"{source} {_NO_TRUTH[kind]}" for source, kind in sorted(kinds.items()) if kind in _NO_TRUTH]
        why += _two_truths(cells, evidence["sources"])
    return [*why, *_unmeasured(cells, criterion), *_unseen(cells, criterion)]


def _two_truths(cells: Sequence[Cell], sources: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Sources that are one footage with several truths: people count once, and by the mean of what each says."""
    clips = {cell["source"]: cell["clip"] for cell in cells}
    for one, other in combinations(sorted(clips), 2):
        if clips[one] == clips[other] and _differ(sources[one], sources[other]):
            yield f"{one} and {other} are the same footage with two truths, and which of them holds is not known"


def _differ(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    if None in (a["sha256"], b["sha256"], a["range"], b["range"]):
        return False
    if (a["sha256"], a["range"]) == (b["sha256"], b["range"]):
        return any(a["truth"][key] != b["truth"][key] for key in ("kind", "sha256", "classes"))
    lengths = [(*s["condition"]["size"], s["range"][1] - s["range"][0]) for s in (a, b)]
    counts = [
        {name: (c["boxes"], c["identities"], c["ignored"]) for name, c in s["truth"]["classes"].items()}
        for s in (a, b)
    ]
    return lengths[0] == lengths[1] and counts[0] != counts[1]


def _unseen(cells: Sequence[Cell], criterion: Mapping[str, Any]) -> list[str]:
    """Values of conditions that no box of a group is under, and people of whom no conditions are known."""
    under, name = under_conditions(criterion), criterion.get("class")
    if not under or name is None:
        return []
    identities = [
        one for cell in measured(cells) for one in (exposure_of(cell, name) or {"identities": ()})["identities"]
    ]
    unknown = [o["id"] for o in identities if sum(row["boxes"] for row in o.get("strata", ())) != o["frames"]]
    strata = {row["is"] for one in identities for row in one.get("strata", ())}
    seen = [of_stratum(stratum) for stratum in strata]
    return [f"the conditions of some boxes of {name} {identity} are not known" for identity in unknown[:1]] + [
        f"no {name} is there with {condition} {value}"
        for condition, values in under.items()
        for value in values
        if not any(known.get(condition) == value for known in seen)
    ]


def _unmeasured(cells: Sequence[Cell], criterion: Mapping[str, Any]) -> list[str]:
    """Cells that don't say what a criterion on a figure of whole cells needs."""
    metric, lacking = criterion["metric"], []
    for cell in cells:
        if cell["outcome"] != "measured":
            continue
        if metric in OF_CELLS and isinstance(cell[metric], dict):
            lacking.append(f"{cell['id']}: {cell[metric]['not_measured']}")
        if metric == "checks_passed" and not (cell["delivered"] or {}).get("checks"):
            lacking.append(f"{cell['id']}: nothing was checked")
        if metric in ("found_again_share", "residual_per_1000") and residual_of(cell, criterion["class"]) is None:
            lacking.append(f"{cell['id']}: nothing was searched after delivery")
    if metric in ("found_again_share", "residual_per_1000"):
        before = shares(cells, criterion["class"], "detection_recall")
        if len(before) and before.hits.sum() < SEES * before.trials.sum():
            share = float(before.hits.sum() / before.trials.sum())
            lacking.append(
                f"the detector finds {share:.0%} of them uncovered: that it finds few afterwards says little"
            )
    return lacking
