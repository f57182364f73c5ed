"""Truth from any file that people draw it in: told by its content, read by the reader of its kind, and written."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

import numpy as np

from vsanon.boxes import as_boxes
from vsanon.errors import InputError
from vsanon.files import write_output
from vsanon.interchange import Lane, Place, coco, cvat, mot, read_bytes
from vsanon.tracks.lines import MAX_FRAMES
from vsanon.validation.truth.boxes import COLUMNS, Truth, read_tld, read_truth, require_inside

IGNORED = "-ignore"
"""A label that ends so, such as "face-ignore", is of the class before it, and counts neither as hit nor as miss."""


class Kind(StrEnum):
    """What a truth file is."""

    CSV = "csv"
    TLD = "tld"
    MOT = "mot"
    CVAT = "cvat"
    COCO = "coco"


_READERS = {Kind.MOT: mot.read, Kind.CVAT: cvat.read, Kind.COCO: coco.read}


def read_any(
    path: Path,
    kind: Kind | str | None = None,
    class_name: str = "face",
    size: tuple[int, int] | None = None,
    frames: int | None = None,
) -> Truth:
    """Read a truth file of any kind.

    What a kind can't say is taken so: boxes of MOTChallenge with a score of 0 are ignored, as its own truth means
    it; labels of CVAT and COCO that end in `IGNORED` are ignored; a CVAT track and a COCO `track_id` are an
    identity. Outlines count with the box that spans them.

    Args:
        path: the file.
        kind: what it is; None tells it from the content, see `kind_of`.
        class_name: the class, where the file names none: TLD and MOTChallenge.
        size: (width, height) of the clip, pixels; None does not check the boxes.
        frames: of the clip; None does not check the frames.

    Raises:
        InputError: the file can't be read or told, is not of its kind, its identities can't be told, or its truth
            lies outside the clip.
    """
    found = kind_of(path) if kind is None else _named(path, kind)
    if found is Kind.CSV:
        truth = read_truth(path)
    elif found is Kind.TLD:
        truth = read_tld(path, class_name)
    else:
        lanes = _READERS[found](path, MAX_FRAMES if frames is None else frames, size)
        truth = _of_lanes(path, found, lanes, class_name)
    if size is not None or frames is not None:
        require_inside(truth, size, frames, str(path))
    return truth


def kind_of(path: Path) -> Kind:
    """What a truth file is, by its content; its suffix does not matter.

    Raises:
        InputError: it can't be read, or is nothing that is known.
    """
    content = read_bytes(path)[: 2**16].removeprefix(b"\xef\xbb\xbf")
    start = content.decode("utf-8", "replace").strip()
    cells = start.splitlines()[0].split(",") if start else []
    if start.startswith("<"):
        return Kind.CVAT
    if start.startswith("{"):
        return Kind.COCO
    if cells and cells[0] == COLUMNS[0]:
        return Kind.CSV
    if cells and all(_is_number(cell) for cell in cells):
        if len(cells) == 4:
            return Kind.TLD
        if 6 <= len(cells) <= 10:
            return Kind.MOT
    raise InputError(
        f"{path}: can't tell what kind of truth this is; it starts with {start[:40]!r}. "
        f"Known are {_known()}: name it, or start a CSV with the line {','.join(COLUMNS)}."
    )


def write_truth(path: Path, truth: Truth) -> None:
    """Write a truth CSV that reads back exactly.

    Raises:
        InputError: the file can't be written, or a class name would break its line.
    """
    lines = [",".join(COLUMNS)]
    for i in range(len(truth)):
        name = str(truth.classes[i])
        if not name.strip() or name != name.strip() or any(c in name for c in ',"\r\n'):
            raise InputError(f"{path}: the class {name!r} can't stand in a CSV: use letters, digits and hyphens.")
        edges = (np.format_float_positional(v, trim="-") for v in truth.xyxy[i])
        flags = (str(int(column[i])) for column in (truth.ignore, truth.occluded, truth.readable))
        lines.append(",".join([str(truth.frames[i]), str(truth.ids[i]), name, *edges, *flags]))
    write_output(path, "\n".join([*lines, ""]).encode())


def _of_lanes(path: Path, kind: Kind, lanes: Sequence[Lane], class_name: str) -> Truth:
    """Lanes as truth; where an identity is taken in one of its frames, or a lane has none, it gets a new one."""
    nameless = sum(lane.track is None for lane in lanes)
    if kind is Kind.COCO and nameless and len({n for lane in lanes for n in lane.places}) > 1:
        raise InputError(
            f"{path}: {nameless} of its boxes have no track_id, so that nobody can tell who is who from frame to "
            "frame. Give each annotation the track_id of its identity, or use CVAT's or MOTChallenge's format."
        )
    spare = max((lane.track or 0 for lane in lanes), default=0)
    taken: dict[tuple[str, int], set[int]] = {}
    rows: list[tuple[int, int, str, Place, bool]] = []
    for lane in lanes:
        name = lane.label.strip() or class_name
        ignored = name.endswith(IGNORED)
        name = name.removesuffix(IGNORED)
        track = lane.track
        if track is None or taken.get((name, track), set()) & set(lane.places):
            spare += 1
            track = spare
        taken.setdefault((name, track), set()).update(lane.places)
        for n, place in lane.places.items():
            rows.append((n, track, name, place, ignored or (kind is Kind.MOT and place.score == 0)))
    no = np.zeros(len(rows), np.bool_)
    try:
        return Truth(
            frames=np.array([row[0] for row in rows], np.int64),
            ids=np.array([row[1] for row in rows], np.int64),
            classes=np.array([row[2] for row in rows], np.str_),
            xyxy=as_boxes([row[3].box for row in rows]),
            ignore=np.array([row[4] for row in rows], np.bool_),
            occluded=no,
            readable=no,
        )
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error


def _named(path: Path, kind: Kind | str) -> Kind:
    try:
        return Kind(kind)
    except ValueError:
        raise InputError(f"{path}: {kind!r} is no kind of truth file; known are {_known()}.") from None


def _known() -> str:
    return ", ".join(Kind)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
