"""The samples are evidence as the published schema has it, and what is none is refused by it."""

import json
from collections.abc import Callable
from importlib import resources
from typing import Any

import pytest

from tests.support.evidence_samples import SAMPLES, passing, without_truth

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")


@pytest.fixture(scope="module")
def check() -> Any:
    schema = json.loads((resources.files("vsanon") / "schema" / "evidence.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_fits_the_published_schema(name: str, check: Any) -> None:
    check.validate(json.loads(json.dumps(SAMPLES[name](), allow_nan=False)))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda found: found.update(vsanon_evidence=1),
        lambda found: found.pop("cells"),
        lambda found: found["criteria"][0].update(at_most=1.0),
        lambda found: found["criteria"][0].update(metric="accuracy"),
        lambda found: found["criteria"][0].update(where={"weather": ["a"]}),
        lambda found: found["cells"][0].update(outcome="skipped"),
        lambda found: found["cells"][0].update(outcome="failed"),
        lambda found: found["cells"][0].update(over_blur=None),
        lambda found: found["cells"][0].update(over_blur={"not_measured": ""}),
        lambda found: found["cells"][0]["classes"]["face"].pop("exposure"),
        lambda found: found["cells"][0]["stream"].update(sha256="abc"),
        lambda found: found["sources"]["street"]["truth"].update(kind="voc"),
    ],
)
def test_what_is_no_evidence_does_not_fit(spoil: Callable[[dict], None], check: Any) -> None:
    found = passing()
    spoil(found)
    with pytest.raises(jsonschema.ValidationError):
        check.validate(found)


def test_a_sample_is_made_anew_each_time() -> None:
    first = without_truth()
    first["cells"].clear()
    assert len(without_truth()["cells"]) == 8


def test_a_source_that_could_not_be_read_is_evidence_too(check: Any) -> None:
    found = passing()
    source = found["sources"]["hall"]
    del source["frames_sha256"], source["every"]
    source |= {"sha256": None, "bytes": None, "condition": None, "range": None}
    source["failure"] = {"step": "read", "kind": "InputError", "message": "not decodable"}
    check.validate(found)
