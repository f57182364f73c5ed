"""How well miniatures tell what editors do to a picture from what moves a face from under its box.

Searches the start of each clip of a folder, changes its frames in many ways, and compares them as `blur` does. An
edit that is refused is a false alarm; a move that is let through counts by the boxes that it bares: those of which
less than 90 % lie under the covers. Prints a table, and curves over the thresholds of `tracking.same_picture`.

    uv run python scripts/measure_same_picture.py FOLDER --keep CACHE [--curves]
"""

import argparse
import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import vapoursynth as vs
from numpy.typing import NDArray

from vsanon import filters
from vsanon.covering.shapes import SHAPES
from vsanon.encode import ffmpeg_path
from vsanon.filters import props
from vsanon.filters.same_picture import miniatures_of
from vsanon.media.source import bound_cache, open_clip
from vsanon.tracking import same_picture
from vsanon.tracking.miniature import rounded

FRAMES, AHEAD, STEP = 75, 30, 5
BARE = 0.9
Clips = Callable[[vs.VideoNode], vs.VideoNode]
F32 = NDArray[np.float32]


def curve(tone: Callable[[float], float]) -> Clips:
    table = [int(np.clip(round(255 * tone(v / 255)), 0, 255)) for v in range(256)]
    return lambda clip: clip.std.Lut(planes=[0], lut=table)


def luma(change: Callable[[NDArray[np.float32], int], NDArray[Any]]) -> Clips:
    """A change of the luma plane by a function of it and the frame's number."""

    def run(n: int, f: vs.VideoFrame) -> vs.VideoFrame:
        out = f.copy()
        plane = np.asarray(out[0])
        plane[:] = np.clip(change(np.asarray(f[0]).astype(np.float32), n) + 0.5, 0, 255)
        return out

    return lambda clip: clip.std.ModifyFrame(clip, run)


def grain(deviation: float) -> Clips:
    return luma(lambda a, n: a + np.random.default_rng(n).normal(0, deviation, a.shape))


def light(strength: float, x0: float, y0: float) -> Clips:
    """Brighter or darker around a place, as a vignette or a power window is."""

    def change(a: NDArray[np.float32], _: int) -> NDArray[np.float32]:
        y, x = np.mgrid[0 : a.shape[0], 0 : a.shape[1]]
        away = ((x / a.shape[1] - x0) ** 2 + (y / a.shape[0] - y0) ** 2) / 0.1
        return np.asarray((a - 16) * (1 + strength * np.exp(-away)) + 16, np.float32)

    return luma(change)


def titles(a: NDArray[np.float32], _: int) -> NDArray[np.float32]:
    height, width = a.shape
    a[int(0.82 * height) : int(0.92 * height), int(0.05 * width) : int(0.5 * width)] = 200
    return a


def seen(left: float, top: float, zoom: float = 1.0) -> Clips:
    """The picture moved by pixels and enlarged about its middle."""

    def change(clip: vs.VideoNode) -> vs.VideoNode:
        width, height = clip.width / zoom, clip.height / zoom
        x, y = (clip.width - width) / 2 + left, (clip.height - height) / 2 + top
        return clip.resize.Bicubic(
            clip.width, clip.height, src_left=x, src_top=y, src_width=width, src_height=height
        )

    return change


EDITS: dict[str, Clips] = {
    "gamma 0.7": curve(lambda v: v**0.7),
    "gamma 1.4": curve(lambda v: v**1.4),
    "contrast × 1.4": curve(lambda v: 0.5 + 1.4 * (v - 0.5)),
    "contrast × 0.5": curve(lambda v: 0.2 + 0.5 * v),
    "S-curve": curve(lambda v: v * v * (3 - 2 * v)),
    "blacks crushed": curve(lambda v: max(0.0, (v - 0.2) / 0.7)),
    "vignette": light(-0.5, -0.2, -0.2),
    "power window": light(0.5, 0.4, 0.5),
    "denoise (box, radius 2)": lambda c: c.std.BoxBlur(planes=[0], hradius=2, vradius=2),
    "sharpen": lambda c: c.std.Convolution([-1, -1, -1, -1, 16, -1, -1, -1, -1], planes=[0]),
    "grain, deviation 4": grain(4),
    "grain, deviation 12": grain(12),
    "grain, deviation 25": grain(25),
    "half size and back": lambda c: c.resize.Bilinear(c.width // 4 * 2, c.height // 4 * 2).resize.Bicubic(
        c.width, c.height
    ),
    "half a pixel off": seen(0.5, 0.5),
    "a title": luma(titles),
}
ENCODES = {
    "H.264, CRF 36": ["-c:v", "libx264", "-preset", "veryfast", "-crf", "36"],
    "H.265, CRF 34": ["-c:v", "libx265", "-preset", "ultrafast", "-crf", "34", "-x265-params", "log-level=none"],
    "proxy: quarter size, CRF 32": [
        "-vf",
        "scale=iw/4:ih/4",
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-crf",
        "32",
    ],
}
SHIFTS = {f"pan {d} px": (float(d), 0.0) for d in (1, 2, 4, 8, 16, 32)} | {
    f"tilt {d} px": (0.0, float(d)) for d in (4, 8, 16)
}
ZOOMS = {f"zoom {z}": z for z in (1.01, 1.02, 1.05, 1.1)}
LATE = (1, 2, 5, 25)
THRESHOLDS = {
    "AWAY": (0.1, 0.15, 0.2, 0.3, 0.4),
    "LIKE": (0.3, 0.5, 0.7, 0.9),
    "PART_LIKE": (0.0, 0.1, 0.2, 0.3, 0.4, 0.6),
    "BIAS": (0.0, 0.05, 0.1),
}


