"""Several runs of one test as one: more footage for the same verdict, and nobody twice.

What is pooled has to have been measured alike: by the same code, libraries and models, with the same settings,
encodes, deliveries and criteria. A source that is in several runs counts once, and its cells have to say the same.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from vsanon.errors import InputError
from vsanon.files import sha256_of
from vsanon.validation.conclusions.worst import chosen_pictures
from vsanon.validation.runs.store import canonical

Json = dict[str, Any]

_ALIKE = ("vsanon_evidence", "confidence", "criteria", "settings", "profiles")
_PROVENANCE = ("versions", "code_sha256", "models", "seeds")
_OF_ENCODE = ("preset", "codec", "encoder", "axes", "threads", "label")
_MEASURED_ON = ("sha256", "range", "scene")
_OF_MACHINE = ("key",)
"""What may differ in cells that say the same."""


def pool(evidences: Sequence[Mapping[str, Any]]) -> Json:
    """One evidence of several.

    Args:
        evidences: as `vsanon validate run` writes them, at least two.

    Raises:
        InputError: fewer are given, they were not measured alike, or a source that they share was measured
            otherwise.
    """
    if len(evidences) < 2:
        raise InputError(f"runs are pooled from two on, got {len(evidences)}")
    first = evidences[0]
    for k, other in enumerate(evidences[1:], start=2):
        if differing := _differing(first, other):
            raise InputError(
                f"run {k} was not measured as the first one was: its {', '.join(differing)} differ. Measure both "
                "with one version of vsanon and one matrix, whose sources alone differ"
            )
    sources: Json = {}
    cells: dict[str, Json] = {}
    pictures: dict[str, list[Json]] = {}
    deviations: list[str] = []
    for k, evidence in enumerate(evidences, start=1):
        names = _names(evidence["sources"], sources, k)
        for name, source in evidence["sources"].items():
            sources.setdefault(names[name], source)
        for cell in evidence["cells"]:
            moved = {**cell, "source": names[cell["source"]]}
            moved["id"] = "/".join([moved["source"], *cell["id"].split("/")[1:]])
            _add(cells, moved, k, deviations)
            if moved["id"] not in pictures:
                shown = [one for one in evidence.get("pictures", ()) if one["cell"] == cell["id"]]
                pictures[moved["id"]] = [{key: v for key, v in one.items() if key != "cell"} for one in shown]
        deviations += [words for words in evidence["deviations"] if words not in deviations]
    every = list(cells.values())
    provenance = {
        **first["provenance"],
        "matrix_sha256": sha256_of("".join(one["provenance"]["matrix_sha256"] for one in evidences).encode()),
        "pooled": [
            {"name": one["name"], "title": one["title"], "sha256": sha256_of(canonical(one).encode())}
            for one in evidences
        ],
    }
    return {
        **first,
        "name": f"{first['name'][:60]}-pooled",
        "title": f"{first['title']}: {len(evidences)} runs together",
        "provenance": provenance,
        "sources": sources,
        "cells": every,
        "pictures": chosen_pictures(every, pictures),
        "deviations": deviations,
    }


def _differing(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    found = [key for key in _ALIKE if a[key] != b[key]]
    found += [key for key in _PROVENANCE if a["provenance"].get(key) != b["provenance"].get(key)]
    for part in ("encodes", "deliveries"):
        one, other = (_facts(side[part]) for side in (a, b))
        found += [part] if one != other else []
    return found


def _facts(encodes: Mapping[str, Json]) -> Json:
    return {name: {key: entry.get(key) for key in _OF_ENCODE} for name, entry in encodes.items()}


def _names(own: Mapping[str, Json], before: Mapping[str, Json], k: int) -> dict[str, str]:
    """What each source of run `k` is called among those that are there already."""
    names: dict[str, str] = {}
    for name, source in own.items():
        same = [other for other, there in before.items() if _same(source, there)]
        free = name
        while free in before and not same:
            free = f"{free}.{k}"
        names[name] = same[0] if same else free
    return names


def _same(a: Json, b: Json) -> bool:
    if a["sha256"] is None or any(a.get(key) != b.get(key) for key in _MEASURED_ON):
        return False
    truths = [{key: source["truth"][key] for key in ("kind", "sha256", "classes")} for source in (a, b)]
    if truths[0] != truths[1]:
        raise InputError("a source is in two runs with another truth in each: its boxes can't be pooled")
    return True


def _add(cells: dict[str, Json], cell: Json, k: int, deviations: list[str]) -> None:
    """Add a cell, once; what failed in one run and not in another counts as measured, and is said."""
    there = cells.get(cell["id"])
    if there is None or (there["outcome"] != "measured" and cell["outcome"] == "measured"):
        cells[cell["id"]] = cell
    both = [one for one in (there, cell) if one is not None and one["outcome"] == "measured"]
    if len(both) == 2 and _said(both[0]) != _said(both[1]):
        raise InputError(f"{cell['id']}: run {k} measured other figures than an earlier one on the same footage")
    failed = [one for one in (there, cell) if one is not None and one["outcome"] == "failed"]
    if there is not None and failed and both:
        deviations.append(f"{cell['id']} failed in one run, and was measured in another")


def _said(cell: Json) -> str:
    return canonical({key: value for key, value in cell.items() if key not in _OF_MACHINE})
