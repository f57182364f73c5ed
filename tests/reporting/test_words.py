"""Figures and foreign text in a report: what is printed, and where it stands in report.json."""

import json
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from vsanon import schemas
from vsanon.errors import InputError
from vsanon.reporting import svg
from vsanon.reporting.facts import ReportFacts, canonical_json, report_id
from vsanon.reporting.pages import figured, named, numbered
from vsanon.reporting.pointers import at, resolve
from vsanon.reporting.words import CONDITION_WORDS, DEFINITIONS, METRICS, short, shown, visible
from vsanon.validation.conclusions import metric_kinds
from vsanon.validation.conclusions.criterion_figures import FIGURES
from vsanon.validation.metrics.conditions import CONDITIONS

ALL = {*FIGURES, *metric_kinds.OF_LOOKS}
"""The metrics of a criterion: what a run measures, and what was found of the looks beforehand."""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@pytest.mark.parametrize(
    ("value", "kind", "printed"),
    [
        (0.98765, "share", "98.77 %"),
        (1.0, "share", "100.00 %"),
        (0.999999, "share", "> 99.99 %"),
        (0.99994, "share", "99.99 %"),
        (0.00001, "share", "< 0.01 %"),
        (0, "share", "0.00 %"),
        (-0.0123, "signed_share", "−1.23 points"),
        (0.95, "level", "95 %"),
        (1643, "count", "1,643"),
        (-21.43, "signed_percent", "−21.4 %"),
        (831_000, "bit_rate", "831 kbit/s"),
        (5_250_000, "bit_rate", "5.25 Mbit/s"),
        (41.25, "db", "41.2 dB"),
        (1200.0, "ms", "1,200 ms"),
        (0.71234, "number", "0.7123"),
    ],
)
def test_a_figure_is_printed_by_its_kind(value: float, kind: str, printed: str) -> None:
    assert shown(value, kind) == printed


def test_a_share_is_never_rounded_up_to_all_or_down_to_none() -> None:
    assert shown(0.99995, "share") == "> 99.99 %"
    assert shown(0.00004, "share") == "< 0.01 %"


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InputError, match="parsecs"):
        shown(1, "parsecs")


def test_text_that_turns_the_reading_direction_is_written_out() -> None:
    assert visible("photo\u202egpj.exe\x00\x1b[31m") == "photo⟨U+202E⟩gpj.exe⟨U+0000⟩⟨U+001B⟩[31m"
    assert visible("Köln, 東京, שלום\nline two") == "Köln, 東京, שלום\nline two"


def test_a_name_is_escaped_and_isolated() -> None:
    assert named("<img src=x onerror=alert(1)> {{7*7}}") == (
        '<bdi class="name">&lt;img src=x onerror=alert(1)&gt; {{7*7}}</bdi>'
    )


def test_a_long_name_is_cut_in_a_figure_and_whole_elsewhere() -> None:
    assert short("x" * 10_000) == "x" * 39 + "…"
    assert "x" * 10_000 in named("x" * 10_000)


def test_a_number_is_printed_with_its_pointer_and_its_exact_value() -> None:
    report = at({"cells": {"a/b": {"recall": 0.98765}}})
    assert numbered(report["cells"]["a/b"]["recall"], "share") == (
        '<data class="figure" data-path="/cells/a~1b/recall" data-as="share" value="0.98765">98.77 %</data>'
    )


def test_what_is_not_measured_says_why_and_is_never_a_blank_or_zero() -> None:
    report = at({"vmaf": {"not_measured": "this ffmpeg has no <libvmaf>"}})
    assert numbered(report["vmaf"]) == (
        '<span class="absent">not measured: <bdi class="name">this ffmpeg has no &lt;libvmaf&gt;</bdi></span>'
    )
    assert "none" in numbered(None)


def test_a_figure_without_a_place_in_the_report_is_refused() -> None:
    with pytest.raises(InputError, match="`num` prints numbers of the report"):
        numbered(0.5, "share")


def test_a_figure_carries_its_interval_and_its_sample() -> None:
    value = {
        "estimate": 0.9,
        "low": 0.8,
        "high": 0.95,
        "confidence": 0.95,
        "method": "cluster bootstrap",
        "n_clips": 1,
        "n_identities": 11,
        "n_trials": 742,
    }
    page = figured(at({"value": value})["value"], "share", "coverage_recall")
    for path, words in (
        ("estimate", ">90 %<"),
        ("low", ">80 %<"),
        ("high", ">95 %<"),
        ("n_clips", "1</data> clip,"),
        ("n_identities", "11</data> identities,"),
        ("n_trials", "742</data> boxes"),
    ):
        assert f'data-path="/value/{path}"' in page
        assert words in page


@pytest.mark.parametrize(
    ("people", "estimate", "low", "high"),
    [(23, "83 %", "49 %", "98 %"), (500, "82.6 %", "49.4 %", "98.0 %"), (5000, "82.61 %", "49.45 %", "97.91 %")],
)
def test_a_share_has_no_more_decimals_than_its_people_carry(
    people: int, estimate: str, low: str, high: str
) -> None:
    value = {"estimate": 0.826087, "low": 0.494512, "high": 0.979049, "n_identities": people}
    page = figured(at({"value": value})["value"], "share", "exposed_identity_share")
    assert [f">{words}<" in page for words in (estimate, low, high)] == [True] * 3


