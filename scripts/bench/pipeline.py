"""Where the time of `vsanon anonymize` goes: each stage alone, the whole chain, and the share of what is possible.

    python scripts/bench/pipeline.py CLIP [--presets h264_crf,prores_hq] [--runs 3] [-- --size 640 ...]

What stands after -- goes to `vsanon anonymize`; the stages take its --classes, --model (one),
--provider, --size, --setting and --stride from there.

Each stage is given what it needs in memory, and all cores. The chain can be no faster than its slowest stage alone,
nor than the processor time of all stages together on all cores: both bounds are given, and the share of the lower
one that the chain reaches. `index` is BestSource's first look at a file,
which those that are decoded once do not need; the chain is measured with and without it.

The last column says how many cores other programs took meanwhile: measure on a quiet machine.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import vapoursynth as vs
from measured import VSANON, Measured, measure, measure_here, split_options, table
from numpy.typing import NDArray

from vsanon import filters
from vsanon.covering.effects import FILL
from vsanon.detectors.search import Search
from vsanon.encode import encode, presets
from vsanon.files import cache_root
from vsanon.job.file_checks import verify_file
from vsanon.job.frames import frames_of, planes_of, raw_video
from vsanon.job.ledger import Painting
from vsanon.job.settings import Settings
from vsanon.job.witness import Witness
from vsanon.media.intact import IntactCheck, require_intact
from vsanon.media.source import Source, bound_cache, open_source
from vsanon.models import cores

HELD = 96
"""Decoded frames that are kept in memory for the stages after decoding."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--presets", default="h264_crf,prores_hq")
    parser.add_argument("--runs", type=int, default=3)
    own, options = split_options(sys.argv[1:])
    args = parser.parse_args(own)
    for name in args.presets.split(","):
        with tempfile.TemporaryDirectory(prefix="vsanon-bench-") as folder:
            _measure(args.clip, name, args.runs, options, Path(folder))


def _measure(path: Path, preset: str, runs: int, options: Sequence[str], folder: Path) -> None:
    bound_cache()
    settings = Settings(Search(**search_of(options)), preset=preset)
    frames = open_source(path).clip.num_frames
    rounds = [_stages(path, settings, folder) for _ in range(runs)]
    stages = {name: _median([r[name] for r in rounds]) for name in rounds[0]}
    suffix = presets.load(preset).suffix
    command = [*VSANON, "anonymize", path, folder / f"out{suffix}", "--overwrite", "--preset", preset, *options]
    first, again = [], []
    for _ in range(runs):
        _forget_index()
        first.append(measure(command))
        again.append(measure(command))
    whole = {"chain, first time": _median(first), "chain, indexed": _median(again)}

    print(f"\n## {path.name}, {frames} frames, {preset}, {' '.join(options) or 'defaults'}, {cores()} cores\n")
    head = ["", "seconds", "frames/s", "processor ms/frame", "cores of others"]
    print(table(head, [_row(name, m, frames) for name, m in (stages | whole).items()]))
    print()
    for name, chain in whole.items():
        parts = {k: m for k, m in stages.items() if k != "index" or name == "chain, first time"}
        slowest = max(parts, key=lambda k: parts[k].seconds)
        alone = frames / parts[slowest].seconds
        together = frames * cores() / sum(m.cpu_s for m in parts.values())
        rate = frames / chain.seconds
        print(
            f"* {name}: {rate:.2f} frames/s. The slowest stage alone, {slowest}, makes {alone:.2f}; the cores have "
            f"processor time for {together:.2f}: {rate / min(alone, together):.2f} of the lower is reached."
        )


def _decode_once(path: Path) -> None:
    source = open_source(path, once=True)
    with IntactCheck(source) as intact:
        _drain(source.clip)
        intact.finish()


