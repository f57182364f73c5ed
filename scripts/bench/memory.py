"""Whether memory grows with length: the peak of `vsanon anonymize` on a short and on a long clip.

    python scripts/bench/memory.py CLIP [--minutes 1 30] [--folder FOLDER] [-- OPTIONS OF vsanon anonymize]

CLIP is looped to both lengths without decoding it; a small one makes the long run short. Memory is the resident
memory of Python and of the ffmpeg that it starts together, looked at four times a second.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from measured import VSANON, looped, measure, split_options, table

LIMIT = 1.2
"""What the long clip may take, in units of the short one's peak."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--minutes", type=float, nargs=2, default=(1, 30), metavar=("SHORT", "LONG"))
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "vsanon-bench")
    own, options = split_options(sys.argv[1:])
    args = parser.parse_args(own)
    args.folder.mkdir(parents=True, exist_ok=True)
    rows, peaks = [], []
    for minutes in args.minutes:
        clip = looped(args.clip, args.folder, seconds=60 * minutes)
        out = args.folder / "memory.mp4"
        done = measure([*VSANON, "anonymize", clip, out, "--overwrite", *options])
        peaks.append(done.peak_mib)
        quarters = [max(mib for t, mib in done.samples if t <= done.seconds * q / 4) for q in (1, 2, 3, 4)]
        rows.append([f"{minutes:g} min", f"{done.seconds:.0f}", *(f"{q:.0f}" for q in quarters)])
    head = ["clip", "seconds", *(f"peak MiB until {q}/4" for q in (1, 2, 3, 4))]
    print(table(head, rows))
    ratio = peaks[1] / peaks[0]
    print(f"\nlong over short: {ratio:.2f}, {'within' if ratio <= LIMIT else 'MORE THAN'} {LIMIT}")


if __name__ == "__main__":
    main()
