"""The part of `track` that works block by block: the windows of neighbouring frames have most of their frames in
common, and a run of frames costs little more than one.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
import vapoursynth as vs
from numpy.typing import NDArray

from vsanon.boxes import F32
from vsanon.covering.swatches import faded
from vsanon.detections import SLACK, Detections, TrackedBoxes, no_swatches
from vsanon.errors import VsanonError
from vsanon.filters import props
from vsanon.filters.clips import keep, modify, ticks
from vsanon.filters.stride import Changes, changes_of, starts_shot
from vsanon.tracking.cover import cover
from vsanon.tracking.following import Paths
from vsanon.tracking.linking import link, thin
from vsanon.tracking.settings import TrackFrames, TrackSettings
from vsanon.tracking.steady import CoveredFrame, Rows, colours, paths
from vsanon.tracking.tracklets import LinkedFrame

BLOCK = 8
"""Frames that are followed at once."""
_AT = "VsanonAt"
"""Of a block, with a position behind it: the data frame that `track` answers with."""
_SHOT = 2
"""Frames to either side that say whether a shot starts."""


def in_blocks(
    found: vs.VideoNode, settings: TrackSettings, spans: TrackFrames, *, colours_later: bool = False
) -> vs.VideoNode:
    """The data clip of `track`; `spans` are the settings' in frames."""
    length = found.num_frames
    # In whole blocks, so that the colours of a block are told with a later one.
    later = -(-spans.sooner // BLOCK) * BLOCK if colours_later else 0
    steady = (spans.steady_reach + later, spans.path_reach if later else spans.steady_reach)
    before, after = (min(reach + spans.radius + _SHOT, length - 1) for reach in steady)
    keep(found, before + after + 8 * BLOCK)
    follower = _Follower(length, (before, after), steady, later, settings, spans)
    blocks = modify("track", _windows(found, before, after), follower.block)
    keep(blocks, 4)
    answers = vs.core.std.Interleave([blocks] * BLOCK)[:length]

    def run(n: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        return f[1].props[f"{_AT}{n % BLOCK}"]  # type: ignore[no-any-return]

    return modify("track", [found, answers], run)


def _windows(found: vs.VideoNode, before: int, after: int) -> list[vs.VideoNode]:
    """A frame for each block, and what it is made from: its own frames, so many before them and so many after.

    Beyond the clip's ends its first and last frame stand in.
    """
    count, lead, tail = (-(-frames // BLOCK) for frames in (found.num_frames, before, after))
    begin, end = lead * BLOCK, (count + tail) * BLOCK - found.num_frames
    parts = [*([found[0] * begin] if begin else []), found, *([found[-1] * end] if end else [])]
    padded = vs.core.std.Splice(parts) if len(parts) > 1 else found
    lanes = [padded.std.SelectEvery(BLOCK, [j]) for j in range(BLOCK)]
    places = [divmod(begin + k, BLOCK) for k in range(-before, BLOCK + after)]
    return [ticks(count), *(lanes[j][q : q + count] for q, j in places)]


@dataclass(frozen=True, slots=True)
class _Found:
    """What `detect` says of a frame, no detections where it was not searched; and a small grey picture of it."""

    detections: Detections | None
    size: tuple[int, int]
    changes: Changes
    searched: bool
    picture: NDArray[np.uint8] | None


class _Follower:
    """Answers block by block. What it has read and worked out of frames last it remembers, and to forget that
    changes nothing.
    """

    def __init__(
        self,
        length: int,
        given: tuple[int, int],
        steady: tuple[int, int],
        later: int,
        settings: TrackSettings,
        spans: TrackFrames,
    ) -> None:
        """Of so many frames; a block gets those that are `given`, before it and after it, the boxes of those of
        `steady` have an influence on its answers, and colours are told so many frames `later`.
        """
        self._length, self._given, self._steady, self._later = length, given, steady, later
        self._settings, self._spans = settings, spans
        most = sum(given) + 8 * BLOCK
        self._found = _Recent[_Found](most)
        self._linked = _Recent[LinkedFrame](most)
        self._covered = _Recent[CoveredFrame | None](most)
        self._paths = Paths()
        self._painted = _Recent[F32](later + 8 * BLOCK)

    def block(self, k: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        """The answers for block `k`, in the properties of one frame; `f` is what `_windows` gives."""
        start, stop = k * BLOCK, min((k + 1) * BLOCK, self._length)
        before, radius = self._given[0], self._spans.radius
        frames = {n: f[1 + before + n - start] for n in self._near(start, stop, self._given)}
        found = self._found.filled(frames, lambda wanted: {n: self._read(n, frames[n]) for n in wanted})
        linked = self._linked.filled(
            self._near(start, stop, (self._steady[0] + radius, self._steady[1] + radius)),
            lambda wanted: {n: self._link(n, found) for n in wanted},
        )
        covered = self._covered.filled(
            self._near(start, stop, self._steady), lambda wanted: self._cover(wanted, found, linked)
        )
        # The last block tells the colours of all that is left.
        told = range(max(0, start - self._later), stop if stop == self._length else max(0, stop - self._later))
        known = {n: c.boxes for n in sorted({*told, *range(start, stop)}) if (c := covered[n]) is not None}
        rows = Rows.of(list(covered.values()), min(covered))
        painted = self._painted.filled(
            known, lambda wanted: dict(zip(wanted, paths(rows, wanted, self._spans), strict=True))
        )
        asked = [n for n in told if n in known]
        mixed = dict(zip(asked, colours(rows, asked), strict=True))
        boxes = {}
        for n, wanted in known.items():
            whole = replace(wanted, xyxy=painted[n], swatches=mixed.get(n, no_swatches(len(wanted))))
            boxes[n] = _inside(whole, found[n].size)
        out = f[0].copy()
        for n in range(start, stop):
            answer = frames[n].copy()
            answer.props[props.CUT] = int(linked[n].cut)
            if props.GREY in answer.props:
                del answer.props[props.GREY]
            if (own := boxes.get(n)) is not None:
                shown = replace(own, swatches=no_swatches(len(own))) if self._later else own
                props.write(answer.props, shown, found[n].size)
            if self._later:
                last = n + 1 if n == self._length - 1 else n - self._later + 1
                of = range(max(0, n - self._later), max(0, last))
                props.write_colours(answer.props, [boxes[m].swatches if m in boxes else None for m in of])
            out.props[f"{_AT}{n - start}"] = answer
        return out

    def _near(self, start: int, stop: int, reach: tuple[int, int]) -> range:
        return range(max(0, start - reach[0]), min(self._length, stop + reach[1]))

    def _read(self, n: int, frame: vs.VideoFrame) -> _Found:
        p, picture = frame.props, props.read_grey(frame.props)
        try:
            if not props.is_known(p):
                return _Found(None, (0, 0), changes_of(frame), True, picture)
            detections = thin(props.read_detections(p), self._settings.evidence)
            return _Found(detections, props.size_of(p), changes_of(frame), bool(p.get(props.SEARCHED, 1)), picture)
        except (VsanonError, ValueError) as error:
            raise vs.Error(f"track: frame {n}: {error}") from error

    def _link(self, n: int, found: "dict[int, _Found]") -> LinkedFrame:
        near = [found[min(max(m, 0), self._length - 1)].changes for m in range(n - _SHOT, n + _SHOT + 1)]
        cut, here = starts_shot(n, self._length, near), found[n]
        if here.detections is None:
            return LinkedFrame(None, (), cut, picture=here.picture)
        before = found[n - 1].detections if n and not cut else None
        alone = (-1,) * len(here.detections)
        links = alone if before is None else link(before, here.detections, self._settings.evidence)
        return LinkedFrame(here.detections, links, cut, here.searched, here.picture)

    def _cover(
        self, wanted: Iterable[int], found: "dict[int, _Found]", linked: "dict[int, LinkedFrame]"
    ) -> "dict[int, CoveredFrame | None]":
        answers: dict[int, CoveredFrame | None] = dict.fromkeys(wanted)
        asked = [n for n in answers if linked[n].detections is not None]
        # Few at a time, as each brings a window of its own.
        for (_, size), part in groupby(enumerate(asked), lambda of: (of[0] // BLOCK, found[of[1]].size)):
            numbers = [n for _, n in part]
            radius = self._spans.radius
            around = self._near(numbers[0], numbers[-1] + 1, (radius, radius))
            frames = [linked[n] for n in around]
            said = cover(frames, around.start, numbers, size, self._settings, self._spans, self._paths)
            for n, (boxes, ends) in zip(numbers, said, strict=True):
                # Before they are averaged over time, so that no size decides on a colour when it is painted.
                boxes = replace(boxes, swatches=faded(boxes.swatches, boxes.xyxy))
                answers[n] = CoveredFrame(boxes, ends, linked[n].cut)
        return answers


class _Recent[T]:
    """What was worked out of frames last, as much as is given to it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[int, T] = {}

    def filled(self, numbers: Iterable[int], work_out: Callable[[list[int]], dict[int, T]]) -> dict[int, T]:
        """Of each frame what is remembered, and where nothing is, what is worked out, in the order of `numbers`."""
        asked = list(numbers)
        self._kept |= work_out([n for n in asked if n not in self._kept])
        answers = {n: self._kept[n] for n in asked}
        while len(self._kept) > self._most:
            del self._kept[next(iter(self._kept))]
        return answers


def _inside(boxes: TrackedBoxes, size: tuple[int, int]) -> TrackedBoxes:
    """Leave out boxes that moved wholly out of the frame, with what must be covered of them."""
    around = SLACK * (boxes.xyxy[:, 2:] - boxes.xyxy[:, :2])
    xyxy = boxes.xyxy + np.concatenate([-around, around], axis=1)
    inside = (xyxy[:, 0] < size[0]) & (xyxy[:, 1] < size[1]) & (xyxy[:, 2] > 0) & (xyxy[:, 3] > 0)
    return boxes if inside.all() else boxes.select(inside)
