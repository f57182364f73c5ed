"""Whether the sample of a criterion supports a conclusion: two rates in each of two formats, on the same two clips.

A rate that only one clip has, or a format that only one rate has, can't be told from what else differs there.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from vsanon.validation.conclusions.metric_kinds import IN_FULL, OF_DELIVERIES, OF_LOOKS
from vsanon.validation.conclusions.shares import Cell, Json, clip_of, exposure_of, shares, under_conditions

MIN_RATES = MIN_FORMATS = MIN_CLIPS = 2
SAME_RATE = 1.1
"""Rates closer than this count as one for the sample."""


def support(cells: Sequence[Cell], evidence: Mapping[str, Any], criterion: Mapping[str, Any]) -> Json:
    """What of its cells a criterion stands on.

    Args:
        cells: those that the criterion asks for.
        evidence: that they are of.
        criterion: of it.

    Returns:
        supports, reason; clips, formats and bit_rates of cells that show anyone whom the criterion is about.
    """
    if criterion["metric"] in IN_FULL:
        clips = {clip_of(cell) for cell in cells}
        return {
            "supports": True,
            "reason": "attacks made beforehand" if criterion["metric"] in OF_LOOKS else "counted in full",
            "clips": len(clips),
            "formats": None,
            "bit_rates": None,
        }
    name, delivered = criterion.get("class"), criterion["metric"] in OF_DELIVERIES
    rates: dict[str, dict[str, list[float]]] = {}
    reference = 0
    for cell in cells:
        if not _shows_anyone(cell, name, criterion):
            continue
        if evidence["sources"][cell["source"]]["truth"]["kind"] == "reference":
            reference += 1
            continue
        stream = (cell["delivered"] or {}).get("stream") if delivered else cell["stream"]
        # The codec is what came out, whatever a preset calls it; a part of a source that came as it is has none.
        if stream is not None and isinstance(stream["bit_rate"], int | float):
            rates.setdefault(clip_of(cell), {}).setdefault(stream["codec"], []).append(float(stream["bit_rate"]))
    if not rates and reference:
        return _said(False, "no truth but what vsanon itself found in the best picture", 0, 0, 0)
    formats = sorted({codec for own in rates.values() for codec in own})
    every = [rate for own in rates.values() for values in own.values() for rate in values]
    found = len(rates), len(formats), distinct(every)
    crossed = max((_crossed(rates, pair) for pair in combinations(formats, 2)), default=0)
    what = "clips with truth" if name is None else f"clips that show a {name} of known position"
    if crossed >= MIN_CLIPS:
        return _said(True, f"{crossed} {what}, each at two bit rates in each of two formats", *found)
    lacking = [
        f"{have} of the {least} {words}"
        for have, least, words in (
            (found[2], MIN_RATES, "bit rates"),
            (found[1], MIN_FORMATS, "formats (codecs)"),
            (found[0], MIN_CLIPS, what),
        )
        if have < least
    ]
    crossing = f"{crossed} of the {MIN_CLIPS} {what} at two bit rates in each of two formats"
    return _said(False, f"{'; '.join(lacking) or crossing} that a conclusion needs", *found)


def codec_of(cell: Cell, evidence: Mapping[str, Any]) -> str | None:
    """The codec of what was searched: that of the encode, or of the source where it came as it is."""
    encode = evidence["encodes"][cell["encode"]]
    if encode["preset"] is None:
        condition = evidence["sources"][cell["source"]]["condition"] or {}
        codec: str | None = condition.get("codec")
        return codec
    return str(encode["codec"])


def distinct(values: Sequence[float]) -> int:
    """How many of these rates differ."""
    count, last = 0, 0.0
    for value in sorted(values):
        if value > SAME_RATE * last:
            count, last = count + 1, value
    return count


def _shows_anyone(cell: Cell, name: str | None, criterion: Mapping[str, Any]) -> bool:
    under = under_conditions(criterion)
    if name is not None and under:
        return len(shares([cell], name, "coverage_recall", under=under)) > 0
    names = cell["classes"] if name is None else (name,)
    return any(exposure["identities"] for one in names if (exposure := exposure_of(cell, one)) is not None)


def _crossed(rates: Mapping[str, Mapping[str, Sequence[float]]], formats: tuple[str, str]) -> int:
    """Clips that have both formats at two rates each."""
    return sum(all(distinct(own.get(codec, ())) >= MIN_RATES for codec in formats) for own in rates.values())


def _said(supports: bool, reason: str, clips: int, formats: int, bit_rates: int) -> Json:
    return {"supports": supports, "reason": reason, "clips": clips, "formats": formats, "bit_rates": bit_rates}
