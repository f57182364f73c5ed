"""Plates and lettering whose text is known, drawn flat; every plate has three letters and three digits."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.drawn.cars import PLATE_LETTERS

U8 = NDArray[np.uint8]
I64 = NDArray[np.int64]

DIGITS = "0123456789"
ALPHABETS = (PLATE_LETTERS,) * 3 + (DIGITS,) * 3
"""The characters that can stand at each place."""

CHANCE = sum(1 / len(alphabet) for alphabet in ALPHABETS) / len(ALPHABETS)
"""The share of characters that a guess gets right."""

_DRAWN = (288, 72)
"""(width, height) that a plate is drawn in, pixels."""
_LEFT, _STEP, _GAP = 34, 37, 22
"""Where the characters stand: as on real plates, each has a place of its own."""
WHERE = tuple(
    ((_LEFT + _STEP * (k + 0.42) + (_GAP if k >= 3 else 0)) / _DRAWN[0], _STEP / _DRAWN[0]) for k in range(6)
)
"""Middle and width of each character's place, as shares of the plate's width."""
_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX)


def texts(rng: np.random.Generator, count: int) -> I64:
    """(count, 6) which character of its alphabet stands at each place; every plate is as likely."""
    return np.stack([rng.integers(0, len(a), count) for a in ALPHABETS], axis=1).astype(np.int64)


def words(text: I64) -> str:
    """A plate's text, of its six numbers."""
    return "".join(alphabet[k] for alphabet, k in zip(ALPHABETS, text.tolist(), strict=True))


def draw(text: I64, rng: np.random.Generator, *, plain: bool = False) -> U8:
    """One plate, (72, 288, 3) uint8 RGB.

    Args:
        text: (6,) of `texts`.
        rng: of font, weight, ground and light, which differ from plate to plate; as many numbers for every text.
        plain: with none of these: all plates alike but for their text.
    """
    font, thick, ground, ink, slope = (
        int(rng.integers(len(_FONTS))),
        int(rng.integers(4, 7)),
        rng.uniform(205, 245, 3),
        rng.uniform(10, 50),
        rng.uniform(-0.12, 0.12),
    )
    if plain:
        font, thick, ground, ink, slope = 0, 5, np.full(3, 235.0), 20.0, 0.0
    mask = np.zeros((_DRAWN[1], _DRAWN[0]), np.uint8)
    for k, character in enumerate(words(text)):
        x = _LEFT + _STEP * k + (_GAP if k >= 3 else 0)
        cv2.putText(mask, character, (x, 56), _FONTS[font], 1.55, (255,), thick, cv2.LINE_AA)
    weight = mask[..., None].astype(np.float64) / 255
    picture = np.broadcast_to(ground, (*mask.shape, 3)) * (1 - weight) + ink * weight
    picture[:, :26] = (24, 60, 150)
    picture *= 1 + slope * np.linspace(-1, 1, _DRAWN[0])[None, :, None]
    picture[:3], picture[-3:], picture[:, :3], picture[:, -3:] = 30, 30, 30, 30
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)
