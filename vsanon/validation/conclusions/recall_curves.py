"""Curves of recall over CRF, rate and size out of an evidence file, each with its logistic fit and knee."""

from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from typing import Any

import numpy as np

from vsanon.validation.conclusions.curves import fit_logistic
from vsanon.validation.conclusions.ladders import ladders, rates
from vsanon.validation.conclusions.shares import (
    F64,
    Cell,
    Json,
    Method,
    Shares,
    clip_of,
    exposure_of,
    figure,
    measured,
    people,
    shares,
)
from vsanon.validation.conclusions.statistics import I64, bootstrap

METRICS = ("coverage_recall", "detection_recall")
MIN_POINTS = 4
"""A fit has three parameters."""
KNEE_DRAWS = 200
MIN_FALL = 0.02
"""Recall that falls by less has no knee worth the name."""

_OUTSIDE = {"not_measured": "it lies outside of what was measured"}

Figures = Callable[[str, str, str, str, str], Json]
"""The pooled figure of encode, setting, profile, class and metric."""


def recall_curves(
    evidence: Mapping[str, Any], classes: Sequence[str], figures: Figures, method: Method
) -> list[Json]:
    """The curves of the conclusions.

    Fits are over CRF as it is, and over log2 of rate and pixels; `middle` and `knee` are given in the unit of x,
    `slope` for a step of 1 in CRF, or for a doubling.
    """
    encodes, rate = evidence["encodes"], rates(evidence["cells"])
    chosen = list(dict.fromkeys((cell["setting"], cell["profile"]) for cell in evidence["cells"]))
    profiles = {profile for _, profile in chosen}
    found = []
    for setting, profile in chosen:
        cells = [cell for cell in evidence["cells"] if (cell["setting"], cell["profile"]) == (setting, profile)]
        for name in classes:
            for metric in METRICS:
                common = {"class": name, "setting": setting, "y": metric}
                tail = f", {profile}" if len(profiles) > 1 else ""
                for ladder, members in ladders(encodes).items():
                    for x, at in (("crf", _crfs(encodes, members)), ("bit_rate", rate)):
                        steps = sorted((float(at[e]), e) for e in members if e in at)
                        table = [
                            (value, encode, own)
                            for value, encode in steps
                            if len(own := shares(_of(cells, encode), name, metric))
                        ]
                        if not table:
                            continue
                        points = [
                            {"x": value, "y": figures(encode, setting, profile, name, metric), "encode": encode}
                            for value, encode, _ in table
                        ]
                        fit = _fit([(value, own) for value, _, own in table], x == "bit_rate", method)
                        found.append({**common, "x": x, "series": ladder + tail, "points": points, "fit": fit})
                for encode in _telling(evidence, rate):
                    by_side = _by_side(_of(cells, encode), name, metric)
                    if by_side:
                        points = [{"x": side, "y": figure(own, method), "encode": encode} for side, own in by_side]
                        fit = _fit(by_side, True, method)
                        found.append(
                            {**common, "x": "side_px", "series": encode + tail, "points": points, "fit": fit}
                        )
    return [{"id": f"curve-{k}", **curve} for k, curve in enumerate(found, start=1)]


def _of(cells: Sequence[Cell], encode: str) -> list[Cell]:
    return [cell for cell in cells if cell["encode"] == encode]


def _crfs(encodes: Mapping[str, Any], members: Sequence[str]) -> dict[str, float]:
    crf = {name: (encodes[name].get("axes") or {}).get("crf") for name in members}
    return {name: float(value) for name, value in crf.items() if value is not None}


def _telling(evidence: Mapping[str, Any], rate: Mapping[str, float]) -> list[str]:
    """The encodes whose recall is shown by size: as it came, and of each ladder the highest and the lowest rate."""
    found = [name for name, encode in evidence["encodes"].items() if encode["preset"] is None]
    for members in ladders(evidence["encodes"]).values():
        ordered = sorted((rate[name], name) for name in members if name in rate)
        found += [name for _, name in (ordered[-1:] + ordered[:1])]
    return list(dict.fromkeys(found))


