"""The certificate of processing: what a delivered file's ledger says, on one page, for people."""

import shlex
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from vsanon.covering.looks import AVERAGED
from vsanon.files import sha256_of
from vsanon.job import ledger_signature
from vsanon.job.checks import Check
from vsanon.job.picture_checks import HIDDEN, IN_PLACE, IN_TIME, KEPT_OUT, SHOWN, WHOLE
from vsanon.job.region_checks import PAINTED
from vsanon.reporting.facts import ID_DIGITS, ReportFacts, canonical_json
from vsanon.reporting.ledgers import ORIGINS, PROFILES, read_ledger
from vsanon.reporting.words import short

VERSION = 1

SHOWN_EDITS = 4
"""How many edits are listed; the others are counted, and stand in the ledger."""

UNSEEN = "logos, tattoos, name badges, documents and the content of screens"

LOOKS = (PAINTED, SHOWN, HIDDEN, KEPT_OUT, WHOLE, IN_TIME, IN_PLACE)
"""The checks that look at the pictures, painted and delivered; made in every profile."""

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
_UNCOVERS = ("expose ", "drop ")


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
    unseen = _unseen(ledger)
    edits = ledger.get("edits", [])
    rate = Fraction(ledger["video"]["rate"])
    return {
        "vsanon_certificate": VERSION,
        "id": sha256_of(content + canonical_json(facts.as_dict()))[:ID_DIGITS],
        "facts": facts.as_dict(),
        "ledger": ledger,
        "ledger_sha256": sha256_of(content),
        "names": names,
        "state": _state(ledger, failed),
        "signature": _signature(ledger).found,
        "seconds": float(ledger["frames"] / rate),
        "profile": PROFILES[ledger["painting"]["profile"]],
        "classes": [_class(name, counts) for name, counts in sorted(ledger["classes"].items())],
        "search": _search(ledger),
        "searched": ledger.get("frames_searched"),
        "pictures": _pictures(ledger),
        "relied_on": not _unsound(ledger, failed),
        "checks": {
            "looked": _looked(ledger),
            "passed": len(ledger["checks"]) - len(failed) - len(unseen),
            "all": len(ledger["checks"]),
            "failed": failed,
            "names": [c["name"] for c in ledger["checks"] if c["passed"] and c not in unseen],
            "unseen": [check["name"] for check in unseen],
        },
        "edits": {
            "all": len(edits),
            "shown": edits[-SHOWN_EDITS:],
            "left_out": max(0, len(edits) - SHOWN_EDITS),
            "uncovering": sum(edit["what"].startswith(_UNCOVERS) for edit in edits),
            "tracks": ledger.get("tracks"),
        },
        "risks": _risks(ledger, edits),
        "commands": _commands(ledger, names),
    }


def _uncovered(ledger: Mapping[str, Any]) -> str | None:
    """What is said where a file shows more than was searched."""
    part = ledger.get("part")
    if part is None or part["delivered"] == "part" or part["stop"] - part["start"] == part["of"]:
        return None
    return (
        f"Only frames {part['start']:,} to {part['stop'] - 1:,} of {part['of']:,} were searched and covered. All "
        "others are shown as they are: whoever stands there can be known."
    )


def _signature(ledger: Mapping[str, Any]) -> Check:
    return ledger_signature.check(ledger)


