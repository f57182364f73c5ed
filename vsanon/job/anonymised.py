"""Why a delivered file is not anonymised, by its ledger: what was not searched, or left to be known; pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vsanon.covering.looks import NOT_ANONYMISED, STRENGTHS
from vsanon.job.weaker import unmeasured, weaker

SEARCHED = ("face", "plate")
"""The classes that every file is searched for before it is called anonymised."""
EXPOSES, MOVES, DROPS = "expose ", "move ", "drop "
"""How the words of an edit begin that leaves a track bare, puts its cover elsewhere, or says that it is none."""


def objections(book: Mapping[str, Any]) -> list[str]:
    """Why a file is not anonymised, in part of a sentence each; none where it is.

    Args:
        book: its ledger, whole but for `anonymised`.
    """
    pictures = book["pictures"]
    found = of_settings(book["painting"], book.get("analysis"), book.get("models", ()), book["video"]["size"])
    part = book.get("part")
    if part is not None and part["delivered"] != "part" and part["stop"] - part["start"] != part["of"]:
        found.append(
            f"frames {part['start']} to {part['stop'] - 1} of {part['of']} were searched, "
            "and all others are shown as they are"
        )
    edits = book.get("edits", ())
    if count := len(uncovering(edits, EXPOSES)):
        found.append(f"{count} {'edit exposes' if count == 1 else 'edits expose'} a track by hand")
    if count := len(uncovering(edits, MOVES)):
        found.append(f"{count} {'edit moves' if count == 1 else 'edits move'} a cover off what was found")
    if unchecked := pictures["unchecked"]:
        found.append(f"nobody looked whether {unchecked} frames show what the regions were found in")
    return found


def uncovering(edits: Iterable[Mapping[str, Any]], *kinds: str) -> list[Mapping[str, Any]]:
    """The edits of a ledger, of the kinds whose words begin so, that left boxes bare which no later edit covered.

    What a ledger does not count, as those of other versions, was left bare by all that can, but for moves.
    """
    return [
        edit
        for edit in edits
        if edit["what"].startswith(kinds) and edit.get("bare", not edit["what"].startswith(MOVES))
    ]


def of_settings(
    painting: Mapping[str, Any], analysis: Any, models: Iterable[Any], size: Sequence[int] | None = None
) -> list[str]:
    """What of it follows from how a job is set, before it begins.

    Args:
        painting: how it covers, as ledgers have it.
        analysis: how it searches and follows; where it does not say, nothing was searched for.
        models: that search, as ledgers have them.
        size: [width, height] of the picture, pixels; None where no file is known yet.
    """
    profile, said = painting["profile"], analysis if isinstance(analysis, Mapping) else {}
    found = [f"profile {profile}: {STRENGTHS[profile]}"] if profile in NOT_ANONYMISED else []
    classes, zones = (_listed(said.get(name)) for name in ("classes", "ignore"))
    if missing := [f"{name}s" for name in SEARCHED if name not in classes]:
        found.append(f"{' and '.join(missing)} were not searched for")
    if zones:
        found.append(f"{len(zones)} {'zone' if len(zones) == 1 else 'zones'} of the picture left out of the search")
    return [*found, *unmeasured(said, models), *weaker(said, painting.get("shapes"), size)]


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()
