"""Measures the face detectors on labelled pictures and clips: recall and coverage by size, and time, by scale.

    python scripts/bench_detectors.py ASSETS [--models yunet_n,scrfd_2.5g] [--images 100] [--no-times]
    python scripts/bench_detectors.py ASSETS --models ""                    the settings alone

ASSETS is the folder of real footage and models (see CONTRIBUTING). Tables go to stdout, in Markdown. The pictures
are every n-th by name, so that a run is the same each time. Detections are taken from a score of 0.05, or a quarter
of the card's threshold, up; a table then reads at the score where nine of ten boxes are right on its set, so that
models compare at one price, and says what is found at the price of one false box a picture.
Pre-processing is OpenCV's here, for speed; in the filters it is VapourSynth's.
"""

import argparse
import os
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np

from vsanon.boxes import F32, iou
from vsanon.covering.shapes import SHAPES
from vsanon.detections import Detections
from vsanon.detectors import U8, Detector, open_detector
from vsanon.detectors.frame_plan import plan_frame
from vsanon.detectors.recipes import SETTINGS, Recipe
from vsanon.detectors.scale import Scale, View
from vsanon.models import cards
from vsanon.validation.truth.boxes import read_truth

FACES = (
    "centerface", "yunet_n", "yunet_s", "yunet_2022mar", "retinaface_mnet025_1mb", "scrfd_500m", "scrfd_2.5g",
)  # fmt: skip
SCALES = {
    "single": Scale(size=640),
    "pyramid": Scale(size=640, min_object_px=10, max_object_px=2000),
    "tiles": Scale(size=640, min_object_px=10, max_object_px=2000, tile_px=640),
}
STRATA = (0, 10, 16, 24, 32, 64, 128)
"""Heights of truth boxes, pixels of the source, from which a column starts."""
CLIPS = {"opera_crowd_1080p25": 26, "classroom_720p25": 82, "walkers_416p24": 36}
"""Clip, and how many frames lie between those that are taken."""
FLOOR = 0.05
SAME_IOU = 0.4
COVERED = 0.9
PRECISION = 0.9


@dataclass(frozen=True)
class Sample:
    """A picture with its true faces; those to be ignored count neither as hit nor as miss."""

    rgb: U8
    truth: F32
    ignore: np.ndarray


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("assets", type=Path)
    parser.add_argument("--models", default=",".join(FACES))
    parser.add_argument("--scales", default=",".join(SCALES))
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--no-times", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("VSANON_MODELS", str(options.assets / "models"))
    known = cards()
    recipes = {
        f"{model} | {scale}": Recipe((model,), SCALES[scale])
        for model in options.models.split(",")
        if model
        for scale in options.scales.split(",")
    }
    recipes |= {f"setting | {name}": classes["face"] for name, classes in SETTINGS.items()}
    opened = {
        name: open_detector(name, threshold=max(FLOOR, known[name].threshold / 4))
        for name in sorted({name for recipe in recipes.values() for name in recipe.models})
    }
    sets = {
        f"{options.images} pictures of faces_mask": list(masks(options.assets, options.images)),
        "faces_dlib": list(dlib(options.assets)),
        "clips, " + ", ".join(CLIPS): [s for clip in CLIPS for s in frames(options.assets, clip)],
    }
    sets["walls of nine 640x360 pictures of opera_crowd in a 1920x1080 frame"] = [
        wall(s) for s in frames(options.assets, "opera_crowd_1080p25")
    ]
    for title, samples in sets.items():
        report(title, samples, recipes, opened)
    if not options.no_times:
        times(next(frames(options.assets, "opera_crowd_1080p25")), recipes, opened)
    return 0


