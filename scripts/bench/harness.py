"""What the validation harness costs over the bare ffmpeg runs and the bare model runs of its cells.

    python scripts/bench/harness.py CLIP --truth TRUTH [--setting balanced] [--runs 3]

Each round measures the cells in an empty store, and then the same work bare: ffmpeg from the clip to each cell's
encode with the same arguments, ffmpeg's comparison of the two, and the detector over every frame, decoded once: the
index of the source filter is made while the clock stands still. One more bare round comes first, uncounted.
Prints medians of wall and CPU time, and their ratios; CPU time counts all processes, and depends less on what else
runs.
"""

import argparse
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

from vsanon import filters
from vsanon.encode import ffmpeg_path
from vsanon.encode.presets import video_args
from vsanon.media.source import open_source
from vsanon.validation.metrics import picture
from vsanon.validation.runs import matrix
from vsanon.validation.runs.cells import measure_cell
from vsanon.validation.runs.store import Store

TEXT = """\
vsanon_matrix: 1
name: overhead
sources: [{{id: clip, file: "{clip}", truth: "{truth}"}}]
encodes: [{{preset: h264_crf, crf: [23, 35, 45]}}]
settings: [{{id: one, setting: {setting}, classes: [{label}]}}]
picture: [vmaf]
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--setting", default="balanced")
    parser.add_argument("--label", default="face")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    clip, truth = args.clip.absolute(), args.truth.absolute()
    text = TEXT.format(clip=clip, truth=truth, setting=args.setting, label=args.label)
    found = matrix.parse(text, "overhead", Path())
    bare(found, Clock())  # not counted: what a program does once, such as imports, would all be the first round's
    pairs = []
    for _ in range(args.runs):
        whole_clock, bare_clock = Clock(), Clock()
        harness(found, whole_clock)
        bare(found, bare_clock)
        pairs.append((whole_clock.seconds, bare_clock.seconds))
    print(f"{args.clip.name}, {args.setting}, {len(found.cells())} cells, median of {args.runs}:")
    for k, name in enumerate(("wall", "CPU")):
        whole, least = (statistics.median(values) for values in zip(*((a[k], b[k]) for a, b in pairs), strict=True))
        ratio = statistics.median(a[k] / b[k] for a, b in pairs)
        rounds = ", ".join(f"{a[k]:.1f}/{b[k]:.1f}" for a, b in pairs)
        print(f"  {name}: harness {whole:.1f} s, bare {least:.1f} s, ratio {ratio:.3f} ({rounds})")


class Clock:
    """Wall and CPU seconds of what runs under it, with those of the programs that it starts."""

    def __init__(self) -> None:
        self.seconds = [0.0, 0.0]
        self._since = (0.0, 0.0)

    def __enter__(self) -> None:
        self._since = self._now()

    def __exit__(self, *_: object) -> None:
        for k, (since, now) in enumerate(zip(self._since, self._now(), strict=True)):
            self.seconds[k] += now - since

    @staticmethod
    def _now() -> tuple[float, float]:
        times = os.times()
        return times.elapsed, sum(times[:4])


def harness(found: matrix.Matrix, clock: Clock) -> None:
    """All cells of a matrix, in an empty store."""
    with tempfile.TemporaryDirectory() as folder, clock:
        store = Store(Path(folder))
        for cell in found.cells():
            record = measure_cell(found, cell, store)
            if record.failed:
                raise SystemExit(f"{cell.id}: {record.cell['failure']}")


def bare(found: matrix.Matrix, clock: Clock) -> None:
    """The ffmpeg and model runs that the cells can't do without."""
    (spec,) = found.sources.values()
    (settings,) = found.settings.values()
    assert spec.file is not None
    with tempfile.TemporaryDirectory() as folder:
        for encode in found.encodes.values():
            preset = encode.resolved()
            target = Path(folder) / f"{encode.id}{preset.suffix}"
            args = video_args(preset, preset.pix_fmts[0])
            argv = [ffmpeg_path(), "-v", "error", "-i", str(spec.file), "-map", "0:v:0", *args, str(target)]
            with clock:
                subprocess.run(argv, check=True)
                picture.measure(spec.file, target, models=("vmaf",), threads=2)
            opened = open_source(target)
            with clock:
                for _ in filters.detect(opened.clip, settings.search).frames(close=True):
                    pass


if __name__ == "__main__":
    main()
