"""Frames whose boxes are linked by hand, and the tracks of them."""

import numpy as np

from tests.support.clips import Box, found
from vsanon.tracking.evidence import EVIDENCE
from vsanon.tracking.tracklets import (
    Chains,
    LinkedFrame,
    Tracks,
    chained,
    tracklets,
)  # fmt: skip


def window(*frames: tuple[list[Box], tuple[int, ...]]) -> list[LinkedFrame]:
    return [LinkedFrame(found(boxes), links, False) for boxes, links in frames]


def followed(frames: list[LinkedFrame], first: int = 0) -> Tracks:
    return windows(chained(frames, first, EVIDENCE), (first, first + len(frames)))


def windows(chains: Chains, *ends: tuple[int, int]) -> Tracks:
    starts, stops = np.array(ends).T
    return tracklets(chains, starts, stops)
