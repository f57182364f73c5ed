"""Digests of what was covered in each frame, for the ledger: they show a change, and no coordinates.

A digest is the HMAC (RFC 2104, SHA-256) of the regions of `SPAN` frames, keyed by the SHA-256 of the source: who
does not hold the source can't try boxes one after the other, and who holds it sees the faces anyway.
"""

import hashlib
import hmac
import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vsanon.detections import TrackedBoxes

SPAN = 100
"""Frames of one digest; a difference is known to so many."""


class RegionDigests:
    """Takes the boxes of every frame, in order.

    Args:
        colours: whether the paint depends on the boxes' own colour swatches.
        painting: how they are painted, as the ledger tells it: what is told of it is as fixed as where they lie,
            also where another value would paint the same.
    """

    def __init__(self, *, colours: bool, painting: Mapping[str, Any]) -> None:
        self._colours = colours
        self._painting = json.dumps(painting, sort_keys=True).encode()
        self._spans: list[bytes] = []
        self._frames = 0

    def add(self, boxes: TrackedBoxes) -> None:
        """Take the next frame's boxes: where, of what class and outline; not ids, which may differ in name only."""
        digest = hashlib.sha256(struct.pack("<qq", self._frames, len(boxes)))
        digest.update((boxes.xyxy + np.float32(0)).astype("<f4").tobytes())  # a track file knows no minus zero
        outlines = boxes.outlines or (None,) * len(boxes)
        digest.update(repr([*zip(boxes.classes, outlines, strict=True)]).encode())
        if self._colours:
            digest.update(boxes.swatches.tobytes())
        before = self._spans[-1] if self._frames % SPAN else self._painting
        content = hashlib.sha256(before + digest.digest()).digest()
        if self._frames % SPAN:
            self._spans[-1] = content
        else:
            self._spans.append(content)
        self._frames += 1

    def keyed(self, source_sha256: str) -> list[str]:
        """The digests, hexadecimal."""
        key = bytes.fromhex(source_sha256)
        return [hmac.new(key, span, hashlib.sha256).hexdigest() for span in self._spans]


def first_difference(ours: Sequence[str], theirs: Sequence[str], frames: int) -> str:
    """Where two films' regions first differ, in words; empty where they are the same."""
    if len(ours) != len(theirs):
        return f"{len(theirs)} digests for {frames} frames, {len(ours)} were expected"
    for k, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        if not hmac.compare_digest(a.encode(), b.encode()):
            last = min((k + 1) * SPAN, frames) - 1
            return f"other regions or painting in frames {k * SPAN} to {last}, or already before"
    return ""
