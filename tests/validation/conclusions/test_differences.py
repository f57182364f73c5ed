"""Differences on the same people: counted by hand, and never surer than their people and clips allow."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from vsanon.validation.conclusions.differences import paired_difference, sign_test
from vsanon.validation.conclusions.share_intervals import share_interval


def test_a_paired_difference_sees_what_two_intervals_do_not() -> None:
    """A finds one box of ten more than B in each of 20 clips, while clips differ by far more than that."""
    b = np.arange(1, 21) % 10
    got = paired_difference(list(range(20)), (b + 1, np.full(20, 10)), (b, np.full(20, 10)))
    assert got.interval.estimate == pytest.approx(0.1)
    assert got.p_value == pytest.approx(2 * 0.5**20)
    assert got.n_changed == 20
    alone = share_interval(list(range(20)), b, np.full(20, 10)).interval
    assert alone.high - alone.low > 0.2


def test_the_bounds_are_those_of_the_shares_halfway() -> None:
    """All of 20 gain a tenth: (1 + 0.1) / 2 is 0.55 of 20, whose lower bound is 0.55 times the root of 0.025."""
    got = paired_difference(list(range(20)), ([5] * 20, [10] * 20), ([4] * 20, [10] * 20)).interval
    assert got.low == pytest.approx(2 * 0.55 * 0.025 ** (1 / 20) - 1)
    assert got.high == pytest.approx(1 - 2 * 0.45 * 0.025 ** (1 / 20))


def test_nobody_changed_is_not_that_nobody_ever_will() -> None:
    """20 people of 20 clips: up to 1 - 0.025 ^ (1/20), or 0.168, and p is 1."""
    got = paired_difference(list(range(20)), ([5] * 20, [10] * 20), ([5] * 20, [10] * 20))
    assert (got.interval.estimate, got.p_value, got.n_changed) == (0, 1, 0)
    assert (got.interval.low, got.interval.high) == pytest.approx((-0.1684, 0.1684), abs=1e-4)


@pytest.mark.parametrize(("better", "worse"), [(5, 0), (1, 9), (3, 7), (12, 1)])
def test_the_sign_test_is_the_binomial_one_where_each_has_a_clip_of_its_own(better: int, worse: int) -> None:
    each = np.array([0.3] * better + [-0.2] * worse + [0.0] * 4)
    got = sign_test(list(range(len(each))), each, 1.0 if better > worse else -1.0)
    assert got == pytest.approx(binomtest(min(better, worse), better + worse).pvalue)


def test_thirty_people_of_one_clip_are_worth_fewer_than_eight() -> None:
    """30 / (1 + 29 * 0.1) = 7.7."""
    assert sign_test(["a"] * 30, np.full(30, -0.5), -0.5) == pytest.approx(2 * 0.5 ** (30 / 3.9))


def test_where_most_gain_a_little_and_one_loses_more_nothing_is_shown() -> None:
    got = paired_difference(list(range(11)), ([6] * 10 + [0], [10] * 11), ([5] * 10 + [100], [10] * 10 + [100]))
    assert got.p_value == 1


def test_the_word_of_a_difference_does_not_hang_on_the_side_that_it_is_seen_from() -> None:
    a, b = ([9, 8, 7, 2], [10] * 4), ([5, 5, 5, 5], [10] * 4)
    one, other = paired_difference([1, 1, 2, 3], a, b), paired_difference([1, 1, 2, 3], b, a)
    assert one.p_value == other.p_value
    assert (one.interval.low, one.interval.high) == pytest.approx((-other.interval.high, -other.interval.low))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 10), st.integers(0, 10)), min_size=2, max_size=9))
def test_one_more_that_is_covered_never_lowers_a_bound(rows: list[tuple[int, int, int]]) -> None:
    clips, a, b = (list(column) for column in zip(*rows, strict=True))
    ten = [10] * len(rows)
    got = paired_difference(clips, (a, ten), (b, ten)).interval
    more = paired_difference(clips, ([min(10, a[0] + 1), *a[1:]], ten), (b, ten)).interval
    assert more.low >= got.low - 1e-9
    assert more.high >= got.high - 1e-9


@pytest.mark.parametrize(
    ("clips", "hits", "trials"), [([1, 2], [2, 0], [1, 1]), ([1, 2], [1], [1]), ([], [], []), ([1], [0], [0])]
)
def test_counts_that_make_no_sense_are_not_compared(clips: list, hits: list, trials: list) -> None:
    with pytest.raises(ValueError, match=r"hits|trials"):
        paired_difference(clips, (hits, trials), (hits, trials))
