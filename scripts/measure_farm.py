"""What chunks cost: processor time a frame of film against chunk length, what joins them, and two workers over one.

python scripts/measure_farm.py SOURCE [--lengths 12,50,150] [--each 2] [--workers] [-- OPTIONS]

Chunks lie in the middle of the film, so that both their borders cost what borders cost. Processor time is that of
this process and of ffmpeg; models and filters are warm, as in a worker that does one chunk after the other.
OPTIONS are those of `vsanon farm plan`. With --workers the plan of the longest chunks runs on one worker and on
two, by the clock: only on an idle machine.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from vsanon.encode.joined import Piece
from vsanon.encode.joined import join as join_pieces
from vsanon.farm import chunks, join, plan_file
from vsanon.farm.chunk_files import files_of
from vsanon.farm.plan import Plan
from vsanon.job.frames import raw_video
from vsanon.media.intact import require_intact
from vsanon.media.source import open_source


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--lengths", default="12,50,150", help="Frames of a chunk.")
    parser.add_argument("--each", type=int, default=2, help="Chunks of each length.")
    parser.add_argument("--workers", action="store_true")
    at = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    asked, options = parser.parse_args(sys.argv[1:at]), sys.argv[at + 1 :]
    lengths = [int(v) for v in asked.lengths.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        plans = [planned(asked.source, Path(folder) / str(length), length, options) for length in lengths]
        chunks.do(plans[0], plans[0].units[0])  # warms up
        cost: dict[float, float] = {}
        for plan in plans:
            middle = plan.units[len(plan.units) // 2 :][: asked.each]
            found = []
            for unit in middle:
                file, k = plan.unit(unit)
                began = used()
                chunks.do(plan, unit)
                found.append(((used() - began), len(file.chunks[k])))
            seconds, frames = (statistics.fmean(v) for v in zip(*found, strict=True))
            cost[frames] = seconds
            print(f"chunks of {frames:.0f} frames: {seconds:.2f} s each, {1000 * seconds / frames:.1f} ms a frame")
        (a, first), (b, last) = min(cost.items()), max(cost.items())
        frame = (last - first) / (b - a)
        print(f"so {1000 * frame:.1f} ms a frame, and {first - a * frame:.2f} s a chunk, with its borders")
        whole = plans[-1]
        for unit in whole.units:
            chunks.do(whole, unit)
        frames, source = whole.files[0].frames, open_source(asked.source)
        began = used()
        require_intact(source)
        read = used() - began
        packets = joined(whole, Path(folder) / f"packets{whole.preset.suffix}")
        began = used()
        join.join_file(whole, whole.files[0])
        all_of_it, read, packets = (1000 * s / frames for s in (used() - began, read, packets))
        print(f"join of {len(whole.units)} chunks: {all_of_it:.1f} ms a frame, of which {read:.1f} to read the "
              f"source once more, {packets:.1f} to put packets together")  # fmt: skip
        start = min(started() for _ in range(2))
        print(f"start of a process that does nothing: {start:.2f} s")
        if asked.workers:
            by_clock(asked.source, Path(folder), lengths[-1], options)


def joined(plan: Plan, partial: Path) -> float:
    """Processor time of putting the packets of a film's chunks together, with its sound."""
    file, source, began = plan.files[0], open_source(plan.files[0].source), used()
    pictures = [files_of(plan, unit).picture for unit in file.units]
    pieces = [Piece(p, len(span)) for p, span in zip(pictures, file.chunks, strict=True) if p is not None]
    join_pieces(pieces, raw_video(source), plan.preset, partial, source=source.facts)
    return used() - began


def planned(source: Path, folder: Path, length: int, options: list[str]) -> Plan:
    import av

    with av.open(str(source)) as opened:
        rate = float(opened.streams.video[0].average_rate or 25)
    argv = ["farm", "plan", source, "--out", folder, "--chunk-seconds", length / rate, *options]
    subprocess.run([sys.executable, "-m", "vsanon", *map(str, argv)], check=True, capture_output=True)
    return plan_file.read(folder / "farm.json")


def by_clock(source: Path, folder: Path, length: int, options: list[str]) -> None:
    seconds = {}
    for workers in (1, 2):
        plan = planned(source, folder / f"by {workers}", length, options)
        began = time.monotonic()
        argv = [sys.executable, "-m", "vsanon", "farm", "run", str(plan.path), "--workers", str(workers)]
        subprocess.run(argv, check=True, capture_output=True)
        seconds[workers] = time.monotonic() - began
        shutil.rmtree(plan.path.parent)
    ratio = seconds[1] / seconds[2]
    print(f"by the clock: one worker {seconds[1]:.0f} s, two {seconds[2]:.0f} s, {ratio:.2f} times as fast")


def started() -> float:
    before = os.times()
    subprocess.run([sys.executable, "-c", "import vsanon.farm.work"], check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def used() -> float:
    own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in own)


if __name__ == "__main__":
    main()
