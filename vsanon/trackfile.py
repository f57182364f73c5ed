"""The track file: tracked boxes of a whole clip as versioned JSON Lines, written whole, read with distrust.

Line 1 is the header, each further line one run of a track over consecutive frames; the last line closes
the file with the SHA-256 of all bytes before it, so that a file cut short is noticed. Frames are 0-based; boxes
are whole eighths of a pixel, the first of a run as it is, each further one as the difference to the one before.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32
from vsanon.errors import TrackFileError
from vsanon.files import write_atomic
from vsanon.tracking import GRID
from vsanon.tracks import CELLS, Origin, TrackedBoxes

VERSION = 1
MAX_LINE = 64 * 2**20
MAX_BOXES = 100_000_000
_LIMIT = GRID * 2**20
_LETTERS = "dihm"
"""One letter for each `Origin`, in its order."""


@dataclass(frozen=True, slots=True, eq=False)
class TrackTable:
    """The tracked boxes of a whole clip, by columns.

    Args:
        header: what the file says of its clip and of how it was made; "frames" and "size" are always there.
        offsets: (frames + 1,) int64; rows `offsets[n]:offsets[n + 1]` belong to frame `n`, by rising id.
        xyxy: (rows, 4) float32, pixels.
        origins: (rows,) uint8.
        runs: (rows,) int64, the run that each row belongs to.
        ids, classes, scores, cells: of each run.
    """

    header: Mapping[str, Any]
    offsets: NDArray[np.int64]
    xyxy: F32
    origins: NDArray[np.uint8]
    runs: NDArray[np.int64]
    ids: NDArray[np.int64]
    classes: tuple[str, ...]
    scores: F32
    cells: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the clip that the boxes belong to."""
        width, height = self.header["size"]
        return int(width), int(height)

    def at(self, n: int) -> TrackedBoxes:
        """The boxes that cover frame `n`.

        Raises:
            IndexError: the table does not reach `n`.
        """
        if not 0 <= n < len(self):
            raise IndexError(f"frame {n} has no tracks: they cover 0:{len(self)}")
        rows = slice(int(self.offsets[n]), int(self.offsets[n + 1]))
        runs = self.runs[rows]
        return TrackedBoxes(
            self.xyxy[rows],
            self.scores[runs],
            tuple(self.classes[r] for r in runs),
            tuple(int(i) for i in self.ids[runs]),
            tuple(Origin(int(o)) for o in self.origins[rows]),
            self.cells[runs],
        )


@dataclass(slots=True)
class _Run:
    start: int
    boxes: list[NDArray[np.int64]]
    origins: list[int]
    label: str
    score: float
    cells: bytes


class TrackWriter:
    """Takes the boxes of frame after frame and writes the file at the end; memory grows with boxes only.

    Args:
        header: facts of the clip and of the settings; must hold "frames" (int) and "size" ([width, height]).
    """

    def __init__(self, header: Mapping[str, Any]) -> None:
        self._header = {"vsanon_tracks": VERSION, **header}
        self._next = 0
        self._open: dict[int, _Run] = {}
        self._lines: list[bytes] = []

    def add(self, boxes: TrackedBoxes) -> None:
        """Add the boxes of the next frame."""
        n = self._next
        grid = np.rint(boxes.xyxy * GRID).astype(np.int64)
        present = set(boxes.ids)
        for gone in [i for i in self._open if i not in present]:
            self._close(gone)
        for k, i in enumerate(boxes.ids):
            facts = (boxes.classes[k], float(boxes.scores[k]), boxes.cells[k].tobytes())
            run = self._open.get(i)
            if run is not None and (run.label, run.score, run.cells) != facts:
                self._close(i)
                run = None
            if run is None:
                run = self._open[i] = _Run(n, [], [], *facts)
            run.boxes.append(grid[k])
            run.origins.append(int(boxes.origins[k]))
        self._next += 1

    def write(self, path: Path) -> str:
        """Write the file, atomically, and return its SHA-256.

        Raises:
            TrackFileError: not every frame was added, or the folder can't be written.
        """
        if self._next != self._header["frames"]:
            raise TrackFileError(
                f"{path}: {self._next} of {self._header['frames']} frames have tracks; not written"
            )
        for i in sorted(self._open):
            self._close(i)
        body = b"".join([_line(self._header), *self._lines])
        body += _line({"end": len(self._lines), "sha256": hashlib.sha256(body).hexdigest()})
        try:
            write_atomic(path, body)
        except OSError as error:
            raise TrackFileError(f"{path}: writing failed: {error.strerror}; nothing was changed there") from error
        return hashlib.sha256(body).hexdigest()

    def _close(self, i: int) -> None:
        run = self._open.pop(i)
        steps = np.diff(np.array(run.boxes), axis=0, prepend=0)
        self._lines.append(
            _line(
                {
                    "id": i,
                    "class": run.label,
                    "start": run.start,
                    "score": run.score,
                    "origins": "".join(_LETTERS[o] for o in run.origins),
                    "boxes": steps.ravel().tolist(),
                    "cells": base64.b64encode(run.cells).decode(),
                }
            )
        )


