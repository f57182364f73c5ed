"""The wording of the exit codes names every code that a command can leave with."""

import signal

from click.testing import CliRunner

from vsanon import errors
from vsanon.cli.exit_codes import EXIT_CODES
from vsanon.cli.main import main
from vsanon.stops import Stopped


def test_every_error_stands_for_a_code_that_is_worded() -> None:
    codes = {str(kind.exit_code) for kind in vars(errors).values() if isinstance(kind, type)}
    assert codes == {"1", "2", "3"}
    assert {"0", *codes, "128 + n"} == set(EXIT_CODES)


def test_the_signals_have_the_codes_that_are_named() -> None:
    assert Stopped(signal.SIGINT).exit_code == 130
    assert Stopped(signal.SIGTERM).exit_code == 143
    assert "130 for Ctrl-C and 143 for SIGTERM" in EXIT_CODES["128 + n"]


def test_the_help_says_them() -> None:
    said = " ".join(CliRunner().invoke(main, ["--help"]).output.split())
    assert all(f"{code}: {wording}" in said for code, wording in EXIT_CODES.items())
