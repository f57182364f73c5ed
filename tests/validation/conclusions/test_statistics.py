"""Intervals, comparisons and verdicts: by hand, and against figures of statsmodels 0.15.0."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsanon.validation.conclusions.statistics import (
    Interval,
    Outcome,
    bootstrap,
    clopper_pearson,
    cluster_draws,
    decide_at_least,
    decide_at_most,
    holm,
)
from vsanon.validation.metrics.unmeasured import NotMeasured


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [
        (0, 10, 0.0, 0.30849710781876083),
        (8, 10, 0.4439045376923585, 0.9747892736731666),
        (95, 100, 0.8871650888945373, 0.9835681208179479),
        (50, 50, 0.9288782635358024, 1.0),
    ],
)
def test_clopper_pearson_is_that_of_statsmodels(hits: int, trials: int, low: float, high: float) -> None:
    """proportion_confint(hits, trials, 0.05, "beta")"""
    got = clopper_pearson(hits, trials)
    assert (got.low, got.high) == pytest.approx((low, high), abs=1e-9)


def test_clopper_pearson_of_all_hits_starts_at_the_nth_root_of_half_the_error() -> None:
    assert clopper_pearson(50, 50).low == pytest.approx(0.025 ** (1 / 50))


@pytest.mark.parametrize(("hits", "trials"), [(0, 0), (-1, 3), (4, 3)])
def test_a_share_of_nothing_has_no_interval(hits: int, trials: int) -> None:
    with pytest.raises(ValueError, match="0 <= hits <= trials"):
        clopper_pearson(hits, trials)


def test_draws_keep_clips_whole_and_are_the_same_each_time() -> None:
    clips = ["a", "a", "a", "b", "c", "c"]
    weights = cluster_draws(clips, draws=500)
    assert np.array_equal(weights, cluster_draws(clips, draws=500))
    assert not np.array_equal(weights, cluster_draws(clips, draws=500, seed=1))
    taken = np.stack([weights[:, :3].sum(1) / 3, weights[:, 3], weights[:, 4:].sum(1) / 2], axis=1)
    assert np.array_equal(taken, taken.round())
    assert np.all(taken.sum(axis=1) == 3)
    assert weights.mean() == pytest.approx(1, abs=0.05)


def test_any_figure_can_be_drawn() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0])
    got = bootstrap(np.arange(4), lambda weights: float(weights @ values / weights.sum()))
    assert got.estimate == 2.5
    assert got.low == pytest.approx(2.5 - 1.96 * (1.25 / 4) ** 0.5, abs=0.15)
    with pytest.raises(ValueError, match="fewer than nine in ten of 2000 draws"):
        bootstrap(np.arange(4), lambda weights: float("nan"))


def test_holm_is_that_of_statsmodels() -> None:
    """multipletests([.01, .04, .03, .005, .5], method="holm")"""
    assert holm([0.01, 0.04, 0.03, 0.005, 0.5]) == pytest.approx((0.04, 0.09, 0.09, 0.025, 0.5))
    assert holm([]) == ()


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_only_raises_p_values_and_keeps_their_order(p: list[float]) -> None:
    adjusted = holm(p)
    assert all(before <= after <= 1 for before, after in zip(p, adjusted, strict=True))
    assert [adjusted[k] for k in np.argsort(p, kind="stable")] == sorted(adjusted)


def interval(low: float, high: float) -> Interval:
    return Interval((low + high) / 2, low, high, 0.95, "Wilson")


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (0.99, 1.0, Outcome.PASS),
        (0.995, 1.0, Outcome.PASS),
        (0.98, 1.0, Outcome.NOT_SHOWN),
        (0.97, 0.99, Outcome.NOT_SHOWN),
        (0.9, 0.98, Outcome.FAIL),
    ],
)
def test_a_recall_passes_only_where_its_lower_bound_reaches_the_limit(
    low: float, high: float, outcome: Outcome
) -> None:
    verdict = decide_at_least(interval(low, high), 0.99)
    assert verdict.outcome == outcome
    assert verdict.rule == "pass only where the lower bound of the interval is at least 0.99 (95%, Wilson)"


def test_an_exposure_rate_passes_only_where_its_upper_bound_keeps_the_limit() -> None:
    assert decide_at_most(interval(0, 0.01), 0.01).outcome == Outcome.PASS
    assert decide_at_most(interval(0, 0.02), 0.01).outcome == Outcome.NOT_SHOWN
    assert decide_at_most(interval(0.02, 0.03), 0.01).outcome == Outcome.FAIL


def test_what_was_not_measured_does_not_pass_and_says_why() -> None:
    verdict = decide_at_least(NotMeasured("this ffmpeg is built without libvmaf"), 90)
    assert verdict.outcome == Outcome.NOT_SHOWN
    assert verdict.rule.endswith("not measured: this ffmpeg is built without libvmaf")
    assert decide_at_most(NotMeasured("no truth"), 1).outcome == Outcome.NOT_SHOWN