def report(title: str, samples: list[Sample], recipes: dict[str, Recipe], opened: dict[str, Detector]) -> None:
    """One table: recall and coverage by size, a row for each model and scale."""
    heights = np.concatenate([s.truth[~s.ignore, 3] - s.truth[~s.ignore, 1] for s in samples])
    which = np.digitize(heights, STRATA) - 1
    counts = np.bincount(which, minlength=len(STRATA))
    shown = [i for i in range(len(STRATA)) if counts[i]]
    heads = [f"{STRATA[i]}-{STRATA[i + 1]}" if i + 1 < len(STRATA) else f"{STRATA[i]}+" for i in shown]
    print(f"\n### {title}: {len(samples)} pictures, {len(heights)} faces\n")
    print("Recall at IoU 0.4 / share covered to 90 % with the default margin, by height in pixels.\n")
    columns = " | ".join(f"{head} ({counts[i]})" for head, i in zip(heads, shown, strict=True))
    print(f"| model | scale | AP | one false a picture: score | all | precision 0.9: score | all | {columns} |")
    print("|" + "---|" * (7 + len(shown)))
    for name, recipe in recipes.items():
        found = [detect(sample.rgb, recipe, opened) for sample in samples]
        ap, precise, one_false = prices(found, samples)
        cells = []
        for threshold in (one_false, precise):
            kept = [f.select(f.scores >= threshold) for f in found]
            hit = np.concatenate([hits(f, s) for f, s in zip(kept, samples, strict=True)])
            covered = np.concatenate([coverage(f, s) >= COVERED for f, s in zip(kept, samples, strict=True)])
            cells += [f"{threshold:.2f}", f"{hit.mean():.3f} / {covered.mean():.3f}"]
        cells += [f"{hit[which == i].mean():.3f} / {covered[which == i].mean():.3f}" for i in shown]
        print(f"| {name} | {ap:.3f} | {' | '.join(cells)} |")
        sys.stdout.flush()


def times(sample: Sample, recipes: dict[str, Recipe], opened: dict[str, Detector]) -> None:
    """CPU time of one 1080p frame, models and decoding, without the resizing."""
    print("\n### CPU time of a 1920x1080 frame, one thread: model, decoding, merging; best of 3\n")
    print("| model | scale | ms | views |\n|---|---|---|---|")
    for name, recipe in recipes.items():
        detectors = {model: opened[model] for model in recipe.models}
        search = plan_frame((sample.rgb.shape[1], sample.rgb.shape[0]), detectors, {"face": recipe})
        pictures = [picture(sample.rgb, view) for view in search.views]
        best = float("inf")
        for _ in range(3):
            start = time.process_time()
            search.answer(list(detectors.values()), pictures)
            best = min(best, time.process_time() - start)
        print(f"| {name} | {best * 1000:.0f} | {len(search.views)} |")


def detect(rgb: U8, recipe: Recipe, opened: dict[str, Detector]) -> Detections:
    """What a recipe finds in a picture (H, W, 3)."""
    detectors = {model: opened[model] for model in recipe.models}
    search = plan_frame((rgb.shape[1], rgb.shape[0]), detectors, {"face": recipe})
    return search.answer(list(detectors.values()), [picture(rgb, view) for view in search.views])


def picture(rgb: U8, view: View) -> U8:
    """A view of a picture as a model takes it, (3, H, W)."""
    part = rgb[view.top : view.top + view.height, view.left : view.left + view.width]
    how = cv2.INTER_AREA if view.factor[0] > 1 else cv2.INTER_LINEAR
    small = cv2.resize(part, view.size, interpolation=how) if view.size != part.shape[1::-1] else part
    padded = np.zeros((view.padded[1], view.padded[0], 3), np.uint8)
    padded[: view.size[1], : view.size[0]] = small
    return np.ascontiguousarray(padded.transpose(2, 0, 1))


