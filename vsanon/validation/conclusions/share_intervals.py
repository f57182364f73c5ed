"""The interval of a share that people of several clips give: one rule, whatever was missed.

Frames of one person are alike and people of one clip are a little, so a thousand boxes are not a thousand chances.
Each identity i has a share x_i and a weight t_i, its trials. The lower bound is the quantile of Σ w_i·x_i where
(w_0, w_1 …) is Dirichlet with parameters 1 and a_i = worth · t_i / Σt, and w_0 stands at the worst value, 0; for
the upper bound it stands at 1. Where all x_i are 0 or 1 that is Clopper and Pearson's interval of `worth` trials;
with equal weights, it is the bound of Learned-Miller and Thomas (arXiv 1905.06208), who conjecture that it holds.
No weight hangs on what was hit, so one more miss lowers every such sum and never raises a bound.
`scripts/simulate_intervals.py` measures how often the interval holds the truth: docs/intervals.md.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.stats import beta

from vsanon.validation.conclusions.rounding import rounded
from vsanon.validation.conclusions.statistics import CONFIDENCE, Interval

F64 = NDArray[np.float64]

ALIKE = 0.1
"""How alike people of one clip are taken to be: the correlation of their shares. It is declared, never estimated
from the hits that are judged: an estimate would make the interval narrower where one more was missed."""

_ROUNDING = 1e-9
"""How far, as a share, sums of areas may pass their whole."""
_LEAST = 1e-7
"""A bound below this is 0: next to nothing was hit, and numbers end here."""
_MOST_PEOPLE = 1e7
"""More than this nobody films."""
_REACH = 30.0
"""Of the trapezoid over log t, to both sides."""


@dataclass(frozen=True, slots=True)
class ClusterInterval:
    """An interval that knows its sample.

    Args:
        interval: the share and its bounds.
        n_clips, n_identities: what it stands on.
        n_trials: Σ of the trials.
        worth: as many independent people of equal weight say as much.
    """

    interval: Interval
    n_clips: int
    n_identities: int
    n_trials: float
    worth: float


def share_interval(
    clips: Sequence[Hashable],
    hits: ArrayLike,
    trials: ArrayLike,
    confidence: float = CONFIDENCE,
    *,
    alike: float = ALIKE,
) -> ClusterInterval:
    """Σhits / Σtrials with its interval.

    Args:
        clips: (m,) the clip of each identity.
        hits: (m,) its hits; as numbers of boxes, or of px² with `trials` alike.
        trials: (m,) its trials, more than 0.
        confidence: of the two bounds together, such as 0.95; each errs half as often as both.
        alike: the correlation of the shares of one clip's people.

    Raises:
        ValueError: lengths differ, nothing is given, not 0 <= hits <= trials, or not 0 < confidence < 1.
    """
    hit, total = _trials(hits, trials)
    if len(clips) != len(hit):
        raise ValueError(f"{len(clips)} clips need as many hits and trials, got {len(hit)}")
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies between 0 and 1, got {confidence}")
    worth = sample_worth(clips, total, alike)
    tail = (1 - confidence) / 2
    values, weights = _by_value(hit / total, total)
    shape = worth * weights / weights.sum()
    estimate = float(hit.sum() / total.sum())
    # By its symmetry the upper bound is what the lower one of the misses lacks to 1.
    low = min(_lower(values, shape, tail), estimate)
    high = max(1 - _lower(1 - values, shape, tail), estimate)
    n_clips = len(set(clips))
    identities, of_clips = _counted(len(hit), "identity", "identities"), _counted(n_clips, "clip", "clips")
    method = f"Dirichlet bounds on {identities} of {of_clips}, worth {rounded(worth):.3g} independent ones"
    interval = Interval(estimate, low, high, confidence, method)
    return ClusterInterval(interval, n_clips, len(hit), float(total.sum()), worth)


def sample_worth(clips: Sequence[Hashable], weights: ArrayLike, alike: float = ALIKE) -> float:
    """How many independent people of equal weight give a mean of the same variance.

    (Σt)² / ((1 - ρ)·Σt² + ρ·Σ_clips (Σt)²), which is Kish 1965's effective size with his design effect
    1 + (m - 1)·ρ where all weights and all clips are equal. It is 1 at least, and at most the number of people and
    the number of clips / ρ.

    Args:
        clips: (m,) the clip of each identity.
        weights: (m,) above 0.
        alike: ρ.
    """
    t = np.asarray(weights, np.float64)
    place = {clip: k for k, clip in enumerate(dict.fromkeys(clips))}
    together = np.bincount([place[clip] for clip in clips], t)
    return float(t.sum() ** 2 / ((1 - alike) * (t**2).sum() + alike * (together**2).sum()))


def people_needed(limit: float, confidence: float = CONFIDENCE) -> float:
    """How many independent people without one miss show a share of at least `limit`: ln(tail) / ln(limit).

    Raises:
        ValueError: not 0 < limit < 1; no number of people shows a share of 1.
    """
    if not 0 < limit < 1:
        raise ValueError(f"a share that people can show lies between 0 and 1, got {limit}")
    return float(np.log((1 - confidence) / 2) / np.log(limit))


def people_needed_at(share: float, limit: float, confidence: float = CONFIDENCE) -> float | None:
    """How many independent people, of whom this share is hit, show at least `limit`; None: no number does.

    The number at which Clopper and Pearson's lower bound, with the share as it is, reaches the limit.
    """
    if share == 1:
        return people_needed(limit, confidence)
    if share <= limit:
        return None
    tail = (1 - confidence) / 2

    def lacks(log_n: float) -> float:
        n = float(np.exp(log_n))
        return float(beta.ppf(tail, n * share, n * (1 - share) + 1)) - limit

    low, high = float(np.log(people_needed(limit, confidence))), float(np.log(_MOST_PEOPLE))
    return float(np.exp(brentq(lacks, low, high))) if lacks(high) >= 0 else None


def not_above(values: F64, shape: F64, q: float) -> float:
    """P(Σ w_i·values_i <= q) for (w_0, w) ~ Dirichlet(1, shape), w_0 at 0; by numbers, to about 1e-10.

    Σ w_i·v_i <= q where Σ G_i·(v_i - q) - G_0·q <= 0 for independent gamma variates G, whose characteristic
    function Gil-Pelaez 1951 inverts. Over log t its integrand is smooth and dies off on both sides.
    """
    c = np.concatenate([values - q, [-q]])
    a = np.concatenate([shape, [1.0]])
    spread = np.sqrt((a * c**2).sum())
    # The more people, the faster it turns where it counts: so it is right to 1e-9 from 1 to 20,000 people.
    step = min(0.08, 0.8 / float(np.sqrt(a.sum())))
    steps = np.arange(-_REACH, _REACH, step)
    tc = np.exp(steps)[:, None] / spread * c
    size = np.exp(-0.5 * (np.log1p(tc**2) @ a))
    turn = np.arctan(tc) @ a
    return float(0.5 - (size * np.sin(turn)).sum() * step / np.pi)


def _lower(values: F64, shape: F64, tail: float) -> float:
    """The quantile at `tail` of Σ w_i·values_i, w_0 at 0."""
    if not values.any():
        return 0.0
    if np.isin(values, (0.0, 1.0)).all():
        return float(beta.ppf(tail, shape @ values, 1 + shape @ (1 - values)))
    if len(values) == 1:
        return float(values[0] * beta.ppf(tail, shape[0], 1))
    # The sum lies between those of all values at their least, and at their greatest.
    least, most = (float(end * beta.ppf(tail, shape.sum(), 1)) for end in (values.min(), values.max()))
    least = max(least * (1 - 1e-9), _LEAST)
    if most <= _LEAST or not_above(values, shape, least) >= tail:
        return 0.0 if least == _LEAST else least
    return float(brentq(lambda q: not_above(values, shape, q) - tail, least, most * (1 + 1e-9), xtol=1e-13))


def _by_value(values: F64, weights: F64) -> tuple[F64, F64]:
    """Each value once, with the sum of its weights: a Dirichlet variate sums likewise."""
    distinct, at = np.unique(values, return_inverse=True)
    return distinct, np.bincount(at, weights)


def _trials(hits: ArrayLike, trials: ArrayLike) -> tuple[F64, F64]:
    hit, total = np.asarray(hits, np.float64), np.asarray(trials, np.float64)
    if hit.ndim != 1 or hit.shape != total.shape or not len(hit):
        raise ValueError(f"hits and trials are two rows of one length, got {hit.shape} and {total.shape}")
    hit = np.where(np.abs(total - hit) <= _ROUNDING * total, total, hit)
    if not np.all((hit >= 0) & (hit <= total) & (total > 0) & np.isfinite(total)):
        raise ValueError("each identity needs 0 <= hits <= trials and a trial")
    return hit, total


def _counted(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"
