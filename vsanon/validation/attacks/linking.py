"""Linking covered faces to a gallery of bare ones: by the same cover on both, and by what was learnt from pairs."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon.validation.attacks.needs import learning

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

COMPONENTS = 128
HIDDEN = 256
FALSE_MATCHES = 0.01
"""Verification is asked at this share of strangers who pass."""


@dataclass(frozen=True, slots=True, eq=False)
class Linker:
    """What was learnt from people who are seen both bare and covered."""

    bare: Any
    covered: Any
    network: Any

    def known(self, rows: F32) -> F64:
        """(n, k) bare faces as the attacker remembers them."""
        return np.asarray(self.bare.transform(rows), np.float64)

    def guessed(self, rows: F32) -> F64:
        """(n, k) covered faces as he takes them to be."""
        return np.asarray(self.network.predict(self.covered.transform(rows)), np.float64)


def train(bare: F32, covered: F32, who: I64, whose: I64, *, seed: int, rounds: int = 60) -> Linker:
    """Learn which bare face belongs to which covered one.

    Args:
        bare, covered: (n, d) and (m, d) rows of `features`.
        who, whose: (n,) and (m,) the person of each; every one has bare rows.
        seed: of the network.
        rounds: over all rows, at most.

    Raises:
        MissingError: the extra "attacks" is not installed.
    """
    decomposition, networks = learning("decomposition"), learning("neural_network")
    discriminant, pipelines = learning("discriminant_analysis"), learning("pipeline")

    def components(rows: F32) -> Any:
        count = min(COMPONENTS, *(n - 1 for n in rows.shape))
        return decomposition.PCA(count, whiten=True, svd_solver="randomized", random_state=seed)

    apart = discriminant.LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.1)
    known = pipelines.make_pipeline(components(bare), apart).fit(bare, who)
    at = known.transform(bare)
    means = np.stack([at[who == p].mean(axis=0) for p in range(int(who.max()) + 1)])
    seen = components(covered).fit(covered)
    network = networks.MLPRegressor(
        hidden_layer_sizes=(HIDDEN,), alpha=1e-2, batch_size=128, max_iter=rounds, early_stopping=True,
        validation_fraction=0.08, n_iter_no_change=5, random_state=seed,
    )  # fmt: skip
    return Linker(known, seen, network.fit(seen.transform(covered), means[whose]))


def like(probes: F64 | F32, gallery: F64 | F32) -> F64:
    """(n, m) how alike two sets of rows are: their correlation, once what all of the gallery share is gone."""
    shared = gallery.mean(axis=0)

    def unit(rows: F64 | F32) -> F64:
        own = np.asarray(rows - shared, np.float64)
        return np.asarray(own / np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-12), np.float64)

    return np.asarray(unit(probes) @ unit(gallery).T, np.float64)


def spread_of(gallery: F32) -> F32:
    """(d,) how much each number differs within a gallery, so that what has little contrast counts as well.

    Not what has hardly any: there nothing but the codec differs, as in the colours of grey pictures.
    """
    found = gallery.std(axis=0)
    return np.asarray(np.maximum(found, 0.15 * max(float(found.max()), 1e-6)), np.float32)


def best_of(likeness: F64, who: I64, whose: I64, people: int) -> F64:
    """(n, people) the likeness of each probe to each person, by the picture of them that is most like it.

    Args:
        likeness: (n, m).
        who: (m,) the person of each picture of the gallery.
        whose: (n,) ignored but for its length.
        people: how many.
    """
    found = np.full((len(whose), people), -np.inf)
    for p in range(people):
        found[:, p] = likeness[:, who == p].max(axis=1)
    return found


def levelled(likeness: F64) -> F64:
    """Likeness less what each person of the gallery has to all probes alike (Auckenthaler 2000: zero norm).

    An attacker with many probes does so. Who is named whatever is seen, as some faces are like a grey fill, says
    nothing, and yet is right once in a gallery: that is no chance of one in so many for each of its people.
    """
    return np.asarray(likeness - likeness.mean(axis=0), np.float64)


def named(likeness: F64, whose: I64) -> F64:
    """(n,) how far each probe is named rightly: 1, or its share of a tie for the first place.

    Args:
        likeness: (n, people).
        whose: (n,) who each probe is.
    """
    most = likeness.max(axis=1, keepdims=True)
    first = likeness >= most - 1e-12
    right = first[np.arange(len(whose)), whose]
    return np.asarray(right / first.sum(axis=1), np.float64)


def verified(likeness: F64, whose: I64, false_matches: float = FALSE_MATCHES) -> F64:
    """(n,) whether each probe passes as who it is, where so many strangers pass as well."""
    own = likeness[np.arange(len(whose)), whose]
    others = likeness[np.arange(likeness.shape[1])[None] != whose[:, None]]
    limit = np.quantile(others, 1 - false_matches, method="higher")
    return np.asarray(own > limit, np.float64)
