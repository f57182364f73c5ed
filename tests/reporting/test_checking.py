"""`report verify`: every changed byte of a report is found and named, and every figure is computed again."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support import evidence_samples
from vsanon.errors import CheckError, InputError
from vsanon.reporting import ReportFacts, checking, write_report, writing
from vsanon.reporting.checking import check_figures, check_report, differences, printed_figures, require_sound
from vsanon.reporting.crate import CRATE, to_crate
from vsanon.reporting.facts import canonical_json
from vsanon.reporting.manifest import OWN, write_manifest
from vsanon.reporting.signing import sign_manifest
from vsanon.reporting.writing import contents
from vsanon.signing import generate_key
from vsanon.validation.conclusions.conclude import conclude as checking_conclude
from vsanon.validation.conclusions.rounding import rounded

pytestmark = pytest.mark.slow

Json = dict[str, Any]

FACTS = ReportFacts(issuer="Example Post", issued="2026-11-23")


def small() -> Json:
    """Two clips of three identities; at H.264 CRF 45 all lie bare."""

    def exposed(source: str, encode: str, identity: int) -> int:
        return 10 if encode == "h264_crf_45" else 0

    return evidence_samples.evidence("small", {"street": 3, "hall": 3}, ("h264_crf_45", "h265_crf_28"), exposed)


def folder_of(evidence: Json, folder: Path, **options: Any) -> Path:
    source = folder.with_suffix(".evidence.json")
    source.write_bytes(canonical_json(evidence))
    write_report(source, folder, FACTS, **options)
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with a PDF, which need not be one for what is checked here, and its signer's keys beside it."""
    place = tmp_path_factory.mktemp("made")
    folder = folder_of(small(), place / "report")
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in (*OWN, CRATE)}
    files["report.pdf"] = b"%PDF-1.7 not really"
    (folder / "report.pdf").write_bytes(files["report.pdf"])
    (folder / CRATE).write_bytes(to_crate(json.loads(files["report.json"]), files))
    (folder / "attachment.csv").write_bytes(b"frame,covered\n0,1\n")
    write_manifest(folder)
    generate_key(place / "house.pem")
    sign_manifest(folder, place / "house.pem")
    return folder


@pytest.fixture
def report(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "report"))


@pytest.fixture
def public(made: Path) -> Path:
    return made.with_name("house.pub.pem")


def failed(folder: Path, **options: Any) -> list[str]:
    """The names of the checks that failed, each once."""
    return list(dict.fromkeys(check.name for check in check_report(folder, **options) if not check.passed))


def words(folder: Path, **options: Any) -> str:
    return "\n".join(f"{c.name}: {c.found}" for c in check_report(folder, **options) if not c.passed)


def replace(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))


def test_a_report_as_it_was_written_passes_and_each_printed_figure_was_computed_again(
    report: Path, public: Path
) -> None:
    checks = check_report(report, public_key=public)
    assert [check for check in checks if not check.passed] == []
    (figures,) = (check.found for check in checks if "printed figures" in check.found)
    assert int(figures.split()[0]) == len(printed_figures((report / "report.html").read_text())) > 100


