"""Verdicts: what may be said of a figure with its interval; and how sure a fitted figure is.

Frames of one person, and people of one clip, are alike, so that a thousand boxes are not a thousand chances. So
whole clips are drawn here, and then identities within them, with replacement. The interval of a share that a
verdict hangs on is no bootstrap, and neither is that of a difference: see `share_intervals` and `differences`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest

from vsanon.validation.conclusions.rounding import rounded
from vsanon.validation.metrics.unmeasured import NotMeasured

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

CONFIDENCE = 0.95
DRAWS = 2000
SEED = 20_240_607


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its confidence interval.

    Args:
        estimate: the figure.
        low, high: the bounds.
        confidence: such as 0.95.
        method: how they were made, in words for the reader.
    """

    estimate: float
    low: float
    high: float
    confidence: float
    method: str


class Outcome(StrEnum):
    """What may be said of a figure and its limit; all but PASS are not passed."""

    PASS = "pass"
    FAIL = "fail"
    NOT_SHOWN = "not shown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome, and the rule by which it was reached, to be printed beside it."""

    outcome: Outcome
    rule: str


def clopper_pearson(hits: int, trials: int, confidence: float = CONFIDENCE) -> Interval:
    """Clopper and Pearson 1934's exact interval, which never holds less than its confidence.

    Raises:
        ValueError: there is no trial, or not 0 <= hits <= trials.
    """
    if trials < 1 or not 0 <= hits <= trials:
        raise ValueError(f"a share needs 0 <= hits <= trials and a trial, got {hits} of {trials}")
    found = binomtest(hits, trials).proportion_ci(confidence, method="exact")
    return Interval(hits / trials, float(found.low), float(found.high), confidence, "Clopper–Pearson")


def cluster_draws(clips: ArrayLike, draws: int = DRAWS, seed: int = SEED) -> I64:
    """Draw clips with replacement, and within each drawn clip as many identities as it has, with replacement.

    Args:
        clips: (m,) the clip of each identity, any labels.
        draws: how many times.
        seed: of the random numbers.

    Returns:
        (draws, m) int64: how often each identity was drawn.

    Raises:
        ValueError: there is no identity.
    """
    labels, at = np.unique(np.asarray(clips), return_inverse=True)
    if not len(at):
        raise ValueError("nothing to draw from: there is no identity")
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(at == k) for k in range(len(labels))]
    taken = rng.multinomial(len(labels), np.full(len(labels), 1 / len(labels)), size=draws)
    weights = np.zeros((draws, len(at)), np.int64)
    for k, own in enumerate(members):
        # Drawing a clip of j identities c times draws c·j of its identities.
        weights[:, own] = rng.multinomial(taken[:, k] * len(own), np.full(len(own), 1 / len(own)))
    return weights


def bootstrap(
    clips: ArrayLike,
    statistic: Callable[[I64], float],
    *,
    draws: int = DRAWS,
    seed: int = SEED,
    confidence: float = CONFIDENCE,
) -> Interval:
    """The interval of any figure, such as a knee, by clip and then identity.

    Args:
        clips: (m,) the clip of each identity.
        statistic: the figure, given (m,) int64, how often each identity counts; NaN where it has none. At
            least nine in ten of the draws must have one: at the edge of where there is one, processors disagree.
        draws, seed, confidence: of the bootstrap.

    Raises:
        ValueError: more than one in ten of the draws have no figure.
    """
    weights = cluster_draws(clips, draws, seed)
    values = np.array([statistic(row) for row in weights])
    known = values[np.isfinite(values)]
    if 10 * len(known) < 9 * draws:
        raise ValueError(
            f"fewer than nine in ten of {draws} draws have this figure"
        )  # how many, processors disagree
    low, high = _percentiles(known, confidence)
    method = f"cluster bootstrap (clip, then identity), {draws} draws, {len(known)} of use, seed {seed}"
    return Interval(float(statistic(np.ones(weights.shape[1], np.int64))), low, high, confidence, method)


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """p values adjusted for how many there are, in their order (Holm 1979)."""
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1)
    return tuple(adjusted.tolist())


def decide_at_least(found: Interval | NotMeasured, limit: float) -> Verdict:
    """Must the figure reach a limit, such as a recall? PASS only where the lower bound does."""
    rule = f"pass only where the lower bound of the interval is at least {limit:g}"
    if isinstance(found, NotMeasured):
        return Verdict(Outcome.NOT_SHOWN, f"{rule}; {found}")
    low, high = rounded([found.low, found.high])
    shown = Outcome.PASS if low >= limit else Outcome.FAIL if high < limit else Outcome.NOT_SHOWN
    return Verdict(shown, f"{rule} ({found.confidence:.0%}, {found.method})")


def decide_at_most(found: Interval | NotMeasured, limit: float) -> Verdict:
    """Must the figure keep below a limit, such as an exposure rate? PASS only where the upper bound does."""
    rule = f"pass only where the upper bound of the interval is at most {limit:g}"
    if isinstance(found, NotMeasured):
        return Verdict(Outcome.NOT_SHOWN, f"{rule}; {found}")
    low, high = rounded([found.low, found.high])
    shown = Outcome.PASS if high <= limit else Outcome.FAIL if low > limit else Outcome.NOT_SHOWN
    return Verdict(shown, f"{rule} ({found.confidence:.0%}, {found.method})")


def _percentiles(values: F64, confidence: float) -> tuple[float, float]:
    tail = 50 * (1 - confidence)
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)
