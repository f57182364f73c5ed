"""What attackers made of a look before the run, as criteria: of the worst look and attack, and never of none."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.evidence_samples import Json, fail, passing
from vsanon.covering.strength import of_look, rows
from vsanon.validation.conclusions.conclude import conclude

ROW = {"look": "strict", "kind": "real face", "attack": "one frame", "attacker": "one", "codec": "none",
       "height_px": 64, "n": 40, "tries": 80, "chance": 0.025, "low": 0.0, "rate": 0.025, "high": 0.08}  # fmt: skip


def outcome(attacks: Any, metric: str = "linking_rate", found: Json | None = None, **changes: Any) -> Json:
    criterion = {"id": "l", "metric": metric, "class": None, "at_most": 0.1, "per": "all", **changes}
    whole = {**(found or passing()), "criteria": [criterion]}
    if attacks is not None:
        whole["attacks"] = attacks
    return conclude(whole)["criteria"][0]


def test_the_attack_furthest_above_a_guess_decides_by_its_upper_bound() -> None:
    worse = {**ROW, "attack": "track, fused", "rate": 0.05, "high": 0.13}
    other = {**ROW, "kind": "text", "high": 0.9}
    assert outcome({"strict": [ROW, other]})["outcome"] == "pass"
    found = outcome({"strict": [ROW, worse, other]})
    assert found["outcome"] == "not shown"
    assert found["groups"][0]["value"]["high"] == 0.13
    assert outcome({"strict": [worse, {**ROW, "low": 0.2, "rate": 0.3, "high": 0.4}]})["outcome"] == "fail"


def test_nothing_passes_by_attacks_that_nobody_made() -> None:
    for attacks, metric in (
        ({"strict": [ROW]}, "reading_rate"),
        ({"soft": [ROW]}, "linking_rate"),
        (None, "linking_rate"),
    ):
        found = outcome(attacks, metric)
        assert found["outcome"] == "not shown"
        assert "nobody has attacked the look strict" in found["groups"][0]["value"]["not_measured"]


def test_of_several_looks_the_weakest_counts_and_a_failed_cell_shows_nothing() -> None:
    found = passing()
    found["cells"][0]["profile"] = "soft"
    soft = {**ROW, "look": "soft", "low": 0.2, "rate": 0.38, "high": 0.51}
    assert outcome({"strict": [ROW], "soft": [soft]}, found=found)["outcome"] == "fail"
    lost = passing()
    fail(lost["cells"][0], "cover", "error", "it broke")
    assert outcome({"strict": [ROW]}, found=lost)["outcome"] == "not shown"


def test_the_rows_of_the_package_fit_the_schema_of_evidence() -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    schema = json.loads(
        (Path(__file__).parents[3] / "vsanon/schema/evidence.schema.json").read_text(encoding="utf-8")
    )
    found = {
        **passing(),
        "attacks": {look: [dict(row) for row in of_look(look, rows())] for look in ("strict", "mosaic")},
    }
    jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(found)))
    assert found["attacks"]["strict"]
    del found["attacks"]["strict"][0]["chance"]
    assert not jsonschema.Draft202012Validator(schema).is_valid(found)
