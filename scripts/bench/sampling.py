"""What `stride="auto"` keeps of the coverage, and how few frames it searches, beside the search of every frame.

    python scripts/bench/sampling.py [CLIP ...] [--strides 1 auto ...] [--json FILE]

Clips and truth come from the folder that `VSANON_ASSETS` names: `video/CLIP.*` and `truth/CLIP.csv` (or .txt, as
TLD writes it). Coverage is that of `vsanon.validation.metrics.exposure`, at the default setting. Motion is the mean
change of the 96x54 luma from frame to frame, in codes of 255; objects are those of the truth that count. The time
is that of decoding, searching and tracking, without painting and encoding.
"""

import argparse
import dataclasses
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import vapoursynth as vs
from measured import table

import vsanon
from vsanon.filters import props
from vsanon.filters.stride import CHANGES
from vsanon.media.source import open_source
from vsanon.validation.metrics.exposure import ExposureMeter
from vsanon.validation.truth.boxes import Truth, read_tld, read_truth

CLIPS = ("opera_crowd_1080p25", "classroom_720p25", "walkers_416p24", "tld_david", "tld_jumping", "uk_plate_720p30")


@dataclass(frozen=True, slots=True)
class Row:
    """One clip at one stride."""

    clip: str
    stride: str
    label: str
    frames: int
    searched: int
    objects: float
    motion: float
    boxes: int
    covered: int
    longest_run: int
    over_blur: float
    fps: float
    cpu_ms: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", default=CLIPS)
    parser.add_argument("--strides", nargs="+", default=("1", "auto"))
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    assets = Path(os.environ["VSANON_ASSETS"])
    rows = [measure(assets, clip, stride) for clip in args.clips for stride in args.strides]
    if args.json:
        args.json.write_text(json.dumps([dataclasses.asdict(row) for row in rows], indent=1) + "\n")
    print(report(rows))


def measure(assets: Path, name: str, stride: str) -> Row:
    """Search, track and measure a clip."""
    truth = truth_of(assets / "truth" / name)
    (label,) = set(truth.classes[~truth.ignore].tolist())
    path = next(p for p in sorted((assets / "video").iterdir()) if p.stem == name)
    clip = open_source(path).clip
    found = vsanon.detect(clip, classes=(label,), stride=stride if stride == "auto" else int(stride))
    tracks = vsanon.track(found)
    vs.core.std.SetVideoCache(tracks, mode=1, fixedsize=True, maxsize=clip.num_frames)
    wall, cpu = time.perf_counter(), time.process_time()
    searched = 0
    changes = []
    for frame in tracks.frames(close=True):
        searched += int(frame.props[props.SEARCHED])
        changes.append(float(frame.props[CHANGES[0]]))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    meter = ExposureMeter(truth, (clip.width, clip.height), clip.fps)
    for n, frame in enumerate(vsanon.mask(clip, tracks).frames(close=True)):
        weights = np.asarray(frame[0])
        meter.add(n, weights == (1 << frame.format.bits_per_sample) - 1, weights > 0)
    exposure = meter.result()
    of_class = exposure.classes[label]
    return Row(
        clip=name,
        stride=stride,
        label=label,
        frames=clip.num_frames,
        searched=searched,
        objects=int((~truth.ignore).sum()) / clip.num_frames,
        motion=255 * float(np.mean(changes[1:])),
        boxes=of_class.boxes,
        covered=of_class.covered_boxes,
        longest_run=of_class.longest_run_frames,
        over_blur=exposure.over_blur,
        fps=clip.num_frames / wall,
        cpu_ms=1000 * cpu / clip.num_frames,
    )


def truth_of(stem: Path) -> Truth:
    """The truth of a clip, in either form."""
    table_ = stem.with_suffix(".csv")
    return read_truth(table_) if table_.exists() else read_tld(stem.with_suffix(".txt"))


def report(rows: Sequence[Row]) -> str:
    """The rows as a table."""
    head = ["clip", "stride", "frames searched", "objects a frame", "motion", "covered", "longest run, frames",
            "over-blur", "frames/s", "CPU ms a frame"]  # fmt: skip
    return table(
        head,
        [
            [
                row.clip,
                row.stride,
                f"{row.searched} of {row.frames} ({row.searched / row.frames:.1%})",
                f"{row.objects:.1f} {row.label}",
                f"{row.motion:.1f}",
                f"{row.covered / row.boxes:.4f} ({row.covered} of {row.boxes})",
                row.longest_run,
                f"{row.over_blur:.2%}",
                f"{row.fps:.1f}",
                f"{row.cpu_ms:.0f}",
            ]
            for row in rows
        ],
    )


if __name__ == "__main__":
    main()
