"""What chunks cost: processor time a frame of film against chunk length, what joins them, and two workers over one.

python scripts/measure_farm.py SOURCE [--lengths 10,40,100] [--each 2] [--workers] [--fill PAGE] [-- OPTIONS]

Chunks lie in the middle of the film, so that both their borders cost what borders cost. Processor time is that of
this process and of ffmpeg; models and filters are warm, as in a worker that does one chunk after the other.
OPTIONS are those of `vsanon farm plan`. With --workers each plan runs on one worker and on two, by the clock: only
on an idle machine. With --fill the tables of the page are written, that of `simulate_farm.py` from these figures,
too.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

from simulate_farm import Farm, table

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
    parser.add_argument("--lengths", default="10,40,100", help="Frames of a chunk.")
    parser.add_argument("--each", type=int, default=2, help="Chunks of each length.")
    parser.add_argument("--workers", action="store_true")
    parser.add_argument(
        "--fill", type=Path, default=None, help="A page with the marks `farm costs` and `farm simulated`."
    )
    at = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    asked, options = parser.parse_args(sys.argv[1:at]), sys.argv[at + 1 :]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        costs, lines = measured(asked, Path(folder), options)
    simulated = table(costs, 7200, [5, 15, 60, 240], [1, 2, 10, 100, 1000], 1)
    print("\n".join([*lines, "", simulated]))
    print(f"all of it took {time.monotonic() - began:.0f} s")
    if asked.fill is not None:
        page = within(asked.fill, "farm costs", "\n".join(lines))
        asked.fill.write_text(page, encoding="utf-8")
        asked.fill.write_text(within(asked.fill, "farm simulated", simulated), encoding="utf-8")


def measured(asked: argparse.Namespace, folder: Path, options: list[str]) -> tuple[Farm, list[str]]:
    """What a farm costs, and the page's lines on it."""
    lengths = [int(v) for v in asked.lengths.split(",")]
    plans = {length: planned(asked.source, folder / str(length), length, options) for length in lengths}
    chunks.do(plans[lengths[0]], plans[lengths[0]].units[0])  # warms up
    cost: dict[float, float] = {}
    rows = []
    for length, plan in plans.items():
        found = []
        for unit in plan.units[len(plan.units) // 2 :][: asked.each]:
            file, k = plan.unit(unit)
            began = used()
            chunks.do(plan, unit)
            found.append(((used() - began), len(file.chunks[k])))
        seconds, frames = (statistics.fmean(v) for v in zip(*found, strict=True))
        cost[frames] = seconds
        rows.append([f"{frames:.0f}", f"{seconds:.2f}", f"{1000 * seconds / frames:.0f}"])
        print(f"chunks of {frames:.0f} frames: {seconds:.2f} s each", file=sys.stderr)
        if asked.workers:
            rows[-1] += by_clock(asked.source, folder, length, options)
    (a, first), (b, last) = min(cost.items()), max(cost.items())
    frame = (last - first) / (b - a)
    whole = plans[lengths[-1]]
    for unit in whole.units:
        chunks.do(whole, unit)
    count, source = whole.files[0].frames, open_source(asked.source)
    began = used()
    require_intact(source)
    read = (used() - began) / count
    packets = joined(whole, folder / f"packets{whole.preset.suffix}") / count
    began = used()
    join.join_file(whole, whole.files[0])
    all_of_it, start = (used() - began) / count, min(started() for _ in range(2))
    opened = opening(asked.source) / count
    clock = ["one worker, s", "two, s", "times as fast", "processor time of all, s"] if asked.workers else []
    head = ["chunk, frames", "s a chunk", "ms a frame", *clock]
    lines = [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
    words = (
        f"A frame costs {1000 * frame:.0f} ms, and a chunk {first - a * frame:.2f} s beside its frames. The join "
        f"costs {1000 * all_of_it:.1f} ms a frame: {1000 * packets:.1f} to put packets together, {1000 * read:.1f} "
        f"to read the source once more, and the rest to decode the result and compare it with what was painted. To "
        f"start a worker costs {start:.2f} s, to open a source for the first time {1000 * opened:.1f} ms a frame."
    )
    lines += ["", textwrap.fill(words, 130)]
    return Farm(frame, first - a * frame, all_of_it, start, opened), lines


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


def by_clock(source: Path, folder: Path, length: int, options: list[str]) -> list[str]:
    """Seconds of a plan on one worker and on two, their ratio, and the processor time of both."""
    seconds, work = {}, {}
    for workers in (1, 2):
        plan = planned(source, folder / f"by {workers}", length, options)
        began, before = time.monotonic(), used()
        argv = [sys.executable, "-m", "vsanon", "farm", "run", str(plan.path), "--workers", str(workers)]
        subprocess.run(argv, check=True, capture_output=True)
        seconds[workers], work[workers] = time.monotonic() - began, used() - before
        shutil.rmtree(plan.path.parent)
    ratio = f"{seconds[1] / seconds[2]:.2f}"
    return [f"{seconds[1]:.0f}", f"{seconds[2]:.0f}", ratio, f"{work[1]:.0f}, {work[2]:.0f}"]


def opening(source: Path) -> float:
    """Processor time of opening a source that was never opened before."""
    with tempfile.TemporaryDirectory() as folder:
        own = Path(shutil.copy(source, folder))
        os.utime(own, (1, 1))  # another file than any that is known
        began = used()
        open_source(own)
        return used() - began


def started() -> float:
    before = os.times()
    subprocess.run([sys.executable, "-c", "import vsanon.farm.work"], check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def within(path: Path, part: str, text: str) -> str:
    """A page with the part between its marks replaced."""
    start, stop = f"<!-- {part}: start -->", f"<!-- {part}: stop -->"
    before, begins, rest = path.read_text(encoding="utf-8").partition(start)
    _, ends, after = rest.partition(stop)
    if not (begins and ends):
        raise SystemExit(f"{path}: there is no {start} ... {stop}")
    return f"{before}{start}\n{text}\n{stop}{after}"


def used() -> float:
    own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in own)


if __name__ == "__main__":
    main()