@given(st.floats(0, 1).map(lambda value: round(value, 6)), st.sampled_from(["share0", "share1", "share"]))
def test_the_ends_of_an_interval_are_rounded_outwards_and_a_share_never_to_all_or_nothing(
    value: float, kind: str
) -> None:
    low, high = (float(shown(value, f"{kind}_{end}").removesuffix(" %")) for end in ("from", "to"))
    assert low <= round(100 * value, 4) <= high
    assert high - low <= 1.0001
    words = shown(value, kind)
    assert (words.startswith("100")) == (value == 1)
    assert words in ("0 %", "0.0 %", "0.00 %") if value == 0 else words.strip("0. %")


def test_the_lower_end_of_a_limit_that_is_reached_is_printed_as_the_limit() -> None:
    """100 * 0.29 is a little less than 29 in floating point."""
    assert [shown(v, "share0_from") for v in (0.29, 0.9, 0.899999)] == ["29 %", "90 %", "89 %"]
    assert [shown(v, "share0_to") for v in (0.07, 0.1, 0.100001)] == ["7 %", "10 %", "11 %"]


@given(JSON)
def test_every_number_that_a_template_meets_is_found_again_at_its_pointer(value: object) -> None:
    document = {"document": value}

    def walk(node: object) -> None:
        if hasattr(node, "items"):
            for inside in dict(node).values():
                walk(inside)
        elif isinstance(node, int | float) and not isinstance(node, bool):
            assert resolve(document, node.path) == node  # type: ignore[union-attr]
        elif node is not None and not isinstance(node, str | bool):
            for inside in node:  # type: ignore[attr-defined]
                walk(inside)

    walk(at(document))


def test_a_pointer_to_nothing_is_an_error() -> None:
    for path in ("/b", "/a/1", "/a/x", "/a/0/c"):
        with pytest.raises(InputError, match=f"nothing at {path}"):
            resolve({"a": [1]}, path)


@given(JSON)
def test_canonical_json_reads_back_and_is_the_same_for_any_order_of_keys(value: object) -> None:
    text = canonical_json({"b": value, "a": 1})
    assert json.loads(text) == {"b": value, "a": 1}
    assert text == canonical_json({"a": 1, "b": value})
    assert text.endswith(b"\n")


def test_canonical_json_holds_no_infinity() -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"a": inf})


def test_a_lone_surrogate_is_written_as_json_escapes_it() -> None:
    assert canonical_json({"a": "\ud800"}) == b'{\n "a": "\\ud800"\n}\n'


def test_the_id_depends_on_every_byte_of_evidence_and_on_every_fact() -> None:
    first = report_id(b"{}", ReportFacts())
    assert len(first) == 16
    assert first == report_id(b"{}", ReportFacts())
    assert first != report_id(b"{} ", ReportFacts())
    assert first != report_id(b"{}", ReportFacts(notes="x"))


def test_a_date_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="`issued` must be a date"):
        ReportFacts(issued="yesterday")


def test_facts_read_back_and_unknown_ones_are_named() -> None:
    facts = ReportFacts(issuer="Example GmbH", issued="2026-11-23")
    assert ReportFacts.from_dict(facts.as_dict()) == facts
    with pytest.raises(InputError, match="no 'isuer'"):
        ReportFacts.from_dict({"isuer": "x"})
    with pytest.raises(InputError, match="must be text, got 3"):
        ReportFacts.from_dict({"issuer": 3})
    with pytest.raises(InputError, match="must be a date"):
        ReportFacts.from_dict({"issued": "3"})


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0.95, 1, [0.95, 0.96, 0.97, 0.98, 0.99, 1]),
        (0, 105, [0, 20, 40, 60, 80, 100]),
    ],
)
def test_ticks_are_round_values_within_the_axis(low: float, high: float, found: list[float]) -> None:
    assert svg.ticks(low, high) == pytest.approx(found)


def test_logarithmic_ticks_are_one_two_and_five_times_powers_of_ten() -> None:
    assert svg.log_ticks(0.4, 20) == pytest.approx([0.5, 1, 2, 5, 10, 20])


def test_a_scale_maps_its_ends_to_its_ends_and_a_logarithmic_one_halves_by_ratio() -> None:
    assert [svg.Scale((0, 10), (100, 200))(v) for v in (0, 5, 10)] == [100, 150, 200]
    assert svg.Scale((1, 16), (0, 100), log=True)(4) == pytest.approx(50)
    assert [svg.Scale((100, 0), (0, 100))(v) for v in (100, 25)] == [0, 75]


@given(st.text(max_size=30))
def test_a_drawing_holds_foreign_text_escaped(words: str) -> None:
    drawn = svg.text(1, 2, words)
    assert str(escape(visible(words))) in drawn
    assert drawn.count("<") == (2 if words else 1)


def test_every_metric_of_a_criterion_has_its_name_its_definition_and_its_place_in_both_schemas() -> None:
    assert set(METRICS) == set(DEFINITIONS) == ALL
    for kind in ("matrix", "evidence"):
        schema: Any = schemas.validator(kind).schema
        assert set(schema["$defs"]["criterion"]["properties"]["metric"]["enum"]) == ALL


def test_every_condition_has_its_words_on_the_page() -> None:
    assert set(CONDITION_WORDS) == set(CONDITIONS)


def test_what_is_said_of_kinds_of_metrics_is_of_metrics() -> None:
    kinds = [name for name in vars(metric_kinds) if name.isupper()]
    assert kinds
    assert [m for kind in kinds for m in getattr(metric_kinds, kind) if m not in ALL] == []
