"""The logistic fit and the rate at equal recall: drawn from known curves, and against public oracles."""

from math import log, sqrt

import numpy as np
import pytest

from vsanon.validation.conclusions.curves import bd_rate, fit_logistic
from vsanon.validation.conclusions.statistics import bootstrap
from vsanon.validation.metrics.unmeasured import NotMeasured

X = np.array([1, 2, 3, 4, 5, 6.0])
HITS = np.array([2, 10, 25, 40, 47, 49])
TRIALS = np.full(6, 50)


def test_the_fit_is_that_of_statsmodels_where_the_plateau_is_one() -> None:
    """statsmodels 0.15.0, GLM(Binomial): params −4.27592321, 1.41276345."""
    fit = fit_logistic(X, HITS, TRIALS, plateau=1)
    assert fit.slope == pytest.approx(1.41276345, abs=1e-6)
    assert fit.middle == pytest.approx(3.0266377587693185, abs=1e-6)
    assert fit.knee == pytest.approx(fit.middle + log(2 + sqrt(3)) / fit.slope)


def test_a_known_curve_with_a_plateau_is_found_again_with_its_knee() -> None:
    x = np.linspace(0, 10, 21)
    share = 0.85 / (1 + np.exp(-(x - 4) * 1.5))
    fit = fit_logistic(x, share * 1000, np.full(21, 1000))
    assert (fit.plateau, fit.middle, fit.slope) == pytest.approx((0.85, 4, 1.5), abs=1e-4)
    assert fit(x) == pytest.approx(share, abs=1e-5)
    knee = fit.knee
    assert knee is not None
    assert float(fit(knee)) == pytest.approx(0.85 * (3 + sqrt(3)) / 6)
    bend = np.diff(fit(np.linspace(0, 10, 1001)), 2)
    assert np.argmin(bend) / 100 == pytest.approx(knee, abs=0.02)


@pytest.mark.slow
def test_recall_over_crf_falls_and_has_its_knee_before_the_fall() -> None:
    crf = np.arange(18, 52, 3.0)
    share = 0.95 / (1 + np.exp((crf - 42) * 0.5))
    fit = fit_logistic(crf, share * 500, np.full(len(crf), 500))
    assert fit.slope == pytest.approx(-0.5, abs=1e-3)
    assert fit.knee == pytest.approx(42 - log(2 + sqrt(3)) / 0.5, abs=0.01)


@pytest.mark.slow
def test_a_fit_that_starts_near_ends_at_the_same_place() -> None:
    first = fit_logistic(X, HITS, TRIALS)
    drawn = np.array([3, 9, 25, 41, 47, 49])
    again = fit_logistic(X, drawn, TRIALS)
    near = fit_logistic(X, drawn, TRIALS, near=first)
    assert (near.plateau, near.middle, near.slope) == pytest.approx(
        (again.plateau, again.middle, again.slope), rel=1e-3
    )


@pytest.mark.slow
def test_a_knee_has_an_interval_by_drawing_clips() -> None:
    """Twelve clips, each measured at twelve CRFs; their own recalls differ by chance only."""
    crf = np.arange(18, 52, 3.0)
    share = 0.95 / (1 + np.exp((crf - 40) * 0.5))
    hits = np.random.default_rng(5).binomial(60, share, (12, len(crf)))
    trials = np.full((12, len(crf)), 60)
    fit = fit_logistic(crf, hits.sum(axis=0), trials.sum(axis=0))

    def knee(weights: np.ndarray) -> float:
        return fit_logistic(crf, weights @ hits, weights @ trials, near=fit).knee or np.nan

    got = bootstrap(np.arange(12), knee, draws=100)
    assert got.low < 40 - log(2 + sqrt(3)) / 0.5 < got.high
    assert got.high - got.low < 1.5


def test_a_recall_that_never_falls_has_no_knee() -> None:
    assert fit_logistic(X, TRIALS, TRIALS).knee is None
    assert fit_logistic(X, np.zeros(6), TRIALS).knee is None


def test_a_clean_step_has_its_knee_between_its_two_sides() -> None:
    fit = fit_logistic(X, [0, 0, 0, 50, 50, 50], TRIALS)
    assert fit.knee is not None
    assert 3 <= fit.knee <= 4


def test_a_single_x_has_no_curve() -> None:
    with pytest.raises(ValueError, match="two different x"):
        fit_logistic([3, 3], [1, 2], [5, 5])
    with pytest.raises(ValueError, match="two different x"):
        fit_logistic([3, 4], [1, 0], [5, 0])


def test_half_the_rate_everywhere_is_minus_fifty_percent() -> None:
    recall = [0.5, 0.7, 0.85, 0.9]
    assert bd_rate(([1, 2, 4, 8], recall), ([0.5, 1, 2, 4], recall)) == pytest.approx(-50)
    assert bd_rate(([1, 2, 4, 8], recall), ([1, 2, 4, 8], recall)) == pytest.approx(0)


def test_the_rate_at_equal_recall_is_that_of_the_package_bjontegaard() -> None:
    """bjontegaard 1.3.0, bd_rate(..., method="pchip", require_matching_points=False)."""
    a = ([500, 1000, 2000, 4000], [0.62, 0.81, 0.90, 0.94])
    b = ([450, 900, 1800, 3600], [0.55, 0.80, 0.92, 0.95])
    assert bd_rate(a, b) == pytest.approx(-8.667358819665195)
    psnr_a = ([686.76, 309.58, 157.11, 85.95], [40.28, 37.18, 34.24, 31.42])
    psnr_b = ([893.34, 407.8, 204.93, 112.75], [40.39, 37.21, 34.17, 31.24])
    assert bd_rate(psnr_a, psnr_b) == pytest.approx(31.379878202397627)


def test_a_rate_that_a_lower_one_matches_does_not_count() -> None:
    plain = ([1, 2, 4], [0.5, 0.7, 0.9])
    dented = ([1, 2, 3, 4, 8], [0.5, 0.7, 0.6, 0.9, 0.9])
    assert bd_rate(plain, dented) == pytest.approx(0)


def test_curves_without_a_common_recall_are_not_measured() -> None:
    low, high = ([1, 2], [0.1, 0.2]), ([1, 2], [0.3, 0.4])
    assert bd_rate(low, high) == NotMeasured("the curves reach no recall in common")
    flat = bd_rate(low, ([1, 2, 3], [0.2, 0.2, 0.1]))
    assert isinstance(flat, NotMeasured)
    assert flat.reason == "the tested curve has 1 rates of rising recall, and needs 2"
    with pytest.raises(ValueError, match="above 0"):
        bd_rate(low, ([0, 1], [0.1, 0.2]))
