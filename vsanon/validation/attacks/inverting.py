"""Mosaics inverted by trying every text: an attacker who knows the settings covers a dictionary himself."""

import numpy as np
from numpy.typing import NDArray

from vsanon.covering.swatches import sample_swatches
from vsanon.validation.attacks import plates

U8 = NDArray[np.uint8]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


def swatches_of(text: I64) -> NDArray[np.int64]:
    """(n, 75) the swatches that plates of these texts would be covered with, without their noise.

    They are drawn alike but for their text: an attacker who has seen one other plate knows the light.
    """
    rng = np.random.default_rng(0)
    box = np.array([[0, 0, 288, 72]], np.float32)
    noise = sample_swatches(np.full((3, 72, 288), 128, np.uint8), box, 0, 0).astype(np.int64) - 128
    found = [
        sample_swatches(np.moveaxis(plates.draw(t, rng, plain=True), 2, 0), box, 0, 0).astype(np.int64) - noise
        for t in text
    ]
    return np.stack(found).reshape(len(text), -1)


def tried(seen: NDArray[np.int64], dictionary: NDArray[np.int64]) -> I64:
    """(n,) the entry of a dictionary that each set of swatches is nearest to."""
    answers = [int(np.square(dictionary - one).sum(axis=1).argmin()) for one in seen]
    return np.array(answers, np.int64)
