"""Inputs drawn for the conformance tests: raw outputs of each family's network, on which the reference
implementations were run to make `tests/reference/*.json`.

They come from numpy's legacy generator, whose stream never changes.
"""

import numpy as np

from vsanon.boxes import F32

SIZE = (320, 256)
"""(width, height) of the picture that all these outputs belong to, pixels."""
STRIDES = (8, 16, 32)


def objects(random: np.random.RandomState, n: int) -> F32:
    """(n, 4) float32 boxes `cx, cy, width, height`, pixels, that lie within the picture."""
    size = random.uniform(12, 60, (n, 1)) * random.uniform(0.8, 1.25, (n, 2))
    center = random.uniform(0, 1, (n, 2)) * (np.array(SIZE) - size) + size / 2
    return np.concatenate([center, size], axis=1).astype(np.float32)


def yolo_rows(seed: int, layout: str, classes: int, points: int) -> F32:
    """A raw head, (rows, columns): `v5` x, y, w, h, objectness, points, classes; `v8` without objectness and
    with the points last. Thirty objects, each seen by several rows, and noise everywhere else."""
    random = np.random.RandomState(seed)
    cells = sum((SIZE[0] // s) * (SIZE[1] // s) for s in STRIDES)
    n = cells * (3 if layout == "v5" else 1)
    boxes = objects(random, n)
    certain = random.uniform(0, 0.1, (n, classes)).astype(np.float32)
    objectness = random.uniform(0, 0.1, (n, 1)).astype(np.float32)
    at = random.permutation(n)[:150].reshape(30, 5)
    for rows, box in zip(at, objects(random, 30), strict=True):
        boxes[rows] = box + random.normal(0, 1, (5, 4))
        certain[rows, random.randint(classes)] = random.uniform(0.4, 0.99, 5)
        objectness[rows, 0] = random.uniform(0.4, 0.99, 5)
    extra = random.uniform(0, 1, (n, points)).astype(np.float32)
    parts = [boxes, objectness, extra, certain] if layout == "v5" else [boxes, certain, extra]
    return np.concatenate(parts, axis=1)


def scrfd_outputs(seed: int, levels: int, anchors: int, points: bool) -> list[F32]:
    """SCRFD's outputs: the scores of each level, then the distances, then the key points."""
    random = np.random.RandomState(seed)
    rows = [(SIZE[0] // s) * (SIZE[1] // s) * anchors for s in (8, 16, 32, 64, 128)[:levels]]
    scores = [np.where(random.uniform(size=(n, 1)) < 0.02, random.uniform(0.3, 1, (n, 1)), 0.01) for n in rows]
    distances = [random.uniform(0.3, 2.5, (n, 4)) for n in rows]
    keys = [random.uniform(-2, 2, (n, 10)) for n in rows] if points else []
    return [value.astype(np.float32) for value in (*scores, *distances, *keys)]


def prior_outputs(seed: int, priors: int, columns: int) -> tuple[F32, F32, F32]:
    """Outputs of a head of priors: encoded boxes (priors, columns), certainties (priors, 2), IoU (priors, 1)."""
    random = np.random.RandomState(seed)
    face = np.where(random.uniform(size=priors) < 0.012, random.uniform(0.3, 1, priors), 0.01)
    loc = random.normal(0, 1.5, (priors, columns))
    overlap = random.uniform(-0.1, 1.1, (priors, 1))
    conf = np.stack([1 - face, face], axis=1)
    return loc.astype(np.float32), conf.astype(np.float32), overlap.astype(np.float32)


def centerface_maps(seed: int) -> tuple[F32, F32, F32]:
    """CenterFace's maps: heat (h, w), log of the size (2, h, w), offset (2, h, w); faces keep off the edges."""
    random = np.random.RandomState(seed)
    height, width = SIZE[1] // 4, SIZE[0] // 4
    heat = random.uniform(0, 0.05, (height, width))
    y, x = random.randint(12, height - 12, 40), random.randint(12, width - 12, 40)
    heat[y, x] = random.uniform(0.3, 0.99, 40)
    log_size = random.uniform(0.5, 2.2, (2, height, width))
    offset = random.uniform(-0.5, 0.5, (2, height, width))
    return heat.astype(np.float32), log_size.astype(np.float32), offset.astype(np.float32)
