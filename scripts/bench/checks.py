"""What looking at the painting and at the file costs: processor time a frame, against the same job without it.

Draws a textured film in each size, with boxes that wander, covers, encodes and decodes it, and prints medians of
the runs, in milliseconds a frame. The looks are timed by themselves, in their thread: they are less than what the
encoder's time differs by from run to run.

    python scripts/bench/checks.py --sizes 720 1080 2160 --runs 3
"""

import argparse
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from measure_tolerances import wandering

from vsanon.covering.effects import FILL
from vsanon.encode import encode, presets, run
from vsanon.job.file_checks import verify_file
from vsanon.job.frames import frames_of, raw_video
from vsanon.job.ledger import Painting
from vsanon.job.witness import Witness
from vsanon.media.source import bound_cache, open_source


def cpu_s() -> float:
    """Processor time of this process and its children so far."""
    parts = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in parts)


def cost(work: Callable[[], Any]) -> float:
    """Processor seconds of some work."""
    before = cpu_s()
    work()
    return cpu_s() - before


def measured(path: Path, preset: presets.Preset, profile: str, folder: Path) -> dict[str, float]:
    """Processor milliseconds a frame of each step, without the checks and with them."""
    source = open_source(path)
    video, clip, n = raw_video(source), source.clip, source.clip.num_frames
    painting = Painting(profile, 8, FILL, "error", same_picture=True)
    data, out = wandering(clip, 5), folder / f"out{preset.suffix}"

    looks = {"look at the painting": 0.0, "look at the file": 0.0}

    def timed(name: str, work: Callable[[Any], Any], frame: Any) -> Any:
        before = time.thread_time()
        answer = work(frame)
        looks[name] += time.thread_time() - before
        return answer

    with Witness(clip, data, painting, video, preset) as witness:
        frames = (timed("look at the painting", witness.add, frame)[0] for frame in frames_of(witness.clip))
        all_of_it = cost(lambda: encode(frames, video, preset, out))
        look = witness.look()
        seen = partial(timed, "look at the file", look)
        all_of_it += cost(lambda: verify_file(out, video=video, preset=preset, look=seen))
        found = {"decode, cover, encode, verify": all_of_it - sum(looks.values()), **looks}
        found["kilobytes kept"] = witness.bytes_kept / 1e6
    return {name: 1000 * value / n for name, value in found.items()}


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[720, 1080, 2160])
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--presets", default="h264_crf,prores_hq")
    parser.add_argument("--profiles", default="strict,soft")
    asked = parser.parse_args()
    bound_cache()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for height in asked.sizes:
            path, size = folder / f"{height}.mp4", f"{height * 16 // 9}x{height}"
            drawn = ("-f", "lavfi", "-i", f"testsrc2=s={size}:r=25,noise=alls=12:allf=t")
            coded = ("-frames:v", str(asked.frames), "-pix_fmt", "yuv420p", "-c:v", "libx264", "-crf", "16")
            run(["-y", *drawn, *coded, f"file:{path}"])
            for preset in asked.presets.split(","):
                for profile in asked.profiles.split(","):
                    rounds = [measured(path, presets.load(preset), profile, folder) for _ in range(asked.runs)]
                    told = {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}
                    rest, *more, _ = told.values()
                    ratio = 1 + sum(more) / rest
                    words = ", ".join(f"{key} {value:.2f}" for key, value in told.items())
                    print(f"{size} {preset} {profile}: {words}; with the checks {ratio:.2f} of without", flush=True)


if __name__ == "__main__":
    main()
