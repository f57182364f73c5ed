"""Renders registration plates in the layouts of many countries, as flat pictures without a scene."""

from pathlib import Path

import cv2
import numpy as np
from layouts import ALPHABETS, BLACK, LAYOUTS, SILVER, TOWNS, WHITE, Layout, Rgb
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
# Faces close to those of plates: condensed or even grotesques, none in italics.
LATIN_FONTS = (
    "DejaVuSans-Bold.ttf", "DejaVuSansCondensed-Bold.ttf", "DejaVuSansCondensed.ttf", "DejaVuSansMono-Bold.ttf",
    "DejaVuSansMono.ttf", "LiberationSans-Bold.ttf", "LiberationSansNarrow-Bold.ttf",
    "LiberationSansNarrow-Regular.ttf", "LiberationMono-Bold.ttf", "RobotoCondensed-Bold.ttf",
    "RobotoCondensed-Regular.ttf", "RobotoCondensed-Medium.ttf", "Roboto-Medium.ttf", "Roboto-Bold.ttf",
    "Lato-Semibold.ttf", "Dosis-Bold.otf", "Dosis-SemiBold.otf", "OSP-DIN.ttf", "BebasNeue-Bold.otf",
    "BebasNeue-Regular.otf", "NimbusSansNarrow-Bold.otf", "NimbusSans-Bold.otf", "NimbusMonoPS-Bold.otf",
    "OpenSans-CondBold.ttf", "Cantarell-Bold.otf", "Inter-Medium.otf", "FreeSansBold.ttf",
)  # fmt: skip
SCRIPT_FONTS = {
    "cjk": ("NotoSansCJK-Bold.ttc", "NotoSansCJK-Regular.ttc", "DroidSansFallbackFull.ttf"),
    "arabic": ("NotoSansArabic-Bold.ttf", "NotoSansArabic-Regular.ttf", "DejaVuSans-Bold.ttf"),
    "thai": ("NotoSansThai-Bold.ttf", "NotoSansThai-Regular.ttf"),
}
SMALL_FONTS = (
    "LiberationSerif-Bold.ttf",
    "Lato-Bold.ttf",
    "Roboto-Bold.ttf",
    "DejaVuSerif-Bold.ttf",
    "OSP-DIN.ttf",
)


