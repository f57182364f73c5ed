"""Measures plate models on held-out pictures: recall and coverage by size of the plate, and CPU time."""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import av
import cv2
import numpy as np

from vsanon.boxes import F32, area, iou
from vsanon.detectors import U8, Detector, open_detector
from vsanon.validation.truth.boxes import read_truth

STRATA = ((0, 12), (12, 20), (20, 40), (40, 80), (80, 10_000), (20, 10_000))  # heights, pixels of the original
IOU = 0.5
COVERED = 0.9
TIMED_RUNS = 15


@dataclass(frozen=True, slots=True)
class Labelled:
    name: str
    rgb: U8  # (H, W, 3)
    boxes: F32
    ignore: F32


@dataclass(slots=True)
class Tally:
    """What one model did on one set."""

    heights: list[float] = field(default_factory=list)
    hit: list[bool] = field(default_factory=list)
    coverage: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)
    pictures: int = 0
    missed: list[str] = field(default_factory=list)


def rgb_of(path: Path) -> U8:
    return cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def voc(folder: Path) -> Iterator[Labelled]:
    for path in sorted(folder.glob("*.jpg")):
        found = [
            [float(box.findtext(side, "nan")) for side in ("xmin", "ymin", "xmax", "ymax")]
            for box in ElementTree.parse(path.with_suffix(".xml")).getroot().iter("bndbox")
        ]
        yield Labelled(path.name, rgb_of(path), np.asarray(found, np.float32).reshape(-1, 4), none())


def yolo(folder: Path) -> Iterator[Labelled]:
    for path in sorted(folder.glob("*.jpg")):
        rgb = rgb_of(path)
        rows = np.loadtxt(path.with_suffix(".txt"), np.float32, ndmin=2).reshape(-1, 5)[:, 1:]
        rows = rows * np.array([rgb.shape[1], rgb.shape[0]] * 2, np.float32)
        yield Labelled(
            path.name,
            rgb,
            np.concatenate([rows[:, :2] - rows[:, 2:] / 2, rows[:, :2] + rows[:, 2:] / 2], 1),
            none(),
        )


def clip(video: Path, truth_path: Path, every: int) -> Iterator[Labelled]:
    truth = read_truth(truth_path)
    with av.open(str(video)) as opened:
        for n, frame in enumerate(opened.decode(video=0)):
            if n % every == 0:
                at = truth.frames == n
                ignored = truth.ignore[at]
                xyxy = truth.xyxy[at]
                yield Labelled(f"{video.name}:{n}", frame.to_ndarray(format="rgb24"), xyxy[~ignored], xyxy[ignored])


def none() -> F32:
    return np.zeros((0, 4), np.float32)


