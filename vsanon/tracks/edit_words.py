"""Edits in words: for people, and for the ledger."""

from typing import Any

from vsanon.timing import Clock
from vsanon.tracks.edit_kinds import (
    Bleep,
    Drop,
    Edit,
    Expose,
    Keep,
    Merge,
    Move,
    Mute,
    Opinion,
    Region,
    Review,
    Split,
)


def describe(edit: Edit, clock: Clock | None = None) -> str:
    """An edit in words, without its author, time and reason; with timecodes where there is a clock."""
    change = edit.change
    where = ""
    if isinstance(change, (Keep, Expose, Move, Region, Mute, Bleep)):
        where = f" in frames {change.range.start}:{change.range.stop}"
        if clock is not None:
            where += f", {clock.at(change.range.start)}-{clock.at(change.range.stop)}"
    match change:
        case Merge():
            return f"merge tracks {', '.join(map(str, change.others))} into {change.track}"
        case Split():
            at = f"{change.frame}, {clock.at(change.frame)}," if clock is not None else f"{change.frame}"
            return f"split track {change.track} at frame {at} into {change.into}"
        case Mute() | Bleep():
            return f"{edit.op} sound {', '.join(map(str, change.sound))}{where}"
        case Region():
            return f"region {change.track}: {change.label}, {change.shape}{where}"
        case Review():
            return _reviewed(change)
        case _:
            return f"{edit.op} track {change.track}{where}"


def _reviewed(review: Review) -> str:
    seen, revealed = (sum(map(len, spans)) for spans in (review.seen, review.revealed))
    words = f"review: {seen} frames looked at in {review.seconds:.0f} s, "
    words += f"{len(review.ticked)} doubtful moments ticked off, {review.left} left"
    words += f", {revealed} frames shown uncovered" if revealed else ""
    if not review.opinions:
        return words + ", no second opinion"
    return words + "".join(f", second opinion {told(opinion)}" for opinion in review.opinions)


def told(opinion: Opinion) -> str:
    """A second opinion in words."""
    finds = f"{len(opinion.finds)} find{'s' * (len(opinion.finds) != 1)} not covered then"
    return f"{opinion.name} ({', '.join(opinion.models)}): {opinion.searched} of {opinion.frames} frames, {finds}"


def summary(edit: Edit, bare: int) -> dict[str, Any]:
    """An edit as the ledger lists it.

    Args:
        bare: how many boxes it leaves bare, see `edits.listed`.
    """
    takes = {"bare": bare} if isinstance(edit.change, (Expose, Drop, Move)) else {}
    return {
        "edit": edit.number,
        "what": describe(edit),
        **takes,
        "by": edit.by,
        "at": edit.at,
        "reason": edit.reason,
    }
