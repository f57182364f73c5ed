"""The command line of reports: what each command writes, says and ends with."""

import contextlib
import json
import shutil
import stat
import zlib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.reporting.test_certificate import ledger
from tests.support import evidence_samples
from vsanon.cli.main import main
from vsanon.reporting.facts import canonical_json


def vsanon(*arguments: str | Path, text: str | None = None) -> Result:
    return CliRunner().invoke(main, ["report", *map(str, arguments)], input=text)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with evidence of three runs, and the report of the first, signed."""
    place = tmp_path_factory.mktemp("cli")
    for name in ("passing", "without_detections", "one_format"):
        (place / f"{name}.json").write_bytes(canonical_json(evidence_samples.SAMPLES[name]()))
    (place / "facts.yaml").write_text("issuer: Example Post\nissued: 2026-11-23\nnotes: from the file\n")
    assert vsanon("keygen", "-o", place / "key.pem").exit_code == 0
    done = vsanon(
        place / "passing.json", "-o", place / "report", "--facts", place / "facts.yaml", "--notes", "mine"
    )
    assert done.exit_code == 0, done.output
    assert vsanon("sign", place / "report", "--key", place / "key.pem").exit_code == 0
    return place


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "place"))


def test_a_report_is_written_from_evidence_and_says_its_verdict(place: Path) -> None:
    done = vsanon(place / "without_detections.json", "-o", place / "second")
    assert done.exit_code == 0
    assert "verdict: FAIL" in done.stderr
    names = {Path(line).name for line in done.stdout.splitlines()}
    assert {"report.html", "report.json", "report.junit.xml", "evidence.json", "manifest.json"} <= names
    assert {path.name for path in (place / "second").iterdir()} == names


@pytest.mark.slow
def test_the_short_form_is_that_of_render(place: Path) -> None:
    vsanon(place / "passing.json", "-o", place / "a")
    vsanon("render", place / "passing.json", "-o", place / "b")
    assert (place / "a" / "manifest.json").read_bytes() == (place / "b" / "manifest.json").read_bytes()


@pytest.mark.parametrize(("name", "code"), [("passing", 0), ("without_detections", 1), ("one_format", 1)])
@pytest.mark.slow
def test_a_pass_can_be_required(place: Path, name: str, code: int) -> None:
    assert vsanon(place / f"{name}.json", "-o", place / name, "--require-pass").exit_code == code
    assert (place / name / "report.html").is_file()


def test_facts_come_from_a_file_and_options_go_before_it(place: Path) -> None:
    facts = json.loads((place / "report" / "report.json").read_bytes())["facts"]
    assert (facts["issuer"], facts["issued"], facts["notes"]) == ("Example Post", "2026-11-23", "mine")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("- a\n", "names and values"),
        ("nobody: x\n", "nobody"),
        ("a: [", "not YAML"),
        ("issuer: 3\n", "must be text"),
    ],
)
def test_facts_that_are_none_are_refused(place: Path, content: str, words: str) -> None:
    (place / "facts.yaml").write_text(content)
    done = vsanon(place / "passing.json", "-o", place / "x", "--facts", place / "facts.yaml")
    assert done.exit_code == 2
    assert words in done.stderr


@pytest.mark.parametrize("option", ["--received", "--tested", "--issued"])
def test_a_date_must_be_one(place: Path, option: str) -> None:
    done = vsanon(place / "passing.json", "-o", place / "x", option, "tomorrow")
    assert (done.exit_code, "tomorrow" in done.stderr) == (2, True)


@pytest.mark.slow
def test_verify_passes_prints_each_check_and_ends_with_0(place: Path) -> None:
    done = vsanon("verify", place / "report", "--public-key", place / "key.pub.pem")
    assert done.exit_code == 0, done.output
    assert all(line.startswith("pass  ") for line in done.stdout.splitlines())
    assert "signature: holds" in done.stdout


@pytest.mark.slow
def test_verify_names_the_changed_file_and_ends_with_1(place: Path) -> None:
    page = place / "report" / "report.html"
    page.write_bytes(page.read_bytes().replace(b"Pass", b"pass", 1))
    done = vsanon("verify", place / "report")
    assert done.exit_code == 1
    assert "FAIL  report.html: changed: SHA-256" in done.stdout
    found = json.loads(vsanon("verify", place / "report", "--json").stdout)
    assert {check["name"] for check in found if not check["passed"]} == {"report.html"}


def test_verify_asks_for_the_signer_that_is_named(place: Path) -> None:
    vsanon("keygen", "-o", place / "other.pem")
    done = vsanon("verify", place / "report", "--public-key", place / "other.pub.pem")
    assert done.exit_code == 1
    assert "manifest.pub.pem: another key" in done.stdout


def test_a_folder_or_key_that_is_not_there_is_wrong_input(place: Path) -> None:
    assert vsanon("verify", place / "absent").exit_code == 2
    assert vsanon("verify", place / "report", "--public-key", place / "absent.pem").exit_code == 2
    assert vsanon(place / "absent.json", "-o", place / "x").exit_code == 2


def test_keys_are_private_and_never_overwritten(place: Path) -> None:
    assert stat.S_IMODE((place / "key.pem").stat().st_mode) == 0o600
    done = vsanon("keygen", "-o", place / "key.pem")
    assert done.exit_code == 2
    assert "never overwritten" in done.stderr


@pytest.mark.slow
def test_a_key_with_a_passphrase_asks_for_it(place: Path) -> None:
    assert vsanon("keygen", "-o", place / "locked.pem", "--encrypt", text="tree\ntree\n").exit_code == 0
    argv = ("sign", place / "report", "--key", place / "locked.pem", "--overwrite")
    assert vsanon(*argv, text="bush\n").exit_code == 2
    assert vsanon(*argv, text="tree\n").exit_code == 0


def test_a_report_that_does_not_verify_is_not_signed(place: Path) -> None:
    (place / "report" / "extra.txt").write_bytes(b"")
    done = vsanon("sign", place / "report", "--key", place / "key.pem", "--overwrite")
    assert done.exit_code == 1
    assert "extra.txt: extra" in done.stderr


@pytest.mark.slow
def test_compare_ends_with_1_where_something_that_passed_no_longer_does(place: Path) -> None:
    old, new = place / "report", place / "without_detections.json"
    page = place / "comparison.html"
    done = vsanon("compare", old, new, "-o", page)
    assert done.exit_code == 1
    assert "LOST  " in done.stdout
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert vsanon("compare", old, place / "passing.json").exit_code == 0
    assert json.loads(vsanon("compare", old, new, "--json").stdout)["regressed"] is True


def test_a_page_is_never_written_over_its_input_or_without_leave(place: Path) -> None:
    evidence = place / "passing.json"
    assert vsanon("technical-procedure", evidence, "-o", evidence, "--overwrite").exit_code == 2
    page = place / "procedure.html"
    assert vsanon("technical-procedure", evidence, "-o", page).exit_code == 0
    assert vsanon("technical-procedure", evidence, "-o", page).exit_code == 2
    assert vsanon("technical-procedure", evidence, "-o", page, "--overwrite").exit_code == 0


def test_a_certificate_is_written_and_its_headline_said(place: Path) -> None:
    (place / "out.ledger.json").write_text(json.dumps(ledger()))
    done = vsanon("certificate", place / "out.ledger.json", "-o", place / "c.html", "--issuer", "Example Post")
    assert (done.exit_code, done.stdout.strip()) == (0, str(place / "c.html"))
    assert "Covered, and all 8 checks passed" in done.stderr
    blurred = ledger(anonymised=False, painting={**ledger()["painting"], "profile": "cosmetic"})
    (place / "out.ledger.json").write_text(json.dumps(blurred))
    done = vsanon("certificate", place / "out.ledger.json", "-o", place / "d.html")
    assert done.stderr.startswith("Not anonymised\n")
    (place / "out.ledger.json").write_text("{}")
    assert vsanon("certificate", place / "out.ledger.json", "-o", place / "e.html").exit_code == 2


@pytest.mark.slow
def test_a_certificate_can_be_a_pdf_that_holds_the_ledger_only_where_names_are_asked_for(place: Path) -> None:
    pytest.importorskip("weasyprint", reason="the extra `pdf` is not installed")
    content = json.dumps(ledger()).encode()
    (place / "out.ledger.json").write_bytes(content)
    for argv, held in (((), False), (("--names", "--overwrite"), True)):
        done = vsanon("certificate", place / "out.ledger.json", "-o", place / "c.html", "--pdf", *argv)
        assert done.exit_code == 0, done.output
        pdf = (place / "c.pdf").read_bytes()
        assert pdf.startswith(b"%PDF")
        assert any(content in stream for stream in streams(pdf)) is held


def streams(pdf: bytes) -> list[bytes]:
    """The deflated streams of a PDF, inflated."""
    found = []
    for part in pdf.split(b"stream\n")[1:]:
        with contextlib.suppress(zlib.error):
            found.append(zlib.decompressobj().decompress(part))
    return found
