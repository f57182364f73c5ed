"""What attacks on each look came to, by `scripts/measure_strength.py`; all words about it are from this table."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

Row = Mapping[str, Any]

AROUND = ("around", "real around", "masks")
"""Kinds of attack on what no look covers: hair, collar, ground; how large masks are, and how they move."""

_SAID = {
    "real face": "{n} real people were named in {rate} of tries (a guess: {chance})",
    "face": "{n} drawn people in {rate} ({chance})",
    "text": "characters of {n} texts were read in {rate} ({chance})",
    "plate": "characters of {n} plates in {rate} ({chance})",
    "dictionary": "{n} texts found by trying every one in {rate}",
}
"""Kinds of attack, in words, in the order in which they are said."""

WANTED = {"real face": "real people", "face": "drawn people", "text": "text", "plate": "plates"}
"""Kinds of attack that every look should have withstood, and what is attacked."""
_PLATES_AS = dict.fromkeys(("soft", "mosaic", "picture", "cosmetic"), "strict")
"""Looks that paint a plate as another one does, which was attacked: all but `inpaint` fill it."""


@cache
def rows() -> Sequence[Row]:
    """The rows of the table: an attack on a look each, see docs/strength.md."""
    found: list[Row] = json.loads(files("vsanon.covering").joinpath("strength.json").read_text("utf-8"))["rows"]
    return tuple(found)


def of_look(look: str, table: Sequence[Row]) -> list[Row]:
    """The rows of what is left inside of a look's masks."""
    return [row for row in table if row["look"] == look and row["kind"] not in AROUND]


def worst(look: str, kind: str, table: Sequence[Row]) -> Row | None:
    """The attack of a kind that came furthest beyond a guess; None where there was none."""
    painted = _PLATES_AS.get(look, look) if kind == "plate" else look
    own = [row for row in of_look(painted, table) if row["kind"] == kind]
    return max(own, key=lambda row: (row["rate"] - row["chance"], row["attack"]), default=None)


def measured(look: str, table: Sequence[Row]) -> str:
    """What attacks on a look came to, and what nobody attacked, in part of a sentence."""
    parts = [
        words.format(n=f"{row['n']:,}", rate=percent(row["rate"]), chance=percent(row["chance"]))
        for kind, words in _SAID.items()
        if (row := worst(look, kind, table)) is not None
    ]
    said = f"; measured: {', '.join(parts)}" if parts else ""
    gone = unmeasured(look, table)
    return said + (f"; not measured: {', '.join(gone)}" if gone else "")


def unmeasured(look: str, table: Sequence[Row]) -> list[str]:
    """What nobody has attacked under a look."""
    return [words for kind, words in WANTED.items() if worst(look, kind, table) is None]


def percent(share: float) -> str:
    """A share as people read it, to a tenth below ten.

    Examples:
        >>> percent(0.0151), percent(0.905)
        ('1.5 %', '90 %')
    """
    return f"{100 * share:.1f} %" if share < 0.0995 else f"{100 * share:.0f} %"
