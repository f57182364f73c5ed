"""How the figures of one test went over any number of releases: the verdicts, and coverage by class and encode.

Each run is judged by its own criteria and by those of the last one, so that a criterion that was loosened on the
way is no progress.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from vsanon.files import sha256_of
from vsanon.reporting.document import Json, read_evidence
from vsanon.reporting.names import encode_names
from vsanon.reporting.words import share_kind, shown
from vsanon.validation.conclusions.conclude import conclude

VERSION = 1
METRICS = ("coverage_recall", "exposed_identity_share", "detection_recall")
_GROUP = ("encode", "setting", "profile", "class")


def trend(contents: Sequence[bytes]) -> Json:
    """The figures of evidence files from the oldest to the newest, as one JSON value.

    Args:
        contents: the bytes of each evidence.json, at least two.

    Returns:
        `runs`: what each is; `figures`: by class, encode, setting, profile and metric the value of each run, None
        where it has none; `other_footage`: sources that are not the same in all runs, whose figures don't compare;
        `other_tests`: settings and encodes that are not the same under one name.

    Raises:
        InputError: one of them is no evidence.
        ValueError: fewer than two are given.
    """
    if len(contents) < 2:
        raise ValueError(f"a trend takes two runs at least, got {len(contents)}")
    evidences = [read_evidence(content) for content in contents]
    concluded = [conclude(evidence) for evidence in evidences]
    last = evidences[-1]["criteria"]
    by_last = [
        found if evidence["criteria"] == last else conclude({**evidence, "criteria": last})
        for evidence, found in zip(evidences, concluded, strict=True)
    ]
    names: dict[str, str] = {}
    rows: dict[tuple[str, ...], dict[str, list[Any]]] = {}
    for k, (evidence, found) in enumerate(zip(evidences, concluded, strict=True)):
        names |= encode_names(evidence["encodes"])
        for row in found["pooled"]:
            key = tuple(str(row[part]) for part in _GROUP)
            figures = rows.setdefault(key, {metric: [None] * len(evidences) for metric in METRICS})
            for metric in METRICS:
                figures[metric][k] = row[metric]
    return {
        "vsanon_trend": VERSION,
        "id": sha256_of(b"".join(contents))[:16],
        "title": evidences[-1]["title"],
        "runs": [_run(*each) for each in zip(contents, evidences, concluded, by_last, strict=True)],
        "names": names,
        "other_footage": _other_footage(evidences),
        "other_tests": _other_tests(evidences),
        "figures": [
            {**dict(zip(_GROUP, key, strict=True)), "metric": metric, "values": values}
            for key, figures in rows.items()
            for metric, values in figures.items()
        ],
    }


def in_words(found: Json) -> Iterator[str]:
    """A trend as lines of text."""
    for k, run in enumerate(found["runs"], start=1):
        by = "" if run["same_criteria"] else f" ({run['by_last']['outcome']} by the criteria of the last run)"
        outcome = f"{run['verdict']['outcome']}{by}"
        yield f"{k}: vsanon {run['vsanon']}, code {run['code'][:7]}, {run['title']}: {outcome}"
    for name in found["other_footage"]:
        yield f"not comparable: the source {name} is not the same in all runs"
    for name in found["other_tests"]:
        yield f"not comparable: the {name} is not the same in all runs"
    for row in found["figures"]:
        values = " -> ".join(_value(value) for value in row["values"])
        group = ", ".join((found["names"].get(row["encode"], row["encode"]), row["setting"], row["profile"]))
        yield f"{row['metric']} of {row['class']}, {group}: {values}"


def _run(content: bytes, evidence: Json, found: Json, by_last: Json) -> Json:
    provenance = evidence["provenance"]
    return {
        "sha256": sha256_of(content),
        "title": evidence["title"],
        "vsanon": provenance["versions"]["vsanon"],
        "code": provenance["code_sha256"],
        "verdict": found["verdict"],
        "by_last": by_last["verdict"],
        "same_criteria": found is by_last,
        "criteria": {criterion["id"]: criterion["outcome"] for criterion in found["criteria"]},
        "cells": len(evidence["cells"]),
        "failed": found["sample"]["failed"],
    }


def _other_footage(evidences: Sequence[Json]) -> list[str]:
    names = sorted({name for evidence in evidences for name in evidence["sources"]})

    def shows(evidence: Json, name: str) -> Any:
        source = evidence["sources"].get(name) or {}
        return source.get("sha256"), source.get("range"), (source.get("truth") or {}).get("sha256")

    return [name for name in names if len({repr(shows(evidence, name)) for evidence in evidences}) > 1]


def _other_tests(evidences: Sequence[Json]) -> list[str]:
    """Settings and encodes that several runs have under one name, and not all alike; models may be other ones."""
    found = []
    for part, keys in (("settings", None), ("encodes", ("preset", "codec", "encoder", "axes"))):
        for name in sorted({name for evidence in evidences for name in evidence[part]}):
            own = [evidence[part][name] for evidence in evidences if name in evidence[part]]
            said = {repr(sorted((k, v) for k, v in one.items() if keys is None or k in keys)) for one in own}
            found += [f"{part[:-1]} {name}"] if len(said) > 1 else []
    return found


def _value(value: Json | None) -> str:
    if value is None or "not_measured" in value:
        return "–"
    kind = share_kind(value.get("n_identities"))
    ends = f"{shown(value['low'], f'{kind}_from')} to {shown(value['high'], f'{kind}_to')}"
    return f"{shown(value['estimate'], kind)} [{ends}]"