@pytest.mark.parametrize(
    "name",
    [
        "evidence.json", "report.json", "report.html", "report.junit.xml", "ro-crate-metadata.json", "report.pdf",
        "attachment.csv",
        "manifest.json", "SHA256SUMS", "manifest.sig", "manifest.pub.pem",
    ],
)  # fmt: skip
def test_one_flipped_bit_of_any_file_is_found_and_the_file_named(report: Path, name: str) -> None:
    content = bytearray((report / name).read_bytes())
    content[len(content) // 2] ^= 1
    (report / name).write_bytes(content)
    assert name in words(report)


@pytest.mark.parametrize("name", ["evidence.json", "report.json", "report.html", "report.pdf", "attachment.csv"])
def test_a_missing_file_is_named(report: Path, name: str) -> None:
    (report / name).unlink()
    assert name in failed(report)


def test_what_is_known_by_its_hash_alone_is_told_and_not_counted_as_computed_again(report: Path) -> None:
    unseen = {check.name: check.found for check in check_report(report) if not check.seen}
    assert unseen == {
        "attachment.csv": "no report has such a file: somebody put it there; it is known by its hash alone",
        "report.pdf": "not made again (--pdf does); it is known by its hash alone",
    }


def test_an_extra_file_is_named(report: Path) -> None:
    (report / "second.html").write_bytes(b"<p>100 %</p>")
    assert failed(report) == ["second.html"]


def test_a_figure_altered_on_the_page_is_named_even_where_the_manifest_was_made_to_fit(report: Path) -> None:
    page = (report / "report.html").read_text()
    printed = next(p for p in printed_figures(page) if p.path.endswith("/estimate"))
    old = f'value="{printed.value}">{printed.text}<'
    replace(report / "report.html", old.encode(), old.replace(printed.text, "99.99 %").encode())
    write_manifest(report)
    assert failed(report) == ["report.html"]
    assert f"{printed.path} is printed as '99.99 %'" in words(report)
    assert f"recomputed it is '{printed.text}'" in words(report)


def test_words_altered_on_the_page_are_found_even_where_the_manifest_was_made_to_fit(report: Path) -> None:
    replace(report / "report.html", b"Verdict: Fail", b"Verdict: Pass")
    write_manifest(report)
    assert failed(report) == ["report.html"]
    assert "other bytes from line" in words(report)


def test_evidence_that_was_made_better_no_longer_gives_the_report(report: Path) -> None:
    replace(report / "evidence.json", b'"covered_boxes": 0', b'"covered_boxes": 30')
    write_manifest(report)
    assert "report.json" in failed(report)
    assert "do not add up to its boxes: the evidence was changed or damaged" in words(report)


def test_conclusions_that_were_made_better_are_named_by_their_place(report: Path) -> None:
    document = json.loads((report / "report.json").read_bytes())
    assert document["conclusions"]["verdict"]["outcome"] == "fail"
    document["conclusions"]["verdict"]["outcome"] = "pass"
    (report / "report.json").write_bytes(canonical_json(document))
    write_manifest(report)
    assert failed(report) == ["report.json"]
    assert '/conclusions/verdict/outcome is "pass"; recomputed it is "fail"' in words(report)


def test_facts_that_were_altered_no_longer_give_the_reports_id(report: Path) -> None:
    replace(report / "report.json", b"Example Post", b"Exemple Post")
    write_manifest(report)
    assert '/id is "' in words(report)


def test_a_junit_file_that_was_altered_is_found(report: Path) -> None:
    replace(report / "report.junit.xml", b"failure", b"skipped")
    write_manifest(report)
    assert failed(report) == ["report.junit.xml"]


def test_a_pdf_that_was_altered_no_longer_is_the_one_that_the_metadata_names(report: Path) -> None:
    replace(report / "report.pdf", b"not really", b"it is real")
    write_manifest(report)
    assert failed(report) == [CRATE]


def test_a_pdf_can_be_made_again_and_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "to_pdf", lambda page, identity, attached: b"%PDF " + page.encode())
    folder = folder_of(small(), tmp_path / "report", pdf=True)
    assert failed(folder, pdf=True) == []
    replace(folder / "report.pdf", b"Verdict: Fail", b"Verdict: Pass")
    assert "report.pdf: other bytes" in words(folder, pdf=True)


def test_a_report_made_over_from_other_evidence_passes_only_where_no_signature_is_asked_for(
    report: Path, public: Path
) -> None:
    folder_of({**small(), "title": "Another"}, report, overwrite=True)
    assert failed(report) == []
    (said,) = (check for check in check_report(report) if check.name == "signature")
    assert (said.found, said.seen) == ("not signed: who changes a file can change the manifest", False)
    assert failed(report, public_key=public) == ["manifest.sig"]


def test_the_signature_of_another_report_does_not_hold(report: Path, made: Path, tmp_path: Path) -> None:
    other = folder_of({**small(), "title": "Another"}, tmp_path / "other")
    sign_manifest(other, made.with_name("house.pem"))
    shutil.copy(other / "manifest.sig", report / "manifest.sig")
    assert failed(report) == ["manifest.sig"]


