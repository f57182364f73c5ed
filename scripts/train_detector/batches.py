"""Training batches: crops and mosaics of real and rendered pictures, augmented where they lie, on a GPU or not.

All pictures lie in one tensor, a pixel an int32, each with its copies at a half, a quarter and an eighth. A sample
is read from there through a map of its own (scale, turn, shear, perspective), so any turn costs the same.
"""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from loss import CLASS, IGNORED, WRONG
from numpy.typing import NDArray
from pack import LEVELS, Packed, levels
from sets import F32, corners_of
from torch import Tensor
from torch.nn import functional

MOST = {"plate": 32, "face": 128}
"""Boxes of one sample; the smallest beyond are left out."""
MIN_HEIGHT_PX = {"plate": 5.0, "face": 6.0}
SIZES_PX = {"plate": (13.0, 0.6), "face": (7.0, 0.75)}
"""Of the box that a sample is made around, the root of its area: the least, in pixels, and the most, in sides."""
GRIDS = {"plate": ((1, 0.5), (2, 0.3), (4, 0.2)), "face": ((1, 0.45), (2, 0.35), (4, 0.2))}
"""Pictures in a row and a column of a sample, and the share of such samples."""
ENLARGED = 4.0  # the most a picture is enlarged
SEEN, HIDDEN = 0.4, 0.05
"""A box counts from this share inside the sample on, and for nothing down to that one."""

# How often pictures of a set are shown. World-wide sets are small and weigh more.
SHARES = {
    "plate": {
        "plates_openimages": 4.0,
        "plates_kaggle": 3.5,
        "plates_punjab": 1.5,
        "plates_makassar": 1.6,
        "plates_indonesia": 2.5,
        "plates_thai": 0.8,
        "plates_india": 1.6,
        "plates_romania": 2.2,
        "no_plate": 3.0,
        "faces_mask": 3.0,
        "faces_office_grey": 0.4,
    },
    "face": {
        "faces_mask": 6.0,
        "faces_office_grey": 0.7,
        "no_plate": 2.0,
        "plates_openimages": 0.6,
        "plates_kaggle": 0.5,
        "plates_indonesia": 0.9,
        "plates_makassar": 0.5,
        "plates_punjab": 0.2,
        "plates_romania": 0.5,
    },
}
# Turns: (share, spread of a normal distribution in degrees, or the most either way if negative).
TURNS = {
    "plate": ((0.4, 5.0), (0.45, -60.0), (0.15, -180.0)),
    "face": ((0.5, 8.0), (0.4, -45.0), (0.1, -180.0)),
}
MIRRORED = {"plate": 0.3, "face": 0.5}


@dataclass(slots=True)
class Rendered:
    """The pictures of scene.py, as its worker wrote them: all square, of one size."""

    pixels: Tensor  # (n, pixels of all levels) int32
    quads: F32  # (n, k, 4, 2)
    kinds: NDArray[np.int64]  # (n, k)


