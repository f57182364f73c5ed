"""What lies beyond a margin around a thing tells of it, by its size: the reason for a least margin in pixels.

One of 16 textures stands in one place on one background with a sensor's noise, 384 times; these are encoded and
decoded, six frames each. A classifier (the nearest mean, each pixel weighted by what it tells) learns from half of
them how the pixels between a margin and 16 px around the thing look, and says of the other half which texture was
there. It knows the scene, the place, and what it may be, so no reader does better; by chance 0.06 are right. The
textures of smaller things are those of larger ones, made smaller.

    uv run python scripts/measure_traces.py
"""

import io
from collections.abc import Iterator
from fractions import Fraction

import av
import cv2
import numpy as np
from numpy.typing import NDArray

TILE, TILES, FRAMES, KINDS, ROUNDS = (128, 80), (8, 8), 6, 16, 6
SIDES = (10, 20, 40)
"""Heights, pixels; things are twice as wide."""
MARGINS = (0, 1, 2, 3, 4, 6, 8)
REACH = 16
NOISE = 1.5
"""The sensor's, codes."""
BACKGROUNDS = {"quiet": 0.0, "textured": 20.0}
CODECS = {
    "none": None,
    "H.264 crf 18": ("libx264", {"crf": "18"}, "yuv420p"),
    "H.264 crf 28": ("libx264", {"crf": "28"}, "yuv420p"),
    "H.264 crf 36": ("libx264", {"crf": "36"}, "yuv420p"),
    "H.265 crf 22": ("libx265", {"crf": "22", "x265-params": "log-level=none"}, "yuv420p"),
    "H.265 crf 30": ("libx265", {"crf": "30", "x265-params": "log-level=none"}, "yuv420p"),
    "H.265 crf 38": ("libx265", {"crf": "38", "x265-params": "log-level=none"}, "yuv420p"),
    "ProRes 422": ("prores_ks", {"profile": "2"}, "yuv422p10le"),
    "ProRes 422 Proxy": ("prores_ks", {"profile": "0"}, "yuv422p10le"),
}
Plane = NDArray[np.float32]


def noise(shape: tuple[int, int], sigma: float, level: float, seed: int) -> Plane:
    """Smooth noise with the standard deviation `level`."""
    drawn = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=shape).astype(np.float32), (0, 0), sigma)
    return np.asarray(level * drawn / drawn.std(), np.float32)


def thing(kind: int, side: int) -> Plane:
    large = np.clip(128 + noise((SIDES[-1], 2 * SIDES[-1]), 3, 45, 500 + kind), 16, 235)
    return np.asarray(cv2.resize(large, (2 * side, side), interpolation=cv2.INTER_AREA), np.float32)


def corner(side: int) -> tuple[int, int]:
    return (TILE[0] - 2 * side) // 2 - 3, (TILE[1] - side) // 2 - 3


def tiles() -> Iterator[tuple[int, tuple[slice, slice]]]:
    for k in range(TILES[0] * TILES[1]):
        y, x = k // TILES[0] * TILE[1], k % TILES[0] * TILE[0]
        yield k, (slice(y, y + TILE[1]), slice(x, x + TILE[0]))


