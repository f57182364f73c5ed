"""YAML that knows the line of each key, for errors that name it."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import jsonschema
import yaml

from vsanon.errors import InputError
from vsanon.plain_yaml import compose_yaml, load_yaml
from vsanon.schemas import validator

type At = tuple[str | int, ...]
"""Where a value stands: keys and indices, from the root."""


class MarkedYaml:
    """A YAML file, its content checked against the schema, and the line of each of its keys."""

    def __init__(self, text: str, where: str) -> None:
        self._where = where
        self._lines: dict[At, int] = {}
        try:
            self.data: dict[str, Any] = load_yaml(text)
            node = compose_yaml(text)
            if node is not None:
                self._note(node, ())
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = f":{mark.line + 1}" if mark is not None else ""
            raise InputError(
                f"matrix {where}{line}: is not YAML: {getattr(error, 'problem', None) or error}."
            ) from error
        self._require_finite(self.data, ())
        wrong = list(validator("matrix").iter_errors(self.data))
        if wrong:
            deepest = max(
                (jsonschema.exceptions.best_match([e]) or e for e in wrong), key=lambda e: len(e.absolute_path)
            )
            raise self.error(tuple(deepest.absolute_path), _words(deepest))

    def error(self, path: At, why: str) -> InputError:
        """An error that names file, line and key."""
        at = path
        while at and at not in self._lines:
            at = at[:-1]
        line = self._lines.get(at, 1)
        key = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).removeprefix(".")
        return InputError(f"matrix {self._where}:{line}: {key or 'the file'}: {why}.")

    def check(self, path: At, make: Callable[[], Any]) -> Any:
        """What `make` gives; its errors with file, line and key."""
        try:
            return make()
        except (InputError, ValueError) as error:
            raise self.error(path, str(error).rstrip(".")) from error

    def _require_finite(self, value: Any, path: At) -> None:
        if isinstance(value, float) and not math.isfinite(value):
            raise self.error(path, f"needs a finite number, got {value}")
        parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, part in parts:
            self._require_finite(part, (*path, key))

    def _note(self, node: yaml.Node, path: At) -> None:
        self._lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                own = (*path, key.value)
                if own in self._lines:
                    self._lines[own] = key.start_mark.line + 1
                    raise self.error(own, "the key stands here for the second time")
                self._lines[own] = key.start_mark.line + 1
                self._note(value, own)
        elif isinstance(node, yaml.SequenceNode):
            for i, value in enumerate(node.value):
                self._note(value, (*path, i))


def _words(error: jsonschema.ValidationError) -> str:
    """A schema's complaint in words of the file."""
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    if error.validator == "additionalProperties" and "properties" in schema:
        return f"{error.message}; the keys are {', '.join(schema['properties'])}"
    if error.validator == "oneOf" and isinstance(error.instance, dict):
        keys = [one["required"][0] for one in schema["oneOf"] if "required" in one]
        kinds = [one["type"] for one in schema["oneOf"] if isinstance(one.get("type"), str)]
        if keys or kinds:
            return f"needs {'one of ' if keys else ''}{' or '.join(keys or kinds)}"
    text = str(error.message)
    return text if len(text) < 300 else text[:300] + " ..."
