"""Interchange with other tools: tracks out as lanes, lanes back in as edits.

A lane is a track as other tools know it: one class, at most one box a frame. Where an identity covers a place
twice in a frame (held from before and found again), its second boxes make a second lane.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vsanon.detections import Origin
from vsanon.errors import InputError
from vsanon.files import read_plain
from vsanon.tracks.edit_kinds import Box, Points
from vsanon.tracks.lines import is_label
from vsanon.tracks.table import TrackTable

MAX_FILE = 2**29
"""Bytes of a file to import."""

MAX_BOXES = 5_000_000
"""Boxes to import, those between key frames too: each takes some 300 bytes here."""


@dataclass(frozen=True, slots=True)
class Place:
    """A box of a lane; what a format doesn't carry has its default.

    Args:
        box: x0, y0, x1, y1, pixels, end-exclusive.
        points: of a polygon, as shares of the box.
        origin, score: as in the track file.
    """

    box: Box
    points: Points = ()
    origin: Origin = Origin.MANUAL
    score: float = 1.0


@dataclass(frozen=True, slots=True)
class Lane:
    """One track of another tool.

    Args:
        track: the identity; None where the tool lost it, or somebody drew it anew.
        label: the class; empty where the format has none.
        shape: how the boxes are filled: rectangle, ellipse or polygon.
        places: by frame.

    Raises:
        ValueError: the class is no name of one.
    """

    track: int | None
    label: str
    shape: str = "rectangle"
    places: dict[int, Place] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.label and not is_label(self.label):
            raise ValueError(f"a class is a name of 1 to 100 letters, got {self.label!r:.80}")


def frame_within(n: int, frames: int) -> int:
    """A frame's number, if the clip has such a frame.

    Raises:
        ValueError: it has not.
    """
    if not 0 <= n < frames:
        raise ValueError(f"frame {n} is not one of the clip's {frames}, from 0 up: it is of another clip, or cut")
    return n


def require_size(path: Path, said: tuple[int, int], size: tuple[int, int] | None) -> None:
    """Refuse what was drawn in pictures of another size than the clip's, (width, height); None for no known clip.

    Raises:
        InputError: they are of another: its boxes lie elsewhere in the clip, and what they were drawn on is bare.
    """
    if size is not None and said != size:
        raise InputError(
            f"{path}: its pictures have {said[0]}x{said[1]} pixels, and the clip's {size[0]}x{size[1]}: its boxes "
            "would lie elsewhere. Draw them in pictures of the clip's size, as `vsanon export` lists it"
        )


def lanes_of(table: TrackTable) -> list[Lane]:
    """A table, edits applied, as lanes by rising identity."""
    lanes: dict[tuple[int, str, str, int], Lane] = {}
    for n in range(len(table)):
        boxes = table.at(n)
        used: dict[tuple[int, str, str], int] = {}
        outlines = boxes.outlines or (None,) * len(boxes)
        for k, (track, label, outline) in enumerate(zip(boxes.ids, boxes.classes, outlines, strict=True)):
            shape = outline.kind if outline else "rectangle"
            key = (track, label, shape)
            count = used[key] = used.get(key, 0) + 1
            lane = lanes.setdefault((*key, count), Lane(track, label, shape))
            x0, y0, x1, y1 = (float(v) for v in boxes.xyxy[k])
            points = outline.points if outline else ()
            lane.places[n] = Place((x0, y0, x1, y1), points, boxes.origins[k], float(boxes.scores[k]))
    return [lanes[key] for key in sorted(lanes)]


def read_bytes(path: Path) -> bytes:
    """The content of a file to import.

    Raises:
        InputError: it can't be read, or is larger than any such file should be.
    """
    try:
        return read_plain(path, MAX_FILE)
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror}") from error


LOSSES: Mapping[str, tuple[str, ...]] = {
    "cvat": ("the tracker's names of runs, and the colours that `soft` paints from",),
    "mot": (
        "class names",
        "how a box came about: detected, interpolated, held, manual",
        "outlines other than rectangles: their boxes go out",
        "the tracker's names of runs, and the colours that `soft` paints from",
    ),
    "coco": ("ellipses: they go out as their boxes, with a note of it in `attributes`",
             "the tracker's names of runs, and the colours that `soft` paints from"),
}  # fmt: skip
"""What each format can't carry; nothing of it is changed by a round trip, since only changes come back."""
