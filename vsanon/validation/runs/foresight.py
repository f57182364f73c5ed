"""What the footage of a matrix can show at best, criterion by criterion, before anything is measured."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vsanon.encode import RawVideo, presets, require_encodable, require_encoder
from vsanon.errors import InputError, VsanonError
from vsanon.files import sha256_file
from vsanon.job.frames import luma16, raw_video
from vsanon.media import pixel_format
from vsanon.media.source import open_source
from vsanon.models import store
from vsanon.validation.conclusions.footage import clips_of, repeated
from vsanon.validation.conclusions.metric_kinds import BY_IDENTITY, IN_FULL, OF_DELIVERIES
from vsanon.validation.conclusions.planning import reach
from vsanon.validation.conclusions.sample import MIN_FORMATS, MIN_RATES
from vsanon.validation.conclusions.shares import under_conditions
from vsanon.validation.runs.appearance import looks, looks_of_all
from vsanon.validation.runs.matrix import Matrix
from vsanon.validation.runs.specs import AS_IS, REFERENCE, SourceSpec
from vsanon.validation.runs.step_heads import MODEL, points_by
from vsanon.validation.runs.step_media import scaled_size
from vsanon.validation.truth.boxes import Truth
from vsanon.validation.truth.files import kind_of, read_any
from vsanon.validation.truth.persons import persons
from vsanon.validation.truth.transforms import cut

READ_WHOLE = 3000
"""Frames up to which a source is read as a whole to plan; whether a longer one holds another is seen by the run."""
_OF_TRUTH = ("occluded", "readable")
"""Conditions that a truth tells without its picture."""


@dataclass(frozen=True, slots=True)
class Foresight:
    """What a matrix can show.

    Args:
        criteria: by id, what its footage shows at best and what would do.
        warnings: what makes a sample smaller than it looks, lets cells fail, or a verdict never pass.
        needs: models and encoders that are not on this machine.
    """

    criteria: Mapping[str, str]
    warnings: tuple[str, ...]
    needs: tuple[str, ...] = ()


def foresee(matrix: Matrix) -> Foresight:
    """What the footage of a matrix can show; truth is read, files are hashed, and a few frames are looked at."""
    truths: dict[str, Truth | None] = {}
    of_person: dict[str, dict[tuple[str, int], int]] = {}
    known: dict[str, dict[str, Any]] = {}
    warnings = []
    for name, spec in matrix.sources.items():
        try:
            known[name], truths[name] = _look(spec)
        except VsanonError as error:
            warnings.append(f"source {name}: its cells will fail: {error}")
            continue
        video = known[name].pop("video")
        fps = float(video.timeline.fps)
        warnings += _unfit(matrix, name, video)
        if spec.truth == REFERENCE:
            warnings.append(f"source {name}: its truth is what vsanon finds in it: no criterion on it can pass")
        truth = truths[name]
        if truth is None:
            continue
        if not _boxes(truth, {}):
            warnings.append(f"source {name}: its truth has no box that counts in the frames that are measured")
        of_person[name] = _persons(truth, fps)
        warnings += _broken(name, of_person[name])
    clips = clips_of(known)
    warnings += [f"{' and '.join(names)} show the same footage: it counts once" for names in repeated(clips)]
    found: dict[str, str] = {}
    for criterion in matrix.criteria:
        if criterion["metric"] not in IN_FULL and (lacking := _lacking(matrix, criterion)) is not None:
            warnings.append(f"{criterion['id']} can't pass: {lacking}")
        warnings += [f"{criterion['id']} can't pass: {words}" for words in _nowhere(matrix, criterion)]
        if criterion["metric"] not in (*BY_IDENTITY, "found_again_share"):
            continue
        name, bound = criterion["class"], "at_least" if "at_least" in criterion else "at_most"
        under = {key: v for key, v in under_conditions(criterion).items() if key in _OF_TRUTH}
        sums: dict[tuple[str, int], float] = defaultdict(float)
        for source in _asked(matrix, criterion):
            people: dict[int, int] = defaultdict(int)
            for (label, identity), boxes in _boxes(truths.get(source), under).items():
                if label == name:
                    people[of_person[source][label, identity]] += boxes
            for identity, boxes in people.items():
                weight = 1 if criterion["metric"] == "exposed_identity_share" else boxes
                sums[clips[source], identity] = max(sums[clips[source], identity], weight)
        weights = list(sums.values())
        best = reach([clip for clip, _ in sums], weights, bound, criterion[bound], matrix.confidence)
        found[criterion["id"]] = best.sentence(bound, criterion[bound], name)
        if asked := sorted(set(under_conditions(criterion)) - set(_OF_TRUTH)):
            if {"yaw", "tilt"} & set(asked) and points_by() is None:
                warnings.append(
                    f"{criterion['id']} can't pass: the model {MODEL} says how heads are turned, and is not on "
                    f"this machine: `vsanon models pull {MODEL}` brings it"
                )
            found[criterion["id"]] += f"; fewer where {', '.join(asked)} is as asked, which only the picture tells"
    return Foresight(found, tuple(warnings), _needs(matrix))


def _needs(matrix: Matrix) -> tuple[str, ...]:
    """Encoders that are missing, and models that would have to be pulled, before the first cell needs one."""
    used = {
        card.name: card
        for settings in matrix.settings.values()
        for cards in settings.search.cards().values()
        for card in cards
    }
    missing = []
    named = {spec.resolved().encoder for spec in matrix.encodes.values() if spec.preset != AS_IS}
    for encoder in sorted(named | {presets.load(name).encoder for name in matrix.deliveries if name is not None}):
        try:
            require_encoder(encoder)
        except VsanonError as error:
            missing.append(str(error))
    return tuple(missing) + tuple(
        f"the model {name} is not on this machine: it will be pulled over the network, or its cells fail; "
        "`vsanon models import FILE` brings it in without"
        for name, card in sorted(used.items())
        if store.locate(card) is None
    )


def _unfit(matrix: Matrix, source: str, video: RawVideo) -> list[str]:
    """Encodes and deliveries that can't take the frames of a source, before any work is done for them."""
    found: dict[str, str] = {}
    for name, spec in matrix.encodes.items():
        scale = spec.scale or 1
        size = video.size if scale == 1 else scaled_size(video.size, scale, pixel_format(video.pix_fmt).chroma)
        wanted = [] if spec.preset == AS_IS else [(name, spec.resolved())]
        for what, preset in [*wanted, *((d, presets.load(d)) for d in matrix.deliveries if d is not None)]:
            try:
                require_encodable(replace(video, size=size), preset)
            except VsanonError as error:
                found.setdefault(what, f"source {source}: its cells of {what} will fail: {error}")
    return list(found.values())


