"""One cell, from its source to its figures; whatever fails is its record, and stops no other."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

import vsanon
from vsanon.detections import Origin
from vsanon.detectors.search import Search
from vsanon.errors import InputError
from vsanon.files import sha256_file
from vsanon.job.settings import Settings
from vsanon.tracks.file import read_tracks
from vsanon.tracks.table import TrackTable
from vsanon.validation.metrics.summary import truth_figures
from vsanon.validation.runs import step_cover as cover_steps
from vsanon.validation.runs import step_delivery as delivery_steps
from vsanon.validation.runs import step_media as media_steps
from vsanon.validation.runs import step_search as search_steps
from vsanon.validation.runs.matrix import Matrix
from vsanon.validation.runs.specs import AS_IS, REFERENCE, Cell, EncodeSpec, SourceSpec
from vsanon.validation.runs.store import NotMadeError, Step, Store, code_sha256, key_of
from vsanon.validation.truth.boxes import Truth
from vsanon.validation.truth.files import kind_of, read_any
from vsanon.validation.truth.scenes import Scene
from vsanon.validation.truth.transforms import cut, resampled, scaled

REFERENCE_SETTING = "thorough"

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
    empty = dict.fromkeys(("key", "frames", "size", "fps", "stream", "picture", "delivered"))
    figures = {**empty, "signature": "", "over_blur": _none(words), "mask_flicker": _none(words), "classes": {}}
    return Record({**_names(cell), **figures, "outcome": "failed", "failure": why}, source, True)


def media_keys(matrix: Matrix, cell: Cell, store: Store) -> dict[str, str]:
    """The keys of the media that a cell that was measured has used, by what shares them."""
    quiet = Store(store.root, read_only=True)
    spec, encode = matrix.sources[cell.source], matrix.encodes[cell.encode]
    keys: dict[str, str] = {}
    try:
        if spec.scene is not None:
            keys["scene"] = media_steps.scene_key(spec.scene)
        read = media_steps.read_source(quiet, spec)
        master = media_steps.master(quiet, read, encode)
        keys["master"] = master.key
        done = media_steps.encoded(quiet, read, master, encode)
        keys["encoded"] = done.key
        settings = matrix.settings[cell.setting]
        found = search_steps.search(quiet, done, settings)
        keys["search"] = found.key
        keys["anonymised"] = delivery_steps.anonymised_key(found, replace(settings, profile=cell.profile))
    except (NotMadeError, InputError):
        return keys  # it did not come further
    return keys


def shares(matrix: Matrix, name: str, cell: Cell, other: Cell) -> bool:
    """Whether two cells use the same medium, by its name of `media_keys`."""
    parts = {"encoded": ("source", "encode"), "search": ("source", "encode", "setting")}
    parts["anonymised"] = (*parts["search"], "profile")
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
    read = media_steps.read_source(store, spec)
    at.step = "truth"
    at.source = _source(matrix, spec, read)
    known = _Known.of(store, spec, read)
    at.source["truth"] = known.facts
    at.step = "master"
    master = media_steps.master(store, read, encode)
    truth = None if known.truth is None else _moved(known.truth, read, master, encode)
    at.step = "encode"
    done = media_steps.encoded(store, read, master, encode)
    quality = None
    if matrix.picture is not None and encode.preset != AS_IS:
        at.step = "picture"
        quality = media_steps.picture_quality(store, master, done, matrix.picture)
    at.step = "search"
    boxes = cover_steps.TrueBoxes(truth, settings.search.classes)
    found = search_steps.search(store, done, settings, boxes)
    at.step = "cover"
    covered = cover_steps.cover(store, found, truth, known.key, settings)
    regions = cover_steps.regions(store, master, done, boxes, known.key)
    delivered = None
    if cell.delivery is not None:
        at.step = "deliver"
        delivered = delivery_steps.deliver(store, done, found, settings, cell.delivery, truth, matrix.picture)
    at.source["truth"]["warnings"] = [
        f"{name}: {figures['alignment']}"
        for name, figures in covered["classes"].items()
        if figures.get("alignment")
    ]
    classes = {
        name: {key: value for key, value in figures.items() if key != "alignment"} | {"regions": regions[name]}
        for name, figures in covered["classes"].items()
    }
    figures = {
        "key": key_of("cell", {"read": read.key, "found": found.key, "truth": known.key, "cell": cell.id}),
        "signature": signature(settings, cell.setting),
        "frames": found.result["frames"],
        "size": found.result["size"],
        "fps": found.result["fps"],
        "stream": media_steps.with_b_frames(done.result["stream"], found.result["b_frame_share"]),
        "picture": quality,
        "over_blur": covered["over_blur"],
        "mask_flicker": covered["mask_flicker"],
        "classes": classes,
        "delivered": delivered,
        "command": done.result.get("command"),
    }
    return Record({**_names(cell), "outcome": "measured", "failure": None, **figures}, at.source, False)


def signature(settings: Settings, name: str) -> str:
    """What a figure depends on, short and stable: models by hash, setting, profile, version and code."""
    models = [f"{label}:{c.name}@{c.sha256[:4]}" for label, used in settings.search.cards().items() for c in used]
    return f"{' '.join(models)} {name} {settings.profile} v{vsanon.__version__}/{code_sha256()[:6]}"


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a source: its truth at the source's own size and rate, and what the evidence says of it."""

    truth: Truth | None
    key: str
    facts: dict[str, Any]

    @classmethod
    def of(cls, store: Store, spec: SourceSpec, read: Step) -> "_Known":
        start, stop = read.result["range"]
        size = (read.result["condition"]["size"][0], read.result["condition"]["size"][1])
        frames = read.result["condition"]["frames"]
        kind, sha256, note = "none", None, "nothing is known of what is to be found: only tracks are counted"
        truth: Truth | None = None
        if spec.scene is not None:
            kind, note = "scene", "drawn: boxes and identities are exact"
            truth, key = Scene(spec.scene).truth(), media_steps.scene_key(spec.scene)
        elif spec.truth == REFERENCE:
            kind = "reference"
            note = (
                f"no truth by people: what the setting {REFERENCE_SETTING} finds in the source itself stands for "
                "it. What that setting misses, no figure here shows"
            )
            # Its tracks are of the cut source already.
            reference, key = _reference(store, read)
            return cls(reference, key, _facts(kind, None, note, reference))
        elif spec.truth is not None:
            path = Path(spec.truth)
            if not path.is_file():
                raise InputError(f"{path}: there is no such truth file: mend `truth` in the matrix")
            kind, sha256, note = str(spec.truth_kind or kind_of(path)), sha256_file(path), "by people, from a file"
            truth = read_any(path, kind, spec.truth_class, size, frames)
            key = f"{sha256} {kind} {spec.truth_class}"
        if truth is None:
            return cls(None, "none", _facts(kind, None, note, None))
        truth = cut(truth, start, stop)
        return cls(truth, f"{key} {start}:{stop}", _facts(kind, sha256, note, truth))


