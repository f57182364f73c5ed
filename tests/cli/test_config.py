"""A house's defaults: what is typed wins, the working folder comes before the user's, unknown keys are refused."""

from pathlib import Path

import click
import platformdirs
import pytest
from click.testing import CliRunner, Result

from vsanon.cli import config
from vsanon.cli.main import main


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder; the user's own settings lie in `user` below it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VSANON_CONFIG", raising=False)
    monkeypatch.setattr(platformdirs, "user_config_dir", lambda name: str(tmp_path / "user"))
    (tmp_path / "user").mkdir()
    return tmp_path


def ran(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def values(*words: str) -> dict[str, object]:
    """What `anonymize` would be called with."""
    context = click.Context(main)
    context.default_map = config.defaults(main)
    command = main.commands["anonymize"]
    return command.make_context("anonymize", [*words, "a.mov", "b.mov"], parent=context).params


def test_without_a_file_all_is_as_built_in(house: Path) -> None:
    assert config.load(main) == {}
    assert values()["preset"] == "h264_crf"


def test_the_working_folder_wins_over_the_user_and_the_command_line_over_both(house: Path) -> None:
    (house / "user" / "vsanon.toml").write_text('preset = "prores_lt"\nlead = 1.5\nleave-out = ["subtitles"]\n')
    (house / "vsanon.toml").write_text('preset = "prores_hq"\nacross_cuts = true\n')
    found = values()
    assert (found["preset"], found["lead_s"], found["leave_out"]) == ("prores_hq", 1.5, ("subtitles",))
    assert found["across_cuts"] is True
    assert values("--preset", "ffv1", "--lead", "0.1")["preset"] == "ffv1"
    assert values("--preset", "ffv1", "--lead", "0.1")["lead_s"] == 0.1


def test_show_says_where_each_value_comes_from(house: Path) -> None:
    (house / "user" / "vsanon.toml").write_text('preset = "prores_lt"\nlead = 1.5\n')
    (house / "vsanon.toml").write_text('preset = "prores_hq"\n')
    lines = ran("config", "show").output.splitlines()
    assert 'preset = "prores_hq"  # vsanon.toml' in lines
    assert f"lead = 1.5  # {house / 'user' / 'vsanon.toml'}" in lines
    assert 'profile = "strict"  # default' in lines


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour = 3", "there is no setting 'colour'"), ('lead = "long"', "lead: 'long' is not a valid float"),
        ('profile = "weak"', "profile: 'weak' is not one of"), ("overwrite = true", "no setting 'overwrite'"),
        ("[anonymize]\nlead = 1", "no setting 'anonymize'"), ("lead = {a = 1}", "a table was not expected"),
        ("lead", "is not TOML"), ("lead = " + "9" * 5000, "is not TOML"), ("lead = " + "[" * 5000, "is not TOML"),
    ],
)  # fmt: skip
def test_a_wrong_file_stops_the_job_and_is_named(house: Path, text: str, said: str) -> None:
    (house / "vsanon.toml").write_text(text)
    done = ran("anonymize", "in.mov", "out.mov")
    assert done.exit_code == 2
    assert "vsanon.toml: " in done.output
    assert said in done.output


def test_what_is_no_file_of_settings_is_not_passed_over(house: Path) -> None:
    (house / "vsanon.toml").mkdir()
    done = ran("anonymize", "in.mov", "out.mov")
    assert done.exit_code == 2
    assert "vsanon.toml: can't be read" in done.output


def test_a_named_file_stands_in_for_all_and_must_be_there(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (house / "vsanon.toml").write_text('preset = "prores_hq"\n')
    (house / "other.toml").write_text("lead = 2\n")
    monkeypatch.setenv("VSANON_CONFIG", "other.toml")
    assert values()["preset"] == "h264_crf"
    assert values()["lead_s"] == 2
    monkeypatch.setenv("VSANON_CONFIG", "absent.toml")
    assert "absent.toml: can't be read" in ran("render", "in.mov", "out.mov").output


def test_other_commands_do_not_read_it(house: Path) -> None:
    (house / "vsanon.toml").write_text("colour = 3")
    assert ran("presets", "list").exit_code == 0
