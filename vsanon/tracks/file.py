"""The track file: tracked boxes of a whole clip as versioned JSON Lines, written whole, read with distrust.

Line 1 is the header. Then come the miniatures of the frames, in blocks: the pictures that the boxes belong to. Each
further line is one run of a track over consecutive frames, then come the edits that people made; the last line
closes the file with the SHA-256 of all bytes before it, so that a file cut short is noticed. Frames are 0-based;
boxes are whole eighths of a pixel, the first of a run as it is, each further one as the difference to the one
before. `schema/track_file.schema.json` describes every line.

Readers skip keys that they don't know, and keep them when they add an edit. A line of an unknown kind is
refused: it may say what else must be covered.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from vsanon.detections import SWATCHES, Origin, TrackedBoxes
from vsanon.errors import TrackFileError
from vsanon.files import open_plain, sha256_of, write_atomic
from vsanon.tracking.cover import GRID
from vsanon.tracking.identities import IdentitySettings, Run, identify
from vsanon.tracking.miniature import U16, miniature_size
from vsanon.tracks.miniatures import BLOCK, Miniatures, pack
from vsanon.tracks.table import TrackTable

VERSION = 2
READ = (1, 2)
"""Files of version 1 say nothing of the pictures that they belong to."""
MAX_FILE = 2**29
"""Bytes; two hours with eight faces a frame take about 25 million."""
MAX_LINE = 2**24
MAX_BOXES = 20_000_000
MAX_RUNS = 2_000_000
MAX_FRAMES = 2**24
MAX_EDITS = 100_000
MAX_TRACK = 2**31
_LIMIT = GRID * 2**20
_RATE = re.compile(r"[0-9]{1,10}(/[1-9][0-9]{0,9})?")
_TAIL = 200
_END = re.compile(rb'"sha256":"([0-9a-f]{64})"\}\n$')
_LETTERS = "dihm"
"""One letter for each `Origin`, in its order."""
_ORIGINS = np.full(256, 255, np.uint8)
_ORIGINS[np.frombuffer(_LETTERS.encode(), np.uint8)] = np.arange(len(_LETTERS))


@dataclass(slots=True)
class _Open:
    start: int
    boxes: list[NDArray[np.int32]]
    origins: bytearray
    facts: tuple[str, float, bytes]


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    id: int
    start: int
    boxes: NDArray[np.int32]
    origins: bytes
    label: str
    score: float
    swatches: bytes
    track: int = 0


class TrackWriter:
    """Takes the boxes of frame after frame and writes the file at the end; memory grows with boxes only.

    Args:
        header: facts of the clip and of the settings; must hold "frames" (int), "size" ([width, height]) and
            "fps" (a fraction, as text).
        identities: how the runs are linked into identities.
    """

    def __init__(self, header: Mapping[str, Any], identities: IdentitySettings | None = None) -> None:
        self._header = {"vsanon_tracks": VERSION, **header}
        self._identities = identities
        self._next = 0
        self.frames_searched = 0
        self._cuts: list[int] = []
        self._open: dict[int, _Open] = {}
        self._runs: list[_Run] = []
        self._miniatures: list[U16] = []
        self._signed: list[bytes] = []
        self._done: list[_Run] | None = None

    def add(
        self, boxes: TrackedBoxes, *, cut: bool = False, searched: bool = True, miniature: U16 | None = None
    ) -> None:
        """Add the boxes of the next frame.

        Args:
            boxes: the frame's boxes.
            cut: the frame starts a new shot.
            searched: a model has seen the frame.
            miniature: (h, w) uint16, of the picture that the boxes belong to; of every frame or of none.

        Raises:
            ValueError: a miniature after frames without one, or the other way round.
        """
        n = self._next
        if (miniature is not None) != bool(self._miniatures or self._signed) and n > 0:
            raise ValueError(f"frame {n}: every frame has a miniature, or none has")
        if miniature is not None:
            self._miniatures.append(miniature.copy())
            self._shape = miniature.shape
            if len(self._miniatures) == BLOCK:
                self._pack()
        self.frames_searched += searched
        if cut:
            self._cuts.append(n)
        grid = np.rint(boxes.xyxy * GRID).astype(np.int32)
        present = set(boxes.ids)
        # No run goes on over a cut, so that identities can end there.
        for gone in [i for i in self._open if cut or i not in present]:
            self._close(gone)
        for k, i in enumerate(boxes.ids):
            facts = (boxes.classes[k], float(boxes.scores[k]), boxes.swatches[k].tobytes())
            run = self._open.get(i)
            if run is not None and run.facts != facts:
                self._close(i)
                run = None
            if run is None:
                run = self._open[i] = _Open(n, [], bytearray(), facts)
            run.boxes.append(grid[k])
            run.origins.append(int(boxes.origins[k]))
        self._next += 1

    def content(self) -> bytes:
        """Link the runs: the whole track file.

        Raises:
            TrackFileError: not every frame was added.
        """
        linked = self._linked()
        if self._miniatures:
            self._pack()
        header = {**self._header, "frames_searched": self.frames_searched, "cuts": self._cuts}
        blocks = (_block_line(k, block) for k, block in enumerate(self._signed))
        return _closed([_line(header), *blocks, *(_run_line(run) for run in linked)])

    def count(self) -> dict[str, int]:
        """How many identities there are, by class; errors as for `content`."""
        found: dict[str, set[int]] = {}
        for run in self._linked():
            found.setdefault(run.label, set()).add(run.track)
        return {label: len(tracks) for label, tracks in found.items()}

    def write(self, path: Path) -> str:
        """Write the file, atomically, and return its SHA-256.

        Raises:
            TrackFileError: not every frame was added, or the folder can't be written.
        """
        content = self.content()
        _write(path, content)
        return sha256_of(content)

    def _pack(self) -> None:
        self._signed.append(pack(self._miniatures))
        self._miniatures.clear()

    def _linked(self) -> list[_Run]:
        """The runs by rising frame, each with its identity; linked once, after the last frame."""
        if self._next != self._header["frames"]:
            raise TrackFileError(f"{self._next} of {self._header['frames']} frames have tracks; not written")
        if self._done is None:
            for i in sorted(self._open):
                self._close(i)
            runs = sorted(self._runs, key=lambda run: (run.start, run.id))
            seen = [
                Run(r.start, (r.boxes / GRID).astype(np.float32),
                    np.frombuffer(r.origins, np.uint8) == Origin.DETECTED, r.label,
                    np.frombuffer(r.swatches, np.uint8).reshape(SWATCHES, SWATCHES, 3))
                for r in runs
            ]  # fmt: skip
            tracks = identify(seen, self._cuts, Fraction(self._header["fps"]), self._identities)
            self._done = [replace(run, track=int(t)) for run, t in zip(runs, tracks, strict=True)]
        return self._done

    def _close(self, i: int) -> None:
        run = self._open.pop(i)
        self._runs.append(_Run(i, run.start, np.array(run.boxes, np.int32), bytes(run.origins), *run.facts))


def read_tracks(path: Path) -> TrackTable:
    """Read a track file: what was found, and the edits beside it, not applied.

    Raises:
        TrackFileError: not a track file, damaged, cut short, of another version, or with values out of range.
    """
    return _read(path)[0]


def version_of(path: Path) -> str:
    """What tells this content of a track file from any other: the SHA-256 in its last line, as it stands there.

    Raises:
        TrackFileError: it can't be read, or has no such line.
    """
    try:
        with open_plain(path) as file:
            file.seek(0, 2)
            file.seek(max(file.tell() - _TAIL, 0))
            found = _END.search(file.read(_TAIL))
    except OSError as error:
        raise TrackFileError(f"{path}: can't read the track file: {error.strerror}") from error
    if found is None:
        raise TrackFileError(f"{path}: the file is cut short: its end line is missing. Run `vsanon analyze` again")
    return found[1].decode()


def rewrite_edits(path: Path, edits: Sequence[Mapping[str, Any]]) -> None:
    """Write the file again with these edits in place of its own; all other lines stay as they are, to the byte.

    Raises:
        TrackFileError: as for `read_tracks`, too many edits, or the folder can't be written.
    """
    if len(edits) > MAX_EDITS:
        raise TrackFileError(f"{path}: more than {MAX_EDITS} edits; refused")
    _, lines = _read(path, keep_lines=True)
    _write(path, _closed([*lines, *(_line(edit) for edit in edits)]))


def _read(path: Path, *, keep_lines: bool = False) -> tuple[TrackTable, list[bytes]]:
    """The table and, where they are asked for, the lines of the header and the runs."""
    digest = hashlib.sha256()
    header: dict[str, Any] | None = None
    runs: list[_Run] = []
    signed: list[bytes] = []
    edits: list[dict[str, Any]] = []
    lines: list[bytes] = []
    total = 0
    closed = False
    try:
        with open_plain(path) as file:
            if path.stat().st_size > MAX_FILE:
                raise TrackFileError(
                    f"{path}: larger than {MAX_FILE} bytes, which no track file should be; refused"
                )
            number = 0
            while line := file.readline(MAX_LINE):
                number += 1
                if closed:
                    raise TrackFileError(f"{path}:{number}: there are lines after the end of the file")
                record = _record(path, number, line)
                if header is None:
                    header = _header(path, record)
                    lines.append(line)
                elif "end" in record:
                    _check_end(path, record, number - 2, digest.hexdigest())
                    closed = True
                elif "miniatures" in record and not runs and not edits:
                    signed.append(_block(path, number, record, len(signed)))
                    lines.append(line)
                elif "edit" in record:
                    edits.append(_edit(path, number, record, len(edits)))
                elif "id" in record:
                    runs.append(_run(path, number, record, header))
                    if keep_lines:
                        lines.append(line)
                    total += len(runs[-1].boxes)
                    if total > MAX_BOXES or len(runs) > MAX_RUNS:
                        what = f"{MAX_BOXES} boxes" if total > MAX_BOXES else f"{MAX_RUNS} runs"
                        raise TrackFileError(f"{path}:{number}: more than {what}; refused")
                else:
                    raise TrackFileError(
                        f"{path}:{number}: a line of an unknown kind. Use the vsanon that wrote it"
                    )
                digest.update(line)
    except OSError as error:
        raise TrackFileError(f"{path}: can't read the track file: {error.strerror}") from error
    if header is None or not closed:
        raise TrackFileError(f"{path}: the file is cut short: its end line is missing. Run `vsanon analyze` again")
    return replace(_table(header, runs), edits=tuple(edits), miniatures=_miniatures(path, header, signed)), lines


def _closed(lines: Sequence[bytes]) -> bytes:
    """The lines of a track file, with the last one, which vouches for them."""
    body = b"".join(lines)
    return body + _line({"end": len(lines) - 1, "sha256": hashlib.sha256(body).hexdigest()})


def _write(path: Path, content: bytes) -> None:
    try:
        write_atomic(path, content)
    except OSError as error:
        raise TrackFileError(f"{path}: writing failed: {error.strerror}; nothing was changed there") from error


def _line(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, separators=(",", ":"), allow_nan=False, ensure_ascii=True).encode() + b"\n"


def _run_line(run: _Run) -> bytes:
    return _line(
        {
            "id": run.id,
            "track": run.track,
            "class": run.label,
            "start": run.start,
            "score": run.score,
            "origins": "".join(_LETTERS[o] for o in run.origins),
            "boxes": np.diff(run.boxes, axis=0, prepend=0).ravel().tolist(),
            "swatches": base64.b64encode(run.swatches).decode(),
        }
    )


def _block_line(number: int, block: bytes) -> bytes:
    return _line({"miniatures": number * BLOCK, "packed": base64.b64encode(block).decode()})


def _record(path: Path, number: int, line: bytes) -> dict[str, Any]:
    if not line.endswith(b"\n"):
        raise TrackFileError(f"{path}:{number}: the line is cut short, or longer than {MAX_LINE} bytes")
    try:
        record = _DECODER.decode(line.decode())
    except (ValueError, RecursionError) as error:
        raise TrackFileError(f"{path}:{number}: not a line of a track file: {error}") from error
    if not isinstance(record, dict):
        raise TrackFileError(f"{path}:{number}: an object was expected")
    return record


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not a number")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def _is_int(value: object, low: int, stop: int) -> TypeGuard[int]:
    return type(value) is int and low <= value < stop


def is_label(value: object) -> TypeGuard[str]:
    """Whether `value` can name a class: 1 to 100 printable letters."""
    return isinstance(value, str) and 0 < len(value) <= 100 and value.isprintable()


def _header(path: Path, record: dict[str, Any]) -> dict[str, Any]:
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


def _block(path: Path, number: int, record: dict[str, Any], before: int) -> bytes:
    start, packed = record["miniatures"], record.get("packed")
    if not _is_int(start, 0, MAX_FRAMES) or start != before * BLOCK:
        raise TrackFileError(
            f"{path}:{number}: miniatures from {before * BLOCK} on were expected, got {start!r:.80}"
        )
    try:
        return base64.b64decode(packed if isinstance(packed, str) else "-", validate=True)
    except (binascii.Error, ValueError) as error:
        raise TrackFileError(f"{path}:{number}: packed miniatures must be base64") from error


def _miniatures(path: Path, header: Mapping[str, Any], signed: Sequence[bytes]) -> Miniatures | None:
    """The miniatures of a file, of all frames or of none; each block is unpacked when it is asked for."""
    if not signed:
        return None
    wanted = -(-header["frames"] // BLOCK)
    if len(signed) != wanted:
        raise TrackFileError(f"{path}: {len(signed)} blocks of miniatures; {wanted} were expected")
    width, height = miniature_size((header["size"][0], header["size"][1]))
    return Miniatures(tuple(signed), header["frames"], (height, width))


def _check_end(path: Path, record: dict[str, Any], lines: int, digest: str) -> None:
    if record.get("end") != lines or record.get("sha256") != digest:
        raise TrackFileError(f"{path}: the file was damaged or changed by hand: its SHA-256 does not fit")


def _edit(path: Path, number: int, record: dict[str, Any], before: int) -> dict[str, Any]:
    """An edit's own frame; what it does is for `vsanon.tracks.edits` to check."""
    if before >= MAX_EDITS:
        raise TrackFileError(f"{path}:{number}: more than {MAX_EDITS} edits; refused")
    if not _is_int(record["edit"], 1, MAX_TRACK):
        raise TrackFileError(f"{path}:{number}: edit must be a number from 1 up, got {record['edit']!r:.80}")
    for key in ("op", "by", "at", "reason"):
        if not isinstance(record.get(key), str) or not record[key]:
            raise TrackFileError(f"{path}:{number}: the edit has no {key}")
    return record


