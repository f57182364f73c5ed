"""`detect` and `track`: from a clip to data clips that carry boxes."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import vapoursynth as vs

from vsanon import props
from vsanon.boxes import area, clip_boxes, scale_boxes
from vsanon.detectors import Detector, open_detector
from vsanon.effects import sample_cells
from vsanon.errors import InputError, ModelError
from vsanon.filters.clips import (
    ClipFormat,
    data_clip,
    first_props,
    format_of,
    fps_of,
    keep,
    modify,
    named,
    require_data,
    say_assumed,
    shifted,
)
from vsanon.tracking import LinkedFrame, TrackSettings, cover, is_cut, link, thin
from vsanon.tracks import Detections, TrackedBoxes, join

DEFAULT_MODELS: Mapping[str, str] = {"face": "centerface"}
"""The model for each class that works out of the box."""

_CHANGES = ("VsanonChange1Diff", "VsanonChange2Diff", "VsanonChange3Diff")
"""As `std.PlaneStats` names what it writes for a `prop` without the "Diff"."""


@named
def detect(
    clip: vs.VideoNode,
    *,
    classes: Sequence[str] = ("face",),
    models: Mapping[str, str] | None = None,
    size: int = 640,
    threshold: float | None = None,
    seed: int = 0,
    on_error: str = "raise",
) -> vs.VideoNode:
    """Find objects in every frame.

    Args:
        clip: any clip of constant format.
        classes: what to find.
        models: a model for each class, by name or path of a card; unnamed classes take `DEFAULT_MODELS`.
        size: the longer side of the picture that a model sees, pixels; clips are never enlarged, and a model
            of one size sees that size.
        threshold: the least score; None takes each model's own.
        seed: of the noise in the colours that `soft` paints from.
        on_error: "raise" stops at a frame where the model fails; "mark" lets `blur` decide.

    Returns:
        A data clip: GRAY8, as long as `clip`, whose frame properties carry the boxes; see `props`.

    Raises:
        vs.Error: format or matrix is not constant or not known, no model for a class, settings out of range.
    """
    found = format_of(clip)
    if on_error not in ("raise", "mark"):
        raise InputError(f'on_error is "raise" or "mark", not {on_error!r}')
    if not isinstance(size, int) or size < 32:
        raise InputError(f"size is the longer side of the model's picture, at least 32 pixels, got {size}")
    if not isinstance(seed, int) or seed < 0:
        raise InputError(f"seed is a whole number from 0 on, got {seed}")
    chosen = _models_for(classes, models)
    wanted = frozenset(classes)
    lanes = max(1, min(vs.core.num_threads, clip.num_frames))
    opened = [[open_detector(name, threshold=threshold, threads=1) for name in chosen] for _ in range(lanes)]
    views = [_View.of(found.size, size, rules.size, rules.stride) for rules in (d.card.input for d in opened[0])]
    seen = list(dict.fromkeys(views))
    pictures = _pictures(clip, found, seen)

    def search(detector: Detector, view: _View, n: int, f: Sequence[vs.VideoFrame]) -> Detections:
        frame = f[1 + seen.index(view)]
        picture = np.stack([np.asarray(frame[p]) for p in range(3)])
        raw = detector.detect(picture)
        xyxy = clip_boxes(scale_boxes(raw.xyxy, view.factor), found.size)
        inside = (area(xyxy) > 0) & np.array([c in wanted for c in raw.classes], bool)
        raw, xyxy = raw.select(inside), xyxy[inside]
        width, height = view.content
        cells = sample_cells(picture[:, :height, :width], raw.xyxy, n, seed)
        return Detections(xyxy, raw.scores, raw.classes, cells)

    def run(n: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        out = f[0].copy()
        try:
            parts = [search(d, view, n, f) for d, view in zip(opened[n % lanes], views, strict=True)]
        except (ModelError, ValueError) as error:
            if on_error == "raise":
                raise
            out.props[props.MISSING] = str(error)
        else:
            props.write(out.props, join(parts), found.size)
        return out

    data = _with_changes(data_clip(clip), clip, found)
    return modify("detect", [data, *pictures], run, lanes)


def _models_for(classes: Sequence[str], models: Mapping[str, str] | None) -> list[str]:
    """The models to run, each once, in the order of the classes."""
    if not classes or isinstance(classes, str):
        raise InputError(f'classes is a list such as ["face"], got {classes!r}')
    by_class = {**DEFAULT_MODELS, **(models or {})}
    for name in classes:
        if name not in by_class:
            raise InputError(
                f"no model finds {name!r}: name one with models={{{name!r}: CARD}}, or leave the class out"
            )
    return list(dict.fromkeys(by_class[c] for c in classes))


@dataclass(frozen=True, slots=True)
class _View:
    """The picture that a model sees: the whole clip at `content`, with black right and below up to `padded`.

    Args:
        content: (width, height) of the clip's picture in it, pixels.
        padded: (width, height) of it all.
        factor: from its pixels to the clip's, (x, y).
    """

    content: tuple[int, int]
    padded: tuple[int, int]
    factor: tuple[float, float]

    @classmethod
    def of(cls, whole: tuple[int, int], size: int, fixed: tuple[int, int] | None, stride: int) -> "_View":
        """The view of a clip of `whole` (width, height), for a model of one size or of sides by a stride."""
        limits = fixed or (size, size)
        scale = min(1.0, *(limit / side for limit, side in zip(limits, whole, strict=True)))
        width, height = (max(1, round(side * scale)) for side in whole)
        padded = fixed or (-(-width // stride) * stride, -(-height // stride) * stride)
        return cls((width, height), padded, (whole[0] / width, whole[1] / height))


def _pictures(clip: vs.VideoNode, found: ClipFormat, views: Sequence[_View]) -> list[vs.VideoNode]:
    """The RGB24 clip of each view."""
    flat = _flat(clip)
    extra: dict[str, Any] = {}
    if found.family == "yuv":
        first = first_props(clip)
        # Frames with a tag go by their tag; this stands in where there is none.
        extra = {"matrix_in": found.matrix(first)}
        say_assumed(found, first)
    else:
        flat = flat.std.RemoveFrameProps(["_Matrix"])
    pictures = []
    for view in views:
        (width, height), (full_width, full_height) = view.content, view.padded
        picture = flat.resize.Bilinear(width, height, format=vs.RGB24, **extra)
        if view.content != view.padded:
            picture = picture.std.AddBorders(right=full_width - width, bottom=full_height - height)
        pictures.append(picture)
    return pictures


def _with_changes(data: vs.VideoNode, clip: vs.VideoNode, found: ClipFormat) -> vs.VideoNode:
    """Add `_CHANGES`: the mean luma change, in [0, 1], from one, two and three frames before."""
    luma = _flat(clip)
    if found.family != "gray":
        luma = luma.std.ShufflePlanes(1 if found.family == "rgb" else 0, vs.GRAY)
    small = luma.resize.Bilinear(96, 54, format=vs.GRAY8).std.RemoveFrameProps()
    changed = small
    for k, name in enumerate(_CHANGES, start=1):
        changed = changed.std.PlaneStats(shifted(small, -k), prop=name.removesuffix("Diff"))
    return data.std.CopyFrameProps(changed, props=list(_CHANGES))


def _flat(clip: vs.VideoNode) -> vs.VideoNode:
    """The clip without what the resizer would stumble over and a small picture for a model does not need.

    Both fields of an interlaced frame are blended: resized each alone they would comb the picture.
    """
    return clip.std.SetFieldBased(vs.FIELD_PROGRESSIVE).std.RemoveFrameProps(["_Alpha", "_Primaries", "_Transfer"])


@named
def track(found: vs.VideoNode, settings: TrackSettings | None = None) -> vs.VideoNode:
    """Follow the detections over time, within a radius of frames around each frame.

    Args:
        found: the data clip of `detect`.
        settings: spans in seconds, scores and counts; see `TrackSettings`.

    Returns:
        A data clip whose boxes cover each frame: smoothed where detected, interpolated across gaps, held
        before a track's first and after its last detection, never carried across a cut.

    Raises:
        vs.Error: not a data clip of detections, or its rate is variable or unknown.
    """
    require_data("detect", found)
    chosen = TrackSettings() if settings is None else settings
    if not isinstance(chosen, TrackSettings):
        raise InputError(f"settings is a TrackSettings, got {type(chosen).__name__}")
    spans = chosen.frames(fps_of(found))
    length = found.num_frames
    keep(found, 16)
    around = [shifted(found, k) for k in (-2, -1, 0, 1, 2)]
    linked = modify("track", around, functools.partial(_link_frame, chosen.cover_score))
    reach = min(spans.radius, length - 1)
    keep(linked, 8 * spans.radius)
    recent = _Recent(8 * spans.radius)

    def run(n: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        out = f[reach].copy()
        if not props.is_known(out.props):
            return out
        first, last = max(0, n - reach), min(length - 1, n + reach)
        window = [recent.get(m, f[m - n + reach]) for m in range(first, last + 1)]
        size = props.size_of(out.props)
        props.write(out.props, _inside(cover(window, first, n, size, chosen, spans), size), size)
        return out

    return modify("track", [shifted(linked, k) for k in range(-reach, reach + 1)], run)


class _Recent:
    """Linked frames as they were read last; to forget one costs time, and changes nothing."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[int, LinkedFrame] = {}

    def get(self, n: int, frame: vs.VideoFrame) -> LinkedFrame:
        """Frame `n`, read from `frame` where it is not remembered."""
        kept = self._kept.get(n)
        if kept is None:
            kept = self._kept[n] = _linked(frame.props)
            if len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]
        return kept


