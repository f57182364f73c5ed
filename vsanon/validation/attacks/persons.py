"""Drawn people without end, each of whom is shown in several shots: other light, another turn of the head."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.drawn.people import FACE, Look, draw_person

U8 = NDArray[np.uint8]
Box = tuple[float, float, float, float]

_SKIN = np.array([(240, 202, 178), (216, 162, 128), (152, 104, 76), (110, 72, 52)], np.float64)
_HAIR = np.array([(24, 20, 20), (70, 44, 28), (146, 104, 62), (205, 180, 130), (150, 70, 40), (170, 168, 165)])

FACE_PX = 60
"""Height of a face as it is drawn, pixels."""


def person(rng: np.random.Generator) -> Look:
    """A person whom nobody has seen before."""

    def between(colours: NDArray[np.float64]) -> tuple[float, float, float]:
        one, other = colours[rng.permutation(len(colours))[:2]]
        r, g, b = (one + (other - one) * rng.uniform() + rng.uniform(-8, 8, 3)).clip(8, 250)
        return float(r), float(g), float(b)

    def any_colour() -> tuple[float, float, float]:
        r, g, b = rng.uniform(25, 240, 3)
        return float(r), float(g), float(b)

    return Look(
        between(_SKIN), between(_HAIR.astype(np.float64)), any_colour(), any_colour(),
        long_hair=bool(rng.random() < 0.45), beard=float(rng.uniform(0.3, 0.8) if rng.random() < 0.3 else 0),
        glasses=bool(rng.random() < 0.3),
    )  # fmt: skip


def build(rng: np.random.Generator) -> NDArray[np.float64]:
    """What of a person's face is not colour: width, and how far its parts lie up or down, as shares of its size."""
    return rng.normal(0, (0.09, 0.05, 0.05, 0.05))


def shot(look: Look, shape: NDArray[np.float64], rng: np.random.Generator) -> tuple[U8, Box]:
    """One shot of a person: head and shoulders, (H, W, 3) uint8 RGB, and the box of the face in it, pixels.

    Args:
        look, shape: of `person` and `build`.
        rng: of the turn of the head, the light and the ground, which differ from shot to shot.
    """
    sprite = draw_person(look, float(rng.uniform(-0.35, 0.35)), FACE_PX, rng)
    unit = FACE_PX / (FACE[3] - FACE[1])
    height, width = round(4.7 * unit), round(4.4 * unit)
    left = round(sprite.anchor[0] - width / 2)
    rgba = sprite.pixels[:height, left : left + width].astype(np.float64)
    ground = rng.uniform(40, 210, 3)
    picture = rgba[..., :3] + ground * (1 - rgba[..., 3:] / 255)
    light = rng.uniform(0.8, 1.15) * (1 + rng.uniform(-0.06, 0.06, 3))
    picture = np.clip(picture * light + rng.normal(0, 2.5, picture.shape), 0, 255).astype(np.float32)
    middle, half = (sprite.anchor[0] - left, sprite.anchor[1]), sprite.half
    box = middle[0] - half[0], middle[1] - half[1], middle[0] + half[0], middle[1] + half[1]
    warped = cv2.remap(picture, *_bent(picture.shape[:2], box, shape), cv2.INTER_LINEAR,
                       borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    return np.asarray(np.rint(warped), np.uint8), box


def _bent(
    size: tuple[int, ...], box: Box, shape: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where each pixel is taken from: the box stays where it is, what lies in it moves by a person's build."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32) + np.float32(0.5)
    u = (x - (box[0] + box[2]) / 2) / (box[2] - box[0])
    v = (y - (box[1] + box[3]) / 2) / (box[3] - box[1])
    near = np.exp(-((u / 0.42) ** 4) - (v / 0.42) ** 4)
    across = u * shape[0] * near
    down = (shape[1] * np.cos(3 * v) + shape[2] * v + shape[3] * np.sin(6 * v) * 0.3) * near
    return (
        (x - 0.5 + across * (box[2] - box[0])).astype(np.float32),
        (y - 0.5 + down * (box[3] - box[1])).astype(np.float32),
    )
