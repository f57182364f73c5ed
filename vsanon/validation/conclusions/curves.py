"""Curves of recall over rate or pixel size: the logistic fit with its knee, and the rate at equal recall."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator
from scipy.optimize import minimize
from scipy.special import expit

from vsanon.validation.metrics.unmeasured import NotMeasured

F64 = NDArray[np.float64]

KNEE = log(2 + sqrt(3))
"""Where the logistic function bends most downwards: its second derivative is least at a share of 0.789."""

_STEEPEST = 60.0
"""Greatest slope over the span of x. Where a step fits best, every steeper one fits as well."""

_FLATTER = 1e-9
"""Weight of offset² and slope² in the loss of a trial: of fits that are as likely, one alone is best."""

_ALIKE = 1e-9
"""Fits whose losses differ by less are as good; the first is taken."""

_POLISHES = 50
"""The most steps of `_polished`; five are usual."""


@dataclass(frozen=True, slots=True)
class Logistic:
    """recall(x) = plateau / (1 + exp(−(x − middle) · slope)).

    Args:
        plateau: what recall levels out at, in (0, 1].
        middle: the x of half the plateau.
        slope: above 0 where recall rises with x.
        span: the least and the greatest x that were measured.
        log_likelihood: of the binomial counts, without their constant.
    """

    plateau: float
    middle: float
    slope: float
    span: tuple[float, float]
    log_likelihood: float

    def __call__(self, x: ArrayLike) -> F64:
        """Recall at `x`."""
        shape: F64 = expit((np.asarray(x, np.float64) - self.middle) * self.slope)
        return self.plateau * shape

    @property
    def knee(self) -> float | None:
        """The x where the curve bends most from its plateau, at 0.789 of it; None outside what was measured."""
        if not self.slope:
            return None
        at = self.middle + KNEE / self.slope
        return at if self.span[0] <= at <= self.span[1] else None


def fit_logistic(
    x: ArrayLike,
    hits: ArrayLike,
    trials: ArrayLike,
    *,
    plateau: float | None = None,
    near: Logistic | None = None,
) -> Logistic:
    """Fit by greatest binomial likelihood.

    Args:
        x: (n,) what recall depends on: log2 of a rate, a CRF, log2 of pixels. Two different values at least.
        hits, trials: (n,) counts at each x.
        plateau: known beforehand, such as 1; None: fitted too.
        near: the fit of much the same counts, as for the draws of a bootstrap: the search starts there only.

    Raises:
        ValueError: lengths differ, there is one x only, or not 0 <= hits <= trials.
    """
    at, hit, total = (np.asarray(v, np.float64).reshape(-1) for v in (x, hits, trials))
    if not len(at) == len(hit) == len(total) or not np.all((hit >= 0) & (hit <= total)):
        raise ValueError("a fit needs as many x as hits and trials, and 0 <= hits <= trials")
    used = total > 0
    at, hit, total = at[used], hit[used], total[used]
    if len(np.unique(at)) < 2:
        raise ValueError("a fit needs two different x with trials")
    low, high = float(at.min()), float(at.max())
    scaled = (at - low) / (high - low)

    def loss(p: F64) -> tuple[float, F64]:
        """The negative log likelihood of a trial, and its gradient."""
        shape = expit(p[0] + p[1] * scaled)
        level = float(p[2]) if plateau is None else plateau
        share = np.clip(level * shape, 1e-12, 1 - 1e-12)
        value = -(hit * np.log(share) + (total - hit) * np.log1p(-share)).sum() / total.sum()
        pull = ((total - hit) / (1 - share) - hit / share) / total.sum()
        bend = pull * level * shape * (1 - shape)
        gradient = np.array([bend.sum(), (bend * scaled).sum(), (pull * shape).sum()])[: len(p)]
        gradient[:2] += 2 * _FLATTER * p[:2]
        return float(value + _FLATTER * (p[0] ** 2 + p[1] ** 2)), gradient

    def bends(p: F64) -> F64:
        """The second derivatives of the loss."""
        shape = expit(p[0] + p[1] * scaled)
        level = float(p[2]) if plateau is None else plateau
        share = np.clip(level * shape, 1e-12, 1 - 1e-12)
        pull = ((total - hit) / (1 - share) - hit / share) / total.sum()
        curve = ((total - hit) / (1 - share) ** 2 + hit / share**2) / total.sum()
        rise = shape * (1 - shape)
        within = curve * (level * rise) ** 2 + pull * level * rise * (1 - 2 * shape)
        across = curve * level * rise * shape + pull * rise
        one, mixed, two = within.sum(), (within * scaled).sum(), (within * scaled**2).sum()
        by_level = across.sum(), (across * scaled).sum()
        rows = [[one, mixed, by_level[0]], [mixed, two, by_level[1]], [*by_level, (curve * shape**2).sum()]]
        found = np.array(rows)[: len(p), : len(p)]
        found[[0, 1], [0, 1]] += 2 * _FLATTER
        return found

    top = float(np.clip((hit / total).max(), 1e-3, 1))
    limits = [(-2 * _STEEPEST, 2 * _STEEPEST), (-_STEEPEST, _STEEPEST), (1e-3, 1.0)][: 2 + (plateau is None)]
    starts = [(-slope / 2, slope, top) for slope in (0.0, 4.0, -4.0, 25.0, -25.0)]
    if near is not None:
        starts = [((low - near.middle) * near.slope, near.slope * (high - low), near.plateau)]
    fits = [
        minimize(
            loss,
            np.array(start[: len(limits)]),
            method="L-BFGS-B",
            jac=True,
            bounds=limits,
            options={"ftol": 1e-13, "gtol": 1e-8},
        )
        for start in starts
    ]
    least = min(float(found.fun) for found in fits)
    best = next(found for found in fits if float(found.fun) <= least + _ALIKE)
    at_best = _polished(lambda p: (loss(p)[1], bends(p)), best.x, limits)
    offset, slope = float(at_best[0]), float(at_best[1]) / (high - low)
    middle = low - offset / slope if slope else low
    reached = float(at_best[2]) if plateau is None else plateau
    return Logistic(reached, middle, slope, (low, high), float(-loss(at_best)[0] * total.sum()))


def _polished(slopes: Callable[[F64], tuple[F64, F64]], start: F64, limits: Sequence[tuple[float, float]]) -> F64:
    """The minimum near `start`, to the last digits: Newton's steps in what lies at no limit.

    A search for the least loss stops where the loss no longer changes, half of the digits away from its place, and
    where in between hangs on the processor. The place where the gradient is 0 does not.

    Args:
        slopes: the gradient and the second derivatives at a place.
        start: near a minimum.
        limits: the least and greatest value of each.
    """
    low, high = np.array(limits, np.float64).T
    at: F64 = np.clip(start, low, high)
    gradient, bends = slopes(at)
    for _ in range(_POLISHES):
        free = ~((at <= low) & (gradient > 0) | (at >= high) & (gradient < 0))
        try:
            root = np.linalg.cholesky(bends[np.ix_(free, free)])
        except np.linalg.LinAlgError:  # no minimum near here
            break
        step = np.zeros_like(at)
        step[free] = np.linalg.solve(root.T, np.linalg.solve(root, -gradient[free]))
        tried = np.clip(at + step, low, high)
        next_gradient, next_bends = slopes(tried)
        if not np.abs(next_gradient[free]).max(initial=0) < np.abs(gradient[free]).max(initial=0):
            break
        at, gradient, bends = tried, next_gradient, next_bends
    return at


def bd_rate(reference: tuple[ArrayLike, ArrayLike], tested: tuple[ArrayLike, ArrayLike]) -> float | NotMeasured:
    """How much more rate `tested` needs than `reference` for the same coverage recall, in percent.

    Bjøntegaard's delta rate (VCEG-M33, VCEG-AI11) with recall in the place of PSNR: the mean difference of log
    rate, interpolated by pchip, over the recalls that both reach. A point whose recall a lower rate reaches as
    well is left out: what counts is the least rate that reaches a recall.

    Args:
        reference, tested: (n,) rates above 0, and (n,) recalls.

    Returns:
        Percent, negative where `tested` needs less; or why there is none.

    Raises:
        ValueError: lengths differ, or a rate is not above 0.
    """
    curves = [_least_rates(*curve) for curve in (reference, tested)]
    for name, (rates, _) in zip(("reference", "tested"), curves, strict=True):
        if len(rates) < 2:
            return NotMeasured(f"the {name} curve has {len(rates)} rates of rising recall, and needs 2")
    low, high = max(recalls[0] for _, recalls in curves), min(recalls[-1] for _, recalls in curves)
    if not low < high:
        return NotMeasured("the curves reach no recall in common")
    means = [_mean(PchipInterpolator(recalls, np.log(rates)), low, high) for rates, recalls in curves]
    return float(100 * np.expm1(means[1] - means[0]))


def _least_rates(rates: ArrayLike, recalls: ArrayLike) -> tuple[F64, F64]:
    rate, recall = np.asarray(rates, np.float64).reshape(-1), np.asarray(recalls, np.float64).reshape(-1)
    if len(rate) != len(recall) or not np.all(rate > 0):
        raise ValueError("a curve needs as many rates as recalls, and rates above 0")
    order = np.lexsort((-recall, rate))
    rate, recall = rate[order], recall[order]
    best = np.maximum.accumulate(recall)
    rises = np.array([True, *(a < b for a, b in pairwise(best))], np.bool_)[: len(rate)]
    return rate[rises], recall[rises]


def _mean(curve: Callable[..., F64], low: float, high: float) -> float:
    assert isinstance(curve, PchipInterpolator)
    return float(curve.integrate(low, high)) / (high - low)
