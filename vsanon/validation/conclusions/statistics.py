"""Intervals, comparisons and verdicts: how sure a measured share is, and what may be said of it.

Frames of one person, and people of one clip, are alike, so that a thousand boxes are not a thousand chances.
Headline intervals therefore draw whole clips, and then identities within them, with replacement.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import beta, binomtest, t

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


@dataclass(frozen=True, slots=True)
class ClusterInterval:
    """An interval that knows its sample.

    Args:
        interval: the figure and its bounds.
        n_clips, n_identities, n_trials: what it stands on.
        design_effect: its variance over that of as many independent trials; 1: no clustering; None where the
            draws don't vary.
    """

    interval: Interval
    n_clips: int
    n_identities: int
    n_trials: int
    design_effect: float | None


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """A − B on the same clips and identities.

    Args:
        interval: the difference and its bounds.
        p_value: two-sided, that there is none: twice the share of draws on the far side of 0, both ends counted.
        n_clips, n_identities: what it stands on.
    """

    interval: Interval
    p_value: float
    n_clips: int
    n_identities: int


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


def wilson(hits: int, trials: int, confidence: float = CONFIDENCE) -> Interval:
    """Wilson 1927's score interval, without continuity correction.

    Raises:
        ValueError: there is no trial, or not 0 <= hits <= trials.
    """
    return _binomial(hits, trials, confidence, "wilson", "Wilson")


def clopper_pearson(hits: int, trials: int, confidence: float = CONFIDENCE) -> Interval:
    """Clopper and Pearson 1934's exact interval, which never holds less than its confidence.

    Raises:
        ValueError: there is no trial, or not 0 <= hits <= trials.
    """
    return _binomial(hits, trials, confidence, "exact", "Clopper–Pearson")


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


def cluster_bootstrap(
    clips: ArrayLike,
    hits: ArrayLike,
    trials: ArrayLike,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
    confidence: float = CONFIDENCE,
) -> ClusterInterval:
    """The interval of Σhits / Σtrials, by clip and then identity (percentile method, Efron and Tibshirani 1993).

    Where all trials hit, or none, every draw says the same and a bootstrap would claim certainty. Then the
    interval is Clopper–Pearson's with one trial for each identity, and `method` says so.

    Args:
        clips: (m,) the clip of each identity.
        hits: (m,) its hits; as numbers of boxes, or of px² with `trials` alike.
        trials: (m,) its trials, more than 0.
        draws, seed, confidence: of the bootstrap.

    Raises:
        ValueError: lengths differ, nothing is given, or not 0 <= hits <= trials.
    """
    hit, total = _trials(hits, trials)
    weights = cluster_draws(_of_length(clips, len(hit)), draws, seed)
    values = (weights @ hit) / (weights @ total)
    estimate = float(hit.sum() / total.sum())
    n_clips, n = len(np.unique(np.asarray(clips))), round(float(total.sum()))
    if estimate in (0.0, 1.0):
        exact = clopper_pearson(round(estimate * len(hit)), len(hit), confidence)
        method = "Clopper–Pearson, one trial for each identity, as all draws are equal"
        interval = Interval(estimate, exact.low, exact.high, confidence, method)
        return ClusterInterval(interval, n_clips, len(hit), n, None)
    low, high = _percentiles(values, confidence)
    method = f"cluster bootstrap (clip, then identity), {draws} draws, seed {seed}"
    spread = float(values.var())
    effect = spread / (estimate * (1 - estimate) / float(total.sum())) if spread else None
    return ClusterInterval(Interval(estimate, low, high, confidence, method), n_clips, len(hit), n, effect)


def conformity(found: ClusterInterval) -> Interval:
    """The interval for a statement of conformity: Clopper–Pearson on as many trials as the sample is worth.

    A bootstrap is too sure of itself where misses are rare: it can only draw those that it has. Here the trials
    are divided by the design effect (where that is above 1) and cut further for few clips, by Korn and Graubard
    1998 (Survey Methodology 24, 193-201); the degrees of freedom are the clips less one, or where there is one
    clip only, its identities less one.

    Args:
        found: the headline interval.
    """
    share = found.interval.estimate
    if found.design_effect is None:
        return found.interval
    tail = (1 - found.interval.confidence) / 2
    freedom = max(1, (found.n_clips if found.n_clips > 1 else found.n_identities) - 1)
    few = (t.ppf(tail, max(1, found.n_trials - 1)) / t.ppf(tail, freedom)) ** 2
    worth = found.n_trials * min(1.0, float(few)) / max(1.0, found.design_effect)
    hits, misses = share * worth, (1 - share) * worth
    low = float(beta.ppf(tail, hits, misses + 1)) if hits else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, misses)) if misses else 1.0
    method = f"Clopper–Pearson on the {rounded(worth):.1f} trials that the sample is worth (Korn and Graubard 1998)"
    return Interval(share, low, high, found.interval.confidence, method)


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
            least half of the draws must have one.
        draws, seed, confidence: of the bootstrap.

    Raises:
        ValueError: more than half of the draws have no figure.
    """
    weights = cluster_draws(clips, draws, seed)
    values = np.array([statistic(row) for row in weights])
    known = values[np.isfinite(values)]
    if 2 * len(known) < draws:
        raise ValueError(f"only {len(known)} of {draws} draws have this figure")
    low, high = _percentiles(known, confidence)
    method = f"cluster bootstrap (clip, then identity), {draws} draws, {len(known)} of use, seed {seed}"
    return Interval(float(statistic(np.ones(weights.shape[1], np.int64))), low, high, confidence, method)


