"""YAML from strangers: values written out, of bounded depth and size, so that no file hangs or breaks a reader."""

from typing import Any

import yaml

MOST_LETTERS = 1_000_000
MOST_BYTES = 4 * MOST_LETTERS
"""What a reader need not read beyond, in UTF-8."""
MOST_DEPTH = 40


def load_yaml(text: str) -> Any:
    """The content of a YAML file.

    Raises:
        yaml.YAMLError: it is not YAML, or has aliases, NUL, or more than `MOST_DEPTH` levels or `MOST_LETTERS`.
    """
    _require_plain(text)
    try:
        return yaml.safe_load(text)
    except (ValueError, OverflowError) as error:  # a day 31 of February, a number of a thousand digits
        raise yaml.YAMLError(str(error)) from error


def compose_yaml(text: str) -> yaml.Node | None:
    """The nodes of a YAML file, with their lines; errors as for `load_yaml`."""
    _require_plain(text)
    node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    return node


def _require_plain(text: str) -> None:
    if len(text) > MOST_LETTERS:
        raise yaml.YAMLError(f"it has {len(text)} letters, {MOST_LETTERS} are read")
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise _at(event, "an alias (*): write the value out where it is needed")
        if isinstance(event, yaml.ScalarEvent) and "\0" in event.value:
            raise _at(event, "a NUL in a text")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_DEPTH:
            raise _at(event, f"more than {MOST_DEPTH} levels inside each other")


def _at(event: Any, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
