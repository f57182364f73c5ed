"""One unit of a plan: the frames of a chunk found, covered, encoded and checked, with a ledger of their own.

Its files lie in the folder of the plan until the chunks are joined, each under its name only when it is whole. The
ledger comes last, names the plan and the hash of each file, and so tells a chunk that is done from one that is not.
"""

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon import filters
from vsanon.detectors.search import Search
from vsanon.encode import RawVideo, encode, ffmpeg_path, require_encoder
from vsanon.encode.presets import Preset
from vsanon.errors import CheckError, InputError
from vsanon.farm.chunk_files import VERSION, ChunkFiles, book_of, files_of, sha256_whole
from vsanon.farm.delivered import delivered_by
from vsanon.farm.frame_records import FrameRecord, RecordWriter, digest
from vsanon.farm.locks import held, rest
from vsanon.farm.plan import FilePlan, Plan
from vsanon.farm.plan_fit import require_fits
from vsanon.filters import props
from vsanon.filters.clips import taken_once
from vsanon.job.checks import Check
from vsanon.job.delivery import Target
from vsanon.job.file_checks import verify_file
from vsanon.job.frames import frames_of, our_errors, raw_video
from vsanon.job.ledger import now
from vsanon.job.opening import open_for_work
from vsanon.job.progress import Progress, quiet
from vsanon.job.rendering import require_passed
from vsanon.job.witness import Witness
from vsanon.media.source import Source, bound_cache
from vsanon.timing import FrameRange


def do(plan: Plan, unit: str, *, wait: bool = True, progress: Progress = quiet) -> str:
    """Do one chunk, unless it is done.

    Args:
        plan: the plan.
        unit: the id of the chunk.
        wait: while another process does it, wait.
        progress: called with (frames done, frames of the chunk).

    Returns:
        "made", "kept" where it was done before, or "busy" where another process does it and nobody waits.

    Raises:
        InputError: the plan has no such chunk, or does not fit this machine, its models or the source.
        MissingError: a model or a program is missing.
        CheckError: a frame could not be searched, encoding or a check failed; the chunk is not done.
    """
    file, k = plan.unit(unit)
    where = files_of(plan, unit)
    if delivered_by(plan, file, hashed=False):
        return "kept"
    try:
        where.ledger.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{where.ledger.parent}: can't be written: {error.strerror}") from error
    with held(where.ledger.with_suffix(".lock"), wait=wait) as mine:
        if not mine:
            return "busy"
        if book_of(plan, unit) is not None or delivered_by(plan, file, hashed=False):
            return "kept"
        require_fits(plan, file)
        for left in (*where.parts.values(), where.ledger):
            _remove(left)
        _make(plan, file, file.chunks[k], unit, where, progress)
    return "made"


def free(plan: Plan, *, progress: Callable[[str], Progress]) -> Iterator[tuple[str, str]]:
    """Do the chunks that are not done and that no other process does, and then wait for those that others do.

    Args:
        plan: the plan.
        progress: gives, for a chunk, what is called with (frames done, frames of the chunk).

    Yields:
        Each chunk, and "made" or "kept"; errors as for `do`.
    """
    left = list(plan.units)
    while left:
        busy = []
        for unit in left:
            state = do(plan, unit, wait=False, progress=progress(unit))
            if state == "busy":
                busy.append(unit)
            else:
                yield unit, state
        left = busy
        if left:
            rest()


def _make(plan: Plan, file: FilePlan, span: FrameRange, unit: str, where: ChunkFiles, progress: Progress) -> None:
    started = now()
    if plan.work != "analyze":
        ffmpeg_path()
        require_encoder(plan.preset.encoder)
    inputs = [file.source] if file.tracks is None else [file.source, file.tracks[0]]
    with Target(inputs, [*where.parts.values(), where.ledger], overwrite=False) as target:
        track = file.header.get("video_track")
        opened = open_for_work(file.source, video_track=track if isinstance(track, int) else None)
        if opened.clip.num_frames != file.frames:
            raise InputError(
                f"{file.source}: {opened.clip.num_frames} frames are read here, the plan has {file.frames}: "
                "make the plan anew"
            )
        with our_errors(InputError):
            data, opened = _data(plan, file, opened)
        with our_errors(CheckError):
            if plan.work == "analyze":
                done = _analyzed(data, span, where, target, progress)
            else:
                done = _painted(plan, opened, data, span, where, target, progress)
            borders = {"first": _covering(data, span.start), "next": _covering(data, span.stop)}
        book = {
            "vsanon_chunk": VERSION,
            "plan_sha256": plan.sha256,
            "unit": unit,
            "start": span.start,
            "stop": span.stop,
            "started": started,
            "finished": now(),
            "processor": processor(),
            "python": platform.python_version(),
            "borders": borders,
            "files": {name: sha256_whole(target.path(path)) for name, path in where.parts.items()},
            **done,
        }
        target.put(where.ledger, (json.dumps(book, indent=1, allow_nan=False) + "\n").encode())
        target.deliver()


