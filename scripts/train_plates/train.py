"""Trains the plate network; resumes from its checkpoint, and is deterministic by seed on one machine."""

import argparse
import copy
import math
import time
from pathlib import Path

import cv2
import torch
from data import Plates, collate
from model import STRIDES, PlateNet
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Subset

# A stride answers for boxes whose longer side (its height counted twice) lies in its range; ranges overlap.
RANGES_PX = {8: (0.0, 80.0), 16: (56.0, 170.0), 32: (120.0, 340.0), 64: (240.0, math.inf)}
CORE = 0.3  # cells within this share of a box's sides around its centre are positive


# The paper's 0.75 left, after so short a training, several lamps and letterings a picture above a score of 0.5.
NEGATIVES = 2.0


def targets(
    boxes: list[Tensor], ignore: list[Tensor], stride: int, shape: tuple[int, int]
) -> tuple[Tensor, Tensor, Tensor]:
    """What each cell of a stride should say.

    Returns:
        (n, h, w) bool, positive; (n, h, w) bool, counted (false: neither plate nor not); (n, 4, h, w), boxes.
    """
    h, w = shape
    x = (torch.arange(w) + 0.5) * stride
    y = (torch.arange(h) + 0.5) * stride
    positive = torch.zeros(len(boxes), h, w, dtype=torch.bool)
    counted = torch.ones(len(boxes), h, w, dtype=torch.bool)
    wanted = torch.zeros(len(boxes), 4, h, w)
    low, high = RANGES_PX[stride]
    for i, (own, grey) in enumerate(zip(boxes, ignore, strict=True)):
        for box in grey:
            counted[i] &= ~(((x >= box[0]) & (x <= box[2]))[None] & ((y >= box[1]) & (y <= box[3]))[:, None])
        sizes = torch.maximum(own[:, 2] - own[:, 0], 2 * (own[:, 3] - own[:, 1]))
        for j in sizes.argsort(descending=True).tolist():  # small boxes last: they win a shared cell
            box, size = own[j], float(sizes[j])
            if not low / 1.25 <= size <= high * 1.25:
                continue
            inside = ((x >= box[0]) & (x <= box[2]))[None] & ((y >= box[1]) & (y <= box[3]))[:, None]
            counted[i] &= ~inside
            if not low <= size <= high:
                continue
            cx, cy = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
            reach_x = torch.clamp((box[2] - box[0]) * CORE, min=0.75 * stride)
            reach_y = torch.clamp((box[3] - box[1]) * CORE, min=0.75 * stride)
            near = ((x - cx).abs() <= reach_x)[None] & ((y - cy).abs() <= reach_y)[:, None]
            positive[i] |= near
            wanted[i][:, near] = box[:, None]
    return positive, counted | positive, wanted


