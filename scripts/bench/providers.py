"""What another provider (a GPU, say) changes: the speed of whole jobs, and what is found.

    python scripts/bench/providers.py CLIP [--providers cpu,cuda] [--runs 2] [--truth FILE | --speed-only]
                                      [-- --size 640 ...]

What stands after -- goes to `vsanon anonymize`, which runs from file to file, x264 ultrafast at CRF 18. The table
gives for each provider the medians of the runs, and whether all of them delivered the same bytes. Below it stands
how the boxes of each provider differ from those of the first, and with --truth how many true faces each covers.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from measured import VSANON, measure, split_options, table
from peers import ENCODERS, PRESET, THREADS
from pipeline import search_of

sys.path.insert(0, str(Path(__file__).parents[1]))
from compare_peers import masks_of
from compare_peers import measure as measure_exposure

import vsanon
from vsanon.boxes import iou
from vsanon.detections import Detections
from vsanon.detectors.search import Search
from vsanon.files import sha256_of
from vsanon.filters import props
from vsanon.media.source import open_source
from vsanon.models import cores
from vsanon.validation.truth.files import read_any

SAME_IOU = 0.5
"""Two boxes that overlap by so much are one finding."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--providers", default="cpu,cuda")
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--speed-only", action="store_true", help="compare no boxes")
    own, options = split_options(sys.argv[1:])
    args = parser.parse_args(own)
    names = args.providers.split(",")
    print(f"\n## {args.clip.name}, {' '.join(options) or 'defaults'}, {cores()} cores\n", flush=True)
    print(_speed(args.clip, names, args.runs, options), flush=True)
    print()
    first: list[Detections] | None = None
    for name in () if args.speed_only else names:
        search = Search(**{**search_of(options), "provider": name})
        found = _found(args.clip, search)
        if first is not None:
            print(f"* {name} beside {names[0]}: {_differences(first, found)}")
        first = found if first is None else first
        if args.truth is not None:
            print(f"* {name}: {_covered(args.clip, args.truth, search)}")
        sys.stdout.flush()


def _speed(clip: Path, names: Sequence[str], runs: int, options: Sequence[str]) -> str:
    frames = open_source(clip).clip.num_frames
    rows = []
    with tempfile.TemporaryDirectory(prefix="vsanon-bench-") as folder:
        preset = Path(folder) / "peer.yaml"
        preset.write_text(PRESET.format(args=list(ENCODERS["ultrafast18"]), threads=THREADS).replace("'", '"'))
        out = Path(folder) / "out.mp4"
        for name in names:
            command = [*VSANON, "anonymize", clip, out, "--overwrite", "--preset", preset, "--provider", name]
            done, digests = [], set()
            for _ in range(runs):
                done.append(measure([*command, *options]))
                digests.add(sha256_of(out.read_bytes()))
            rows.append([
                name, f"{statistics.median(frames / m.seconds for m in done):.1f}",
                f"{statistics.median(1000 * m.cpu_s / frames for m in done):.0f}",
                f"{max(m.peak_mib for m in done):.0f}", "yes" if len(digests) == 1 else "NO",
            ])  # fmt: skip
    return table(["provider", "frames/s", "processor ms/frame", "peak MiB", f"{runs} runs: same bytes"], rows)


def _found(clip: Path, search: Search) -> list[Detections]:
    searched = vsanon.detect(open_source(clip).clip, search)
    return [props.read_detections(frame.props) for frame in searched.frames(close=True)]


def _differences(one: Sequence[Detections], other: Sequence[Detections]) -> str:
    """How many boxes only one of the two has, and by how much the others differ."""
    alone, pixels, scores, count = [0, 0], 0.0, 0.0, 0
    for a, b in zip(one, other, strict=True):
        shared = iou(a.xyxy, b.xyxy) > SAME_IOU
        alone[0] += int((~shared.any(axis=1)).sum())
        alone[1] += int((~shared.any(axis=0)).sum())
        for i, j in zip(*np.nonzero(shared), strict=True):
            count += 1
            pixels = max(pixels, float(np.abs(a.xyxy[i] - b.xyxy[j]).max()))
            scores = max(scores, float(abs(a.scores[i] - b.scores[j])))
    return (
        f"{count} boxes of both, apart by up to {pixels:.2g} px, scores by up to {scores:.2g}; "
        f"{alone[0]} boxes only of the first, {alone[1]} only of the other"
    )


def _covered(path: Path, truth: Path, search: Search) -> str:
    source = open_source(path)
    given = read_any(truth, size=(source.clip.width, source.clip.height), frames=source.clip.num_frames)
    tracks = vsanon.track(vsanon.detect(source.clip, search))
    faces = measure_exposure(given, source, masks_of(source, tracks)).classes["face"]
    return (
        f"{faces.covered_boxes} of {faces.boxes} faces covered, longest run bare {faces.longest_run_frames} frames"
    )


if __name__ == "__main__":
    main()
