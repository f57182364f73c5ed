"""The JSON Schemas that come with the package, in `schema/`."""

import json
from functools import cache
from importlib import resources

import jsonschema


@cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    """What checks a value against `schema/<name>.schema.json`."""
    text = resources.files("vsanon").joinpath("schema", f"{name}.schema.json").read_text(encoding="utf-8")
    return jsonschema.Draft202012Validator(json.loads(text))
