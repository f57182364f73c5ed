"""The interval of shares that people of several clips give: by hand, and that no miss ever makes it better."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from vsanon.validation.conclusions.rounding import rounded
from vsanon.validation.conclusions.share_intervals import (
    ALIKE,
    not_above,
    people_needed,
    sample_worth,
    share_interval,
)
from vsanon.validation.conclusions.statistics import clopper_pearson

NOISE = 1e-9
"""How far the numbers may be off."""

people = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 30), st.integers(1, 30)).map(lambda p: (p[0], min(p[1:]), p[2])),
    min_size=1,
    max_size=10,
)
"""Clip, hits and trials of each."""


@settings(max_examples=150, deadline=None)
@given(people, st.data())
def test_one_more_miss_never_raises_a_bound(drawn: list[tuple[int, int, int]], data: st.DataObject) -> None:
    clips, hits, trials = (list(column) for column in zip(*drawn, strict=True))
    before = share_interval(clips, hits, trials).interval
    who = data.draw(st.sampled_from(range(len(hits))))
    if not hits[who]:
        return
    hits[who] -= data.draw(st.integers(1, hits[who]))
    after = share_interval(clips, hits, trials).interval
    assert after.low <= before.low + NOISE
    assert after.high <= before.high + NOISE
    assert 0 <= after.low <= after.estimate <= after.high <= 1


def test_one_box_that_was_missed_does_not_let_a_sample_pass() -> None:
    """5 clips × 6 people × 200 frames, limit 0.95: by the former rule 0.884 without a miss, and 0.998 with one."""
    clips, trials = np.repeat(range(5), 6).tolist(), np.full(30, 200)
    hits = trials.copy()
    none = share_interval(clips, hits, trials).interval
    hits[0] -= 1
    one = share_interval(clips, hits, trials).interval
    assert none.low == pytest.approx(0.025 ** (1.5 / 30))
    assert one.low < none.low < 0.95


def test_sixty_six_of_seventy_two_stand_below_all_of_them() -> None:
    """One clip of four people of 18 frames, of whom one was missed in six."""
    all_found = share_interval([1] * 4, [18] * 4, [18] * 4).interval
    six_missed = share_interval([1] * 4, [18, 18, 18, 12], [18] * 4).interval
    assert six_missed.low < all_found.low
    assert six_missed.high < all_found.high == 1


@pytest.mark.parametrize("found", [0, 1, 7, 20])
def test_people_of_clips_of_their_own_who_are_found_or_not_give_clopper_pearson(found: int) -> None:
    got = share_interval(list(range(20)), [50] * found + [0] * (20 - found), [50] * 20)
    exact = clopper_pearson(found, 20)
    assert (got.interval.low, got.interval.high) == pytest.approx((exact.low, exact.high), abs=1e-9)
    assert (got.n_clips, got.n_identities, got.n_trials, got.worth) == (20, 20, 1000, pytest.approx(20))


@pytest.mark.parametrize(("n", "hits"), [(1.5, 0.5), (10, 9), (400, 390), (1000, 999.5), (20_000, 19_990)])
def test_the_inversion_is_that_of_a_beta_variate(n: float, hits: float) -> None:
    quantile = float(beta.ppf(0.025, hits, n - hits + 1))
    assert not_above(np.array([0.0, 1.0]), np.array([n - hits, hits]), quantile) == pytest.approx(0.025, abs=1e-8)


def test_shares_between_are_weighed_as_drawn_ones_are() -> None:
    """Against 400,000 Dirichlet variates."""
    x, trials = np.array([1.0, 0.9, 0.6, 0.97, 1.0, 0.2]), np.array([40.0, 30, 90, 80, 20, 60])
    got = share_interval([1, 1, 2, 2, 3, 3], x * trials, trials)
    gammas = np.random.default_rng(5).gamma(np.append(got.worth * trials / trials.sum(), 1.0), size=(400_000, 7))
    drawn = gammas[:, :-1] @ x
    assert got.interval.low == pytest.approx(np.quantile(drawn / gammas.sum(1), 0.025), abs=2e-3)
    assert got.interval.high == pytest.approx(np.quantile((drawn + gammas[:, -1]) / gammas.sum(1), 0.975), abs=2e-3)


def test_a_sample_is_worth_its_people_less_how_alike_those_of_one_clip_are() -> None:
    """6 people a clip: 30 / (1 + 5·0.1) = 20. One of all frames: little more than one."""
    assert sample_worth(np.repeat(range(5), 6).tolist(), np.ones(30)) == pytest.approx(30 / (1 + 5 * ALIKE))
    assert sample_worth(list(range(30)), np.ones(30)) == pytest.approx(30)
    assert sample_worth(list(range(5)), [1000, 1, 1, 1, 1]) == pytest.approx(1.008, abs=1e-3)


@given(people)
def test_a_sample_is_worth_one_at_least_and_its_people_at_most(drawn: list[tuple[int, int, int]]) -> None:
    clips, _, trials = (list(column) for column in zip(*drawn, strict=True))
    assert 1 - NOISE <= sample_worth(clips, trials) <= min(len(clips), len(set(clips)) / ALIKE) + NOISE


@pytest.mark.parametrize(("limit", "needed"), [(0.9, 36), (0.95, 72), (0.99, 368)])
def test_so_many_people_without_a_miss_show_a_limit(limit: float, needed: int) -> None:
    assert int(np.ceil(people_needed(limit))) == needed
    shown = share_interval(list(range(needed)), [1] * needed, [1] * needed).interval.low
    fewer = share_interval(list(range(needed - 1)), [1] * (needed - 1), [1] * (needed - 1)).interval.low
    assert fewer < limit <= shown


def test_one_person_proves_next_to_nothing_however_many_the_frames() -> None:
    """The weight of the one is uniform: 0.025 of 0.999."""
    got = share_interval(["a"], [999], [1000]).interval
    assert (got.estimate, rounded(got.low), got.high) == (0.999, 0.024975, pytest.approx(0.999975))


def test_next_to_no_hit_is_a_bound_of_0() -> None:
    assert share_interval([1, 1], [1e-9, 0], [10, 10]).interval.low == 0
    assert share_interval([1, 1], [10 - 1e-10, 10], [10, 10]).interval.high == 1


@pytest.mark.parametrize(
    ("clips", "hits", "trials", "confidence"),
    [
        ([1], [2], [1], 0.95),
        ([1, 2], [1], [1], 0.95),
        ([], [], [], 0.95),
        ([1], [0], [0], 0.95),
        ([1], [1], [float("inf")], 0.95),
        ([1], [1], [1], 1.0),
    ],
)
def test_counts_that_make_no_sense_are_refused(clips: list, hits: list, trials: list, confidence: float) -> None:
    with pytest.raises(ValueError, match=r"hits|trials|confidence"):
        share_interval(clips, hits, trials, confidence)
