"""How the cost of `vsanon anonymize` grows with the number of faces and with the size of the picture.

    python scripts/bench/scaling.py [--faces 0 1 10 50] [--heights 480 720 1080 2160] [--frames 50] [--runs 3]
                                    [--plot SVG] [-- OPTIONS OF vsanon anonymize]

Draws crowds of people who sway in a park: so many faces at 1080 lines, and ten at every height, faces as large as
the picture asks for, a seventeenth of its height. Each figure is of whole commands, from file to file. Processor
time, which moves less than seconds on a machine that others share, is that of each further frame: a clip of a fifth
of the frames is measured too, and what it takes taken off, as is the start with it. `boxes` were covered a frame.
The plot shows frames a second, likewise of further frames, on logarithmic axes, beside what would grow with them.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from measured import VSANON, Measured, measure, split_options, table

from vsanon.drawn.backdrops import draw_park
from vsanon.drawn.compositing import Actor, Way, cast, compose
from vsanon.drawn.demo import yuv420
from vsanon.drawn.people import LOOKS, draw_person
from vsanon.encode import RawVideo, encode, presets
from vsanon.job.ledger import path_of
from vsanon.media import Color
from vsanon.reporting import svg
from vsanon.timing import Timeline

FPS = 25
ACROSS, DOWN = 10, 5
"""The places of a full crowd."""
FACE = 1 / 17
"""Of the picture's height."""
USUAL_FACES, USUAL_HEIGHT = 10, 1080


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, nargs="*", default=[0, 1, 10, 50])
    parser.add_argument("--heights", type=int, nargs="*", default=[480, 720, 1080, 2160])
    parser.add_argument("--frames", type=int, default=50)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--plot", type=Path, metavar="SVG")
    own, options = split_options(sys.argv[1:])
    args = parser.parse_args(own)
    asked = [(USUAL_HEIGHT, faces) for faces in args.faces] + [(height, USUAL_FACES) for height in args.heights]
    with tempfile.TemporaryDirectory(prefix="vsanon-bench-") as name:
        folder = Path(name)
        rows = [
            _measure(folder, height, faces, args.frames, args.runs, options)
            for height, faces in dict.fromkeys(asked)
        ]
    if args.plot is not None:
        args.plot.write_text(_plot(rows))
    head = ["picture", "faces drawn", "boxes", "frames/s", "processor ms/frame", "peak MiB", "cores of others"]
    told = f"{args.frames} frames, {args.runs} runs, {' '.join(options) or 'defaults'}"
    print(f"{told}\n\n{table(head, [row.cells for row in rows])}")


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured of one crowd.

    Args:
        height: lines of the picture.
        faces: drawn in each frame.
        rate: further frames a second.
        cells: of the table.
    """

    height: int
    faces: int
    rate: float
    cells: list[str]


def _measure(folder: Path, height: int, faces: int, frames: int, runs: int, options: Sequence[str]) -> Row:
    size = (-(-height * 16 // 9 // 2) * 2, height)
    few, out = max(1, frames // 5), folder / "out.mp4"
    found: dict[int, list[Measured]] = {few: [], frames: []}
    for length in found:
        draw(folder / f"{length}.mp4", size, faces, length)
    for _ in range(runs):
        for length, measured in found.items():
            clip = folder / f"{length}.mp4"
            command = [*VSANON, "anonymize", clip, out, "--overwrite", "--preset", "h264_crf", *options]
            measured.append(measure(command))
    classes = json.loads(path_of(out).read_text())["classes"].values()
    covered = sum(sum(of_class["boxes"].values()) for of_class in classes)
    short, long = (statistics.median(m.cpu_s for m in found[length]) for length in (few, frames))
    whole = found[frames]
    row = [
        f"{size[0]}x{size[1]}", str(faces), f"{covered / frames:.1f}",
        f"{statistics.median(frames / m.seconds for m in whole):.2f}",
        f"{1000 * (long - short) / (frames - few):.0f}",
        f"{max(m.peak_mib for m in whole):.0f}", f"{max(m.others for m in whole):.2f}",
    ]  # fmt: skip
    print(" | ".join(row), file=sys.stderr, flush=True)
    seconds = [statistics.median(m.seconds for m in found[length]) for length in (few, frames)]
    return Row(height, faces, (frames - few) / (seconds[1] - seconds[0]), row)


def _plot(rows: Sequence[Row]) -> str:
    """Two panels, over faces and over lines, with the same axis of frames a second."""
    size, top, foot = (760, 330), 44, 280
    faces = sorted((r.faces, r.rate) for r in rows if r.height == USUAL_HEIGHT)
    lines = sorted((r.height, r.rate) for r in rows if r.faces == USUAL_FACES)
    usual = [rate for n, rate in lines if n == USUAL_HEIGHT]
    as_pixels = [(n, rate * (USUAL_HEIGHT / n) ** 2) for n, _ in lines for rate in usual]
    shown = [rate for _, rate in (*faces, *lines, *as_pixels)]
    low, high = min(shown) / 1.5, max(shown) * 1.5
    down = svg.Scale((low, high), (foot, top), log=True)
    # A logarithmic axis has no 0: one more than the faces is what it shows.
    panels = [
        *_panel((60, 370), f"faces in {USUAL_HEIGHT} lines", [(n + 1, str(n), rate) for n, rate in faces], down),
        *_panel(
            (430, 740), f"lines, {USUAL_FACES} faces", [(n, str(n), rate) for n, rate in lines], down, as_pixels
        ),
    ]
    marks = [svg.text(8, down(v) + 4, svg.number(v), "muted") for v in svg.log_ticks(low, high)]
    title = f"Frames a second; dashed: as many pixels a second as with {USUAL_HEIGHT} lines"
    told = "; ".join(f"{r.faces} faces in {r.height} lines: {r.rate:.1f}" for r in rows)
    return svg.picture("scaling", size, title, told, svg.text(8, 20, title), *marks, *panels) + "\n"


def _panel(
    across: tuple[float, float],
    name: str,
    points: Sequence[tuple[float, str, float]],
    down: svg.Scale,
    beside: Sequence[tuple[float, float]] = (),
) -> Iterable[svg.Markup]:
    """Points of (value, its name, frames a second), and a dashed line of (value, frames a second)."""
    right = svg.Scale((points[0][0], points[-1][0]), (across[0] + 12, across[1] - 12), log=True)
    foot = down.pixels[0]
    yield svg.line(across[0], foot, across[1], foot)
    yield svg.line(across[0], down.pixels[1], across[0], foot)
    yield svg.text(sum(across) / 2, foot + 40, name, text_anchor="middle")
    if beside:
        yield svg.path([(right(v), down(rate)) for v, rate in beside], "muted", stroke_dasharray="7 4")
    yield svg.path([(right(v), down(rate)) for v, _, rate in points], "series-0")
    for value, words, rate in points:
        yield svg.marker(right(value), down(rate), 0)
        yield svg.text(right(value), down(rate) - 10, f"{rate:.1f}", text_anchor="middle")
        yield svg.text(right(value), foot + 18, words, "muted", text_anchor="middle")


def draw(path: Path, size: tuple[int, int], faces: int, frames: int) -> None:
    """Write a clip of so many people, spread over the picture; those behind come first."""
    actors, (width, height) = _crowd(size, faces), size
    park = draw_park(size, height / 360, np.random.default_rng(1))
    grain = np.random.default_rng(2).normal(0, 2, (height + 64, width + 64, 1)).round().astype(np.int16)

    def picture(n: int) -> np.ndarray:
        layers = [layer for actor in actors if (layer := actor.layer(n, size)) is not None]
        y, x = 37 * n % 64, 23 * n % 64
        noisy = compose(park.copy(), layers) + grain[y : y + height, x : x + width]
        return noisy.clip(0, 255).astype(np.uint8)

    times = Timeline(tuple(range(frames)), Fraction(1, FPS), Fraction(FPS))
    color = Color("bt709", "bt709", "bt709", "tv", "left")
    video = RawVideo("yuv420p", size, times, sar=Fraction(1), color=color)
    encode((yuv420(picture(n)) for n in range(frames)), video, presets.load("h264_crf"), path)


def _crowd(size: tuple[int, int], faces: int) -> list[Actor]:
    places = np.random.default_rng(0).permutation(ACROSS * DOWN)[:faces]
    tall, actors = size[1] * FACE, []
    for place in sorted(places.tolist()):
        at = ((place % ACROSS + 0.5) * size[0] / ACROSS, (place // ACROSS + 0.5) * size[1] / DOWN)
        way = Way(at, (tall / 100, 0), bob=tall / 30, roll=0.03, stride=14 + place % 7)
        rng = np.random.default_rng(place)
        actors.append(
            cast(draw_person(LOOKS[place % len(LOOKS)], 0.3 * (place % 3 - 1), 1.3 * tall, rng), tall, way)
        )
    return actors


if __name__ == "__main__":
    main()
