"""Evidence of the shipped matrices as a system would give it that finds and covers what is said, and no more."""

from collections import defaultdict
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from tests.support import evidence_samples
from vsanon.encode import presets
from vsanon.validation.runs.matrix import Matrix
from vsanon.validation.runs.specs import AS_IS, SourceSpec
from vsanon.validation.truth.scenes import Scene

Json = dict[str, Any]


@cache
def boxes(scene: Scene) -> dict[str, list[int]]:
    """How many counted boxes each identity has, by class."""
    # Small pictures are drawn sooner, and show the same.
    truth, found = replace(scene, size=(640, 360)).truth(), defaultdict(list)
    for name in ("face", "plate"):
        own = truth.ids[~truth.ignore & (truth.classes == name)]
        found[name] = np.unique(own, return_counts=True)[1].tolist()
    return found


def measured(matrix: Matrix, missed: float, found: float = 1.0) -> Json:
    """The evidence of a system that bares this share of each identity's frames, and finds this share by itself."""
    evidence = evidence_samples.evidence(matrix.name, {}, ())
    evidence["criteria"] = [{"per": "encode", **criterion} for criterion in matrix.criteria]
    evidence["sources"] = {name: evidence_samples.source_entry(name, 1, 25) for name in matrix.sources}
    for name, spec in matrix.sources.items():
        people = {label: {"identities": len(counts)} for label, counts in boxes(spec.drawn()).items()}
        evidence["sources"][name]["truth"]["classes"] = people
    evidence["settings"] = {
        name: {**evidence["settings"]["balanced"], "classes": list(used.search.classes)}
        for name, used in matrix.settings.items()
    }
    evidence["encodes"] = {
        name: {**evidence_samples.encode_entry(AS_IS), "axes": spec.axes}
        if spec.preset == AS_IS
        else {"preset": spec.preset, "codec": spec.resolved().codec, "axes": spec.axes, "label": name}
        for name, spec in matrix.encodes.items()
    }
    evidence["deliveries"] = {name: {"codec": presets.load(name).codec} for name in matrix.deliveries if name}
    rates = {name: 100_000 * 2**k for k, name in enumerate((*matrix.encodes, *evidence["deliveries"]))}
    for one in matrix.cells():
        cell = evidence_samples.cell(one.source, 0, "h264_crf_23", [], 25, True)
        cell |= {key: getattr(one, key) for key in ("id", "source", "encode", "setting", "profile", "delivery")}
        codec = evidence["encodes"][one.encode]["codec"]
        cell["stream"] = {**evidence_samples.stream(rates[one.encode], 25), "codec": codec}
        spec = matrix.sources[one.source]
        for name in matrix.settings[one.setting].search.classes:
            cell["classes"][name] = of_class(spec, name, missed, found)
        if one.delivery is not None:
            again = dict.fromkeys(cell["classes"], 0.0)
            for name, figures in cell["classes"].items():
                bare = sum(i["exposed_frames"] for i in figures["exposure"]["identities"])
                again[name] = round(found * bare)
            cell["delivered"] = {
                "stream": {
                    **evidence_samples.stream(rates[one.delivery], 25),
                    "codec": evidence["deliveries"][one.delivery]["codec"],
                },
                "residual": {name: {"found": n, "shown_frames": 25} for name, n in again.items()},
                "checks": [{"name": "frames", "passed": True, "expected": "25", "found": "25"}],
            }
        evidence["cells"].append(cell)
    return evidence


def of_class(spec: SourceSpec, name: str, missed: float, found: float) -> Json:
    identities = []
    for i, frames in enumerate(boxes(spec.drawn())[name]):
        one = evidence_samples.identity(i, round(missed * frames), frames, True)
        one["found_frames"] = one["sides"][0]["found"] = round(found * frames)
        identities.append(one)
    count = sum(one["frames"] for one in identities)
    bare = sum(one["exposed_frames"] for one in identities)
    area = evidence_samples.AREA_PX
    exposure = {
        "tau": 0.9, "boxes": count, "covered_boxes": count - bare, "truth_px": area * count,
        "covered_px": area * (count - bare), "identities": identities,
    }  # fmt: skip
    return {
        **dict.fromkeys(evidence_samples.PARTS),
        "tracked": evidence_samples.tracked(count, 25),
        "exposure": exposure,
    }
