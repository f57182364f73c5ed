"""The certificate of processing: what a delivered file's ledger says, on one page, for people."""

import shlex
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from vsanon.errors import InputError
from vsanon.files import sha256_of
from vsanon.job import ledger_signature
from vsanon.job.anonymised import DROPS, EXPOSES, MOVES, SEARCHED, uncovering
from vsanon.job.ledger import Painting
from vsanon.reporting.facts import ID_DIGITS, ReportFacts, canonical_json
from vsanon.reporting.headline import LOOKS, headline, search_of, unseen, unsound
from vsanon.reporting.ledgers import ORIGINS, read_ledger
from vsanon.reporting.words import short

VERSION = 1

SHOWN_EDITS = 4
"""How many edits are listed; the others are counted, and stand in the ledger."""

UNSEEN = "logos, tattoos, name badges, documents and the content of screens"

_PAINTED = {
    "strict": "every sample under a mask is the fill, or of one tone",
    "soft": "no piece and no detail of the source is left under a mask",
    "mosaic": "every cell under a mask is of one colour, and no piece and no detail of the source is left",
    "picture": "every sample under a mask is that of the picture over the fill, or of one tone",
    "inpaint": "no piece and no detail of the source is left under a mask",
    "cosmetic": "no piece and no fine detail of the source is left under a mask; its broad features are",
}

_COMPARED = {
    "same": "the same",
    "changed": "graded, cleaned or encoded anew",
    "unknown": "too flat to tell",
    "unchecked": "not compared, as was asked for",
}

_COMMAND_NAME = 50
_UNCOVERS = (EXPOSES, MOVES, DROPS)


def describe(content: bytes, facts: ReportFacts, *, names: bool = False) -> dict[str, Any]:
    """What a certificate says, from the bytes of a ledger: texts and numbers for the template.

    Args:
        content: of the ledger.
        facts: what people state.
        names: show the names of the files, which may hold personal data.

    Raises:
        InputError: the ledger is not whole.
    """
    ledger = read_ledger(content)
    failed = [check for check in ledger["checks"] if not check["passed"]]
    blind = unseen(ledger)
    edits = ledger.get("edits", [])
    rate = Fraction(ledger["video"]["rate"])
    return {
        "vsanon_certificate": VERSION,
        "id": sha256_of(content + canonical_json(facts.as_dict()))[:ID_DIGITS],
        "facts": facts.as_dict(),
        "ledger": ledger,
        "ledger_sha256": sha256_of(content),
        "names": names,
        "state": headline(ledger, failed),
        "signature": ledger_signature.check(ledger).found,
        "seconds": float(ledger["frames"] / rate),
        "profile": _strength(ledger),
        "classes": [_class(name, counts) for name, counts in sorted(ledger["classes"].items())],
        "search": search_of(ledger),
        "searched": ledger.get("frames_searched"),
        "pictures": _pictures(ledger),
        "relied_on": not unsound(ledger, failed),
        "checks": {
            "looked": _looked(ledger),
            "passed": len(ledger["checks"]) - len(failed) - len(blind),
            "all": len(ledger["checks"]),
            "failed": failed,
            "names": [c["name"] for c in ledger["checks"] if c["passed"] and c not in blind],
            "unseen": [check["name"] for check in blind],
        },
        "edits": {
            "all": len(edits),
            "shown": _shown(edits),
            "left_out": max(0, len(edits) - SHOWN_EDITS),
            "uncovering": len(uncovering(edits, *_UNCOVERS)),
            "tracks": ledger.get("tracks"),
        },
        "risks": _risks(ledger, edits),
        "commands": _commands(ledger, names),
    }


