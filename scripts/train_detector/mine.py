"""Finds what a checkpoint takes for plates in training pictures and no label names, for `train.py --hard`."""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import torch
from model import STRIDES, PlateNet
from render import F32, U8
from scene import grounds, read


def detect(net: PlateNet, rgb: U8, side: int, threshold: float) -> tuple[F32, F32]:
    """Boxes (n, 4) in pixels of the picture and their scores (n,), found with its longer side at `side`."""
    scale = side / max(rgb.shape[:2])
    h, w = (round(v * scale) for v in rgb.shape[:2])
    canvas = np.full((-(-h // 32) * 32, -(-w // 32) * 32, 3), 114, np.uint8)
    canvas[:h, :w] = cv2.resize(rgb, (w, h), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    with torch.no_grad():
        heads = net(torch.from_numpy(canvas.transpose(2, 0, 1)[None].copy()).float())
    boxes, scores = [], []
    for stride, (logits, distances) in zip(STRIDES, heads, strict=True):
        score = logits[0, 0].sigmoid().numpy()
        y, x = np.nonzero(score >= threshold)
        left, top, right, bottom = distances[0].numpy()[:, y, x]
        cx, cy = (x + 0.5) * stride, (y + 0.5) * stride
        boxes.append(np.stack([cx - left, cy - top, cx + right, cy + bottom], 1))
        scores.append(score[y, x])
    found, certain = np.concatenate(boxes) / scale, np.concatenate(scores)
    corner_size = np.concatenate([found[:, :2], found[:, 2:] - found[:, :2]], 1)
    kept = np.asarray(cv2.dnn.NMSBoxes(corner_size.tolist(), certain.tolist(), threshold, 0.4), int).reshape(-1)
    return found[kept].astype(np.float32), certain[kept]


def touching(a: F32, b: F32) -> F32:
    """Whether boxes a (n, 4) touch any of b (m, 4), (n,) bool."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    return (high > low).all(2).any(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path, help="JSON: {picture: [[x0, y0, x1, y1, score], …]}")
    parser.add_argument("--plates", type=Path, action="append", default=[])
    parser.add_argument("--grounds", type=Path, action="append", default=[])
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--side", type=int, action="append", help="default 640 and 960")
    parser.add_argument("--threshold", type=float, default=0.3)
    args = parser.parse_args()
    torch.set_num_threads(1)
    net = PlateNet()
    net.load_state_dict(torch.load(args.checkpoint, map_location="cpu")["mean"])
    net.eval()
    hard = {}
    for ground in grounds(args.plates, args.grounds, args.labels):
        rgb = read(ground.path)
        rows = []
        for side in args.side or (640, 960):
            boxes, scores = detect(net, rgb, side, args.threshold)
            wrong = ~touching(boxes, np.concatenate([ground.boxes, ground.ignore]))
            rows += np.concatenate([boxes[wrong], scores[wrong, None]], 1).round(2).tolist()
        if rows:
            hard[ground.path.name] = sorted(rows, key=lambda row: -row[4])
    args.out.write_text(json.dumps(hard))
    print(f"{sum(map(len, hard.values()))} in {len(hard)} pictures")


if __name__ == "__main__":
    main()