def through(frames: list[NDArray[np.uint8]], codec: str) -> Plane:
    """The luma after encoding and decoding, (frames, rows, columns), in 8-bit codes."""
    chosen = CODECS[codec]
    if chosen is None:
        return np.stack(frames).astype(np.float32)
    name, options, pix_fmt = chosen
    height, width = frames[0].shape
    deep = pix_fmt.endswith("10le")
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as container:
        stream = container.add_stream(name, rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt, stream.options = width, height, pix_fmt, options
        for frame in frames:
            if deep:
                grey = np.full((2, height, width), 512, np.uint16)
                planes = np.concatenate([frame[None].astype(np.uint16) * 4, grey])
            else:
                planes = np.concatenate([frame, np.full((height // 2, width), 128, np.uint8)])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format=pix_fmt)))
        container.mux(stream.encode())
    buffer.seek(0)
    with av.open(buffer) as container:
        shown = [frame.to_ndarray() for frame in container.decode(video=0)]
    return np.stack([planes[0] / 4 if deep else planes[:height] for planes in shown]).astype(np.float32)


def samples(codec: str, side: int, speed: int, level: float) -> tuple[Plane, NDArray[np.int64]]:
    """The mean of the frames of each tile, as they lie over one another, and which thing is in it."""
    wide = noise((TILE[1], TILE[0] + FRAMES * speed), 3, 1, 1000) * level + 128
    x0, y0 = corner(side)
    means, kinds = [], []
    for turn in range(ROUNDS):
        own = np.random.default_rng(turn).permutation(np.arange(TILES[0] * TILES[1]) % KINDS)
        sensor = np.random.default_rng(77 + turn)
        frames = []
        for n in range(FRAMES):
            frame = np.zeros((TILE[1] * TILES[1], TILE[0] * TILES[0]), np.float32)
            for k, window in tiles():
                tile = wide[:, (FRAMES - n) * speed :][:, : TILE[0]].copy()
                x = x0 + n * speed
                tile[y0 : y0 + side, x : x + 2 * side] = thing(int(own[k]), side)
                frame[window] = tile
            noisy = frame + NOISE * sensor.normal(size=frame.shape)
            frames.append(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))
        shown = through(frames, codec)
        for k, window in tiles():
            means.append(np.mean([np.roll(shown[n][window], -n * speed, axis=1) for n in range(FRAMES)], axis=0))
            kinds.append(own[k])
    return np.array(means, np.float32), np.array(kinds)


def told(means: Plane, kinds: NDArray[np.int64], beyond: NDArray[np.bool_]) -> float:
    """The share of tiles of which the classifier says rightly which thing is in them."""
    values = means[:, beyond]
    half = np.arange(len(values)) // (TILES[0] * TILES[1]) % 2 == 0
    right = 0
    for learnt in (half, ~half):
        mean = np.stack([values[learnt & (kinds == kind)].mean(axis=0) for kind in range(KINDS)])
        noise_left = (values[learnt] - mean[kinds[learnt]]).var(axis=0) * 1.1 + 0.05
        by_kind = np.maximum(mean.var(axis=0) - noise_left * KINDS / learnt.sum(), 0)
        away = np.square(values[~learnt][:, None] - mean[None]) * (by_kind / noise_left**2)
        right += int((away.sum(axis=-1).argmin(axis=1) == kinds[~learnt]).sum())
    return right / len(values)


def far(side: int, speed: int) -> NDArray[np.int64]:
    """How far each pixel of a tile lies from the thing; beyond `REACH` where the next tile is rolled in."""

    def away(low: int, high: int, length: int) -> NDArray[np.int64]:
        at = np.arange(length)
        return np.maximum(np.maximum(low - at, at - high + 1), 0)

    x0, y0 = corner(side)
    distance = np.maximum.outer(away(y0, y0 + side, TILE[1]), away(x0, x0 + 2 * side, TILE[0]))
    distance[:, TILE[0] - FRAMES * speed :] = REACH + 1
    return distance


def main() -> None:
    print("| background | codec | things move | high | " + " | ".join(f"{m} px" for m in MARGINS) + " |")
    print("|---" * (4 + len(MARGINS)) + "|")
    for title, level in BACKGROUNDS.items():
        for codec in CODECS:
            for speed in (0, 2):
                for side in SIDES:
                    means, kinds = samples(codec, side, speed, level)
                    distance = far(side, speed)
                    shares = [told(means, kinds, (distance > m) & (distance <= REACH)) for m in MARGINS]
                    values = " | ".join(f"{share:.2f}" for share in shares)
                    print(f"| {title} | {codec} | {speed} px a frame | {side} px | {values} |", flush=True)


if __name__ == "__main__":
    main()
