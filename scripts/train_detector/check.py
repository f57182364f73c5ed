"""How far a network is, on pictures of the pack that it is not trained on: one look at each, 640 px wide."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from model import STRIDES, Net, distances
from numpy.typing import NDArray
from pack import Packed
from sets import F32

SIDE = 640
ENLARGED = 2.0
BATCH = 16
LOW = 0.05
OVERLAP, SAME = 0.5, 0.4
BUDGETS = (0.1, 0.5)
"""Wrong boxes a picture at which the share that is found is told."""


class Check:
    def __init__(self, packed: Sequence[Packed], device: torch.device) -> None:
        views = np.zeros((len(packed), SIDE, SIDE, 3), np.uint8)
        self.truth: list[tuple[F32, F32]] = []
        for view, one in zip(views, packed, strict=True):
            rgb = one.picture.read()
            scale = min(ENLARGED, SIDE / max(rgb.shape[:2]))
            method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=method)[:SIDE, :SIDE]
            view[: small.shape[0], : small.shape[1]] = small
            self.truth.append((one.picture.boxes * scale, one.picture.ignore * scale))
        self.views = torch.from_numpy(views).permute(0, 3, 1, 2).to(device)

    def measure(self, net: Net) -> dict[str, float]:
        """Average precision at IoU `OVERLAP`, and the share found at `BUDGETS` (`found_0.1`) with its threshold."""
        was = net.training
        net.eval()
        rows: list[tuple[float, bool]] = []
        total = 0
        with torch.no_grad():
            for start in range(0, len(self.views), BATCH):
                part = self.views[start : start + BATCH]
                with torch.autocast(part.device.type, torch.bfloat16, enabled=part.device.type == "cuda"):
                    heads = net(part.float().contiguous(memory_format=torch.channels_last))
                for n, (boxes, scores) in enumerate(_found(heads)):
                    truth, ignore = self.truth[start + n]
                    total += len(truth)
                    rows += _judged(boxes, scores, truth, ignore)
        net.train(was)
        rows.sort(reverse=True)
        right = np.cumsum([ok for _, ok in rows])
        wrong = np.arange(1, len(rows) + 1) - right
        precision = np.maximum.accumulate((right / np.maximum(1, right + wrong))[::-1])[::-1]
        share = right / max(1, total)
        answer = {"ap": float(np.trapezoid(precision, share)) if len(rows) else 0.0}
        for budget in BUDGETS:
            within = int((wrong <= budget * len(self.views)).sum())
            answer[f"found_{budget}"] = float(share[within - 1]) if within else 0.0
            answer[f"threshold_{budget}"] = float(rows[within - 1][0]) if within else 1.0
        return {key: round(value, 4) for key, value in answer.items()}


def _found(heads: list[tuple[torch.Tensor, torch.Tensor]]) -> list[tuple[F32, NDArray[np.float32]]]:
    scores, boxes = [], []
    for stride, (logits, logs) in zip(STRIDES, heads, strict=True):
        n, _, h, w = logits.shape
        x = (torch.arange(w, device=logits.device) + 0.5) * stride
        y = (torch.arange(h, device=logits.device) + 0.5) * stride
        left, top, right, bottom = distances(logs.float(), stride).unbind(1)
        box = torch.stack([x - left, y[:, None] - top, x + right, y[:, None] + bottom], 3)
        boxes.append(box.reshape(n, -1, 4))
        scores.append(logits.float().sigmoid().reshape(n, -1))
    score, place = torch.cat(scores, 1).topk(400, 1)
    box = torch.cat(boxes, 1).gather(1, place[..., None].expand(-1, -1, 4))
    answer = []
    for one, certain in zip(box.cpu().numpy(), score.cpu().numpy(), strict=True):
        good = certain >= LOW
        corner_size = np.concatenate([one[:, :2], one[:, 2:] - one[:, :2]], 1)[good]
        kept = cv2.dnn.NMSBoxes(corner_size.tolist(), certain[good].tolist(), 0.0, SAME) if good.any() else []
        kept = np.asarray(kept, int).reshape(-1)
        answer.append((one[good][kept], certain[good][kept]))
    return answer


def _judged(boxes: F32, scores: NDArray[np.float32], truth: F32, ignore: F32) -> list[tuple[float, bool]]:
    rows, taken = [], set()
    for box, score in zip(boxes, scores, strict=True):
        overlap = _iou(box, truth)
        free = [j for j in np.argsort(-overlap) if overlap[j] >= OVERLAP and j not in taken]
        if free:
            taken.add(free[0])
            rows.append((float(score), True))
        elif not (_inside(box, ignore) > 0.3).any():
            rows.append((float(score), False))
    return rows


def _common(box: F32, others: F32) -> F32:
    lower, upper = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    return np.clip(upper - lower, 0, None).prod(1)


def _iou(box: F32, others: F32) -> F32:
    both = _common(box, others)
    return both / ((box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(1) - both).clip(1e-6)


def _inside(box: F32, others: F32) -> F32:
    return _common(box, others) / (box[2:] - box[:2]).prod().clip(1e-6)
