"""The boxes of one class over a clip, true or predicted, in the one shape that all metrics take."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32, area, as_boxes
from vsanon.tracks.table import TrackTable
from vsanon.validation.truth.boxes import Truth


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """Boxes of one class, one row a box, in the order of frames.

    Rows come in any order and are sorted by frame, stably.

    Args:
        frames: (n,) int64, 0-based.
        ids: (n,) int64, the identity of each box; no identity is twice in one frame.
        xyxy: (n, 4) float32, pixels, end-exclusive.
        ignore: (n,) bool; truth that counts neither as a hit nor as a miss; empty where there is none.

    Raises:
        ValueError: the lengths differ, or an identity is twice in one frame.
    """

    frames: NDArray[np.int64]
    ids: NDArray[np.int64]
    xyxy: F32
    ignore: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))

    def __post_init__(self) -> None:
        frames = np.asarray(self.frames, np.int64).reshape(-1)
        ignore = np.asarray(self.ignore, np.bool_).reshape(-1)
        columns: dict[str, NDArray[Any]] = {
            "frames": frames,
            "ids": np.asarray(self.ids, np.int64).reshape(-1),
            "xyxy": as_boxes(self.xyxy),
            "ignore": ignore if len(ignore) else np.zeros(len(frames), np.bool_),
        }
        order = np.argsort(frames, kind="stable")
        for name, column in columns.items():
            if len(column) != len(frames):
                raise ValueError(f"{len(frames)} frames need {len(frames)} {name}, got {len(column)}")
            object.__setattr__(self, name, column[order])
        if len(np.unique(np.stack([self.frames, self.ids]), axis=1).T) != len(self):
            raise ValueError("an identity is twice in one frame")

    def __len__(self) -> int:
        return len(self.frames)

    def rows(self, n: int) -> slice:
        """The rows of frame `n`; empty where it has no box."""
        start, stop = np.searchsorted(self.frames, [n, n + 1])
        return slice(int(start), int(stop))

    def select(self, keep: NDArray[np.bool_]) -> "Observed":
        """The rows where `keep` is True."""
        return Observed(self.frames[keep], self.ids[keep], self.xyxy[keep], self.ignore[keep])


def true_boxes(truth: Truth, class_name: str) -> Observed:
    """The true boxes of one class."""
    own = truth.classes == class_name
    return Observed(truth.frames[own], truth.ids[own], truth.xyxy[own], truth.ignore[own])


def tracked_boxes(table: TrackTable, class_name: str) -> Observed:
    """The tracked boxes of one class, by identity.

    Where one identity has several boxes in a frame, as after people merged two, the largest keeps its id, the
    second largest has one of its own, the same in all frames, and so on.

    Args:
        table: the tracks, with their edits applied where they have any.
        class_name: such as "face".
    """
    own = np.array([name == class_name for name in table.classes], np.bool_)[table.runs]
    frames, tracks, xyxy = table.frames[own], table.tracks[own], table.xyxy[own]
    order = np.lexsort((-area(xyxy), tracks, frames))
    frames, tracks, xyxy = frames[order], tracks[order], xyxy[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (np.diff(frames) != 0) | (np.diff(tracks) != 0)
    at = np.arange(len(order))
    rank = at - np.maximum.accumulate(np.where(first, at, 0))
    _, extra = np.unique(np.stack([tracks, rank])[:, ~first], axis=1, return_inverse=True)
    ids = tracks.copy()
    ids[~first] = tracks.max(initial=0) + 1 + extra
    return Observed(frames, ids, xyxy)


def both(truth: Observed, predicted: Observed) -> Iterator[tuple[int, slice, slice]]:
    """Each frame in which either has a box, rising: its number, and the rows of both."""
    for n in np.union1d(truth.frames, predicted.frames).tolist():
        yield n, truth.rows(n), predicted.rows(n)
