"""What a chunk knows of each of its frames, in a file for the join: what covers it, and how it was found.

A line of JSON a frame, zipped; it holds boxes, and so is personal data like a track file.
"""

import base64
import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from vsanon.detections import SWATCHES, Origin, Outline, TrackedBoxes
from vsanon.errors import InputError
from vsanon.plain_json import load_json
from vsanon.tracking.miniature import U16

_MOST_LINE = 1 << 24
"""Bytes of a line; a frame of a thousand boxes has some 300,000."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameRecord:
    """One frame.

    Args:
        boxes: what covers it.
        cut: it starts a new shot.
        searched: a model has seen it.
        missing: why nothing is known of it; None where something is.
        picture: how it compares with the one analysed; empty where it was not painted.
        miniature: (h, w) uint16, where a track file is to be written.
    """

    boxes: TrackedBoxes
    cut: bool
    searched: bool
    missing: str | None = None
    picture: str = ""
    miniature: U16 | None = None


class RecordWriter:
    """Writes records to an open file; use with `with`."""

    def __init__(self, file: BinaryIO) -> None:
        self._zip = gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0)

    def __enter__(self) -> "RecordWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def add(self, record: FrameRecord) -> None:
        """Add the next frame."""
        boxes, small = record.boxes, record.miniature
        plain: dict[str, Any] = {
            "xyxy": boxes.xyxy.astype(np.float32).ravel().tolist(),
            "scores": boxes.scores.astype(np.float32).tolist(),
            "classes": boxes.classes,
            "ids": boxes.ids,
            "origins": [int(origin) for origin in boxes.origins],
            "swatches": base64.b64encode(boxes.swatches.tobytes()).decode(),
            "outlines": [None if outline is None else asdict(outline) for outline in boxes.outlines],
            "cut": record.cut,
            "searched": record.searched,
            "missing": record.missing,
            "picture": record.picture,
        }
        if small is not None:
            plain["miniature"] = [list(small.shape), base64.b64encode(small.astype("<u2").tobytes()).decode()]
        self._zip.write(json.dumps(plain, allow_nan=False).encode() + b"\n")


def read_records(path: Path) -> Iterator[FrameRecord]:
    """The records of a file, in order.

    Raises:
        InputError: it can't be read, or is damaged.
    """
    try:
        with gzip.open(path, "rb") as file:
            while line := file.readline(_MOST_LINE):
                yield _record(load_json(line))
    except (OSError, EOFError, zlib.error, ValueError, LookupError, TypeError, OverflowError) as error:
        raise InputError(
            f"{path}: the record of a chunk's frames is damaged: {error}: remove it, and do the chunk again"
        ) from error


def digest(boxes: TrackedBoxes) -> str:
    """SHA-256 of what covers a frame, by which neighbours know that they agree on the frame between them."""
    content = [boxes.xyxy.astype("<f4").tobytes(), "\n".join(boxes.classes).encode(), boxes.swatches.tobytes()]
    return hashlib.sha256(b"\0".join(content)).hexdigest()


def _record(plain: dict[str, Any]) -> FrameRecord:
    n = len(plain["ids"])
    swatches = np.frombuffer(base64.b64decode(plain["swatches"]), np.uint8).reshape(n, SWATCHES, SWATCHES, 3)
    boxes = TrackedBoxes(
        np.array(plain["xyxy"], np.float32).reshape(n, 4),
        np.array(plain["scores"], np.float32),
        tuple(plain["classes"]),
        tuple(plain["ids"]),
        tuple(Origin(origin) for origin in plain["origins"]),
        swatches,
        tuple(None if o is None else _outline(o) for o in plain["outlines"]),
    )
    small = plain.get("miniature")
    if small is not None:
        small = np.frombuffer(base64.b64decode(small[1]), "<u2").reshape(small[0]).astype(np.uint16)
    return FrameRecord(boxes, plain["cut"], plain["searched"], plain["missing"], plain["picture"], small)


def _outline(plain: dict[str, Any]) -> Outline:
    return Outline(plain["kind"], tuple((x, y) for x, y in plain["points"]))
