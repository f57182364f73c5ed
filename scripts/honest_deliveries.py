"""Honest deliveries must pass: short seeded jobs over presets, profiles and kinds of clips, each verified later.

Each job draws a film of its own (size, chroma, bits, range, texture, motion, noise, cuts and number of faces by its
seed), has a scripted detector find the faces, delivers it, and verifies it, from its tracks or by searching again.
Prints a line for each that fails, and the counts.

    python scripts/honest_deliveries.py --seeds 0:1000

Many may run side by side, each over seeds of its own: a run's files and cache lie in a temporary folder of its own.
"""

import argparse
import contextlib
import functools
import os
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.covering.looks import PROFILES
from vsanon.detections import Detections
from vsanon.encode import presets, run
from vsanon.errors import VsanonError
from vsanon.job.pipeline import anonymize_file
from vsanon.job.settings import Settings
from vsanon.job.verify import verify_delivery
from vsanon.models.card import InputRules

SIZES = ((192, 128), (256, 144), (320, 180), (160, 160), (352, 288), (128, 192))
FORMATS = ("yuv420p", "yuv420p", "yuv420p", "yuv422p10le", "yuv420p10le", "yuv444p", "gbrp", "yuvj420p", "gray")


class Scripted:
    """Finds what is bright."""

    card = SimpleNamespace(input=InputRules(stride=32), reach=(16, 320))

    @staticmethod
    def detect(rgb: NDArray[np.uint8]) -> Detections:
        bright = np.ascontiguousarray(rgb.min(axis=0) > 185).astype(np.uint8)
        bright = np.asarray(cv2.morphologyEx(bright, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)))
        _, _, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=8)
        x, y, width, height, pixels = stats[1:][stats[1:, 4] >= 40].T
        xyxy = np.stack([x, y, x + width, y + height], axis=1).astype(np.float32)
        scores = (0.5 + np.minimum(pixels, 4000) / 10000).astype(np.float32)
        return Detections(xyxy, scores, ("face",) * len(xyxy))


def texture(rng: np.random.Generator, shape: tuple[int, int], spread: float, cell: float) -> NDArray[np.float32]:
    noise = cv2.GaussianBlur(rng.standard_normal(shape).astype(np.float32), (0, 0), cell)
    return np.asarray(noise * (spread / max(float(noise.std()), 1e-6)), np.float32)


