"""One unit of a plan: the frames of a chunk found, covered, encoded and checked, with a ledger of their own.

Its files lie in the folder of the plan until the chunks are joined, each under its name only when it is whole. The
ledger comes last, names the plan and the hash of each file, and so tells a chunk that is done from one that is not.
"""

import hashlib
import json
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import filelock
import numpy as np
from numpy.typing import NDArray

from vsanon import filters, stops
from vsanon.detectors.search import Search
from vsanon.encode import RawVideo, encode, ffmpeg_path, require_encoder
from vsanon.encode.presets import Preset
from vsanon.errors import CheckError, InputError
from vsanon.farm.delivered import delivered_by
from vsanon.farm.frame_records import FrameRecord, RecordWriter, digest
from vsanon.farm.plan import FilePlan, Plan, require_fits
from vsanon.files import read_plain, sha256_file
from vsanon.filters import props
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
from vsanon.schemas import validator
from vsanon.timing import FrameRange, Timeline

VERSION = 1
_MOST_BYTES = 1 << 24
_LOOK_S = 1.0


@dataclass(frozen=True, slots=True)
class ChunkFiles:
    """Where the parts of a chunk lie.

    Args:
        picture: its frames, encoded; of images their pattern. None where nothing is painted.
        records: what it knows of each frame, see `frame_records`.
        paint: what was painted, small, see `job.painted`; None where nothing is.
        ledger: what vouches for them.
    """

    picture: Path | None
    records: Path
    paint: Path | None
    ledger: Path

    @property
    def parts(self) -> dict[str, Path]:
        """Those files that the ledger names, by what they are; of images their folder."""
        named = {"picture": self.place, "records": self.records, "paint": self.paint}
        return {name: path for name, path in named.items() if path is not None}

    @property
    def place(self) -> Path | None:
        """What the picture is as a whole: a file, or the folder of its images."""
        return self.picture.parent if self.picture is not None and "%" in self.picture.name else self.picture


def files_of(plan: Plan, unit: str) -> ChunkFiles:
    """Where the parts of a chunk lie; they need not be there."""
    file, _ = plan.unit(unit)
    folder, name = plan.folder / file.id, unit
    picture = paint = None
    if plan.work != "analyze":
        suffix, paint = plan.preset.suffix, folder / f"{name}.paint"
        images = plan.preset.muxer == "image2"
        picture = folder / f"{name}.images" / f"frame.%06d{suffix}" if images else folder / f"{name}{suffix}"
    return ChunkFiles(picture, folder / f"{name}.frames.gz", paint, folder / f"{name}.json")


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
    with _held(where.ledger.with_suffix(".lock"), wait=wait) as held:
        if not held:
            return "busy"
        if book_of(plan, unit) is not None or delivered_by(plan, file, hashed=False):
            return "kept"
        require_fits(plan, file)
        for left in (*where.parts.values(), where.ledger):
            _remove(left)
        _make(plan, file, file.chunks[k], unit, where, progress)
    return "made"


def book_of(plan: Plan, unit: str, *, hashed: bool = True) -> dict[str, Any] | None:
    """The ledger of a chunk that is done by this plan, all of its files as it says; otherwise None.

    Args:
        hashed: look at the content of its files, and not only whether they are there.
    """
    where = files_of(plan, unit)
    try:
        book = json.loads(read_plain(where.ledger, _MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    if next(validator("chunk").iter_errors(book), None) is not None:
        return None
    file, k = plan.unit(unit)
    span = file.chunks[k]
    wanted = (plan.sha256, unit, span.start, span.stop)
    if (book["plan_sha256"], book["unit"], book["start"], book["stop"]) != wanted:
        return None
    if not all(check["passed"] for check in book["checks"]) or set(book["files"]) != set(where.parts):
        return None
    for name, path in where.parts.items():
        try:
            if not path.exists() or (hashed and _sha256(path) != book["files"][name]):
                return None
        except InputError:
            return None
    found: dict[str, Any] = book
    return found


def is_busy(plan: Plan, unit: str) -> bool:
    """Whether a process works on a chunk at this moment."""
    lock = files_of(plan, unit).ledger.with_suffix(".lock")
    if not lock.exists():
        return False
    with _held(lock, wait=False) as held:
        return not held


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
        end = time.monotonic() + (_LOOK_S if left else 0)
        while time.monotonic() < end:
            stops.poll()
            time.sleep(stops.LOOK_S)


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
            data = _data(plan, file, opened)
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
            "files": {name: _sha256(target.path(path)) for name, path in where.parts.items()},
            **done,
        }
        target.put(where.ledger, (json.dumps(book, indent=1, allow_nan=False) + "\n").encode())
        target.deliver()


def _data(plan: Plan, file: FilePlan, opened: Source) -> filters.VideoNode:
    """The tracks of the whole file, of which only what the chunk needs is made."""
    if file.tracks is not None:
        return filters.load(opened.clip, file.tracks[0], same_picture=plan.settings.same_picture)
    search: Search = replace(plan.settings.search, turned=file.header["settings"]["turned"])
    # As a job does it: only where it is painted may a frame be covered whole instead.
    marks = plan.work == "anonymize" and plan.settings.on_missing == "mask"
    found = filters.detect(opened.clip, search, on_error="mark" if marks else "raise")
    data = filters.track(found, plan.settings.track)
    bound_cache(filters.hold(opened.clip, plan.settings.track))
    return data


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
    video = replace(video, timeline=Timeline(own.pts[span.start : span.stop], own.time_base, own.fps))
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
            for frame in frames_of(witness.clip[span.start : span.stop]):
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
        "checks": [asdict(check) for check in checks],
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


@contextmanager
def alone(lock: Path) -> Iterator[Path]:
    """Wait until no other process holds a lock, and hold it; it dies with whoever does."""
    with _held(lock, wait=True):
        yield lock


@contextmanager
def _held(lock: Path, *, wait: bool) -> Iterator[bool]:
    """Hold a lock, or know that another process does."""
    held = filelock.FileLock(lock, timeout=0, thread_local=False, fallback_to_soft=False)
    while True:
        stops.poll()
        try:
            held.acquire()
            break
        except filelock.Timeout:
            if not wait:
                yield False
                return
            end = time.monotonic() + _LOOK_S
            while time.monotonic() < end:
                stops.poll()
                time.sleep(stops.LOOK_S)
        except OSError as error:
            raise InputError(f"{lock}: can't be written: {error.strerror}") from error
    try:
        yield True
    finally:
        held.release()


def processor() -> str:
    """The kind of processor of this machine: what models find may differ in the last digit between two kinds."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            name = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), "")
    except OSError:
        name = platform.processor()
    return f"{name or 'unknown'}, {platform.machine()}"


def _sha256(path: Path) -> str:
    """Of a file; of a folder of images that of their hashes, by name."""
    if not path.is_dir():
        return sha256_file(path)
    lines = [f"{image.name} {sha256_file(image)}\n" for image in sorted(path.iterdir())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()
