"""Training samples: crops of the rendered pool and of real labelled pictures, augmented on the fly."""

import json
import math
from pathlib import Path

import cv2
import numpy as np
import torch
from camera import coded, jpeg
from lookalikes import burnt_in
from model import STRIDES
from numpy.random import Generator
from render import Fonts
from scene import mirrored, overlapping, paste
from sets import F32, U8, Picture
from torch import Tensor
from torch.utils.data import Dataset

MIN_HEIGHT_PX = {"plate": 5.0, "face": 6.0}

# A stride answers for boxes whose longer side (a plate's height counted twice) lies in its range; ranges overlap.
RANGES_PX = {8: (0.0, 80.0), 16: (56.0, 170.0), 32: (120.0, 340.0), 64: (240.0, math.inf)}
CORE = 0.3  # cells within this share of a box's sides around its centre are positive

TURNED = 0.06
"""Share of samples turned by quarters: pictures that hang wrong."""

BURNT_IN = 0.15
"""Share of a plate model's samples with logos, captions or a clock over the picture, as edited footage has."""

Sample = tuple[Tensor, list[Tensor]]
"""(3, S, S) uint8, and for each stride (6, h, w) float32: what `targets` says."""

# How often pictures of a set are shown: shares of the real samples. World-wide sets are small and weigh more.
SHARES = {
    "plate": {
        "plates_openimages": 3.0,
        "plates_kaggle": 2.5,
        "plates_punjab": 1.2,
        "plates_makassar": 1.6,
        "plates_indonesia": 2.5,
        "plates_thai": 1.2,
        "plates_india": 2.0,
        "plates_romania": 2.5,
        "no_plate": 3.0,
        "faces_mask": 3.0,
        "faces_office_grey": 0.4,
    },
    "face": {
        "faces_mask": 6.0,
        "faces_office_grey": 0.7,
        "no_plate": 2.5,
        "plates_openimages": 0.5,
        "plates_kaggle": 0.5,
    },
}
NARROWEST_PX = {"plate": 22, "face": 8}
"""A real picture is scaled so that one of its boxes is at least this wide."""


