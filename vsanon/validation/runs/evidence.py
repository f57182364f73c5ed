"""The evidence: everything that a matrix measured, as canonical JSON; the same inputs give the same bytes."""

import json
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import vsanon
from vsanon.covering.strength import of_look, rows
from vsanon.encode import ffmpeg_version, presets
from vsanon.files import sha256_of
from vsanon.job.settings import Settings
from vsanon.media import pixel_format
from vsanon.validation.conclusions.metric_kinds import OF_LOOKS
from vsanon.validation.conclusions.rounding import rounded
from vsanon.validation.conclusions.statistics import SEED
from vsanon.validation.conclusions.worst import chosen_pictures
from vsanon.validation.metrics.summary import plain
from vsanon.validation.runs.cells import Record
from vsanon.validation.runs.keys import PACKAGES, code_sha256
from vsanon.validation.runs.matrix import Matrix
from vsanon.validation.runs.specs import AS_IS, EncodeSpec
from vsanon.validation.runs.store import canonical

VERSION = 2
_APART = ("command", "pictures")
"""What a cell's record holds and its evidence does not: it stands elsewhere in it."""


def evidence(matrix: Matrix, records: Sequence[Record]) -> dict[str, Any]:
    """All records of a matrix in one value; what was measured is `rounded`.

    Args:
        matrix: what was asked.
        records: one for each of its cells, in their order.
    """
    cells = [rounded({k: v for k, v in record.cell.items() if k not in _APART}) for record in records]
    pictures = {record.cell["id"]: record.cell.get("pictures") or () for record in records}
    sources = {name: rounded(_source(name, matrix, records)) for name in matrix.sources}
    return {
        "vsanon_evidence": VERSION,
        "name": matrix.name,
        "title": matrix.title,
        "purpose": matrix.purpose,
        "criteria": [{"per": "encode", **criterion} for criterion in matrix.criteria],
        "confidence": matrix.confidence,
        "provenance": _provenance(matrix),
        "sources": sources,
        "encodes": {name: _encode(name, spec, records) for name, spec in matrix.encodes.items()},
        "settings": {name: _setting(settings) for name, settings in matrix.settings.items()},
        "profiles": list(matrix.profiles),
        "deliveries": {name: _delivery(name) for name in matrix.deliveries if name is not None},
        **_attacks(matrix),
        "cells": cells,
        "pictures": chosen_pictures(cells, pictures) if matrix.pictures else [],
        "deviations": _deviations(sources, cells),
    }


def _attacks(matrix: Matrix) -> dict[str, Any]:
    """What attacks on its looks came to, where a criterion asks for it: the evidence says all by itself."""
    if not any(criterion["metric"] in OF_LOOKS for criterion in matrix.criteria):
        return {}
    return {"attacks": {look: of_look(look, rows()) for look in matrix.profiles}}


def dump(found: Mapping[str, Any]) -> str:
    """The evidence as text."""
    return json.dumps(found, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"


def _provenance(matrix: Matrix) -> dict[str, Any]:
    once = {
        card.name: card for s in matrix.settings.values() for used in s.search.cards().values() for card in used
    }
    asked = [
        [plain(list(matrix.sources)), {k: v.axes | {"preset": v.preset} for k, v in matrix.encodes.items()}],
        [list(matrix.profiles), list(matrix.deliveries), matrix.picture, matrix.criteria, matrix.confidence],
        {name: _setting(settings) for name, settings in matrix.settings.items()},
    ]
    return {
        "versions": {
            "vsanon": vsanon.__version__,
            "python": platform.python_version(),
            "ffmpeg": ffmpeg_version(),
            **{name: version(name) for name in PACKAGES},
        },
        "code_sha256": code_sha256(),
        "machine": {"system": platform.system(), "machine": platform.machine()},
        "models": [{**card.facts, "classes": list(card.classes)} for card in once.values()],
        "seeds": {"bootstrap": SEED},
        "matrix_sha256": sha256_of(canonical(plain(asked)).encode()),
    }


def _source(name: str, matrix: Matrix, records: Sequence[Record]) -> dict[str, Any]:
    """What was learnt of a source; the warnings on its truth are those of its best encode."""
    own = [r for r in records if r.cell["source"] == name]
    known = [r for r in own if r.source is not None]
    if known:
        best = max(known, key=lambda r: (not r.failed, _rate(r)))
        assert best.source is not None
        return best.source
    spec = matrix.sources[name]
    return {
        "kind": "file" if spec.scene is None else "scene",
        "file_name": None,
        "sha256": None,
        "looks": [],
        "looks_at_rest": [],
        "scene": None if spec.scene is None else spec.drawn().identity,
        "bytes": None,
        "condition": None,
        "range": None if spec.frames is None else list(spec.frames),
        "tags": spec.all_tags,
        "truth": {"kind": "none", "sha256": None, "note": "", "classes": {}, "warnings": []},
        "failure": own[0].cell["failure"],
    }


def _rate(record: Record) -> float:
    stream = record.cell["stream"]
    return float("inf") if stream is None else float(stream["bit_rate"])


def _encode(name: str, spec: EncodeSpec, records: Sequence[Record]) -> dict[str, Any]:
    axes = spec.axes
    if spec.preset == AS_IS:
        nothing = dict.fromkeys(("preset", "codec", "encoder", "threads", "command"))
        return {**nothing, "codec": AS_IS, "axes": axes, "label": "as it came"}
    preset = spec.resolved()
    commands = (r.cell.get("command") for r in records if r.cell["encode"] == name)
    chosen = preset.pix_fmts[0]
    return {
        "preset": presets.load(spec.preset).name,
        "codec": preset.codec,
        "encoder": preset.encoder,
        "axes": axes,
        "pix_fmts": list(preset.pix_fmts),
        "depths": sorted({pixel_format(p).depth for p in preset.pix_fmts}),
        "label": _label(spec),
        "threads": preset.threads,
        "command": next((c for c in commands if c), presets.command_line(preset, pix_fmt=chosen)),
    }


def _label(spec: EncodeSpec) -> str:
    words = {
        "crf": "CRF {}", "bit_rate": "{} bit/s", "gop": "GOP {}", "b_frames": "{} B-frames", "pix_fmt": "{}",
        "scale": "scaled by {}", "fps": "{} frames/s", "denoise": "{} denoising", "generations": "{} generations",
    }  # fmt: skip
    own = [words[k].format(v) for k, v in spec.axes.items() if v is not None and (k, v) != ("generations", 1)]
    return ", ".join([presets.load(spec.preset).name, *own])


def _setting(settings: Settings) -> dict[str, Any]:
    return {**plain(settings.search.facts()), "track": plain(settings.track)}


def _delivery(name: str) -> dict[str, Any]:
    preset = presets.load(name)
    return {
        "preset": preset.name,
        "codec": preset.codec,
        "encoder": preset.encoder,
        "label": preset.name,
        "threads": preset.threads,
        "command": presets.command_line(preset),
    }


def _deviations(sources: Mapping[str, Any], cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """What an auditor must know before the figures: truth that may be off, cells that failed."""
    found = [f"truth of {name}: {words}" for name, s in sources.items() for words in s["truth"]["warnings"]]
    found += [
        f"{c['id']}: failed at the step {c['failure']['step']}: {c['failure']['message']}"
        for c in cells
        if c["failure"] is not None
    ]
    return found
