"""What changed between two runs of a test: what they stand on, their cells, their figures and their verdicts.

The old run's criteria are put to the new run's evidence, so that a criterion that was loosened, filtered or
dropped can't hide that what passed no longer does.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vsanon.files import sha256_of
from vsanon.reporting.document import Json, read_evidence
from vsanon.reporting.words import short, shown
from vsanon.validation.conclusions.comparisons import as_difference, paired
from vsanon.validation.conclusions.conclude import conclude
from vsanon.validation.conclusions.metric_kinds import BY_IDENTITY
from vsanon.validation.conclusions.shares import Method, shares
from vsanon.validation.conclusions.statistics import SEED, holm
from vsanon.validation.metrics.unmeasured import NotMeasured

VERSION = 1

HIGHER_IS_WORSE = frozenset({"exposed_identity_share"})

_GROUP = ("encode", "setting", "profile", "class")
_PICTURES = ("sha256", "frames_sha256", "range", "every")
"""What says which pictures a source holds; where decoded frames are hashed, the file's own bytes say no more."""


def compare(old: bytes, new: bytes) -> Json:
    """The comparison of two evidence files, as one JSON value.

    Args:
        old, new: the bytes of evidence.json.

    Returns:
        `regressed` says whether something that passed no longer does; `lost` says what.

    Raises:
        InputError: one of them is no evidence.
    """
    a, b = read_evidence(old), read_evidence(new)
    # The new run by the old rules: see above.
    before, after, own = conclude(a), conclude({**b, "criteria": a["criteria"]}), conclude(b)
    comparable = {
        name: _comparable(a["sources"].get(name), b["sources"].get(name))
        for name in sorted({*a["sources"], *b["sources"]})
    }
    lost = list(_lost(before, after))
    return {
        "vsanon_comparison": VERSION,
        "id": sha256_of(old + new)[:16],
        "old": _side(a, old, before),
        "new": _side(b, new, own),
        "new_by_old_criteria": after["verdict"],
        "regressed": bool(lost),
        "lost": lost,
        "criteria": _criteria(before, after),
        "changes": list(_changes(a, b)),
        "sources": [{"source": name, "why_not": why} for name, why in comparable.items() if why],
        "cells": _cells(a, b),
        "figures": _figures(a, b, before, after, {name for name, why in comparable.items() if why is None}),
    }


def in_words(found: Json) -> Iterator[str]:
    """A comparison as lines of text, what was lost first."""
    old, new = found["old"], found["new"]
    yield f"verdict: {old['verdict']['outcome']} -> {new['verdict']['outcome']}"
    for one in found["lost"]:
        what = one["criterion"] or "the verdict"
        yield f"LOST  {what}{f' ({one["group"]})' if one['group'] else ''}: passed, now {one['now']}"
    for one in found["cells"]["new_failures"]:
        yield f"FAILED  {one['cell']}: {one['step']}: {one['message']}"
    for one in found["cells"]["checks_lost"]:
        yield f"FAILED  {one['cell']}: the check {one['check']!r} passed before"
    for key in ("added", "removed", "mended"):
        for name in found["cells"][key]:
            yield f"cell {key}: {name}"
    for one in found["sources"]:
        yield f"not compared: {one['source']}: {one['why_not']}"
    for change in found["changes"]:
        yield f"{change['part']} {change['what']}: {_brief(change['old'])} -> {_brief(change['new'])}"
    for row in found["figures"]:
        if row["change"] in ("better", "worse"):
            group = "/".join(row[key] for key in _GROUP)
            by = row["difference"]
            yield (
                f"{row['change']}  {row['metric']} {group}: {shown(by['estimate'], 'signed_share')} "
                f"[{shown(by['low'], 'signed_share')} to {shown(by['high'], 'signed_share')}], "
                f"{by['n_identities']} identities of {by['n_clips']} clips, p {row['p_holm']:.3g}"
            )
    same = sum(row["change"] == "no difference shown" for row in found["figures"])
    yield f"{same} of {len(found['figures'])} figures: no difference shown"


def _brief(value: Any) -> str:
    return "none" if value is None else short(json.dumps(value, ensure_ascii=False), 60)


