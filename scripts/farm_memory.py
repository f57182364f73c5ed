"""Memory, open files and threads of a worker over many files, one after the other: they must not grow.

    python scripts/farm_memory.py FOLDER --count 500 --each 50

Draws short clips, as many files as asked for, and covers them in this very process, as a worker does; every tenth
is damaged, and fails. Linux only: the figures are those of /proc.
"""

import argparse
import json
import logging
import os
import shutil
from pathlib import Path

from vsanon import Search
from vsanon.encode.ffmpeg import run
from vsanon.farm.work import Cover
from vsanon.job.settings import Settings

SIZES = ("64x48", "160x90", "176x144", "192x128")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path, help="a new one")
    options.add_argument("--count", type=int, default=500)
    options.add_argument("--each", type=int, default=50)
    asked = options.parse_args()
    logging.getLogger("vsanon").setLevel(logging.ERROR)
    asked.folder.mkdir()
    clips = [drawn(asked.folder / f"{size}.mp4", size) for size in SIZES]
    cover = Cover(Settings(Search(classes=("plate",))), retries=0)
    print("| files | resident, MB | open files | threads | delivered | failed |\n|---|---|---|---|---|---|")
    states = {"delivered": 0, "failed": 0}
    for n in range(asked.count + 1):
        if n % asked.each == 0:
            print(f"| {n} | {resident() / 1e6:.0f} | {entries('fd')} | {entries('task')} | {states['delivered']} |"
                  f" {states['failed']} |", flush=True)  # fmt: skip
        source = Path(shutil.copy(clips[n % len(clips)], asked.folder / f"in {n}.mp4"))
        if n % 10 == 9:
            source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
        found = cover(json.dumps([str(source), str(asked.folder / f"out {n}.mp4")]))
        states[found["state"]] += 1


def drawn(path: Path, size: str) -> Path:
    run(["-y", "-v", "error", "-f", "lavfi", "-i", f"testsrc2=s={size}:r=12:d=0.5", "-c:v", "libx264", str(path)])
    return path


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def entries(name: str) -> int:
    return len(os.listdir(f"/proc/self/{name}"))


if __name__ == "__main__":
    main()
