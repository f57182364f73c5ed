"""How far from a region a codec leaves traces of what the region showed: the reason for `filters.GRID`.

Encodes one background with 24 different patches in the same place, decodes them, and prints the variance over the
patches by distance: inside the patch, so many pixels around it, and out to the lines of an 8, 16 and 32 px grid
beyond that. The background is quiet or textured: on a textured one the encoder's own noise, which no mask can take
away, lies over the traces.

    uv run python scripts/measure_ringing.py
"""

import io
from itertools import pairwise

import av
import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, SIDE, FRAMES, PATCHES = 256, 192, 40, 12, 24
RINGS = (1, 2, 4, 8, 16, 32, 48)
"""Distances from the patch, pixels."""
GRIDS = (8, 16, 32)
BACKGROUNDS = {"quiet": 0.0, "textured": 20.0}
"""Standard deviations, codes."""
CODECS = {
    "H.264 crf 28": ("libx264", {"crf": "28"}),
    "H.264 crf 36": ("libx264", {"crf": "36"}),
    "H.265 crf 30": ("libx265", {"crf": "30", "x265-params": "log-level=none"}),
    "H.265 crf 38": ("libx265", {"crf": "38", "x265-params": "log-level=none"}),
    "MPEG-2 800 kb/s": ("mpeg2video", {"b": "800k"}),
}
Box = tuple[int, int, int, int]
Plane = NDArray[np.float32]


def textured(shape: tuple[int, int], sigma: float, level: float, seed: int) -> Plane:
    """Smooth noise around mid-grey with the standard deviation `level`."""
    noise = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=shape).astype(np.float32), (0, 0), sigma)
    return np.clip(128 + level * noise / noise.std(), 16, 235).astype(np.float32)


def clip(patch: int, speed: int, level: float) -> tuple[list[NDArray[np.uint8]], list[Box]]:
    """Frames with one patch on a background that moves at half its speed, and where the patch is."""
    background = textured((HEIGHT, WIDTH + FRAMES * speed), 3, level, seed=1000)
    inside = textured((SIDE, SIDE), 2, 45, seed=patch)
    frames, boxes = [], []
    for n in range(FRAMES):
        frame = background[:, n * speed // 2 :][:, :WIDTH].copy()
        x, y = 101 + n * speed, 75
        frame[y : y + SIDE, x : x + SIDE] = inside
        frames.append(frame.astype(np.uint8))
        boxes.append((x, y, x + SIDE, y + SIDE))
    return frames, boxes


def through(frames: list[NDArray[np.uint8]], codec: str, options: dict[str, str]) -> Plane:
    """The luma after encoding and decoding, (frames, rows, columns)."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.options = WIDTH, HEIGHT, "yuv420p", options
        gray = np.full((HEIGHT // 2, WIDTH), 128, np.uint8)
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(np.concatenate([frame, gray]), format="yuv420p")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    buffer.seek(0)
    with av.open(buffer) as container:
        return np.stack([f.to_ndarray(format="yuv420p")[:HEIGHT] for f in container.decode(video=0)]).astype(
            np.float32
        )


def traces(codec: str, options: dict[str, str], speed: int, level: float) -> tuple[list[float], list[float]]:
    """Variance over the patches: inside and by ring of distance; by grid, in the blocks that the patch touches."""
    variance = np.stack([through(clip(p, speed, level)[0], codec, options) for p in range(PATCHES)]).var(axis=0)
    rings, grids = [], []
    for n, (x0, y0, x1, y1) in enumerate(clip(0, speed, level)[1]):
        far = np.maximum.outer(_beyond(y0, y1, HEIGHT), _beyond(x0, x1, WIDTH))
        within = [-1, 0, *RINGS]
        rings.append([variance[n][(low < far) & (far <= high)].mean() for low, high in pairwise(within)])
        row = []
        for grid in GRIDS:
            blocks = np.zeros_like(far, bool)
            blocks[y0 // grid * grid : -(-y1 // grid) * grid, x0 // grid * grid : -(-x1 // grid) * grid] = True
            row.append(variance[n][blocks & (far > 0)].mean())
        grids.append(row)
    by_ring, by_grid = ([float(v) for v in np.mean(np.array(rows), axis=0)] for rows in (rings, grids))
    return by_ring, by_grid


def _beyond(low: int, high: int, length: int) -> NDArray[np.int64]:
    at = np.arange(length)
    return np.maximum(np.maximum(low - at, at - high + 1), 0)


def main() -> None:
    heads = ["inside", *(f"to {r} px" for r in RINGS), *(f"its {g} px blocks" for g in GRIDS)]
    print("| background | codec | patch moves | " + " | ".join(heads) + " |")
    print("|---" * (3 + len(heads)) + "|")
    for title, level in BACKGROUNDS.items():
        for name, (codec, options) in CODECS.items():
            for speed in (0, 2):
                rings, grids = traces(codec, options, speed, level)
                values = " | ".join(f"{v:.2f}" for v in rings + grids)
                print(f"| {title} | {name} | {speed} px a frame | {values} |", flush=True)


if __name__ == "__main__":
    main()
