"""Figures over several runs; and that no run looks better for a criterion that was loosened on the way."""

import copy
from typing import Any

import pytest

from tests.support.evidence_samples import CROSSED, Json, evidence
from vsanon.reporting.facts import canonical_json
from vsanon.reporting.pages import render
from vsanon.reporting.trend import in_words, trend

pytestmark = pytest.mark.slow


def run(bare: int = 0, **changes: Any) -> Json:
    found = evidence("trend", {"street": 20, "hall": 20}, CROSSED, lambda *_: bare)
    return {**found, **changes}


def over(*runs: Json) -> Json:
    return trend([canonical_json(one) for one in runs])


def test_three_runs_have_three_values_and_verdicts() -> None:
    found = over(run(5), run(2), run())
    row = next(row for row in found["figures"] if row["metric"] == "coverage_recall")
    assert [value["estimate"] for value in row["values"]] == [0.5, 0.8, 1.0]
    assert [one["verdict"]["outcome"] for one in found["runs"]] == ["fail", "not shown", "pass"]
    assert all(one["same_criteria"] for one in found["runs"])
    assert found["other_footage"] == found["other_tests"] == []
    assert "run" in render(found, page="trend.html").lower()


def test_a_criterion_that_was_loosened_makes_no_progress() -> None:
    """By 0.2 both pass, though the second covers less."""
    second = run(5)
    second["criteria"] = [{**second["criteria"][0], "at_least": 0.2}]
    first = run(5)
    found = over(first, second)
    assert [one["verdict"]["outcome"] for one in found["runs"]] == ["fail", "pass"]
    assert [one["by_last"]["outcome"] for one in found["runs"]] == ["pass", "pass"]
    assert [one["same_criteria"] for one in found["runs"]] == [False, True]
    assert "fail (pass by the criteria of the last run)" in next(in_words(found))


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda found: found["settings"]["balanced"].update(size=320), "setting balanced"),
        (lambda found: found["encodes"][CROSSED[0]]["axes"].update(gop=1), f"encode {CROSSED[0]}"),
    ],
)
def test_another_test_under_the_same_name_is_said(change: Any, name: str) -> None:
    other = copy.deepcopy(run())
    change(other)
    found = over(run(), other)
    assert found["other_tests"] == [name]
    assert any(f"the {name} is not the same" in line for line in in_words(found))


def test_other_footage_under_the_same_name_is_said() -> None:
    other = copy.deepcopy(run())
    other["sources"]["hall"]["sha256"] = "0" * 64
    assert over(run(), other)["other_footage"] == ["hall"]
