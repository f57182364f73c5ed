"""People told apart by their masks alone: by how large they are and how they move, which no look hides."""

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

TRAITS = {"size": slice(0, 2), "motion": slice(2, 6), "size and motion": slice(0, 6)}
"""What is looked at of a mask over its frames, by name: columns of `traits`."""
LEAST_FRAMES = 12
"""Of a mask in a half of a clip, before anything is said of it."""


def traits(xyxy: F64) -> F64:
    """(6,) of a mask in frames that follow each other: log of height, and of width over height; of the steps from
    frame to frame, in heights, the logs of their spread across and down, and of its share that turns back.

    Where it lies is left out: a person who keeps a place is told by it without any attack.

    Args:
        xyxy: (n, 4) its boxes, n at least 3, pixels.
    """
    width, height = (xyxy[:, 2:] - xyxy[:, :2]).T
    middle = (xyxy[:, :2] + xyxy[:, 2:]) / 2
    step = np.diff(middle, axis=0) / height[1:, None]
    spread, turns = step.std(axis=0), np.abs(np.diff(step, axis=0)).mean(axis=0)
    logs = np.log(np.concatenate([spread, turns]) + 1e-3)
    return np.concatenate([[np.log(height).mean(), np.log(width / height).mean()], logs])


def halves(frames: I64, ids: I64, xyxy: F64) -> tuple[F64, F64]:
    """(people, 6) twice: the traits of everybody who is seen in both halves of a clip, before and after its middle.

    Args:
        frames, ids, xyxy: (n,), (n,) and (n, 4) of all boxes.
    """
    middle = (int(frames.min()) + int(frames.max()) + 1) / 2
    before: list[F64] = []
    after: list[F64] = []
    for person in np.unique(ids):
        parts = [(ids == person) & (frames < middle), (ids == person) & (frames >= middle)]
        if all(np.count_nonzero(part) >= LEAST_FRAMES for part in parts):
            for found, part in zip((before, after), parts, strict=True):
                found.append(traits(xyxy[part][np.argsort(frames[part])]))
    return np.array(before).reshape(-1, 6), np.array(after).reshape(-1, 6)


def likeness(before: F64, after: F64) -> F64:
    """(people, people) how near the traits of each after the middle are to those of each before it."""
    spread = np.concatenate([before, after]).std(axis=0) + 1e-9
    return np.asarray(-np.linalg.norm((after[:, None] - before[None]) / spread, axis=-1))
