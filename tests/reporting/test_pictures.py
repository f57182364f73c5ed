"""No document about a test or a file holds pictures of people: none is embedded, and the detector finds none."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reporting.test_certificate import ledger
from tests.reporting.test_faces import faces
from tests.support import evidence_samples
from vsanon.reporting import certificate, comparing, procedure
from vsanon.reporting.facts import ReportFacts, canonical_json
from vsanon.reporting.pages import render
from vsanon.reporting.writing import PAGE, contents

FACTS = ReportFacts()


def report() -> str:
    return contents(canonical_json(evidence_samples.failing()), FACTS)[PAGE].decode()


def comparison() -> str:
    sides = (canonical_json(sample()) for sample in (evidence_samples.passing, evidence_samples.failing))
    return render(comparing.compare(*sides), page="comparison.html")


def technical_procedure() -> str:
    described = procedure.describe(canonical_json(evidence_samples.failing()), FACTS)
    return render(described, page="procedure.html")


def certificate_of_processing() -> str:
    return render(certificate.describe(json.dumps(ledger()).encode(), FACTS), page="certificate.html")


DOCUMENTS = (comparison, technical_procedure, certificate_of_processing)


@pytest.mark.parametrize("document", [report, *DOCUMENTS])
def test_no_document_embeds_a_picture(document: Callable[[], str]) -> None:
    html = document()
    assert not re.search(r"<(img|image|picture|video|canvas|object|embed|iframe)\b", html, re.IGNORECASE)
    assert "data:image" not in html
    assert "base64," not in html
    assert "url(" not in html


@pytest.mark.slow
@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_face_is_found_in_a_rendered_document(document: Callable[[], str], tmp_path: Path) -> None:
    assert faces(document(), tmp_path) == 0