def prices(found: list[Detections], samples: list[Sample]) -> tuple[float, float, float]:
    """Average precision over all recalls; the least score at which `PRECISION` of the boxes are right; the least at
    which there is no more than one false box a picture."""
    scores, right = [], []
    for detections, sample in zip(found, samples, strict=True):
        taken = np.zeros(len(sample.truth), bool)
        overlap = iou(detections.xyxy, sample.truth)
        for i in range(len(detections)):
            free = np.where(taken, 0, overlap[i])
            best = int(free.argmax()) if len(free) else -1
            if best >= 0 and free[best] >= SAME_IOU:
                taken[best] = True
                if sample.ignore[best]:
                    continue
                right.append(True)
            elif len(overlap[i]) and overlap[i][sample.ignore].max(initial=0) > 0.3:
                continue
            else:
                right.append(False)
            scores.append(float(detections.scores[i]))
    total = sum(int((~s.ignore).sum()) for s in samples)
    order = np.argsort(-np.array(scores), kind="stable")
    hit = np.array(right)[order].cumsum()
    precision = hit / np.arange(1, len(order) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    ap = float(np.sum(np.diff(np.concatenate([[0], hit / total])) * envelope))
    good = np.flatnonzero(precision >= PRECISION)
    cheap = np.flatnonzero(np.arange(1, len(order) + 1) - hit <= len(samples))
    by_rank = np.append(np.array(scores)[order], 1.0)
    return ap, float(by_rank[good[-1] if len(good) else -1]), float(by_rank[cheap[-1] if len(cheap) else -1])


def hits(found: Detections, sample: Sample) -> np.ndarray:
    """Which true faces overlap a box by `SAME_IOU`."""
    truth = sample.truth[~sample.ignore]
    return iou(truth, found.xyxy).max(axis=1, initial=0) >= SAME_IOU


def coverage(found: Detections, sample: Sample) -> np.ndarray:
    """The share of each true face that the boxes cover, with the margin of the default shape, as rectangles."""
    left, top, right, bottom = SHAPES["face"].margin
    size = found.xyxy[:, 2:] - found.xyxy[:, :2]
    near, far = size * [left, top], size * [right, bottom]
    grown = np.concatenate([found.xyxy[:, :2] - near, found.xyxy[:, 2:] + far], axis=1)
    shares = []
    for x0, y0, x1, y1 in sample.truth[~sample.ignore]:
        x = x0 + (np.arange(32) + 0.5) / 32 * (x1 - x0)
        y = y0 + (np.arange(32) + 0.5) / 32 * (y1 - y0)
        inside_x = (grown[:, None, 0] <= x) & (x < grown[:, None, 2])
        inside_y = (grown[:, None, 1] <= y) & (y < grown[:, None, 3])
        shares.append((inside_x[:, None, :] & inside_y[:, :, None]).any(axis=0).mean())
    return np.array(shares)


def masks(assets: Path, count: int) -> Iterator[Sample]:
    """Pictures of the mask set, every n-th by name."""
    paths = sorted((assets / "images/faces_mask").glob("*.xml"))
    for path in paths[:: max(1, len(paths) // count)][:count]:
        boxes = [
            [float(box.findtext(edge) or "nan") for edge in ("xmin", "ymin", "xmax", "ymax")]
            for box in ET.parse(path).getroot().iter("bndbox")
        ]
        yield _sample(path.with_suffix(".jpg"), boxes)


def dlib(assets: Path) -> Iterator[Sample]:
    """Dlib's pictures."""
    folder = assets / "images/faces_dlib"
    seen = set()
    for name in ("training.xml", "testing.xml"):
        for image in ET.parse(folder / name).getroot().iter("image"):
            if image.get("file") in seen or not (folder / image.get("file", "")).is_file():
                continue
            seen.add(image.get("file"))
            boxes = []
            for box in image.iter("box"):
                x, y, width, height = (float(box.get(key, "nan")) for key in ("left", "top", "width", "height"))
                boxes.append([x, y, x + width, y + height])
            yield _sample(folder / image.get("file", ""), boxes)


def frames(assets: Path, clip: str) -> Iterator[Sample]:
    """Some frames of a clip with truth."""
    truth = read_truth(assets / "truth" / f"{clip}.csv")
    with av.open(str(assets / "video" / f"{clip}.mp4")) as container:
        for n, frame in enumerate(container.decode(video=0)):
            rows = truth.rows(n)
            if n % CLIPS[clip] == 0 and (~truth.ignore[rows]).any():
                yield Sample(frame.to_ndarray(format="rgb24"), truth.xyxy[rows], truth.ignore[rows])


def wall(sample: Sample) -> Sample:
    """Nine copies of a 1080p picture, each a third as wide and high, beside and below one another."""
    small = cv2.resize(sample.rgb, (640, 360), interpolation=cv2.INTER_AREA)
    places = np.array([(x, y, x, y) for y in (0, 360, 720) for x in (0, 640, 1280)], np.float32)
    truth = (sample.truth[None] / 3 + places[:, None]).reshape(-1, 4)
    return Sample(np.tile(small, (3, 3, 1)), truth, np.tile(sample.ignore, 9))


def _sample(path: Path, boxes: list[list[float]]) -> Sample:
    rgb = np.ascontiguousarray(cv2.imread(str(path))[:, :, ::-1])
    truth = np.array(boxes, np.float32).reshape(-1, 4)
    return Sample(rgb, truth, np.zeros(len(truth), bool))


if __name__ == "__main__":
    sys.exit(main())
