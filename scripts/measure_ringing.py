"""How far from a region a codec leaves traces of what the region showed: the reason for `filters.GRID`.

Encodes one background with 24 different patches in the same place, decodes them, and prints the variance over the
patches by distance: inside the patch, out to the next lines of an 8, 16, 32 px grid, and beyond. Where a step
further out brings no less, what is left is the encoder's noise, which no mask that follows a grid can take away.

    uv run python scripts/measure_ringing.py
"""

import io

import av
import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, SIDE, FRAMES, PATCHES = 256, 192, 40, 12, 24
GRIDS = (8, 16, 32)
CODECS = {
    "H.264 crf 28": ("libx264", {"crf": "28"}),
    "H.264 crf 36": ("libx264", {"crf": "36"}),
    "H.265 crf 30": ("libx265", {"crf": "30", "x265-params": "log-level=none"}),
    "MPEG-2 800 kb/s": ("mpeg2video", {"b": "800k"}),
}
Box = tuple[int, int, int, int]
Plane = NDArray[np.float32]


def textured(shape: tuple[int, int], sigma: float, level: float, seed: int) -> Plane:
    """Smooth noise around mid-grey with the standard deviation `level`."""
    noise = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=shape).astype(np.float32), (0, 0), sigma)
    return np.clip(128 + level * noise / noise.std(), 16, 235).astype(np.float32)


def clip(patch: int, speed: int) -> tuple[list[NDArray[np.uint8]], list[Box]]:
    """Frames with one patch on a background that moves at half its speed, and where the patch is."""
    background = textured((HEIGHT, WIDTH + FRAMES * speed), 3, 20, seed=1000)
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


def traces(codec: str, options: dict[str, str], speed: int) -> list[float]:
    """Variance over the patches: inside, out to each grid's lines, and up to 48 px away."""
    variance = np.stack([through(clip(p, speed)[0], codec, options) for p in range(PATCHES)]).var(axis=0)
    rows = []
    for n, (x0, y0, x1, y1) in enumerate(clip(0, speed)[1]):
        reached = np.zeros((HEIGHT, WIDTH), bool)
        reached[y0:y1, x0:x1] = True
        row = [variance[n][reached].mean()]
        for grid in GRIDS:
            blocks = np.zeros_like(reached)
            blocks[y0 // grid * grid : -(-y1 // grid) * grid, x0 // grid * grid : -(-x1 // grid) * grid] = True
            ring = blocks & ~reached
            row.append(variance[n][ring].mean() if ring.any() else np.nan)
            reached |= blocks
        beyond = np.zeros_like(reached)
        beyond[max(0, y0 - 48) : y1 + 48, max(0, x0 - 48) : x1 + 48] = True
        row.append(variance[n][beyond & ~reached].mean())
        rows.append(row)
    return [float(v) for v in np.nanmean(np.array(rows), axis=0)]


def main() -> None:
    print("| codec | patch moves | inside | " + " | ".join(f"to {g} px grid" for g in GRIDS) + " | to 48 px |")
    print("|---" * (4 + len(GRIDS)) + "|")
    for name, (codec, options) in CODECS.items():
        for speed in (0, 2):
            values = " | ".join(f"{v:.2f}" for v in traces(codec, options, speed))
            print(f"| {name} | {speed} px a frame | {values} |")


if __name__ == "__main__":
    main()
