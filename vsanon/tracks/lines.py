"""The lines of a track file: each is one record, written compactly and read with distrust.

Boxes are whole eighths of a pixel, the first of a run as it is, each further one as the difference to that before.
So are swatches, which change little from frame to frame, in bzip2, whose output depends on its input alone.
"""

import base64
import binascii
import bz2
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from vsanon.detections import SWATCHES
from vsanon.errors import TrackFileError
from vsanon.plain_json import load_json
from vsanon.tracking.cover import GRID
from vsanon.tracks.miniatures import BLOCK

VERSION = 3
READ = (1, 2, 3)
"""Files of version 1 say nothing of the pictures that they belong to; up to version 2, runs have swatches once."""

MAX_LINE = 2**24

MAX_FRAMES = 2**24
MAX_EDITS = 100_000
MAX_TRACK = 2**31
_LIMIT = GRID * 2**20
_RATE = re.compile(r"[0-9]{1,10}(/[1-9][0-9]{0,9})?")
_COLOURS = SWATCHES * SWATCHES * 3
_LETTERS = "dihm"
"""One letter for each `Origin`, in its order."""
_ORIGINS = np.full(256, 255, np.uint8)
_ORIGINS[np.frombuffer(_LETTERS.encode(), np.uint8)] = np.arange(len(_LETTERS))


@dataclass(frozen=True, slots=True, eq=False)
class RunRecord:
    id: int
    start: int
    boxes: NDArray[np.int32]
    origins: bytes
    label: str
    score: float
    swatches: bytes
    track: int = 0


def line_of(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, separators=(",", ":"), allow_nan=False, ensure_ascii=True).encode() + b"\n"


def run_line(run: RunRecord) -> bytes:
    return line_of(
        {
            "id": run.id,
            "track": run.track,
            "class": run.label,
            "start": run.start,
            "score": run.score,
            "origins": "".join(_LETTERS[o] for o in run.origins),
            "boxes": np.diff(run.boxes, axis=0, prepend=0).ravel().tolist(),
            "swatches": base64.b64encode(_packed(run)).decode(),
        }
    )


def swatches_of(run: RunRecord) -> NDArray[np.uint8]:
    """(frames, 5, 5, 3) of a run."""
    return np.frombuffer(run.swatches, np.uint8).reshape(-1, SWATCHES, SWATCHES, 3)


def _packed(run: RunRecord) -> bytes:
    steps = np.diff(np.frombuffer(run.swatches, np.uint8).reshape(-1, _COLOURS), axis=0, prepend=np.uint8(0))
    return bz2.compress(steps.tobytes())


def _unpacked(packed: bytes, frames: int) -> bytes:
    """The swatches of a run of so many frames; raises `ValueError` where they are not that."""
    reader = bz2.BZ2Decompressor()
    try:
        body = reader.decompress(packed, frames * _COLOURS + 1)
    except OSError as error:
        raise ValueError(f"swatches must be packed: {error}") from error
    if len(body) != frames * _COLOURS or not reader.eof or reader.unused_data:
        raise ValueError(f"swatches must be {_COLOURS} bytes for each of {frames} frames")
    return np.cumsum(np.frombuffer(body, np.uint8).reshape(-1, _COLOURS), axis=0, dtype=np.uint8).tobytes()


def block_line(number: int, block: bytes) -> bytes:
    return line_of({"miniatures": number * BLOCK, "packed": base64.b64encode(block).decode()})


def record_of(path: Path, number: int, line: bytes) -> dict[str, Any]:
    if not line.endswith(b"\n"):
        raise TrackFileError(f"{path}:{number}: the line is cut short, or longer than {MAX_LINE} bytes")
    try:
        record = load_json(line)
    except ValueError as error:
        raise TrackFileError(f"{path}:{number}: not a line of a track file: {error}") from error
    if not isinstance(record, dict):
        raise TrackFileError(f"{path}:{number}: an object was expected")
    return record


def _is_int(value: object, low: int, stop: int) -> TypeGuard[int]:
    return type(value) is int and low <= value < stop


def is_label(value: object) -> TypeGuard[str]:
    """Whether `value` can name a class: 1 to 100 printable letters."""
    return isinstance(value, str) and 0 < len(value) <= 100 and value.isprintable()


def header_of(path: Path, record: dict[str, Any]) -> dict[str, Any]:
    version = record.get("vsanon_tracks")
    if type(version) is not int:
        raise TrackFileError(f"{path}: not a track file: its first line has no vsanon_tracks")
    if version not in READ:
        raise TrackFileError(
            f"{path}: version {version}; this vsanon reads versions {READ[0]} to {READ[-1]}. "
            "Use the vsanon that wrote it"
        )
    frames, size, fps = record.get("frames"), record.get("size"), record.get("fps")
    if not _is_int(frames, 1, MAX_FRAMES + 1):
        raise TrackFileError(f"{path}:1: frames must be a number from 1 to {MAX_FRAMES}, got {frames!r:.80}")
    if not isinstance(size, list) or len(size) != 2 or not all(_is_int(s, 1, 2**17) for s in size):
        raise TrackFileError(f"{path}:1: size must be [width, height], got {size!r:.80}")
    # By pattern first: Fraction would compute "1e999999999" to its last digit.
    if not isinstance(fps, str) or not _RATE.fullmatch(fps) or not 0 < Fraction(fps) <= 1000:
        raise TrackFileError(f'{path}:1: fps must be a fraction as text, such as "30000/1001", got {fps!r:.80}')
    cuts = record.get("cuts", [])
    if not isinstance(cuts, list) or not all(_is_int(c, 0, frames) for c in cuts) or cuts != sorted(set(cuts)):
        raise TrackFileError(f"{path}:1: cuts must be rising frame numbers of the clip")
    return record


