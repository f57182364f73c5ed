"""Which parts of a frame a model sees and at what size, so that it finds the smallest object and the largest; and
how the answers for the parts become one.

A plan is a pyramid of levels, the whole frame first: each shows the frame at another scale, and a level too large
for one picture is cut into tiles that overlap. The idea is that of image pyramids and of slicing (Akyon et al.
2022, arXiv 2202.06934); boxes that a tile's border cuts are not averaged but give way to whole ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil, inf, log

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32, area, clip_boxes, iou, scale_boxes
from vsanon.detections import Detections, join
from vsanon.models import InputRules

SAME_IOU = 0.4
"""Boxes of two views that overlap by this much are of one object."""
HELD = 0.7
"""A cut box gives way to a whole one that holds this share of it."""
INNER = 0.9
"""A weaker box of a finer view gives way to one `FEATURE` times its area that holds this share of it: it is a
feature of a close-up, an eye or a nostril."""
FEATURE = 4
CUT_PX = 2
"""A box that comes this close to the border of its tile, pixels of the model's picture, is taken for cut."""
CONTEXT = 1.25
"""Tiles overlap by the largest object that they alone must find, with as much around it."""
MAX_ENLARGE = 2.0
"""Enlarging a frame further shows a model nothing new."""


@dataclass(frozen=True, slots=True)
class Scale:
    """What a plan must find.

    Args:
        size: the longer side of the picture of the whole frame, pixels; small frames are not enlarged to it.
        min_object_px: the height of the smallest object that must be found, pixels of the frame; None leaves it
            at what `size` shows.
        max_object_px: the height of the largest, which is no more than the frame's; None leaves it at what `size`
            shows.
        fine: (height, longer side), pixels: still smaller objects, down to this height, are looked for as far as a
            picture of the frame with at most this longer side shows them; None asks for none.
        tile_px: the longer side of the largest picture of a finer level, beyond which it is cut into tiles; None
            cuts only for models of a fixed size.
        step: neighbouring levels differ by this factor at most.

    Raises:
        ValueError: a value lies outside what it can be.
    """

    size: int = 640
    min_object_px: float | None = None
    max_object_px: float | None = None
    fine: tuple[float, int] | None = None
    tile_px: int | None = None
    step: float = 4.0

    def __post_init__(self) -> None:
        if self.size < 32:
            raise ValueError(f"size is the longer side of the model's picture, at least 32 pixels, got {self.size}")
        if self.tile_px is not None and self.tile_px < 128:
            raise ValueError(f"tiles of less than 128 pixels show too little, got {self.tile_px}")
        if not self.step >= 1.5:
            raise ValueError(f"levels differ by a factor of at least 1.5, got {self.step}")
        if self.fine is not None and not (self.fine[0] > 0 and self.fine[1] >= self.size):
            raise ValueError(f"fine is a height and a side of at least {self.size} pixels, got {self.fine}")
        low, high = self.min_object_px, self.max_object_px
        if not 0 < (1 if low is None else low) <= (inf if high is None else high):
            raise ValueError(f"objects from {low} to {high} pixels: expected 0 < smallest <= largest")


@dataclass(frozen=True, slots=True)
class View:
    """A rectangle of the frame as a model sees it: resized to `size`, then black right and below to `padded`.

    Args:
        left, top, width, height: the rectangle, pixels of the frame.
        size: (width, height) of its picture, pixels.
        padded: (width, height) of the model's input, pixels.
        cuts: whether each side `left, top, right, bottom` cuts through the frame, and is not its edge.
    """

    left: int
    top: int
    width: int
    height: int
    size: tuple[int, int]
    padded: tuple[int, int]
    cuts: tuple[bool, bool, bool, bool] = (False, False, False, False)

    @property
    def factor(self) -> tuple[float, float]:
        """From pixels of the picture to those of the frame, (x, y)."""
        return self.width / self.size[0], self.height / self.size[1]