def _link_frame(strong: float, n: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
    out = f[2].copy()
    cut = n > 0 and is_cut([[float(frame.props.get(name, 0.0)) for frame in f] for name in _CHANGES])
    out.props["VsanonCut"] = int(cut)
    if not props.is_known(out.props):
        return out
    here = thin(props.read_detections(out.props), strong)
    props.write(out.props, here, props.size_of(out.props))
    if n > 0 and not cut and props.is_known(f[1].props):
        links = link(thin(props.read_detections(f[1].props), strong), here, strong)
        if links:
            out.props["VsanonLinks"] = list(links)
    return out


def _linked(p: Mapping[str, Any]) -> LinkedFrame:
    if not props.is_known(p):
        return LinkedFrame(None, (), bool(p["VsanonCut"]))
    detections = props.read_detections(p)
    links = p.get("VsanonLinks", [])
    links = tuple(links) if isinstance(links, (list, tuple)) else (links,)
    return LinkedFrame(detections, links or (-1,) * len(detections), bool(p["VsanonCut"]))


def _inside(boxes: TrackedBoxes, size: tuple[int, int]) -> TrackedBoxes:
    """Leave out boxes that moved wholly out of the frame."""
    xyxy = boxes.xyxy
    inside = (xyxy[:, 0] < size[0]) & (xyxy[:, 1] < size[1]) & (xyxy[:, 2] > 0) & (xyxy[:, 3] > 0)
    return boxes if inside.all() else boxes.select(inside)