class Fonts:
    """The typefaces found below some folders.

    Raises:
        SystemExit: fewer than half of the Latin faces, or no face of another script, is installed.
    """

    def __init__(self, folders: list[Path]) -> None:
        paths = {path.name: path for folder in folders for path in sorted(folder.rglob("*.[to]t[fc]"))}
        wanted = {"latin": LATIN_FONTS, "small": SMALL_FONTS, **SCRIPT_FONTS}
        self.by_script = {script: [paths[n] for n in names if n in paths] for script, names in wanted.items()}
        if len(self.by_script["latin"]) < len(LATIN_FONTS) // 2 or not all(self.by_script.values()):
            raise SystemExit(f"too few fonts below {[str(f) for f in folders]}; see README.md for the packages")
        self._open: dict[tuple[Path, int], ImageFont.FreeTypeFont] = {}

    def _pick(self, rng: Generator, script: str, size: int) -> ImageFont.FreeTypeFont:
        faces = self.by_script[script]
        path = faces[rng.integers(len(faces))]
        if (path, size) not in self._open:
            self._open[path, size] = ImageFont.truetype(str(path), size)
        return self._open[path, size]

    def text(self, rng: Generator, words: str, script: str = "latin", spacing: float = 0.0, size: int = 88) -> F32:
        """A mask (h, w) in [0, 1] that holds just the words, drawn in a face picked at random."""
        font = self._pick(rng, script, size)
        # Faces of other scripts often lack digits and spaces.
        plain = font if script in ("latin", "small") else self._pick(rng, "latin", size)
        extra = round(spacing * size)
        width = round(sum(max(font.getlength(c), plain.getlength(c)) + extra for c in words)) + 2 * size
        image = Image.new("L", (width, 2 * size))
        draw = ImageDraw.Draw(image)
        x = float(size // 2)
        for c in words:
            face = plain if c.isascii() or c == "·" else font
            draw.text((x, size * 1.5), c, fill=255, font=face, anchor="ls")
            x += face.getlength(c) * (0.6 if c == " " else 1) + extra
        box = image.getbbox()
        if box is None:
            return np.zeros((size, size), np.float32)
        return np.asarray(image.crop(box), np.float32) / 255


def serial(rng: Generator, pattern: str) -> str:
    return "".join(ALPHABETS[c][rng.integers(len(ALPHABETS[c]))] if c in ALPHABETS else c for c in pattern)


def shade(rng: Generator, colour: Rgb, amount: float = 14) -> F32:
    return np.clip(np.asarray(colour, np.float32) + rng.normal(0, amount, 3), 0, 255).astype(np.float32)


def lay(picture: F32, mask: F32, box: tuple[float, float, float, float], colour: F32, stretch: float) -> None:
    """Draw a mask into a box given in shares of the picture, as large as fits, `stretch` times as wide."""
    h, w = picture.shape[:2]
    x0, y0, x1, y1 = box[0] * w, box[1] * h, box[2] * w, box[3] * h
    height = max(2, round(y1 - y0))
    width = max(2, round(min(x1 - x0, mask.shape[1] * height / mask.shape[0] * stretch)))
    left, top = round((x0 + x1 - width) / 2), round(y0)
    small = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)[..., None]
    part = picture[top : top + height, left : left + width]
    small = small[: part.shape[0], : part.shape[1]]
    part += (colour - part) * small


def smooth_noise(rng: Generator, size: tuple[int, int], cells: int) -> F32:
    """(h, w) noise in [0, 1] without detail; `size` is (width, height)."""
    grid = rng.random((cells, cells), np.float32)
    return np.clip(cv2.resize(grid, size, interpolation=cv2.INTER_CUBIC), 0, 1)


