"""Measures how steady the colour is that regions take from their surroundings, by tracks that were found before.

    python scripts/measure_tones.py CLIP TRACKS [CLIP TRACKS ...]

TRACKS is what `vsanon analyze CLIP` wrote. All regions are covered with the fill `surroundings`; of each track the
steps of luma from one frame to the next are counted, in codes of 8 bits, never over a cut: of the mean around a
region in a frame alone, and of the tone that is painted. The table goes to stdout, in Markdown.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vsanon import filters
from vsanon.covering.effects import FILL
from vsanon.covering.surroundings import coded
from vsanon.filters import props
from vsanon.job.frames import frames_of
from vsanon.media.source import open_source


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="+", type=Path, help="CLIP TRACKS ...")
    files = parser.parse_args().files
    print("| clip | steps | mean | 99 of 100 are at most | greatest |\n|---|---|---|---|---|")
    for clip, tracks in zip(files[::2], files[1::2], strict=True):
        alone, toned = (np.array(steps) for steps in steps_of(clip, tracks))
        cells = [f"{f(alone):.3g} → {f(toned):.3g}" for f in (np.mean, lambda s: np.percentile(s, 99), np.max)]
        print(f"| {clip.stem} | {len(alone)} | {' | '.join(cells)} |")


def steps_of(path: Path, tracks: Path) -> tuple[Sequence[float], Sequence[float]]:
    """The steps of the mean around each region, and of its tone."""
    source = open_source(path)
    data = filters.load(source.clip, tracks)
    grid = filters.grid_of(source.video.codec)
    steps: tuple[list[float], list[float]] = ([], [])
    before: dict[tuple[int, str], np.ndarray] = {}
    for frame in frames_of(filters.around(source.clip, data, fill="surroundings", grid=grid)):
        boxes = props.read_tracked(frame.props)
        around = props.read_around(frame.props, len(boxes), source.clip.format.num_planes)
        here = {}
        if around is not None and not frame.props.get(props.CUT):
            for i, key in enumerate(zip(boxes.ids, boxes.classes, strict=True)):
                # What has nothing around is of the fixed colour.
                here[key] = [coded(v, is_float=False) if np.isfinite(v) else FILL[0] for v in around[i, :, 0]]
                if key in before:
                    for kept, now, was in zip(steps, here[key], before[key], strict=True):
                        kept.append(abs(now - was))
        before = here
    return steps


if __name__ == "__main__":
    main()
