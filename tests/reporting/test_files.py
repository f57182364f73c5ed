"""JUnit and PDF of a report: one case for each cell and criterion, and the page with its JSON attached."""

import hashlib
import json
import re
import time
import zlib
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.support import report_sample as sample
from vsanon.errors import InputError, MissingError
from vsanon.reporting.crate import to_crate
from vsanon.reporting.document import build
from vsanon.reporting.facts import ReportFacts, canonical_json
from vsanon.reporting.junit import to_junit
from vsanon.reporting.pages import render
from vsanon.reporting.pdf import to_pdf

Json = dict[str, Any]


def made(found: Json) -> Json:
    return build(canonical_json(found), sample.conclusions(found), ReportFacts())


def cases(found: Json) -> dict[tuple[str, str], ElementTree.Element]:
    root = ElementTree.fromstring(to_junit(made(found)))
    return {(case.attrib["classname"], case.attrib["name"]): case for case in root.iter("testcase")}


def test_junit_has_one_case_for_each_cell_and_criterion_and_one_for_the_verdict() -> None:
    found = sample.evidence()
    assert set(cases(found)) == {
        ("verdict", "A matrix made by hand"),
        *(("faces", cell["id"]) for cell in found["cells"]),
    }


def test_junit_counts_what_it_holds() -> None:
    root = ElementTree.fromstring(to_junit(made(sample.evidence())))
    # Failures: the verdict, and walk at CRF 45. The error is hall at CRF 45.
    assert [root.attrib[key] for key in ("tests", "failures", "errors", "skipped")] == ["7", "2", "1", "0"]
    (_, suite) = root
    assert [suite.attrib[key] for key in ("tests", "failures", "errors")] == ["6", "1", "1"]


def test_a_failed_cell_is_an_error_with_its_reason() -> None:
    error = cases(sample.evidence())["faces", "hall/crf_45/balanced/strict/none"].find("error")
    assert error is not None
    assert error.attrib == {"type": "MissingError", "message": "encode: this ffmpeg has no encoder libx264"}


def test_a_failure_says_figure_interval_limit_and_rule() -> None:
    failure = cases(sample.evidence())["faces", "walk/crf_45/balanced/strict/none"].find("failure")
    assert failure is not None
    assert "crf_45: 0.8 [0.7" in failure.attrib["message"]
    assert "limit at_least 0.99. pass where the lower end" in failure.attrib["message"]


def test_what_is_not_measured_is_a_failure_and_never_a_pass() -> None:
    for (suite, _), case in cases(sample.without_truth()).items():
        assert case.find("failure") is not None or case.find("error") is not None, suite


def test_a_cell_that_a_criterion_does_not_ask_for_is_skipped() -> None:
    found = sample.evidence()
    report = made(found)
    report["conclusions"]["criteria"][0]["groups"].pop(0)
    root = ElementTree.fromstring(to_junit(report))
    skipped = [case.attrib["name"] for case in root.iter("testcase") if case.find("skipped") is not None]
    assert skipped == ["walk/as_is/balanced/strict/h264", "hall/as_is/balanced/strict/none"]


def test_junit_without_any_cell_does_not_pass() -> None:
    found = sample.evidence() | {"cells": []}
    assert cases(found)["faces", "no cell"].find("failure") is not None


def test_junit_of_hostile_text_is_still_xml() -> None:
    found = json.loads(json.dumps(sample.evidence()).replace('"walk/', '"\\u0000\\u202e\\ud800\\ufffe]]>&<b>/'))
    names = {name for _, name in cases(found)}
    assert "⟨U+0000⟩⟨U+202E⟩⟨U+D800⟩\ufffd]]>&<b>/crf_23/balanced/strict/none" in names


@pytest.mark.slow
def test_the_pdf_is_the_same_an_hour_later_and_holds_the_json(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("weasyprint", reason="the extra pdf is not installed", exc_type=ImportError)
    report = made(sample.evidence())
    canonical, page = canonical_json(report), render(report)
    first = to_pdf(page, report["id"], {"report.json": canonical})
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 3600)
    assert first == to_pdf(page, report["id"], {"report.json": canonical})
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", first, re.S)
    assert canonical in [inflated(stream) for stream in streams]
    assert b"pdfaid:part" in first or any(b"pdfaid" in inflated(stream) for stream in streams)


def test_a_page_that_asks_for_something_outside_makes_no_pdf() -> None:
    pytest.importorskip("weasyprint", reason="the extra pdf is not installed", exc_type=ImportError)
    with pytest.raises(InputError, match=r"outside itself.*file:///etc/hostname"):
        to_pdf('<img src="file:///etc/hostname">', "0" * 16, {})


def test_without_weasyprint_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "weasyprint", None)
    with pytest.raises(MissingError, match=r"vsanon\[pdf\]"):
        to_pdf("<p>", "0" * 16, {})


def test_the_crate_names_every_file_with_its_hash_and_where_the_evidence_comes_from() -> None:
    found = sample.evidence()
    files = {"evidence.json": b"{}\n", "report.html": b"<p>"}
    graph = {entity["@id"]: entity for entity in json.loads(to_crate(made(found), files))["@graph"]}
    assert graph["./"]["hasPart"] == [{"@id": "evidence.json"}, {"@id": "report.html"}]
    assert graph["report.html"]["sha256"] == hashlib.sha256(b"<p>").hexdigest()
    assert graph["#test"]["result"] == {"@id": "evidence.json"}
    assert graph["#test"]["object"] == [{"@id": "#source-hall"}, {"@id": "#source-walk"}]
    assert {"@id": "#model-centerface"} in graph["#test"]["instrument"]
    assert graph["#model-centerface"]["license"] == "MIT"
    assert graph["#tool-ffmpeg"]["softwareVersion"] == "9.0"


def test_the_crate_says_nothing_that_nobody_stated() -> None:
    report = made(sample.evidence())
    (root,) = [e for e in json.loads(to_crate(report, {}))["@graph"] if e["@id"] == "./"]
    assert {"datePublished", "publisher"}.isdisjoint(root)
    report["facts"]["issued"] = "2026-11-23"
    (root,) = [e for e in json.loads(to_crate(report, {}))["@graph"] if e["@id"] == "./"]
    assert root["datePublished"] == "2026-11-23"


def inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return stream
