"""Which sources show the same footage, by content and by look: it counts once, under whatever names it comes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from vsanon.errors import InputError
from vsanon.validation.conclusions.cropped import is_part

SIDE = 16
"""Rows of a look (`validation.runs.appearance`), and bits of each."""
ALIKE_SHARE, SAME_SHARE = 0.03, 0.01
"""How large a share of what both are sure of may differ: between two encodes of one picture, and where all pictures
of two sources are compared in their order. Re-encodes (H.265 at CRF 38), grades, bars and mirrored copies of three
real clips differ by 0 at the median, pictures of other clips by 0.119 and more."""
LEAST_SURE = 40
"""Looks that are both sure of less don't compare."""
ABSENT = "absent"
"""The outcome of a cell that the evidence does not hold."""
LEAST_SEEN, SEEN_SHARE = 2, 0.25
"""How many telling pictures of one source have to be in the other, and how large a share of its own."""
_PARTS = ("source", "encode", "setting", "profile", "delivery")


def clips_of(sources: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The first source, by name, that shows the same footage as each.

    Args:
        sources: by name, each with `sha256` (None where it could not be read) and, where known, `looks`: hex, of
            pictures evenly over what is measured, `looks_at_rest`: of those that move least of those around them,
            and `scene`: which drawn one.
    """
    clips: dict[str, str] = {}
    for name in sorted(sources):
        others = {clips[other] for other in clips if same_footage(sources[name], sources[other])}
        first = min(others, default=name)
        # What links two groups that were apart until now makes them one.
        clips = {other: first if clip in others else clip for other, clip in clips.items()} | {name: first}
    return clips


def same_footage(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Whether two sources are one file or scene, or a part of one looks like a part of the other.

    What looks alike is the same picture, as it is, mirrored or upside down; of a camera that does not move, where
    all pictures of one source look alike, all pictures in their order have to. What was cut is found where enough
    moves in as many pictures of the same time (`cropped`).
    """
    if any(a.get(key) is not None and a.get(key) == b.get(key) for key in ("sha256", "scene")):
        return True
    looks, others = (_looks(source, "looks") for source in (a, b))
    if not looks or not others:
        return False
    turns = [list(turned) for turned in zip(*(look.turned() for look in looks), strict=True)]
    if len(looks) == len(others) and any(
        all(_apart(x, y) <= SAME_SHARE for x, y in zip(turned, others, strict=True)) for turned in turns
    ):
        return True
    if _share_pictures(looks, others) or _share_pictures(*(_looks(s, "looks_at_rest") for s in (a, b))):
        return True
    one, other = ([(look.brighter, look.sure) for look in found] for found in (looks, others))
    return is_part(one, other, SIDE) or is_part(other, one, SIDE)


@dataclass(frozen=True, slots=True)
class _Look:
    """256 bits each: where a picture gets brighter to the right, and where that is sure."""

    brighter: int
    sure: int

    @classmethod
    def of(cls, look: str) -> "_Look":
        """Read from hex; one of 64 digits, of evidence of earlier versions, does not say what is sure."""
        value, every = int(look, 16), (1 << SIDE**2) - 1
        return cls(value, every) if len(look) * 4 == SIDE**2 else cls(value >> SIDE**2, value & every)

    def turned(self) -> "tuple[_Look, _Look, _Look, _Look]":
        """Itself, and that of the picture mirrored, upside down, and both."""
        # Mirrored, columns are turned round, and brighter to darker; upside down, rows are in the other order.
        mirrored = _Look(_columns_turned(~self.brighter), _columns_turned(self.sure))
        flipped, both = (_Look(_rows_turned(look.brighter), _rows_turned(look.sure)) for look in (self, mirrored))
        return self, mirrored, flipped, both


def _looks(source: Mapping[str, Any], key: str) -> list[_Look]:
    return [_Look.of(look) for look in source.get(key) or ()]


def _share_pictures(looks: Sequence[_Look], others: Sequence[_Look]) -> bool:
    """Whether enough of the telling ones among the fewer look like one of the others, turned or not."""
    few, many = sorted((_telling(looks), _telling(others)), key=len)
    seen = sum(any(_alike(turned, y) for turned in x.turned() for y in many) for x in few)
    return seen >= LEAST_SEEN and seen >= SEEN_SHARE * len(few)


def _alike(a: _Look, b: _Look) -> bool:
    return _apart(a, b) <= ALIKE_SHARE


def _apart(a: _Look, b: _Look) -> float:
    """The share of what both are sure of that differs; all of it where that is too little."""
    sure = a.sure & b.sure
    count = sure.bit_count()
    return 1.0 if count < LEAST_SURE else ((a.brighter ^ b.brighter) & sure).bit_count() / count


def _telling(looks: Sequence[_Look]) -> list[_Look]:
    """Those that no other picture of their source looks like, and that are not of a nearly even picture."""
    return [
        look
        for k, look in enumerate(looks)
        if 0.1 < (look.brighter & look.sure).bit_count() / max(look.sure.bit_count(), 1) < 0.9
        and not any(_alike(look, o) for o in (*looks[:k], *looks[k + 1 :]))
    ]


def _columns_turned(bits: int) -> int:
    """Each row of bits the other way round."""
    return sum(int(f"{row:0{SIDE}b}"[::-1], 2) << (SIDE * k) for k, row in enumerate(_rows(bits)))


def _rows_turned(bits: int) -> int:
    """The rows of bits in the other order."""
    return sum(row << (SIDE * k) for k, row in enumerate(reversed(_rows(bits))))


def _rows(bits: int) -> list[int]:
    return [bits >> (SIDE * k) & (2**SIDE - 1) for k in range(SIDE)]


def with_clips(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """The evidence with each cell's footage as `clip`.

    Raises:
        InputError: a cell is there twice.
    """
    for parts, count in Counter(tuple(cell[part] for part in _PARTS) for cell in evidence["cells"]).items():
        if count > 1:
            raise InputError(
                f"the evidence holds the cell {'/'.join(map(str, parts))} {count} times: measure it anew"
            )
    clips = clips_of(evidence["sources"])
    return {**evidence, "cells": [{**cell, "clip": clips[cell["source"]]} for cell in evidence["cells"]]}


def absent(evidence: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The cells of a matrix that its evidence does not hold, as if they had not run.

    Args:
        evidence: each of its sources goes with each encode, setting, profile and delivery.
    """
    there = {tuple(cell[part] for part in _PARTS) for cell in evidence["cells"]}
    deliveries = {cell["delivery"] for cell in evidence["cells"]} | set(evidence["deliveries"]) or {None}
    axes = (evidence["sources"], evidence["encodes"], evidence["settings"], evidence["profiles"])
    found = []
    for parts in product(*axes, sorted(deliveries, key=str)):
        if parts not in there:
            cell = {"id": "/".join(part or "none" for part in parts), **dict(zip(_PARTS, parts, strict=True))}
            found.append(
                {**cell, "clip": parts[0], "outcome": ABSENT, "classes": {}, "stream": None, "delivered": None}
            )
    return found


def repeated(clips: Mapping[str, str]) -> list[list[str]]:
    """The names of each footage that has several."""
    groups: dict[str, list[str]] = {}
    for name, clip in sorted(clips.items()):
        groups.setdefault(clip, []).append(name)
    return [names for names in groups.values() if len(names) > 1]
