"""A drawn clip with faces, and what an honest or a careless tool makes of it."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.drawn.demo import scene, yuv420
from vsanon.encode import RawVideo, encode, presets
from vsanon.encode.variants import Changes, variant
from vsanon.media import Color
from vsanon.timing import Timeline
from vsanon.validation.truth.boxes import Truth

U8 = NDArray[np.uint8]
SIZE, FRAMES, FPS = (480, 270), 24, Fraction(25)
Cover = Callable[[int, U8], U8]
"""What a tool makes of frame `n`, (H, W, 3) RGB."""


@cache
def pictures() -> tuple[U8, ...]:
    drawn = scene(SIZE, FRAMES)
    return tuple(drawn.frame(n) for n in range(FRAMES))


@cache
def truth() -> Truth:
    drawn = scene(SIZE, FRAMES)
    boxes = [box for n in range(FRAMES) for box in drawn.truth(n)]
    no = np.zeros(len(boxes), np.bool_)
    return Truth(
        np.array([b.n for b in boxes]),
        np.array([b.track_id for b in boxes]),
        np.array([b.label for b in boxes]),
        np.array([b.xyxy for b in boxes], np.float32),
        np.array([b.visible < 0.6 for b in boxes]),
        no,
        no,
    )


def boxes_at(
    n: int, grow: float = 0.2, only: Callable[[int], bool] = lambda _: True
) -> list[tuple[int, int, int, int]]:
    """The boxes that a tool covers in frame `n`, with a margin of `grow` of their size, ignored ones too."""
    n = min(max(n, 0), FRAMES - 1)
    found = []
    for i in range(*truth().rows(n).indices(len(truth()))):
        if only(int(truth().ids[i])):
            x0, y0, x1, y1 = truth().xyxy[i].tolist()
            dx, dy = grow * (x1 - x0) / 2, grow * (y1 - y0) / 2
            found.append((max(round(x0 - dx), 0), max(round(y0 - dy), 0), round(x1 + dx), round(y1 + dy)))
    return found


def covered(
    look: Callable[[U8], U8],
    *,
    frames: Callable[[int], bool] = lambda _: True,
    late: int = 0,
    moved: tuple[float, float] = (0, 0),
    grow: float = 0.2,
    part: tuple[float, float] = (0.0, 1.0),
    only: Callable[[int], bool] = lambda _: True,
) -> Cover:
    """A tool that puts `look` on boxes: in some frames, late, beside them, of another size, on a part."""

    def cover(n: int, picture: U8) -> U8:
        if not frames(n) or n < late:
            return picture
        out = picture.copy()
        for x0, y0, x1, y1 in boxes_at(n - late, grow, only):
            dx, dy = round(moved[0] * (x1 - x0)), round(moved[1] * (y1 - y0))
            top, bottom = y0 + round(part[0] * (y1 - y0)), y0 + round(part[1] * (y1 - y0))
            window = slice(max(top + dy, 0), max(bottom + dy, 0)), slice(max(x0 + dx, 0), max(x1 + dx, 0))
            if out[window].size:
                out[window] = look(out[window])
        return out

    return cover


def fill(part: U8) -> U8:
    return np.full_like(part, (110, 110, 110))


def tint(share: float) -> Callable[[U8], U8]:
    return lambda part: np.rint(part * (1 - share) + 110 * share).astype(np.uint8)


def blur(share: float) -> Callable[[U8], U8]:
    return lambda part: np.asarray(cv2.GaussianBlur(part, (0, 0), share * min(part.shape[:2])), np.uint8)


def mosaic(cells: int) -> Callable[[U8], U8]:
    def look(part: U8) -> U8:
        height, width = part.shape[:2]
        side = min(height, width)
        small = (round(min(cells, side) * width / side), round(min(cells, side) * height / side))
        cells_of = cv2.resize(part, small, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(cells_of, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)

    return look


def negative(part: U8) -> U8:
    return np.asarray(255 - part, np.uint8)


def luma_only(part: U8) -> U8:
    """Luma of one tone, chroma as it was: BT.709, as `yuv420` has it."""
    luma = part.astype(np.float64) @ (0.2126, 0.7152, 0.0722)
    return np.clip(part + (120 - luma)[..., None], 0, 255).astype(np.uint8)


def mirrored(part: U8) -> U8:
    return np.ascontiguousarray(part[:, ::-1])


def moved(part: U8) -> U8:
    """The same, further right and down by a fifth."""
    return np.asarray(np.roll(part, (part.shape[0] // 5, part.shape[1] // 5), (0, 1)), np.uint8)


def edges(part: U8) -> U8:
    """What a filter for drawings makes of it: dark where it changes."""
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float32)
    steep = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    return np.repeat(np.clip(255 - steep, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def every_second_line(part: U8) -> U8:
    """One field of two is covered."""
    out = part.copy()
    out[::2] = 110
    return out


def write(
    path: Path, frames: Sequence[U8], *, preset: str = "h264_crf", crf: int | None = 20, fps: Fraction = FPS
) -> Path:  # fmt: skip
    """Encode RGB pictures; `crf` None keeps the preset's own."""
    height, width = frames[0].shape[:2]
    timeline = Timeline(tuple(range(len(frames))), 1 / fps, fps)
    video = RawVideo("yuv420p", (width, height), timeline, sar=Fraction(1),
                     color=Color("bt709", "bt709", "bt709", "tv", "left"))  # fmt: skip
    found = presets.load(preset) if crf is None else variant(presets.load(preset), Changes(crf=crf))
    encode((yuv420(f) for f in frames), video, found, path)
    return path


def redacted(path: Path, cover: Cover, **settings: object) -> Path:
    return write(path, [cover(n, p) for n, p in enumerate(pictures())], **settings)  # type: ignore[arg-type]
