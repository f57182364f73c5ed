"""What each cell of the network should say, and how far it is from that."""

import math

import torch
from model import STRIDES, distances
from torch import Tensor
from torch.nn import functional

# A stride answers for boxes whose longer side (times TALL for the height) lies in its range; ranges overlap.
RANGES_PX = {8: (0.0, 80.0), 16: (56.0, 170.0), 32: (120.0, 340.0), 64: (240.0, math.inf)}
TALL = {"plate": 1.6, "face": 1.0}
CORE = 0.3  # cells within this share of a box's sides around its centre are positive
# The paper's 0.75 left, after so short a training, several lamps and letterings a picture above a score of 0.5.
NEGATIVES = 2.0

CLASS, IGNORED, WRONG = 1, 2, 3
"""Kinds of boxes: the class; what counts for nothing; what an earlier model took for the class. 0 is no box."""


def targets(boxes: Tensor, kinds: Tensor, stride: int, side: int, tall: float) -> tuple[Tensor, Tensor, Tensor]:
    """What each cell of a stride should say.

    Args:
        boxes: (n, k, 4) xyxy in pixels of square samples.
        kinds: (n, k).
        tall: how much a box's height counts against its width for the stride that it belongs to.

    Returns:
        (n, h, w) whether positive; (n, h, w) whether counted (where not: neither the class nor not); (n, 4, h, w),
        the box, xyxy in pixels.
    """
    cells = -(-side // stride)
    at = (torch.arange(cells, device=boxes.device) + 0.5) * stride
    low, high = RANGES_PX[stride]
    x0, y0, x1, y1 = boxes.unbind(2)
    size = torch.maximum(x1 - x0, tall * (y1 - y0))

    def within(reach: Tensor) -> Tensor:
        """(n, k, h, w)"""
        left, top, right, bottom = (side[..., None] for side in reach.unbind(2))
        return ((at >= top) & (at <= bottom))[..., None] & ((at >= left) & (at <= right))[:, :, None]

    middle = torch.stack([(x0 + x1) / 2, (y0 + y1) / 2], 2)
    half = (torch.stack([x1 - x0, y1 - y0], 2) * CORE).clamp(min=0.75 * stride)
    own = (kinds == CLASS) & (size >= low) & (size <= high)
    near = within(torch.cat([middle - half, middle + half], 2)) & own[..., None, None]
    # Small boxes win a shared cell.
    least, which = torch.where(near, size[..., None, None], math.inf).min(1)
    positive = least < math.inf
    open_ = (kinds == IGNORED) | ((kinds == CLASS) & (size >= low / 1.25) & (size <= high * 1.25))
    counted = positive | ~(within(boxes) & open_[..., None, None]).any(1)
    n, h, w = which.shape
    truth = boxes.gather(1, which.reshape(n, -1, 1).expand(-1, -1, 4)).reshape(n, h, w, 4).permute(0, 3, 1, 2)
    return positive, counted, truth


def giou(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Generalised IoU (Rezatofighi et al. 2019) and IoU of paired boxes, coordinates along dimension 1."""
    inter = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0).prod(1)
    union = (a[:, 2:] - a[:, :2]).clamp(min=0).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - inter
    iou = inter / union.clamp(min=1e-6)
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(1).clamp(min=1e-6)
    return iou - (hull - union) / hull, iou


def loss_of(
    heads: list[tuple[Tensor, Tensor]], boxes: Tensor, kinds: Tensor, side: int, tall: float
) -> tuple[Tensor, Tensor]:
    """Varifocal loss of the scores (Zhang et al. 2021) and GIoU loss.

    The target of a score is the root of the IoU reached: boxes of a few pixels never reach a high IoU, and are to
    be believed all the same.
    """
    score_loss = box_loss = total = weight = torch.zeros((), device=boxes.device)
    for stride, (logits, logs) in zip(STRIDES, heads, strict=True):
        positive, counted, truth = targets(boxes, kinds, stride, side, tall)
        h, w = positive.shape[1:]
        logit = logits[:, 0].float()
        x = (torch.arange(w, device=logit.device) + 0.5) * stride
        y = (torch.arange(h, device=logit.device) + 0.5) * stride
        left, top, right, bottom = distances(logs.float(), stride).unbind(1)
        found = torch.stack([x - left, y[:, None] - top, x + right, y[:, None] + bottom], 1)
        # Cells that are not positive get their own box as truth, so that nothing there can be infinite.
        truth = torch.where(positive[:, None], truth, found.detach())
        generalised, iou = giou(found, truth)
        # All cells of one large box together weigh little more than the few of a small one.
        cells = ((truth[:, 2:] - truth[:, :2]) * 2 * CORE / stride).clamp(min=1.5).prod(1)
        share = (6 / cells).clamp(max=1.0) * positive
        quality = iou.detach().clamp(0.05, 1).sqrt() * positive
        box_loss = box_loss + ((1 - generalised) * share).sum()
        weight = weight + share.sum()
        wrong = NEGATIVES * logit.detach().sigmoid().square() * counted
        factor = torch.where(positive, quality, wrong)
        missed = functional.binary_cross_entropy_with_logits(logit, quality, reduction="none")
        score_loss = score_loss + (missed * factor).sum()
        total = total + positive.sum()
    return score_loss / total.clamp(min=1), 2 * box_loss / weight.clamp(min=1)
