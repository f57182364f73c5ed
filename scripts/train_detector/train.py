"""Trains a detector of one class; resumes from its checkpoint, and is deterministic by seed on one machine."""

import argparse
import copy
import math
import tempfile
import time
from pathlib import Path

import cv2
import torch
import torch.distributed as dist
import torch.multiprocessing as processes
from data import CORE, Samples, collate
from model import SIZES, STRIDES, Net, distances
from sets import training_bare, training_faces, training_plates
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Subset

# The paper's 0.75 left, after so short a training, several lamps and letterings a picture above a score of 0.5.
NEGATIVES = 2.0


def giou(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Generalised IoU (Rezatofighi et al. 2019) and IoU of paired boxes (n, 4)."""
    inter = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0).prod(1)
    union = (a[:, 2:] - a[:, :2]).clamp(min=0).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - inter
    iou = inter / union.clamp(min=1e-6)
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(1).clamp(min=1e-6)
    return iou - (hull - union) / hull, iou


def loss_of(heads: list[tuple[Tensor, Tensor]], maps: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Varifocal loss of the scores (Zhang et al. 2021), whose targets are the IoU reached, and GIoU loss."""
    score_loss = box_loss = torch.zeros(())
    total = torch.zeros(())
    weight = torch.zeros(())
    for stride, (logits, logs), wanted in zip(STRIDES, heads, maps, strict=True):
        h, w = logits.shape[2:]
        positive, counted = wanted[:, 0] > 0, wanted[:, 1] > 0
        logit = logits[:, 0].float()
        p = logit.detach().sigmoid()
        quality = torch.zeros_like(logit)
        if positive.any():
            x = (torch.arange(w, device=logit.device) + 0.5) * stride
            y = (torch.arange(h, device=logit.device) + 0.5) * stride
            left, top, right, bottom = distances(logs.float(), stride).unbind(1)
            found = torch.stack([x - left, y[:, None] - top, x + right, y[:, None] + bottom], 1)
            found, truth = found.permute(0, 2, 3, 1)[positive], wanted[:, 2:].permute(0, 2, 3, 1)[positive]
            generalised, iou = giou(found, truth)
            # All cells of one large box together weigh little more than the few of a small one.
            cells = ((truth[:, 2:] - truth[:, :2]) * 2 * CORE / stride).clamp(min=1.5).prod(1)
            share = (6 / cells).clamp(max=1.0)
            quality[positive] = iou.detach().clamp(0.05, 1)
            box_loss = box_loss + ((1 - generalised) * share).sum()
            weight = weight + share.sum()
        factor = torch.where(positive, quality, NEGATIVES * p.square() * counted)
        score_loss = (
            score_loss
            + (functional.binary_cross_entropy_with_logits(logit, quality, reduction="none") * factor).sum()
        )
        total = total + positive.sum()
    return score_loss / total.clamp(min=1), 2 * box_loss / weight.clamp(min=1)


def average(net: Net, ranks: int) -> None:
    """Give every process the mean of all gradients."""
    grads = [p.grad for p in net.parameters() if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in grads])
    dist.all_reduce(flat)
    flat /= ranks
    for grad, part in zip(grads, flat.split([g.numel() for g in grads]), strict=True):
        grad.copy_(part.view_as(grad))


def run(rank: int, args: argparse.Namespace, data: Samples, meeting: str) -> None:
    """One of `args.processes` that train together, each on its share of every batch."""
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    cv2.setNumThreads(1)
    ranks = args.processes
    if ranks > 1:
        dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=ranks)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    net = Net(SIZES[args.kind]).to(device, memory_format=torch.channels_last)
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
    share = args.batch // ranks
    own = [n for n in range(step * args.batch, steps * args.batch) if n % args.batch // share == rank]
    loader = DataLoader(Subset(data, own), share, num_workers=args.workers, collate_fn=collate, drop_last=True)
    net.train()
    began, sums = time.monotonic(), [0.0, 0.0]
    slow_parts, fast_parts = (
        [t for t in n.state_dict().values() if t.dtype.is_floating_point] for n in (mean, net)
    )
    for pictures, maps in loader:
        warm = min(1.0, (step + 1) / 300)
        rate = args.rate * warm * (0.02 + 0.98 * (1 + math.cos(math.pi * step / steps)) / 2)
        for group in optimizer.param_groups:
            group["lr"] = rate
        seen = pictures.to(device).float().contiguous(memory_format=torch.channels_last)
        # bfloat16 is 1.2 times as fast on CPUs with AMX; scores and boxes are compared in float32.
        with torch.autocast(device.type, torch.bfloat16, enabled=args.half):
            heads = net(seen)
        scores, places = loss_of(heads, [m.to(device) for m in maps])
        optimizer.zero_grad(set_to_none=True)
        (scores + places).backward()
        if ranks > 1:
            average(net, ranks)
        torch.nn.utils.clip_grad_norm_(net.parameters(), 10.0)
        optimizer.step()
        step += 1
        decay = min(0.998, step / (step + 20))
        with torch.no_grad():
            torch._foreach_lerp_(slow_parts, fast_parts, 1 - decay)
        sums = [sums[0] + scores.item(), sums[1] + places.item()]
        if rank:
            continue
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="folder of the checkpoints; an unfinished run there goes on")
    parser.add_argument("--kind", choices=sorted(SIZES), default="plate")
    parser.add_argument("--images", type=Path, required=True, help="the folder that holds the sets of sets.py")
    parser.add_argument("--pool", type=Path, help="folder that scene.py wrote")
    parser.add_argument("--fonts", type=Path, action="append", help="default /usr/share/fonts")
    parser.add_argument("--hard", type=Path, help="JSON that mine.py wrote")
    parser.add_argument("--start", type=Path, help="checkpoint of another run of ours to begin from")
    parser.add_argument("--samples", type=int, default=80_000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--real", type=float, default=0.6, help="share of real samples")
    parser.add_argument("--side", type=int, default=320, help="of the square samples, pixels, a multiple of 64")
    parser.add_argument("--half", action="store_true", help="compute in bfloat16 where that is quick")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1, help="that share each batch; quicker on a busy machine")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--every", type=int, default=400, help="steps between checkpoints")
    args = parser.parse_args()

    if args.batch % args.processes:
        raise SystemExit(f"a batch of {args.batch} can't be shared by {args.processes} processes")
    args.run.mkdir(parents=True, exist_ok=True)
    if args.kind == "plate":
        pictures = training_plates(args.images) + training_bare(args.images)
    else:
        pictures = training_faces(args.images)
    fonts = args.fonts or [Path("/usr/share/fonts")] if args.kind == "plate" else []
    data = Samples(args.kind, args.pool, pictures, args.samples, args.seed, args.real, args.side, fonts, args.hard)
    with tempfile.TemporaryDirectory() as folder:
        meeting = f"{folder}/meeting"
        if args.processes == 1:
            run(0, args, data, meeting)
        else:  # forked, so that all share the pictures in memory
            processes.start_processes(run, (args, data, meeting), args.processes, start_method="fork")


if __name__ == "__main__":
    main()