def measure(path: Path, keep: Path) -> None:
    """Keep the miniatures of the clip's frames and of all changes, and its boxes."""
    clip, _ = open_clip(path)
    start = max(0, min(60, clip.num_frames - FRAMES - AHEAD))
    clip = clip[start : start + FRAMES + AHEAD].resize.Point(format=vs.YUV420P8)
    if not clip.fps_num or clip.fps > 100:
        clip = clip.std.AssumeFPS(fpsnum=25)
    shown = list(range(0, min(FRAMES, clip.num_frames), STEP))
    changes = {**EDITS, **{name: seen(*by) for name, by in SHIFTS.items()}}
    changes |= {name: seen(0, 0, zoom) for name, zoom in ZOOMS.items()}
    found = {"": miniatures(clip, range(clip.num_frames))}
    found |= {name: miniatures(change(clip), shown) for name, change in changes.items()}
    for name, options in ENCODES.items():
        encoded = keep / f"{path.stem}.mkv"
        command = [str(ffmpeg_path()), "-v", "error", "-y", "-f", "yuv4mpegpipe", "-i", "-", *options, str(encoded)]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
            assert process.stdin is not None
            clip[: shown[-1] + 1].output(process.stdin, y4m=True)
            process.stdin.close()
        again, _ = open_clip(encoded)
        found[name] = miniatures(again.resize.Bicubic(clip.width, clip.height), shown)
        encoded.unlink()
    classes = ("face", "plate") if any(w in path.stem for w in ("plate", "car")) else ("face",)
    data = filters.track(filters.detect(clip, classes=classes))
    boxes = [props.read_tracked(frame.props).xyxy.tolist() for frame in data.frames(close=True)]
    facts = {"size": [clip.width, clip.height], "boxes": boxes, "shown": shown}
    np.savez_compressed(keep / f"{path.stem}.npz", **{name or "whole": values for name, values in found.items()})
    (keep / f"{path.stem}.json").write_text(json.dumps(facts))


def miniatures(clip: vs.VideoNode, frames: Sequence[int]) -> NDArray[np.uint16]:
    small = miniatures_of(clip)
    return np.stack([np.array(small.get_frame(n)[0]) for n in frames])


def bare(shown: F32, covered: F32) -> int:
    """How many of the boxes shown lie under the covers to less than `BARE`, by 12 x 12 points."""
    left, top, right, bottom = SHAPES["face"].margin
    grown = [
        (a - left * (c - a), b - top * (d - b), c + right * (c - a), d + bottom * (d - b)) for a, b, c, d in covered
    ]
    steps = (np.arange(12) + 0.5) / 12
    count = 0
    for x0, y0, x1, y1 in shown:
        x, y = np.meshgrid(x0 + steps * (x1 - x0), y0 + steps * (y1 - y0))
        under = np.zeros(x.shape, bool)
        for a, b, c, d in grown:
            under |= ((2 * x - a - c) / (c - a)) ** 2 + ((2 * y - b - d) / (d - b)) ** 2 <= 1
        count += bool(under.mean() < BARE)
    return count


Case = tuple[str, str, int, NDArray[np.uint16], NDArray[np.uint16], F32, F32, tuple[int, int]]
"""Change, clip, frame, both miniatures, what covers, what is shown, size."""


