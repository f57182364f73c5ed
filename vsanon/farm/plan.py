"""A plan: which frames of which files make a unit of work, and all that every worker must agree on.

It is one JSON file, described by `schema/plan.schema.json`. Paths in it are relative to its own folder, so that a
share may be mounted elsewhere on each machine. Chunks lie beside it, in the folder `NAME.chunks`.
"""

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from vsanon import filters, schemas
from vsanon.detectors.search import Search
from vsanon.encode import Sound, plan_copy, require_encodable
from vsanon.encode.natural import NAME as NATURAL
from vsanon.encode.presets import Preset, load
from vsanon.errors import InputError
from vsanon.farm.listing import Job
from vsanon.files import cache_root, read_plain, sha256_file, sha256_of, write_atomic
from vsanon.job import ledger
from vsanon.job.delivery import stamp
from vsanon.job.frames import our_errors, raw_video
from vsanon.job.ledger import Painting
from vsanon.job.opening import open_for_work, require_models
from vsanon.job.progress import Say, quiet
from vsanon.job.settings import Settings, track_header
from vsanon.media.best_source import SOURCE_FILTER, best_source_version
from vsanon.media.sequences import is_sequence
from vsanon.timing import FrameRange
from vsanon.tracking.cover import TrackSettings
from vsanon.tracking.evidence import Evidences
from vsanon.tracks.file import read_tracks

type Work = Literal["anonymize", "analyze", "render"]

VERSION = 1
CHUNK_SECONDS = 60.0

_MOST_BYTES = 1 << 26
_LEAST_SHARE = 0.5
"""A last chunk shorter than this share of the others joins the one before."""


