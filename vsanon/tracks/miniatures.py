"""The miniatures of a clip's frames as a track file keeps them: 16 levels a sample, packed in blocks of frames.

A block holds the least and the greatest sample of each frame, 16 bits each, and then the levels as differences to
the frame before, all in bzip2, whose output depends on its input alone. A frame takes some 80 bytes so.
"""

import bz2
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vsanon.tracking.miniature import LEVELS, U16, levels_of, unpacked

BLOCK = 256
"""Frames of a block; the last one may have fewer."""


def pack(miniatures: Sequence[U16]) -> bytes:
    """A block of miniatures, (h, w) uint16 each, all of one size."""
    ends = np.array([(s.min(), s.max()) for s in miniatures], "<u2")
    levels = np.stack([levels_of(s) for s in miniatures]).astype(np.int16)
    steps = np.diff(levels, axis=0, prepend=0) % LEVELS
    return bz2.compress(ends.tobytes() + steps.astype(np.uint8).tobytes())


def unpack(block: bytes, frames: int, shape: tuple[int, int]) -> NDArray[np.uint16]:
    """(frames, h, w) uint16, as `tracking.miniature.rounded` gives them.

    Raises:
        ValueError: not a block of so many frames of this shape.
    """
    wanted = frames * (4 + shape[0] * shape[1])
    reader = bz2.BZ2Decompressor()
    try:
        body = reader.decompress(block, wanted + 1)
    except OSError as error:
        raise ValueError(f"not a block of miniatures: {error}") from error
    if len(body) != wanted or not reader.eof or reader.unused_data:
        raise ValueError(f"a block of {frames} miniatures of {shape[1]}x{shape[0]} samples was expected")
    ends = np.frombuffer(body, "<u2", 2 * frames).reshape(frames, 2)
    steps = np.frombuffer(body, np.uint8, offset=4 * frames).reshape(frames, *shape)
    if (steps >= LEVELS).any() or (ends[:, 0] > ends[:, 1]).any():
        raise ValueError("a miniature holds values that none can hold")
    levels = np.cumsum(steps, axis=0, dtype=np.uint64) % LEVELS
    return np.stack([unpacked(int(a), int(b), own) for (a, b), own in zip(ends, levels, strict=True)])


@dataclass(slots=True, eq=False)
class Miniatures:
    """The miniatures of all frames of a clip, packed; the block read last is remembered, which changes no answer.

    Args:
        blocks: of `BLOCK` frames each, the last of what is left.
        frames: how many frames there are.
        shape: (h, w) samples.
    """

    blocks: tuple[bytes, ...]
    frames: int
    shape: tuple[int, int]
    _last: tuple[int, NDArray[np.uint16] | None] = field(default=(-1, None), init=False, repr=False)

    def at(self, n: int) -> U16:
        """(h, w) uint16, the miniature of frame `n`.

        Raises:
            IndexError: there is no such frame.
            ValueError: its block is damaged.
        """
        if not 0 <= n < self.frames:
            raise IndexError(f"frame {n} has no miniature: there are {self.frames}")
        number = n // BLOCK
        known, block = self._last
        if known != number or block is None:
            start = number * BLOCK
            block = unpack(self.blocks[number], min(BLOCK, self.frames - start), self.shape)
            self._last = number, block
        miniature: U16 = block[n % BLOCK]
        return miniature
