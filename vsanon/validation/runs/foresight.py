"""What the footage of a matrix can show at best, criterion by criterion, before anything is measured."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vsanon.encode import presets
from vsanon.errors import InputError, VsanonError
from vsanon.files import sha256_file
from vsanon.job.frames import luma16
from vsanon.media.source import open_source
from vsanon.models import store
from vsanon.validation.conclusions.footage import clips_of, repeated
from vsanon.validation.conclusions.planning import reach
from vsanon.validation.conclusions.sample import IN_FULL, MIN_FORMATS, MIN_RATES, OF_DELIVERIES
from vsanon.validation.conclusions.shares import BY_IDENTITY, under_conditions
from vsanon.validation.runs.looks import looks
from vsanon.validation.runs.matrix import Matrix
from vsanon.validation.runs.specs import AS_IS, REFERENCE, SourceSpec
from vsanon.validation.truth.boxes import Truth
from vsanon.validation.truth.files import kind_of, read_any
from vsanon.validation.truth.transforms import cut

_OF_TRUTH = ("occluded", "readable")
"""Conditions that a truth tells without its picture."""


@dataclass(frozen=True, slots=True)
class Foresight:
    """What a matrix can show.

    Args:
        criteria: by id, what its footage shows at best and what would do.
        warnings: what makes a sample smaller than it looks, lets cells fail, or a verdict never pass.
        needs: models that are not on this machine.
    """

    criteria: Mapping[str, str]
    warnings: tuple[str, ...]
    needs: tuple[str, ...] = ()


def foresee(matrix: Matrix) -> Foresight:
    """What the footage of a matrix can show; truth is read, files are hashed, and a few frames are looked at."""
    truths: dict[str, Truth | None] = {}
    known: dict[str, dict[str, Any]] = {}
    warnings = []
    for name, spec in matrix.sources.items():
        try:
            known[name], truths[name] = _look(spec)
        except VsanonError as error:
            warnings.append(f"source {name}: its cells will fail: {error}")
            continue
        truth = truths[name]
        if truth is not None and not _boxes(truth, {}):
            warnings.append(f"source {name}: its truth has no box that counts in the frames that are measured")
    clips = clips_of(known)
    warnings += [f"{' and '.join(names)} show the same footage: it counts once" for names in repeated(clips)]
    found: dict[str, str] = {}
    for criterion in matrix.criteria:
        if criterion["metric"] not in IN_FULL and (lacking := _lacking(matrix, criterion)) is not None:
            warnings.append(f"{criterion['id']} can't pass: {lacking}")
        if criterion["metric"] not in (*BY_IDENTITY, "found_again_share"):
            continue
        name, bound = criterion["class"], "at_least" if "at_least" in criterion else "at_most"
        under = {key: v for key, v in under_conditions(criterion).items() if key in _OF_TRUTH}
        sums: dict[tuple[str, int], float] = defaultdict(float)
        for source in _asked(matrix, criterion):
            for (label, identity), boxes in _boxes(truths.get(source), under).items():
                if label == name:
                    weight = 1 if criterion["metric"] == "exposed_identity_share" else boxes
                    sums[clips[source], identity] = max(sums[clips[source], identity], weight)
        weights = list(sums.values())
        best = reach([clip for clip, _ in sums], weights, bound, criterion[bound], matrix.confidence)
        found[criterion["id"]] = best.sentence(bound, criterion[bound], name)
        if asked := sorted(set(under_conditions(criterion)) - set(_OF_TRUTH)):
            found[criterion["id"]] += f"; fewer where {', '.join(asked)} is as asked, which only the picture tells"
    return Foresight(found, tuple(warnings), _needs(matrix))


def _needs(matrix: Matrix) -> tuple[str, ...]:
    """The models that would have to be pulled, before the first cell needs one."""
    used = {
        card.name: card
        for settings in matrix.settings.values()
        for cards in settings.search.cards().values()
        for card in cards
    }
    return tuple(
        f"the model {name} is not on this machine: it will be pulled over the network, or its cells fail; "
        "`vsanon models import FILE` brings it in without"
        for name, card in sorted(used.items())
        if store.locate(card) is None
    )


def _look(spec: SourceSpec) -> tuple[dict[str, Any], Truth | None]:
    """What tells a source's footage, and its truth as far as it is measured."""
    if spec.scene is not None:
        scene = spec.drawn()
        truth = scene.truth()
        if spec.frames is not None:
            truth = cut(truth, *spec.frames)
        return {"sha256": None, "scene": scene.identity}, truth
    assert spec.file is not None
    opened = open_source(spec.file)
    start, stop = spec.frames or (0, opened.clip.num_frames)
    if stop > opened.clip.num_frames:
        raise InputError(
            f"frames {start}:{stop} were asked for, and it has {opened.clip.num_frames}: mend `frames` in the "
            "matrix"
        )
    facts = {"sha256": sha256_file(spec.file), "looks": list(looks(luma16(opened.clip)[start:stop]))}
    if spec.truth is None or spec.truth == REFERENCE:
        return facts, None
    path = Path(spec.truth)
    size = (opened.clip.width, opened.clip.height)
    kind = str(spec.truth_kind or kind_of(path))
    return facts, cut(read_any(path, kind, spec.truth_class, size, opened.clip.num_frames), start, stop)


def _boxes(truth: Truth | None, under: Mapping[str, Sequence[str]]) -> dict[tuple[str, int], int]:
    """Counted boxes by class and identity, under those conditions alone that a truth tells."""
    found: dict[tuple[str, int], int] = defaultdict(int)
    if truth is not None:
        counts = ~np.asarray(truth.ignore)
        for name, values in under.items():
            flags = truth.occluded if name == "occluded" else truth.readable
            counts &= np.isin(np.where(flags, "yes", "no"), list(values))
        for label, identity in zip(truth.classes[counts].tolist(), truth.ids[counts].tolist(), strict=True):
            found[label, identity] += 1
    return found


def _asked(matrix: Matrix, criterion: Mapping[str, Any]) -> list[str]:
    where = criterion.get("where", {})
    return [
        name
        for name, spec in matrix.sources.items()
        if name in where.get("source", [name])
        and all(str(spec.all_tags.get(tag)) in values for tag, values in where.get("tags", {}).items())
    ]


def _lacking(matrix: Matrix, criterion: Mapping[str, Any]) -> str | None:
    """Why no footage crosses rates and formats as a conclusion needs, by the names of encodes and deliveries alone.

    Two encodes of one codec are taken for two rates: whether they are is measured.
    """
    where = criterion.get("where", {})
    by_codec: dict[str, set[str]] = defaultdict(set)
    if criterion["metric"] in OF_DELIVERIES:
        for name in matrix.deliveries:
            if name is not None and name in where.get("delivery", [name]):
                by_codec[presets.load(name).codec].add(name)
    else:
        for name, encode in matrix.encodes.items():
            if encode.preset == AS_IS or name not in where.get("encode", [name]):
                continue
            codec = presets.load(encode.preset).codec
            if codec in where.get("codec", [codec]):
                by_codec[codec].add(name)
    crossed = sum(len(names) >= MIN_RATES for names in by_codec.values())
    if crossed >= MIN_FORMATS:
        return None
    what = "deliveries" if criterion["metric"] in OF_DELIVERIES else "encodes"
    return (
        f"a conclusion needs two bit rates in each of two formats on the same clips, and its {what} give {crossed}"
    )
