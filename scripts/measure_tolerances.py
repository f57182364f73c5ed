"""How far an honest encode moves the means that `vsanon.job.picture_checks` compares: the presets' `tolerance`.

Covers seeded boxes that wander over real and drawn clips, in each profile, encodes them with each preset, and
prints the greatest difference of a small block in a region, of a block of the frame's grid, and of a part of a
region along the way from paint to source, in codes of 255, with the tolerances that follow: `FACTOR` times the
greatest, and half a code for the rounding of conversions.

    python scripts/measure_tolerances.py ../shared/assets/video/*.mp4 --frames 24 > tolerances.txt
    python scripts/measure_tolerances.py --table tolerances.txt more.txt

The second makes one table of what several runs have printed, with how many encodes each figure rests on, beside
what the presets say.
"""

import argparse
import math
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import vapoursynth as vs

from vsanon import filters
from vsanon.covering.effects import FILL
from vsanon.covering.looks import PROFILES
from vsanon.detections import Origin, TrackedBoxes
from vsanon.encode import encode, presets
from vsanon.errors import VsanonError
from vsanon.filters import props
from vsanon.filters.clips import modify
from vsanon.filters.same_picture import miniatures_of
from vsanon.job.file_checks import verify_file
from vsanon.job.frames import frames_of, raw_video
from vsanon.job.images import as_file
from vsanon.job.ledger import Painting
from vsanon.job.witness import Witness
from vsanon.media.source import Source, bound_cache, open_source
from vsanon.timing import Timeline

FACTOR = 1.5
KEYS = ("region", "grid", "way")
_LINE = re.compile(r"(\S+) part \d+ (\w+) (\w+): (.*)")


def boxes_at(n: int, size: tuple[int, int], seed: int) -> TrackedBoxes:
    """Three to six boxes that wander and breathe, of classes and colours of their own."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(3, 7))
    side = np.exp(rng.uniform(math.log(12), math.log(max(16, min(size) * 0.6)), count))
    centre = rng.uniform(0, 1, (count, 2)) * size + n * rng.uniform(-4, 4, (count, 2))
    half = side[:, None] * (0.5 + 0.05 * np.sin(n / 5)) * [0.8, 1]
    return TrackedBoxes(
        np.concatenate([centre - half, centre + half], axis=1).astype(np.float32),
        np.full(count, 0.9, np.float32),
        tuple("plate" if v < 0.3 else "face" for v in rng.uniform(0, 1, count)),
        tuple(range(count)),
        (Origin.DETECTED,) * count,
        rng.integers(0, 256, (count, 5, 5, 3), dtype=np.uint8),
    )


def wandering(clip: vs.VideoNode, seed: int) -> vs.VideoNode:
    """Tracks of such boxes for a clip."""
    size = clip.width, clip.height

    def run(n: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        out = f[0].copy()
        props.write(out.props, boxes_at(n, size, seed), size)
        return out

    return modify("wandering", [miniatures_of(clip)], run)


def part(source: Source, start: int, frames: int) -> Source:
    """Some frames of a source, as a source."""
    stop = min(start + frames, source.clip.num_frames)
    timeline = Timeline(source.timeline.pts[start:stop], source.timeline.time_base, source.timeline.fps)
    return replace(source, clip=source.clip[start:stop], timeline=timeline)


def measured(source: Source, preset: presets.Preset, profile: str, seed: int) -> dict[str, tuple[float, str]]:
    """The greatest differences of an honest encode."""
    video = raw_video(source)
    painting = Painting(profile, filters.grid_of(source.video.codec), FILL, "error", same_picture=True)
    with tempfile.TemporaryDirectory() as folder:
        images = preset.muxer == "image2"
        path = Path(folder) / ("images/out.%06d" if images else "out")
        path = path.with_name(path.name + preset.suffix)
        path.parent.mkdir(exist_ok=True)
        with Witness(source.clip, wandering(source.clip, seed), painting, video, preset) as witness:

            def planes() -> Iterator[Sequence[np.ndarray]]:
                for frame in frames_of(witness.clip):
                    yield witness.add(frame)[0]

            encode(planes(), video, preset, path)
            look = witness.look()
            with as_file(path, video.timeline.fps if images else None) as file:
                verify_file(file, video=video, preset=preset, look=look)
            said = [f"{c.name}: {c.found}" for c in witness.checks(look)[:2] if not c.passed]
            if said:
                print(f"  FAILED {said}", flush=True)
            return look.worst


def follows(worst: float) -> float:
    """The tolerance that follows from a greatest difference, in quarters of a code."""
    return math.ceil((worst * FACTOR + 0.5) * 4) / 4


def table(lines: Sequence[str]) -> None:
    """Print of each preset the greatest differences, the tolerances that follow, and those that it has."""
    found: dict[str, list[tuple[dict[str, float], str]]] = {}
    for line in lines:
        if match := _LINE.match(line):
            clip, name, profile, words = match.groups()
            values = {key: float(value) for key, value in re.findall(r"(\w+) ([\d.]+) \(", words)}
            found.setdefault(name, []).append((values, f"{clip}, {profile}"))
    print("| preset | encodes | greatest: region, grid, way | where (region) | follows | has |")
    print("|---|---|---|---|---|---|")
    for name, rows in sorted(found.items()):
        worst = {key: max(values.get(key, 0) for values, _ in rows) for key in KEYS}
        where = max(rows, key=lambda row: row[0].get("region", 0))[1]
        has = presets.load(name).tolerance
        said, wanted = (
            ", ".join(f"{v:g}" for v in values) for values in (worst.values(), map(follows, worst.values()))
        )
        print(f"| {name} | {len(rows)} | {said} | {where} | {wanted} | {has.region:g}, {has.grid:g}, {has.way:g} |")


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--table", nargs="+", type=Path, metavar="LOG", help="what runs have printed")
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--parts", type=int, default=2, help="places in each clip")
    parser.add_argument("--profiles", default=",".join(PROFILES))
    parser.add_argument("--presets", default=",".join(presets.names()))
    asked = parser.parse_args()
    if asked.table:
        table([line for log in asked.table for line in log.read_text().splitlines()])
        return 0
    bound_cache()
    worst: dict[str, dict[str, float]] = {}
    for path in asked.clips:
        whole = open_source(path)
        for k in range(asked.parts):
            some = part(whole, k * max(0, whole.clip.num_frames - asked.frames) // max(1, asked.parts - 1),
                        asked.frames)  # fmt: skip
            for name in asked.presets.split(","):
                for profile in asked.profiles.split(","):
                    try:
                        found = measured(some, presets.load(name), profile, 1000 * k + len(path.name))
                    except VsanonError as error:
                        print(f"  {path.name} {name} {profile}: {error}", flush=True)
                        continue
                    own = worst.setdefault(name, {})
                    for key, (value, _) in found.items():
                        own[key] = max(own.get(key, 0), value)
                    words = ", ".join(f"{key} {value:.2f} ({where})" for key, (value, where) in found.items())
                    print(f"{path.name} part {k} {name} {profile}: {words}", flush=True)
    for name, own in worst.items():
        print(f"{name}: worst {own}")
        print(f"tolerance: {{{', '.join(f'{key}: {follows(own[key]):g}' for key in KEYS)}}}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
