"""The JSON Schemas that come with the package, in `schema/`, and documents held against them."""

import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from vsanon.errors import InputError
from vsanon.plain_json import load_json

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator


@cache
def validator(name: str) -> "Draft202012Validator":
    """What checks a value against `schema/<name>.schema.json`."""
    from jsonschema import Draft202012Validator  # only here: a job that reads no document of ours needs none of it

    text = resources.files("vsanon").joinpath("schema", f"{name}.schema.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text))


def undescribed(value: Any, name: str) -> list[str]:
    """The entries of a document that its schema does not describe, where that leaves it open, as JSON pointers.

    Where a schema says of an object's further entries what they are, or has none of its own, they are described.
    """
    root = validator(name).schema
    return _undescribed(value, root, root, "")


def _undescribed(value: Any, schema: Any, root: Any, at: str) -> list[str]:
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    if isinstance(value, list) and "items" in schema:
        return [
            found for n, one in enumerate(value) for found in _undescribed(one, schema["items"], root, f"{at}/{n}")
        ]
    if not isinstance(value, dict):
        return []
    known, other = schema.get("properties", {}), schema.get("additionalProperties")
    found = [] if other is not None or not known else [f"{at}/{key}" for key in value if key not in known]
    inner = other if isinstance(other, dict) else {}
    return found + [
        more for key, one in value.items() for more in _undescribed(one, known.get(key, inner), root, f"{at}/{key}")
    ]


def parse(content: bytes, where: str, *, kind: str, version: int) -> dict[str, Any]:
    """A document of ours, whole and of the types of its schema.

    Args:
        content: JSON, with the version under `vsanon_<kind>`.
        where: names it in errors.
        kind: of the document, which is the name of its schema: "ledger", "plan".
        version: the one that is read.

    Raises:
        InputError: it is none, or not of this version; the entry is named.
    """
    try:
        found = load_json(content)
    except ValueError as error:
        raise InputError(f"{where}: not a {kind} of vsanon: {error}") from error
    if not isinstance(found, dict) or found.get(f"vsanon_{kind}") != version:
        raise InputError(f"{where}: not a {kind} of version {version}: use the vsanon that wrote it")
    if (wrong := next(validator(kind).iter_errors(found), None)) is not None:
        at = "/".join(str(part) for part in wrong.absolute_path)
        raise InputError(f"{where}: a {kind}, but not a whole one: /{at}: {wrong.message:.200}")
    return found
