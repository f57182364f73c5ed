"""Which frames are searched, and what is known of the frames between two searched ones; pure.

Frames in steps of a spacing are searched. What lies between two of them is followed in small grey pictures of the
frames, from both ends. Where that leaves no doubt the frames between need no search; else the middle one is
searched as well, down to every frame. The rules lean to searching, and boxes between lean to cover too much.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.assignment import NEVER, assign
from vsanon.boxes import F32, center_size, from_center_size
from vsanon.detections import Detections, no_swatches
from vsanon.tracking.evidence import EVIDENCE
from vsanon.tracking.linking import thin
from vsanon.tracking.template import Template, best

U8 = NDArray[np.uint8]
F64 = NDArray[np.float64]

PICTURE_PX = 480
"""The longer side of the grey pictures; frames are not enlarged to it."""

LINK = 1.0
"""Detections at both ends are of one object if, after following, they lie at most this many mean sides apart."""
APART = 0.9
"""The places that both ends and a straight line give for an object may differ by this share of its side."""
JERK = (0.1, 2.5)
"""What one end alone shows may be off its way, as it is followed, by this share of its side, or so many pixels of
the grey pictures: what jumps further is something else that looks like it."""
JUMP = 0.5
"""An object that is not seen between may move by this share of its side ..."""
BLIND = 2
"""... and over an interval of at most this many frames."""
RESIZE = 0.7
"""Its sides may grow or shrink by this power of two."""
GROWTH = 0.008
"""How much a box grows for each frame to the nearest searched one; twice as much where it is not seen."""
LONE = {2: math.inf, 4: 0.2}
"""By length of the interval: how far above its class's `confirm_score` an object scores that is a reason to search
where only one end shows it and it can't be followed to the other end; 0 in longer intervals. Where a second look
agreed it always is: plates move by more than `LINK` in two frames, and cars show much that looks like them."""

NEW_PX = 12
"""Side of a patch that may show something new, pixels of the grey picture ..."""
NEW_CODES = 40
"""... if it differs by this much, on average, from both ends ..."""
NEW_FOUND = 0.4
"""... and correlates by less than this with anything near it at either end ..."""
NEW_REACH = 16
"""... within this many pixels."""
NEW_LOOKS = 32
"""A picture with more patches that differ is taken for new as a whole."""
_MARGIN = 0.25


@dataclass(frozen=True, slots=True)
class Between:
    """What is known of the frames between two searched ones.

    Args:
        frames: detections of each of them; boxes are those of both ends, carried on and grown.
        doubt: why they should rather be searched; empty for no reason.
    """

    frames: tuple[Detections, ...]
    doubt: str


def between(before: Detections, after: Detections, pictures: Sequence[U8], size: tuple[int, int]) -> Between:
    """What lies between two searched frames of one shot.

    An object is followed from each end by correlation with how it looks there (Lewis 1995), and lies in the hull of
    both answers. One that only one end shows is carried on to the other end as far as it is seen, and held where it
    was seen last from there; a weak one to the middle only, so that by itself it does not become a track.

    Args:
        before, after: what was found at the ends.
        pictures: (h, w) uint8 grey pictures of all frames, both ends included.
        size: (width, height) of the frames that the boxes belong to, pixels.

    Raises:
        ValueError: fewer than two pictures.
    """
    if len(pictures) < 2:
        raise ValueError(f"an interval has two ends, got {len(pictures)} pictures")
    height, width = pictures[0].shape
    last = len(pictures) - 1
    factor = np.array([width / size[0], height / size[1]])
    if all(np.array_equal(picture, pictures[0]) for picture in pictures[1:]) and _same(before, after):
        return Between((before,) * (last - 1), "")
    ends = _End(thin(before), 0, last, pictures, factor), _End(thin(after), last, 0, pictures, factor)
    pairs = _pairs(*ends)
    boxes: list[list[_Box]] = [[] for _ in pictures]
    doubt = ""
    for i, j in pairs:
        doubt = _carry_pair(ends, (i, j), last, boxes) or doubt
    taken = [{i for i, _ in pairs}, {j for _, j in pairs}]
    for end, used in zip(ends, taken, strict=True):
        for i in range(len(end.found)):
            if i not in used and end.care[i]:
                doubt = _carry_lone(end, i, last, boxes) or doubt
    frames = tuple(_detections(rows) for rows in boxes[1:-1])
    if not doubt:
        new = (_shows_new(pictures, n, frame.xyxy, factor) for n, frame in enumerate(frames, start=1))
        doubt = "something new is seen" if any(new) else ""
    return Between(frames, doubt)


class _Box:
    """A box between, as centre and size, with what else a detection is made of."""

    __slots__ = ("cxywh", "label", "score", "swatches")

    def __init__(self, cxywh: F64, score: float, label: str, swatches: U8) -> None:
        self.cxywh, self.score, self.label, self.swatches = cxywh, score, label, swatches


class _End:
    """One end of an interval: what was found there, and where each object that matters is seen further on."""

    def __init__(self, found: Detections, at: int, other: int, pictures: Sequence[U8], factor: F64) -> None:
        self.found, self.at, self.other = found, at, other
        self.pixel = 1 / float(factor.min())
        self.care = EVIDENCE.counts([found])
        """Which are followed; weaker ones only carry a track on."""
        self.sure = [
            0.0 if agreed else EVIDENCE[name].confirm_score
            for name, agreed in zip(found.classes, found.agreed, strict=True)
        ]
        """The score from which each can make a track: a doubt about such a one is a reason to search."""
        self.cxywh = center_size(found.xyxy).astype(np.float64)
        self.seen: list[Mapping[int, F64]] = [
            _follow(pictures, at, other, box, factor) if care else {}
            for box, care in zip(self.cxywh, self.care, strict=True)
        ]

    def side(self, i: int) -> float:
        """The mean side of a box."""
        return math.sqrt(max(float(self.cxywh[i, 2] * self.cxywh[i, 3]), 1e-6))

    def arrived(self) -> F64:
        """The boxes as they lie at the other end; where they were found, if they are not seen there."""
        boxes = self.cxywh.copy()
        for box, seen in zip(boxes, self.seen, strict=True):
            if self.other in seen:
                box[:2] = seen[self.other]
        return boxes


def _follow(pictures: Sequence[U8], at: int, other: int, box: F64, factor: F64) -> Mapping[int, F64]:
    """The centre of what a box shows in the pictures from `at` on to `other`, as far as it is seen."""
    seen: dict[int, F64] = {}
    place, speed = box[:2], np.zeros(2)
    step = 1 if other > at else -1
    template = Template(pictures[at], box, factor)
    for n in range(at + step, other + step, step):
        found = template.find(pictures[n], place + speed)
        if found is None:
            break
        place, speed = found, found - place
        seen[n] = place
    return seen


def _pairs(a: _End, b: _End) -> list[tuple[int, int]]:
    """Which detections of both ends are of one object: the sure ones first, as the tracker joins them."""
    if not len(a.found) or not len(b.found):
        return []
    cost = np.minimum(_cost(a.arrived(), b.cxywh), _cost(a.cxywh, b.arrived()))
    same = np.array(a.found.classes)[:, None] == np.array(b.found.classes)[None, :]
    cost = np.where(same, cost, NEVER)
    both = a.care[:, None] & b.care[None, :]
    first = assign(np.where(both, cost, NEVER))
    for i, j in first:
        cost[i, :] = NEVER
        cost[:, j] = NEVER
    return first + assign(cost)


def _cost(a: F64, b: F64) -> F64:
    """Distance in mean sides plus the difference in size as a power of two; `NEVER` for different objects."""
    sides = [np.sqrt(np.maximum(boxes[:, 2:], 1e-3).prod(axis=1)) for boxes in (a, b)]
    apart = np.linalg.norm(a[:, None, :2] - b[None, :, :2], axis=-1)
    distance = apart / ((sides[0][:, None] + sides[1][None, :]) / 2)
    ratio = np.abs(np.log2(sides[1][None, :] / sides[0][:, None]))
    return np.where((distance <= LINK) & (ratio <= 1), distance + ratio, NEVER)


def _carry_pair(ends: tuple[_End, _End], pair: tuple[int, int], last: int, boxes: list[list[_Box]]) -> str:
    """Put the box of an object that both ends show into each frame between, and say what is doubtful about it."""
    (a, b), (i, j) = ends, pair
    start, stop = a.cxywh[i], b.cxywh[j]
    side = (a.side(i) + b.side(j)) / 2
    scores = float(a.found.scores[i]), float(b.found.scores[j])
    blind, spread = False, 0.0
    for n in range(1, last):
        share = n / last
        line = start * (1 - share) + stop * share
        seen = [end.seen[k][n] for end, k in ((a, i), (b, j)) if n in end.seen[k]]
        blind |= not seen
        places = np.array(seen or [line[:2]])
        apart = np.linalg.norm(np.concatenate([places, line[None, :2]])[:, None] - places[None], axis=-1)
        spread = max(spread, float(apart.max()) / side)
        low, high = (places - line[2:] / 2).min(axis=0), (places + line[2:] / 2).max(axis=0)
        grown = (high - low) * (1 + GROWTH * min(n, last - n))
        near, k = (a, i) if share < 0.5 else (b, j)
        score = scores[0] * (1 - share) + scores[1] * share
        boxes[n].append(
            _Box(np.concatenate([(low + high) / 2, grown]), score, near.found.classes[k], near.found.swatches[k])
        )
    if max(scores) < min(a.sure[i], b.sure[j]):
        return ""
    moved = float(np.linalg.norm(stop[:2] - start[:2])) / side
    if blind and (last > BLIND or moved > JUMP):
        return "an object is not seen between"
    if spread > APART:
        return "an object does not move smoothly"
    if abs(math.log2(b.side(j) / a.side(i))) > RESIZE:
        return "an object changes its size"
    return ""


def _carry_lone(end: _End, i: int, last: int, boxes: list[list[_Box]]) -> str:
    """Carry on an object that only one end shows, and say what is doubtful about it."""
    score, place = float(end.found.scores[i]), end.cxywh[i, :2]
    seen = _until_it_jumps(end.seen[i], max(JERK[0] * end.side(i), JERK[1] * end.pixel))
    step = 1 if end.other > end.at else -1
    for n in range(end.at + step, end.other, step):
        away = abs(n - end.at)
        if score < end.sure[i] and 2 * away > last:
            break
        place = seen.get(n, place)
        growth = GROWTH if n in seen else 2 * GROWTH
        cxywh = np.concatenate([place, end.cxywh[i, 2:] * (1 + growth * away)])
        boxes[n].append(_Box(cxywh, score, end.found.classes[i], end.found.swatches[i]))
    limit = end.sure[i] + next((LONE[length] for length in sorted(LONE) if last <= length), 0.0)
    doubtful = end.found.agreed[i] or (score >= limit and end.other not in seen)
    return "an object is found at one end only" if doubtful else ""


def _until_it_jumps(seen: Mapping[int, F64], most: float) -> Mapping[int, F64]:
    """The places up to the first that lies further than `most` from where the two before it lead."""
    frames, places = list(seen), list(seen.values())
    for k in range(2, len(places)):
        if float(np.linalg.norm(places[k] - 2 * places[k - 1] + places[k - 2])) > most:
            return dict(zip(frames[:k], places, strict=False))
    return seen


def _detections(rows: list[_Box]) -> Detections:
    if not rows:
        return Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), (), no_swatches(0))
    xyxy = from_center_size(np.array([row.cxywh for row in rows]).astype(np.float32))
    scores = np.clip(np.array([row.score for row in rows], np.float32), 0, 1)
    return Detections(xyxy, scores, tuple(row.label for row in rows), np.stack([row.swatches for row in rows]))


def _same(a: Detections, b: Detections) -> bool:
    return (
        a.classes == b.classes and bool(np.array_equal(a.xyxy, b.xyxy)) and bool(np.array_equal(a.scores, b.scores))
    )


def _shows_new(pictures: Sequence[U8], n: int, xyxy: F32, factor: F64) -> bool:
    """Whether a picture shows, outside of boxes, what neither end shows near there."""
    ends, here = (pictures[0], pictures[-1]), pictures[n]
    height, width = here.shape
    if min(height, width) < NEW_PX:
        return True
    changed = cv2.min(cv2.absdiff(here, ends[0]), cv2.absdiff(here, ends[1]))
    scaled = center_size(xyxy) * np.tile(factor, 2)
    scaled[:, 2:] *= 1 + 2 * _MARGIN
    for x0, y0, x1, y1 in np.clip(from_center_size(scaled), 0, max(height, width)).astype(int):
        changed[y0:y1, x0:x1] = 0
    mean = cv2.blur(changed, (NEW_PX, NEW_PX))
    for _ in range(NEW_LOOKS):
        _, most, _, (x, y) = cv2.minMaxLoc(mean)
        if most < NEW_CODES:
            return False
        left, top = min(max(x - NEW_PX // 2, 0), width - NEW_PX), min(max(y - NEW_PX // 2, 0), height - NEW_PX)
        patch = here[top : top + NEW_PX, left : left + NEW_PX]
        rows = slice(max(top - NEW_REACH, 0), top + NEW_PX + NEW_REACH)
        columns = slice(max(left - NEW_REACH, 0), left + NEW_PX + NEW_REACH)
        if max(best(end[rows, columns], patch)[0] for end in ends) < NEW_FOUND:
            return True
        mean[max(y - NEW_PX, 0) : y + NEW_PX, max(x - NEW_PX, 0) : x + NEW_PX] = 0
    return True
