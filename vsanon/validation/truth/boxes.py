"""Ground truth: the boxes that people drew, read from CSV or TLD's text files, checked to the last cell."""

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32, area, as_boxes, clip_boxes
from vsanon.errors import InputError
from vsanon.files import open_plain

COLUMNS = ("frame", "track_id", "class", "x0", "y0", "x1", "y1", "ignore", "occluded", "readable")
"""The header of a truth CSV, in this order."""
MAX_DIGITS = 18
"""Frames and ids are kept as 64-bit integers."""


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """The true boxes of a clip, one row a box, in the order of frames.

    An identity is a pair of class and id. Rows come in any order and are sorted by frame, stably.

    Args:
        frames: (n,) int64, 0-based.
        ids: (n,) int64, the identity within its class.
        classes: (n,) str, such as "face" or "plate".
        xyxy: (n, 4) float32, pixels of the coded frame, end-exclusive, fractional edges allowed.
        ignore: (n,) bool; such a box counts neither as a hit nor as a miss.
        occluded: (n,) bool, partly hidden.
        readable: (n,) bool, a plate that can be read.

    Raises:
        ValueError: the lengths differ, a frame is negative, a box has no area, or an identity is
            twice in one frame.
    """

    frames: NDArray[np.int64]
    ids: NDArray[np.int64]
    classes: NDArray[np.str_]
    xyxy: F32
    ignore: NDArray[np.bool_]
    occluded: NDArray[np.bool_]
    readable: NDArray[np.bool_]

    def __post_init__(self) -> None:
        frames = np.asarray(self.frames, np.int64).reshape(-1)
        order = np.argsort(frames, kind="stable")
        columns = {
            "frames": frames,
            "ids": np.asarray(self.ids, np.int64).reshape(-1),
            "classes": np.asarray(self.classes, np.str_).reshape(-1),
            "xyxy": as_boxes(self.xyxy),
            "ignore": np.asarray(self.ignore, np.bool_).reshape(-1),
            "occluded": np.asarray(self.occluded, np.bool_).reshape(-1),
            "readable": np.asarray(self.readable, np.bool_).reshape(-1),
        }
        for name, column in columns.items():
            if len(column) != len(frames):
                raise ValueError(f"{len(frames)} frames need {len(frames)} {name}, got {len(column)}")
            object.__setattr__(self, name, column[order])
        if len(self) and self.frames[0] < 0:
            raise ValueError(f"frames are 0-based, got {self.frames[0]}")
        if not np.all(self.xyxy[:, 2:] > self.xyxy[:, :2]):
            raise ValueError("truth boxes need x0 < x1 and y0 < y1")
        keys = set(zip(self.frames.tolist(), self.classes.tolist(), self.ids.tolist(), strict=True))
        if len(keys) != len(self):
            raise ValueError("an identity is twice in one frame")

    def __len__(self) -> int:
        return len(self.frames)

    def rows(self, n: int) -> slice:
        """The rows of frame `n`; empty where it has no truth."""
        start, stop = np.searchsorted(self.frames, [n, n + 1])
        return slice(int(start), int(stop))


def read_truth(path: Path) -> Truth:
    """Read a truth CSV with the header `frame,track_id,class,x0,y0,x1,y1,ignore,occluded,readable`.

    Args:
        path: a UTF-8 file; a header alone says that the clip has no truth at all.

    Raises:
        InputError: the file can't be read, or a cell is not what its column needs; the message
            names file, line and column.
    """
    cells = _lines(path)
    line, header = next(cells, (1, []))
    if tuple(header) != COLUMNS:
        raise InputError(
            f"{path}:{line}: the header must be {','.join(COLUMNS)}, got {','.join(header) or 'nothing'}."
        )
    boxes: list[_Box] = []
    seen: dict[tuple[int, str, int], int] = {}
    for line, values in cells:
        row = _Row(path, line, COLUMNS, values)
        box = _Box(
            frame=row.whole("frame"),
            track_id=row.whole("track_id"),
            class_name=row.text("class"),
            xyxy=row.box(),
            ignore=row.flag("ignore"),
            occluded=row.flag("occluded"),
            readable=row.flag("readable"),
        )
        first = seen.setdefault((box.frame, box.class_name, box.track_id), line)
        if first != line:
            raise row.error(
                "track_id", f"frame {box.frame} already has {box.class_name} {box.track_id}, on line {first}"
            )
        boxes.append(box)
    return _as_truth(boxes)


