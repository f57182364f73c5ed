"""MOTChallenge CSV, both ways: `frame,id,left,top,width,height,score,class,visibility`.

Frames, ids and the pixel of the upper left corner count from 1 there. What the format can't carry:
`LOSSES["mot"]`; class and visibility are written as -1.
"""

import csv
import io
from pathlib import Path

from vsanon.errors import InputError
from vsanon.files import write_output
from vsanon.interchange import MAX_BOXES, Lane, Place, frame_within, lanes_of, read_bytes
from vsanon.tracks.edit_kinds import KeyFrame
from vsanon.tracks.table import TrackTable


def write(path: Path, table: TrackTable) -> None:
    """Write a table, edits applied; second boxes of an identity in a frame get ids above all others.

    Raises:
        InputError: the file can't be written.
    """
    lanes = lanes_of(table)
    spare = max((int(lane.track or 0) for lane in lanes), default=0)
    used: set[int] = set()
    rows: list[tuple[int, int, str]] = []
    for lane in lanes:
        number = int(lane.track or 0)
        if number in used:
            spare += 1
            number = spare
        used.add(number)
        for n, place in lane.places.items():
            x0, y0, x1, y1 = place.box
            values = (x0 + 1, y0 + 1, x1 - x0, y1 - y0)
            text = ",".join([*(f"{v:.3f}" for v in values), f"{place.score:.6g}", "-1", "-1"])
            rows.append((n + 1, number, text))
    content = "".join(f"{n},{number},{text}\n" for n, number, text in sorted(rows))
    write_output(path, content.encode())


def read(path: Path, frames: int, _size: tuple[int, int] | None = None) -> list[Lane]:
    """Read a file; an id is an identity.

    Args:
        path: the file.
        frames: how many the clip has.
        _size: as of the other formats; this one does not say in pictures of which size its boxes were drawn.

    Raises:
        InputError: a line is no such row, or of a frame past the clip's end, or an id is twice in a frame.
    """
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not text: {error}") from error
    lanes: dict[int, Lane] = {}
    try:
        for count, row in enumerate(csv.reader(io.StringIO(text), strict=True), start=1):
            if not row:
                continue
            if count > MAX_BOXES:
                raise InputError(f"{path}: more than {MAX_BOXES} boxes; refused")
            n, number, place = _row(path, count, row, frames)
            lane = lanes.setdefault(number, Lane(number, ""))
            if n in lane.places:
                raise InputError(f"{path}:{count}: id {number} is twice in frame {n + 1}")
            lane.places[n] = place
    except csv.Error as error:
        raise InputError(f"{path}: not CSV: {error}") from error
    return [lanes[number] for number in sorted(lanes)]


def _row(path: Path, count: int, row: list[str], frames: int) -> tuple[int, int, Place]:
    try:
        n, number = _whole(row[0]) - 1, _whole(row[1])
        left, top, width, height = (float(v) for v in row[2:6])
        score = float(row[6]) if len(row) > 6 else 1.0
        if n < 0 or not 1 <= number < 2**31:
            raise ValueError("frames and ids count from 1")
        frame_within(n, frames)
        box = (left - 1, top - 1, left - 1 + width, top - 1 + height)
        KeyFrame(n, box)  # checks the values
    except (IndexError, OverflowError, ValueError) as error:
        raise InputError(f"{path}:{count}: not a row of frame,id,left,top,width,height,score: {error}") from error
    return n, number, Place(box, score=score if 0 <= score <= 1 else 1.0)


def _whole(text: str) -> int:
    number = float(text)
    if number != int(number):
        raise ValueError(f"frames and ids are whole numbers, got {text:.20}")
    return int(number)