def targets(boxes: F32, ignore: F32, stride: int, side: int, tall: float) -> F32:
    """What each cell of a stride should say.

    Args:
        tall: how much a box's height counts against its width for the stride that it belongs to.

    Returns:
        (6, h, w): 1 where positive; 1 where counted (0: neither the class nor not); the box, xyxy in pixels.
    """
    n = -(-side // stride)
    x = (np.arange(n, dtype=np.float32) + 0.5) * stride
    answer = np.zeros((6, n, n), np.float32)
    positive, counted = answer[0], answer[1]
    counted[:] = 1
    low, high = RANGES_PX[stride]

    def within(x0: float, y0: float, x1: float, y1: float) -> tuple[slice, slice]:
        columns, rows = (np.searchsorted(x, (a, b), "left") for a, b in ((x0, x1 + 1e-3), (y0, y1 + 1e-3)))
        return slice(*rows), slice(*columns)

    for box in ignore:
        counted[within(*box)] = 0
    sizes = np.maximum(boxes[:, 2] - boxes[:, 0], tall * (boxes[:, 3] - boxes[:, 1]))
    for j in np.argsort(-sizes):  # small boxes last: they win a shared cell
        box, size = boxes[j], sizes[j]
        if not low / 1.25 <= size <= high * 1.25:
            continue
        inside = within(*box)
        counted[inside] = np.maximum(0, positive[inside])
        if not low <= size <= high:
            continue
        cx, cy = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        reach_x, reach_y = (max((b - a) * CORE, 0.75 * stride) for a, b in ((box[0], box[2]), (box[1], box[3])))
        near = within(cx - reach_x, cy - reach_y, cx + reach_x, cy + reach_y)
        positive[near] = counted[near] = 1
        answer[(slice(2, 6), *near)] = box[:, None, None]
    return answer


class Samples(Dataset[Sample]):
    """Samples by number; the same seed and number give the same sample, whatever the workers.

    Args:
        kind: `plate` or `face`.
        pool: the folder that scene.py wrote, or None.
        pictures: real ones.
        real_share: how often a sample is real.
        side: of the square samples, pixels.
        fonts: folders of the typefaces of what is put over pictures; none without them.
        hard: JSON of what an earlier checkpoint took for the class, from mine.py; half of the real samples that can
            show some.
    """

    def __init__(
        self,
        kind: str,
        pool: Path | None,
        pictures: list[Picture],
        count: int,
        seed: int,
        real_share: float,
        side: int,
        fonts: list[Path],
        hard: Path | None = None,
    ) -> None:
        self.fonts = Fonts(fonts) if fonts else None
        self.kind, self.count, self.seed, self.real_share, self.side = kind, count, seed, real_share, side
        self.rendered: list[tuple[U8, F32, F32]] = []
        for path in sorted(pool.glob("[0-9]*[0-9].npz")) if pool else []:
            with np.load(path) as data:
                names = [name.removeprefix("picture_") for name in data.files if name.startswith("picture_")]
                self.rendered += [(data[f"picture_{n}"], data[f"boxes_{n}"], data[f"faint_{n}"]) for n in names]
        if not self.rendered:
            self.real_share = 1.0
        mined = json.loads(hard.read_text()) if hard else {}
        self.real: list[tuple[U8, F32, F32, F32]] = []
        for picture in pictures:
            wrong = np.asarray(mined.get(picture.name, []), np.float32).reshape(-1, 5)[:, :4]
            self.real.append((picture.read(), picture.boxes, picture.ignore, wrong))
        sets = [p.name.split("/")[0] for p in pictures]
        weights = np.array([SHARES[kind][name] / sets.count(name) for name in sets])
        # A picture with mined look-alikes teaches more.
        weights *= [1 + min(len(wrong), 3) for *_, wrong in self.real]
        self.chances = np.cumsum(weights / weights.sum())

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, n: int) -> Sample:
        rng = np.random.default_rng((self.seed, n))
        real = rng.random() < self.real_share
        if real:
            picture, boxes, ignore = self._from_real(rng)
        else:
            coded, boxes, ignore = self.rendered[rng.integers(len(self.rendered))]
            picture = cv2.cvtColor(cv2.imdecode(coded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
            scale, around = rng.uniform(0.6, 1.15), None
            if len(boxes) and rng.random() < 0.2:  # a plate that nearly fills the frame
                around = boxes[rng.integers(len(boxes))]
                scale = rng.uniform(0.5, 1.1) * self.side / max(around[2] - around[0], around[3] - around[1])
                scale = float(np.clip(scale, 0.75, 6))
            picture, boxes, ignore = self._window(rng, picture, boxes, ignore, scale, around)
        if rng.random() < 0.5:
            picture = picture[:, ::-1]
            boxes, ignore = mirrored(boxes, self.side), mirrored(ignore, self.side)
        if rng.random() < TURNED:
            turns = int(rng.integers(1, 4))
            picture = np.rot90(picture, turns)
            boxes, ignore = turned(boxes, self.side, turns), turned(ignore, self.side, turns)
        if self.fonts and rng.random() < BURNT_IN:
            picture = titled(rng, self.fonts, picture, [*boxes.tolist(), *ignore.tolist()])
        picture = recoloured(rng, np.ascontiguousarray(picture), strong=real)
        small = np.minimum(boxes[:, 3] - boxes[:, 1], (boxes[:, 2] - boxes[:, 0]) / 2) < MIN_HEIGHT_PX[self.kind]
        ignore = np.concatenate([ignore, boxes[small]])
        tall = 2.0 if self.kind == "plate" else 1.0
        maps = [torch.from_numpy(targets(boxes[~small], ignore, s, self.side, tall)) for s in STRIDES]
        return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1))), maps

    def _from_real(self, rng: Generator) -> tuple[U8, F32, F32]:
        picture, boxes, ignore, wrong = self.real[int(np.searchsorted(self.chances, rng.random(), "right"))]
        targets = wrong if len(wrong) and (rng.random() < 0.5 or not len(boxes)) else boxes
        if len(targets):
            box = targets[rng.integers(len(targets))]
            low, high = (0.25, 1.2) if rng.random() < 0.6 else (0.6, 3.5)
            scale = float(np.exp(rng.uniform(np.log(low), np.log(high))))
            scale = float(
                np.clip(scale, NARROWEST_PX[self.kind] / (box[2] - box[0]), 0.95 * self.side / (box[2] - box[0]))
            )
            return self._window(rng, picture, boxes, ignore, scale, box)
        # From the whole picture in the window to twice its own pixels.
        whole = self.side / max(picture.shape[:2])
        scale = float(np.exp(rng.uniform(np.log(min(0.9, whole) * 0.8), np.log(2.0))))
        return self._window(rng, picture, boxes, ignore, scale)

    def _window(
        self, rng: Generator, picture: U8, boxes: F32, ignore: F32, scale: float, around: F32 | None = None
    ) -> tuple[U8, F32, F32]:
        """A square of `side` pixels of the picture scaled by `scale`, black or grey outside it."""
        side = self.side
        h, w = picture.shape[:2]
        want = side / scale
        if around is not None and rng.random() < 0.9:
            cx, cy = (around[0] + around[2]) / 2, (around[1] + around[3]) / 2
            x0, y0 = cx - want * rng.uniform(0.1, 0.9), cy - want * rng.uniform(0.1, 0.9)
        else:
            x0, y0 = (float(rng.uniform(min(0, v - want), max(0, v - want) + 1e-3)) for v in (w, h))
        x0 = float(np.clip(x0, min(0, w - want), max(0, w - want)))
        y0 = float(np.clip(y0, min(0, h - want), max(0, h - want)))
        stretch = float(np.exp(rng.normal(0, 0.14)))
        ix0, iy0 = max(0, int(x0)), max(0, int(y0))
        ix1, iy1 = min(w, int(x0 + want / stretch) + 1), min(h, int(y0 + want) + 1)
        part = picture[iy0:iy1, ix0:ix1]
        sx, sy = scale * stretch, scale
        size = (min(side, max(1, round(part.shape[1] * sx))), min(side, max(1, round(part.shape[0] * sy))))
        sx, sy = size[0] / part.shape[1], size[1] / part.shape[0]
        method = cv2.INTER_AREA if scale < 0.8 else cv2.INTER_LINEAR
        answer = np.full((side, side, 3), 114 if rng.random() < 0.4 else 0, np.uint8)
        left, top = (int(rng.integers(0, side - v + 1)) for v in size)
        answer[top : top + size[1], left : left + size[0]] = cv2.resize(part, size, interpolation=method)

        def moved(xyxy: F32) -> tuple[F32, F32]:
            new = (xyxy - np.array([ix0, iy0, ix0, iy0])) * np.array([sx, sy, sx, sy]) + np.array(
                [left, top, left, top]
            )
            limit = np.array([left, top, left + size[0], top + size[1]], np.float32)
            cut = np.concatenate([np.maximum(new[:, :2], limit[:2]), np.minimum(new[:, 2:], limit[2:])], 1)
            whole = np.prod(new[:, 2:] - new[:, :2], 1)
            left_over = np.prod(np.clip(cut[:, 2:] - cut[:, :2], 0, None), 1)
            return cut.astype(np.float32), (left_over / np.maximum(whole, 1e-6)).astype(np.float32)

        boxes, seen = moved(boxes)
        ignored, ignored_seen = moved(ignore)
        return (
            answer,
            boxes[seen >= 0.4],
            np.concatenate([boxes[(seen > 0.05) & (seen < 0.4)], ignored[ignored_seen > 0.05]]),
        )