def test_a_report_signed_by_another_key_is_not_that_of_the_signer_asked_for(
    report: Path, public: Path, tmp_path: Path
) -> None:
    generate_key(tmp_path / "mallory.pem")
    sign_manifest(report, tmp_path / "mallory.pem", overwrite=True)
    assert failed(report) == []
    assert failed(report, public_key=public) == ["manifest.pub.pem", "manifest.sig"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("evidence.json", b""),
        ("evidence.json", b"[" * 100_000),
        ("evidence.json", b'{"vsanon_evidence": 2}'),
        ("evidence.json", b'{"vsanon_evidence": 2, "cells": 5, "sources": [], "criteria": {}}'),
        ("report.json", b"null"),
        ("report.json", b'{"facts": {"issuer": 3}}'),
        ("report.json", b'{"facts": {"nobody": "x"}}'),
        ("report.html", b"\xff\xfe<data data-path='/x'>"),
    ],
)
def test_damaged_files_are_findings_and_no_crash(report: Path, name: str, content: bytes) -> None:
    (report / name).write_bytes(content)
    write_manifest(report)
    assert failed(report)


def test_a_folder_that_is_none_is_wrong_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a folder"):
        check_report(tmp_path / "absent")


def test_a_page_of_a_house_verifies_with_its_templates_alone(tmp_path: Path) -> None:
    house = tmp_path / "house"
    house.mkdir()
    (house / "report.css").write_text("body { color: #123456; }")
    folder = folder_of(small(), tmp_path / "report", template=house)
    assert failed(folder, template=house) == []
    assert failed(folder) == ["report.html", CRATE]
    assert "name them with --template" in words(folder)


def test_what_does_not_verify_is_not_to_be_signed(report: Path) -> None:
    require_sound(report)
    replace(report / "report.html", b"Verdict: Fail", b"Verdict: Pass")
    write_manifest(report)
    with pytest.raises(CheckError, match=r"not signed: it does not verify\n  report\.html"):
        require_sound(report)


def elsewhere(monkeypatch: pytest.MonkeyPatch, units: int) -> None:
    """This processor gives the first figure of the first pooled row `units` of its last digit higher."""

    def conclude(evidence: Json) -> Json:
        found = checking_conclude(evidence)
        figure = found["pooled"][0]["pixel_recall"]
        figure["high"] = rounded(figure["high"] + units * 1e-6)
        return found

    monkeypatch.setattr(checking, "conclude", conclude)


