"""Draws what is no plate and looks like one: lettering, signs, grilles, lamps, stickers, screens, tiles."""

from collections.abc import Callable

import cv2
import numpy as np
from layouts import TOWNS
from numpy.random import Generator
from render import Fonts, smooth_noise
from sets import F32, U8

_WORDS = (  # noqa: SIM905
    "stop taxi bus open sale hotel parking bank police exit school ambulance coffee market pizza limited "
    "www.example.com 24h kinder apotheke farmacia tabac metro station street avenue north city center service "
    "total cash change subtotal quantity invoice thank you welcome free wifi push pull danger high voltage model "
    "made in serial no. net weight best before volume one story of the best new rent call now caution slow"
).split()
_CHANNELS = "tv hd live news sport 24 one info .net .org .com max cc film press kids radio world 7 city net".split()  # noqa: SIM905
_LAMPS = ((255, 40, 40), (255, 250, 235), (255, 170, 60), (90, 255, 230))


def lookalike(rng: Generator, fonts: Fonts) -> U8:
    """One thing that is no plate, (h, w, 4) uint8 RGBA."""
    kinds = (_lettering, _lettering, _sign, _sign, _grille, _windows, _panel, _lamps, _lamps, _road_sign)
    kinds += (_number, _number, _page, _page, _bars, _tiles, _badge)
    w, h = int(rng.integers(60, 300)), int(rng.integers(30, 160))
    make: Callable[[Generator, Fonts, int, int], F32] = kinds[rng.integers(len(kinds))]
    return np.clip(make(rng, fonts, w, h), 0, 255).astype(np.uint8)


def _ink(rng: Generator) -> tuple[float, float, float]:
    red, green, blue = rng.uniform(0, 255, 3)
    return float(red), float(green), float(blue)


def _blank(rng: Generator, w: int, h: int) -> F32:
    """An opaque panel; mostly white, black or grey as many signs and plates are, else of any colour."""
    picture = np.zeros((h, w, 4), np.float32)
    grey = rng.choice([235, 20, 128]) + rng.normal(0, 18, 3)
    picture[..., :3] = grey if rng.random() < 0.5 else rng.uniform(0, 255, 3)
    picture[..., 3] = 255
    return picture


def _contrasting(rng: Generator, picture: F32) -> tuple[float, float, float]:
    """An ink that can be read on the panel."""
    if rng.random() < 0.4:
        return _ink(rng)
    level = float(rng.uniform(0, 50) if picture[..., :3].mean() > 120 else rng.uniform(200, 255))
    return level, level, level


def _words(rng: Generator, most: int) -> str:
    words = " ".join(_WORDS[rng.integers(len(_WORDS))] for _ in range(rng.integers(1, most + 1)))
    chance = rng.random()
    return words.upper() if chance < 0.4 else words.title() if chance < 0.7 else words


def _put(picture: F32, mask: F32, left: int, top: int, size: tuple[int, int], ink: tuple[float, ...]) -> None:
    small = cv2.resize(mask, (max(2, size[0]), max(2, size[1])), interpolation=cv2.INTER_AREA)[..., None]
    part = picture[top : top + small.shape[0], left : left + small.shape[1], :3]
    part += (np.asarray(ink, np.float32) - part) * small[: part.shape[0], : part.shape[1]]


def _lettering(rng: Generator, fonts: Fonts, _w: int, _h: int) -> F32:
    """Without a ground, as on vans, clothes and in captions."""
    words = _words(rng, 3)
    if rng.random() < 0.3:
        words = "".join(str(rng.integers(10)) for _ in range(rng.integers(1, 4)))
    mask = fonts.text(rng, words, "latin")
    return np.dstack([np.full((*mask.shape, 3), _ink(rng), np.float32), mask * 255])


