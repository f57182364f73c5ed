"""A house's own defaults: `vsanon.toml` in the working folder, or in the user's; what is typed wins."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import platformdirs

from vsanon.cli.shared import Group, tell
from vsanon.files import open_plain

NAME = "vsanon.toml"
JOBS = ("anonymize", "analyze", "render", "review")
"""The commands whose options it sets."""

OF_ONE_JOB = frozenset(
    (
        "overwrite",
        "tracks",
        "output",
        "any_picture",
        "rate",
        "start_number",
        "sign",
        "out",
        "lists",
        "help",
        "by",
        "no_browser",
        "static",
        "reveal",
    )
)
"""Options that are of one job, and never a house's."""

_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Setting:
    """A value of an option, as it is written and as click takes it, and the file that it stands in."""

    option: str
    written: Any
    value: Any
    file: Path


def files() -> list[Path]:
    """Where settings are looked for; those in an earlier file win. `VSANON_CONFIG` names one in place of all."""
    if named := os.environ.get("VSANON_CONFIG"):
        return [Path(named)]
    return [Path(NAME), Path(platformdirs.user_config_dir("vsanon")) / NAME]


def load(root: click.Group) -> dict[str, Setting]:
    """The settings of the files that are there, by the names of the parameters.

    Raises:
        click.UsageError: a file can't be read, has an unknown key, or a value that its option does not take.
    """
    found: dict[str, Setting] = {}
    for file in reversed(files()):
        if os.path.lexists(file) or os.environ.get("VSANON_CONFIG"):
            found |= {setting.option: setting for setting in _read(file, root)}
    return found


def defaults(root: click.Group) -> dict[str, dict[str, Any]]:
    """The settings as click takes them: by command, by parameter."""
    settings = load(root)
    of_command = {job: {param.name for param in options(root, job)} for job in JOBS}
    return {
        job: {name: s.value for name, s in settings.items() if name in names} for job, names in of_command.items()
    }


def options(root: click.Group, job: str) -> Iterator[click.Option]:
    """The options of a command that a file may set."""
    for param in root.commands[job].params:
        if isinstance(param, click.Option) and param.name not in OF_ONE_JOB:
            yield param


def _read(file: Path, root: click.Group) -> Iterator[Setting]:
    known = {_key(param): param for job in JOBS for param in options(root, job)}
    for key, value in _table(file).items():
        param = known.get(key.replace("_", "-"))
        if param is None:
            raise click.UsageError(f"{file}: there is no setting {key!r}; there are {', '.join(sorted(known))}")
        try:
            with click.Context(root.commands["anonymize"]) as context:
                param.type_cast_value(context, _plain(value))
        except (click.BadParameter, TypeError) as error:
            said = error.message if isinstance(error, click.BadParameter) else str(error)
            raise click.UsageError(f"{file}: {key}: {said}") from error
        assert param.name is not None
        yield Setting(param.name, value, _plain(value), file)


def _table(file: Path) -> Mapping[str, Any]:
    try:
        with open_plain(file) as opened:
            content = opened.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise click.UsageError(f"{file}: larger than any file of settings: {_MOST_BYTES} bytes at most")
        return tomllib.loads(content.decode())
    except OSError as error:
        raise click.UsageError(f"{file}: can't be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # not TOML, or not UTF-8, or a number of thousands of digits
        raise click.UsageError(f"{file}: is not TOML: {error}") from error


def _plain(value: Any) -> Any:
    """A value as the command line would have it: numbers and words as they are typed; lists stay lists."""
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, dict):
        raise TypeError("a table was not expected")
    return value if isinstance(value, bool) else str(value)


def _key(param: click.Option) -> str:
    return max(param.opts, key=len).lstrip("-")


@click.group("config", cls=Group)
def config() -> None:
    """The settings of a house: `vsanon.toml` in the working folder, or in the user's."""


@config.command("show")
def show() -> None:
    """Print every setting, its value, and where that comes from; what is typed on a command line wins."""
    root = click.get_current_context().find_root().command
    assert isinstance(root, click.Group)
    settings = load(root)
    shown: set[str] = set()
    for file in files():
        tell(f"# {file}: {'read' if file.is_file() else 'not there'}")
    for param in (param for job in JOBS for param in options(root, job)):
        if param.name is None or param.name in shown:
            continue
        shown.add(param.name)
        setting = settings.get(param.name)
        value = setting.written if setting else param.get_default(click.Context(root))
        where = str(setting.file) if setting else "default"
        tell(f"{_key(param)} = {_toml(value)}  # {where}")


def _toml(value: Any) -> str:
    if value is None or repr(value).startswith("Sentinel"):
        return '""'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(inner) for inner in value)}]"
    return str(value) if isinstance(value, int | float) else '"' + str(value).replace('"', '\\"') + '"'


COMMANDS = (config,)
