"""The sample report in the repository is what its evidence gives, by the one command that its script documents."""

import importlib.util
import json
import shutil
from pathlib import Path

import pytest

from vsanon.reporting import ReportFacts
from vsanon.reporting.checking import check_report, require_sound
from vsanon.reporting.manifest import check_manifest
from vsanon.reporting.signing import check_signature, sign_manifest
from vsanon.signing import generate_key

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "reports" / "sample"


@pytest.fixture(scope="module")
def facts() -> ReportFacts:
    spec = importlib.util.spec_from_file_location("sample_report", ROOT / "scripts" / "sample_report.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    stated: ReportFacts = script.FACTS
    return stated


@pytest.mark.slow
def test_the_sample_is_what_todays_code_makes_of_its_evidence_on_any_processor(facts: ReportFacts) -> None:
    assert json.loads((SAMPLE / "report.json").read_bytes())["facts"] == facts.as_dict()
    wrong = [check for check in check_report(SAMPLE) if not check.passed]
    assert not wrong, "made with other code: run `python scripts/sample_report.py --render`, and look at it"


@pytest.mark.slow
def test_the_sample_can_be_signed_on_any_processor(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(SAMPLE, tmp_path / "sample"))
    require_sound(copy)
    public = generate_key(tmp_path / "house.pem")
    sign_manifest(copy, tmp_path / "house.pem")
    assert check_signature(copy, public) == []


def test_the_manifest_of_the_sample_holds() -> None:
    assert check_manifest(SAMPLE) == []


def test_the_sample_is_of_drawn_scenes_alone_and_small() -> None:
    assert b'"kind": "file"' not in (SAMPLE / "evidence.json").read_bytes()
    assert sum(path.stat().st_size for path in SAMPLE.iterdir()) < 3_000_000
