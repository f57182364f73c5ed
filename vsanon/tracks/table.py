"""Tracks by frame, edits applied, as rendering takes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32
from vsanon.detections import Origin, Outline, TrackedBoxes
from vsanon.timing import Clock
from vsanon.tracks.miniatures import Miniatures


@dataclass(frozen=True, slots=True, eq=False)
class TrackTable:
    """The tracked boxes of a whole clip, by columns.

    Args:
        header: what the file says of its clip and of how it was made; "frames" and "size" are always there.
        offsets: (frames + 1,) int64; rows `offsets[n]:offsets[n + 1]` belong to frame `n`, in painting order.
        xyxy: (rows, 4) float32, pixels.
        origins: (rows,) uint8.
        runs: (rows,) int64, the run that each row belongs to.
        tracks: (rows,) int64, the identity that each row belongs to, over the whole clip.
        ids, classes, scores: of each run, its id being the anchor that it was made from; within a frame, rows go by
            rising id.
        swatches: colours, and by `colours` which of them each row has.
        outlines: the outlines of manual regions, by row.
        edits: what people changed, as written; not yet applied.
        miniatures: the picture that each frame belongs to; None where the file does not say.
    """

    header: Mapping[str, Any]
    offsets: NDArray[np.int64]
    xyxy: F32
    origins: NDArray[np.uint8]
    runs: NDArray[np.int64]
    tracks: NDArray[np.int64]
    ids: NDArray[np.int64]
    classes: tuple[str, ...]
    scores: F32
    swatches: NDArray[np.uint8]
    colours: NDArray[np.int64]
    outlines: Mapping[int, Outline] = field(default_factory=dict)
    edits: tuple[Mapping[str, Any], ...] = ()
    miniatures: Miniatures | None = None

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the clip that the boxes belong to."""
        width, height = self.header["size"]
        return int(width), int(height)

    @property
    def fps(self) -> Fraction:
        """The clip's rate, by the header."""
        return Fraction(self.header["fps"])

    @property
    def clock(self) -> Clock | None:
        """The clip's timecode, by the header; None where it says none that is one."""
        timecode = self.header.get("timecode")
        try:
            return Clock.of(self.fps, timecode) if isinstance(timecode, str) else None
        except ValueError:
            return None

    @property
    def cuts(self) -> tuple[int, ...]:
        """Frames that start a new shot, rising."""
        return tuple(self.header.get("cuts", ()))

    @property
    def frames(self) -> NDArray[np.int64]:
        """(rows,) int64, the frame of each row."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    def colours_of(self, rows: Any) -> NDArray[np.uint8]:
        """(n, 5, 5, 3) uint8 RGB, the swatches of some rows."""
        found: NDArray[np.uint8] = self.swatches[self.colours[rows]]
        return found

    def at(self, n: int) -> TrackedBoxes:
        """The boxes that cover frame `n`; their ids are identities.

        Raises:
            IndexError: the table does not reach `n`.
        """
        if not 0 <= n < len(self):
            raise IndexError(f"frame {n} has no tracks: they cover 0:{len(self)}")
        start, stop = int(self.offsets[n]), int(self.offsets[n + 1])
        runs = self.runs[start:stop]
        return TrackedBoxes(
            self.xyxy[start:stop],
            self.scores[runs],
            tuple(self.classes[r] for r in runs),
            tuple(int(i) for i in self.tracks[start:stop]),
            tuple(Origin(int(o)) for o in self.origins[start:stop]),
            self.colours_of(slice(start, stop)),
            tuple(self.outlines.get(row) for row in range(start, stop)) if self.outlines else (),
        )
