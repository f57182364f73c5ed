"""What `blur` alone costs, beside what else covers regions of a frame and beside a plain copy of it.

    python scripts/bench/painting.py [--side SHARE] [--frames N] [--runs N] [--profile NAME]

Each line is the median of several runs in one process with one VapourSynth thread. Tracks, source and masks of the
others cost nothing. These are: a copy of all planes; `std.BoxBlur` of radius 40, twice, with `std.MaskedMerge`; the
same with vszip's BoxBlur, where it is installed (`vapoursynth-vszip`, for development only).
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import vapoursynth as vs
from measured import table
from numpy.typing import NDArray

import vsanon
from vsanon.covering.looks import PROFILES
from vsanon.covering.masks import FrameLayout, plane_masks
from vsanon.covering.shapes import SHAPES
from vsanon.detections import Origin, TrackedBoxes, no_swatches
from vsanon.filters import props

core = vs.core

FORMATS = {
    "1080p 4:2:0 8-bit": (vs.YUV420P8, 1920, 1080),
    "2160p 4:2:2 10-bit": (vs.YUV422P10, 3840, 2160),
}
REGIONS = (0, 1, 5, 20)
RADIUS = 40
SPEED = 0.875
"""Pixels a frame that the boxes move, so that no mask is that of the frame before."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=float, default=0.06, help="of a box, as a share of the frame's height")
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--profile", default="strict", choices=PROFILES)
    args = parser.parse_args()
    core.num_threads = 1
    rows = []
    for name, (format_, width, height) in FORMATS.items():
        clip = source(format_, width, height, args.frames)
        others = {"copy": copied(clip), "BoxBlur": boxblurred(clip, core.std.BoxBlur)}
        if hasattr(core, "vszip"):
            others["vszip"] = boxblurred(clip, core.vszip.BoxBlur)
        clips = {count: boxes(clip, count, args.side) for count in REGIONS}
        ours = {k: vsanon.blur(clip, tracks(clip, clips[k]), profile=args.profile) for k in REGIONS}
        # Taken in turns, so that a busy moment of the machine meets all of them.
        taken: dict[object, list[float]] = {key: [] for key in (*others, *ours)}
        for _ in range(args.runs):
            for key, node in (*others.items(), *ours.items()):
                taken[key].append(milliseconds(node))
        medians = {key: statistics.median(values) for key, values in taken.items()}
        for count in REGIONS:
            painted = megapixels(clip, clips[count](0))
            beyond = medians[count] - medians[0]
            rows.append(
                [name, count, f"{medians[count]:.2f}"]
                + [f"{medians[key]:.1f} ({medians[key] / medians[count]:.1f})" for key in others]
                + [f"{beyond / painted:.1f}" if painted else "-"]
            )
    head = ["format", "regions", "blur, ms", *(f"{key}, ms (times)" for key in others), "ms a megapixel painted"]
    print(table(head, rows))


def source(format_: int, width: int, height: int, frames: int) -> vs.VideoNode:
    """A clip that costs nothing: every frame is the same memory."""
    blank = core.std.BlankClip(
        format=format_, width=width, height=height, length=frames, fpsnum=25, fpsden=1, keep=True
    )
    return blank.std.SetFrameProps(_Matrix=1, _Range=int(vs.RANGE_LIMITED))


def boxes(clip: vs.VideoNode, count: int, side: float) -> Callable[[int], NDArray[np.float32]]:
    """`count` squares anywhere in the frame, which move."""
    size = side * clip.height
    rng = np.random.default_rng(count)
    start = rng.uniform((0, 0), (clip.width - 2 * size, clip.height - 2 * size), (count, 2))

    def at(n: int) -> NDArray[np.float32]:
        lower = np.round((start + SPEED * n) * 8) / 8
        return np.concatenate([lower, lower + size], axis=1).astype(np.float32)

    return at


def tracks(clip: vs.VideoNode, at: Callable[[int], NDArray[np.float32]]) -> vs.VideoNode:
    """The data clip of these boxes, made before anything is measured."""
    blank = core.std.BlankClip(
        format=vs.GRAY8, width=16, height=16, length=clip.num_frames, fpsnum=25, fpsden=1, keep=True
    )

    def run(n: int, f: vs.VideoFrame) -> vs.VideoFrame:
        out, xyxy = f.copy(), at(n)
        k = len(xyxy)
        found = TrackedBoxes(xyxy, np.full(k, 0.9, np.float32), ("face",) * k, tuple(range(k)),
                             (Origin.DETECTED,) * k, no_swatches(k))  # fmt: skip
        props.write(out.props, found, (clip.width, clip.height))
        return out

    data = blank.std.ModifyFrame(blank, run)
    core.std.SetVideoCache(data, mode=1, fixedsize=True, maxsize=clip.num_frames)
    for frame in data.frames(close=True):
        frame.close()
    return data


def copied(clip: vs.VideoNode) -> vs.VideoNode:
    """Each frame copied, all planes."""

    def run(n: int, f: vs.VideoFrame) -> vs.VideoFrame:
        out = f.copy()
        for p in range(len(out)):
            np.asarray(out[p])[0, 0] = n % 2
        return out

    return clip.std.ModifyFrame(clip, run)


def boxblurred(clip: vs.VideoNode, blur: Callable[..., vs.VideoNode]) -> vs.VideoNode:
    """The usual way in a script: the whole frame blurred, and merged in by a mask."""
    once = blur(clip, hradius=RADIUS, vradius=RADIUS)
    blurred = blur(once, hradius=RADIUS, vradius=RADIUS)
    for node in (once, blurred):
        core.std.SetVideoCache(node, mode=0)
    assert clip.format is not None
    gray = core.query_video_format(vs.GRAY, vs.INTEGER, clip.format.bits_per_sample)
    mask = core.std.BlankClip(clip, format=gray.id, color=1, keep=True)
    return clip.std.MaskedMerge(blurred, mask, first_plane=True)


def milliseconds(clip: vs.VideoNode) -> float:
    """The time of a frame; every frame is made anew."""
    core.std.SetVideoCache(clip, mode=0)
    start = time.perf_counter()
    for n in range(clip.num_frames):
        clip.get_frame(n).close()
    seconds = time.perf_counter() - start
    return float(seconds / clip.num_frames * 1000)


def megapixels(clip: vs.VideoNode, xyxy: NDArray[np.float32]) -> float:
    """Luma samples that are covered or feathered, in millions."""
    layout = FrameLayout((clip.width, clip.height), planes=1)
    masks = (m for box in xyxy for m in plane_masks(box, SHAPES["face"], layout, vsanon.filters.GRID))
    return float(sum(m.steps.size for m in masks)) / 1e6


if __name__ == "__main__":
    main()