def block_of(path: Path, number: int, record: dict[str, Any], before: int) -> bytes:
    start, packed = record["miniatures"], record.get("packed")
    if not _is_int(start, 0, MAX_FRAMES) or start != before * BLOCK:
        raise TrackFileError(
            f"{path}:{number}: miniatures from {before * BLOCK} on were expected, got {start!r:.80}"
        )
    try:
        return base64.b64decode(packed if isinstance(packed, str) else "-", validate=True)
    except (binascii.Error, ValueError) as error:
        raise TrackFileError(f"{path}:{number}: packed miniatures must be base64") from error


def check_end(path: Path, record: dict[str, Any], lines: int, digest: str) -> None:
    if record.get("end") != lines or record.get("sha256") != digest:
        raise TrackFileError(f"{path}: the file was damaged or changed by hand: its SHA-256 does not fit")


def edit_of(path: Path, number: int, record: dict[str, Any], before: int) -> dict[str, Any]:
    """An edit's own frame; what it does is for `vsanon.tracks.edits` to check."""
    if before >= MAX_EDITS:
        raise TrackFileError(f"{path}:{number}: more than {MAX_EDITS} edits; refused")
    if not _is_int(record["edit"], 1, MAX_TRACK):
        raise TrackFileError(f"{path}:{number}: edit must be a number from 1 up, got {record['edit']!r:.80}")
    for key in ("op", "by", "at", "reason"):
        if not isinstance(record.get(key), str) or not record[key]:
            raise TrackFileError(f"{path}:{number}: the edit has no {key}")
    return record


def run_of(path: Path, number: int, record: dict[str, Any], header: Mapping[str, Any]) -> RunRecord:
    def wrong(what: str) -> TrackFileError:
        return TrackFileError(f"{path}:{number}: {what}")

    id_, track, label, start = (record.get(k) for k in ("id", "track", "class", "start"))
    if not _is_int(id_, 0, 2**61):
        raise wrong(f"id must be a number from 0 to 2^61, got {id_!r:.80}")
    if not _is_int(track, 1, MAX_TRACK):
        raise wrong(f"track must be a number from 1 to 2^31, got {track!r:.80}")
    if not is_label(label):
        raise wrong(f"class must be a name of at most 100 letters, got {label!r:.80}")
    letters = record.get("origins")
    raw = letters.encode(errors="replace") if isinstance(letters, str) else b""
    origins = _ORIGINS[np.frombuffer(raw, np.uint8)]
    if not len(origins) or origins.max() == 255:
        raise wrong(f"origins must be letters of {_LETTERS!r}")
    if not _is_int(start, 0, header["frames"] - len(origins) + 1):
        raise wrong(
            f"the run starts at {start!r:.80} and has {len(origins)} frames; the clip has {header['frames']}"
        )
    try:
        steps = np.array(record.get("boxes"))
    except ValueError as error:
        raise wrong("boxes must be whole numbers") from error
    if steps.shape != (4 * len(origins),) or steps.dtype.kind != "i":
        raise wrong(f"boxes must be {4 * len(origins)} whole numbers")
    # The least int64 has no absolute value, so compare both ways.
    if steps.max() > 2 * _LIMIT or steps.min() < -2 * _LIMIT:
        raise wrong("a box lies more than a million pixels away")
    boxes = np.cumsum(steps.reshape(-1, 4), axis=0)
    if np.abs(boxes).max() > _LIMIT:
        raise wrong("a box lies more than a million pixels away")
    if (boxes[:, 2:] < boxes[:, :2]).any():
        raise wrong("a box is turned inside out")
    score = record.get("score")
    if isinstance(score, bool) or not isinstance(score, (int, float)) or not 0 <= score <= 1:
        raise wrong(f"score must lie in [0, 1], got {score!r:.80}")
    try:
        swatches = base64.b64decode(record.get("swatches", ""), validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise wrong("swatches must be base64") from error
    if header["vsanon_tracks"] < 3:
        if len(swatches) != _COLOURS:
            raise wrong(f"swatches must be {_COLOURS} bytes, got {len(swatches)}")
        swatches *= len(origins)
    else:
        try:
            swatches = _unpacked(swatches, len(origins))
        except ValueError as error:
            raise wrong(str(error)) from error
    return RunRecord(id_, start, boxes.astype(np.int32), origins.tobytes(), label, float(score), swatches, track)
