"""The targets of an audit: a truth file, or the CSV of a common verifier; each is checked against its clip."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from vsanon.boxes import as_boxes
from vsanon.errors import InputError
from vsanon.files import open_plain
from vsanon.validation.truth.boxes import COLUMNS, Truth
from vsanon.validation.truth.files import read_any

FOREIGN = ("frame", "target_id", "x1", "y1", "x2", "y2")
"""The columns of a common verifier's CSV, in any order; `class` may be there as well."""
TARGET = "target"
"""The class of targets whose file names none."""

_LETTERING = ("plate", "lp", "anpr", "text", "number")
_FACES = ("face", "head", "person")
_WIDE = 1.8
"""Wider than high by so much is no face."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What must be covered.

    Args:
        truth: the boxes.
        names: what the file calls its targets, by their ids in `truth`; empty where those are the file's own.
    """

    truth: Truth
    names: Mapping[int, str] = field(default_factory=dict)


def is_lettering(class_name: str, box: Sequence[float]) -> bool:
    """Whether a target is a plate or text, all of which counts; one of no class that is known is told by its form.

    Examples:
        >>> is_lettering("License_Plate", (0, 0, 10, 10)), is_lettering("target", (0, 0, 40, 10))
        (True, True)
        >>> is_lettering("face", (0, 0, 40, 10)), is_lettering("target", (0, 0, 10, 12))
        (False, False)
    """
    words = re.findall("[a-z]+", class_name.lower())
    if any(word.startswith(known) or word.endswith(known) for word in words for known in _LETTERING):
        return True
    known_face = any(word.startswith(known) for word in words for known in _FACES)
    return not known_face and box[2] - box[0] >= _WIDE * (box[3] - box[1])


def read_targets(path: Path, size: tuple[int, int], frames: int, first_frame: int = 0) -> Targets:
    """Read the targets of a clip; the header decides what kind of file it is.

    Args:
        path: one of `validation.truth.files`, or a CSV with the columns `FOREIGN`.
        size: (width, height) of the clip, pixels.
        frames: of the clip.
        first_frame: the number that the file gives to the first frame.

    Raises:
        InputError: it can't be read, or does not fit the clip.
    """
    try:
        found = _foreign(path) if _is_foreign(path) else Targets(read_any(path))
    except csv.Error as error:
        raise InputError(f"{path}: no CSV that can be read: {error}") from error
    truth = found.truth
    if first_frame:
        if len(truth) and int(truth.frames.min()) < first_frame:
            raise InputError(
                f"{path}: it has frame {int(truth.frames.min())}, and --first-frame says {first_frame}"
            )
        truth = replace(truth, frames=truth.frames - first_frame)
    read_any_range(truth, size, frames, path)
    return replace(found, truth=truth)


def read_any_range(found: Truth, size: tuple[int, int], frames: int, path: Path) -> None:
    """Refuse targets outside the clip; a file that ends one frame late is likely numbered from 1.

    Raises:
        InputError: a target lies past the end or outside the picture.
    """
    from vsanon.validation.truth.boxes import require_inside

    if len(found) and int(found.frames.max()) == frames:
        raise InputError(
            f"{path}: it names frame {frames}, and the clip has {frames}: are its frames numbered from 1? "
            "Say --first-frame 1"
        )
    require_inside(found, size, frames, str(path))


def _header(path: Path) -> list[str]:
    try:
        with _text(path) as file:
            return [cell.strip().lower() for cell in next(csv.reader(file), [])]
    except (OSError, UnicodeDecodeError, csv.Error):
        return []  # what is wrong with it is for `read_any` to say


def _text(path: Path) -> io.TextIOWrapper:
    return io.TextIOWrapper(open_plain(path), encoding="utf-8-sig", newline="")


def _is_foreign(path: Path) -> bool:
    header = _header(path)
    return header != list(COLUMNS) and "target_id" in header


def _foreign(path: Path) -> Targets:
    header = _header(path)
    if missing := [name for name in FOREIGN if name not in header]:
        raise InputError(f"{path}:1: the header needs {','.join(FOREIGN)}; {missing[0]} is missing")
    if len(set(header)) != len(header):
        raise InputError(f"{path}:1: the header names a column twice: {','.join(header)}")
    frames: list[int] = []
    classes: list[str] = []
    boxes: list[tuple[float, ...]] = []
    named: dict[str, int] = {}
    ids: list[int] = []
    seen: set[tuple[int, str]] = set()
    with _text(path) as file:
        reader = csv.reader(file)
        next(reader)
        for values in reader:
            if not values:
                continue
            where = f"{path}:{reader.line_num}"
            if len(values) != len(header):
                raise InputError(f"{where}: {len(header)} columns were expected, got {len(values)}")
            row = dict(zip(header, (v.strip() for v in values), strict=True))
            if not (row["frame"].isascii() and row["frame"].isdigit() and len(row["frame"]) < 12):
                raise InputError(
                    f"{where}: column frame: a whole number from 0 up was expected, got {row['frame']!r}"
                )
            try:
                box = tuple(float(row[name]) for name in FOREIGN[2:])
            except ValueError as error:
                raise InputError(f"{where}: pixels were expected in x1,y1,x2,y2: {error}") from error
            if not (np.isfinite(box).all() and box[0] < box[2] and box[1] < box[3]):
                raise InputError(f"{where}: finite x1 < x2 and y1 < y2 were expected, got {box}")
            if not row["target_id"]:
                raise InputError(f"{where}: column target_id: a name was expected, got nothing")
            key = int(row["frame"]), row["target_id"]
            if key in seen:
                raise InputError(f"{where}: target {key[1]} is twice in frame {key[0]}")
            seen.add(key)
            frames.append(key[0])
            classes.append(row.get("class") or TARGET)
            boxes.append(box)
            ids.append(named.setdefault(key[1], len(named)))
    no = np.zeros(len(frames), np.bool_)
    try:
        truth = Truth(
            np.array(frames, np.int64),
            np.array(ids, np.int64),
            np.array(classes, np.str_),
            as_boxes(boxes),
            no,
            no,
            no,
        )
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error
    return Targets(truth, {number: name for name, number in named.items()})
