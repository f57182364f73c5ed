"""Which entries of evidence and conclusions stand together in a table or a figure of the report."""

from collections.abc import Iterable
from typing import Any

from vsanon.reporting.literature import LITERATURE
from vsanon.reporting.names import cell_names, encode_names, formats, group_names, terms

Json = dict[str, Any]

DRAWN = 5
"""How many curves a chart draws; more can't be told apart."""

NAMED = 6
"""How many encodes a sentence names; of more it says how many there are."""

TIMELINES = 8
"""How many exposure timelines are drawn; the rest is in the tables and in report.json."""


def views(evidence: Json, conclusions: Json) -> Json:
    """What stands together on a page, as places in `evidence` and `conclusions`."""
    place = {cell["id"]: k for k, cell in enumerate(evidence["cells"])}
    timelines = _timelines(evidence)
    return {
        "counts": {
            **{key: len(evidence[key]) for key in ("sources", "encodes", "settings", "profiles", "deliveries")},
            "timelines": len(timelines["drawn"]),
        },
        "failed_cells": [k for k, cell in enumerate(evidence["cells"]) if cell["outcome"] == "failed"],
        "failed_sources": sorted(name for name, source in evidence["sources"].items() if source["failure"]),
        "delivered_cells": [k for k, cell in enumerate(evidence["cells"]) if cell.get("delivered")],
        "names": {"encodes": encode_names(evidence["encodes"]), "cells": cell_names(evidence)},
        "formats": formats(evidence["encodes"]),
        "terms": terms(evidence["encodes"]),
        "first": _first(evidence, conclusions),
        "pictures": _pictures(evidence),
        "delivered_scores": _score_names(cell["delivered"] for cell in evidence["cells"] if cell.get("delivered")),
        "heat_maps": _heat_maps(evidence, conclusions),
        "charts": _charts(conclusions),
        "sweeps": _sweeps(evidence, conclusions),
        "timelines": timelines,
        "criteria": [_criterion_view(criterion, evidence, place) for criterion in conclusions["criteria"]],
        "pooled": [_signatures(row["cells"], evidence, place) for row in conclusions["pooled"]],
        "signatures": sorted({cell["signature"] for cell in evidence["cells"]}),
        "tau": _taus(evidence),
        "score_names": _score_names(evidence["cells"]),
    }


def _score_names(measured: Iterable[Json]) -> list[str]:
    """The scores that some picture has, those alone that were asked for."""
    return sorted(
        {
            name
            for one in measured
            if one.get("picture")
            for name, score in one["picture"]["scores"].items()
            if score.get("not_measured") != "it was not asked for"
        }
    )


def _first(evidence: Json, conclusions: Json) -> Json:
    """The one group that says most about the verdict: of the failing, else of the open ones, the worst."""
    found: list[tuple[bool, float, int, int]] = []
    for k, criterion in enumerate(conclusions["criteria"]):
        for j, group in enumerate(criterion["groups"]):
            if group["outcome"] == "pass":
                continue
            value = group["value"]
            lacks = 0.0
            if "estimate" in value:
                lacks = value["estimate"] - criterion["limit"]
                lacks = -lacks if criterion["bound"] == "at_least" else lacks
            found.append((group["outcome"] != "fail", -lacks, k, j))
    footage = sorted({source["kind"] for source in evidence["sources"].values()})
    if not found:
        return {"criterion": None, "group": None, "footage": footage, "beyond": False}
    _, lacks, place, worst = min(found)
    return {"criterion": place, "group": worst, "footage": footage, "beyond": lacks < 0}


def _pictures(evidence: Json) -> Json:
    """Places of pictures by their kind, the worst ones with everybody once before anybody twice."""
    pictures = evidence.get("pictures", ())
    source = {cell["id"]: cell["source"] for cell in evidence["cells"]}
    found: dict[str, list[int]] = {"worst": [], "strip": [], "encode": []}
    for k, one in enumerate(pictures):
        found[one["kind"]].append(k)

    def whom(k: int) -> tuple[str, str, int]:
        one = pictures[k]
        return source.get(one["cell"], ""), one["class"], one["identity"]

    # Everybody once before anybody twice: the same moment in four encodes looks the same.
    first = {whom(k): k for k in reversed(found["worst"])}
    found["worst"].sort(key=lambda k: first[whom(k)] != k)
    return found


def searched(evidence: Json) -> list[str]:
    """The classes that some setting searches for."""
    return sorted({name for setting in evidence["settings"].values() for name in setting.get("classes", ())})


