"""A report's folder: whole or not at all, the same bytes each time, and each edge case said as it is."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.reporting.test_pages import Page, words_of
from tests.support import evidence_samples as samples
from vsanon.errors import InputError
from vsanon.reporting import ReportFacts, write_report
from vsanon.reporting.facts import canonical_json
from vsanon.reporting.manifest import check_manifest
from vsanon.reporting.pointers import resolve
from vsanon.reporting.words import shown
from vsanon.reporting.writing import contents

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FILES = ["evidence.json", "report.html", "report.json", "report.junit.xml", "ro-crate-metadata.json"]

Json = dict[str, Any]


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    path = tmp_path / "run" / "evidence.json"
    path.parent.mkdir()
    path.write_bytes(canonical_json(samples.one_frame()))
    return path


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_report_is_five_files_with_a_manifest_that_holds(evidence: Path, tmp_path: Path) -> None:
    written = write_report(evidence, tmp_path / "out", ReportFacts())
    assert [path.name for path in written] == sorted([*FILES, "manifest.json", "SHA256SUMS"])
    assert check_manifest(tmp_path / "out") == []
    assert (tmp_path / "out" / "evidence.json").read_bytes() == evidence.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "run"]


def test_the_same_evidence_and_facts_give_the_same_bytes(evidence: Path, tmp_path: Path) -> None:
    facts = ReportFacts(issuer="Example GmbH", issued="2026-11-23")
    for name in ("one", "two"):
        write_report(evidence, tmp_path / name, facts)
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
    write_report(evidence, tmp_path / "three", ReportFacts(issuer="Another"))
    assert files_of(tmp_path / "three")["report.html"] != files_of(tmp_path / "one")["report.html"]


def test_a_report_is_replaced_only_when_asked_and_nothing_else_ever(evidence: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_report(evidence, out, ReportFacts())
    with pytest.raises(InputError, match="--overwrite"):
        write_report(evidence, out, ReportFacts())
    write_report(evidence, out, ReportFacts(notes="again"), overwrite=True)
    assert b"again" in (out / "report.html").read_bytes()
    (out / "house.pem").write_text("the only copy")
    with pytest.raises(InputError, match=r"holds house\.pem, which is no report's"):
        write_report(evidence, out, ReportFacts(), overwrite=True)
    assert (out / "house.pem").read_text() == "the only copy"
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday" / "photo.jpg").write_bytes(b"")
    with pytest.raises(InputError, match="never overwritten"):
        write_report(evidence, tmp_path / "holiday", ReportFacts(), overwrite=True)
    with pytest.raises(InputError, match="no folder"):
        write_report(evidence, evidence, ReportFacts(), overwrite=True)


def test_a_report_can_be_made_again_from_the_evidence_in_it(evidence: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_report(evidence, out, ReportFacts())
    first = files_of(out)
    write_report(out / "evidence.json", out, ReportFacts(), overwrite=True)
    assert files_of(out) == first


def test_where_the_page_fails_nothing_is_written_and_the_old_report_stays(evidence: Path, tmp_path: Path) -> None:
    out, house = tmp_path / "out", tmp_path / "house"
    write_report(evidence, out, ReportFacts())
    before = files_of(out)
    house.mkdir()
    (house / "report.html").write_text("{{ report.nothing }}")
    with pytest.raises(InputError, match="nothing"):
        write_report(evidence, out, ReportFacts(notes="x"), template=house, overwrite=True)
    assert files_of(out) == before
    with pytest.raises(InputError):
        write_report(evidence, tmp_path / "new", ReportFacts(), template=house)
    assert not (tmp_path / "new").exists()


def test_evidence_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.json"):
        write_report(tmp_path / "none.json", tmp_path / "out", ReportFacts())


# The ladder takes a minute to conclude; tests of conclusions have it.
QUICK = sorted(set(samples.SAMPLES) - {"ladder"})


@cache
def files_of_sample(name: str) -> dict[str, bytes]:
    return contents(canonical_json(samples.SAMPLES[name]()), ReportFacts())


@pytest.fixture(params=QUICK)
def made(request: pytest.FixtureRequest) -> tuple[str, Json, str]:
    found = files_of_sample(request.param)
    return request.param, json.loads(found["report.json"]), found["report.html"].decode()


def test_each_sample_is_as_the_schema_says_and_each_of_its_figures_is_found(made: tuple[str, Json, str]) -> None:
    _, report, page = made
    schema = json.loads((ROOT / "reports" / "report.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(report)
    for attrs, text in Page(page).figures():
        value = resolve(report, str(attrs["data-path"]))
        assert (attrs.get("value") or attrs["data-value"]) == json.dumps(value)
        assert text == shown(value, str(attrs["data-as"]))


def test_only_the_passing_sample_passes_and_the_page_says_so(made: tuple[str, Json, str]) -> None:
    name, report, page = made
    outcome = report["conclusions"]["verdict"]["outcome"]
    assert (outcome == "pass") == (name == "passing")
    assert f"Verdict: {outcome.capitalize()}" in words_of(page)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("with_failed_cell", "this ffmpeg has no encoder libx265"),
        ("not_run", "1 of 10 cells were not run yet"),
        ("with_failed_cell", "Mend the 1 of 10 cells that failed (section 9)"),
        ("one_format", "The sample supports no conclusion on"),
        ("one_clip", "The sample supports no conclusion on"),
        ("without_truth", "2 of 2 sources came without truth: what was missed in hall and street is not known."),
        ("without_detections", "0 % [0 % to 24 %]"),
        ("one_frame", "from 0 up to, not including, 1"),
        ("delivered", "3 in 10 frames"),
        ("delivered", "expected bt709, found unknown"),
    ],
)
def test_the_page_says_what_is_wrong_with_a_sample(name: str, said: str) -> None:
    page = files_of_sample(name)["report.html"].decode()
    assert said in words_of(page)