def cases(keep: Path) -> Iterator[Case]:
    for file in sorted(keep.glob("*.npz")):
        facts, values = json.loads(file.with_suffix(".json").read_text()), np.load(file)
        whole, size, shown = values["whole"], (facts["size"][0], facts["size"][1]), facts["shown"]
        boxes = [np.array(b, np.float32).reshape(-1, 4) for b in facts["boxes"]]
        width, height = size
        middle = np.array([width, height] * 2, np.float32) / 2
        where: dict[str, Callable[[F32], F32]] = {name: lambda b: b for name in (*EDITS, *ENCODES)}
        where |= {name: lambda b, by=by: b - np.array(by * 2, np.float32) for name, by in SHIFTS.items()}
        where |= {name: lambda b, z=z, c=middle: (b - c) * z + c for name, z in ZOOMS.items()}
        for name, to in where.items():
            for k, n in enumerate(shown):
                yield name, file.stem, n, whole[n], values[name][k], boxes[n], to(boxes[n]), size
        for n in shown:
            same = whole[n]
            yield "nothing", file.stem, n, same, same, boxes[n], boxes[n], size
            across = np.stack(
                [width - boxes[n][:, 2], boxes[n][:, 1], width - boxes[n][:, 0], boxes[n][:, 3]], axis=1
            )
            down = np.stack(
                [boxes[n][:, 0], height - boxes[n][:, 3], boxes[n][:, 2], height - boxes[n][:, 1]], axis=1
            )
            yield "flipped across", file.stem, n, same, same[:, ::-1], boxes[n], across, size
            yield "flipped down", file.stem, n, same, same[::-1], boxes[n], down, size
            turned = np.stack([across[:, 0], down[:, 1], across[:, 2], down[:, 3]], axis=1)
            yield "turned by 180°", file.stem, n, same, same[::-1, ::-1], boxes[n], turned, size
            for late in LATE:
                if n + late < len(whole):
                    name = f"{late} frame{'s' * (late > 1)} late"
                    yield name, file.stem, n, same, whole[n + late], boxes[n], boxes[n + late], size


def table(known: Sequence[tuple[Case, int]]) -> None:
    print(
        "| change | frames | refused | clips refused | boxes bared | in frames let through | in clips let through |"
    )
    print("|---|---|---|---|---|---|---|")
    for name in dict.fromkeys(case[0] for case, _ in known):
        own = [(case, lost) for case, lost in known if case[0] == name]
        refused = [verdict(case) is same_picture.Verdict.OTHER for case, _ in own]
        stopped = {case[1] for (case, _), r in zip(own, refused, strict=True) if r}
        through = sum(lost for (_, lost), r in zip(own, refused, strict=True) if not r)
        unseen = sum(lost for case, lost in own if case[1] not in stopped)
        of = f"{len(stopped)} of {len({case[1] for case, _ in own})}"
        total = sum(lost for _, lost in own)
        print(f"| {name} | {len(own)} | {sum(refused)} | {of} | {total} | {through} | {unseen} |", flush=True)


def verdict(case: Case) -> same_picture.Verdict:
    _, _, _, analysed, shown, boxes, _, size = case
    return same_picture.compare(rounded(analysed), shown, boxes, size).verdict


def curves(known: Sequence[tuple[Case, int]]) -> None:
    """False alarms and bared boxes let through, by one threshold at a time; titles stand apart."""
    edits = [k for k in known if k[0][0] in (*EDITS, *ENCODES, "nothing") and k[0][0] != "a title"]
    moves = [k for k in known if k[1]]
    print(f"\n{len(edits)} frames edited, {len(moves)} frames with {sum(k[1] for k in moves)} boxes bared")
    for name, steps in THRESHOLDS.items():
        chosen = getattr(same_picture, name)
        print(f"\n| {name} | edits refused | bared boxes let through |\n|---|---|---|")
        for step in steps:
            setattr(same_picture, name, step)
            wrong = sum(verdict(case) is same_picture.Verdict.OTHER for case, _ in edits)
            through = sum(lost for case, lost in moves if verdict(case) is not same_picture.Verdict.OTHER)
            print(f"| {step} | {wrong} | {through} |", flush=True)
        setattr(same_picture, name, chosen)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--keep", type=Path, required=True, help="where miniatures are kept between runs")
    parser.add_argument("--curves", action="store_true")
    given = parser.parse_args()
    given.keep.mkdir(parents=True, exist_ok=True)
    bound_cache()
    for path in sorted(given.folder.iterdir()):
        if not (given.keep / f"{path.stem}.json").exists():
            measure(path, given.keep)
    known = [(case, bare(case[6], case[5])) for case in cases(given.keep)]
    table(known)
    if given.curves:
        curves(known)


if __name__ == "__main__":
    main()
