"""Finds what an exported model takes for its class in training pictures and no label names: `train.py --hard`."""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from model import STRIDES
from sets import F32, U8, training_bare, training_faces, training_plates

SIDES = (256, 448, 640, 960)
MAX_ENLARGE = 2.0
SAME_IOU = 0.4


def open_model(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def detect(session: onnxruntime.InferenceSession, rgb: U8, side: int, threshold: float) -> tuple[F32, F32]:
    """Boxes (n, 4) in pixels of the picture and their scores (n,), found with its longer side at `side`."""
    scale = side / max(rgb.shape[:2])
    h, w = (max(1, round(v * scale)) for v in rgb.shape[:2])
    canvas = np.zeros((-(-h // 32) * 32, -(-w // 32) * 32, 3), np.float32)
    canvas[:h, :w] = cv2.resize(rgb, (w, h), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    names = [f"{kind}_{stride}" for stride in STRIDES for kind in ("score", "box")]
    maps = session.run(names, {"rgb": canvas.transpose(2, 0, 1)[None]})
    boxes, scores = [], []
    for stride, score, box in zip(STRIDES, maps[::2], maps[1::2], strict=True):
        y, x = np.nonzero(score[0, 0] >= threshold)
        left, top, right, bottom = box[0][:, y, x]
        cx, cy = (x + 0.5) * stride, (y + 0.5) * stride
        boxes.append(np.stack([cx - left, cy - top, cx + right, cy + bottom], 1))
        scores.append(score[0, 0, y, x])
    found, certain = np.concatenate(boxes) / scale, np.concatenate(scores)
    return best(found.astype(np.float32), certain)


def best(boxes: F32, scores: F32) -> tuple[F32, F32]:
    """Of boxes that overlap the one with the best score."""
    corner_size = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1)
    kept = np.asarray(cv2.dnn.NMSBoxes(corner_size.tolist(), scores.tolist(), 0.0, SAME_IOU), int).reshape(-1)
    return boxes[kept], scores[kept]


def search(session: onnxruntime.InferenceSession, rgb: U8, threshold: float) -> tuple[F32, F32]:
    """What is found at any of `SIDES`, best first."""
    longest = max(rgb.shape[:2])
    parts = [detect(session, rgb, side, threshold) for side in SIDES if side <= longest * MAX_ENLARGE]
    return best(np.concatenate([b for b, _ in parts]), np.concatenate([s for _, s in parts]))


def touching(a: F32, b: F32) -> F32:
    """Whether boxes a (n, 4) touch any of b (m, 4), (n,) bool."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    return (high > low).all(2).any(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="that export.py wrote")
    parser.add_argument("out", type=Path, help="JSON: {picture: [[x0, y0, x1, y1, score], …]}, of the wrong boxes")
    parser.add_argument("--images", type=Path, required=True, help="the folder that holds the sets of sets.py")
    parser.add_argument("--kind", choices=("plate", "face"), default="plate")
    parser.add_argument("--threshold", type=float, default=0.15)
    parser.add_argument("--missed", type=Path, help="write the labels that no box of that score touches there")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    session = open_model(args.model)
    if args.kind == "plate":
        pictures = training_plates(args.images) + training_bare(args.images)
    else:
        pictures = training_faces(args.images)
    hard, missed = {}, {}
    for picture in pictures:
        boxes, scores = search(session, picture.read(), args.threshold)
        wrong = ~touching(boxes, np.concatenate([picture.boxes, picture.ignore]))
        rows = np.concatenate([boxes[wrong], scores[wrong, None]], 1).round(2).tolist()
        if rows:
            hard[picture.name] = sorted(rows, key=lambda row: -row[4])
        bare = picture.boxes[~touching(picture.boxes, boxes)]
        if len(bare):
            missed[picture.name] = bare.round(1).tolist()
    args.out.write_text(json.dumps(hard))
    if args.missed:
        args.missed.write_text(json.dumps(missed))
    print(f"{sum(map(len, hard.values()))} in {len(hard)} pictures; {sum(map(len, missed.values()))} labels missed")


if __name__ == "__main__":
    main()
