"""The report card of a detector: recall, precision, wrong boxes and time on held-out pictures, as Markdown.

Runs in vsanon's environment. Each model sees a picture by the same search, `vsanon.detectors.scale`.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import numpy as np
from sets import F32, U8, folder, held_out

from vsanon.boxes import area, iou
from vsanon.detectors import Detector, open_detector
from vsanon.detectors.scale import Scale, View, merge, plan

SMALLEST_PX = 20
IOU = 0.5
EXCUSED = 0.3
"""A wrong box counts for nothing where this share of it lies in a small plate or in what may be one."""
LOW = 0.1  # the score down to which boxes are kept, for the curves
STRATA = ((0, 12), (12, 20), (20, 40), (40, 80), (80, 160), (160, 10_000))  # heights, pixels of the original
TWO_LINES = 2.2  # boxes of less than this times their height in width are taken for plates of two lines
DARK = 60  # mean luminance below which a picture counts as night
TIMED_RUNS = 15
MIN_PRECISION = 0.85

WORLD = ("plates_openimages", "plates_kaggle", "plates_punjab")
PLATES = (
    *(f"{name}/valid" for name in WORLD),
    "plates_makassar/valid",
    "plates_indonesia/valid",
    "plates_thai/valid",
    "plates_india/valid",
    "plates_romania/valid",
    "plates_vietnam",
)
BARE = ("no_plate/valid", "faces_mask", "faces_office_grey/valid", "faces_dlib")
BARE_CLIPS = (
    "opera_crowd_1080p25.mp4",
    "classroom_720p25.mp4",
    "walkers_416p24.mp4",
    "stage_cuts_360p30.mp4",
    "head_tilt_720p30.mp4",
    "signer_sister_480p30.mkv",
    "glasses_1080p30.mp4",
)
FRAMES = 12  # of each clip, evenly spread


@dataclass(frozen=True, slots=True)
class Shown:
    set: str
    name: str
    rgb: U8  # (H, W, 3)
    boxes: F32
    ignore: F32


@dataclass(slots=True)
class Tally:
    """What one model did on one set: a row a true box, a row a box found."""

    pictures: int = 0
    truth: list[tuple[float, float, bool, float]] = field(default_factory=list)  # height, width/height, dark, score
    found: list[tuple[float, bool]] = field(default_factory=list)  # score, right
    wrong: list[tuple[float, str, list[float]]] = field(default_factory=list)
    missed: list[tuple[float, str, list[float]]] = field(default_factory=list)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.pictures + other.pictures,
            self.truth + other.truth,
            self.found + other.found,
            self.wrong + other.wrong,
            self.missed + other.missed,
        )

    def recall(self, threshold: float, low: float = SMALLEST_PX, high: float = np.inf, kind: str = "") -> str:
        """Of the true boxes from `low` to `high` pixels, as share and number; `-` where there are none."""
        rows = [
            score >= threshold
            for height, ratio, dark, score in self.truth
            if low <= height < high
            and (kind != "two" or ratio < TWO_LINES)
            and (kind != "one" or ratio >= TWO_LINES)
            and (kind != "night" or dark)
        ]
        return f"{np.mean(rows):.3f} of {len(rows)}" if rows else "-"

    def precision(self, threshold: float) -> float:
        right = [ok for score, ok in self.found if score >= threshold]
        return float(np.mean(right)) if right else float("nan")

    def wrong_a_picture(self, threshold: float) -> float:
        return sum(not ok for score, ok in self.found if score >= threshold) / max(1, self.pictures)


def stills(images: Path, names: tuple[str, ...], labelled: bool, every: int = 1) -> Iterator[Shown]:
    for name in names:
        pictures = [p for p in folder(images, name, labelled=labelled) if name != "faces_mask" or held_out(p.path)]
        for picture in pictures[::every]:
            yield Shown(name.split("/")[0], picture.name, picture.read(), picture.boxes, picture.ignore)


def frames(video: Path, count: int) -> Iterator[Shown]:
    none = np.zeros((0, 4), np.float32)
    with av.open(str(video)) as opened:
        pictures = list(opened.decode(video=0))
        for n in np.linspace(0, len(pictures) - 1, count).astype(int):
            yield Shown(
                f"clip {video.stem}", f"{video.name}#{n}", pictures[n].to_ndarray(format="rgb24"), none, none
            )


def picture_of(rgb: U8, view: View) -> U8:
    """(3, H, W): the view as the model takes it, black right and below."""
    part = rgb[view.top : view.top + view.height, view.left : view.left + view.width]
    method = cv2.INTER_AREA if view.size[0] < view.width else cv2.INTER_LINEAR
    small = part if view.size == (view.width, view.height) else cv2.resize(part, view.size, interpolation=method)
    canvas = np.zeros((view.padded[1], view.padded[0], 3), np.uint8)
    canvas[: view.size[1], : view.size[0]] = small
    return np.ascontiguousarray(canvas.transpose(2, 0, 1))


def judge(tally: Tally, shown: Shown, xyxy: F32, scores: F32) -> None:
    """Count a picture's boxes, best first: right is the first that overlaps a true box by `IOU`."""
    tally.pictures += 1
    overlap = iou(xyxy, shown.boxes) if len(xyxy) and len(shown.boxes) else np.zeros((len(xyxy), len(shown.boxes)))
    taken: dict[int, float] = {}
    heights = shown.boxes[:, 3] - shown.boxes[:, 1]
    for i in np.argsort(-scores):
        free = [j for j in np.argsort(-overlap[i]) if overlap[i, j] >= IOU and j not in taken]
        if free:
            taken[int(free[0])] = float(scores[i])
            # Small plates are neither asked for nor held against a model.
            if heights[free[0]] >= SMALLEST_PX:
                tally.found.append((float(scores[i]), True))
            continue
        small = shown.boxes[heights < SMALLEST_PX]
        if _inside(xyxy[i], np.concatenate([shown.ignore, small])) > EXCUSED:
            continue
        tally.found.append((float(scores[i]), False))
        tally.wrong.append((float(scores[i]), shown.name, [round(float(v), 1) for v in xyxy[i]]))
    dark = bool(cv2.cvtColor(shown.rgb, cv2.COLOR_RGB2GRAY).mean() < DARK)
    for j, box in enumerate(shown.boxes):
        height = float(box[3] - box[1])
        tally.truth.append((height, float((box[2] - box[0]) / height), dark, taken.get(j, 0.0)))
        tally.missed.append((taken.get(j, 0.0), shown.name, [round(float(v), 1) for v in box]))


