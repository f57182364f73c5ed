"""What a chunk leaves until it is joined: its files, and the ledger that tells whether they are whole."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsanon.errors import InputError
from vsanon.farm.locks import held
from vsanon.farm.plan import Plan
from vsanon.files import read_plain, sha256_file
from vsanon.plain_json import load_json
from vsanon.schemas import validator

VERSION = 1
_MOST_BYTES = 1 << 24


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


def book_of(plan: Plan, unit: str, *, hashed: bool = True) -> dict[str, Any] | None:
    """The ledger of a chunk that is done by this plan, all of its files as it says; otherwise None.

    Args:
        hashed: look at the content of its files, and not only whether they are there.
    """
    where = files_of(plan, unit)
    try:
        book = load_json(read_plain(where.ledger, _MOST_BYTES))
    except (OSError, ValueError):
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
            if not path.exists() or (hashed and sha256_whole(path) != book["files"][name]):
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
    with held(lock, wait=False) as mine:
        return not mine


def sha256_whole(path: Path) -> str:
    """Of a file; of a folder of images that of their hashes, by name."""
    if not path.is_dir():
        return sha256_file(path)
    lines = [f"{image.name} {sha256_file(image)}\n" for image in sorted(path.iterdir())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