def _criterion_view(criterion: Json, evidence: Json, place: dict[str, int]) -> Json:
    asked: Json = next((c for c in evidence["criteria"] if c["id"] == criterion["id"]), {})
    names = group_names(criterion, asked.get("per"), evidence)
    return {
        "id": criterion["id"],
        "per": asked.get("per"),
        "names": names,
        "where": asked.get("where") or {},
        "at_least_frames": asked.get("at_least_frames"),
        "why": next((why for group in criterion["groups"] for why in group["why"]), None),
        "outcomes": _outcomes(criterion, names) if asked.get("per") == "encode" else [],
        "signatures": [_signatures(group["cells"], evidence, place) for group in criterion["groups"]],
    }


def _outcomes(criterion: Json, names: list[str]) -> list[Json]:
    """Which encodes fail, stay open and pass, by name where they are few."""
    found = []
    for outcome in ("fail", "not shown", "pass"):
        own = [name for name, group in zip(names, criterion["groups"], strict=True) if group["outcome"] == outcome]
        if own:
            few = own if len(own) <= NAMED else []
            found.append({"outcome": outcome, "names": few, "count": len(own), "of": len(names)})
    return found


def _signatures(cells: list[str], evidence: Json, place: dict[str, int]) -> list[str]:
    return sorted({evidence["cells"][place[cell]]["signature"] for cell in cells if cell in place})


def _taus(evidence: Json) -> dict[str, list[float]]:
    """The share of a box that has to be covered, by class."""
    found: dict[str, set[float]] = {}
    for cell in evidence["cells"]:
        for name, entry in (cell.get("classes") or {}).items():
            if entry.get("exposure"):
                found.setdefault(name, set()).add(entry["exposure"]["tau"])
    return {name: sorted(taus) for name, taus in sorted(found.items())}


def _encode_order(evidence: Json) -> list[str]:
    """As it came, then by codec, from the best quality to the worst."""

    def key(name: str) -> tuple[Any, ...]:
        encode = evidence["encodes"][name]
        axes = encode.get("axes") or {}
        crf, rate = axes.get("crf"), axes.get("bit_rate")
        return (
            encode["preset"] is not None,
            encode["codec"] or "",
            crf is None,
            crf or 0,
            -(rate or 0),
            str(encode["label"]),
            name,
        )

    return sorted(evidence["encodes"], key=key)


def _heat_maps(evidence: Json, conclusions: Json) -> list[Json]:
    """For each class, setting and profile: encodes downwards, sources across, and which cell stands there.

    A delivery encode comes after what is measured here, so the first cell stands for all deliveries.
    """
    cells: dict[tuple[str, str], dict[tuple[str, str], int]] = {}
    for k, cell in enumerate(evidence["cells"]):
        cells.setdefault((cell["setting"], cell["profile"]), {}).setdefault((cell["encode"], cell["source"]), k)
    encodes = _encode_order(evidence)
    maps = []
    for (setting, profile), places in sorted(cells.items()):
        for name in sorted(evidence["settings"][setting].get("classes", ())):
            sources = _showing(places, name, evidence, conclusions)
            rows: list[Json] = [
                {
                    "encode": encode,
                    "cells": [
                        _heat(places.get((encode, source)), name, evidence, conclusions) for source in sources
                    ],
                }
                for encode in encodes
                if any((encode, source) in places for source in sources)
            ]
            maps.append(
                {
                    "class": name,
                    "setting": setting,
                    "profile": profile,
                    "metric": "coverage_recall",
                    "limit": _limit(conclusions, name),
                    "sources": sources,
                    "rows": rows,
                    "bands": sorted({entry["band"] for row in rows for entry in row["cells"]} - {"absent"}),
                }
            )
    return maps


def _showing(places: dict[tuple[str, str], int], name: str, evidence: Json, conclusions: Json) -> list[str]:
    """The sources with something to say of a class; all of them where none has."""
    bands: dict[str, set[str]] = {source: set() for source in sorted(evidence["sources"])}
    for (_, source), k in places.items():
        bands[source].add(_heat(k, name, evidence, conclusions)["band"])
    return [source for source, found in bands.items() if found - {"none"}] or list(bands)