def plate(rng: Generator, fonts: Fonts, layout: Layout | None = None) -> U8:
    """One plate, (h, w, 4) uint8 RGBA, about 1 mm to 0.4 px; the alpha says where the plate is."""
    if layout is None:
        weights = np.array([one.weight for one in LAYOUTS])
        layout = LAYOUTS[rng.choice(len(LAYOUTS), p=weights / weights.sum())]
    scale = rng.uniform(0.4, 0.6)
    w = round(layout.size[0] * scale * rng.uniform(0.94, 1.06))
    h = round(layout.size[1] * scale * rng.uniform(0.94, 1.06))
    ground, ink = layout.colours[rng.integers(len(layout.colours))]
    if rng.random() < 0.06:  # a plate of a colour no table names
        ground, ink = (tuple(int(v) for v in rng.integers(0, 256, 3)) for _ in range(2))
    picture = np.empty((h, w, 3), np.float32)
    picture[:] = shade(rng, ground)
    characters = shade(rng, ink, 10)
    if layout.town and rng.random() < 0.35:  # a picture behind the characters
        tint = shade(rng, tuple(int(v) for v in rng.integers(60, 256, 3)))
        picture += (tint - picture) * smooth_noise(rng, (w, h), int(rng.integers(2, 6)))[..., None] * 0.5
    if layout.band and rng.random() < 0.85:
        picture[:, : round(w * 0.09)] = shade(rng, layout.band)
        lay(
            picture,
            fonts.text(rng, serial(rng, "AA")[: rng.integers(1, 3)]),
            (0.015, 0.6, 0.08, 0.9),
            shade(rng, WHITE),
            1,
        )
    if layout.band_right:
        picture[:, round(w * 0.91) :] = shade(rng, layout.band_right)
    if layout.strip:
        picture[: round(h * 0.23)] = shade(rng, layout.strip)
        lay(
            picture,
            fonts.text(rng, TOWNS[rng.integers(10, 19)], "small"),
            (0.2, 0.04, 0.8, 0.2),
            shade(rng, WHITE),
            1,
        )
    elif layout.town and rng.random() < 0.85:
        words = TOWNS[rng.integers(len(TOWNS))]
        lay(picture, fonts.text(rng, words, "small"), layout.town, shade(rng, ink, 40), rng.uniform(0.9, 1.3))
        if rng.random() < 0.5:
            lay(picture, fonts.text(rng, TOWNS[rng.integers(10)], "small"), (0.25, 0.86, 0.75, 0.97), characters, 1)
    spacing = rng.uniform(0, 0.12)
    stretch = rng.uniform(0.75, 1.3)
    for line in layout.lines:
        pattern = line.patterns[rng.integers(len(line.patterns))]
        box = tuple(v + rng.normal(0, 0.008) for v in line.box)
        lay(picture, fonts.text(rng, serial(rng, pattern), line.script, spacing), box, characters, stretch)
    if rng.random() < 0.6:  # rim
        border = max(1, round(h * rng.uniform(0.015, 0.05)))
        inset = round(border * rng.uniform(0, 1.5))
        cv2.rectangle(
            picture, (inset, inset), (w - 1 - inset, h - 1 - inset), tuple(map(float, characters)), border
        )
    if rng.random() < 0.5:  # screws
        for x, y in (
            ((0.12, 0.5), (0.88, 0.5))
            if rng.random() < 0.5
            else ((0.25, 0.1), (0.75, 0.1), (0.25, 0.9), (0.75, 0.9))
        ):
            colour = tuple(map(float, shade(rng, SILVER if rng.random() < 0.5 else BLACK, 30)))
            cv2.circle(picture, (round(x * w), round(y * h)), max(1, round(h * 0.03)), colour, -1)
    if rng.random() < 0.35:  # dirt
        dirt = np.clip(smooth_noise(rng, (w, h), int(rng.integers(3, 14))) * 2 - rng.uniform(0.8, 1.7), 0, 0.8)
        picture += (shade(rng, (110, 95, 75)) - picture) * dirt[..., None]
    if rng.random() < 0.25:  # wear of the ink, or an ageing film
        picture += (picture.mean() - picture) * rng.uniform(0.1, 0.6)
    if rng.random() < 0.35:  # an edge of shadow
        x, y = np.meshgrid(np.linspace(-1, 1, w, dtype=np.float32), np.linspace(-1, 1, h, dtype=np.float32))
        angle = rng.uniform(0, 2 * np.pi)
        side = np.clip((x * np.cos(angle) + y * np.sin(angle) - rng.uniform(-0.6, 0.6)) * rng.uniform(2, 30), 0, 1)
        picture *= 1 - side[..., None] * rng.uniform(0.2, 0.75)
    if rng.random() < 0.25:  # glare
        glare = np.zeros((h, w), np.float32)
        cv2.circle(
            glare, (int(rng.integers(w)), int(rng.integers(h))), max(2, round(h * rng.uniform(0.1, 0.6))), 1.0, -1
        )
        glare = cv2.GaussianBlur(glare, (0, 0), max(1.0, h * rng.uniform(0.1, 0.4)))
        picture += glare[..., None] * rng.uniform(60, 260)
    alpha = np.zeros((h, w), np.uint8)
    r = round(h * rng.uniform(0, 0.12))
    cv2.rectangle(alpha, (r, 0), (w - 1 - r, h - 1), 255, -1)
    cv2.rectangle(alpha, (0, r), (w - 1, h - 1 - r), 255, -1)
    for x in (r, w - 1 - r):
        for y in (r, h - 1 - r):
            cv2.circle(alpha, (x, y), r, 255, -1)
    return np.dstack([np.clip(picture, 0, 255).astype(np.uint8), alpha])
