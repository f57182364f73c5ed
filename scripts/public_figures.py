"""Picture and stream figures beside those of public tools run by themselves: theirs, ours, difference.

    python scripts/public_figures.py CLIP... [--frames 24]

Each clip is cut, and encoded in H.265, in 8 bits at its own size and in 10 bits at 404 pixels of width, which is no
multiple of what ffmpeg pads lines to. Theirs: each ffmpeg filter alone, on uncompressed files whose lines have no
padding; packets as PyAV reads them.
"""

import argparse
import json
import re
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from vsanon.encode import run
from vsanon.validation.metrics.picture import measure
from vsanon.validation.metrics.pooling import Pooled
from vsanon.validation.metrics.stream import measure_stream

FORMATS = (("8 bits, own size", "yuv420p", ""), ("10 bits, 404 wide", "yuv420p10le", "scale=404:-2,"))


def main() -> None:
    options = argparse.ArgumentParser(description="Figures beside those of public tools.")
    options.add_argument("clips", type=Path, nargs="+")
    options.add_argument("--frames", type=int, default=24)
    asked = options.parse_args()
    print("| clip | figure | theirs | ours | difference |\n|---|---|---|---|---|")
    for clip in asked.clips:
        for what, pix_fmt, scale in FORMATS:
            with tempfile.TemporaryDirectory() as folder:
                for name, theirs, ours in compared(clip, pix_fmt, scale, asked.frames, Path(folder)):
                    print(f"| {clip.stem}, {what} | {name} | {theirs:.6g} | {ours:.6g} | {ours - theirs:+.2g} |")


def compared(clip: Path, pix_fmt: str, scale: str, frames: int, folder: Path) -> list[tuple[str, float, float]]:
    first, second = folder / "a.mkv", folder / "b.mp4"
    run(
        [
            "-i",
            str(clip),
            "-frames:v",
            str(frames),
            "-vf",
            f"{scale}format={pix_fmt}",
            "-an",
            "-c:v",
            "ffv1",
            str(first),
        ]
    )
    coded = ["-c:v", "libx265", "-crf", "30", "-g", "12", "-x265-params", "log-level=error", "-pix_fmt", pix_fmt]
    run(["-i", str(first), *coded, str(second)])
    found = measure(first, second, models=["vmaf"])
    raw = []
    for path in (first, second):
        raw.append(path.with_suffix(".y4m"))
        run(["-i", str(path), "-f", "yuv4mpegpipe", "-strict", "-1", "-pix_fmt", pix_fmt, str(raw[-1])])
    rows = []
    for name, values in alone(raw[0], raw[1], folder).items():
        ours = found.scores[name]
        assert isinstance(ours, Pooled), ours
        rows.append((f"{name}, mean", float(values.mean()), ours.mean))
        rows.append((f"{name}, minimum", float(values.min()), ours.minimum))
    figures = measure_stream(second)
    with av.open(str(second)) as container:
        stream = container.streams.video[0]
        packets = [(p.size, p.is_keyframe) for p in container.demux(stream) if p.size]
        rate = stream.average_rate or Fraction(1)
    bits = 8 * sum(size for size, _ in packets)
    rows.append(("bit rate, bit/s", float(bits / (len(packets) / rate)), figures.bit_rate))
    keys = [k for k, (_, key) in enumerate(packets) if key]
    rows.append(("longest GOP", float(max(np.diff([*keys, len(packets)]))), figures.gop_frames.maximum))
    return rows


def alone(first: Path, second: Path, folder: Path) -> dict[str, "np.ndarray"]:
    """The scores of each frame, each filter run by itself; xpsnr wants the reference first."""
    log = folder / "log"

    def scores(pair: tuple[Path, Path], text: str, pattern: str) -> "np.ndarray":
        run(["-i", str(pair[0]), "-i", str(pair[1]), "-lavfi", text, "-f", "null", "-"])
        return np.array([float(x) for x in re.findall(pattern, log.read_text())])

    pair = (second, first)
    found = {
        "psnr_y": scores(pair, f"psnr=f={log}", r"psnr_y:(\S+)"),
        "ssim": scores(pair, f"ssim=f={log}", r"All:(\S+)"),
        "xpsnr_y": scores((first, second), f"xpsnr=f={log}", r"XPSNR y: *(\S+)"),
    }
    run(["-i", str(second), "-i", str(first), "-lavfi", f"libvmaf=log_fmt=json:log_path={log}", "-f", "null", "-"])
    frames = json.loads(log.read_text())["frames"]
    return {**found, "vmaf": np.array([frame["metrics"]["vmaf"] for frame in frames])}


if __name__ == "__main__":
    main()