class Pictures:
    """The pictures in memory: real ones, which stay, and rendered ones, of which the newest `room` are kept."""

    def __init__(self, kind: str, packed: Sequence[Packed], room: int, side: int, device: torch.device) -> None:
        self.kind, self.device, self.room, self.side = kind, device, room, side
        with ThreadPoolExecutor() as pool:
            made = list(pool.map(lambda one: levels(one.picture.read()), packed))
        blank, sizes = levels(np.zeros((side, side, 3), np.uint8))
        self.of_rendered = len(blank)
        self.real = len(made)
        lengths = np.array([len(pixels) for pixels, _ in made] + [self.of_rendered] * room, np.int64)
        starts = np.cumsum(lengths) - lengths
        self.data = torch.zeros(int(lengths.sum()), dtype=torch.int32, device=device)
        for (pixels, _), start in zip(made, starts, strict=False):
            self.data[start : start + len(pixels)] = torch.from_numpy(pixels).to(device)
        size = np.array([s for _, s in made] + [sizes] * room, np.int64).reshape(-1, LEVELS, 2)
        first = starts[:, None] + np.cumsum(size.prod(2), 1) - size.prod(2)
        self.first, self.size = torch.from_numpy(first).to(device), torch.from_numpy(size).to(device)
        most = MOST[kind]
        quads = np.zeros((len(lengths), most, 4, 2), np.float32)
        kinds = np.zeros((len(lengths), most), np.int64)
        for n, one in enumerate(packed):
            parts = (one.picture.boxes, one.picture.ignore, one.wrong)
            boxes, which = np.concatenate(parts), np.repeat([CLASS, IGNORED, WRONG], [len(part) for part in parts])
            quads[n, : len(boxes)], kinds[n, : len(boxes)] = corners_of(boxes)[:most], which[:most]
        self.quads, self.kinds = torch.from_numpy(quads).to(device), torch.from_numpy(kinds).to(device)
        names = [one.picture.name.split("/")[0] for one in packed]
        weights = np.array([SHARES[kind][name] / names.count(name) for name in names])
        # A picture with mined look-alikes teaches more.
        weights *= [1 + min(len(one.wrong), 3) for one in packed]
        self.weights = torch.from_numpy(weights).float().to(device)
        self.rendered = 0  # so far, those forgotten among them

    def add(self, new: Rendered) -> None:
        """Keep new rendered pictures in place of the oldest."""
        count = len(new.pixels)
        start = self.rendered % self.room
        if start + count > self.room:  # chunks never wrap
            self.rendered += self.room - start
            start = 0
        self.rendered += count
        at = self.real + start
        begin = int(self.first[at, 0])
        pixels = new.pixels.to(self.device, non_blocking=True).view(-1)
        self.data[begin : begin + count * self.of_rendered] = pixels
        k = new.quads.shape[1]
        self.kinds[at : at + count] = 0
        self.quads[at : at + count, :k] = torch.from_numpy(new.quads).to(self.device)
        self.kinds[at : at + count, :k] = torch.from_numpy(new.kinds).to(self.device)

    def pick(self, n: int, real_share: float, random: torch.Generator) -> Tensor:
        """Numbers of pictures, (n,)."""
        answer = torch.multinomial(self.weights, n, replacement=True, generator=random)
        there = min(self.rendered, self.room)
        if there and real_share < 1:
            drawn = self.real + torch.randint(there, (n,), device=self.device, generator=random)
            other = torch.rand(n, device=self.device, generator=random) >= real_share
            answer = torch.where(other, drawn, answer)
        return answer

    def read(self, which: Tensor, level: Tensor, x: Tensor, y: Tensor, fill: Tensor) -> Tensor:
        """(n, 3, h, w) of 0 to 255: at places x, y (n, h, w) in pixels of the level; `fill` (n, 3) outside."""
        first = self.first[which, level][:, None, None]
        w, h = (v[:, None, None] for v in self.size[which, level].unbind(1))
        outside = (x < -0.5) | (y < -0.5) | (x > w - 0.5) | (y > h - 0.5)
        left, top = x.floor(), y.floor()
        dx, dy = (x - left)[:, None], (y - top)[:, None]
        rows = []
        for j in (0, 1):
            row = (top.long() + j).clamp(min=0).minimum(h - 1) * w + first
            ends = [self.data[row + (left.long() + i).clamp(min=0).minimum(w - 1)] for i in (0, 1)]
            a, b = (torch.stack([v & 255, (v >> 8) & 255, (v >> 16) & 255], 1).float() for v in ends)
            rows.append(a + (b - a) * dx)
        seen = rows[0] + (rows[1] - rows[0]) * dy
        return torch.where(outside[:, None], fill[:, :, None, None], seen)


