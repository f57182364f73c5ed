"""One cell, from its source to its figures; whatever fails is its record, and stops no other."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import vsanon
from vsanon.errors import InputError
from vsanon.job.settings import Settings
from vsanon.validation.runs import (
    step_cover,
    step_delivery,
    step_fidelity,
    step_media,
    step_pictures,
    step_search,
    step_seen,
)
from vsanon.validation.runs.keys import code_sha256, key_of
from vsanon.validation.runs.known import known_of, nothing_stated
from vsanon.validation.runs.matrix import Matrix
from vsanon.validation.runs.specs import AS_IS, Cell, SourceSpec
from vsanon.validation.runs.store import NotMadeError, Step, Store
from vsanon.validation.runs.true_boxes import TrueBoxes

_FOLDERS = re.compile(r"(?<![\w.])/(?:[^/\s'\":,]+/)+")


@dataclass(frozen=True, slots=True)
class Record:
    """What became of a cell.

    Args:
        cell: its part of the evidence.
        source: what was learnt of its source, for the evidence; None where that could not be read.
        failed: it could not be measured.
    """

    cell: dict[str, Any]
    source: dict[str, Any] | None
    failed: bool


def measure_cell(matrix: Matrix, cell: Cell, store: Store) -> Record:
    """Measure one cell, through the store.

    Args:
        matrix: the matrix that it is of.
        cell: one of its cells.
        store: where steps are found, or made.

    Returns:
        Its figures, or the reason why there are none.

    Raises:
        NotMadeError: the store is only read, and a step is missing.
    """
    at = _Progress()
    try:
        return _measured(matrix, cell, store, at)
    except NotMadeError:
        raise
    except Exception as error:  # noqa: BLE001  a cell's failure is its result, whatever it is, and is never dropped
        return failure(matrix, cell, at.step, type(error).__name__, str(error), at.source)


def failure(
    matrix: Matrix, cell: Cell, step: str, kind: str, message: str, source: dict[str, Any] | None = None
) -> Record:
    """The record of a cell that failed.

    Args:
        matrix, cell: what failed.
        step: where.
        kind: of the error.
        message: its words; folders of this machine are taken out.
        source: what was learnt of the source before.
    """
    words = _FOLDERS.sub("", message)
    file = matrix.sources[cell.source].file
    if file is not None and not matrix.names:
        words = words.replace(file.name, cell.source)
    why = {"step": step, "kind": kind, "message": words}
    return Record(
        {**_nothing(cell, f"the cell failed: {words}"), "outcome": "failed", "failure": why}, source, True
    )


def not_run(cell: Cell) -> Record:
    """The record of a cell that nobody has worked on yet."""
    nothing = _nothing(cell, "nobody has worked on this cell yet")
    return Record({**nothing, "outcome": "not run", "failure": None}, None, False)


def _nothing(cell: Cell, reason: str) -> dict[str, Any]:
    """A cell without figures."""
    none = {"not_measured": reason}
    empty = dict.fromkeys(("key", "frames", "size", "fps", "stream", "picture", "delivered"))
    return {**_names(cell), **empty, "signature": "", "over_blur": none, "mask_flicker": none, "classes": {}}


def media_keys(matrix: Matrix, cell: Cell, store: Store) -> dict[str, str]:
    """The keys of the media that a cell that was measured has used, by what shares them."""
    quiet = Store(store.root, read_only=True)
    spec, encode = matrix.sources[cell.source], matrix.encodes[cell.encode]
    keys: dict[str, str] = {}
    try:
        if spec.scene is not None:
            keys["scene"] = step_media.scene_key(spec.drawn())
        read = step_media.read_source(quiet, spec)
        master = step_media.master(quiet, read, encode)
        keys["master"] = master.key
        done = step_media.encoded(quiet, read, master, encode)
        keys["encoded"] = done.key
        settings = matrix.settings[cell.setting]
        found = step_search.search(quiet, done, settings)
        keys["search"] = found.key
        settings = replace(settings, profile=cell.profile)
        keys["anonymised"] = step_delivery.anonymised_key(found, settings)
        if cell.delivery is not None:
            known = known_of(quiet, spec, read)[0].moved(read, master, encode)
            given = settings, cell.delivery, known, matrix.picture
            keys["delivered"] = step_delivery.delivered_key(keys["anonymised"], *given)
    except (NotMadeError, InputError):
        return keys  # it did not come further
    return keys


def shares(matrix: Matrix, name: str, cell: Cell, other: Cell) -> bool:
    """Whether two cells use the same medium, by its name of `media_keys`."""
    parts = {"encoded": ("source", "encode"), "search": ("source", "encode", "setting")}
    parts["anonymised"] = (*parts["search"], "profile")
    parts["delivered"] = (*parts["anonymised"], "delivery")
    same = all(getattr(cell, part) == getattr(other, part) for part in parts.get(name, ("source",)))
    if name != "master":
        return same
    own, its = matrix.encodes[cell.encode], matrix.encodes[other.encode]
    return same and (own.scale, own.fps) == (its.scale, its.fps)


@dataclass(slots=True)
class _Progress:
    """How far a cell came."""

    step: str = "read"
    source: dict[str, Any] | None = None


def _measured(matrix: Matrix, cell: Cell, store: Store, at: _Progress) -> Record:
    spec, encode = matrix.sources[cell.source], matrix.encodes[cell.encode]
    settings = replace(matrix.settings[cell.setting], profile=cell.profile)
    read = step_media.read_source(store, spec)
    at.step = "truth"
    at.source = _source(matrix, spec, read)
    known, at.source["truth"] = known_of(store, spec, read)
    at.step = "master"
    master = step_media.master(store, read, encode)
    at.source["looks"], at.source["looks_at_rest"] = master.result["looks"], master.result["looks_at_rest"]
    here = known.moved(read, master, encode)
    looked = step_seen.seen(store, master, here)
    at.step = "encode"
    done = step_media.encoded(store, read, master, encode)
    quality = None
    if matrix.picture is not None and encode.preset != AS_IS:
        at.step = "picture"
        quality = step_media.picture_quality(store, master, done, matrix.picture)
    at.step = "search"
    boxes = TrueBoxes(here, settings.search.classes)
    found = step_search.search(store, done, settings, boxes)
    if encode.preset != AS_IS:
        at.step = "encode"
        step_fidelity.require_same(store, master, looked, found, quality)
    at.step = "cover"
    covered = step_cover.cover(store, found, here, settings, looked)
    regions = step_cover.regions(store, master, done, boxes, lambda: step_seen.boxes_of(looked, master, here))
    shown = []
    if matrix.pictures:
        at.step = "pictures"
        shown = step_pictures.pictures(store, master, done, found, here, covered)
    delivered = None
    if cell.delivery is not None:
        at.step = "deliver"
        delivered = step_delivery.deliver(store, done, found, settings, cell.delivery, here, matrix.picture)
    at.source["truth"]["warnings"] = [
        f"{name}: {words}"
        for name, figures in covered["classes"].items()
        for words in (figures.get("alignment"), _broken(figures))
        if words
    ]
    classes = {
        name: {key: value for key, value in figures.items() if key != "alignment"} | {"regions": regions[name]}
        for name, figures in covered["classes"].items()
    }
    figures = {
        "key": key_of("cell", read=read.key, search=found.key, truth=known.key, cell=cell.id),
        "signature": signature(settings, cell.setting),
        "frames": found.result["frames"],
        "size": found.result["size"],
        "fps": found.result["fps"],
        "stream": step_media.with_b_frames(done.result["stream"], found.result["b_frame_share"]),
        "picture": quality,
        "over_blur": covered["over_blur"],
        "mask_flicker": covered["mask_flicker"],
        "classes": classes,
        "delivered": delivered,
        "command": done.result.get("command"),
        "pictures": shown,
    }
    return Record({**_names(cell), "outcome": "measured", "failure": None, **figures}, at.source, False)


def signature(settings: Settings, name: str) -> str:
    """What a figure depends on, short and stable: models by hash, setting, profile, version and code."""
    models = [f"{label}:{c.name}@{c.sha256[:4]}" for label, used in settings.search.cards().items() for c in used]
    return f"{' '.join(models)} {name} {settings.profile} v{vsanon.__version__}/{code_sha256()[:6]}"


def _broken(figures: Mapping[str, Any]) -> str | None:
    """What is said of a truth that has one person under several identities."""
    identities = (figures["exposure"] or {"identities": ()})["identities"]
    count = len({one["person"] for one in identities})
    if count == len(identities):
        return None
    return f"its {len(identities)} identities count as {count}: some go on where others ended, or lie on others"


def _source(matrix: Matrix, spec: SourceSpec, read: Step) -> dict[str, Any]:
    name = spec.file.name if spec.file is not None and matrix.names else None
    return {
        "kind": "file" if spec.scene is None else "scene",
        "file_name": name,
        "sha256": read.result["sha256"],
        "looks": [],
        "looks_at_rest": [],
        "scene": None if spec.scene is None else spec.drawn().identity,
        "bytes": read.result["bytes"],
        "condition": read.result["condition"],
        "range": read.result["range"],
        "tags": spec.all_tags,
        "truth": nothing_stated(),
        "failure": None,
    }


def _names(cell: Cell) -> dict[str, Any]:
    parts: Mapping[str, Any] = {
        "source": cell.source,
        "encode": cell.encode,
        "setting": cell.setting,
        "profile": cell.profile,
        "delivery": cell.delivery,
    }
    return {"id": cell.id, **parts}