def _inside(box: F32, others: F32) -> float:
    """The largest share of a box that lies in one of the others."""
    if not len(others):
        return 0.0
    lower, upper = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    both = np.clip(upper - lower, 0, None).prod(1)
    return float((both / np.maximum(area(box[None]), 1e-6)).max())


def measure(detector: Detector, shown: Iterator[Shown], scale: Scale) -> dict[str, Tally]:
    tallies: dict[str, Tally] = {}
    for item in shown:
        size = (item.rgb.shape[1], item.rgb.shape[0])
        views = plan(size, detector.card.input, detector.card.reach, scale)
        found = merge([(v, detector.detect(picture_of(item.rgb, v))) for v in views], size)
        judge(tallies.setdefault(item.set, Tally()), item, found.xyxy, found.scores)
    return tallies


def milliseconds(detector: Detector) -> float:
    """Processor time of a picture of 640x384 (or the only size it takes), median."""
    width, height = detector.card.input.size or (640, 384)
    rgb = np.random.default_rng(0).integers(0, 256, (3, height, width), np.uint8)
    times = []
    for _ in range(TIMED_RUNS):
        began = time.process_time()
        detector.detect(rgb)
        times.append(time.process_time() - began)
    return 1000 * float(np.median(times))


def best_threshold(plates: Tally, bare: Tally, wrong_max: float) -> float:
    """The lowest threshold with at most `wrong_max` wrong boxes a bare picture and `MIN_PRECISION`."""
    for threshold in np.arange(0.05, 0.99, 0.01):
        if bare.wrong_a_picture(threshold) <= wrong_max and plates.precision(threshold) >= MIN_PRECISION:
            return float(round(threshold, 2))
    return 0.99


def table(header: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, ["---"] * len(header), *rows]) + "\n"