def _look(spec: SourceSpec) -> tuple[dict[str, Any], Truth | None]:
    """What tells a source's footage, and its truth as far as it is measured."""
    if spec.scene is not None:
        scene = spec.drawn()
        truth = scene.truth()
        if spec.frames is not None:
            truth = cut(truth, *spec.frames)
        return {"sha256": None, "scene": scene.identity, "video": scene.video}, truth
    assert spec.file is not None
    opened = open_source(spec.file)
    start, stop = spec.frames or (0, opened.clip.num_frames)
    if stop > opened.clip.num_frames:
        raise InputError(
            f"frames {start}:{stop} were asked for, and it has {opened.clip.num_frames}: mend `frames` in the "
            "matrix"
        )
    facts: dict[str, Any] = {"sha256": sha256_file(spec.file), "video": raw_video(opened)}
    shown = luma16(opened.clip)[start:stop]
    if stop - start <= READ_WHOLE:
        facts["looks"], facts["looks_at_rest"] = looks_of_all(shown)
    else:
        facts["looks"] = list(looks(shown))
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


def _persons(truth: Truth, fps: float) -> dict[tuple[str, int], int]:
    """The person of each identity, by class and id; nobody knows the cuts yet."""
    names = np.unique(truth.classes).tolist()
    return {(name, i): person for name in names for i, person in persons(truth, name, fps).items()}


def _broken(source: str, of_person: Mapping[tuple[str, int], int]) -> list[str]:
    """Identities that count as others, in words, by class."""
    found = []
    for label in sorted({name for name, _ in of_person}):
        own = {i: person for (name, i), person in of_person.items() if name == label}
        if len(set(own.values())) < len(own):
            found.append(
                f"source {source}: {len(own)} {label}s of its truth count as {len(set(own.values()))}: some go on "
                "where others ended, or lie on others"
            )
    return found


def _asked(matrix: Matrix, criterion: Mapping[str, Any]) -> list[str]:
    where = criterion.get("where", {})
    return [
        name
        for name, spec in matrix.sources.items()
        if name in where.get("source", [name])
        and all(str(spec.all_tags.get(tag)) in values for tag, values in where.get("tags", {}).items())
    ]


def _nowhere(matrix: Matrix, criterion: Mapping[str, Any]) -> list[str]:
    """Sources and tags that a criterion names and that no source is or has."""
    where = criterion.get("where", {})
    found = [f"there is no source {name}" for name in where.get("source", ()) if name not in matrix.sources]
    for tag, values in where.get("tags", {}).items():
        there = {str(spec.all_tags.get(tag)) for spec in matrix.sources.values()}
        found += [f"no source has the tag {tag} {value}" for value in values if value not in there]
    return found


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