def _sign(rng: Generator, fonts: Fonts, w: int, h: int) -> F32:
    """A shop's or a road's: rows of words."""
    picture = _blank(rng, w, h)
    ink = _contrasting(rng, picture)
    rows = int(rng.integers(1, 5))
    for i in range(rows):
        words = TOWNS[rng.integers(10)].title() if rng.random() < 0.15 else _words(rng, 3)
        mask = fonts.text(rng, words, "small" if rng.random() < 0.5 else "latin", size=40)
        height = max(4, round(h / rows * rng.uniform(0.45, 0.75)))
        width = max(4, min(w - 6, round(mask.shape[1] * height / mask.shape[0])))
        _put(
            picture,
            mask,
            int(rng.integers(2, max(3, w - width - 2))),
            round((i + 0.15) * h / rows),
            (width, height),
            ink,
        )
    if rng.random() < 0.3:
        cv2.rectangle(picture, (1, 1), (w - 2, h - 2), (*ink, 255), int(rng.integers(1, 4)))
    return picture


def _grille(rng: Generator, _fonts: Fonts, w: int, h: int) -> F32:
    picture = _blank(rng, w, h)
    ink = _ink(rng)
    step = int(rng.integers(3, 14))
    upright = rng.random() < 0.4
    for i in range(0, w if upright else h, step):
        a, b = ((i, 0), (i, h)) if upright else ((0, i), (w, i))
        cv2.line(picture, a, b, (*ink, 255), max(1, step // 2))
    return picture


def _windows(rng: Generator, _fonts: Fonts, w: int, h: int) -> F32:
    picture = _blank(rng, w, h)
    ink = _ink(rng)
    nx, ny = int(rng.integers(1, 9)), int(rng.integers(1, 5))
    for i in range(nx):
        for j in range(ny):
            a = (round((i + 0.15) * w / nx), round((j + 0.15) * h / ny))
            cv2.rectangle(picture, a, (round((i + 0.85) * w / nx), round((j + 0.85) * h / ny)), (*ink, 255), -1)
    return picture


def _panel(rng: Generator, _fonts: Fonts, w: int, h: int) -> F32:
    """Nothing on it: a sticker, a card, a bare recess."""
    picture = _blank(rng, w, h)
    if rng.random() < 0.5:
        cv2.rectangle(picture, (0, 0), (w - 1, h - 1), (*_ink(rng), 255), int(rng.integers(1, 8)))
    picture[..., :3] += (smooth_noise(rng, (w, h), 3)[..., None] - 0.5) * 120
    return picture


def _lamps(rng: Generator, _fonts: Fonts, w: int, h: int) -> F32:
    """Bars, pairs and strings of lights."""
    picture = np.zeros((h, w, 4), np.float32)
    picture[..., :3] = rng.uniform(0, 60, 3)
    glow = np.zeros((h, w), np.float32)
    for _ in range(int(rng.choice([1, 1, 2, 3, 40]))):
        a = (int(rng.integers(w // 6, w - w // 6)), int(rng.integers(h // 4, h - h // 4)))
        length = 2 if rng.random() < 0.4 else int(rng.integers(2, w // 2))
        cv2.line(glow, a, (a[0] + length, a[1]), 1.0, int(rng.integers(1, max(2, h // 4))))
    glow = np.maximum(glow, cv2.GaussianBlur(glow, (0, 0), rng.uniform(1, 12)))
    tint = np.array(_LAMPS[rng.integers(4)], np.float32)
    picture[..., :3] += glow[..., None] ** 2 * (255 - tint) + glow[..., None] * tint
    picture[..., 3] = np.clip(glow * rng.uniform(300, 700), 0, 255)
    return picture


def _road_sign(rng: Generator, fonts: Fonts, w: int, h: int) -> F32:
    """Round or pointed, with a figure."""
    h = w = max(h, 60)
    picture = np.zeros((h, w, 4), np.float32)
    if rng.random() < 0.5:
        cv2.circle(picture, (w // 2, h // 2), w // 2 - 2, (240, 240, 240, 255), -1)
        cv2.circle(picture, (w // 2, h // 2), w // 2 - 5, (200, 30, 30, 255), w // 10)
    else:
        corners = np.array([[w // 2, 2], [w - 3, h - 4], [2, h - 4]])
        cv2.fillPoly(picture, [corners], (245, 245, 240, 255))
        cv2.polylines(picture, [corners], True, (200, 30, 30, 255), w // 10)
    mask = fonts.text(rng, str(rng.integers(1, 13) * 10))
    _put(picture, mask, w // 4, h // 2 - h // 8, (w // 2, h // 3), (0, 0, 0))
    return picture


def _number(rng: Generator, fonts: Fonts, w: int, h: int) -> F32:
    """A number on a disc or a card: race and house numbers, prices, shirts."""
    side = max(40, h)
    w = side if rng.random() < 0.6 else round(side * rng.uniform(1, 1.8))
    picture = _blank(rng, w, side)
    ink = _contrasting(rng, picture)
    if rng.random() < 0.5:
        alpha = np.zeros((side, w), np.float32)
        cv2.ellipse(alpha, ((w / 2, side / 2), (w - 2, side - 2), 0), 255, -1)
        picture[..., 3] = alpha
    digits = "".join(str(rng.integers(10)) for _ in range(rng.integers(1, 4)))
    if rng.random() < 0.2:
        digits = rng.choice(["%", "$", "€", "#", "No "]) + digits
    mask = fonts.text(rng, digits)
    height = round(side * rng.uniform(0.4, 0.7))
    width = min(round(w * 0.8), round(mask.shape[1] * height / mask.shape[0]))
    _put(picture, mask, (w - width) // 2, (side - height) // 2, (width, height), ink)
    return picture


def _page(rng: Generator, fonts: Fonts, w: int, h: int) -> F32:
    """A receipt, a book's cover, a label, a screen: many rows of several sizes."""
    w, h = int(rng.integers(100, 300)), int(rng.integers(100, 300))
    picture = _blank(rng, w, h)
    y = int(rng.integers(2, 14))
    left = int(rng.integers(2, 20))
    while y < h - 6:
        height = int(rng.integers(5, 12) if rng.random() < 0.75 else rng.integers(14, 44))
        words = _words(rng, 4)
        if rng.random() < 0.35:
            words = f"{rng.integers(0, 999)}.{rng.integers(10, 99)}"
        if rng.random() < 0.15:
            words = "".join("ABCDEFGHJKL0123456789"[rng.integers(21)] for _ in range(rng.integers(5, 14)))
        mask = fonts.text(rng, words, "small" if rng.random() < 0.4 else "latin", size=36)
        width = min(w - left - 3, round(mask.shape[1] * height / mask.shape[0] * rng.uniform(0.8, 1.2)))
        if width > 4 and y + height < h:
            _put(picture, mask, left, y, (width, height), _contrasting(rng, picture))
        y += round(height * rng.uniform(1.2, 2.2))
    return picture


def _bars(rng: Generator, fonts: Fonts, w: int, h: int) -> F32:
    """A bar code, often with its digits, or a square code."""
    picture = _blank(rng, w, h)
    picture[..., :3] = rng.uniform(180, 255)
    if rng.random() < 0.4:
        cells = (rng.random((int(rng.integers(12, 28)),) * 2) < 0.5).astype(np.float32)
        size = min(w, h) - 8
        _put(
            picture,
            cv2.resize(cells, (size, size), interpolation=cv2.INTER_NEAREST),
            4,
            4,
            (size, size),
            (10, 10, 10),
        )
        return picture
    x = 4
    while x < w - 5:
        thick = int(rng.integers(1, 5))
        cv2.rectangle(picture, (x, 3), (min(x + thick, w - 4), round(h * 0.75)), (15, 15, 15, 255), -1)
        x += thick + int(rng.integers(1, 6))
    digits = " ".join("".join(str(rng.integers(10)) for _ in range(4)) for _ in range(3))
    _put(picture, fonts.text(rng, digits, size=40), 6, round(h * 0.8), (w - 12, round(h * 0.16)), (15, 15, 15))
    return picture


def _tiles(rng: Generator, _fonts: Fonts, w: int, h: int) -> F32:
    """Bricks, slabs, keys: a grid of like cells, each a little different."""
    w, h = int(rng.integers(120, 300)), int(rng.integers(90, 240))
    picture = _blank(rng, w, h)
    ground = picture[0, 0, :3].copy()
    cell = (int(rng.integers(14, 70)), int(rng.integers(10, 40)))
    gap = int(rng.integers(1, 4))
    for row, y in enumerate(range(0, h, cell[1])):
        shift = cell[0] // 2 if row % 2 and rng.random() < 0.5 else 0
        for x in range(-shift, w, cell[0]):
            colour = np.clip(ground * rng.uniform(0.6, 1.2) + rng.normal(0, 10), 0, 255)
            cv2.rectangle(
                picture, (x + gap, y + gap), (x + cell[0] - gap, y + cell[1] - gap), (*map(float, colour), 255), -1
            )
    return picture


def _badge(rng: Generator, fonts: Fonts, _w: int, _h: int) -> F32:
    """Two or three letters or digits raised on a body: a model's name."""
    mask = fonts.text(rng, "".join("ABCDEGLMRSTXZ0123456789"[rng.integers(23)] for _ in range(rng.integers(2, 6))))
    tone = float(rng.choice([215, 240, 40]))
    shadow = np.roll(mask, 3, (0, 1)) * 0.6
    picture = np.zeros((*mask.shape, 4), np.float32)
    picture[..., :3] = tone * mask[..., None]
    picture[..., 3] = np.maximum(mask, shadow) * 255
    return picture


def burnt_in(rng: Generator, fonts: Fonts) -> U8:
    """What is put over a picture by hand or by the recorder, (h, w, 4) uint8 RGBA: a logo, a caption, a clock."""
    chance = rng.random()
    if chance < 0.5:
        picture = _logo(rng, fonts)
    elif chance < 0.75:
        picture = _lettering(rng, fonts, 0, 0)
    else:
        stamp = f"{rng.integers(24):02}:{rng.integers(60):02}" + (
            f":{rng.integers(60):02}" if rng.random() < 0.6 else ""
        )
        if rng.random() < 0.5:
            stamp = f"{rng.integers(1990, 2030)}-{rng.integers(1, 13):02}-{rng.integers(1, 29):02} {stamp}"
        mask = fonts.text(rng, stamp)
        picture = np.dstack([np.full((*mask.shape, 3), rng.choice([255, 230, 0]), np.float32), mask * 255])
        if rng.random() < 0.4:
            picture[..., :3] = picture[..., :3] * mask[..., None] + (255 - picture[..., :3]) * (1 - mask[..., None])
            picture[..., 3] = 255
    if rng.random() < 0.4:
        picture[..., 3] *= rng.uniform(0.4, 1)
    return np.clip(picture, 0, 255).astype(np.uint8)


def _logo(rng: Generator, fonts: Fonts) -> F32:
    """One to three short rows on a square or an oblong, plain or shaded from one colour to another."""
    h = 120
    w = round(h * rng.uniform(0.8, 1.3) if rng.random() < 0.6 else h * rng.uniform(1.3, 3))
    picture = _blank(rng, w, h)
    if rng.random() < 0.5:
        picture[..., :3] += np.linspace(-1, 1, h, dtype=np.float32)[:, None, None] * rng.uniform(-60, 60, 3)
    ink = _contrasting(rng, picture)
    rows = int(rng.choice([1, 2, 2, 3]))
    for i in range(rows):
        words = "".join(_CHANNELS[rng.integers(len(_CHANNELS))] for _ in range(rng.integers(1, 3)))
        mask = fonts.text(rng, words.upper(), "small" if rng.random() < 0.5 else "latin", size=60)
        height = round(h / rows * rng.uniform(0.5, 0.85))
        width = min(w - 8, round(mask.shape[1] * height / mask.shape[0]))
        _put(picture, mask, (w - width) // 2, round((i + 0.12) * h / rows), (width, height), ink)
    if rng.random() < 0.5:
        cv2.rectangle(picture, (1, 1), (w - 2, h - 2), (*ink, 255), int(rng.integers(1, 5)))
    return picture
