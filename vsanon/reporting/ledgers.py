"""Ledgers read for certificates: whole, of possible values, and not contradicting themselves."""

from typing import Any

from vsanon.covering.looks import STRENGTHS
from vsanon.errors import InputError
from vsanon.job import ledger
from vsanon.job.anonymised import objections

PROFILES = STRENGTHS
"""What the profiles do, in words, and what can still be read from them."""

ORIGINS = {
    "detected": "found",
    "interpolated": "bridged between two finds",
    "held": "held before and after",
    "manual": "by hand",
}
"""Where a box comes from, in words."""


def read_ledger(content: bytes) -> dict[str, Any]:
    """A ledger that is whole, as `job.ledger.parse` has it, and does not contradict itself.

    Raises:
        InputError: it is none, or not such a one; the entry is named.
    """
    found = ledger.parse(content, "the ledger")
    frames, searched = found["frames"], found.get("frames_searched")
    part = found.get("part")
    if part is not None and not (
        part["start"] < part["stop"] <= part["of"]
        and frames == (part["stop"] - part["start"] if part["delivered"] == "part" else part["of"])
    ):
        raise InputError(f"the ledger contradicts itself: {frames} frames, of the part {part}")
    against = objections(found)
    if found["anonymised"] == bool(against):
        raise InputError(
            f"the ledger contradicts itself: anonymised: {found['anonymised']}, "
            f"and {'; '.join(against) or 'no entry speaks against it'}"
        )
    over = [name for name, counts in found["classes"].items() if counts["frames"] > frames]
    if over or found["frames_covered_whole"] > frames:
        raise InputError(f"the ledger contradicts itself: more frames are covered than the {frames} that there are")
    if searched is not None and searched > frames:
        raise InputError(
            f"the ledger contradicts itself: more frames were searched than the {frames} that there are"
        )
    if sum(found["pictures"].values()) != frames:
        raise InputError(
            f"the ledger contradicts itself: {sum(found['pictures'].values())} frames were compared with those "
            f"analysed, of {frames}"
        )
    return found
