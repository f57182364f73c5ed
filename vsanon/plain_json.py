"""JSON from strangers: each key once, and finite numbers, so that all who read a file read the same.

Of a key that stands twice, one reader takes the first and another the last: what a person sees in the file would
then not be what was signed, or checked.
"""

import json
import math
from typing import Any


def load_json(content: str | bytes) -> Any:
    """The content of a JSON file.

    Raises:
        ValueError: it is not JSON in UTF-8, or too deep, or has a key twice, or a number that is not finite, or of
            thousands of digits.
    """
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
        return _DECODER.decode(text)
    except RecursionError as error:
        raise ValueError("too many levels inside each other") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r:.60} stands there twice")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text:.40} is not a number")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_float=_finite, parse_constant=_finite)
