"""What the parts of the command line share: files as arguments, how errors and stops leave, where words go."""

import contextlib
import json
import os
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vsanon import stops
from vsanon.errors import InputError, MissingError, VsanonError
from vsanon.files import require_name

if TYPE_CHECKING:
    from vsanon.job.checks import Check


class _File(click.Path):
    """A file or folder, named so that every part of the chain can take the name."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        try:
            require_name(path)
        except InputError as error:
            self.fail(shown(str(error)), param, ctx)
        return path


FILE = _File()

OVERWRITE = click.option("--overwrite", is_flag=True, help="Replace what is already there.")

SHAPE_OPTIONS = (
    click.option("--margin", "margins", multiple=True, metavar="CLASS=SHARE",
                 help="How far a mask goes beyond its box, as a share of it: one number, or left,top,right,bottom; "
                 "may be repeated [default: face 0.155,0.16,0.155,0.155, others 0.15]."),
    click.option("--feather", "feathers", multiple=True, metavar="CLASS=SHARE",
                 help="Width of a mask's soft edge, which lies outside of it, as a share of the smaller side; "
                 "may be repeated [default: 0.03, at least 1 px]."),
)  # fmt: skip


class Command(click.Command):
    """Prints our errors as one message, and leaves with the exit code that they stand for."""

    def invoke(self, ctx: click.Context) -> Any:
        stops.listen()
        try:
            return super().invoke(ctx)
        except VsanonError as error:
            say(f"vsanon: {error}")
            raise SystemExit(error.exit_code) from error
        except MemoryError as error:
            say("vsanon: not enough memory; what was not finished is not delivered: allow it more")
            raise SystemExit(3) from error
        except stops.Stopped as stop:
            say(f"vsanon: stopped by {stop}; what was not finished is not delivered")
            if stops.left_running():
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(stop.exit_code)
            raise SystemExit(stop.exit_code) from stop


class Group(click.Group):
    """A group of such commands."""

    command_class = Command
    group_class = type


def open_standard() -> None:
    """Have a standard input, output and error: whoever started this may have closed them.

    What is opened next takes the number of one that is closed, and gets what libraries and programs write there.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number that is free, and so this
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def require_folder() -> None:
    """Refuse to work from a folder that is gone: no name has a meaning there.

    Raises:
        click.UsageError: it is.
    """
    try:
        os.getcwd()
    except FileNotFoundError as error:
        raise click.UsageError("the folder that this was started in is gone: change to another one") from error


def track_path_of(source: Path) -> Path:
    """Where the track file of a source lies where nobody says otherwise: beside it."""
    return source.with_name(source.name + ".vsanon")


def tracks_of(source: Path, tracks: Path | None) -> Path:
    """The track file of a source: the one that was named, or the one beside it.

    Raises:
        InputError: none was named, and there is none.
    """
    path = tracks or track_path_of(source)
    if tracks is None and not path.exists():
        raise InputError(
            f"{path}: there is no track file: run `vsanon analyze {source}`, or name one with --tracks"
        )
    return path


def say(text: str) -> None:
    """Words for people, on stderr; where nobody can be told, such as on a full disk, the work goes on."""
    with contextlib.suppress(OSError):
        click.echo(shown(text), err=True)


def tell(text: object) -> None:
    """A line of the result, on stdout.

    Raises:
        MissingError: it can't be written, as to a full disk.
        BrokenPipeError: whoever reads has gone.
    """
    try:
        click.echo(shown(str(text)))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise MissingError(f"standard output can't be written: {error.strerror}; what was done stays") from error


def tell_checks(where: Path, checks: Sequence["Check"], *, as_json: bool) -> None:
    """The checks of a file or folder, a line each or as JSON; ends with exit code 1 where one failed."""
    if as_json:
        tell(json.dumps([check.facts for check in checks], indent=2))
    for check in [] if as_json else checks:
        wanted = "" if check.passed else f", expected {check.expected}"
        verdict = "FAIL" if not check.passed else "pass" if check.seen else "none"
        tell(f"{verdict}  {check.name}: {check.found}{wanted}")
    if failed := sum(not check.passed for check in checks):
        say(f"vsanon: {where}: {failed} of {len(checks)} checks failed")
        raise SystemExit(1)


def shown(text: str) -> str:
    """The text with all that would steer a terminal as \\x1b or \\u202e: names and tags come from strangers.

    Line breaks stay, as messages have several lines; names with line breaks are refused, see `require_name`.
    """
    return "".join(c if c in "\n\t" or unicodedata.category(c) not in _STEERING else _escape(c) for c in text)


_STEERING = ("Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn")
"""Controls, such as the escape; marks that turn the direction of writing; halves of a pair, such as the bytes of a
name that are no UTF-8; line and paragraph separators; what has no agreed meaning."""


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, as Python keeps it (PEP 383)
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