def _run(path: Path, number: int, record: dict[str, Any], header: Mapping[str, Any]) -> _Run:
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
    if len(swatches) != SWATCHES * SWATCHES * 3:
        raise wrong(f"swatches must be {SWATCHES * SWATCHES * 3} bytes, got {len(swatches)}")
    return _Run(id_, start, boxes.astype(np.int32), origins.tobytes(), label, float(score), swatches, track)


def _table(header: dict[str, Any], runs: list[_Run]) -> TrackTable:
    lengths = np.array([len(r.boxes) for r in runs], np.int64)
    starts = np.array([r.start for r in runs], np.int64)
    ids = np.array([r.id for r in runs], np.int64)
    tracks = np.array([r.track for r in runs], np.int64)
    owner = np.repeat(np.arange(len(runs)), lengths)
    first = np.cumsum(lengths) - lengths
    n = np.arange(int(lengths.sum())) - np.repeat(first - starts, lengths)
    boxes = np.concatenate([r.boxes for r in runs]) if runs else np.zeros((0, 4), np.int32)
    origins = np.frombuffer(b"".join(r.origins for r in runs), np.uint8)
    order = np.lexsort((ids[owner], n))
    counts = np.bincount(n, minlength=header["frames"])
    return TrackTable(
        header,
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        boxes[order].astype(np.float32) / np.float32(GRID),
        origins[order],
        owner[order],
        tracks[owner][order],
        ids,
        tuple(r.label for r in runs),
        np.array([r.score for r in runs], np.float32),
        np.frombuffer(b"".join(r.swatches for r in runs), np.uint8).reshape(-1, SWATCHES, SWATCHES, 3),
    )