def _side(evidence: Json, content: bytes, conclusions: Json) -> Json:
    return {
        "sha256": sha256_of(content),
        "name": evidence["name"],
        "title": evidence["title"],
        "versions": evidence["provenance"]["versions"],
        "verdict": conclusions["verdict"],
        "cells": len(evidence["cells"]),
        "failed": sum(cell["outcome"] == "failed" for cell in evidence["cells"]),
    }


def _lost(before: Json, after: Json) -> Iterator[Json]:
    """What passed and no longer does, by the old criteria: groups, criteria, the verdict."""
    now = {criterion["id"]: criterion for criterion in after["criteria"]}
    for criterion in before["criteria"]:
        found = now[criterion["id"]]
        groups = {group["name"]: group["outcome"] for group in found["groups"]}
        for group in criterion["groups"]:
            outcome = groups.get(group["name"], "not measured any more")
            if group["outcome"] == "pass" and outcome != "pass":
                yield {"criterion": criterion["id"], "group": group["name"], "now": outcome}
        if criterion["outcome"] == "pass" and found["outcome"] != "pass":
            yield {"criterion": criterion["id"], "group": None, "now": found["outcome"]}
    if before["verdict"]["outcome"] == "pass" and after["verdict"]["outcome"] != "pass":
        yield {"criterion": None, "group": None, "now": after["verdict"]["outcome"]}


def _criteria(before: Json, after: Json) -> list[Json]:
    """Each group of each old criterion, with its figure in both runs."""
    now = {criterion["id"]: criterion for criterion in after["criteria"]}
    rows = []
    for criterion in before["criteria"]:
        was = {group["name"]: group for group in criterion["groups"]}
        found = {group["name"]: group for group in now[criterion["id"]]["groups"]}
        rows += [
            {
                "criterion": criterion["id"],
                "metric": criterion["metric"],
                "class": criterion["class"],
                "bound": criterion["bound"],
                "limit": criterion["limit"],
                "group": name,
                "old": _outcome(was.get(name)),
                "new": _outcome(found.get(name)),
                "lost": _of(was.get(name)) == "pass" != _of(found.get(name)),
            }
            for name in sorted({*was, *found})
        ]
    return rows


def _of(group: Json | None) -> str | None:
    return None if group is None else str(group["outcome"])


def _outcome(group: Json | None) -> Json | None:
    return None if group is None else {"outcome": group["outcome"], "value": group["value"]}


def _changes(a: Json, b: Json) -> Iterator[Json]:
    """What differs in what the runs stand on: `what` and a path, the old and the new value, None where absent."""
    for key in ("versions", "machine", "seeds", "code_sha256"):
        yield from _differences("provenance", key, a["provenance"].get(key), b["provenance"].get(key))
    yield from _differences("models", "", _by_name(a), _by_name(b))
    for part in ("settings", "encodes", "deliveries"):
        yield from _differences(part, "", a[part], b[part])
    yield from _differences("profiles", "", a["profiles"], b["profiles"])
    yield from _differences("confidence", "", a["confidence"], b["confidence"])
    criteria = [{criterion["id"]: criterion for criterion in side["criteria"]} for side in (a, b)]
    yield from _differences("criteria", "", *criteria)
    yield from _differences("sources", "", *({k: _item(v) for k, v in side["sources"].items()} for side in (a, b)))
    yield from _differences("deviations", "", a["deviations"], b["deviations"])


def _by_name(evidence: Json) -> Json:
    return {model["name"]: model for model in evidence["provenance"]["models"]}


def _item(source: Json) -> Json:
    """What of a source says that it is another one."""
    kept = {key: source.get(key) for key in _PICTURES}
    return {
        **kept,
        "truth": {key: source["truth"][key] for key in ("kind", "sha256")},
        "failure": source["failure"],
    }


def _differences(part: str, path: str, old: Any, new: Any) -> Iterator[Json]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from _differences(part, f"{path}.{key}" if path else key, old.get(key), new.get(key))
    elif old != new:
        yield {"part": part, "what": path, "old": old, "new": new}


def _comparable(old: Json | None, new: Json | None) -> str | None:
    """Why the figures of a source can't be paired, None where they can."""
    if old is None or new is None:
        return "only in the new run" if old is None else "only in the old run"
    if old["failure"] or new["failure"]:
        return "it could not be used in one of the runs"
    hashed = old.get("frames_sha256") and new.get("frames_sha256")
    if any(old.get(key) != new.get(key) for key in (_PICTURES[1:] if hashed else _PICTURES)):
        return "its pictures are not the same in both runs"
    if old["truth"]["kind"] == "none":
        return "it has no truth"
    # A drawn scene's truth comes with its pictures, and has no file of its own.
    if any(old["truth"][key] != new["truth"][key] for key in ("kind", "sha256", "classes")):
        return "its truth is not the same in both runs"
    return None


