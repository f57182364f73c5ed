"""Makes a plan: every file is looked at, so that what a worker would trip over is said before any work."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from vsanon import filters
from vsanon.encode import plan_copy, require_encodable
from vsanon.encode.presets import Preset, load
from vsanon.encode.source_preset import NAME as NATURAL
from vsanon.errors import InputError
from vsanon.farm.listing import Job, no_film
from vsanon.farm.plan import FilePlan, Plan, Work
from vsanon.farm.plan_file import read, write
from vsanon.farm.plan_fit import versions
from vsanon.files import require_name, sha256_file
from vsanon.job.frames import our_errors, raw_video
from vsanon.job.opening import open_for_work, require_models
from vsanon.job.progress import Say, quiet
from vsanon.job.settings import Settings, track_header
from vsanon.media.sequences import is_sequence
from vsanon.timing import FrameRange
from vsanon.tracks.file import read_tracks

CHUNK_SECONDS = 60.0

_LEAST_SHARE = 0.5
"""A last chunk shorter than this share of the others joins the one before."""


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
        raise InputError(
            "a rate and a start number are for image sequences, which are not cut into chunks: leave them out"
        )
    if chunk_seconds <= 0:
        raise InputError(f"a chunk lasts longer than {chunk_seconds} s")
    if os.path.lexists(path) and not overwrite:
        raise InputError(f"{path} is already there: give --overwrite to replace it, or another name")
    preset = load(settings.preset)
    settings = _without_folders(settings)
    if work != "render":
        require_models(settings.search, say)
    for job in jobs:  # before any of them is read
        require_name(job.source)
        if is_sequence(job.source):
            raise no_film(job.source)
    files = []
    for n, job in enumerate(jobs):
        say(f"planning {n + 1} of {len(jobs)}: {job.source}")
        own = tracks(job.source) if tracks is not None else None
        files.append(_looked_at(job, f"{n:04}", settings, preset, work, chunk_seconds, own))
    write(path, work, versions(), settings, preset, files)
    return read(path)


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
