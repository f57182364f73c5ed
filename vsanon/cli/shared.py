"""What the parts of the command line share: how errors leave, where words go."""

from pathlib import Path
from typing import Any

import click

from vsanon.errors import VsanonError

FILE = click.Path(path_type=Path)


class Command(click.Command):
    """Prints our errors as one message, and leaves with the exit code that they stand for."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except VsanonError as error:
            say(f"vsanon: {error}")
            raise SystemExit(error.exit_code) from error


class Group(click.Group):
    """A group of such commands."""

    command_class = Command


def say(text: str) -> None:
    """A line for people, on stderr."""
    click.echo(text, err=True)
