"""The poorest encode at which coverage holds: halved in, each probe a cell of one growing matrix.

Coverage is taken to fall once along the axis. What probes are left go into the widest gaps above the answer, to see
whether it does; where it does not, only what is better than the first failure is relied on. Every probe is in the
evidence, as of any run.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from math import exp, log
from pathlib import Path
from typing import Any

from vsanon.errors import InputError
from vsanon.farm.executors import Executor
from vsanon.plain_yaml import load_yaml
from vsanon.validation.conclusions.conclude import conclude
from vsanon.validation.conclusions.ladders import rates
from vsanon.validation.runs.plan import Plan
from vsanon.validation.runs.run import Say, run_matrix

AXES = ("crf", "bit_rate")


@dataclass(frozen=True, slots=True)
class Target:
    """What is looked for.

    Args:
        preset: the ffmpeg preset that is varied.
        axis: one of `AXES`.
        best, poorest: ends of the axis: the lower CRF and the higher one, or the higher rate and the lower one.
        probes: how many encodes may be tried, both ends among them.
        class_name: whose boxes.
        at_least: coverage recall that has to hold.
        surely: by the lower bound of the interval, not by the estimate.

    Raises:
        InputError: the ends are the wrong way round, or there are fewer than three probes.
    """

    preset: str
    axis: str
    best: float
    poorest: float
    probes: int = 8
    class_name: str = "face"
    at_least: float = 0.9
    surely: bool = False

    def __post_init__(self) -> None:
        if self.axis not in AXES:
            raise InputError(f"{self.axis} can't be sought; {' and '.join(AXES)} can")
        right = self.best < self.poorest if self.axis == "crf" else self.best > self.poorest
        if not right or self.probes < 3:
            raise InputError(
                "seek needs the better end first (a lower CRF, a higher bit rate) and three probes at least; got "
                f"{self.axis} {self.best:g} to {self.poorest:g} and {self.probes} probes"
            )

    def between(self, good: float, bad: float) -> float:
        """The value halfway: of CRF by steps, of rates by their logarithm."""
        if self.axis == "crf":
            return float((int(good) + int(bad)) // 2)
        return float(round(exp((log(good) + log(bad)) / 2), -3))

    def close(self, good: float, bad: float) -> bool:
        """Whether nothing is worth trying between the two."""
        return abs(good - bad) <= 1 if self.axis == "crf" else good / bad <= 1.05


def seek(plan: Plan, target: Target, out: Path, executor: Executor, say: Say) -> dict[str, Any]:
    """Probe encodes of a matrix's sources until the poorest at which coverage holds is known.

    Args:
        plan: of the matrix; its sources and settings are used, its encodes are not.
        target: what is looked for.
        out: the folder of the run.
        executor, say: as of `run_matrix`.

    Returns:
        found: the poorest probe that holds (value, measured bit rate, figure), or None; fails: the best probe that
        does not; probes: all, from best to poorest; steady: whether coverage fell once alone along them.

    Raises:
        InputError: the matrix is none, or has not the class.
    """
    probes: dict[float, dict[str, Any]] = {}

    def holds(value: float) -> bool:
        values = sorted({*probes, value})
        evidence = run_matrix(_plan_of(plan, target, values), out, executor, say)
        figures = _figures(evidence, target)
        for one in values:
            probes[one] = figures[one]
        say({"event": "probe", **probes[value]})
        return bool(probes[value]["holds"])

    good, bad = target.best, target.poorest
    if holds(good) and not holds(bad):
        while len(probes) < target.probes and not target.close(good, bad):
            middle = target.between(good, bad)
            if middle in probes:
                break
            good, bad = (middle, bad) if holds(middle) else (good, middle)
        # Above the answer all has to hold.
        while len(probes) < target.probes:
            held = sorted((value for value in probes if probes[value]["holds"]), reverse=target.axis == "bit_rate")
            gaps = [pair for pair in pairwise(held) if not target.close(*pair)]
            if not gaps:
                break
            holds(target.between(*max(gaps, key=lambda pair: abs(log(pair[0] / pair[1])))))
    ordered = [probes[value] for value in sorted(probes, reverse=target.axis == "bit_rate")]
    answers = [bool(one["holds"]) for one in ordered]
    found = [one for one in ordered if one["holds"]]
    failing = [one for one in ordered if not one["holds"]]
    steady = answers == sorted(answers, reverse=True)
    safe = found if steady else ordered[: answers.index(False)]
    return {
        "axis": target.axis,
        "preset": target.preset,
        "class": target.class_name,
        "at_least": target.at_least,
        "by": "lower bound" if target.surely else "estimate",
        "found": safe[-1] if safe else None,
        "fails": failing[0] if failing else None,
        "steady": steady,
        "probes": ordered,
    }


def in_words(found: Mapping[str, Any]) -> str:
    """The answer in one sentence."""
    what = f"{found['preset']}, class {found['class']}: coverage of at least {found['at_least']:g} ({found['by']})"
    if found["found"] is None:
        return f"{what} does not hold even at the better end: give a better one, or another setting"
    if found["fails"] is None:
        return f"{what} holds down to the poorer end, {_probe(found['axis'], found['found'])}: give a poorer one"
    last, first = _probe(found["axis"], found["found"]), _probe(found["axis"], found["fails"])
    words = f"{what} holds down to {last}, and fails at {first}"
    return words if found["steady"] else f"{words}; it comes and goes along the axis: do not go below"


def _probe(axis: str, one: Mapping[str, Any]) -> str:
    rate = f"{one['bit_rate'] / 1000:.0f} kbit/s" if one["bit_rate"] else "unknown rate"
    value = (
        f"CRF {one['value']:g} ({rate})" if axis == "crf" else f"{one['value'] / 1000:g} kbit/s ({rate} measured)"
    )
    return f"{value}: {one['estimate']:.4f} [{one['low']:.4f}, {one['high']:.4f}]"


def _plan_of(plan: Plan, target: Target, values: list[float]) -> Plan:
    """The matrix with these values as its only encodes, and the target as its only criterion."""
    data: dict[str, Any] = load_yaml(plan.text)
    plan.matrix()  # its own errors name its own lines
    data["name"] = f"{data['name'][:60]}-seek-{target.preset}"
    data["encodes"] = [{"preset": target.preset, target.axis: [int(value) for value in values]}]
    criterion = {"id": "covered", "metric": "coverage_recall", "class": target.class_name, "per": "encode"}
    data["criteria"] = [{**criterion, "at_least": target.at_least}]
    data["deliveries"] = [None]
    # JSON is YAML.
    return replace(plan, text=json.dumps(data, indent=1, default=str))


def _figures(evidence: Mapping[str, Any], target: Target) -> dict[float, dict[str, Any]]:
    """What was measured at each value."""
    (criterion,) = conclude(evidence)["criteria"]
    measured, found = rates(evidence["cells"]), {}
    encode_of = {cell["id"]: cell["encode"] for cell in evidence["cells"]}
    groups = {encode_of[group["cells"][0]]: group for group in criterion["groups"]}
    for name, encode in evidence["encodes"].items():
        group = groups[name]
        value = group["value"]
        if "not_measured" in value:
            failed = [c["failure"]["message"] for c in evidence["cells"] if c["encode"] == name and c["failure"]]
            raise InputError(f"{name} tells nothing of coverage: {(failed or [value['not_measured']])[0]}")
        figures = {key: value[key] for key in ("estimate", "low", "high")}
        reached = figures["low" if target.surely else "estimate"] >= target.at_least and not group["why"]
        at = float(encode["axes"][target.axis])
        found[at] = {"value": at, "bit_rate": measured.get(name), **figures, "holds": reached, "encode": name}
    return found