def _heat(k: int | None, name: str, evidence: Json, conclusions: Json) -> Json:
    """A cell of the map and its band: reaches, unclear, below, measured (no limit), none, failed, absent."""
    if k is None:
        return {"cell": None, "id": None, "band": "absent"}
    cell = evidence["cells"][k]
    figure = conclusions["cells"].get(cell["id"], {}).get(name, {}).get("coverage_recall")
    limit = _limit(conclusions, name)
    if cell["outcome"] != "measured":
        band = "failed" if cell["outcome"] == "failed" else "waiting"
    elif not figure or "not_measured" in figure:
        band = "none"
    elif limit is None:
        band = "measured"
    elif figure["estimate"] >= limit:
        band = "reaches"
    else:
        band = "below" if figure["high"] < limit else "unclear"
    return {"cell": k, "id": cell["id"], "band": band}


def _limit(conclusions: Json, name: str) -> float | None:
    """The highest limit that a criterion sets to the coverage of a class."""
    limits = [
        float(criterion["limit"])
        for criterion in conclusions["criteria"]
        if criterion["metric"] == "coverage_recall" and criterion["class"] == name
    ]
    return max(limits, default=None)


def _charts(conclusions: Json) -> list[Json]:
    """Curves that share axes stand in one chart, with the literature of these axes."""
    groups: dict[tuple[str, str, str, str], list[int]] = {}
    for k, curve in enumerate(conclusions["curves"]):
        groups.setdefault((curve["class"], curve["setting"], curve["y"], curve["x"]), []).append(k)
    return [
        {
            "class": name,
            "setting": setting,
            "y": y,
            "x": x,
            "curves": curves,
            "drawn": _drawn(curves, conclusions),
            "limit": _limit(conclusions, name) if y == "coverage_recall" else None,
            "literature": [k for k, entry in enumerate(LITERATURE) if entry["x"] == x],
        }
        for (name, setting, y, x), curves in groups.items()
    ]


def _sweeps(evidence: Json, conclusions: Json) -> list[Json]:
    """For each class and setting, places in `sweeps` from the best encode to the worst; of many, some are drawn."""
    order = {name: k for k, name in enumerate(_encode_order(evidence))}
    groups: dict[tuple[str, str], list[int]] = {}
    for k, row in enumerate(conclusions["sweeps"]):
        if row["points"]:
            groups.setdefault((row["class"], row["setting"]), []).append(k)
    found = []
    for (name, setting), places in groups.items():
        places.sort(key=lambda k: order[conclusions["sweeps"][k]["encode"]])
        n = len(places)
        drawn = places if n <= DRAWN else [places[k * (n - 1) // (DRAWN - 1)] for k in range(DRAWN)]
        found.append({"class": name, "setting": setting, "rows": places, "drawn": drawn})
    return found


def _drawn(curves: list[int], conclusions: Json) -> list[int]:
    """Which curves of a chart are drawn: of many, those of two points and more, the lowest and the highest one."""
    means: dict[int, float] = {}
    points: dict[int, int] = {}
    for k in curves:
        found = [p["y"]["estimate"] for p in conclusions["curves"][k]["points"] if "not_measured" not in p["y"]]
        if found:
            means[k], points[k] = sum(found) / len(found), len(found)
    candidates = list(means)
    if len(candidates) > DRAWN:
        candidates = [k for k in candidates if points[k] > 1] or candidates
    if len(candidates) > DRAWN:
        by_mean = sorted(candidates, key=lambda k: (means[k], k))
        candidates = sorted([*by_mean[: DRAWN - 1], by_mean[-1]])
    return candidates


def _timelines(evidence: Json) -> Json:
    """The cells with most exposure, by class; and how many more there are, with and without any."""
    seen: set[tuple[str, ...]] = set()
    found: list[tuple[float, int, str]] = []
    without = 0
    for k, cell in enumerate(evidence["cells"]):
        before_delivery = (cell["source"], cell["encode"], cell["setting"], cell["profile"])
        if cell["outcome"] != "measured" or before_delivery in seen:
            continue
        seen.add(before_delivery)
        for name, entry in sorted(cell["classes"].items()):
            exposure = entry.get("exposure")
            if not exposure:
                continue
            if any(identity["exposed_frames"] for identity in exposure["identities"]):
                total = sum(float(identity["exposed_px_frames"]) for identity in exposure["identities"])
                found.append((total, k, name))
            else:
                without += 1
    found.sort(key=lambda entry: (-entry[0], entry[1], entry[2]))
    return {
        "drawn": [{"cell": k, "class": name} for _, k, name in found[:TIMELINES]],
        "with_exposure": len(found),
        "without_exposure": without,
    }
