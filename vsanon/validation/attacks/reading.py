"""A reader that learns from covered plates with their text: small networks on principal components.

It is told what a real attacker would have to find out: where the plate lies in every frame, which look it was
given, and it learns from as many plates as it likes. What it can't read is hard to read.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon.validation.attacks.needs import learning
from vsanon.validation.attacks.plates import WHERE

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

COMPONENTS = 96
HIDDEN = 128
REACH = 1.5
"""How far to either side of a character its window reaches, in its own widths: blur brings in the neighbours."""
_FITTED_ON = 4000
_KINDS = (slice(0, 3), slice(3, 6))
"""Places of letters, and of digits: what is learnt at one place serves the others."""


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """A trained reader: components and network of letters, and of digits."""

    parts: tuple[tuple[Any, Any], ...]

    def read(self, pictures: F32) -> list[F64]:
        """For each place (n, characters) the log-likelihood of each; `pictures` as for `train`."""
        found = []
        for (components, network), places in zip(self.parts, _KINDS, strict=True):
            for place in range(6)[places]:
                likely = network.predict_proba(components.transform(_window(pictures, place)))
                found.append(np.log(np.clip(likely, 1e-6, 1)))
        return found


def train(pictures: F32, text: I64, *, seed: int, rounds: int = 40) -> Reader:
    """Learn to read.

    Args:
        pictures: (n, h, w, c) cut out so that the plate fills them.
        text: (n, 6) of `plates.texts`.
        seed: of the networks; the same pictures and seed give the same reader.
        rounds: over all pictures, at most.

    Raises:
        MissingError: the extra "attacks" is not installed.
    """
    decomposition, networks = learning("decomposition"), learning("neural_network")
    parts = []
    for places in _KINDS:
        rows = np.concatenate([_window(pictures, place) for place in range(6)[places]])
        wanted = np.concatenate([text[:, place] for place in range(6)[places]])
        order = np.random.default_rng(seed).permutation(len(rows))[:_FITTED_ON]
        count = min(COMPONENTS, len(order) - 1, rows.shape[1])
        components = decomposition.PCA(count, whiten=True, svd_solver="randomized", random_state=seed)
        components.fit(rows[np.sort(order)])
        network = networks.MLPClassifier(
            hidden_layer_sizes=(HIDDEN,), alpha=1e-2, batch_size=128, max_iter=rounds, early_stopping=True,
            validation_fraction=0.1, n_iter_no_change=5, random_state=seed,
        )  # fmt: skip

        parts.append((components, network.fit(components.transform(rows), wanted)))
    return Reader(tuple(parts))


def said(likely: list[F64]) -> I64:
    """(n, 6) the text that is likeliest."""
    return np.stack([one.argmax(axis=1) for one in likely], axis=1).astype(np.int64)


def _window(pictures: F32, place: int) -> F32:
    """(n, d) what is seen around a character."""
    width = pictures.shape[2]
    middle, step = WHERE[place]
    half = round((0.5 + REACH) * step * width)
    left = round(middle * width) - half
    padded = np.pad(pictures, ((0, 0), (0, 0), (half, half), (0, 0)), mode="edge")
    return padded[:, :, left + half : left + 3 * half].reshape(len(pictures), -1)