def _stages(path: Path, settings: Settings, folder: Path) -> dict[str, Measured]:
    found: dict[str, Measured] = {}
    _forget_index()
    if open_source(path, once=True).once is not None:
        found["decoding, and its check"] = measure_here(lambda: _decode_once(path))
        source = open_source(path)
    else:
        found["index"] = measure_here(lambda: open_source(path))
        source = open_source(path)
        found["check of the source"] = measure_here(lambda: require_intact(source))
        found["decoding"] = measure_here(lambda: _drain(open_source(path).clip))
    held, video = _held(source.clip), raw_video(source)
    detected: list[_Carried] = []
    found["search"] = measure_here(lambda: detected.extend(_carried(filters.detect(held, settings.search))))
    data = _carrying(source.clip, detected)
    tracked: list[_Carried] = []
    found["following"] = measure_here(lambda: tracked.extend(_carried(filters.track(data, settings.track))))
    data = _carrying(source.clip, tracked)
    found["covering"] = measure_here(lambda: _drain(filters.blur(held, data)))
    frames = [[np.array(p) for p in planes_of(frame, video.pix_fmt)] for frame in _some(source)]
    planes = (frames[n % len(frames)] for n in range(source.clip.num_frames))
    preset = presets.load(settings.preset)
    out = folder / f"stage{preset.suffix}"
    found["encoding"] = measure_here(lambda: encode(planes, video, preset, out, source=path))
    painting = Painting(
        settings.profile, filters.grid_of(source.video.codec), FILL, settings.on_missing, same_picture=True
    )
    with Witness(held, data, painting, video, preset) as witness:
        found["covering, looked at"] = measure_here(lambda: _look(witness))
        look = witness.look()
        found["check of the output"] = measure_here(lambda: verify_file(out, video=video, preset=preset, look=look))
    return found


def search_of(options: Sequence[str]) -> dict[str, Any]:
    """The options of the command line that the stages need, as settings."""
    given = dict(pairwise(options))
    found: dict[str, Any] = {}
    if "--classes" in given:
        found["classes"] = given["--classes"].split(",")
    if "--model" in given:
        found["models"] = dict([given["--model"].split("=")])
    if "--provider" in given:
        found["provider"] = given["--provider"]
    if "--size" in given:
        found["size"] = int(given["--size"])
    if "--setting" in given:
        found["setting"] = given["--setting"]
    if "--stride" in given:
        found["stride"] = given["--stride"] if given["--stride"] == "auto" else int(given["--stride"])
    return found


def _forget_index() -> None:
    shutil.rmtree(cache_root() / "index", ignore_errors=True)


def _drain(clip: vs.VideoNode) -> None:
    for _ in frames_of(clip):
        pass


def _look(witness: Witness) -> None:
    for frame in frames_of(witness.clip):
        witness.add(frame)


_Carried = tuple[dict[str, Any], NDArray[Any]]
"""The properties and the miniature of a data frame."""


def _carried(clip: vs.VideoNode) -> Iterator[_Carried]:
    for frame in frames_of(clip):
        props = {name: value for name, value in frame.props.items() if name.startswith("Vsanon")}
        yield props, np.array(frame[0])


def _some(source: Source) -> Iterator[vs.VideoFrame]:
    for n in range(min(HELD, source.clip.num_frames)):
        with source.clip.get_frame(n) as frame:
            yield frame


def _held(clip: vs.VideoNode) -> vs.VideoNode:
    """A clip of the same length that takes its frames from memory, over and over."""
    frames = [clip.get_frame(n) for n in range(min(HELD, clip.num_frames))]
    blank = clip.std.BlankClip(keep=True)

    def run(n: int, f: vs.VideoFrame) -> vs.VideoFrame:  # named as ModifyFrame names them
        del f
        return frames[n % len(frames)]

    return blank.std.ModifyFrame(blank, run)


def _carrying(clip: vs.VideoNode, carried: Sequence[_Carried]) -> vs.VideoNode:
    """A data clip with these frames."""
    height, width = carried[0][1].shape
    blank = clip.std.BlankClip(format=vs.GRAY16, width=width, height=height, keep=True)

    def run(n: int, f: vs.VideoFrame) -> vs.VideoFrame:
        out = f.copy()
        for name, value in carried[n][0].items():
            out.props[name] = value
        np.asarray(out[0])[:] = carried[n][1]
        return out

    return blank.std.ModifyFrame(blank, run)


def _median(runs: Sequence[Measured]) -> Measured:
    """The run of median length."""
    return sorted(runs, key=lambda m: m.seconds)[(len(runs) - 1) // 2]


def _row(name: str, m: Measured, frames: int) -> list[str]:
    return [
        name,
        f"{m.seconds:.2f}",
        f"{frames / m.seconds:.1f}",
        f"{1000 * m.cpu_s / frames:.1f}",
        f"{m.others:.2f}",
    ]


if __name__ == "__main__":
    main()
