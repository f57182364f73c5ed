"""The technical procedure: measured results filled in, what the organisation must say marked as a blank."""

import html
import re
from typing import Any

import pytest

from tests.support import evidence_samples
from vsanon.errors import InputError
from vsanon.reporting import procedure
from vsanon.reporting.checking import check_figures, printed_figures
from vsanon.reporting.facts import ReportFacts, canonical_json
from vsanon.reporting.pages import render

pytestmark = pytest.mark.slow

Json = dict[str, Any]


def described(evidence: Json, facts: ReportFacts = ReportFacts()) -> Json:  # noqa: B008 (frozen)
    return procedure.describe(canonical_json(evidence), facts)


def page(evidence: Json, facts: ReportFacts = ReportFacts()) -> str:  # noqa: B008 (frozen)
    return render(described(evidence, facts), page="procedure.html")


def text_of(markup: str) -> str:
    body = markup[markup.index("<body") :]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", body)).split())


def test_it_goes_from_scope_to_provenance_in_ten_sections() -> None:
    titles = re.findall(
        r'<h2 id="t\d+"><span class="no">(\d+)</span> ([^<]+)</h2>', page(evidence_samples.passing())
    )
    assert [int(number) for number, _ in titles] == list(range(1, 11))
    assert [title for _, title in titles] == [
        "Purpose and scope",
        "Roles",
        "How footage is selected",
        "Settings, and why they were chosen",
        "Steps for each file",
        "Criteria, and whether the test met them",
        "Limits",
        "Records",
        "Testing again",
        "What the results stand on",
    ]


def test_what_only_the_organisation_knows_is_a_marked_blank_and_what_it_stated_is_filled_in() -> None:
    blanks = re.findall(r'<span class="blank">To fill in: ([^<]+)</span>', page(evidence_samples.passing()))
    assert "name and address of the controller" in blanks
    assert "interval, such as 12 months" in blanks
    assert blanks.count("name, deputy") == len(procedure.DUTIES)
    stated = ReportFacts(
        issuer="Example Post", authorised_by="Ann", issued="2026-11-23", sampling_plan="Every tenth."
    )
    filled = re.findall(r'<span class="blank">To fill in: ([^<]+)</span>', page(evidence_samples.passing(), stated))
    assert len(blanks) - len(filled) == 4
    assert "Every tenth." in text_of(page(evidence_samples.passing(), stated))


def test_every_measured_figure_is_one_of_the_evidence() -> None:
    evidence = evidence_samples.failing()
    markup = page(evidence)
    assert len(printed_figures(markup)) > 50
    assert list(check_figures(markup, described(evidence))) == []


def test_a_test_that_passed_is_said_to_have_and_one_that_did_not_restricts_the_use() -> None:
    restriction = "The test did not show that the criteria are met. Until it does, this procedure may be used only"
    assert restriction not in text_of(page(evidence_samples.passing()))
    for sample in (evidence_samples.failing, evidence_samples.without_truth, evidence_samples.with_failed_cell):
        assert restriction in text_of(page(sample()))


def test_settings_stand_with_what_they_reached_and_with_a_blank_for_the_reason() -> None:
    text = text_of(page(evidence_samples.passing()))
    assert "Setting balanced Setting balanced Classesface Modelsface: centerface" in text
    assert "why this setting, given the results below and the time it takes" in text
    assert [one["name"] for one in described(evidence_samples.passing())["procedure"]["settings"]] == ["balanced"]


def test_it_claims_neither_anonymity_nor_accreditation() -> None:
    text = text_of(page(evidence_samples.passing()))
    assert "It does not by itself make footage anonymous, and this document does not claim that." in text
    assert "accredit" not in text.lower()
    assert "compliant" not in text.lower()


def test_sources_that_say_no_more_than_they_must_and_unreadable_ones_are_listed() -> None:
    evidence = evidence_samples.passing()
    evidence["sources"]["street"]["condition"] = {}
    evidence["sources"]["hall"] |= {
        "condition": None,
        "range": None,
        "failure": {"step": "read", "kind": "InputError", "message": "it is gone"},
    }
    text = text_of(page(evidence))
    assert "size unknown" in text
    assert "Could not be used: it is gone" in text


def test_hostile_names_are_text() -> None:
    name = "<script>alert(1)</script>{{ 7 * 7 }}\u202e"
    evidence = evidence_samples.passing()
    evidence["sources"]["street"]["tags"] = {name: name}
    evidence["sources"]["street"]["failure"] = {"step": "read", "kind": "InputError", "message": name}
    markup = page(evidence, ReportFacts(title=name, issuer=name, sampling_plan=name))
    assert "<script>alert" not in markup
    assert "\u202e" not in markup
    assert "<script>alert(1)</script>{{ 7 * 7 }}⟨U+202E⟩" in text_of(markup)


def test_the_same_evidence_gives_the_same_page() -> None:
    assert page(evidence_samples.passing()) == page(evidence_samples.passing())


def test_what_is_no_evidence_is_refused() -> None:
    with pytest.raises(InputError, match="not JSON"):
        procedure.describe(b"", ReportFacts())
