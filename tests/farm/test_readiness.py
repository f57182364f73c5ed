"""What a worker lacks is said before it begins, and a model that can't be had before a file is read."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.footage import blob
from vsanon import Search
from vsanon.cli.main import main
from vsanon.errors import MissingError
from vsanon.farm import make_plan, plan, plan_file, readiness
from vsanon.farm.listing import Job
from vsanon.job.pipeline import anonymize_file
from vsanon.job.settings import Settings

PLATES = Settings(search=Search(classes=("plate",), setting="fast"), preset="prores_hq")


@pytest.fixture
def made(tmp_path: Path) -> plan.Plan:
    source = blob(tmp_path / "in.mov", "-c:v", "libx264", frames=4, sound=False)
    return make_plan.make([Job(source, tmp_path / "out.mov")], tmp_path / "farm.json", PLATES)


def lacking(path: Path) -> dict[str, str]:
    return {finding.name: finding.text for finding in readiness.examine(plan_file.read(path)) if not finding.ok}


def test_a_machine_that_made_the_plan_lacks_nothing(made: plan.Plan) -> None:
    assert lacking(made.path) == {}
    result = CliRunner().invoke(main, ["doctor", "--for", str(made.path)])
    assert result.exit_code == 0, result.output
    assert "MISSING" not in result.output


def test_other_versions_models_and_sources_are_named(made: plan.Plan) -> None:
    told = json.loads(made.path.read_text())
    told["versions"]["onnxruntime"] = "0.1"
    told["files"][0]["header"]["models"] = [{"name": "unheard", "sha256": "ab", "licence": "MIT"}]
    made.path.write_text(json.dumps(told))
    made.files[0].source.write_bytes(b"1234")
    found = lacking(made.path)
    assert set(found) == {"onnxruntime", "model unheard", "source 0000"}
    assert "the plan wants 0.1" in found["onnxruntime"]
    assert "vsanon models bundle" in found["model unheard"]
    assert "has 4 bytes" in found["source 0000"]
    assert CliRunner().invoke(main, ["doctor", "--for", str(made.path)]).exit_code == 3


def test_a_model_that_can_not_be_had_is_said_before_the_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models").mkdir()
    monkeypatch.setenv("VSANON_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("VSANON_CACHE", str(tmp_path / "cache"))
    source = tmp_path / "in.mov"
    source.write_bytes(b"no film at all")
    faces = Settings(search=Search(classes=("face",), setting="fast"), preset="prores_hq")
    with pytest.raises(MissingError, match="the model yunet_n is not in"):
        anonymize_file(source, tmp_path / "out.mov", faces)
    with pytest.raises(MissingError, match="the model yunet_n is not in"):
        make_plan.make([Job(source, tmp_path / "out.mov")], tmp_path / "farm.json", faces)
