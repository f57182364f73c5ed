"""The sample report in the repository is what its evidence gives, by the one command that its script documents."""

import importlib.util
from pathlib import Path

import pytest

from vsanon.reporting.manifest import check_manifest
from vsanon.reporting.writing import contents

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "reports" / "sample"


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    spec = importlib.util.spec_from_file_location("sample_report", ROOT / "scripts" / "sample_report.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return contents((SAMPLE / "evidence.json").read_bytes(), script.FACTS)


def test_the_sample_made_again_is_the_sample_byte_for_byte(made: dict[str, bytes]) -> None:
    differ = [name for name, content in made.items() if (SAMPLE / name).read_bytes() != content]
    assert not differ, "made with other code: run `python scripts/sample_report.py --render`, and look at it"


def test_the_manifest_of_the_sample_holds() -> None:
    assert check_manifest(SAMPLE) == []


def test_the_sample_is_of_drawn_scenes_alone_and_small(made: dict[str, bytes]) -> None:
    assert b'"kind": "file"' not in made["evidence.json"]
    assert sum(path.stat().st_size for path in SAMPLE.iterdir()) < 1_000_000
