"""What an attack's hits are worth: the rate, what a guess gets, and the bound of what it is above that."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from vsanon.validation.conclusions.rounding import rounded
from vsanon.validation.conclusions.share_intervals import share_interval

BAR = 0.1
"""A look holds against an attack whose rate is, at the upper bound, at most so much above a guess's."""

HOLDS, BROKEN, OPEN = "holds", "does not hold", "not shown"


def figure(hits: ArrayLike, trials: ArrayLike, chance: float) -> dict[str, Any]:
    """The rate of an attack with its bounds, 95 %.

    Args:
        hits, trials: (n,) of each subject: a plate's characters, a person's pictures; subjects are independent.
        chance: the rate of a guess.
    """
    total = np.asarray(trials, np.float64)
    found = share_interval(range(len(total)), hits, total)
    low, rate, high = rounded([found.interval.low, found.interval.estimate, found.interval.high])
    return {"n": len(total), "tries": int(total.sum()), "rate": rate, "low": low, "high": high, "chance": chance}


def outcome(one: Mapping[str, Any]) -> str:
    """What one figure says of the look."""
    if one["high"] - one["chance"] <= BAR:
        return HOLDS
    return BROKEN if one["low"] > one["chance"] else OPEN


def verdict(figures: Sequence[Mapping[str, Any]]) -> str:
    """What all figures of a look say: it holds where it holds against every attack."""
    found = {outcome(one) for one in figures}
    return BROKEN if BROKEN in found else OPEN if OPEN in found or not found else HOLDS