class Batches:
    """Samples of (3, side, side) with their boxes; the same seed gives the same ones while no picture is added."""

    def __init__(self, pictures: Pictures, side: int, real_share: float, seed: int) -> None:
        self.pictures, self.side, self.real_share = pictures, side, real_share
        self.kind = pictures.kind
        self.random = torch.Generator(pictures.device).manual_seed(seed)

    def _uniform(self, n: int, low: float = 0.0, high: float = 1.0, *more: int) -> Tensor:
        return low + (high - low) * torch.rand(n, *more, device=self.pictures.device, generator=self.random)

    def _normal(self, n: int, *more: int) -> Tensor:
        return torch.randn(n, *more, device=self.pictures.device, generator=self.random)

    def batch(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """(count, 3, side, side) of 0 to 255, boxes (count, k, 4), kinds (count, k)."""
        shots, boxes, kinds = [], [], []
        left = count
        for grid, share in GRIDS[self.kind]:
            part = min(left, round(count * share)) if grid != GRIDS[self.kind][-1][0] else left
            left -= part
            if not part:
                continue
            seen, found, what = self._cells(part * grid**2, self.side // grid)
            cell = self.side // grid
            seen = seen.view(part, grid, grid, 3, cell, cell).permute(0, 3, 1, 4, 2, 5)
            shots.append(seen.reshape(part, 3, self.side, self.side))
            at = torch.arange(grid, device=seen.device) * float(cell)
            offset = torch.stack([at.repeat(grid), at.repeat_interleave(grid)], 1).repeat(1, 2)
            found = found.view(part, grid**2, -1, 4) + offset[:, None]
            boxes.append(found.reshape(part, -1, 4))
            kinds.append(what.reshape(part, -1))
            most = MOST[self.kind]
            if kinds[-1].shape[1] > most:
                size = (boxes[-1][..., 2] - boxes[-1][..., 0]) * (kinds[-1] > 0)
                kept = size.topk(most, dim=1).indices
                kinds[-1] = kinds[-1].gather(1, kept)
                boxes[-1] = boxes[-1].gather(1, kept[..., None].expand(-1, -1, 4))
        order = torch.randperm(count, device=shots[0].device, generator=self.random)
        return self._camera(torch.cat(shots)[order]), torch.cat(boxes)[order], torch.cat(kinds)[order]

    def _cells(self, n: int, side: int) -> tuple[Tensor, Tensor, Tensor]:
        """(n, 3, side, side), their boxes (n, k, 4) and kinds (n, k)."""
        p = self.pictures
        which = p.pick(n, self.real_share, self.random)
        quads, kinds = p.quads[which], p.kinds[which]
        size = p.size[which, 0].float()
        longest = size.max(1).values
        # The box that the sample is made around, if any: of the class or, as often, one of the wrong ones.
        lot = self._uniform(n, 0, 1, kinds.shape[1])
        lot = lot * ((kinds == CLASS) | (kinds == WRONG)) + (kinds == WRONG) * (self._uniform(n) < 0.4)[:, None]
        best, target = lot.max(1)
        aimed = (best > 0) & (self._uniform(n) < 0.9)
        quad = quads.gather(1, target[:, None, None, None].expand(-1, -1, 4, 2))[:, 0]
        extent = (quad.amax(1) - quad.amin(1)).clamp(min=2)
        least, most = SIZES_PX[self.kind]
        wanted = torch.exp(self._uniform(n, math.log(least), math.log(most * side)))
        scale = wanted / extent.prod(1).sqrt()
        whole = (0.8 * side / longest).clamp(max=1)
        bare = whole * torch.exp(self._uniform(n) * (math.log(2.0) - whole.log()))
        scale = torch.where(aimed, scale, bare)
        scale = torch.maximum(scale, 0.75 * side / longest).clamp(max=ENLARGED)
        # The map of pixels of the picture, from the centre, to those of the sample: turn x shear x stretch.
        turn = torch.zeros(n, device=p.device)
        lot, low = self._uniform(n), 0.0
        for share, spread in TURNS[self.kind]:
            angle = self._uniform(n, spread, -spread) if spread < 0 else self._normal(n) * spread
            turn = torch.where((lot >= low) & (lot < low + share), angle, turn)
            low += share
        turn = torch.deg2rad(turn)
        stretch = torch.exp(self._normal(n) * 0.12)
        shear = self._normal(n) * 0.08
        flip = torch.where(self._uniform(n) < MIRRORED[self.kind], -1.0, 1.0)
        c, s = turn.cos(), turn.sin()
        sx, sy = scale * stretch * flip, scale / stretch
        ahead = torch.stack([c * sx, (c * shear - s) * sy, s * sx, (s * shear + c) * sy], 1).view(n, 2, 2)
        determinant = (sx * sy)[:, None, None]
        back = torch.stack([ahead[:, 1, 1], -ahead[:, 0, 1], -ahead[:, 1, 0], ahead[:, 0, 0]], 1).view(n, 2, 2)
        back = back / determinant
        tilt = self._normal(n, 2) * 0.15 * (self._uniform(n) < 0.4)[:, None] / side
        # Which place of the picture comes where.
        place = self._uniform(n, 0.12, 0.88, 2) * side
        anywhere = size * self._uniform(n, 0, 1, 2)
        room = (0.5 * side / scale)[:, None].minimum(size / 2)
        anywhere = anywhere.maximum(room).minimum(size - room)
        centre = torch.where(aimed[:, None], quad.mean(1), anywhere)
        place = torch.where(aimed[:, None], place, torch.full_like(place, side / 2))
        at = torch.arange(side, device=p.device) + 0.5
        q = torch.stack(
            [
                (at[None, None, :] - place[:, 0, None, None]).expand(n, side, side),
                (at[None, :, None] - place[:, 1, None, None]).expand(n, side, side),
            ],
            1,
        )  # (n, 2, side, side)
        depth = (1 + (tilt[:, :, None, None] * q).sum(1)).clamp(min=0.3)
        x, y = (
            (back[:, i, 0, None, None] * q[:, 0] + back[:, i, 1, None, None] * q[:, 1]) / depth
            + centre[:, i, None, None]
            for i in (0, 1)
        )
        softer = (self._uniform(n) < 0.15).long() + (self._uniform(n) < 0.04).long()
        level = (-scale.log2() + 0.4).floor().long().clamp(min=0)
        level = (level + softer * ((extent.amin(1) * scale > 14) | ~aimed)).clamp(max=LEVELS - 1)
        shrink = (2.0**-level)[:, None, None]
        fill = torch.where(
            (self._uniform(n) < 0.5)[:, None],
            self._uniform(n, 0, 255)[:, None].expand(n, 3),
            torch.zeros(n, 3, device=p.device),
        )
        seen = p.read(which, level, x * shrink - 0.5, y * shrink - 0.5, fill)
        boxes = self._moved(quads, ahead, tilt, centre, place)
        return self._lit(seen), *self._counted(boxes, kinds, side)

    def _moved(self, quads: Tensor, ahead: Tensor, tilt: Tensor, centre: Tensor, place: Tensor) -> Tensor:
        """(n, k, 4) the boxes around (n, k, 4, 2): of a plate its corners, of a face the ellipse in it."""
        r = torch.einsum("nij,nkcj->nkci", ahead, quads - centre[:, None, None])
        q = r / (1 - (r * tilt[:, None, None]).sum(3, keepdim=True)).clamp(min=0.3)
        if self.kind == "face":
            middle = q.mean(2)
            right, below = (
                (q[:, :, 1] + q[:, :, 2] - q[:, :, 0] - q[:, :, 3]) / 4,
                (q[:, :, 2:].mean(2) - q[:, :, :2].mean(2)) / 2,
            )
            half = (right.square() + below.square()).sqrt()
            lower, upper = middle - half, middle + half
        else:
            lower, upper = q.amin(2), q.amax(2)
        return torch.cat([lower + place[:, None], upper + place[:, None]], 2)

    def _counted(self, boxes: Tensor, kinds: Tensor, side: int) -> tuple[Tensor, Tensor]:
        """Boxes cut at the sample's edges, and what they count for."""
        cut = boxes.clamp(0, side)
        share = (cut[..., 2:] - cut[..., :2]).prod(2) / (boxes[..., 2:] - boxes[..., :2]).prod(2).clamp(min=1e-3)
        w, h = (cut[..., 2:] - cut[..., :2]).unbind(2)
        small = torch.minimum(h, w / 2 if self.kind == "plate" else w) < MIN_HEIGHT_PX[self.kind]
        if self.kind == "plate":  # upright plates
            small &= torch.minimum(w, h / 2) < MIN_HEIGHT_PX[self.kind]
        kinds = torch.where((kinds == CLASS) & ((share < SEEN) | small), IGNORED, kinds)
        return cut, torch.where((share < HIDDEN) | (kinds == WRONG), 0, kinds)

    def _lit(self, shots: Tensor) -> Tensor:
        """Other exposure and colours."""
        n = len(shots)

        def some(share: float, values: Tensor, neutral: float) -> Tensor:
            chosen = (self._uniform(n) < share).view(n, *(1 for _ in values.shape[1:]))
            return torch.where(chosen, values, neutral)

        shots = shots / 255
        colour = some(0.35, self._uniform(n, 0, 1.5), 1.0)
        colour = torch.where(self._uniform(n) < 0.1, 0.0, colour)[:, None, None, None]
        grey = shots.mean(1, keepdim=True)
        shots = grey + (shots - grey) * colour
        gains = some(0.5, 1 + 0.22 * self._uniform(n, -1, 1, 3), 1.0)[:, :, None, None]
        gain = torch.exp(self._normal(n) * 0.2) * some(0.08, self._uniform(n, 0.15, 0.5), 1.0)
        gamma = torch.exp(self._normal(n) * 0.25)[:, None, None, None]
        shift = (self._normal(n) * 0.04)[:, None, None, None]
        return (shots.clamp(1e-3, 1) ** gamma * gains * gain[:, None, None, None] + shift).clamp(0, 1)

    def _camera(self, shots: Tensor) -> Tensor:
        """Blur, noise and compression of some of the samples, (n, 3, side, side) of 0 to 1 in, of 0 to 255 out."""
        n = len(shots)
        some = round(0.3 * n)
        shots = torch.cat([self._blurred(shots[:some]), shots[some:]])
        noise = self._normal(n, 3, self.side, self.side)
        coarse = self._normal(n, 1, self.side // 2, self.side // 2)
        noise = torch.where(
            (self._uniform(n) < 0.5)[:, None, None, None],
            noise,
            functional.interpolate(coarse, scale_factor=2.0, mode="bilinear"),
        )
        amount = self._uniform(n, 0.004, 0.05) * (self._uniform(n) < 0.35)
        shots = shots + noise * amount[:, None, None, None]
        low, high = round(0.2 * n), round(0.6 * n)
        coded = self._compressed(shots[low:high].clamp(0, 1))
        shots = torch.cat([shots[:low], coded, shots[high:]])
        return (shots * 255).round().clamp(0, 255)

    def _blurred(self, shots: Tensor) -> Tensor:
        """Out of focus, or moved while the shutter was open."""
        n, reach = len(shots), 5
        if not n:
            return shots
        at = torch.arange(-reach, reach + 1, device=shots.device).float()
        y, x = torch.meshgrid(at, at, indexing="ij")
        angle = self._uniform(n, 0, math.pi)[:, None, None]
        along, across = x * angle.cos() + y * angle.sin(), y * angle.cos() - x * angle.sin()
        width = self._uniform(n, 0.4, 1.6)[:, None, None]
        length = torch.where(
            (self._uniform(n) < 0.5)[:, None, None], width, width + self._uniform(n, 0, 2.2)[:, None, None]
        )
        kernel = torch.exp(-(along / length).square() / 2 - (across / width).square() / 2)
        kernel = (kernel / kernel.sum((1, 2), keepdim=True)).repeat_interleave(3, 0)[:, None]
        flat = functional.pad(shots.reshape(1, n * 3, *shots.shape[2:]), [reach] * 4, mode="replicate")
        return functional.conv2d(flat, kernel, groups=n * 3).view_as(shots)

    def _compressed(self, shots: Tensor) -> Tensor:
        """As JPEG does it: blocks of 8x8 of luminance and halved colour, their frequencies rounded."""
        n = len(shots)
        if not n:
            return shots
        r, g, b = (shots * 255).unbind(1)
        luma = 0.299 * r + 0.587 * g + 0.114 * b
        colour = functional.avg_pool2d(torch.stack([(b - luma) * 0.564, (r - luma) * 0.713], 1), 2)
        quality = self._uniform(n, 12, 75)
        strength = torch.where(quality < 50, 50 / quality, 2 - quality / 50)
        luma = _rounded(luma[:, None] - 128, strength, _LUMA)[:, 0] + 128
        blue, red = functional.interpolate(
            _rounded(colour, strength, _COLOUR), scale_factor=2.0, mode="bilinear"
        ).unbind(1)
        r, b = luma + 1.403 * red, luma + 1.773 * blue
        return torch.stack([r, luma - 0.714 * red - 0.344 * blue, b], 1) / 255


_COSINES = np.array(
    [
        [math.sqrt((2 if i else 1) / 8) * math.cos((2 * j + 1) * i * math.pi / 16) for j in range(8)]
        for i in range(8)
    ]
)
# The tables of ITU-T T.81, annex K, put as steps that grow with the frequency.
_LUMA = np.array([[10 + 4.5 * (i + j) + 0.9 * i * j for j in range(8)] for i in range(8)])
_COLOUR = np.array([[min(99, 17 + 9 * (i + j)) for j in range(8)] for i in range(8)])


def _rounded(planes: Tensor, strength: Tensor, steps: NDArray[np.float64]) -> Tensor:
    """(n, c, h, w) with the frequencies of its blocks of 8x8 rounded to `steps` times the strength (n,)."""
    n, c, h, w = planes.shape
    cosines = torch.from_numpy(_COSINES).float().to(planes.device)
    step = (torch.from_numpy(steps).float().to(planes.device) * strength[:, None, None]).clamp(min=1)
    step = step[:, None, None, None]
    blocks = planes.view(n, c, h // 8, 8, w // 8, 8).transpose(3, 4)
    frequencies = cosines @ blocks @ cosines.T
    blocks = cosines.T @ ((frequencies / step).round() * step) @ cosines
    return blocks.transpose(3, 4).reshape(n, c, h, w)
