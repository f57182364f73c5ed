"""What one axis of an encode does, and one codec against another: differences paired by identity, and their rates.

All comparisons of an evidence file are one family for Holm's correction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from vsanon.validation.conclusions.curves import bd_rate
from vsanon.validation.conclusions.differences import PairedDifference, paired_difference
from vsanon.validation.conclusions.ladders import at_equal_rate, ladders, rates, rivals, steps
from vsanon.validation.conclusions.shares import Cell, Json, Method, Shares, shares
from vsanon.validation.conclusions.statistics import holm
from vsanon.validation.metrics.unmeasured import NotMeasured

METRICS = ("coverage_recall", "detection_recall")


def effects(evidence: Mapping[str, Any], classes: Sequence[str], method: Method) -> list[Json]:
    """Every pair of encodes that differ in one axis, and codecs at equal rate, as `effects` of the conclusions.

    `difference` is B's share less A's; see `paired`.
    """
    encodes, rate = evidence["encodes"], rates(evidence["cells"])
    pairs = list(steps(encodes))
    by_ladder = ladders(encodes)
    for a, b in rivals(encodes):
        pairs += [("codec", *pair) for pair in at_equal_rate(by_ladder[a], by_ladder[b], rate)]
    found: list[Json] = []
    p_values: list[float] = []
    for (setting, profile), cells in _chosen(evidence).items():
        for name in classes:
            for metric in METRICS:
                table = {
                    encode: shares([cell for cell in cells if cell["encode"] == encode], name, metric)
                    for encode in encodes
                }
                for axis, a, b in pairs:
                    if not (len(table[a]) and len(table[b])):
                        continue
                    row: Json = {"axis": axis, "a": a, "b": b, "setting": setting, "profile": profile}
                    row |= {"class": name, "metric": metric, "p_value": None, "p_holm": None}
                    if axis == "codec":
                        row["rate_ratio"] = rate[b] / rate[a]
                    drawn = paired(table[b], table[a], method)
                    row["difference"] = as_difference(drawn, float(np.sum(table[a].trials)))
                    if not isinstance(drawn, NotMeasured):
                        row["p_value"] = drawn.p_value
                        p_values.append(drawn.p_value)
                    found.append(row)
    adjusted = iter(holm(p_values))
    for row in found:
        if row["p_value"] is not None:
            row["p_holm"] = next(adjusted)
    return found


def bd_rates(evidence: Mapping[str, Any], classes: Sequence[str]) -> list[Json]:
    """How much more rate one ladder needs than another for equal recall, as `bd_rates` of the conclusions."""
    encodes, rate = evidence["encodes"], rates(evidence["cells"])
    by_ladder = ladders(encodes)
    found = []
    for (setting, profile), cells in _chosen(evidence).items():
        for name in classes:
            for metric in METRICS:
                recalls = {}
                for encode in encodes:
                    own = shares([cell for cell in cells if cell["encode"] == encode], name, metric)
                    if len(own) and encode in rate:
                        recalls[encode] = float(own.hits.sum() / own.trials.sum())
                for a, b in rivals(encodes):
                    curves = [[(rate[e], recalls[e]) for e in by_ladder[side] if e in recalls] for side in (a, b)]
                    percent = bd_rate(*((tuple(zip(*curve, strict=True)) or ((), ())) for curve in curves))  # type: ignore[arg-type]
                    found.append(
                        {
                            "reference": a,
                            "tested": b,
                            "setting": setting,
                            "profile": profile,
                            "class": name,
                            "metric": metric,
                            "percent": {"not_measured": percent.reason}
                            if isinstance(percent, NotMeasured)
                            else percent,
                        }
                    )
    return found


def paired(a: Shares, b: Shares, method: Method) -> PairedDifference | NotMeasured:
    """A's share less B's over the identities that both have."""
    at = {key: i for i, key in enumerate(b.keys)}
    rows = [(i, at[key]) for i, key in enumerate(a.keys) if key in at]
    if len(rows) < 2:
        return NotMeasured("fewer than two identities were measured under both")
    mine, theirs = (np.array(side) for side in zip(*rows, strict=True))
    clips = [a.clips[i] for i in mine]
    one, other = (a.hits[mine], a.trials[mine]), (b.hits[theirs], b.trials[theirs])
    return paired_difference(clips, one, other, method.confidence)


def as_difference(drawn: PairedDifference | NotMeasured, trials: float) -> Json:
    """A paired difference as a figure of the conclusions."""
    if isinstance(drawn, NotMeasured):
        return {"not_measured": drawn.reason}
    sample = {"n_clips": drawn.n_clips, "n_identities": drawn.n_identities, "n_trials": round(trials)}
    return {**asdict(drawn.interval), **sample}


def _chosen(evidence: Mapping[str, Any]) -> dict[tuple[str, str], list[Cell]]:
    """Cells by setting and profile, in their order."""
    found: dict[tuple[str, str], list[Cell]] = {}
    for cell in evidence["cells"]:
        found.setdefault((cell["setting"], cell["profile"]), []).append(cell)
    return found
