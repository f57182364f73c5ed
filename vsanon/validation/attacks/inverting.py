"""Mosaics inverted by trying every text: an attacker who knows the settings covers a dictionary himself."""

from collections.abc import Callable

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


def learnt(seen: NDArray[np.float32], swatches: NDArray[np.int64]) -> Callable[[NDArray[np.float32]], F64]:
    """A map from what is seen of a cover to its swatches: looks are linear in them, so ridge regression is enough.

    Args:
        seen: (n, d) covers that the attacker made himself.
        swatches: (n, 75) of the same plates, without noise.
    """
    mean, target = seen.mean(axis=0, dtype=np.float64), swatches.mean(axis=0)
    own = seen - mean
    kernel = own @ own.T
    weights = np.linalg.solve(kernel + 0.01 * np.trace(kernel) / len(own) * np.eye(len(own)), swatches - target)
    back = own.T @ weights
    return lambda new: np.asarray((new - mean) @ back + target, np.float64)


def tried(seen: NDArray[np.int64] | F64, dictionary: NDArray[np.int64]) -> I64:
    """(n,) the entry of a dictionary that each set of swatches is nearest to."""
    answers = [int(np.square(dictionary - one).sum(axis=1).argmin()) for one in seen]
    return np.array(answers, np.int64)
