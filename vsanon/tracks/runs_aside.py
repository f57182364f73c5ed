"""The runs of a track file that is not written yet, set aside on the disk of temporary files as they end."""

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vsanon.detections import SWATCHES
from vsanon.scratch import Scratch
from vsanon.tracks.lines import RunRecord

_FACTS = struct.Struct("<qqdIH")
"""Id, start, score, frames, and the bytes of the class."""
_BOX = 16
_COLOURS = SWATCHES * SWATCHES * 3


@dataclass(slots=True)
class OpenRun:
    """A run that may go on, packed as it comes: as arrays of its own a box would take three times as much.

    Args:
        id, start, label, score: of the run.
        last: the swatches of its last frame.
    """

    id: int
    start: int
    label: str
    score: float
    last: NDArray[np.uint8]
    boxes: bytearray = field(default_factory=bytearray)
    origins: bytearray = field(default_factory=bytearray)
    swatches: bytearray = field(default_factory=bytearray)

    def add(self, box: NDArray[np.int32], origin: int, swatches: NDArray[np.uint8]) -> None:
        """Go on: (4,) eighths of a pixel, and (5, 5, 3)."""
        self.boxes += box.tobytes()
        self.origins.append(origin)
        self.swatches += swatches.tobytes()
        self.last = swatches


class RunsAside:
    """Takes runs as they end, and gives them by rising start and id; in memory stays where each lies.

    Args:
        scratch: where they are set aside.
    """

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._places = array("q")

    def add(self, run: OpenRun) -> None:
        """Set a run aside.

        Raises:
            CheckError: the disk of temporary files is full.
        """
        label = run.label.encode()
        facts = _FACTS.pack(run.id, run.start, run.score, len(run.origins), len(label))
        at = self._scratch.append(b"".join((facts, label, run.origins, run.boxes, run.swatches)))
        self._places.extend((run.start, run.id, at, len(label), len(run.origins)))

    def __iter__(self) -> Iterator[RunRecord]:
        places = np.array(self._places, np.int64).reshape(-1, 5)
        for k in np.lexsort((places[:, 1], places[:, 0])):
            _, _, at, letters, frames = places[k].tolist()
            yield _run(self._scratch.read(at, _FACTS.size + letters + frames * (1 + _BOX + _COLOURS)))


def _run(content: bytes) -> RunRecord:
    id_, start, score, frames, letters = _FACTS.unpack_from(content)
    ends = np.cumsum([_FACTS.size, letters, frames, frames * _BOX, frames * _COLOURS]).tolist()
    label, origins, boxes, swatches = (content[a:b] for a, b in pairwise(ends))
    return RunRecord(
        id_, start, np.frombuffer(boxes, np.int32).reshape(-1, 4), origins, label.decode(), score, swatches
    )