def plan(frame: tuple[int, int], rules: InputRules, reach: tuple[float, float], scale: Scale) -> tuple[View, ...]:
    """The views of a frame for a model: the whole frame first, then ever finer levels, then coarser ones.

    Args:
        frame: (width, height), pixels.
        rules: of the model's card; a fixed size is kept.
        reach: the heights of objects, pixels of the model's own picture, between which it finds them.
        scale: what must be found.

    Returns:
        At least one view; the first is of the whole frame.
    """
    most = rules.size if rules.size is not None else (scale.tile_px, scale.tile_px)
    levels = _levels(frame, rules, reach, scale)
    whole = levels[0]
    views: list[View] = []
    for level in levels:
        coarser = max((other for other in levels if other < level), default=level)
        overlap = ceil(CONTEXT * 2 * reach[0] * level / coarser)
        views += _tiles(frame, level, most if level > whole else (None, None), overlap, rules)
    return tuple(views)


def heights(
    frame: tuple[int, int], rules: InputRules, reach: tuple[float, float], scale: Scale
) -> tuple[float, float]:
    """The heights of the smallest and of the largest object that a plan shows as the model finds it.

    Args:
        frame, rules, reach, scale: as for `plan`.

    Returns:
        Pixels of the frame.

    Examples:
        >>> heights((1920, 1080), InputRules(stride=32), (16, 480), Scale(size=640))
        (48.0, 1440.0)
    """
    levels = _levels(frame, rules, reach, scale)
    return reach[0] / max(levels), reach[1] / min(levels)


def merge(parts: Sequence[tuple[View, Detections]], frame: tuple[int, int]) -> Detections:
    """One answer for a frame out of those for its views, in the order of `plan`.

    A box that its tile cuts gives way to a whole one that holds it, wherever that comes from, and stays where
    there is none. Of several boxes of one object the whole, then the best is kept, with the best score of all.

    Args:
        parts: each view with what was found in it, boxes in pixels of its picture.
        frame: (width, height), pixels.

    Returns:
        Boxes in pixels of the frame, best first.
    """
    placed = [Detections(_in_frame(v, part.xyxy, frame), part.scores, part.classes) for v, part in parts]
    found = join(placed)
    # What lies wholly in the black that pads a picture has no area in the frame.
    inside = area(found.xyxy) > 0
    found = found.select(inside)
    if len(parts) == 1 or not len(found):
        return found
    view_of = np.repeat(np.arange(len(parts)), [len(part) for part in placed])[inside]
    cut = np.concatenate([_cut(v, part.xyxy) for v, part in parts])[inside]
    finer = np.array([max(v.factor) for v, _ in parts])[view_of]
    classes = np.array(found.classes)
    scores = found.scores.copy()
    kept: list[int] = []
    for name in dict.fromkeys(found.classes):
        at = np.flatnonzero(classes == name)
        needless, scores[at] = _gives_way(found.xyxy[at], scores[at], cut[at], view_of[at], finer[at])
        at = at[~needless]
        chosen, best = _best(found.xyxy[at], scores[at], cut[at], view_of[at])
        scores[at[chosen]] = best
        kept += at[chosen].tolist()
    order = sorted(kept, key=lambda i: (-scores[i], i))
    return Detections(found.xyxy[order], scores[order], tuple(found.classes[i] for i in order))


def _levels(frame: tuple[int, int], rules: InputRules, reach: tuple[float, float], scale: Scale) -> list[float]:
    """From the frame to the picture: that of the whole frame, then up to the finest, then down to the coarsest."""
    (low, high), longer = reach, max(frame)
    whole = min(1.0, scale.size / longer, *(m / side for m, side in zip(rules.size or (), frame, strict=False)))
    finest = whole if scale.min_object_px is None else min(MAX_ENLARGE, low / scale.min_object_px)
    if scale.fine is not None:
        smallest, side = scale.fine
        finest = max(finest, min(MAX_ENLARGE, low / smallest, side / longer))
    coarsest = whole if scale.max_object_px is None else high / min(scale.max_object_px, frame[1])
    up = ceil(log(finest / whole, scale.step) - 1e-6) if finest > whole * 1.05 else 0
    down = ceil(log(whole / coarsest, scale.step) - 1e-6) if coarsest * 1.05 < whole else 0
    ups = [whole * (finest / whole) ** (i / up) for i in range(1, up + 1)]
    downs = [whole * (coarsest / whole) ** (i / down) for i in range(1, down + 1)]
    return [whole, *ups, *downs]


