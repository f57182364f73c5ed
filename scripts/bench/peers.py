"""How fast `vsanon anonymize` is beside deface 1.5.0, whole commands from file to file, one encoder's settings.

    python scripts/bench/peers.py [CLIP ...] --log FILE [--runs 3] [--tool NAME ...] [--encoder ultrafast18]
    python scripts/bench/peers.py --log FILE --table

CLIPs are files; without any, clips of 720p, 1080p and 2160p are made of the footage in the folder that
`VSANON_ASSETS` names (the last by enlarging). Each run adds a line to the log, so that runs can be made one by one
on a machine that is quiet only now and then; the table is of the medians of all runs in the log. deface runs
unchanged in the environment that `scripts/compare_peers.py` makes.

deface searches every frame: at the size of the picture by default, or at that of --scale. vsanon runs at the same
size with every frame searched, with the same model and with the setting fast, whose model is a smaller one, and
which covers no less than deface does (docs/evaluation.md); and with its default setting, balanced, searching the
frames that need it.
"x264 alone" encodes the clip with the same settings by ffmpeg, and nothing else: no tool can be faster. deface's
defaults, which take minutes, are run once.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
from measured import VSANON, Measured, measure, table

from vsanon.encode import ffmpeg_path
from vsanon.encode import run as ffmpeg
from vsanon.models import cores

sys.path.insert(0, str(Path(__file__).parents[1]))
from compare_peers import DEFACE, deface_python

WIDTH = 640
"""The longer side of the picture that both are told to search."""

ENCODERS = {
    "deface's own": ("-preset", "medium", "-crf", "25"),
    "ultrafast18": ("-preset", "ultrafast", "-crf", "18"),
}
"""x264's settings, given to both; the first are those that deface takes by itself."""

THREADS = 4
ALONE = "x264 alone"
DEFACE_TOOLS = ("deface, defaults", "deface, 640")
FACES = ("--classes", "face")
VSANON_TOOLS: dict[str, tuple[str, ...]] = {
    "vsanon, fast, 640": (*FACES, "--setting", "fast", "--size", str(WIDTH)),
    "vsanon, 640": (*FACES, "--size", str(WIDTH)),
    "vsanon, 640, int8": (*FACES, "--size", str(WIDTH), "--model", "face=centerface_int8"),
    "vsanon, balanced, auto": (*FACES, "--stride", "auto"),
    "vsanon, balanced, auto, int8": (*FACES, "--stride", "auto", "--model", "face=centerface_int8"),
}
"""Each with its options, for faces alone, as deface knows no plates. Where no setting is named, both find faces by
the same CenterFace; int8 stands for that in 8-bit integers."""

TOOLS = (ALONE, *DEFACE_TOOLS, *VSANON_TOOLS)
ONCE = DEFACE_TOOLS[0]
RATIOS = (
    ("vsanon, fast, 640", "deface, 640", 3.0),
    ("vsanon, fast, 640", "deface, defaults", 10.0),
    ("vsanon, 640", "deface, 640", 3.0),
    ("vsanon, 640, int8", "deface, 640", 3.0),
    ("vsanon, balanced, auto", "deface, defaults", 10.0),
    ("vsanon, balanced, auto, int8", "deface, defaults", 10.0),
)
"""What is compared, and what is wanted of it."""

