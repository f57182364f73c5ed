"""Small scenes for the tests of metrics: boxes in rows, and a seeded crowd whose scores other tools have given."""

import numpy as np

from vsanon.validation.metrics.observed import Observed

FRAMES = 40


def observed(*rows: tuple) -> Observed:
    """Rows of (frame, id, (x0, y0, x1, y1)) or (frame, id, box, ignore)."""
    return Observed(
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.int64),
        np.array([row[2] for row in rows], np.float32).reshape(-1, 4),
        np.array([len(row) > 3 and row[3] for row in rows], np.bool_),
    )


def crowd(seed: int, identities: int = 5) -> tuple[Observed, Observed]:
    """Truth and a poor tracker's answer: it misses a fifth, changes labels, and is silent in every 13th frame."""
    rng = np.random.default_rng(seed)
    truth, found = [], []
    place = rng.uniform(0, 200, (identities, 2))
    speed = rng.uniform(-3, 3, (identities, 2))
    size = rng.uniform(15, 40, (identities, 2))
    label = np.arange(identities) + 10
    for n in range(FRAMES):
        place = place + speed
        for i in range(identities):
            truth.append((n, i, (*place[i], *(place[i] + size[i]))))
            if rng.random() < 0.03:
                label[i] = rng.integers(10, 10 + identities)
        if n % 13 == 7:
            continue
        used: set[int] = set()
        for i in range(identities):
            if rng.random() < 0.8 and label[i] not in used:
                used.add(label[i])
                at = place[i] + rng.normal(0, 3, 2)
                found.append((n, label[i], (*at, *(at + size[i]))))
        if rng.random() < 0.3:
            found.append((n, 99, (10, 10, 40, 40)))
    return observed(*truth), observed(*found)