def film(path: Path, seed: int, least: tuple[int, int]) -> str:
    """Draw and write the film of a seed, at least so wide and high; says what it is."""
    rng = np.random.default_rng([seed, 1])
    size = SIZES[int(rng.integers(len(SIZES)))]
    width, height = (max(pair) for pair in zip(size, least, strict=True))
    pix_fmt = FORMATS[int(rng.integers(len(FORMATS)))]
    frames, faces = int(rng.integers(6, 13)), int(rng.integers(0, 4))
    spread, cell = float(rng.uniform(2, 22)), float(rng.uniform(1, 6))
    pan, grain = rng.uniform(-4, 4, 2), float(rng.choice([0, 0, 1, 3, 6]))
    cut = int(rng.integers(2, frames)) if rng.uniform() < 0.3 else frames + 1
    flicker = float(rng.choice([0, 0, 0, 4]))
    side = [(float(np.exp(rng.uniform(np.log(14), np.log(min(width, height) * 0.6))))) for _ in range(faces)]
    at, speed = rng.uniform(0, 1, (faces, 2)) * (width, height), rng.uniform(-5, 5, (faces, 2))
    skins = [texture(rng, (int(s * 1.2), int(s)), float(rng.uniform(2, 9)), float(rng.uniform(1, 3))) for s in side]
    grounds = [
        [texture(rng, (height + 128, width + 128), spread / (1 + p), cell) for p in range(3)] for _ in range(2)
    ]
    raw = path.with_suffix(".raw")
    with raw.open("wb") as file:
        for n in range(frames):
            ground, step = grounds[n >= cut], n - cut if n >= cut else n
            x, y = (int(64 + np.clip(v * step, -60, 60)) for v in pan)
            planes = [
                base + g[y : y + height, x : x + width] for base, g in zip((85, 120, 132), ground, strict=True)
            ]
            planes[0] += flicker * (n % 2)
            planes[0] = np.clip(planes[0] + grain * rng.standard_normal((height, width)), 20, 150)
            for centre, v, skin in zip(at, speed, skins, strict=True):
                x0, y0 = (int(c) for c in centre + v * n - np.array(skin.shape[::-1]) / 2)
                left, top = max(x0, 0), max(y0, 0)
                right, bottom = min(x0 + skin.shape[1], width), min(y0 + skin.shape[0], height)
                if left < right and top < bottom:
                    rows, columns = slice(top, bottom), slice(left, right)
                    part = skin[top - y0 : bottom - y0, left - x0 : right - x0]
                    planes[0][rows, columns] = np.clip(215 + part, 200, 235)
                    planes[1][rows, columns], planes[2][rows, columns] = 126, 131
            file.write(b"".join(np.clip(np.rint(plane), 16, 240).astype(np.uint8).tobytes() for plane in planes))
    tags = ("-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709")
    wanted = ("-vf", f"scale=out_range=pc,format={pix_fmt}", "-color_range", "pc") if pix_fmt == "yuvj420p" else (
        "-vf", f"format={pix_fmt}")  # fmt: skip
    codec = ("libx264", "-crf", "8", "-preset", "ultrafast") if pix_fmt == "yuvj420p" else ("ffv1",)
    given = ("-f", "rawvideo", "-pix_fmt", "yuv444p", "-s", f"{width}x{height}", "-r", "25")
    run(["-y", *given, "-i", str(raw), *wanted,
         *(tags if pix_fmt not in ("gbrp", "gray") else ()), "-c:v", *codec, f"file:{path}"])  # fmt: skip
    raw.unlink()
    return f"{width}x{height} {pix_fmt}, {frames} frames, {faces} faces, texture {spread:.0f}, grain {grain:.0f}"


def deliver(folder: Path, seed: int, names: tuple[str, ...]) -> tuple[str, str]:
    """One job; what it was, and what went wrong, or nothing."""
    preset, profile = presets.load(names[seed % len(names)]), PROFILES[seed // len(names) % len(PROFILES)]
    source, output = folder / "in.mkv", folder / f"out{preset.suffix}"
    if preset.muxer == "image2":
        output = folder / "out" / f"shot.%06d{preset.suffix}"
    said = f"seed {seed}: {preset.name}, {profile}: "
    said += film(source, seed, preset.least_size)
    tracks = folder / "out.vsanon" if seed % 2 else None
    try:
        anonymize_file(source, output, Settings(profile=profile, preset=preset.name), tracks=tracks)
        failed = [check for check in verify_delivery(output, source) if not check.passed]
    except VsanonError as error:
        return said, str(error)
    return said, "; ".join(f"verify: {c.name}: {c.found}" for c in failed)


def main() -> int:
    """Deliver, verify, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="0:1000", help="first and last, end-exclusive")
    parser.add_argument("--presets", default=",".join(presets.names()))
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no job after so many")
    asked = parser.parse_args()
    first, stop = (int(v) for v in asked.seeds.split(":"))
    scripted: Any = functools.partial(lambda *_, **__: Scripted())
    sys.modules["vsanon.filters.detect"].open_detector = scripted  # type: ignore[attr-defined]
    sys.modules["vsanon.job.opening"].fetch = lambda *_: None  # type: ignore[attr-defined]
    done = wrong = 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as cache:
        os.environ["VSANON_CACHE"] = cache
        for seed in range(first, stop):
            if time.monotonic() - began > 60 * asked.minutes:
                break
            with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stdout):
                said, error = deliver(Path(folder), seed, tuple(asked.presets.split(",")))
            done += 1
            if error:
                wrong += 1
                print(f"{said}\n  {error}", flush=True)
            if done % 25 == 0:
                print(f"{done} deliveries, {wrong} false alarms", flush=True)
    print(f"seeds {first}:{first + done}: {done} deliveries, {wrong} false alarms")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
