"""Measures what is covered while nothing is found, on clips with truth, by the public filters.

    python scripts/measure_following.py ASSETS [--clip NAME ...] [--search fast ...] [--away 0 --away 5 --away 12]

ASSETS is the folder of real footage (see CONTRIBUTING). Each clip is searched once, every frame of it. Then what
was found in so many of every `EVERY` frames is taken away, as a poor encode or a shake of the camera takes it from
a detector, and the rest is tracked twice: with the small pictures in which `track` follows what is not found, and
without them, so that it goes straight. The table gives, for both, the share of true boxes that are covered (faces
to 90 %, plates wholly), that are bare (less than half), and of the picture that is covered without need.
"""

import argparse
import os
from pathlib import Path

import numpy as np
import vapoursynth as vs

from vsanon import filters
from vsanon.detections import Detections
from vsanon.filters import props
from vsanon.job.frames import frames_of
from vsanon.media.source import Source, bound_cache, open_source
from vsanon.validation.metrics.exposure import ExposureMeter
from vsanon.validation.truth.boxes import Truth
from vsanon.validation.truth.files import read_any

CLIPS = (
    "walkers_416p24.mp4", "classroom_720p25.mp4", "opera_crowd_1080p25.mp4", "uk_plate_720p30.mp4",
    "tld_david.mpg", "tld_jumping.mpg",
)  # fmt: skip
EVERY = 40
BARE = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("assets", type=Path)
    parser.add_argument("--clip", dest="clips", action="append", choices=CLIPS)
    parser.add_argument("--search", dest="searches", action="append")
    parser.add_argument("--away", dest="away", action="append", type=int)
    args = parser.parse_args()
    os.environ.setdefault("VSANON_MODELS", str(args.assets / "models"))
    bound_cache()
    print("| clip | search | frames away | covered: straight, followed | bare | over-blur |\n" + "|---" * 6 + "|")
    for name in args.clips or CLIPS:
        truth = read_any(next((args.assets / "truth").glob(f"{Path(name).stem}.*")))
        kinds = ["plate"] if "plate" in name else ["face"]
        for search in args.searches or ["fast"]:
            source = open_source(args.assets / "video" / name)
            # `given` samples colours, for which it asks for a matrix; none of them matters here.
            tagged = source.clip.std.SetFrameProps(_Matrix=int(vs.MATRIX_BT709))
            found = searched(source, search, kinds)
            for away in args.away or (0, 5, 12):
                left = [taken_away(boxes, n, away) for n, boxes in enumerate(found)]
                data = filters.given(tagged, left)
                both = [measured(source, truth, clip) for clip in (data.std.RemoveFrameProps([props.GREY]), data)]
                cells = " | ".join(", ".join(pair) for pair in zip(*both, strict=True))
                print(f"| {Path(name).stem} | {search} | {away} of {EVERY} | {cells} |", flush=True)


def searched(source: Source, setting: str, classes: list[str]) -> list[Detections]:
    """What is found in every frame."""
    data = filters.detect(source.clip, classes=tuple(classes), setting=setting)
    return [props.read_detections(frame.props) for frame in frames_of(data)]


def taken_away(boxes: Detections, n: int, away: int) -> Detections:
    """The detections of frame `n`, or none where it is one of those; the last of each `EVERY`."""
    return boxes.select(np.zeros(len(boxes), np.bool_)) if n % EVERY >= EVERY - away else boxes


def measured(source: Source, truth: Truth, data: vs.VideoNode) -> list[str]:
    """The shares of true boxes that are covered, that are bare, and of the picture that is covered without need."""
    clip = source.clip
    meter = ExposureMeter(truth, (clip.width, clip.height), source.timeline.fps)
    full = (1 << clip.format.bits_per_sample) - 1
    for n, frame in enumerate(frames_of(filters.mask(clip, filters.track(data)))):
        mask = np.asarray(frame[0])
        meter.add(n, mask == full, mask > 0)
    result, shares = meter.result(), meter.coverages()
    covered = " ".join(f"{own.coverage_recall:.4f}" for own in result.classes.values())
    return [covered, f"{np.nanmean(shares < BARE):.4f}", f"{result.over_blur:.4f}"]


if __name__ == "__main__":
    main()