def read_tld(path: Path, class_name: str = "face") -> Truth:
    """Read a TLD truth file: `x0,y0,x1,y1` a line, line `n + 1` is frame `n`, NaN where the object is absent.

    Args:
        path: the text file.
        class_name: the class of its object, which gets the id 1.

    Raises:
        InputError: the file can't be read, or a line is neither a box nor four NaN; the message
            names file, line and column.
    """
    boxes: list[_Box] = []
    for line, values in _lines(path):
        row = _Row(path, line, COLUMNS[3:7], values)
        if not all(value.strip().lower() == "nan" for value in values):
            boxes.append(_Box(line - 1, 1, class_name, row.box()))
    return _as_truth(boxes)


class _Box(NamedTuple):
    """One row of a truth, as read."""

    frame: int
    track_id: int
    class_name: str
    xyxy: tuple[float, float, float, float]
    ignore: bool = False
    occluded: bool = False
    readable: bool = False


def _as_truth(boxes: list[_Box]) -> Truth:
    return Truth(
        frames=np.array([box.frame for box in boxes], np.int64),
        ids=np.array([box.track_id for box in boxes], np.int64),
        classes=np.array([box.class_name for box in boxes], np.str_),
        xyxy=as_boxes([box.xyxy for box in boxes]),
        ignore=np.array([box.ignore for box in boxes], np.bool_),
        occluded=np.array([box.occluded for box in boxes], np.bool_),
        readable=np.array([box.readable for box in boxes], np.bool_),
    )


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The lines of a CSV file that are not blank, with their numbers from 1."""
    try:
        with io.TextIOWrapper(open_plain(path), encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            for values in reader:
                if values:
                    yield reader.line_num, values
    except (OSError, UnicodeDecodeError, csv.Error) as err:
        raise InputError(f"{path}: can't be read as a truth file: {err}. Give a UTF-8 text file.") from err


class _Row:
    """One line, and its cells by column, each read with an error that says where it stands."""

    def __init__(self, path: Path, line: int, columns: tuple[str, ...], values: list[str]) -> None:
        self._where = f"{path}:{line}"
        if len(values) != len(columns):
            raise InputError(
                f"{self._where}: expected {len(columns)} columns ({','.join(columns)}), got {len(values)}; "
                f"{'missing: ' + columns[len(values)] if len(values) < len(columns) else 'drop the rest'}."
            )
        self._cells = dict(zip(columns, values, strict=True))

    def error(self, column: str, why: str) -> InputError:
        return InputError(f"{self._where}: column {column}: {why}.")

    def text(self, column: str) -> str:
        value = self._cells[column].strip()
        if not value:
            raise self.error(column, "expected a name, got nothing")
        return value

    def whole(self, column: str) -> int:
        value = self._cells[column].strip()
        if not (value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS):
            raise self.error(column, f"expected a whole number from 0 up, got {value!r}")
        return int(value)

    def flag(self, column: str) -> bool:
        value = self._cells[column].strip()
        if value not in ("0", "1"):
            raise self.error(column, f"expected 0 or 1, got {value!r}")
        return value == "1"

    def number(self, column: str) -> float:
        value = self._cells[column].strip()
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise self.error(column, f"expected pixels, got {value!r}")
        return number

    def box(self) -> tuple[float, float, float, float]:
        x0, y0, x1, y1 = (self.number(column) for column in ("x0", "y0", "x1", "y1"))
        for column, low, high in (("x1", x0, x1), ("y1", y0, y1)):
            # As float32, since that is how the boxes are kept.
            if not np.float32(low) < np.float32(high):
                raise self.error(column, f"expected more than {low:g}, its other edge, got {high:g}")
        return x0, y0, x1, y1


def require_inside(truth: Truth, size: tuple[int, int] | None, frames: int | None, where: str = "truth") -> None:
    """Refuse a truth that can't be that of a clip: a frame past its end, or a box that counts and lies outside.

    Args:
        truth: the true boxes.
        size: (width, height) of the clip, pixels; None does not check the boxes.
        frames: of the clip; None does not check the frames.
        where: what the truth is, for the message.

    Raises:
        InputError: it names the identity, the frame and the box.
    """
    counts = ~truth.ignore
    late = truth.frames >= frames if frames is not None else np.zeros(len(truth), np.bool_)
    outside = area(clip_boxes(truth.xyxy, size)) <= 0 if size is not None else np.zeros(len(truth), np.bool_)
    for wrong, why in (
        (late, f"the clip has {frames} frames"),
        (outside & counts, f"the frame is {size[0]}x{size[1]} pixels" if size is not None else ""),
    ):
        if wrong.any():
            i = int(np.flatnonzero(wrong)[0])
            box = ", ".join(f"{v:g}" for v in truth.xyxy[i])
            raise InputError(
                f"{where}: {truth.classes[i]} {truth.ids[i]} of frame {truth.frames[i]} at ({box}) lies outside: "
                f"{why}. {int(wrong.sum())} boxes do. Is this the truth of another clip, size or range of frames?"
            )