def paired_difference(
    clips: ArrayLike,
    a: tuple[ArrayLike, ArrayLike],
    b: tuple[ArrayLike, ArrayLike],
    *,
    draws: int = DRAWS,
    seed: int = SEED,
    confidence: float = CONFIDENCE,
) -> PairedDifference:
    """The interval of A's share less B's, both drawn alike.

    Args:
        clips: (m,) the clip of each identity.
        a, b: (m,) hits and (m,) trials of the same identities under both settings.
        draws, seed, confidence: of the bootstrap.

    Raises:
        ValueError: as in `cluster_bootstrap`.
    """
    (hit_a, total_a), (hit_b, total_b) = _trials(*a), _trials(*b)
    weights = cluster_draws(_of_length(clips, len(hit_a), len(hit_b)), draws, seed)
    values = (weights @ hit_a) / (weights @ total_a) - (weights @ hit_b) / (weights @ total_b)
    low, high = _percentiles(values, confidence)
    estimate = float(hit_a.sum() / total_a.sum() - hit_b.sum() / total_b.sum())
    method = f"paired cluster bootstrap (clip, then identity), {draws} draws, seed {seed}"
    # One is added so that no finite number of draws gives a p of 0 (Davison and Hinkley 1997, 4.2.5).
    tail = 1 + min(int((values <= 0).sum()), int((values >= 0).sum()))
    return PairedDifference(
        Interval(estimate, low, high, confidence, method),
        min(1.0, 2 * tail / (draws + 1)),
        len(np.unique(np.asarray(clips))),
        len(hit_a),
    )


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


def _binomial(hits: int, trials: int, confidence: float, kind: str, name: str) -> Interval:
    if trials < 1 or not 0 <= hits <= trials:
        raise ValueError(f"a share needs 0 <= hits <= trials and a trial, got {hits} of {trials}")
    found = binomtest(hits, trials).proportion_ci(confidence, method="wilson" if kind == "wilson" else "exact")
    return Interval(hits / trials, float(found.low), float(found.high), confidence, name)


def _trials(hits: ArrayLike, trials: ArrayLike) -> tuple[F64, F64]:
    hit, total = np.asarray(hits, np.float64), np.asarray(trials, np.float64)
    if hit.ndim != 1 or hit.shape != total.shape or not len(hit):
        raise ValueError(f"hits and trials are two rows of one length, got {hit.shape} and {total.shape}")
    if not np.all((hit >= 0) & (hit <= total) & (total > 0)):
        raise ValueError("each identity needs 0 <= hits <= trials and a trial")
    return hit, total


def _of_length(clips: ArrayLike, *lengths: int) -> ArrayLike:
    if {len(np.asarray(clips))} != set(lengths):
        raise ValueError(f"{len(np.asarray(clips))} clips need as many hits and trials, got {lengths}")
    return clips


def _percentiles(values: F64, confidence: float) -> tuple[float, float]:
    tail = 50 * (1 - confidence)
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)
