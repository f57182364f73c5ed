"""Figures are rounded to what they carry, and one that was computed again on another processor is the same."""

import json
from math import nextafter
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vsanon.validation.conclusions.rounding import rounded, same_but_rounding

FIGURES = st.floats(-1e9, 1e9)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (19.11933674719738, 19.1193),
        (19.119336848585245, 19.1193),
        (0.000123456789, 0.000123457),
        (1234567.89, 1234570.0),
        (-3.14159265, -3.14159),
        (0.9359811170601452, 0.9359811),  # it lacks 0.0640189
        (0.99999871234567, 0.99999871235),  # it lacks 0.00000128765
        (1234567.0, 1234567.0),
        (1234567.0000000002, 1234567.0),
        (3, 3),
        (True, True),
        ("19.11933674719738", "19.11933674719738"),
        (None, None),
        (5.2e-17, 0.0),
        (1 - 1e-15, 1.0),
    ],
)
def test_a_figure_keeps_six_digits_of_itself_or_of_what_it_lacks_to_one(value: Any, kept: Any) -> None:
    assert rounded(value) == kept
    assert type(rounded(value)) is type(value)


def test_every_figure_of_a_value_is_rounded_and_nothing_else() -> None:
    value = {"a": [0.123456789, {"b": (1.0, 2)}], "c": "0.123456789"}
    assert rounded(value) == {"a": [0.123457, {"b": [1.0, 2]}], "c": "0.123456789"}


@given(FIGURES)
def test_rounding_twice_is_rounding_once_also_through_json(value: float) -> None:
    assert rounded(rounded(value)) == rounded(value) == json.loads(json.dumps(rounded(value)))


@given(st.floats(1e-11, 1 - 1e-11))
def test_a_share_that_is_neither_nothing_nor_all_is_not_rounded_to_either(value: float) -> None:
    assert 0 < rounded(value) < 1


@given(FIGURES, st.floats(-1e-10, 1e-10))
def test_a_figure_that_another_processor_gives_is_the_same(value: float, off: float) -> None:
    """Also where it lies between two roundings; but not where a whole number of over six digits lies there.

    Nor does a share that lacks next to nothing pass for one that lacks nothing.
    """
    assume(abs(value - 1) > 1e-9 and abs(value) > 1e-11)
    other = rounded(value * (1 + off))
    both_whole = other.is_integer() and rounded(value).is_integer()
    assert same_but_rounding(rounded(value), other) or (both_whole and abs(value) > 1e5)


@pytest.mark.parametrize(
    ("one", "other"), [(19.1193, 19.1194), (0.123457, 0.123456), (10.0, 9.99999), (25.0, 25.0001)]
)
def test_one_unit_of_the_last_digit_is_a_rounding_and_two_are_not(one: float, other: float) -> None:
    assert same_but_rounding(one, other)
    assert same_but_rounding(other, one)
    assert not same_but_rounding(one, rounded(one + 2.01 * (other - one)))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (0.999999, 1.0), (1.0, 0.999999), (0.0, 1e-7), (3, 4), (3.0, 3), (True, 1.0), (None, 0.5),
        ("19.1193", 19.1193), (19.11933674719738, 19.1193), (float("nan"), 0.5), (float("inf"), 0.5),
        (123457.0, 123456.0),
    ],
)  # fmt: skip
def test_what_is_no_rounding_is_none(found: Any, expected: Any) -> None:
    assert not same_but_rounding(found, expected)


PRINTED = {"share": 1e-4, "signed_share": 1e-4, "px": 0.1, "db": 0.1, "percent": 0.1}
"""The last digit that is printed."""


@given(st.sampled_from(sorted(PRINTED)), st.floats(0.001, 1000))
def test_a_printed_digit_that_was_changed_is_never_a_rounding(kind: str, value: float) -> None:
    """Even half a printed digit is many units of the sixth; shares lie below 1."""
    figure = rounded(value if PRINTED[kind] > 0.01 else value / 1000)
    changed = rounded(figure + PRINTED[kind] / 2)
    assert not same_but_rounding(changed, figure)
    assert not same_but_rounding(figure, changed)


def test_the_next_number_that_a_computer_knows_is_the_same_figure() -> None:
    assert rounded(nextafter(19.1193, 20)) == 19.1193
