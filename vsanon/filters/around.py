"""`around`: the tones that regions take from their surroundings, which need the frames before and after."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import vapoursynth as vs

from vsanon.covering.block_grid import GRID
from vsanon.covering.effects import FILL, Fill, takes_tone
from vsanon.covering.masks import masks_of
from vsanon.covering.shapes import SHAPES, Shape, shapes_of
from vsanon.covering.surroundings import TONE_REACH, Rings, exact_ring_mean, tones
from vsanon.filters import props
from vsanon.filters.clips import ahead, format_of, keep, modify, named, require_same, shifted

_EDGES = 4
_RINGS = "VsanonRings"
"""Of a frame, n × (4 + 2 + planes) float64: of the boxes that take a tone their edges, their place in the frame, a
number for their class, and the mean around them in each plane."""


@named
def around(
    clip: vs.VideoNode,
    tracks: vs.VideoNode,
    *,
    profile: str = "strict",
    shapes: Mapping[str, Shape] = SHAPES,
    grid: int = GRID,
    fill: Fill = FILL,
) -> vs.VideoNode:
    """The data clip of `track` or `load` with the tone around each box that takes one, see `surroundings.tones`.

    `blur` asks for it by itself. It is to be asked for beforehand where `blur` gets a part of a clip only, so that
    a frame looks the same however much lies beside it, or where another clip holds the frames that come.

    Args:
        clip: the clip that is covered, all of it.
        tracks: the data clip of `track` or `load`; frames that have their tones keep them.
        profile, shapes, grid, fill: as for `blur`.

    Raises:
        vs.Error: clips that don't belong together, or a format that is not supported.
    """
    clip_format, length = format_of(clip), clip.num_frames
    require_same("track", clip, tracks)

    def takes(classes: Sequence[str]) -> bool:
        return any(takes_tone(name, profile, fill) for name in classes)

    def asks(data: Mapping[str, Any]) -> bool:
        return props.is_known(data) and props.AROUND not in data and takes(props.classes_of(data))

    def read(_: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        data, source = f
        out, boxes = data.copy(), props.read_tracked(data.props, clip_format.size)
        layout = clip_format.layout(source.props)
        regions = masks_of(boxes.xyxy, shapes_of(boxes.classes, shapes, boxes.outlines), layout, grid)
        asked = [i for i, own in enumerate(regions) if own and takes(boxes.classes[i : i + 1])]
        rows = np.full((len(asked), _EDGES + 2 + layout.planes), np.nan)
        rows[:, :_EDGES], rows[:, _EDGES] = boxes.xyxy[asked], asked
        rows[:, _EDGES + 1] = [zlib.crc32(boxes.classes[i].encode()) for i in asked]
        for p in range(layout.planes):
            masks, plane = [own[p] for own in regions if own], np.asarray(source[p])
            for row, i in zip(rows, asked, strict=True):
                mean = exact_ring_mean(plane, regions[i][p], masks, layout.subsampling if p else (0, 0))
                row[_EDGES + 2 + p] = np.nan if mean is None else mean
        out.props[_RINGS] = rows.astype("<f8").tobytes()
        return out

    def mix(n: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        first, stop = max(0, n - TONE_REACH), min(length, n + TONE_REACH + 1)
        rows = [_rows(f[TONE_REACH + m - n].props, clip_format.planes) for m in range(first, stop)]
        cuts = [bool(f[TONE_REACH + m - n].props.get(props.CUT)) for m in range(first, stop)]
        window = [_rings(own, cut) for own, cut in zip(rows, cuts, strict=True)]
        out, own = f[TONE_REACH].copy(), rows[n - first]
        found = np.full((int(out.props[props.COUNT]), 2, clip_format.planes), np.nan)
        at = own[:, _EDGES].astype(np.intp)
        found[at, 0], found[at, 1] = own[:, _EDGES + 2 :], tones(window, n - first)
        del out.props[_RINGS]
        out.props[props.AROUND] = found.astype("<f8").tobytes()
        return out

    rings = _where(asks, tracks, modify("around", [tracks, clip], read))
    keep(rings, 2 * TONE_REACH + 2 * ahead(clip))
    near = [shifted(rings, k) for k in range(-TONE_REACH, TONE_REACH + 1)]
    return _where(asks, tracks, modify("around", near, mix))


def _rows(data: Mapping[str, Any], planes: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    raw = props.as_bytes(data.get(_RINGS, b""))
    return np.frombuffer(raw, "<f8").reshape(-1, _EDGES + 2 + planes)


def _rings(rows: np.ndarray[Any, np.dtype[np.float64]], cut: bool) -> Rings:
    edges, kinds = rows[:, :_EDGES].astype(np.float32), rows[:, _EDGES + 1].astype(np.int64)
    return Rings(edges, kinds, rows[:, _EDGES + 2 :], cut)


def _where(asks: Callable[[Mapping[str, Any]], bool], tracks: vs.VideoNode, made: vs.VideoNode) -> vs.VideoNode:
    """`made` where a frame of the tracks asks for it, else the tracks themselves: then no other frame is read."""

    def choose(n: int, f: vs.VideoFrame) -> vs.VideoNode:  # named as FrameEval names them
        del n
        return made if asks(f.props) else tracks

    return tracks.std.FrameEval(choose, prop_src=[tracks], clip_src=[made, tracks])