def total(tallies: dict[str, Tally], names: Iterator[str]) -> Tally:
    answer = Tally()
    for name in names:
        answer = answer + tallies[name]
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "models", nargs="+", help="names of cards, paths of cards or of ONNX files of the family plates"
    )
    parser.add_argument("--assets", type=Path, required=True, help="the folder that holds images/ and video/")
    parser.add_argument("--threshold", type=float, help="for all models; each card's unless given")
    parser.add_argument("--min-px", type=float, default=10)
    parser.add_argument("--max-px", type=float, default=720)
    parser.add_argument("--stills", action="store_true", help="leave out the clips, for a quick look")
    parser.add_argument("--every", type=int, default=1, help="one picture in so many of each set")
    parser.add_argument("--worst", type=Path, help="write what was missed and what was wrong there, as JSON")
    parser.add_argument("--out", type=Path, help="write the tables there as well")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    images = args.assets / "images"
    scale = Scale(min_object_px=args.min_px, max_object_px=args.max_px, tile_px=1280)
    parts: list[str] = []
    overview: list[list[str]] = []
    worst: dict[str, dict[str, list[tuple[float, str, list[float]]]]] = {}
    for model in args.models:
        family = {"family": "plates", "classes": ("plate",)} if model.endswith(".onnx") else {}
        detector = open_detector(model, threshold=LOW, **family)
        name = detector.card.name
        tallies = measure(detector, stills(images, PLATES, True, args.every), scale)
        bare = measure(detector, stills(images, BARE, False, args.every), scale)
        for clip in () if args.stills else BARE_CLIPS:
            bare |= measure(detector, frames(args.assets / "video" / clip, FRAMES), scale)
        everything = total(tallies, iter(tallies))
        empty = total(bare, iter(bare))
        threshold = args.threshold or detector.card.threshold
        fitting = best_threshold(everything, bare["no_plate"], 0.1)
        world = total(tallies, iter(WORLD))
        overview.append(
            [
                name,
                f"{threshold:.2f}",
                world.recall(threshold),
                everything.recall(threshold),
                f"{everything.precision(threshold):.3f}",
                f"{bare['no_plate'].wrong_a_picture(threshold):.3f}",
                f"{empty.wrong_a_picture(threshold):.3f}",
                f"{fitting:.2f}",
                everything.recall(fitting),
                f"{milliseconds(detector):.1f}",
            ]
        )
        rows = [
            [s, str(t.pictures), t.recall(threshold), t.recall(fitting), f"{t.precision(threshold):.3f}",
             f"{t.wrong_a_picture(threshold):.3f}"]
            for s, t in tallies.items()
        ]  # fmt: skip
        rows += [
            [s, str(t.pictures), "-", "-", "-", f"{t.wrong_a_picture(threshold):.3f}"] for s, t in bare.items()
        ]
        kinds = [
            *((f"{a} to {b} px" if b < 10_000 else f"{a} px and more", a, b, "") for a, b in STRATA),
            ("one line, 20 px and more", SMALLEST_PX, np.inf, "one"),
            ("two lines", SMALLEST_PX, np.inf, "two"),
            ("night", SMALLEST_PX, np.inf, "night"),
        ]
        parts.append(f"### {name}, from a score of {threshold:.2f}\n")
        header = ["set", "pictures", "recall", f"recall at {fitting:.2f}", "precision", "wrong boxes a picture"]
        parts.append(table(header, rows))
        parts.append(
            table(["plates", "recall"], [[k, everything.recall(threshold, a, b, c)] for k, a, b, c in kinds])
        )
        worst[name] = {
            "wrong": sorted((w for t in (everything, empty) for w in t.wrong if w[0] >= 0.1), reverse=True),
            "missed": sorted(m for m in everything.missed if m[0] < threshold and m[2][3] - m[2][1] >= SMALLEST_PX),
        }
    header = [
        "model", "threshold", "recall world-wide", "recall, all sets", "precision", "wrong boxes, no_plate",
        "wrong boxes, all without plates", "threshold that fits", "recall there", "ms of processor",
    ]  # fmt: skip
    text = "\n".join([table(header, overview), *parts])
    print(text)
    if args.out:
        args.out.write_text(text)
    if args.worst:
        import json

        args.worst.write_text(json.dumps(worst))


if __name__ == "__main__":
    main()
