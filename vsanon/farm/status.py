"""How far a plan is: read from the ledgers of its chunks, its outputs, and the log of a run where one is named."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from vsanon.errors import InputError
from vsanon.farm.chunk_files import book_of, is_busy
from vsanon.farm.delivered import delivered_by
from vsanon.farm.plan import FilePlan, Plan
from vsanon.files import open_plain
from vsanon.plain_json import load_json


@dataclass(frozen=True, slots=True)
class FileStatus:
    """One file of a plan.

    Args:
        file: the file.
        delivered: its output is there.
        chunks, busy: how many are done, and are worked on right now.
        frames: how many are done.
        seconds: that workers spent on the chunks that are done.
    """

    file: FilePlan
    delivered: bool
    chunks: int = 0
    busy: int = 0
    frames: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Status:
    """A plan.

    Args:
        files: each of its files.
        retries, failures: by the log; 0 without one.
    """

    files: tuple[FileStatus, ...]
    retries: int = 0
    failures: int = 0


def look(plan: Plan, log: Path | None = None) -> Status:
    """Look at a plan; chunks are known by their ledgers, without reading their files.

    Args:
        plan: the plan.
        log: what `--log-json` wrote.

    Raises:
        InputError: the log can't be read.
    """
    retries = failures = 0
    for event in _events(log) if log is not None else ():
        retries += max(int(event.get("tries", 1)) - 1, 0)
        failures += event.get("state") == "failed"
    return Status(tuple(_file(plan, file) for file in plan.files), retries, failures)


def prometheus(status: Status) -> str:
    """The status in the text format of Prometheus (exposition format 0.0.4)."""
    rows: list[tuple[str, str, str, Callable[[FileStatus], float]]] = [
        ("vsanon_frames", "gauge", "Frames of a file.", lambda f: f.file.frames),
        ("vsanon_frames_done", "gauge", "Frames whose chunks are done.", lambda f: f.frames),
        ("vsanon_chunks", "gauge", "Chunks of a file.", lambda f: len(f.file.chunks)),
        ("vsanon_chunks_done", "gauge", "Chunks that are done.", lambda f: f.chunks),
        ("vsanon_chunks_busy", "gauge", "Chunks that are worked on.", lambda f: f.busy),
        ("vsanon_delivered", "gauge", "Whether the file was delivered.", lambda f: f.delivered),
        ("vsanon_worker_seconds", "gauge", "Seconds spent on chunks that are done.", lambda f: f.seconds),
        ("vsanon_frames_per_worker_second", "gauge", "Frames done in a second of a worker.", rate),
    ]
    lines = []
    for name, kind, words, value in rows:
        lines += [f"# HELP {name} {words}", f"# TYPE {name} {kind}"]
        for entry in status.files:
            label = entry.file.source.name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            lines.append(f'{name}{{file="{entry.file.id}",source="{label}"}} {float(value(entry)):g}')
    for name, words, total in (
        ("vsanon_retries_total", "Tries after the first, by the log.", status.retries),
        ("vsanon_failures_total", "Chunks and files that failed, by the log.", status.failures),
    ):
        lines += [f"# HELP {name} {words}", f"# TYPE {name} counter", f"{name} {total}"]
    return "\n".join(lines) + "\n"


def rate(status: FileStatus) -> float:
    """Frames done in a second of a worker; 0 where none is done."""
    return status.frames / status.seconds if status.seconds else 0.0


def _file(plan: Plan, file: FilePlan) -> FileStatus:
    if delivered_by(plan, file, hashed=False):
        return FileStatus(file, True, len(file.chunks), 0, file.frames)
    chunks = busy = frames = 0
    seconds = 0.0
    for unit, span in zip(file.units, file.chunks, strict=True):
        book = book_of(plan, unit, hashed=False)
        if book is None:
            busy += is_busy(plan, unit)
            continue
        chunks, frames = chunks + 1, frames + len(span)
        began, ended = (datetime.fromisoformat(book[name]) for name in ("started", "finished"))
        seconds += (ended - began).total_seconds()
    return FileStatus(file, False, chunks, busy, frames, seconds)


def _events(log: Path) -> Iterator[dict[str, Any]]:
    try:
        with open_plain(log) as file:
            for line in file:
                found = load_json(line)
                if isinstance(found, dict) and found.get("event") in ("file", "chunk"):
                    yield found
    except (OSError, ValueError) as error:
        raise InputError(f"{log}: can't be read as a log of vsanon: {error}") from error
