"""The track file: tracked boxes of a whole clip as versioned JSON Lines, written whole, read with distrust.

Line 1 is the header. Then come the miniatures of the frames, in blocks: the pictures that the boxes belong to. Each
further line is one run of a track over consecutive frames, then come the edits that people made; the last line
closes the file with the SHA-256 of all bytes before it, so that a file cut short is noticed. Frames are 0-based;
boxes are whole eighths of a pixel, the first of a run as it is, each further one as the difference to the one
before. `schema/track_file.schema.json` describes every line.

Readers skip keys that they don't know, and keep them when they add an edit. A line of an unknown kind is
refused: it may say what else must be covered.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from vsanon.detections import Origin, TrackedBoxes, no_swatches
from vsanon.errors import TrackFileError
from vsanon.files import open_plain, sha256_of, write_atomic
from vsanon.scratch import Scratch
from vsanon.tracking.cover import GRID
from vsanon.tracking.identities import IdentitySettings, Run, identify, is_steady
from vsanon.tracking.miniature import U16, miniature_size
from vsanon.tracks.lines import (
    MAX_EDITS,
    MAX_LINE,
    VERSION,
    RunRecord,
    block_line,
    block_of,
    check_end,
    edit_of,
    header_of,
    line_of,
    record_of,
    run_line,
    run_of,
    swatches_of,
)
from vsanon.tracks.miniatures import BLOCK, Miniatures, pack
from vsanon.tracks.runs_aside import OpenRun, RunsAside
from vsanon.tracks.table import TrackTable

MAX_FILE = 2**29
"""Bytes; two hours with eight faces a frame take about 60 million."""

MAX_BOXES = 20_000_000
MAX_RUNS = 2_000_000
_TAIL = 200
_END = re.compile(rb'"sha256":"([0-9a-f]{64})"\}\n$')


class TrackWriter:
    """Takes the boxes of frame after frame and gives the file at the end; until then they lie in a temporary file.

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
        self._open: dict[int, OpenRun] = {}
        self._scratch = Scratch("what covers the frames could not be kept to be linked into tracks")
        self._runs = RunsAside(self._scratch)
        self._miniatures: list[U16] = []
        self._blocks: list[tuple[int, int]] = []
        self._done: tuple[list[str], list[int]] | None = None

    def of_frames(self, frames: int) -> "TrackWriter":
        """A new one of the same header, for so many frames."""
        return TrackWriter({**self._header, "frames": frames}, self._identities)

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
        if (miniature is not None) != bool(self._miniatures or self._blocks) and n > 0:
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
            label, score, swatches = boxes.classes[k], float(boxes.scores[k]), boxes.swatches[k]
            run = self._open.get(i)
            # What was found after a gap can go to another track's name: then it is another run.
            if run is not None and ((run.label, run.score) != (label, score) or not is_steady(run.last, swatches)):
                self._close(i)
                run = None
            if run is None:
                run = self._open[i] = OpenRun(i, n, label, score, swatches)
            run.add(grid[k], int(boxes.origins[k]), swatches)
        self._next += 1

    def lines(self) -> Iterator[bytes]:
        """Link the runs: the whole track file, line by line.

        Raises:
            TrackFileError: not every frame was added.
            CheckError: the temporary file can't be read.
        """
        _, tracks = self._linked()
        if self._miniatures:
            self._pack()
        header = {**self._header, "frames_searched": self.frames_searched, "cuts": self._cuts}
        blocks = (block_line(k, self._scratch.read(*place)) for k, place in enumerate(self._blocks))
        runs = (run_line(replace(run, track=track)) for run, track in zip(self._runs, tracks, strict=True))
        return _closed(chain([line_of(header)], blocks, runs))

    def count(self) -> dict[str, int]:
        """How many identities there are, by class; errors as for `lines`."""
        found: dict[str, set[int]] = {}
        for label, track in zip(*self._linked(), strict=True):
            found.setdefault(label, set()).add(track)
        return {label: len(tracks) for label, tracks in found.items()}

    def write(self, path: Path) -> str:
        """Write the file, atomically, and return its SHA-256; errors as for `lines`.

        Raises:
            TrackFileError: the folder can't be written.
        """
        content = b"".join(self.lines())
        _write(path, content)
        return sha256_of(content)

    def _pack(self) -> None:
        block = pack(self._miniatures)
        self._blocks.append((self._scratch.append(block), len(block)))
        self._miniatures.clear()

    def _linked(self) -> tuple[list[str], list[int]]:
        """Class and identity of each run, by rising frame; linked once, after the last frame."""
        if self._next != self._header["frames"]:
            raise TrackFileError(f"{self._next} of {self._header['frames']} frames have tracks; not written")
        if self._done is None:
            for i in sorted(self._open):
                self._close(i)
            seen = [
                Run(r.start, (r.boxes / GRID).astype(np.float32),
                    np.frombuffer(r.origins, np.uint8) == Origin.DETECTED, r.label,
                    swatches_of(r)[[0, -1]])
                for r in self._runs
            ]  # fmt: skip
            tracks = identify(seen, self._cuts, Fraction(self._header["fps"]), self._identities)
            self._done = [run.label for run in seen], tracks.tolist()
        return self._done

    def _close(self, i: int) -> None:
        self._runs.add(self._open.pop(i))


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
    _write(path, b"".join(_closed([*lines, *(line_of(edit) for edit in edits)])))


def _read(path: Path, *, keep_lines: bool = False) -> tuple[TrackTable, list[bytes]]:
    """The table and, where they are asked for, the lines of the header and the runs."""
    digest = hashlib.sha256()
    header: dict[str, Any] | None = None
    runs: list[RunRecord] = []
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
                record = record_of(path, number, line)
                if header is None:
                    header = header_of(path, record)
                    lines.append(line)
                elif "end" in record:
                    check_end(path, record, number - 2, digest.hexdigest())
                    closed = True
                elif "miniatures" in record and not runs and not edits:
                    signed.append(block_of(path, number, record, len(signed)))
                    lines.append(line)
                elif "edit" in record:
                    edits.append(edit_of(path, number, record, len(edits)))
                elif "id" in record:
                    runs.append(run_of(path, number, record, header))
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


def _closed(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a track file, with the last one, which vouches for them."""
    digest, count = hashlib.sha256(), 0
    for line in lines:
        digest.update(line)
        count += 1
        yield line
    yield line_of({"end": count - 1, "sha256": digest.hexdigest()})


def _write(path: Path, content: bytes) -> None:
    try:
        write_atomic(path, content)
    except OSError as error:
        raise TrackFileError(f"{path}: writing failed: {error.strerror}; nothing was changed there") from error


def _miniatures(path: Path, header: Mapping[str, Any], signed: Sequence[bytes]) -> Miniatures | None:
    """The miniatures of a file, of all frames or of none; each block is unpacked when it is asked for."""
    if not signed:
        return None
    wanted = -(-header["frames"] // BLOCK)
    if len(signed) != wanted:
        raise TrackFileError(f"{path}: {len(signed)} blocks of miniatures; {wanted} were expected")
    width, height = miniature_size((header["size"][0], header["size"][1]))
    return Miniatures(tuple(signed), header["frames"], (height, width))


def _table(header: dict[str, Any], runs: list[RunRecord]) -> TrackTable:
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
        np.concatenate([swatches_of(r) for r in runs]) if runs else no_swatches(0),
        order,
    )