def giou(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Generalised IoU (Rezatofighi et al. 2019) and IoU of paired boxes (n, 4)."""
    inter = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0).prod(1)
    union = (a[:, 2:] - a[:, :2]).clamp(min=0).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - inter
    iou = inter / union.clamp(min=1e-6)
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(1).clamp(min=1e-6)
    return iou - (hull - union) / hull, iou


def loss_of(
    heads: list[tuple[Tensor, Tensor]],
    boxes: list[Tensor],
    ignore: list[Tensor],
    real: list[bool],
    doubt: float,
) -> tuple[Tensor, Tensor]:
    """Varifocal loss of the scores (Zhang et al. 2021), whose targets are the IoU reached, and GIoU loss.

    Cells of real pictures that score more than `doubt` outside all labels count for nothing: the labels
    leave out some plates.
    """
    score_loss = box_loss = torch.zeros(())
    total = torch.zeros(())
    weight = torch.zeros(())
    is_real = torch.tensor(real)[:, None, None]
    for stride, (logits, distances) in zip(STRIDES, heads, strict=True):
        h, w = logits.shape[2:]
        positive, counted, wanted = targets(boxes, ignore, stride, (h, w))
        positive, counted, wanted = (t.to(logits.device) for t in (positive, counted, wanted))
        logit = logits[:, 0]
        p = logit.detach().sigmoid()
        quality = torch.zeros_like(logit)
        if positive.any():
            x = (torch.arange(w, device=logit.device) + 0.5) * stride
            y = (torch.arange(h, device=logit.device) + 0.5) * stride
            left, top, right, bottom = distances.unbind(1)
            found = torch.stack([x - left, y[:, None] - top, x + right, y[:, None] + bottom], 1)
            found, truth = found.permute(0, 2, 3, 1)[positive], wanted.permute(0, 2, 3, 1)[positive]
            generalised, iou = giou(found, truth)
            # All cells of one large plate together weigh little more than the few of a small one.
            cells = ((truth[:, 2:] - truth[:, :2]) * 2 * CORE / stride).clamp(min=1.5).prod(1)
            share = (6 / cells).clamp(max=1.0)
            quality[positive] = iou.detach().clamp(0.05, 1)
            box_loss = box_loss + ((1 - generalised) * share).sum()
            weight = weight + share.sum()
        missing = counted & ~positive & ~(is_real & (p > doubt))
        factor = torch.where(positive, quality, NEGATIVES * p.square() * missing)
        score_loss = (
            score_loss
            + (functional.binary_cross_entropy_with_logits(logit, quality, reduction="none") * factor).sum()
        )
        total = total + positive.sum()
    return score_loss / total.clamp(min=1), 2 * box_loss / weight.clamp(min=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="folder of the checkpoints; an unfinished run there goes on")
    parser.add_argument("--pool", type=Path, required=True, help="folder that scene.py wrote")
    parser.add_argument(
        "--plates", type=Path, action="append", default=[], help="folder of pictures with VOC labels"
    )
    parser.add_argument(
        "--grounds", type=Path, action="append", default=[], help="folder of pictures without plates"
    )
    parser.add_argument("--hard", type=Path, help="JSON that mine.py wrote")
    parser.add_argument("--labels", type=Path, help="JSON of what the labels of the plates' pictures leave out")
    parser.add_argument("--start", type=Path, help="checkpoint of another run of ours to begin from")
    parser.add_argument("--samples", type=int, default=36_000)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--real", type=float, default=0.45, help="share of real samples")
    parser.add_argument("--doubt", type=float, default=1.0, help="see loss_of; below 1 where labels are missing")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--every", type=int, default=400, help="steps between checkpoints")
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    cv2.setNumThreads(1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    args.run.mkdir(parents=True, exist_ok=True)
    data = Plates(args.pool, args.plates, args.samples, args.seed, args.real, args.labels, args.grounds, args.hard)
    net = PlateNet().to(device)
    mean = copy.deepcopy(net)
    decayed = [p for p in net.parameters() if p.ndim > 1]
    plain = [p for p in net.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 1e-2}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=args.rate)
    step, steps = 0, args.samples // args.batch
    latest = args.run / "latest.pt"
    if latest.exists():
        state = torch.load(latest, map_location=device)
        net.load_state_dict(state["net"])
        mean.load_state_dict(state["mean"])
        optimizer.load_state_dict(state["optimizer"])
        step = state["step"]
    elif args.start:
        state = torch.load(args.start, map_location=device)
        net.load_state_dict(state["mean"])
        mean.load_state_dict(state["mean"])
    # Sample numbers fix the samples, so going on means skipping those that were seen.
    rest = Subset(data, range(step * args.batch, steps * args.batch))
    loader = DataLoader(rest, args.batch, num_workers=args.workers, collate_fn=collate, drop_last=True)
    net.train()
    began, sums = time.monotonic(), [0.0, 0.0]
    for pictures, boxes, ignore, real in loader:
        warm = min(1.0, (step + 1) / 300)
        rate = args.rate * warm * (0.02 + 0.98 * (1 + math.cos(math.pi * step / steps)) / 2)
        for group in optimizer.param_groups:
            group["lr"] = rate
        scores, places = loss_of(
            net(pictures.to(device).float()), boxes, ignore, real, args.doubt if step > 600 else 1.0
        )
        optimizer.zero_grad(set_to_none=True)
        (scores + places).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 10.0)
        optimizer.step()
        step += 1
        decay = min(0.998, step / (step + 20))
        with torch.no_grad():
            for slow, fast in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
                if slow.dtype.is_floating_point:
                    slow.lerp_(fast, 1 - decay)
                else:
                    slow.copy_(fast)
        sums = [sums[0] + scores.item(), sums[1] + places.item()]
        if step % 50 == 0:
            means = f"score {sums[0] / 50:.4f} box {sums[1] / 50:.4f}"
            print(f"{step}/{steps} {means} rate {rate:.5f} {time.monotonic() - began:.0f} s", flush=True)
            sums = [0.0, 0.0]
        if step % args.every == 0 or step == steps:
            state = {
                "net": net.state_dict(),
                "mean": mean.state_dict(),
                "optimizer": optimizer.state_dict(),
                "step": step,
            }
            torch.save(state, latest.with_suffix(".tmp"))
            latest.with_suffix(".tmp").rename(latest)
            if step % (5 * args.every) == 0 or step == steps:
                torch.save({"mean": mean.state_dict(), "step": step}, args.run / f"step_{step:06d}.pt")


if __name__ == "__main__":
    main()