def _unsound(ledger: Mapping[str, Any], failed: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Why a ledger's file is not to be relied upon, in a word and in a sentence."""
    found = []
    if failed:
        found.append(
            ("checks failed", f"{len(failed)} of {len(ledger['checks'])} checks failed; they are listed below.")
        )
    made = {check["name"] for check in ledger["checks"]}
    if not ledger["checks"]:
        found.append(("nothing was checked", "Nothing was checked."))
    elif missing := [name for name in LOOKS if name not in made]:
        found.append(("its pictures were not checked", f"Not checked: {', '.join(missing)}."))
    mark = _signature(ledger)
    if not mark.passed:
        found.append(("its ledger was changed", f"The signature of the ledger does not hold: {mark.found}."))
    return found


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


def _state(ledger: Mapping[str, Any], failed: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The headline: `kind` is ok, attention or fail; `reasons` say why it is not ok."""
    reasons = []
    if bare := _uncovered(ledger):
        reasons.append(bare)
    if ledger["painting"]["profile"] == "cosmetic":
        reasons.append(
            "It was covered with the profile “cosmetic”, a blur. Blurred faces can be recognised, by people who "
            "know them and by machines: this file holds personal data, as its source does."
        )
    if (profile := ledger["painting"]["profile"]) in AVERAGED:
        reasons.append(
            f"It was covered with the profile “{profile}”, which leaves averages. By them faces can be linked to "
            "pictures of the same people, and text can be read by trying every one: this file holds personal data, "
            "as its source does."
        )
    if ledger["painting"]["profile"] == "inpaint":
        reasons.append(
            "It was covered with the profile “inpaint”, which is cosmetic: regions are filled in from their "
            "surroundings, so nobody who watches can see what was taken away, nor where it was missed."
        )
    unsound = _unsound(ledger, failed)
    reasons += [sentence for _, sentence in unsound]
    if reasons:
        title = f"Not to be relied upon: {unsound[0][0]}" if unsound else "Not anonymised"
        return {"kind": "fail", "title": title, "reasons": reasons}
    if not ledger["classes"] and not ledger["frames_covered_whole"]:
        return {
            "kind": "attention",
            "title": "Nothing was covered",
            "reasons": [
                "Nothing was found in this file, so its pictures were left as they were. Look at it before you "
                "rely on that."
            ],
        }
    if unchecked := ledger["pictures"]["unchecked"]:
        return {
            "kind": "attention",
            "title": "Covered, but not compared with what was analysed",
            "reasons": [
                f"{unchecked:,} of {ledger['frames']:,} frames were covered without a look whether they show the "
                "picture that the regions were found in. Look at the file before you rely on it."
            ],
        }
    unseen, of = len(_unseen(ledger)), len(ledger["checks"])
    title = f"Covered, and {of - unseen} of {of} checks passed; {unseen} could not see anything"
    return {"kind": "ok", "title": title if unseen else f"Covered, and all {of} checks passed", "reasons": []}


def _unseen(ledger: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The checks that did not fail because there was nothing to be seen, as on a flat picture."""
    return [check for check in ledger["checks"] if check["passed"] and not check.get("seen", True)]


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


def _search(ledger: Mapping[str, Any]) -> dict[str, Any] | None:
    """The settings of the search, None where the ledger holds none."""
    analysis = ledger.get("analysis")
    if not isinstance(analysis, dict):
        return None
    scales = analysis.get("scales")
    smallest = {}
    for name, scale in scales.items() if isinstance(scales, dict) else ():
        least = scale.get("min_object_px") if isinstance(scale, dict) else None
        if isinstance(least, int | float) and not isinstance(least, bool):
            smallest[name] = least
    classes, zones = analysis.get("classes"), analysis.get("ignore")
    return {
        "zones": [str(zone) for zone in zones] if isinstance(zones, list) else [],
        "setting": str(analysis.get("setting")),
        "classes": [str(name) for name in classes] if isinstance(classes, list) else [],
        "smallest": smallest,
    }


def _risks(ledger: Mapping[str, Any], edits: Sequence[Mapping[str, Any]]) -> list[str]:
    """What remains, in plain words; never that nothing does."""
    search = _search(ledger)
    said = [
        "Software misses some of what it looks for, most often small, turned-away, half-hidden, blurred or "
        "overexposed faces. How many it missed in this file was not measured: that takes a person who watches it."
    ]
    if search and search["smallest"]:
        least = ", ".join(f"{name}s {px:g} px high" for name, px in sorted(search["smallest"].items()))
        said.append(f"The search was set to find {least} and larger; what is smaller was found by chance only.")
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
    missing = [name for name in ("face", "plate") if name not in searched]
    never = f"{' and '.join(f'{name}s' for name in missing)}, {UNSEEN}" if missing else UNSEEN
    by_hand = any(counts["boxes"]["manual"] for counts in ledger["classes"].values())
    said.append(
        f"Not searched for: {never}. "
        + ("Regions drawn by hand are in the counts above." if by_hand else "None was covered by hand.")
    )
    if uncovering := sum(edit["what"].startswith(_UNCOVERS) for edit in edits):
        one = uncovering == 1
        said.append(
            f"{uncovering} {'edit' if one else 'edits'} by people took covers away, for the "
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
