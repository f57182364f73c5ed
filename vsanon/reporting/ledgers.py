"""Ledgers read for certificates: whole, of possible values, and not contradicting themselves."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from vsanon.covering.looks import STRENGTHS
from vsanon.errors import InputError
from vsanon.job.ledger import VERSION

PROFILES = STRENGTHS
"""What the profiles do, in words, and what can still be read from them."""

ORIGINS = {
    "detected": "found",
    "interpolated": "bridged between two finds",
    "held": "held before and after",
    "manual": "by hand",
}
"""Where a box comes from, in words."""


@dataclass(frozen=True, slots=True)
class _Each:
    """The shape of an object whose keys are free."""

    inner: Any


_SHA = re.compile("[0-9a-f]{64}")
_COUNT = range(2**53)
_FILE = {"name": str, "sha256": _SHA, "bytes": _COUNT}
_SHAPE: dict[str, Any] = {
    "started": datetime,
    "finished": datetime,
    "source": _FILE,
    "output": _FILE,
    "frames": range(1, 2**53),
    "frames_covered_whole": _COUNT,
    "classes": _Each({"frames": _COUNT, "tracks": _COUNT, "boxes": dict.fromkeys(ORIGINS, _COUNT)}),
    "anonymised": bool,
    "models": [{"name": str, "sha256": _SHA}],
    "painting": {"profile": str, "grid": _COUNT},
    "preset": {"name": str},
    "keep": [str],
    "video": {"codec": str, "size": [_COUNT], "rate": Fraction, "variable_rate": bool},
    "not_carried": [str],
    "checks": [{"name": str, "passed": bool, "expected": str, "found": str}],
    "versions": _Each(str),
}
_EDIT = {"edit": _COUNT, "what": str, "by": str, "at": str, "reason": str}
_KINDS: dict[Any, str] = {
    str: "text",
    bool: "true or false",
    datetime: "a date",
    Fraction: "a rate such as 25 or 30000/1001",
}


def read_ledger(content: bytes) -> dict[str, Any]:
    """A ledger that is whole: every entry that a certificate rests on is there, and can be.

    Raises:
        InputError: it is none, or not a whole one; the entry is named.
    """
    try:
        ledger = json.loads(content, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not a ledger of vsanon: {error}") from error
    if not isinstance(ledger, dict) or ledger.get("vsanon_ledger") != VERSION:
        raise InputError(f"not a ledger of version {VERSION}: give the .ledger.json beside a delivered file")
    _require(ledger, _SHAPE, "")
    if "edits" in ledger:
        _require(ledger["edits"], [_EDIT], "/edits")
    profile, frames, searched = ledger["painting"]["profile"], ledger["frames"], ledger.get("frames_searched")
    if profile not in PROFILES:
        raise InputError(
            f"the ledger is damaged: /painting/profile is {profile!r}, one of {', '.join(PROFILES)} was expected"
        )
    if ledger["anonymised"] != (profile != "cosmetic"):
        raise InputError(
            f"the ledger contradicts itself: profile {profile}, but anonymised: {ledger['anonymised']}"
        )
    if len(ledger["video"]["size"]) != 2:
        raise InputError("the ledger is damaged: /video/size must be width and height")
    over = [name for name, counts in ledger["classes"].items() if counts["frames"] > frames]
    if over or ledger["frames_covered_whole"] > frames:
        raise InputError(f"the ledger contradicts itself: more frames are covered than the {frames} that there are")
    if searched is not None:
        _require(searched, range(frames + 1), "/frames_searched")
    return ledger


def _require(value: Any, shape: Any, at: str) -> None:
    """Raise where a value of the ledger does not have its shape."""
    match shape:
        case dict():
            _expect(isinstance(value, dict), at, "an object")
            for key, inner in shape.items():
                _expect(key in value, f"{at}/{key}", "an entry")
                _require(value[key], inner, f"{at}/{key}")
        case _Each():
            _expect(isinstance(value, dict), at, "an object")
            for key, entry in value.items():
                _require(entry, shape.inner, f"{at}/{key}")
        case list():
            _expect(isinstance(value, list), at, "a list")
            for k, entry in enumerate(value):
                _require(entry, shape[0], f"{at}/{k}")
        case range():
            _expect(type(value) is int and value in shape, at, f"a whole number from {shape.start} to {shape[-1]}")
        case re.Pattern():
            _expect(isinstance(value, str) and shape.fullmatch(value) is not None, at, "a SHA-256")
        case _:
            _expect(_is(value, shape), at, _KINDS[shape])


def _is(value: Any, kind: Any) -> bool:
    if kind is bool:
        return isinstance(value, bool)
    if not isinstance(value, str):
        return False
    try:
        if kind is datetime:
            datetime.fromisoformat(value)
        return kind is not Fraction or Fraction(value) > 0
    except (ValueError, ZeroDivisionError):
        return False


def _expect(holds: bool, at: str, what: str) -> None:
    if not holds:
        raise InputError(f"the ledger is damaged: {at} must be {what}")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
