"""A plan as a file: one JSON document, described by `schema/plan.schema.json`.

Paths in it are relative to its own folder, so that a share may be mounted elsewhere on each machine.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from vsanon import schemas
from vsanon.detectors.search import Search
from vsanon.encode import Sound
from vsanon.encode.presets import Preset
from vsanon.errors import InputError
from vsanon.farm.plan import FilePlan, Plan, Work
from vsanon.files import read_plain, sha256_of, write_atomic
from vsanon.job import ledger
from vsanon.job.ledger import Painting
from vsanon.job.settings import Settings
from vsanon.timing import FrameRange
from vsanon.tracking.evidence import Evidences
from vsanon.tracking.settings import TrackSettings

VERSION = 1
_MOST_BYTES = 1 << 26


def read(path: Path) -> Plan:
    """Read a plan.

    Raises:
        InputError: it can't be read, or is not a plan of this version; the entry is named.
    """
    try:
        content = read_plain(path, _MOST_BYTES)
    except OSError as error:
        raise InputError(f"{path}: can't read the plan: {error.strerror}") from error
    found = schemas.parse(content, str(path), kind="plan", version=VERSION)
    try:
        return Plan(
            path,
            sha256_of(content),
            found["work"],
            found["versions"],
            _settings(found["settings"]),
            ledger.preset_of(found),
            tuple(_file(entry, path.absolute().parent) for entry in found["files"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"{path}: a plan, but not a whole one: {error!r}") from error


def write(
    path: Path,
    work: Work,
    versions: Mapping[str, str],
    settings: Settings,
    preset: Preset,
    files: Sequence[FilePlan],
) -> None:
    """Write a plan of these parts, as in `Plan`.

    Raises:
        InputError: it can't be written.
    """
    plain = {
        "vsanon_plan": VERSION,
        "work": work,
        "versions": dict(versions),
        "settings": _plain(settings),
        "preset": asdict(preset),
        "files": [_plain_file(file, path.absolute().parent) for file in files],
    }
    content = (json.dumps(plain, indent=1, allow_nan=False) + "\n").encode()
    try:
        write_atomic(path, content)
    except OSError as error:
        raise InputError(f"{path}: the plan can't be written: {error.strerror}") from error


def _plain(settings: Settings) -> dict[str, Any]:
    own = settings
    return {
        "search": {entry.name: getattr(own.search, entry.name) for entry in fields(Search)},
        "track": asdict(own.track),
        "painting": own.painting(1).facts,
        "grid": own.grid,
        "preset": own.preset,
        "keep": sorted(own.keep),
        "sound": {"mode": own.sound.mode, "tracks": list(own.sound.tracks)},
        "video_track": own.video_track,
        "across_cuts": own.across_cuts,
    }


def _settings(plain: Mapping[str, Any]) -> Settings:
    painting, track = Painting.of(plain["painting"]), plain["track"]
    return Settings(
        Search(**plain["search"]),
        TrackSettings(**{**track, "evidence": Evidences.of(track["evidence"])}),
        plain["preset"],
        painting.profile,
        plain["grid"],
        painting.fill,
        painting.shapes,
        painting.on_missing,
        painting.same_picture,
        frozenset(plain["keep"]),
        Sound(plain["sound"]["mode"], tuple(plain["sound"]["tracks"])),
        plain["video_track"],
        plain["across_cuts"],
        picture=painting.picture,
    )


def _plain_file(file: FilePlan, folder: Path) -> dict[str, Any]:
    entry = {
        "id": file.id,
        "source": _relative(file.source, folder),
        "output": _relative(file.output, folder),
        "sha256": file.sha256,
        "bytes": file.bytes,
        "frames": file.frames,
        "header": dict(file.header),
        "chunks": [[chunk.start, chunk.stop] for chunk in file.chunks],
    }
    if file.tracks is not None:
        entry["tracks"] = {"path": _relative(file.tracks[0], folder), "sha256": file.tracks[1]}
    return entry


def _file(entry: Mapping[str, Any], folder: Path) -> FilePlan:
    chunks = tuple(FrameRange(start, stop) for start, stop in entry["chunks"])
    edges = [0, *(chunk.stop for chunk in chunks)]
    if [chunk.start for chunk in chunks] != edges[:-1] or edges[-1] != entry["frames"]:
        raise ValueError(f"the chunks of {entry['id']} are not its {entry['frames']} frames, each once")
    tracks = entry.get("tracks")
    return FilePlan(
        entry["id"],
        _from(entry["source"], folder),
        _from(entry["output"], folder),
        entry["sha256"],
        entry["bytes"],
        entry["frames"],
        entry["header"],
        chunks,
        None if tracks is None else (_from(tracks["path"], folder), tracks["sha256"]),
    )


def _relative(path: Path, folder: Path) -> str:
    """Relative to the plan; as it is where that can't be, as on another drive of Windows."""
    try:
        return Path(os.path.relpath(path.absolute(), folder)).as_posix()
    except ValueError:
        return path.absolute().as_posix()


def _from(text: str, folder: Path) -> Path:
    return Path(os.path.normpath(folder / text))