def test_a_report_from_another_processor_passes_says_what_it_rounds_differently_and_can_be_signed(
    report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(monkeypatch, 1)
    assert failed(report) == []
    (said,) = (c.found for c in check_report(report) if c.name == "report.json")
    assert "the same but for 1 figures that this processor rounds differently, by one unit of the 6th digit" in said
    assert "as /conclusions/pooled/0/pixel_recall/high is 0.521824; recomputed it is 0.521825" in said
    require_sound(report)


def test_a_figure_two_units_off_is_no_rounding_and_named(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere(monkeypatch, 2)
    assert "/conclusions/pooled/0/pixel_recall/high is 0.521824; recomputed it is 0.521826" in words(report)
    assert {"report.json", "report.html"} <= set(failed(report))
    with pytest.raises(CheckError, match="pixel_recall/high"):
        require_sound(report)


def test_on_another_processor_a_changed_page_is_found_as_here(
    report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(monkeypatch, 1)
    replace(report / "report.html", b"Verdict: Fail", b"Verdict: Pass")
    write_manifest(report)
    assert failed(report) == ["report.html"]


def test_a_figure_with_one_printed_digit_changed_throughout_is_named(report: Path) -> None:
    """Document, page, JUnit and manifest are all made to fit; the evidence gives another figure."""
    document = json.loads((report / "report.json").read_bytes())
    figure = document["conclusions"]["pooled"][0]["pixel_recall"]
    figure["high"] = rounded(figure["high"] - 0.0001)
    evidence, facts = (report / "evidence.json").read_bytes(), ReportFacts.from_dict(document["facts"])
    for name, content in contents(evidence, facts, conclusions=document["conclusions"]).items():
        (report / name).write_bytes(content)
    write_manifest(report)
    assert "report.json" in failed(report)
    assert "/conclusions/pooled/0/pixel_recall/high is" in words(report)


def test_figures_in_more_digits_than_they_carry_are_not_the_ones_that_the_evidence_gives(report: Path) -> None:
    document = json.loads((report / "report.json").read_bytes())
    document["conclusions"]["pooled"][0]["pixel_recall"]["high"] += 1e-9
    (report / "report.json").write_bytes(canonical_json(document))
    write_manifest(report)
    assert failed(report) == ["report.json"]


def test_the_evidence_in_the_report_has_to_be_the_evidence_to_the_last_digit(report: Path) -> None:
    document = json.loads((report / "report.json").read_bytes())
    cell = document["evidence"]["cells"][0]
    cell["over_blur"] = rounded(cell["over_blur"] + 1e-7)
    (report / "report.json").write_bytes(canonical_json(document))
    write_manifest(report)
    assert failed(report) == ["report.json"]


DOCUMENT = {"a": [{"b/c": 0.5}], "n": 3, "yes": True}


@pytest.mark.parametrize(
    ("element", "finding"),
    [
        ('<data data-path="/a/0/b~1c" data-as="share" value="0.5">50.00 %</data>', None),
        ('<svg><tspan data-path="/n" data-as="count" data-value="3">3</tspan></svg>', None),
        ('<data data-path="/n" data-as="count" value="3"><b>3</b></data>', None),
        ('<data data-path="/n" data-as="count" value="3">4</data>', "is printed as '4' (value '3'); recomputed"),
        ('<data data-path="/n" data-as="count" value="4">3</data>', "(value '4'); recomputed it is '3' (3)"),
        ('<data data-path="/n" data-as="count" value="3">3<i>0</i></data>', "is printed as '30'"),
        ('<data data-path="/gone" data-as="count" value="3">3</data>', "nothing at /gone"),
        ('<data data-path="/yes" data-as="count" value="1">1</data>', "no number there"),
        ('<data data-path="/a" data-as="count" value="1">1</data>', "no number there"),
        ('<data data-path="/n" data-as="furlong" value="3">3</data>', "not printed as 'furlong'"),
        ('<data data-path value="3">3</data>', "no number there"),
    ],
)
def test_a_printed_figure_is_compared_in_full_and_as_printed(element: str, finding: str | None) -> None:
    found = [one.what for one in check_figures(f"<p><br>text {element} 7</p>", DOCUMENT)]
    assert len(found) == (finding is not None)
    assert finding is None or finding in found[0]


@pytest.mark.parametrize(
    ("found", "expected", "said"),
    [
        ({"a": 1}, {"a": 1}, []),
        (
            {"a/b": 1, "c": 2},
            {"a/b": 2, "d": 3},
            ["/a~1b is 1; recomputed it is 2", "/c is extra", "/d is missing"],
        ),
        ([1, 2], [1], [" has 2 entries; recomputed it has 1"]),
        ([1, [2]], [1, [3]], ["/1/0 is 2; recomputed it is 3"]),
        ({"a": True}, {"a": 1}, ["/a is true; recomputed it is 1"]),
        ({"a": 1}, {"a": 1.0}, ["/a is 1; recomputed it is 1.0"]),
    ],
)
def test_differences_are_named_by_their_place(found: Any, expected: Any, said: list[str]) -> None:
    assert list(differences(found, expected)) == said


@pytest.mark.parametrize("name", ["with_failed_cell", "not_run", "without_truth", "one_frame", "delivered"])
def test_the_report_of_every_kind_of_evidence_verifies(name: str, tmp_path: Path) -> None:
    assert failed(folder_of(evidence_samples.SAMPLES[name](), tmp_path / "report")) == []


def test_every_share_on_the_page_is_one_that_can_be_computed_again(report: Path) -> None:
    """None stands outside of an element that names its place, but for the words for who can't see a drawing."""
    page = (report / "report.html").read_text()
    body = page[page.index("<main") : page.index("</main>")]
    bare = re.sub(r"<(data|tspan)[^>]*data-path.*?</\1>|<(desc)\b.*?</\2>", "", body, flags=re.DOTALL)
    text = re.sub(r"<[^>]*>", " ", bare)
    assert re.findall(r"\d+\.\d\d %", text) == []