def _data(plan: Plan, file: FilePlan, opened: Source) -> tuple[filters.VideoNode, Source]:
    """The tracks of the whole file, of which only what the chunk needs is made; and the source to cover."""
    if file.tracks is not None:
        return filters.load(opened.clip, file.tracks[0], same_picture=plan.settings.same_picture), opened
    search: Search = replace(plan.settings.search, turned=file.header["settings"]["turned"])
    # As a job does it: only where it is painted may a frame be covered whole instead.
    marks = plan.work == "anonymize" and plan.settings.on_missing == "mask"
    held = filters.hold(opened.clip, plan.settings.track)
    bound_cache(held.bytes)
    found = filters.detect(held.searched, search, on_error="mark" if marks else "raise")
    return filters.track(found, plan.settings.track), replace(opened, clip=held.covered)


def _analyzed(
    data: filters.VideoNode, span: FrameRange, where: ChunkFiles, target: Target, progress: Progress
) -> dict[str, Any]:
    with target.partial(where.records).open("wb") as out, RecordWriter(out) as records:
        for n, frame in enumerate(frames_of(data[span.start : span.stop])):
            records.add(_record(frame.props, props.read_tracked(frame.props), miniature=np.array(frame[0])))
            progress(n + 1, len(span))
    return {"frames_sha256": None, "checks": [], "seen": None, "too_small": 0}


def _painted(
    plan: Plan,
    opened: Source,
    data: filters.VideoNode,
    span: FrameRange,
    where: ChunkFiles,
    target: Target,
    progress: Progress,
) -> dict[str, Any]:
    assert where.picture is not None
    assert where.place is not None
    assert where.paint is not None
    video, preset = raw_video(opened), plan.preset
    own = opened.timeline
    video = replace(video, timeline=own.part(span.start, span.stop))
    with our_errors(InputError):
        painting = plan.painting(opened.video.codec)
        witness = Witness(opened.clip, data, painting, video, preset, first=span.start)
    handed = hashlib.sha256()
    partial = (
        target.partial(where.place)
        if where.place == where.picture
        else (target.partial_folder(where.place) / where.picture.name)
    )
    with witness, ExitStack() as held:
        records = held.enter_context(RecordWriter(held.enter_context(target.partial(where.records).open("wb"))))

        def planes() -> Iterator[list[NDArray[Any]]]:
            for frame in frames_of(taken_once(witness.clip[span.start : span.stop])):
                painted, boxes = witness.add(frame)
                records.add(_record(frame.props, boxes))
                for plane in painted:
                    handed.update(np.ascontiguousarray(plane))
                yield painted

        encode(planes(), video, preset, partial, on_frame=lambda n: progress(n + 1, len(span)))
        held.close()
        checks = _checks(witness, partial, video, preset)
        require_passed(checks, where.picture)
        witness.kept.save(target.partial(where.paint))
        seen, too_small = asdict(witness.seen), witness.kept.too_small
    return {
        "frames_sha256": handed.hexdigest(),
        "checks": [check.facts for check in checks],
        "seen": seen,
        "too_small": too_small,
    }


def _checks(witness: Witness, partial: Path, video: RawVideo, preset: Preset) -> list[Check]:
    """The chunk's own file, checked as a film is."""
    if preset.muxer == "image2":
        return list(witness.seen.checks())  # images are looked at where they are joined
    look = witness.look()
    checks = verify_file(partial, video=video, preset=preset, look=look)
    return [*checks, *witness.checks(look)]


def _record(frame_props: Mapping[str, Any], boxes: Any, miniature: Any = None) -> FrameRecord:
    cut, searched = (bool(frame_props.get(name)) for name in (props.CUT, props.SEARCHED))
    missing = str(frame_props[props.MISSING]) if props.MISSING in frame_props else None
    picture = props.text(frame_props[props.PICTURE]) if props.PICTURE in frame_props else ""
    return FrameRecord(boxes, cut, searched, missing, picture, miniature)


def _covering(data: filters.VideoNode, n: int) -> str | None:
    """A digest of what covers a frame: of the two sides of a border each says what it holds of the other's."""
    if n >= data.num_frames:
        return None
    with data.get_frame(n) as frame:
        return digest(props.read_tracked(frame.props)) if props.is_known(frame.props) else "unknown"


def processor() -> str:
    """The kind of processor of this machine: what models find may differ in the last digit between two kinds."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            name = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), "")
    except OSError:
        name = platform.processor()
    return f"{name or 'unknown'}, {platform.machine()}"


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()
