"""The figure that each metric of a criterion has in a group of cells, with its interval."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from vsanon.validation.conclusions.metric_kinds import BY_IDENTITY, OF_CELLS
from vsanon.validation.conclusions.shares import (
    Cell,
    Json,
    Method,
    Shares,
    as_figure,
    clip_of,
    exposure_of,
    found,
    measured,
    people,
    range_of_clips,
    shares,
    under_conditions,
)
from vsanon.validation.conclusions.statistics import Interval
from vsanon.validation.metrics.unmeasured import NotMeasured

THRESHOLD = 0.5
"""IoU at which precision is taken."""
ATTACK_CONFIDENCE = 0.95
"""Of the bounds in the table of attacks."""
Found = tuple[Interval | NotMeasured, Json]


def _share_of_identities(cells: list[Cell], criterion: Mapping[str, Any], method: Method) -> Found:
    rows, under = rows_of(cells, criterion), under_conditions(criterion)
    if under and not len(rows):
        nothing = NotMeasured(f"no {criterion['class']} is there under the conditions that are asked for")
        return nothing, {"not_measured": nothing.reason}
    return found(rows, method, criterion["class"])


def rows_of(cells: list[Cell], criterion: Mapping[str, Any]) -> Shares:
    """Hits and trials by identity, as a criterion asks for them."""
    least, under = criterion.get("at_least_frames", 1), under_conditions(criterion)
    return shares(cells, criterion["class"], criterion["metric"], least, under)


def _precision(cells: list[Cell], criterion: Mapping[str, Any], method: Method) -> Found:
    """tp / (tp + fp) of each clip, all clips weighing the same: a false box has no identity.

    Weighed by its boxes, a clip would count for more where more of them are false, and could make the sample surer.
    """
    sums: dict[str, tuple[float, float]] = {}
    for cell in measured(cells):
        for row in (cell["classes"].get(criterion["class"]) or {}).get("detection") or ():
            if row["threshold"] == THRESHOLD:
                hits, trials = sums.get(clip_of(cell), (0.0, 0.0))
                tp, fp = row["all"]["tp"], row["all"]["fp"]
                sums[clip_of(cell)] = (hits + tp, trials + tp + fp)
    clips = sorted(clip for clip, (_, trials) in sums.items() if trials)
    counted = np.array([sums[clip] for clip in clips], np.float64).reshape(-1, 2)
    share = counted[:, 0] / counted[:, 1]
    rows = Shares(tuple(clips), tuple(range(len(clips))), share, np.ones(len(clips)))
    interval, value = found(rows, method, f"detected {criterion['class']}")
    if "not_measured" in value:
        return interval, value
    return interval, {**value, "n_identities": None, "n_trials": float(counted[:, 1].sum())}


def _mean_of_clips(cells: list[Cell], criterion: Mapping[str, Any], method: Method) -> Found:
    values: dict[str, list[float]] = {}
    for cell in measured(cells):
        if not isinstance(figure := cell[criterion["metric"]], dict):
            values.setdefault(clip_of(cell), []).append(float(figure))
    interval = range_of_clips({clip: sum(v) / len(v) for clip, v in values.items()}, method)
    return interval, as_figure(interval, len(values), sum(len(v) for v in values.values()))


def _found_again(cells: list[Cell], criterion: Mapping[str, Any], method: Method) -> Found:
    """The share of true boxes that are found in the delivered file.

    Nobody knows whose they were. They are taken for those of as few people as can be, which makes the interval
    widest: one more that is found makes one person's share larger, and no one's smaller.
    """
    return found(again(cells, criterion["class"])[0], method, criterion["class"])


def _residual_per_1000(cells: list[Cell], criterion: Mapping[str, Any], method: Method) -> Found:
    """As `_found_again`, for each 1,000 frames that show anyone."""
    rows, frames = again(cells, criterion["class"])
    interval, value = found(rows, method, criterion["class"])
    if isinstance(interval, NotMeasured):
        return interval, value
    scale = 1000 * float(rows.trials.sum()) / frames
    bounds = {key: scale * getattr(interval, key) for key in ("estimate", "low", "high")}
    return replace(interval, **bounds), {**value, **bounds, "n_trials": frames}


def again(cells: list[Cell], name: str) -> tuple[Shares, int]:
    """Hits and trials of what was found again, by identity, and how many frames show anyone."""
    boxes: dict[str, dict[int, float]] = {}
    again: dict[str, int] = {}
    frames = 0
    for cell in cells:
        row, exposure = residual_of(cell, name), exposure_of(cell, name)
        if row is None or exposure is None or not row["shown_frames"]:
            continue
        clip = clip_of(cell)
        again[clip] = again.get(clip, 0) + row["found"]
        frames += row["shown_frames"]
        own = boxes.setdefault(clip, {})
        for one in people(exposure):
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


_ATTACKS = {"reading_rate": ("text", "plate", "dictionary"), "linking_rate": ("face", "real face")}
"""Kinds of attack that a metric takes, of what is left inside of the masks."""


def of_looks(
    cells: list[Cell],
    criterion: Mapping[str, Any],
    method: Method,
    attacks: Mapping[str, Sequence[Mapping[str, Any]]],
) -> Found:
    """The rate of the attack that came furthest above a guess, of any look that the cells use.

    Args:
        attacks: by look, the rows of `vsanon.covering.strength`.
    """
    kinds, worst = _ATTACKS[criterion["metric"]], []
    for look in sorted({cell["profile"] for cell in cells}):
        own = [row for row in attacks.get(look, ()) if row["kind"] in kinds]
        if not own:
            nothing = NotMeasured(f"nobody has attacked the look {look} in this way")
            return nothing, {"not_measured": nothing.reason}
        worst.append(max(own, key=lambda row: (row["high"] - row["chance"], row["attack"])))
    if method.confidence > ATTACK_CONFIDENCE:
        nothing = NotMeasured(
            f"the bounds of attacks are of {ATTACK_CONFIDENCE:.0%}, not of {method.confidence:.0%}"
        )
        return nothing, {"not_measured": nothing.reason}
    row = max(worst, key=lambda row: (row["high"] - row["chance"], row["look"]))
    how = (
        f"{row['attacker']}, {row['attack']}, {row['codec']}, {row['height_px']} px, n {row['n']}, made before; "
        f"a guess has {row['chance']:.3f}"
    )
    interval = Interval(row["rate"], row["low"], row["high"], ATTACK_CONFIDENCE, how)
    return interval, as_figure(interval, len({clip_of(cell) for cell in cells}), row["tries"])


def residual_of(cell: Cell, name: str) -> Mapping[str, Any] | None:
    """What was found again of a class in the delivered file; None where nothing was searched there."""
    row = ((cell["delivered"] or {}).get("residual") or {}).get(name)
    return row if row is not None and "not_measured" not in row else None


FIGURES: Mapping[str, Callable[[list[Cell], Mapping[str, Any], Method], Found]] = {
    **dict.fromkeys(BY_IDENTITY, _share_of_identities),
    "precision": _precision,
    **dict.fromkeys(OF_CELLS, _mean_of_clips),
    "found_again_share": _found_again,
    "residual_per_1000": _residual_per_1000,
    "checks_passed": _checks_passed,
}
"""By metric."""