def _cells(a: Json, b: Json) -> Json:
    was, now = ({cell["id"]: cell for cell in side["cells"]} for side in (a, b))
    both = [name for name in was if name in now]
    failed = [name for name, cell in now.items() if cell["outcome"] == "failed"]
    return {
        "added": [name for name in now if name not in was],
        "removed": [name for name in was if name not in now],
        "both": len(both),
        "new_failures": [
            {"cell": name, "known": name in was, **now[name]["failure"]}
            for name in failed
            if name not in was or was[name]["outcome"] != "failed"
        ],
        "mended": [n for n in both if was[n]["outcome"] == "failed" and now[n]["outcome"] == "measured"],
        "other_streams": [
            n for n in both if None not in (ours := (_stream(was[n]), _stream(now[n]))) and ours[0] != ours[1]
        ],
        "checks_lost": [
            {"cell": name, "check": check}
            for name in both
            for check in sorted(_passed(was[name]) & (_checks(now[name]) - _passed(now[name])))
        ],
    }


def _checks(cell: Json) -> set[str]:
    return {check["name"] for check in (cell.get("delivered") or {}).get("checks", ())}


def _passed(cell: Json) -> set[str]:
    return {check["name"] for check in (cell.get("delivered") or {}).get("checks", ()) if check["passed"]}


def _stream(cell: Json) -> Any:
    """The hash of what was searched: where it differs, the encoder made another stream."""
    return (cell["stream"] or {}).get("sha256") if cell["outcome"] != "failed" else None


def _figures(a: Json, b: Json, before: Json, after: Json, comparable: set[str]) -> list[Json]:
    """Of each pooled group and metric, both figures and their paired difference, new less old; Holm over all.

    What is compared is measured before the delivery encode, so that one delivery stands for all.
    """
    was, now = ({_group(row): row for row in reversed(side["pooled"])} for side in (before, after))
    cells = [{cell["id"]: cell for cell in side["cells"]} for side in (a, b)]
    method = Method(a["confidence"], a["provenance"]["seeds"].get("bootstrap", SEED))
    rows: list[Json] = []
    for group in sorted(was.keys() & now.keys()):
        both = _in_both(was[group]["cells"], now[group]["cells"], cells, comparable)
        for metric in BY_IDENTITY:
            old, new = (shares([side[name] for name in both], group[-1], metric) for side in cells)
            drawn = paired(new, old, method)
            rows.append(
                {
                    **dict(zip(_GROUP, group, strict=True)),
                    "metric": metric,
                    "old": was[group][metric],
                    "new": now[group][metric],
                    "difference": as_difference(drawn, float(old.trials.sum())),
                    "cells": len(both),
                    "n_changed": 0 if isinstance(drawn, NotMeasured) else drawn.n_changed,
                    "p_value": None if isinstance(drawn, NotMeasured) else drawn.p_value,
                }
            )
    adjusted = iter(holm([row["p_value"] for row in rows if row["p_value"] is not None]))
    for row in rows:
        row["p_holm"] = None if row["p_value"] is None else next(adjusted)
        row["change"] = _word(row, 1 - method.confidence)
    return rows


def _in_both(
    old: Sequence[str], new: Sequence[str], cells: Sequence[Mapping[str, Json]], comparable: set[str]
) -> list[str]:
    """The cells of a group that were measured in both runs, on the same pictures with the same truth."""
    shared = [name for name in old if name in new and cells[0][name]["source"] in comparable]
    return [name for name in shared if all(side[name]["outcome"] == "measured" for side in cells)]


def _group(row: Json) -> tuple[Any, ...]:
    return tuple(row[key] for key in _GROUP)


def _word(row: Json, level: float) -> str:
    """better, worse, or no difference shown, by the adjusted p value."""
    if row["p_holm"] is None:
        return "not measured"
    if row["p_holm"] >= level or not row["difference"]["estimate"]:
        return "no difference shown"
    worse = (row["difference"]["estimate"] > 0) == (row["metric"] in HIGHER_IS_WORSE)
    return "worse" if worse else "better"