def turned(boxes: F32, side: int, quarters: int) -> F32:
    """Boxes of a square picture that is turned anticlockwise."""
    for _ in range(quarters):
        boxes = np.stack([boxes[:, 1], side - boxes[:, 2], boxes[:, 3], side - boxes[:, 0]], 1)
    return boxes


def titled(rng: Generator, fonts: Fonts, picture: U8, boxes: list[list[float]]) -> U8:
    """A square picture with one to three things put over it, near its edges and clear of all boxes."""
    side = picture.shape[0]
    scene = picture.astype(np.float32)
    for _ in range(rng.integers(1, 4)):
        rgba = burnt_in(rng, fonts)
        height = float(np.exp(rng.uniform(np.log(14), np.log(110))))
        size = np.array([rgba.shape[1] * height / rgba.shape[0], height])
        size *= min(1.0, 0.8 * side / size.max())
        left, top = (side - size) * np.where(rng.random(2) < 0.5, rng.beta(0.7, 3, 2), 1 - rng.beta(0.7, 3, 2))
        box = [left, top, left + size[0], top + size[1]]
        if not any(overlapping(box, other) for other in boxes):
            corners = np.array([[box[0], box[1]], [box[2], box[1]], [box[2], box[3]], [box[0], box[3]]], np.float32)
            paste(scene, rgba, corners)
    return np.clip(scene, 0, 255).astype(np.uint8)


def recoloured(rng: Generator, picture: U8, strong: bool) -> U8:
    """Other exposure and colours; for real pictures also blur, noise and compression."""
    chance = rng.random()
    if chance < 0.12:
        picture = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None].repeat(3, 2)
    levels = np.arange(256, dtype=np.float32) / 255
    gamma = rng.uniform(0.6, 1.6)
    gains = rng.uniform(0.7, 1.3, 3) if rng.random() < 0.5 else np.ones(3)
    table = np.stack([levels**gamma * 255 * rng.uniform(0.75, 1.2) * gain for gain in gains], 1)
    picture = cv2.LUT(picture, np.clip(table + rng.uniform(-10, 10), 0, 255).astype(np.uint8)[None])
    if not strong:
        return picture
    if rng.random() < 0.35:  # less saturated: the recorder's pink cast taken off in part
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None]
        share = rng.uniform(0.3, 1)
        picture = (picture * (1 - share) + grey * share).astype(np.uint8)
    if rng.random() < 0.2:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.3))
    if rng.random() < 0.25:
        noise = rng.standard_normal(picture.shape, np.float32) * rng.uniform(2, 12)
        picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
    chance = rng.random()
    if chance < 0.2:
        picture = jpeg(picture, int(rng.integers(25, 80)))
    elif chance < 0.3:
        picture = coded(rng, picture, mild=False)
    return picture


def collate(samples: list[Sample]) -> Sample:
    pictures, maps = zip(*samples, strict=True)
    return torch.stack(pictures), [torch.stack(stride) for stride in zip(*maps, strict=True)]
