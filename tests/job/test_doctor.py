"""The doctor finds what is here, and says what to do about what is not."""

from pathlib import Path

import onnxruntime
import pytest

from vsanon.detectors.recipes import SETTINGS
from vsanon.errors import MissingError
from vsanon.job import doctor
from vsanon.job.doctor import examine
from vsanon.models import store


@pytest.fixture(scope="module")
def findings() -> dict[str, doctor.Finding]:
    return {finding.name: finding for finding in examine()}


def test_what_the_tests_themselves_run_on_is_found(findings: dict[str, doctor.Finding]) -> None:
    for name in ("Python", "VapourSynth", "BestSource", "ffmpeg", "encoders"):
        assert findings[name].ok, findings[name].text
    assert "R81" in findings["VapourSynth"].text
    assert "libx264" in findings["encoders"].text


def test_where_models_run_is_told_by_what_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    def starts(name: str) -> str:
        if name in ("cpu", "cuda"):
            return name
        raise MissingError(f"no {name} here")

    monkeypatch.setattr(doctor, "chosen", starts)
    found = {finding.name: finding for finding in examine()}["ONNX Runtime"]
    assert found.ok
    assert found.text == f"{onnxruntime.__version__}, runs models on cpu, cuda"


def test_a_setting_without_its_models_comes_with_the_command_that_gets_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VSANON_CACHE", str(tmp_path))
    monkeypatch.delenv("VSANON_MODELS", raising=False)
    found = {finding.name: finding for finding in examine()}["setting balanced"]
    assert not found.ok
    assert found.text.startswith("centerface not here yet: run `vsanon models pull` once")
    monkeypatch.setattr(store, "locate", lambda card: tmp_path / card.name)
    findings = {finding.name: finding for finding in examine()}
    assert all(findings[f"setting {name}"].ok for name in SETTINGS)
    assert "centerface (MIT)" in findings["setting balanced"].text


def test_an_ffmpeg_that_is_named_but_not_there_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSANON_FFMPEG", "no-such-program")
    found = {finding.name: finding for finding in examine()}
    assert not found["ffmpeg"].ok
    assert "no-such-program" in found["ffmpeg"].text
    assert not found["encoders"].ok


def test_a_vspipe_that_does_not_start_says_why_and_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "vspipe"
    program.write_text("#!/bin/sh\necho 'no libpython here' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(doctor, "vspipe_path", lambda: program)
    found = {finding.name: finding for finding in examine()}["vspipe"]
    assert not found.ok
    assert "doctor --fix" in found.text
    assert "no libpython here" in found.text
