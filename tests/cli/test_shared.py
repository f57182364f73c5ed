"""What the command line prints steers no terminal, and names that parts of the chain can't take end in one line."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from vsanon.cli.main import main
from vsanon.cli.shared import shown


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("plain, Grüße, 日本, 😀", "plain, Grüße, 日本, 😀"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\u202egpj.exe", "a\\u202egpj.exe"),
        ("\x9b2J", "\\x9b2J"),
        (os.fsdecode(b"caf\xe9"), "caf\\xe9"),
        ("\u2028\U000e0001", "\\u2028\\U000e0001"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("over\rwritten", "over\\x0dwritten"),
    ],
)
def test_what_steers_a_terminal_is_shown_as_its_number(text: str, printed: str) -> None:
    assert shown(text) == printed


@given(st.text())
def test_whatever_is_printed_can_be_encoded_and_has_no_controls(text: str) -> None:
    printed = shown(text)
    printed.encode()
    assert all(c in "\n\t" or c.isprintable() or c.isspace() for c in printed)
    assert not any(ord(c) < 32 for c in printed if c not in "\n\t")


NAMES = {
    "an escape": b"\x1b[31m.mp4",
    "a line break": b"a\npass  all checks.mp4",
    "no UTF-8": b"caf\xe9.mp4",
    "a control of Latin-1": "\x9b2J.mp4".encode(),
    "256 bytes": b"n" * 252 + b".mp4",
}
COMMANDS = (
    ("anonymize", "NAME", "out.mp4"),
    ("anonymize", "in.mp4", "NAME"),
    ("analyze", "NAME"),
    ("render", "NAME", "out.mp4"),
    ("verify", "NAME", "--source", "in.mp4"),
    ("review", "NAME", "--static", "-o", "r.html"),
    ("report", "certificate", "NAME", "-o", "c.html"),
    ("report", "render", "NAME", "-o", "r"),
)


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_such_a_name_is_refused_in_one_line(tmp_path: Path, command: tuple[str, ...], kind: str) -> None:
    result = CliRunner().invoke(main, [os.fsdecode(NAMES[kind]) if a == "NAME" else a for a in command])
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit)
    last = result.output.strip().splitlines()[-1]
    assert last.startswith("Error: Invalid value for")
    assert "\x1b" not in result.output
    assert "\x9b" not in result.output


def test_an_output_whose_ledger_would_have_too_long_a_name_is_refused_at_once(tmp_path: Path) -> None:
    source = tmp_path / "in.mp4"
    source.write_bytes(b"x")
    result = CliRunner().invoke(main, ["anonymize", str(source), str(tmp_path / ("n" * 240 + ".mp4"))])
    assert result.exit_code == 2
    assert "ledger.json: the name has 256 bytes, file systems take 255" in result.output


def test_what_is_logged_is_shown_so_too(tmp_path: Path) -> None:
    code = (
        "import logging; from vsanon.cli.main import main\n"
        "try: main(['presets', 'list'])\n"
        "except SystemExit: logging.getLogger('x').warning('%s', chr(27) + '[2J')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "vsanon: \\x1b[2J\n"
    assert logging.getLogger().level == logging.WARNING


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no such device")
def test_a_result_that_can_not_be_told_is_no_success_and_no_traceback() -> None:
    command = [sys.executable, "-m", "vsanon", "presets", "list"]
    with open("/dev/full", "w") as full:
        untold = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        unheard = subprocess.run([*command[:-1], "show", "none"], stderr=full, check=False)
    assert untold.returncode == 3
    assert (
        untold.stderr == "vsanon: standard output can't be written: No space left on device; what was done stays\n"
    )
    assert unheard.returncode == 2


@pytest.mark.parametrize("command", [["render", "a.mp4", "b.mp4"], ["review", "a.mp4"]])
def test_where_there_is_no_track_file_the_command_that_makes_one_is_named(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.mp4").write_bytes(b"")
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 2
    assert "a.mp4.vsanon: there is no track file: run `vsanon analyze a.mp4`" in done.output