def _by_side(cells: Sequence[Cell], name: str, metric: str) -> list[tuple[float, Shares]]:
    """Shares by the middle of each half octave of the shorter side, in pixels, rising."""
    key = "covered" if metric == "coverage_recall" else "found"
    sums: dict[float, dict[tuple[str, int], tuple[float, float]]] = {}
    for cell in measured(cells):
        exposure = exposure_of(cell, name)
        for one in people(exposure) if exposure is not None else ():
            for side in one["sides"]:
                low, high = side["low_px"], side["high_px"]
                at = round(sqrt(low * high) if low > 0 else high / sqrt(2), 3)
                own = sums.setdefault(at, {})
                hits, trials = own.get((clip_of(cell), one["id"]), (0.0, 0.0))
                own[clip_of(cell), one["id"]] = (hits + side[key], trials + side["boxes"])
    found = []
    for at, own in sorted(sums.items()):
        rows = sorted((who, value) for who, value in own.items() if value[1] > 0)
        if rows:
            counts = np.array([value for _, value in rows], np.float64)
            clips, ids = tuple(who[0] for who, _ in rows), tuple(who[1] for who, _ in rows)
            found.append((at, Shares(clips, ids, counts[:, 0], counts[:, 1])))
    return found


def _fit(table: Sequence[tuple[float, Shares]], logarithmic: bool, method: Method) -> Json:
    if len({x for x, _ in table}) < MIN_POINTS:
        return {"not_measured": f"a fit needs {MIN_POINTS} points, there are {len({x for x, _ in table})}"}
    x = np.array([value for value, _ in table])
    if logarithmic:
        x = np.log2(x)
    people = sorted({who for _, own in table for who in own.keys})
    row = {who: i for i, who in enumerate(people)}
    hits, trials = np.zeros((2, len(people), len(table)))
    for k, (_, own) in enumerate(table):
        at = [row[who] for who in own.keys]
        hits[at, k], trials[at, k] = own.hits, own.trials
    recall = hits.sum(axis=0) / trials.sum(axis=0)
    if recall.max() - recall.min() < MIN_FALL:
        return {"not_measured": f"recall changes by less than {MIN_FALL:.0%} over what was measured"}
    best = fit_logistic(x, hits.sum(axis=0), trials.sum(axis=0))
    if best.knee is None and not best.span[0] <= best.middle <= best.span[1]:
        # Level and slope make up for each other there, so that the last bit of a processor would choose them.
        return {"not_measured": "neither the middle nor the knee of a fit lies within what was measured"}

    def knee(weights: I64) -> float:
        total = weights @ trials
        if np.count_nonzero(total) < 2:
            return float("nan")
        at = fit_logistic(x, weights @ hits, total, near=best).knee
        return float("nan") if at is None else at

    return {
        "plateau": best.plateau,
        "middle": _back(best.middle, logarithmic) if best.span[0] <= best.middle <= best.span[1] else _OUTSIDE,
        "slope": best.slope,
        "knee": _knee([who[0] for who in people], knee, best.knee, trials, logarithmic, method),
    }


def _knee(
    clips: list[str],
    knee: Callable[[I64], float],
    best: float | None,
    trials: F64,
    logarithmic: bool,
    method: Method,
) -> Json:
    if best is None:
        return _OUTSIDE
    if len(clips) < 2:
        return {"not_measured": "one identity alone gives no interval"}
    try:
        drawn = bootstrap(clips, knee, draws=KNEE_DRAWS, seed=method.seed, confidence=method.confidence)
    except ValueError as error:
        return {"not_measured": str(error)}
    return {
        "estimate": _back(best, logarithmic),
        "low": _back(drawn.low, logarithmic),
        "high": _back(drawn.high, logarithmic),
        "confidence": drawn.confidence,
        "method": drawn.method,
        "n_clips": len(set(clips)),
        "n_identities": len(clips),
        "n_trials": round(float(trials.sum())),
    }


def _back(x: float, logarithmic: bool) -> float:
    return float(2**x) if logarithmic else float(x)
