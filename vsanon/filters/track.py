"""`track`: from what was found to the boxes that cover each frame; `hold`: the frames that wait for them."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import vapoursynth as vs

from vsanon.covering.swatches import faded
from vsanon.detections import SLACK, Detections, TrackedBoxes
from vsanon.errors import InputError
from vsanon.filters import props
from vsanon.filters.clips import ahead, fps_of, frame_bytes, keep, modify, named, require_data, shifted
from vsanon.filters.stride import starts_shot
from vsanon.tracking.cover import TrackSettings, cover
from vsanon.tracking.evidence import Evidences
from vsanon.tracking.linking import link, thin
from vsanon.tracking.steady import CoveredFrame, steady
from vsanon.tracking.strides import SPACING
from vsanon.tracking.tracklets import LinkedFrame

_ENDS = "VsanonEnds"
"""Which detections the track of each box has before a frame and from it on, see `cover`."""

HELD_BYTES = 2 * 2**30
"""The most memory that `hold` takes."""


@named
def track(found: vs.VideoNode, settings: TrackSettings | None = None, **keywords: Any) -> vs.VideoNode:
    """Follow the detections over time, within a radius of frames around each frame.

    Args:
        found: the data clip of `detect`.
        settings: spans in seconds, scores and counts; see `TrackSettings`.
        keywords: its fields by name, such as `lead_s=1.0`; they come before those of `settings`.

    Returns:
        A data clip whose boxes cover each frame: smoothed where detected, interpolated across gaps, held
        before a track's first and after its last detection, never carried across a cut.

    Raises:
        vs.Error: not a data clip of detections, or its rate is variable or unknown.

    Examples:
        >>> import vapoursynth as vs, vsanon
        >>> clip = vs.core.std.BlankClip(None, 320, 180, vs.YUV420P8, 3, 25, 1)
        >>> tracks = vsanon.track(vsanon.detect(clip, classes=("plate",)))
        >>> tracks.get_frame(2).props["VsanonTracked"]
        1
    """
    require_data("detect", found)
    chosen = settings_of(settings, keywords)
    spans = chosen.frames(fps_of(found))
    length = found.num_frames
    keep(found, 16)
    around = [shifted(found, k) for k in (-2, -1, 0, 1, 2)]
    thinned = _Recent(8, lambda frame: thin(props.read_detections(frame.props), chosen.evidence))
    linked = modify("track", around, functools.partial(_link_frame, length, chosen.evidence, thinned))
    reach = min(spans.radius, length - 1)
    keep(linked, 8 * spans.radius)
    recent = _Recent(8 * spans.radius, _linked)

    def must(n: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        out = f[reach].copy()
        if not props.is_known(out.props):
            return out
        first, last = max(0, n - reach), min(length - 1, n + reach)
        window = [recent.get(m, f[m - n + reach]) for m in range(first, last + 1)]
        size = props.size_of(out.props)
        boxes, ends = cover(window, first, n, size, chosen, spans)
        props.write(out.props, boxes, size)
        if len(ends):
            out.props[_ENDS] = ends.ravel().tolist()
        return out

    wanted = modify("track", [shifted(linked, k) for k in range(-reach, reach + 1)], must)
    near = min(spans.steady_reach, length - 1)
    keep(wanted, 8 * max(near, 1))
    covered = _Recent(8 * max(near, 1), _covered)

    def run(n: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        out = f[near].copy()
        if _ENDS in out.props:
            del out.props[_ENDS]
        if not props.is_known(out.props):
            return out
        first, last = max(0, n - near), min(length - 1, n + near)
        window = [covered.get(m, f[m - n + near]) for m in range(first, last + 1)]
        size, here = props.size_of(out.props), window[n - first]
        assert here is not None  # it is known
        xyxy, swatches = steady(window, first, n, spans)
        boxes = replace(here.boxes, xyxy=xyxy, swatches=swatches)
        props.write(out.props, _inside(boxes, size), size)
        return out

    return modify("track", [shifted(wanted, k) for k in range(-near, near + 1)], run)


def settings_of(settings: TrackSettings | None, keywords: Mapping[str, Any]) -> TrackSettings:
    """Settings, or the default ones, with some of their fields given as keywords.

    Raises:
        InputError: a keyword is none of the fields, or has a value outside what it can be.
    """
    known = [entry.name for entry in fields(TrackSettings)]
    if unknown := [name for name in keywords if name not in known]:
        raise InputError(f"track settings have no {unknown[0]!r}; they have {', '.join(known)}")
    chosen = TrackSettings() if settings is None else settings
    if not isinstance(chosen, TrackSettings):
        raise InputError(f"settings is a TrackSettings, got {type(chosen).__name__}; name its fields as keywords")
    numbers = {name: value for name, value in keywords.items() if name != "evidence"}
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"{name} is a number, got {value!r}")
    return replace(chosen, **keywords)


def hold(clip: vs.VideoNode, settings: TrackSettings | None = None) -> int:
    """Keep decoded frames from when they are searched until they are covered: the tracker is so far ahead.

    Without it each frame is decoded twice, from the keyframe before it on. More than `HELD_BYTES` are not kept.

    Args:
        clip: the source, before it is given to `detect` and `blur`.
        settings: as for `track`.

    Returns:
        The greatest memory of what is kept, bytes.

    Raises:
        InputError: the rate is variable or unknown.
    """
    reach: int = (settings or TrackSettings()).frames(fps_of(clip)).reach
    size = frame_bytes(clip)
    # What is in the making, in both steps of `track`, and the blocks around it; on one thread VapourSynth begins
    # further blocks as well.
    making = 3 * ahead(clip) + max(ahead(clip), 2 * SPACING)
    frames: int = max(1, min(reach + making + 4 * SPACING, clip.num_frames, HELD_BYTES // size))
    keep(clip, frames)
    return frames * size


class _Recent[T]:
    """What was read of frames last; to forget one costs time, and changes nothing."""

    def __init__(self, most: int, read: Callable[[vs.VideoFrame], T]) -> None:
        self._most, self._read = most, read
        self._kept: dict[int, T] = {}

    def get(self, n: int, frame: vs.VideoFrame) -> T:
        """What frame `n` says, read from `frame` where it is not remembered."""
        kept = self._kept.get(n)
        if kept is None:
            kept = self._kept[n] = self._read(frame)
            if len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]
        return kept


def _link_frame(
    length: int, evidence: Evidences, thinned: _Recent[Detections], n: int, f: Sequence[vs.VideoFrame]
) -> vs.VideoFrame:
    out = f[2].copy()
    cut = starts_shot(n, length, f)
    out.props["VsanonCut"] = int(cut)
    if not props.is_known(out.props):
        return out
    here = thinned.get(n, f[2])
    props.write(out.props, here, props.size_of(out.props))
    if n > 0 and not cut and props.is_known(f[1].props):
        links = link(thinned.get(n - 1, f[1]), here, evidence)
        if links:
            out.props["VsanonLinks"] = list(links)
    return out


def _linked(frame: vs.VideoFrame) -> LinkedFrame:
    p = frame.props
    if not props.is_known(p):
        return LinkedFrame(None, (), bool(p["VsanonCut"]))
    searched = bool(p.get(props.SEARCHED, 1))
    detections = props.read_detections(p)
    links = p.get("VsanonLinks", [])
    links = tuple(links) if isinstance(links, (list, tuple)) else (links,)
    return LinkedFrame(detections, links or (-1,) * len(detections), bool(p["VsanonCut"]), searched)


def _covered(frame: vs.VideoFrame) -> CoveredFrame | None:
    p = frame.props
    if not props.is_known(p):
        return None
    ends, boxes = p.get(_ENDS, []), props.read_tracked(p)
    # Before they are averaged over time, so that no size decides on a colour when it is painted.
    boxes = replace(boxes, swatches=faded(boxes.swatches, boxes.xyxy))
    return CoveredFrame(boxes, np.array(ends, np.int64).reshape(-1, 2), bool(p[props.CUT]))


def _inside(boxes: TrackedBoxes, size: tuple[int, int]) -> TrackedBoxes:
    """Leave out boxes that moved wholly out of the frame, with what must be covered of them."""
    around = SLACK * (boxes.xyxy[:, 2:] - boxes.xyxy[:, :2])
    xyxy = boxes.xyxy + np.concatenate([-around, around], axis=1)
    inside = (xyxy[:, 0] < size[0]) & (xyxy[:, 1] < size[1]) & (xyxy[:, 2] > 0) & (xyxy[:, 3] > 0)
    return boxes if inside.all() else boxes.select(inside)
