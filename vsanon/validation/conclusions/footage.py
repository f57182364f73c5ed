"""Which sources show the same footage, by content and by look: it counts once, under whatever names it comes."""

from collections.abc import Mapping, Sequence
from typing import Any

BITS = 256
"""Of one look (`validation.runs.looks`)."""
ALIKE_BITS = 12
"""How many of them may differ between two encodes of one picture."""


def clips_of(sources: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The first source, by name, that shows the same footage as each.

    Args:
        sources: by name, each with `sha256` (None where it could not be read) and, where known, `looks`: hex, of
            pictures evenly over what is measured.
    """
    clips: dict[str, str] = {}
    for name in sorted(sources):
        others = {clips[other] for other in clips if same_footage(sources[name], sources[other])}
        first = min(others, default=name)
        # What links two groups that were apart until now makes them one.
        clips = {other: first if clip in others else clip for other, clip in clips.items()} | {name: first}
    return clips


def same_footage(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Whether two sources are one file, or look alike in every picture that was kept of them."""
    if a["sha256"] is not None and a["sha256"] == b["sha256"]:
        return True
    looks: Sequence[str] = a.get("looks") or ()
    others: Sequence[str] = b.get("looks") or ()
    if not looks or len(looks) != len(others):
        return False
    return all((int(x, 16) ^ int(y, 16)).bit_count() <= ALIKE_BITS for x, y in zip(looks, others, strict=True))


def with_clips(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """The evidence with each cell's footage as `clip`."""
    clips = clips_of(evidence["sources"])
    return {**evidence, "cells": [{**cell, "clip": clips[cell["source"]]} for cell in evidence["cells"]]}


def repeated(clips: Mapping[str, str]) -> list[list[str]]:
    """The names of each footage that has several."""
    groups: dict[str, list[str]] = {}
    for name, clip in sorted(clips.items()):
        groups.setdefault(clip, []).append(name)
    return [names for names in groups.values() if len(names) > 1]
