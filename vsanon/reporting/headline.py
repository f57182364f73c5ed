"""The headline of a certificate, from its ledger: whether to rely on the file, and why not; pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from vsanon.covering.looks import AVERAGED
from vsanon.job import ledger_signature
from vsanon.job.anonymised import EXPOSES, MOVES, SEARCHED, uncovering
from vsanon.job.picture_checks import HIDDEN, IN_PLACE, IN_TIME, KEPT_OUT, SHOWN, WHOLE
from vsanon.job.region_checks import PAINTED
from vsanon.job.weaker import unmeasured, weaker

LOOKS = (PAINTED, SHOWN, HIDDEN, KEPT_OUT, WHOLE, IN_TIME, IN_PLACE)
"""The checks that look at the pictures, painted and delivered; made in every profile."""

_BY_HAND = {
    "threshold": "a least score of {:g}",
    "size": "the whole picture at {:g} px",
    "max_object_px": "nothing much higher than {:g} px",
}
"""What people may set of a search that finds less by it, in words."""


def headline(ledger: Mapping[str, Any], failed: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
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
    if exposing := len(uncovering(ledger.get("edits", ()), EXPOSES)):
        reasons.append(
            f"{exposing} {'edit' if exposing == 1 else 'edits'} by people, listed below, left a track bare: "
            "whoever that is can be known."
        )
    if moving := len(uncovering(ledger.get("edits", ()), MOVES)):
        reasons.append(
            f"{moving} {'edit' if moving == 1 else 'edits'} by people, listed below, moved a cover off what a "
            "model had found: whoever is there can be known."
        )
    if (search := search_of(ledger)) is not None and (zones := len(search["zones"])):
        reasons.append(
            f"The search left out {zones} {'zone' if zones == 1 else 'zones'} of the picture on purpose: whoever "
            "stands there may lie open."
        )
    against = unsound(ledger, failed)
    reasons += [sentence for _, sentence in against]
    if reasons:
        title = f"Not to be relied upon: {against[0][0]}" if against else "Not anonymised"
        return {"kind": "fail", "title": title, "reasons": reasons}
    doubts = _doubts(ledger)
    if doubts:
        return {"kind": "attention", "title": doubts[0][0], "reasons": [sentence for _, sentence in doubts]}
    blind, of = len(unseen(ledger)), len(ledger["checks"])
    title = f"Covered, and {of - blind} of {of} checks passed; {blind} could not see anything"
    return {"kind": "ok", "title": title if blind else f"Covered, and all {of} checks passed", "reasons": []}


def unsound(ledger: Mapping[str, Any], failed: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
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
    mark = ledger_signature.check(ledger)
    if not mark.passed:
        found.append(("its ledger was changed", f"The signature of the ledger does not hold: {mark.found}."))
    return found


def unseen(ledger: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The checks that did not fail because there was nothing to be seen, as on a flat picture."""
    return [check for check in ledger["checks"] if check["passed"] and not check.get("seen", True)]


def search_of(ledger: Mapping[str, Any]) -> dict[str, Any] | None:
    """The settings of the search, None where the ledger holds none."""
    analysis = ledger.get("analysis")
    if not isinstance(analysis, dict):
        return None
    scales = analysis.get("scales")
    smallest = {}
    for name, scale in scales.items() if isinstance(scales, dict) else ():
        least = scale.get("min_object_px") if isinstance(scale, dict) else None
        if _is_number(least):
            smallest[name] = least
    classes, zones = analysis.get("classes"), analysis.get("ignore")
    return {
        "zones": [str(zone) for zone in zones] if isinstance(zones, list) else [],
        "setting": str(analysis.get("setting")),
        "classes": [str(name) for name in classes] if isinstance(classes, list) else [],
        "smallest": smallest,
        "by_hand": [words.format(analysis[name]) for name, words in _BY_HAND.items()
                    if _is_number(analysis.get(name))],
    }  # fmt: skip


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _uncovered(ledger: Mapping[str, Any]) -> str | None:
    """What is said where a file shows more than was searched."""
    part = ledger.get("part")
    if part is None or part["delivered"] == "part" or part["stop"] - part["start"] == part["of"]:
        return None
    return (
        f"Only frames {part['start']:,} to {part['stop'] - 1:,} of {part['of']:,} were searched and covered. All "
        "others are shown as they are: whoever stands there can be known."
    )


def _doubts(ledger: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What keeps a file from being called covered, in a title and in a sentence."""
    found, search = [], search_of(ledger)
    if missing := [f"{name}s" for name in SEARCHED if search is None or name not in search["classes"]]:
        names = " and ".join(missing)
        found.append(
            (
                f"Not searched for {names}",
                f"Nobody searched this file for {names}: whatever there is of them lies open, unless a person "
                "covered it. Look at it before you rely on it.",
            )
        )
    less = [
        *unmeasured(ledger.get("analysis"), ledger["models"]),
        *weaker(ledger.get("analysis"), ledger["painting"].get("shapes"), ledger["video"]["size"]),
    ]
    if less:
        found.append(
            (
                "Searched or covered for less than was measured",
                f"As it was set: {'; '.join(less)}. The figures of vsanon are of what finds and covers more. Look "
                "at the file before you rely on it.",
            )
        )
    if not ledger["classes"] and not ledger["frames_covered_whole"]:
        found.append(
            (
                "Nothing was covered",
                "Nothing was found in this file, so its pictures were left as they were. Look at it before you "
                "rely on that.",
            )
        )
    if unchecked := ledger["pictures"]["unchecked"]:
        found.append(
            (
                "Covered, but not compared with what was analysed",
                f"{unchecked:,} of {ledger['frames']:,} frames were covered without a look whether they show the "
                "picture that the regions were found in. Look at the file before you rely on it.",
            )
        )
    return found
