"""What an attacker looks at: cut-out pictures as numbers, of one frame or fused over a track."""

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]


def numbers(pictures: U8) -> F32:
    """The same pictures, as numbers around 1."""
    return pictures.astype(np.float32) / np.float32(64)


def fused(tracks: U8) -> F32:
    """The mean of aligned pictures over a track: (n, h, w, c) of (n, frames, h, w, c)."""
    return np.asarray(tracks.mean(axis=1, dtype=np.float32) / np.float32(64), np.float32)


def rows(pictures: F32) -> F32:
    """(n, d) each picture as a row."""
    return pictures.reshape(len(pictures), -1)
