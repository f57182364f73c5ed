"""One system less another on the same people: whether it changed, and by how much at most.

`scripts/simulate_differences.py` measures how often either is wrong: docs/differences.md.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc

from vsanon.validation.conclusions.share_intervals import sample_worth, share_interval
from vsanon.validation.conclusions.statistics import CONFIDENCE, Interval

F64 = NDArray[np.float64]
_SAME = 1e-12
"""Shares as near as this are one."""


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """A − B on the same clips and identities.

    Args:
        interval: the difference of both shares, and its bounds.
        p_value: two-sided, of a sign test by identity, that people fare alike; 1 where most people fare otherwise
            than the mean says.
        n_changed: identities whose shares differ.
        n_clips, n_identities: what it stands on.
    """

    interval: Interval
    p_value: float
    n_changed: int
    n_clips: int
    n_identities: int


def paired_difference(
    clips: Sequence[Hashable],
    a: tuple[ArrayLike, ArrayLike],
    b: tuple[ArrayLike, ArrayLike],
    confidence: float = CONFIDENCE,
) -> PairedDifference:
    """A's share less B's, by identity.

    The bounds are those of a clustered share over (1 + difference) / 2, of which each identity has one; so the
    share of an identity may weigh otherwise than in either share by itself where it has other trials in B than
    in A.

    Args:
        clips: (m,) the clip of each identity.
        a, b: (m,) hits and (m,) trials of the same identities under both settings.
        confidence: of the interval.

    Raises:
        ValueError: lengths differ, nothing is given, or not 0 <= hits <= trials with a trial for each.
    """
    (hit_a, total_a), (hit_b, total_b) = _trials(*a), _trials(*b)
    if {len(clips), len(hit_a)} != {len(hit_b)}:
        raise ValueError(f"{len(clips)} clips need as many hits and trials, got {len(hit_a)} and {len(hit_b)}")
    each = hit_a / total_a - hit_b / total_b
    each[np.abs(each) <= _SAME] = 0.0
    weights = total_a + total_b
    found = share_interval(clips, weights * np.clip((1 + each) / 2, 0, 1), weights, confidence)
    estimate = float(hit_a.sum() / total_a.sum() - hit_b.sum() / total_b.sum())
    low, high = (2 * bound - 1 for bound in (found.interval.low, found.interval.high))
    method = f"{found.interval.method}, of paired differences"
    interval = Interval(estimate, min(low, estimate), max(high, estimate), confidence, method)
    changed = int((each != 0).sum())
    return PairedDifference(interval, sign_test(clips, each, estimate), changed, found.n_clips, found.n_identities)


def sign_test(clips: Sequence[Hashable], differences: F64, mean: float) -> float:
    """Dixon and Mood 1946's test over the identities that changed, which are worth what `sample_worth` says.

    Args:
        clips: (m,) the clip of each identity.
        differences: (m,) of each identity.
        mean: of the difference as a whole; where most identities changed the other way, nothing is shown.

    Returns:
        The p value, in (0, 1].
    """
    changed = np.flatnonzero(differences)
    if not len(changed):
        return 1.0
    rising = float((differences > 0).sum() / len(changed))
    if (rising - 0.5) * mean <= 0:
        return 1.0
    n = sample_worth([clips[int(k)] for k in changed], np.ones(len(changed)))
    fewer = min(rising, 1 - rising) * n
    # P(X <= k) of a binomial of n trials at even odds, as the beta function has it for any real n and k.
    return min(1.0, 2 * float(betainc(n - fewer, fewer + 1, 0.5)))


def _trials(hits: ArrayLike, trials: ArrayLike) -> tuple[F64, F64]:
    hit, total = np.asarray(hits, np.float64), np.asarray(trials, np.float64)
    if hit.ndim != 1 or hit.shape != total.shape or not len(hit):
        raise ValueError(f"hits and trials are two rows of one length, got {hit.shape} and {total.shape}")
    if not np.all((hit >= 0) & (hit <= total) & (total > 0)):
        raise ValueError("each identity needs 0 <= hits <= trials and a trial")
    return hit, total