def letterbox(rgb: U8, detector: Detector, side: int) -> tuple[U8, float]:
    """(3, H, W) for the model, its longer side scaled to `side` (or into the only size it takes), and the scale."""
    h, w = rgb.shape[:2]
    rules = detector.card.input
    if rules.size is not None:
        scale = min(rules.size[0] / w, rules.size[1] / h)
        width, height = rules.size
    else:
        scale = side / max(w, h)
        width, height = (-(-round(v * scale) // rules.stride) * rules.stride for v in (w, h))
    size = (round(w * scale), round(h * scale))
    canvas = np.full((height, width, 3), 114, np.uint8)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas[: size[1], : size[0]] = cv2.resize(rgb, size, interpolation=method)
    return np.ascontiguousarray(canvas.transpose(2, 0, 1)), scale


def coverage(box: F32, found: F32, margin: float) -> float:
    """Share of a truth box that the boxes found, each grown by `margin` of its sides, cover together."""
    x0, y0, x1, y1 = np.round(box * 4).astype(int)
    covered = np.zeros((max(1, y1 - y0), max(1, x1 - x0)), bool)
    grow = (found[:, 2:] - found[:, :2]) * margin
    for a0, b0, a1, b1 in np.round(np.concatenate([found[:, :2] - grow, found[:, 2:] + grow], 1) * 4).astype(int):
        covered[max(0, b0 - y0) : max(0, b1 - y0), max(0, a0 - x0) : max(0, a1 - x0)] = True
    return float(covered.mean())


def measure(detector: Detector, sets: Iterator[Labelled], side: int, margin: float, threshold: float) -> Tally:
    """Run a model opened at a low threshold; recall and coverage count boxes from `threshold` on."""
    tally = Tally()
    for item in sets:
        picture, scale = letterbox(item.rgb, detector, side)
        answer = detector.detect(picture)
        found, scores = answer.xyxy / scale, answer.scores
        tally.pictures += 1
        overlap = iou(found, item.boxes)
        taken: set[int] = set()
        for i in range(len(found)):  # best first
            order = [j for j in np.argsort(-overlap[i]) if overlap[i, j] >= IOU and j not in taken]
            if order:
                taken.add(int(order[0]))
            elif len(item.ignore) and _inside(found[i], item.ignore) > 0.5:
                continue
            tally.scores.append(float(scores[i]))
            tally.right.append(bool(order))
        sure = found[scores >= threshold]
        for box in item.boxes:
            hit = bool((iou(sure, box[None]) >= IOU).any())
            tally.heights.append(float(box[3] - box[1]))
            tally.hit.append(hit)
            tally.coverage.append(coverage(box, sure, margin))
            if not hit:
                best = float(iou(found, box[None]).max(initial=0))
                tally.missed.append(f"{item.name} {[round(float(v)) for v in box]} best IoU {best:.2f}")
    return tally


def _inside(box: F32, others: F32) -> float:
    lower, upper = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    return float((np.clip(upper - lower, 0, None).prod(1) / max(float(area(box[None])[0]), 1e-6)).max())


def average_precision(tally: Tally) -> float:
    """Area under the precision envelope, all points, as in PASCAL VOC 2010."""
    order = np.argsort(-np.asarray(tally.scores), kind="stable")
    tp = np.cumsum(np.asarray(tally.right, bool)[order])
    if not len(tp):
        return 0.0
    precision = np.maximum.accumulate((tp / np.arange(1, len(tp) + 1))[::-1])[::-1]
    recall = np.concatenate([[0], tp / max(1, len(tally.heights))])
    return float((np.diff(recall) * precision).sum())


def cpu_ms(detector: Detector, side: int) -> float:
    """Median CPU time of a picture of 1280x720 letterboxed to `side`, model and decoding, milliseconds."""
    rgb = np.random.default_rng(0).integers(0, 256, (720, 1280, 3)).astype(np.uint8)
    picture, _ = letterbox(rgb, detector, side)
    times = []
    for _ in range(TIMED_RUNS):
        began = time.thread_time()
        detector.detect(picture)
        times.append(time.thread_time() - began)
    return 1000 * float(np.median(times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+", help="names of cards, or paths of cards; with @SIDE for another side")
    parser.add_argument("--assets", type=Path, required=True)
    parser.add_argument("--side", type=int, default=640, help="longer side that a picture is scaled to")
    parser.add_argument("--threshold", type=float, help="the same for all; each card's own unless given")
    parser.add_argument("--margin", type=float, default=0.1, help="for coverage: growth of each side")
    parser.add_argument("--every", type=int, default=5, help="of a clip's frames one in so many")
    parser.add_argument("--missed", action="store_true", help="list the plates missed")
    args = parser.parse_args()
    images, uk = args.assets / "images", "uk_plate_720p30"
    sets = {
        "romania/valid": lambda: voc(images / "plates_romania/valid"),
        "vietnam": lambda: yolo(images / "plates_vietnam"),
        "uk clip": lambda: clip(args.assets / f"video/{uk}.mp4", args.assets / f"truth/{uk}.csv", args.every),
    }
    print(f"Recall at IoU {IOU} / share of plates covered to {COVERED} with a margin of {args.margin} of each side")
    print("(number of plates), by the plate's height in the original picture, pixels.")
    heads = [f"{low}-{high}" if high < 10_000 else f"≥{low}" for low, high in STRATA]
    for set_name, pictures in sets.items():
        print(f"\n### {set_name}\n\n| model | side | CPU ms | {' | '.join(heads)} | all | precision | AP |")
        print("|---" * (len(heads) + 6) + "|")
        for wanted in args.models:
            model, _, side_text = wanted.partition("@")
            side = int(side_text or args.side)
            detector = open_detector(model, threshold=0.05)
            threshold = args.threshold or detector.card.threshold
            tally = measure(detector, pictures(), side, args.margin, threshold)
            heights, hit = np.asarray(tally.heights), np.asarray(tally.hit)
            covered = np.asarray(tally.coverage) >= COVERED
            cells = []
            for low, high in (*STRATA, (0, 10_000)):
                at = (heights >= low) & (heights < high)
                cells.append(f"{hit[at].mean():.3f} / {covered[at].mean():.3f} ({at.sum()})" if at.any() else "")
            sure = np.asarray(tally.scores) >= threshold
            precision = np.asarray(tally.right)[sure].mean() if sure.any() else float("nan")
            own = "x".join(map(str, detector.card.input.size)) if detector.card.input.size else str(side)
            ms = cpu_ms(open_detector(model, threshold=threshold), side)
            print(
                f"| {detector.card.name} ≥ {threshold} | {own} | {ms:.1f} | "
                f"{' | '.join(cells)} | {precision:.3f} | {average_precision(tally):.3f} |",
                flush=True,
            )
            if args.missed:
                print("\n".join(f"  - {line}" for line in tally.missed))


if __name__ == "__main__":
    main()