def read_tracks(path: Path) -> TrackTable:
    """Read a track file.

    Raises:
        TrackFileError: not a track file, damaged, cut short, of another version, or with values out of range.
    """
    digest = hashlib.sha256()
    header: dict[str, Any] | None = None
    runs: list[dict[str, Any]] = []
    total = 0
    closed = False
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(MAX_LINE):
                number += 1
                if closed:
                    raise TrackFileError(f"{path}:{number}: there are lines after the end of the file")
                record = _record(path, number, line)
                if header is None:
                    header = _header(path, record)
                elif "end" in record:
                    _check_end(path, record, len(runs), digest.hexdigest())
                    closed = True
                else:
                    total += _check_run(path, number, record, header)
                    if total > MAX_BOXES:
                        raise TrackFileError(f"{path}:{number}: more than {MAX_BOXES} boxes; refused")
                    runs.append(record)
                digest.update(line)
    except OSError as error:
        raise TrackFileError(f"{path}: can't read the track file: {error.strerror}") from error
    if header is None or not closed:
        raise TrackFileError(f"{path}: the file is cut short: its end line is missing. Run `vsanon analyze` again")
    return _table(header, runs)


def _line(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, separators=(",", ":"), allow_nan=False, ensure_ascii=True).encode() + b"\n"


def _record(path: Path, number: int, line: bytes) -> dict[str, Any]:
    if not line.endswith(b"\n"):
        raise TrackFileError(f"{path}:{number}: the line is cut short, or longer than {MAX_LINE} bytes")
    try:
        record = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise TrackFileError(f"{path}:{number}: not a line of a track file: {error}") from error
    if not isinstance(record, dict):
        raise TrackFileError(f"{path}:{number}: an object was expected")
    return record


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def _header(path: Path, record: dict[str, Any]) -> dict[str, Any]:
    version = record.get("vsanon_tracks")
    if not isinstance(version, int):
        raise TrackFileError(f"{path}: not a track file: its first line has no vsanon_tracks")
    if version != VERSION:
        raise TrackFileError(
            f"{path}: version {version}; this vsanon reads version {VERSION}. Use the vsanon that wrote it"
        )
    frames, size = record.get("frames"), record.get("size")
    if not isinstance(frames, int) or not 0 < frames <= 2**31:
        raise TrackFileError(f"{path}:1: frames must be a positive number, got {frames!r}")
    if not isinstance(size, list) or len(size) != 2 or not all(isinstance(s, int) and 0 < s < 2**17 for s in size):
        raise TrackFileError(f"{path}:1: size must be [width, height], got {size!r}")
    return record


def _check_end(path: Path, record: dict[str, Any], runs: int, digest: str) -> None:
    if record.get("end") != runs or record.get("sha256") != digest:
        raise TrackFileError(f"{path}: the file was damaged or changed by hand: its SHA-256 does not fit")


def _check_run(path: Path, number: int, record: dict[str, Any], header: Mapping[str, Any]) -> int:
    """Check one run; returns its number of frames."""

    def wrong(what: str) -> TrackFileError:
        return TrackFileError(f"{path}:{number}: {what}")

    label, start, origins, boxes = (record.get(k) for k in ("class", "start", "origins", "boxes"))
    if not isinstance(record.get("id"), int) or not 0 <= record["id"] < 2**62:
        raise wrong(f"id must be a number from 0 to 2^62, got {record.get('id')!r}")
    if not isinstance(label, str) or not label:
        raise wrong(f"class must be a name, got {label!r}")
    if not isinstance(origins, str) or not origins or set(origins) - set(_LETTERS):
        raise wrong(f"origins must be letters of {_LETTERS!r}")
    if not isinstance(start, int) or start < 0 or start + len(origins) > header["frames"]:
        raise wrong(f"the run starts at {start!r} and has {len(origins)} frames; the clip has {header['frames']}")
    if not isinstance(boxes, list) or len(boxes) != 4 * len(origins) or not all(type(b) is int for b in boxes):
        raise wrong(f"boxes must be {4 * len(origins)} whole numbers")
    if max(map(abs, boxes)) > _LIMIT:
        raise wrong("a box lies more than a million pixels away")
    score = record.get("score")
    if not isinstance(score, (int, float)) or not 0 <= score <= 1:
        raise wrong(f"score must lie in [0, 1], got {score!r}")
    try:
        cells = base64.b64decode(record.get("cells", ""), validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise wrong("cells must be base64") from error
    if len(cells) != CELLS * CELLS * 3:
        raise wrong(f"cells must be {CELLS * CELLS * 3} bytes, got {len(cells)}")
    return len(origins)


def _table(header: dict[str, Any], runs: list[dict[str, Any]]) -> TrackTable:
    lengths = np.array([len(r["origins"]) for r in runs], np.int64)
    starts = np.array([r["start"] for r in runs], np.int64)
    ids = np.array([r["id"] for r in runs], np.int64)
    owner = np.repeat(np.arange(len(runs)), lengths)
    first = np.cumsum(lengths) - lengths
    n = np.arange(int(lengths.sum())) - np.repeat(first, lengths) + np.repeat(starts, lengths)
    boxes = [np.cumsum(np.array(r["boxes"], np.int64).reshape(-1, 4), axis=0) for r in runs]
    xyxy = (np.concatenate(boxes) if boxes else np.zeros((0, 4))).astype(np.float32) / GRID
    letters = {letter: i for i, letter in enumerate(_LETTERS)}
    origins = np.array([letters[o] for r in runs for o in r["origins"]], np.uint8)
    order = np.lexsort((ids[owner], n))
    counts = np.bincount(n, minlength=header["frames"]) if len(n) else np.zeros(header["frames"], np.int64)
    cells = [np.frombuffer(base64.b64decode(r["cells"]), np.uint8) for r in runs]
    return TrackTable(
        header,
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        xyxy[order].astype(np.float32),
        origins[order],
        owner[order],
        ids,
        tuple(r["class"] for r in runs),
        np.array([r["score"] for r in runs], np.float32),
        (np.stack(cells) if cells else np.zeros((0, CELLS * CELLS * 3), np.uint8)).reshape(-1, CELLS, CELLS, 3),
    )