@dataclass(frozen=True, slots=True)
class FilePlan:
    """One file of a plan.

    Args:
        id: names it in units and folders.
        source, output: where it lies and where the result goes; of the work "analyze" that is the track file.
        sha256, bytes: of the source.
        frames: how many it has.
        header: of its tracks, as a track file would say it.
        chunks: its units, which follow each other and cover it.
        tracks: the track file that it is rendered from, and its SHA-256; of the work "render" only.
    """

    id: str
    source: Path
    output: Path
    sha256: str
    bytes: int
    frames: int
    header: Mapping[str, Any]
    chunks: tuple[FrameRange, ...]
    tracks: tuple[Path, str] | None = None

    @property
    def units(self) -> tuple[str, ...]:
        """The ids of its chunks."""
        return tuple(f"{self.id}-{k:05}" for k in range(len(self.chunks)))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a farm does.

    Args:
        path: where the plan lies.
        sha256: of its file.
        work: to find and cover, only to find, or only to cover what track files say.
        versions: of all that a result depends on; a worker must have the same.
        settings: of all files.
        preset: of all files, as it was when the plan was made.
        files: what is done.
    """

    path: Path
    sha256: str
    work: Work
    versions: Mapping[str, str]
    settings: Settings
    preset: Preset
    files: tuple[FilePlan, ...]

    @property
    def folder(self) -> Path:
        """Where chunks lie until they are joined."""
        return self.path.with_name(f"{self.path.stem}.chunks")

    @property
    def units(self) -> tuple[str, ...]:
        """The ids of all chunks, file by file."""
        return tuple(unit for file in self.files for unit in file.units)

    def file(self, name: str) -> FilePlan:
        """A file by its id.

        Raises:
            InputError: the plan has no such file.
        """
        for file in self.files:
            if file.id == name:
                return file
        raise InputError(f"{self.path}: the plan has no file {name!r}; it has {_some([f.id for f in self.files])}")

    def unit(self, name: str) -> tuple[FilePlan, int]:
        """A chunk by its id: its file, and which of its chunks it is.

        Raises:
            InputError: the plan has no such chunk.
        """
        for file in self.files:
            if name in file.units:
                return file, file.units.index(name)
        raise InputError(f"{self.path}: the plan has no chunk {name!r}; it has {_some(self.units)}")

    def named(self, text: str) -> tuple[str, ...]:
        """The chunks that a text names: an id, or numbers of chunks, such as 12, 0-9 or 3,5,8-10.

        Raises:
            InputError: the plan has no such chunk.
        """
        units = self.units
        if text in units:
            return (text,)
        if not re.fullmatch(r"\d{1,9}(-\d{1,9})?(,\d{1,9}(-\d{1,9})?)*", text):
            raise InputError(f"{self.path}: the plan has no chunk {text!r}; it has {_some(units)}")
        chosen: list[str] = []
        for part in text.split(","):
            first, _, last = part.partition("-")
            start, stop = int(first), int(last or first) + 1
            if not start < stop <= len(units):
                raise InputError(f"{self.path}: chunks are numbered 0 to {len(units) - 1}, got {part}")
            chosen += units[start:stop]
        return tuple(chosen)

    def painting(self, codec: str) -> Painting:
        """How the frames of a source of this codec are covered."""
        own = self.settings
        grid = own.grid or filters.grid_of(codec)
        return Painting(own.profile, grid, own.fill, own.on_missing, own.same_picture, own.shapes)


def make(
    jobs: Sequence[Job],
    path: Path,
    settings: Settings,
    *,
    work: Work = "anonymize",
    chunk_seconds: float = CHUNK_SECONDS,
    tracks: Callable[[Path], Path] | None = None,
    overwrite: bool = False,
    say: Say = quiet,
) -> Plan:
    """Look at every file and write the plan.

    Args:
        jobs: the files, and where their results go.
        path: the plan to write; its folder is made.
        settings: of all files.
        work: as for `Plan`.
        chunk_seconds: about how long a chunk is, in seconds of the film.
        tracks: gives the track file of a source, for the work "render".
        overwrite: replace a plan that lies there.
        say: takes lines for people.

    Raises:
        InputError: a file can't be read or encoded so, the settings go with one file only, or a plan lies there.
        MissingError: a model is missing, or a program.
    """
    if settings.preset == NATURAL:
        raise InputError("the preset source follows from a file, and goes with one IN and OUT")
    if not settings.span.is_whole:
        raise InputError(
            "--from, --to and --trim go with one IN and OUT: use `vsanon anonymize` or `vsanon render`"
        )
    if settings.rate is not None or settings.start_number is not None:
        raise InputError("a rate and a start number are for image sequences, which are not cut into chunks")
    if chunk_seconds <= 0:
        raise InputError(f"a chunk lasts longer than {chunk_seconds} s")
    if os.path.lexists(path) and not overwrite:
        raise InputError(f"{path} is already there: give --overwrite to replace it, or another name")
    preset = load(settings.preset)
    settings = _without_folders(settings)
    if work != "render":
        require_models(settings.search, say)
    files = []
    for n, job in enumerate(jobs):
        if is_sequence(job.source):
            raise InputError(f"{job.source}: images are not cut into chunks: use `vsanon anonymize`")
        say(f"planning {n + 1} of {len(jobs)}: {job.source}")
        own = tracks(job.source) if tracks is not None else None
        files.append(_looked_at(job, f"{n:04}", settings, preset, work, chunk_seconds, own))
    plain = {
        "vsanon_plan": VERSION,
        "work": work,
        "versions": versions(),
        "settings": _plain(settings),
        "preset": asdict(preset),
        "files": [_plain_file(file, path.absolute().parent) for file in files],
    }
    content = (json.dumps(plain, indent=1, allow_nan=False) + "\n").encode()
    try:
        write_atomic(path, content)
    except OSError as error:
        raise InputError(f"{path}: the plan can't be written: {error.strerror}") from error
    return read(path)


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


def require_fits(plan: Plan, file: FilePlan) -> None:
    """Refuse to work on a file with anything else than what the plan was made with and for.

    Raises:
        InputError: other versions, another preset, another source or other tracks under the same name.
        MissingError: a model is missing.
    """
    for name, wanted in plan.versions.items():
        if (found := versions().get(name)) != wanted:
            raise InputError(
                f"{plan.path}: made with {name} {wanted}, and this machine has {found}: frames would not be the "
                "same. Install that version here, or make the plan anew"
            )
    if load(plan.settings.preset) != plan.preset:
        raise InputError(f"{plan.path}: its preset {plan.preset.name} is another one here: make the plan anew")
    if plan.work != "render":
        cards = {card.name: card for used in plan.settings.search.cards().values() for card in used}
        here = [card.facts for card in cards.values()]
        if here != list(file.header["models"]):
            raise InputError(
                f"{plan.path}: made with the models {_named(file.header['models'])}, and this machine has "
                f"{_named(here)}: bring the same ones here (`vsanon models import FILE`), or make the plan anew"
            )
    require_source(file)
    if file.tracks is not None and sha256_file(file.tracks[0]) != file.tracks[1]:
        raise InputError(f"{file.tracks[0]} was changed after the plan was made: make the plan anew")


def require_source(file: FilePlan) -> None:
    """Refuse another source under the same name.

    All of it is read once on each machine, and then known by what moves whenever it is written to.

    Raises:
        InputError: it is another, or can't be read.
    """
    found = stamp(file.source)
    known = cache_root() / "hashes" / sha256_of(repr((os.fspath(file.source.absolute()), found)).encode())[:32]
    digest = ""
    if found.size == file.bytes:
        try:
            digest = known.read_text()
        except OSError:
            digest = sha256_file(file.source)
            if stamp(file.source) == found:
                write_atomic(known, digest.encode())
    if digest != file.sha256:
        raise InputError(
            f"{file.source} is not the file that the plan was made for, or has changed since: bring that one back, "
            "or make the plan anew"
        )


def versions() -> dict[str, str]:
    """What a result depends on, of this machine; a patch of Python is none of it."""
    found = ledger.versions(f"{SOURCE_FILTER} {best_source_version()}")
    return {name: version for name, version in found.items() if name != "python"}


def _looked_at(
    job: Job, name: str, settings: Settings, preset: Preset, work: Work, chunk_seconds: float, tracks: Path | None
) -> FilePlan:
    header = None if tracks is None else read_tracks(tracks).header
    track = settings.video_track if header is None else header.get("video_track")
    opened = open_for_work(job.source, video_track=track if isinstance(track, int) else None)
    if work != "analyze":
        require_encodable(raw_video(opened), preset)
        plan_copy(opened.facts, preset, settings.keep, settings.sound)
    with our_errors(InputError):
        if tracks is not None:
            filters.load(opened.clip, tracks, same_picture=settings.same_picture)
        if header is None:
            search = filters.settled(opened.clip, settings.search)
            header = track_header(opened, settings, search)
    digest = sha256_file(job.source)
    found = None if tracks is None else (tracks, sha256_file(tracks))
    spans = _spans(opened.clip.num_frames, opened.timeline.fps, chunk_seconds)
    size = job.source.stat().st_size
    return FilePlan(name, job.source, job.output, digest, size, opened.clip.num_frames, header, spans, found)


def _spans(frames: int, fps: Fraction, seconds: float) -> tuple[FrameRange, ...]:
    length = max(1, round(seconds * fps))
    starts = list(range(0, frames, length))
    if len(starts) > 1 and frames - starts[-1] < _LEAST_SHARE * length:
        starts.pop()
    return tuple(FrameRange(a, b) for a, b in zip(starts, [*starts[1:], frames], strict=True))


def _without_folders(settings: Settings) -> Settings:
    """Settings whose files are found from any folder."""
    own = load(settings.preset) if settings.preset.endswith((".yaml", ".yml")) else None
    preset = settings.preset if own is None else os.fspath(Path(settings.preset).absolute())
    models = {
        name: tuple(os.fspath(Path(m).absolute()) if Path(m).is_file() else m for m in used)
        for name, used in settings.search.models.items()
    }
    return replace(settings, preset=preset, search=replace(settings.search, models=models))


def _plain(settings: Settings) -> dict[str, Any]:
    own = settings
    painting = Painting(own.profile, own.grid or 1, own.fill, own.on_missing, own.same_picture, own.shapes)
    return {
        "search": {entry.name: getattr(own.search, entry.name) for entry in fields(Search)},
        "track": asdict(own.track),
        "painting": painting.facts,
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


def _named(models: Sequence[Mapping[str, str]]) -> str:
    return ", ".join(f"{model['name']} ({model['sha256'][:8]})" for model in models) or "none"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) < 5 else f"{names[0]} to {names[-1]}"