def _tiles(
    frame: tuple[int, int], level: float, most: tuple[int | None, int | None], overlap: int, rules: InputRules
) -> list[View]:
    """The views of one level, row by row."""
    spans = [_spans(side, level, m, overlap) for side, m in zip(frame, most, strict=True)]
    views = []
    for (top, bottom), (left, right) in product(spans[1], spans[0]):
        width, height = right - left, bottom - top
        size = (max(1, round(width * level)), max(1, round(height * level)))
        if rules.size is None:
            padded = (size[0] + -size[0] % rules.stride, size[1] + -size[1] % rules.stride)
        else:
            size = (min(size[0], rules.size[0]), min(size[1], rules.size[1]))
            padded = rules.size
        cuts = (left > 0, top > 0, right < frame[0], bottom < frame[1])
        views.append(View(left, top, width, height, size, padded, cuts))
    return views


def _spans(side: int, level: float, most: int | None, overlap: int) -> list[tuple[int, int]]:
    """The frame's pixels that the tiles take along one axis: equally long, evenly spread."""
    length = side * level
    if most is None or length <= most:
        return [(0, side)]
    overlap = min(overlap, most // 2)
    count = ceil((length - overlap) / (most - overlap))
    taken = min(side, ceil((length + (count - 1) * overlap) / count / level))
    starts = [round(i * (side - taken) / (count - 1)) for i in range(count)]
    return [(start, start + taken) for start in starts]


def _in_frame(view: View, xyxy: F32, frame: tuple[int, int]) -> F32:
    """Boxes of a view in pixels of the frame."""
    scaled = scale_boxes(xyxy, view.factor) + np.array([view.left, view.top] * 2, np.float32)
    return clip_boxes(scaled, frame)


def _cut(view: View, xyxy: F32) -> NDArray[np.bool_]:
    """Which boxes touch a side of their tile that cuts through the frame."""
    width, height = view.size
    near = np.array([xyxy[:, 0], xyxy[:, 1], width - xyxy[:, 2], height - xyxy[:, 3]]) < CUT_PX
    touches: NDArray[np.bool_] = (near & np.array(view.cuts)[:, None]).any(axis=0)
    return touches


def _gives_way(
    xyxy: F32, scores: F32, cut: NDArray[np.bool_], view: NDArray[np.intp], finer: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], F32]:
    """Which boxes another one makes needless, cut ones held by a whole one and features of a close-up; and the
    scores, where a whole one has taken over that of its better pieces."""
    areas = area(xyxy)
    lower = np.maximum(xyxy[:, None, :2], xyxy[None, :, :2])
    extent = np.maximum(np.minimum(xyxy[:, None, 2:], xyxy[None, :, 2:]) - lower, 0)
    held = extent[..., 0] * extent[..., 1] / np.maximum(areas, 1e-6)[:, None]
    other = view[:, None] != view[None, :]
    large = areas[:, None] * FEATURE >= areas[None, :]
    weaker = scores[:, None] <= scores[None, :]
    piece = other & cut[:, None] & ~cut[None, :] & (held >= HELD) & (large | weaker)
    feature = other & (finer[:, None] < finer[None, :]) & (held >= INNER) & ~large & weaker
    taken = np.where(piece & large, scores[:, None], 0).max(axis=0, initial=0)
    needless: NDArray[np.bool_] = (piece | feature).any(axis=1)
    return needless, np.maximum(scores, taken).astype(np.float32)


def _best(xyxy: F32, scores: F32, cut: NDArray[np.bool_], view: NDArray[np.intp]) -> tuple[NDArray[np.intp], F32]:
    """One box of each object: its position, and the best score of those that it stands for."""
    same = (iou(xyxy, xyxy) >= SAME_IOU) & (view[:, None] != view[None, :])
    order = np.lexsort((-scores, cut))
    alive = np.ones(len(order), bool)
    kept, best = [], []
    for i in order:
        if alive[i]:
            # A view has already told its own boxes apart.
            group = same[i] & alive
            alive[group] = False
            alive[i] = False
            kept.append(i)
            best.append(max(scores[i], scores[group].max(initial=0)))
    return np.array(kept, np.intp), np.array(best, np.float32)
