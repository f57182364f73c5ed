"""The key of a step is another where anything is that its result depends on."""

from pathlib import Path

import pytest

import vsanon
from vsanon.validation.runs import keys
from vsanon.validation.runs.keys import FFMPEG, STEPS, code_files, code_sha256, key_of


def given(step: str) -> dict[str, str]:
    return {name: f"this {name}" for name in STEPS[step].inputs}


@pytest.mark.parametrize(("step", "name"), [(step, name) for step in STEPS for name in STEPS[step].inputs])
def test_another_input_is_another_key(step: str, name: str) -> None:
    assert key_of(step, **given(step)) == key_of(step, **given(step))
    assert key_of(step, **given(step) | {name: "another"}) != key_of(step, **given(step))


@pytest.mark.parametrize(("step", "library"), [(step, lib) for step in STEPS for lib in STEPS[step].libraries])
def test_another_version_of_a_library_that_computes_is_another_key(
    step: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = key_of(step, **given(step))
    if library == FFMPEG:
        monkeypatch.setattr(keys, "ffmpeg_version", lambda: "another")
    else:
        known = keys.version
        monkeypatch.setattr(keys, "version", lambda name: "another" if name == library else known(name))
    assert key_of(step, **given(step)) != before


@pytest.mark.parametrize("step", list(STEPS))
def test_other_code_is_another_key(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_of(step, **given(step))
    monkeypatch.setattr(keys, "code_sha256", lambda: "other")
    assert key_of(step, **given(step)) != before


def test_two_steps_of_the_same_inputs_have_two_keys() -> None:
    assert len({key_of(step, **given(step)) for step in STEPS}) == len(STEPS)


def test_an_input_that_is_left_out_or_was_not_declared_is_no_key() -> None:
    with pytest.raises(ValueError, match="the step anonymise depends on search, profile; got search"):
        key_of("anonymise", search="1")
    with pytest.raises(ValueError, match="got search, profile, mood"):
        key_of("anonymise", search="1", profile="strict", mood="good")
    with pytest.raises(ValueError, match="no step 'polish'"):
        key_of("polish")


def test_all_code_but_command_line_and_reports_is_in_the_key(tmp_path: Path) -> None:
    # Below a folder called reporting, as an installation may be; clips.py begins as cli does.
    package = tmp_path / "reporting" / "vsanon"
    for name in ("filters/clips.py", "cli/main.py", "reporting/svg.py", "boxes.py", "schema/a.json", "m/card.yaml"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text("")
    assert code_files(package) == ["boxes.py", "filters/clips.py", "m/card.yaml"]
    assert "filters/clips.py" in code_files(Path(vsanon.__file__).parent)
    assert len(code_sha256()) == 64