def _shown(edits: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The edits that are listed: those that took covers away before others, of each the latest; in their order."""
    uncovers = uncovering(edits, *_UNCOVERS)
    latest = sorted(edits, key=lambda edit: edit in uncovers)[-SHOWN_EDITS:]
    return [edit for edit in edits if edit in latest]


def _looked(ledger: Mapping[str, Any]) -> str:
    """What the checks of the pictures mean in the profile, in a sentence."""
    if missing := [name for name in LOOKS if name not in {check["name"] for check in ledger["checks"]}]:
        return f"The pictures were not wholly checked: {', '.join(missing)} is missing."
    painted = _PAINTED[ledger["painting"]["profile"]]
    return (
        f"Looked at while it was painted, on every frame: {painted}. The delivered file was decoded and compared "
        "with that, block by block in luma and colour, in the regions, over the whole picture, in time and in "
        "place; what the codec's noise hides could not be seen, and is counted in the ledger."
    )


def _strength(ledger: Mapping[str, Any]) -> str:
    """What can still be read, by the table of today: a ledger could say anything."""
    try:
        return Painting.of(ledger["painting"]).strength
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"the ledger does not say how regions were painted: /painting: {error!r}") from error


def _pictures(ledger: Mapping[str, Any]) -> str:
    """What came of comparing the frames with those that the regions were found in, in a sentence."""
    counts, frames = ledger["pictures"], ledger["frames"]
    if counts["same"] == frames:
        return "Each frame was compared with the one that its regions were found in, and is the same."
    parts = [f"{counts[kind]:,} {words}" for kind, words in _COMPARED.items() if counts[kind]]
    return f"Frames compared with those that their regions were found in: {', '.join(parts)}."


def _class(name: str, counts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "tracks": counts["tracks"],
        "frames": counts["frames"],
        "boxes": sum(counts["boxes"].values()),
        "origins": [
            {"words": words, "count": counts["boxes"][origin]}
            for origin, words in ORIGINS.items()
            if counts["boxes"][origin]
        ],
    }


def _risks(ledger: Mapping[str, Any], edits: Sequence[Mapping[str, Any]]) -> list[str]:
    """What remains, in plain words; never that nothing does."""
    search = search_of(ledger)
    said = [
        "Software misses some of what it looks for, most often small, turned-away, half-hidden, blurred or "
        "overexposed faces. How many it missed in this file was not measured: that takes a person who watches it."
    ]
    if search and search["smallest"]:
        least = ", ".join(f"{name}s {px:g} px high" for name, px in sorted(search["smallest"].items()))
        said.append(f"The search was set to find {least} and larger; what is smaller was found by chance only.")
    if search and search["by_hand"]:
        said.append(
            f"The search was set by hand: {', '.join(search['by_hand'])}. "
            f"What setting {short(search['setting'], 30)} finds by itself may lie open."
        )
    if search and (zones := search["zones"]):
        more = f" and {len(zones) - 2} more" if len(zones) > 2 else ""
        said.append(
            "Left out of the search on purpose were zones of the picture (x0, y0, x1, y1): "
            f"{short(', '.join(zones[:2]), 90)}{more}. Who stands there may lie open."
        )
    seen = ledger.get("frames_searched")
    if seen is not None and seen < ledger["frames"]:
        said.append(
            f"A model has seen {seen:,} of {ledger['frames']:,} frames. In the others, what it had found was "
            "followed; who was there only in between may lie open."
        )
    if (part := ledger.get("part")) is not None and part["delivered"] == "part":
        said.append(
            f"The file is a part of its source, frames {part['start']:,} to {part['stop'] - 1:,} of "
            f"{part['of']:,}: this page says nothing of the rest."
        )
    if unchecked := ledger["pictures"]["unchecked"]:
        said.append(
            f"In {unchecked:,} of {ledger['frames']:,} frames nobody looked whether they show what the regions "
            "were found in: where they don't, what should be covered lies open."
        )
    searched = search["classes"] if search else sorted(ledger["classes"])
    missing = [name for name in SEARCHED if name not in searched]
    never = f"{' and '.join(f'{name}s' for name in missing)}, {UNSEEN}" if missing else UNSEEN
    by_hand = any(counts["boxes"]["manual"] for counts in ledger["classes"].values())
    said.append(
        f"Not searched for: {never}. "
        + ("Regions drawn by hand are in the counts above." if by_hand else "None was covered by hand.")
    )
    if count := len(uncovering(edits, *_UNCOVERS)):
        one = count == 1
        said.append(
            f"{count} {'edit' if one else 'edits'} by people took covers away, for the "
            f"{'reason' if one else 'reasons'} that they gave."
        )
    changed = len(ledger.get("sound", {}).get("changes", []))
    voice = (
        f"People had sound muted or bleeped over in {changed} {'span' if changed == 1 else 'spans'}; in the rest, "
        "voices and spoken names are still there. "
        if changed
        else "Sound was copied unchanged: voices and spoken names are still there. "
    )
    voice = voice if "audio" in ledger["keep"] else ""
    said.append(f"{voice}Gait, clothes, place and company may still tell who somebody is.")
    return said


def _commands(ledger: Mapping[str, Any], names: bool) -> list[dict[str, str]]:
    """What anyone can run to check this page, and what it checks."""

    def shown(part: str) -> str:
        name = str(ledger[part]["name"])
        return name if names and len(name) <= _COMMAND_NAME else {"output": "DELIVERED", "source": "SOURCE"}[part]

    output, source = shown("output"), shown("source")
    delivered, original = (
        shlex.quote(name if not name.startswith("-") else f"./{name}") for name in (output, source)
    )
    return [
        {"command": f"sha256sum {delivered}", "does": "prints the delivered file's SHA-256 above"},
        {
            "command": f"vsanon verify {delivered} --source {original}",
            "does": "repeats the checks, for who holds the source and the ledger",
        },
    ]
