"""The figures of boxes under each condition, and the headline: who was never exposed."""

from collections.abc import Mapping, Sequence
from typing import Any

from vsanon.validation.conclusions.footage import absent
from vsanon.validation.conclusions.shares import Cell, Json, Method, Shares, figure, measured, shares
from vsanon.validation.metrics.conditions import CONDITIONS, of_stratum

METRICS = ("coverage_recall", "detection_recall", "exposed_identity_share")


def by_condition(cells: Sequence[Cell], classes: Sequence[str], method: Method) -> list[Json]:
    """Covered, found and exposed by class and condition, over all encodes of each setting and profile.

    Conditions that have one value alone in these cells tell nothing apart, and are left out.

    Args:
        cells: of an evidence file.
        classes: whose boxes.
        method: of the intervals.
    """
    rows = []
    for (setting, profile), own in _chosen(cells).items():
        for name in classes:
            there = _values(own, name)
            for condition, values in CONDITIONS.items():
                shown = [value for value in values if value in there[condition]]
                for value in shown if len(shown) > 1 else ():
                    under = {condition: (value,)}
                    figures = {m: figure(shares(own, name, m, under=under), method, name) for m in METRICS}
                    row = {"setting": setting, "profile": profile, "class": name}
                    rows.append({**row, "condition": condition, "value": value, **figures})
    return rows


def headline(evidence: Mapping[str, Any], classes: Sequence[str], method: Method) -> list[Json]:
    """The share of people never exposed, by class, setting and profile: in all encodes, and in the worst.

    `unmeasured` counts the encodes of clips that were asked for and that nobody knows anything of.
    """
    rows = []
    whole = _chosen([*evidence["cells"], *absent(evidence)])
    for (setting, profile), own in _chosen(evidence["cells"]).items():
        asked = {(cell["source"], cell["encode"]) for cell in whole[setting, profile]}
        there = {(cell["source"], cell["encode"]) for cell in measured(own)}
        for name in classes:
            by_encode = {}
            for encode in evidence["encodes"]:
                found = never_exposed([cell for cell in own if cell["encode"] == encode], name)
                if len(found):
                    by_encode[encode] = found
            kept = {encode: float(found.hits.sum() / len(found)) for encode, found in by_encode.items()}
            worst = min(kept, key=kept.__getitem__, default=None)
            never = never_exposed(own, name)
            rows.append(
                {
                    "setting": setting,
                    "profile": profile,
                    "class": name,
                    "unmeasured": len(asked - there),
                    "exposed": int(len(never) - never.hits.sum()),
                    "never_exposed": figure(never, method, name),
                    "worst_encode": worst,
                    "in_worst": None if worst is None else figure(by_encode[worst], method, name),
                }
            )
    return rows


def never_exposed(cells: Sequence[Cell], name: str) -> Shares:
    """Each identity of a class: 1 where none of its frames is exposed in any of these cells, else 0."""
    exposed = shares(cells, name, "exposed_identity_share")
    hits = (exposed.hits == 0).astype(float)
    return Shares(exposed.clips, exposed.ids, hits, (exposed.trials > 0).astype(float))


def _chosen(cells: Sequence[Cell]) -> dict[tuple[str, str], list[Cell]]:
    found: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        found.setdefault((cell["setting"], cell["profile"]), []).append(cell)
    return found


def _values(cells: Sequence[Cell], name: str) -> dict[str, set[str]]:
    """The values of each condition that boxes of a class are under."""
    strata = {
        row["is"]
        for cell in cells
        if cell["outcome"] == "measured" and (cell["classes"].get(name) or {}).get("exposure")
        for identity in cell["classes"][name]["exposure"]["identities"]
        for row in identity.get("strata", ())
    }
    split = [of_stratum(stratum) for stratum in sorted(strata)]
    return {condition: {known[condition] for known in split if condition in known} for condition in CONDITIONS}