def _facts(kind: str, sha256: str | None, note: str, truth: Truth | None) -> dict[str, Any]:
    classes = {} if truth is None else truth_figures(truth)
    return {"kind": kind, "sha256": sha256, "note": note, "classes": classes, "warnings": []}


def _reference(store: Store, read: Step) -> tuple[Truth, str]:
    """What `thorough` tracks in the source: held boxes are a margin in time, and are not asked for."""
    settings = Settings(Search(setting=REFERENCE_SETTING))
    plain = EncodeSpec(AS_IS)
    done = media_steps.encoded(store, read, media_steps.master(store, read, plain), plain)
    found = search_steps.search(store, done, settings)
    return truth_of(read_tracks(found.file())), found.key


def truth_of(table: TrackTable) -> Truth:
    """Tracks as truth: what was detected or lies between detections counts, what was only held is ignored."""
    held = table.origins == Origin.HELD
    classes = np.array(table.classes, np.str_)[table.runs] if len(table.runs) else np.zeros(0, np.str_)
    order = np.lexsort((held, table.tracks, classes, table.frames))
    keys = list(zip(table.frames[order], classes[order], table.tracks[order], strict=True))
    first = np.array([i == 0 or keys[i] != keys[i - 1] for i in range(len(keys))], np.bool_)
    rows = order[first] if len(keys) else order
    none = np.zeros(len(rows), np.bool_)
    boxes = table.xyxy[rows]
    return Truth(table.frames[rows], table.tracks[rows], classes[rows], boxes, held[rows], none, none)


def _moved(truth: Truth, read: Step, master: Step, encode: EncodeSpec) -> Truth:
    """The truth at the master's size and rate."""
    start, stop = read.result["range"]
    if encode.fps is not None:
        fps = Fraction(read.result["condition"]["fps"])
        truth = resampled(truth, media_steps.shown_frames(stop - start, fps, encode.fps))
    (width, height), (w, h) = read.result["condition"]["size"], master.result["size"]
    return truth if (width, height) == (w, h) else scaled(truth, (width, height), (w, h))


def _source(matrix: Matrix, spec: SourceSpec, read: Step) -> dict[str, Any]:
    name = spec.file.name if spec.file is not None and matrix.names else None
    tags = dict(Scene(spec.scene).tags) if spec.scene is not None else {}
    return {
        "kind": "file" if spec.scene is None else "scene",
        "file_name": name,
        "sha256": read.result["sha256"],
        "bytes": read.result["bytes"],
        "condition": read.result["condition"],
        "range": read.result["range"],
        "tags": {**tags, **spec.tags},
        "truth": _facts("none", None, "", None),
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


def _none(reason: str) -> dict[str, str]:
    return {"not_measured": f"the cell failed: {reason}"}