PRESET = """\
name: peer
purpose: The encoder's settings of a comparison.
suffix: .mp4
encoder: libx264
codec: h264
pix_fmts: [yuv420p]
args: {args}
threads: {threads}
tags: [matrix, primaries, transfer, range, chroma_location]
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path, metavar="CLIP")
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--tool", dest="tools", action="append", choices=TOOLS)
    parser.add_argument("--encoder", choices=ENCODERS, default="deface's own")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "vsanon-bench")
    parser.add_argument("--table", action="store_true", help="measure nothing")
    args = parser.parse_args()
    if not args.table:
        args.folder.mkdir(parents=True, exist_ok=True)
        for clip in args.clips or make_clips(args.folder):
            # Round by round: a machine that others share is now faster, now slower, for minutes.
            for n in range(args.runs):
                for tool in args.tools or TOOLS:
                    if tool != ONCE or n == 0:
                        _add(args.log, clip, tool, args.encoder, args.folder)
    print(_table([json.loads(line) for line in args.log.read_text().splitlines()]))


def _add(log: Path, clip: Path, tool: str, encoder: str, folder: Path) -> None:
    size, frames = _facts(clip)
    done = measure(_command(tool, clip, size, encoder, folder))
    entry = {
        "clip": clip.stem, "size": "x".join(map(str, size)), "frames": frames, "tool": tool, "encoder": encoder,
        "cores": cores(), "seconds": round(done.seconds, 3), "cpu_s": round(done.cpu_s, 3),
        "others": round(done.others, 3), "peak_mib": round(done.peak_mib),
    }  # fmt: skip
    with log.open("a") as file:
        file.write(json.dumps(entry) + "\n")
    _say(entry, done)


def _say(entry: dict[str, Any], done: Measured) -> None:
    rate = entry["frames"] / done.seconds
    print(f"{entry['clip']}: {entry['tool']}: {rate:.2f} frames/s, others {done.others:.2f} cores", file=sys.stderr)


def _command(tool: str, clip: Path, size: tuple[int, int], encoder: str, folder: Path) -> Sequence[str | Path]:
    args = ENCODERS[encoder]
    if tool == ALONE:
        more = ("-threads", str(THREADS), "-y", folder / "x264.mp4")
        return [ffmpeg_path(), "-v", "error", "-i", clip, "-c:v", "libx264", *args, *more]
    if tool.startswith("deface"):
        given = {
            "codec": "libx264", "quality": None, "macro_block_size": 1,
            "output_params": [*args, "-threads", str(THREADS)],
        }  # fmt: skip
        scale = ["--scale", "x".join(str(round(side * WIDTH / max(size))) for side in size)]
        return [
            deface_python().with_name("deface"), clip, "-o", folder / "deface.mp4",
            "--ffmpeg-config", json.dumps(given), *(scale if "640" in tool else []),
        ]  # fmt: skip
    preset = folder / "peer.yaml"
    preset.write_text(PRESET.format(args=json.dumps(args), threads=THREADS))
    output = folder / "vsanon.mp4"
    return [*VSANON, "anonymize", clip, output, "--overwrite", "--preset", preset, *VSANON_TOOLS[tool]]


def _facts(clip: Path) -> tuple[tuple[int, int], int]:
    with av.open(str(clip)) as file:
        stream = file.streams.video[0]
        return (stream.width, stream.height), sum(1 for packet in file.demux(stream) if packet.size)


def make_clips(folder: Path) -> list[Path]:
    """Clips of 720p, 1080p and 2160p, of the footage that `VSANON_ASSETS` names; those that are there are kept."""
    assets = Path(os.environ["VSANON_ASSETS"]) / "video"
    classroom, opera = assets / "classroom_720p25.mp4", assets / "opera_crowd_1080p25.mp4"
    minute, repeated = folder / "classroom_minute_720p25.mp4", folder / "opera_crowd_525_frames_1080p25.mp4"
    enlarged = folder / "opera_crowd_525_frames_2160p25.mp4"
    # Twenty seconds and more, so that a command's start is little of it.
    for clip, times, longer in ((classroom, 4, minute), (opera, 5, repeated)):
        if not longer.exists():
            loop = ["-stream_loop", str(times - 1), "-i", f"file:{clip}"]
            ffmpeg(["-y", *loop, "-map", "0:v", "-c", "copy", f"file:{longer}"])
    if not enlarged.exists():
        x264 = ["-vf", "scale=3840:2160:flags=bicubic", "-c:v", "libx264", "-crf", "20", "-preset", "fast"]
        loop = ["-i", f"file:{repeated}", "-map", "0:v"]
        ffmpeg(["-y", *loop, *x264, f"file:{enlarged}"])
    return [minute, repeated, enlarged]


def _table(entries: Sequence[dict[str, Any]]) -> str:
    found: dict[tuple[str, str, str, str], list[dict[str, Any]]] = {}
    for e in entries:
        found.setdefault((e["encoder"], e["clip"], e["size"], e["tool"]), []).append(e)
    rows = []
    measured: dict[tuple[str, str, str], tuple[float, float]] = {}
    for (encoder, clip, size, tool), runs in sorted(found.items(), key=lambda item: _order(item[0])):
        rate = statistics.median(e["frames"] / e["seconds"] for e in runs)
        cpu_ms = statistics.median(1000 * e["cpu_s"] / e["frames"] for e in runs)
        measured[encoder, clip, tool] = (rate, cpu_ms)
        wanted = [
            f"{rate / theirs:.1f} times {other} by the clock, {their_ms / cpu_ms:.1f} in processor time "
            f"(wanted {least:g})"
            for mine, other, least in RATIOS
            if mine == tool and (encoder, clip, other) in measured
            for theirs, their_ms in [measured[encoder, clip, other]]
        ]
        others = max(e["others"] for e in runs)
        peak = max(e["peak_mib"] for e in runs)
        rows.append([
            encoder, f"{clip} {size}", tool, len(runs), f"{rate:.2f}", f"{cpu_ms:.0f}", peak, f"{others:.2f}",
            "; ".join(wanted),
        ])  # fmt: skip
    head = [
        "x264", "clip", "tool", "runs", "frames/s, median", "processor ms/frame", "peak MiB", "cores of others",
        "ratio",
    ]  # fmt: skip
    return f"{table(head, rows)}\n\ndeface {DEFACE}; {entries[0]['cores']} cores"


def _order(key: tuple[str, str, str, str]) -> tuple[int, int, str, int]:
    encoder, clip, size, tool = key
    return list(ENCODERS).index(encoder), int(size.split("x")[0]), clip, TOOLS.index(tool)


if __name__ == "__main__":
    main()
