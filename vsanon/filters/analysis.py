"""`detect` and `track`: from a clip to data clips that carry boxes."""

import functools
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import vapoursynth as vs

from vsanon import props
from vsanon.boxes import clip_boxes, scale_boxes
from vsanon.detectors import Detector, open_detector
from vsanon.effects import sample_cells
from vsanon.errors import InputError, ModelError, VsanonError
from vsanon.filters.clips import (
    data_clip,
    fps_of,
    in_frame,
    keep,
    matrix_of,
    named,
    require_constant,
    shifted,
)
from vsanon.tracking import LinkedFrame, TrackSettings, cover, is_cut, link, thin
from vsanon.tracks import Detections, TrackedBoxes, join

log = logging.getLogger(__name__)

DEFAULT_MODELS: Mapping[str, str] = {"face": "centerface"}
"""The model for each class that works out of the box."""


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
        size: the longer side of the picture that the model sees, pixels; clips are never enlarged.
        threshold: the least score; None takes each model's own.
        seed: of the noise in the colours that `soft` paints from.
        on_error: "raise" stops at a frame where the model fails; "mark" lets `blur` decide.

    Returns:
        A data clip: GRAY8, as long as `clip`, whose frame properties carry the boxes; see `props`.

    Raises:
        vs.Error: format or matrix is not constant or not known, no model for a class, settings out of range.
    """
    require_constant(clip)
    if on_error not in ("raise", "mark"):
        raise InputError(f'on_error is "raise" or "mark", not {on_error!r}')
    if size < 32:
        raise InputError(f"size is the longer side of the model's picture, at least 32 pixels, got {size}")
    chosen = _models_for(classes, models)
    lanes = max(1, min(vs.core.num_threads, clip.num_frames))
    opened = [[open_detector(name, threshold=threshold, threads=1) for name in chosen] for _ in range(lanes)]
    stride = int(np.lcm.reduce([d.card.input.stride for d in opened[0]]))
    rgb, factor = _model_input(clip, size, stride)
    wanted = frozenset(classes)
    whole = (clip.width, clip.height)

    def run(detectors: Sequence[Detector], n: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        out = f[0].copy()
        picture = np.stack([np.asarray(f[1][p]) for p in range(3)])
        try:
            found = join([d.detect(picture) for d in detectors])
        except ModelError as error:
            if on_error == "raise":
                raise in_frame("detect", n, error) from error
            out.props[props.MISSING] = str(error)
            return out
        found = found.select(np.array([c in wanted for c in found.classes], bool))
        cells = sample_cells(picture, found.xyxy, n, seed)
        xyxy = clip_boxes(scale_boxes(found.xyxy, factor), whole)
        props.write(out.props, Detections(xyxy, found.scores, found.classes, cells), whole)
        return out

    data = data_clip(clip)
    data = _with_changes(data, clip)
    # One lane for each thread, with a detector of its own: callbacks of one instance never overlap.
    parts = []
    for lane, detectors in enumerate(opened):
        a, b = (c.std.SelectEvery(lanes, [lane]) if lanes > 1 else c for c in (data, rgb))
        numbers = functools.partial(_lane_callback, run, detectors, lanes, lane)
        parts.append(a.std.ModifyFrame([a, b], numbers))
    return vs.core.std.Interleave(parts)[: clip.num_frames] if lanes > 1 else parts[0]


def _lane_callback(run: Any, detectors: Any, lanes: int, lane: int, n: int, f: Any) -> vs.VideoFrame:
    return run(detectors, n * lanes + lane, f)


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


def _model_input(clip: vs.VideoNode, size: int, stride: int) -> tuple[vs.VideoNode, tuple[float, float]]:
    """The RGB24 picture for the model, and the factors (x, y) from its pixels to the clip's.

    The aspect is kept; black is added right and below up to a multiple of `stride`.
    """
    scale = min(1.0, size / max(clip.width, clip.height))
    width, height = max(1, round(clip.width * scale)), max(1, round(clip.height * scale))
    # The reduction blends both fields of an interlaced frame; resizing each alone would comb the picture.
    flat = clip.std.SetFieldBased(vs.FIELD_PROGRESSIVE).std.RemoveFrameProps(["_Alpha"])
    assert clip.format is not None
    extra = {}
    if clip.format.color_family == vs.YUV:
        matrix, assumed = matrix_of(clip, clip.get_frame(0).props)
        if assumed:
            log.warning("the clip has no matrix tag; assuming %s by its height", vs.MatrixCoefficients(matrix).name)
            extra = {"matrix_in": matrix}
    small = flat.resize.Bilinear(width, height, format=vs.RGB24, **extra)
    right, bottom = -width % stride, -height % stride
    if right or bottom:
        small = small.std.AddBorders(right=right, bottom=bottom)
    return small, (clip.width / width, clip.height / height)


def _with_changes(data: vs.VideoNode, clip: vs.VideoNode) -> vs.VideoNode:
    """Add VsanonChangeDiff and VsanonChange2Diff: mean luma change, in [0, 1], from one and two frames before."""
    flat = clip.std.SetFieldBased(vs.FIELD_PROGRESSIVE).std.RemoveFrameProps(["_Alpha"])
    assert flat.format is not None
    luma = flat if flat.format.color_family == vs.GRAY else None
    if luma is None and flat.format.color_family == vs.YUV:
        luma = flat.std.ShufflePlanes(0, vs.GRAY)
    if luma is None:
        luma = flat.std.ShufflePlanes(1, vs.GRAY)
    small = luma.resize.Bilinear(96, 54, format=vs.GRAY8).std.RemoveFrameProps()
    small = small.std.PlaneStats(shifted(small, -1), prop="VsanonChange")
    small = small.std.PlaneStats(shifted(small, -2), prop="VsanonChange2")
    return data.std.CopyFrameProps(small, props=["VsanonChangeDiff", "VsanonChange2Diff"])


@named
def track(found: vs.VideoNode, settings: TrackSettings | None = None) -> vs.VideoNode:
    """Follow the detections over time, within a radius of frames around each frame.

    Args:
        found: the data clip of `detect`.
        settings: spans in seconds, scores and counts; see `TrackSettings`.

    Returns:
        A data clip whose boxes cover each frame: smoothed where detected, interpolated across gaps, held
        before a track's first and after its last detection, never carried across a cut.
    """
    chosen = settings or TrackSettings()
    spans = chosen.frames(fps_of(found))
    length = found.num_frames
    keep(found, 16)
    linker = functools.partial(_link_frame, chosen.cover_score)
    linked = found.std.ModifyFrame([shifted(found, k) for k in (-2, -1, 0, 1, 2)], linker)
    reach = min(spans.radius, length - 1)
    keep(linked, 8 * spans.radius)

    def run(n: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        out = f[reach].copy()
        first, last = max(0, n - reach), min(length - 1, n + reach)
        frames = f[first - n + reach : last - n + reach + 1]
        if not props.is_known(out.props):
            return out
        try:
            window = [_linked(frame.props) for frame in frames]
            boxes = cover(window, first, n, chosen, spans)
        except (VsanonError, ValueError) as error:
            raise in_frame("track", n, error) from error
        size = props.size_of(out.props)
        props.write(out.props, _inside(boxes, size), size)
        return out

    return found.std.ModifyFrame([shifted(linked, k) for k in range(-reach, reach + 1)], run)


def _link_frame(strong: float, n: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
    out = f[2].copy()
    cut = n > 0 and is_cut(
        [float(frame.props.get("VsanonChangeDiff", 0.0)) for frame in f],
        [float(frame.props.get("VsanonChange2Diff", 0.0)) for frame in f],
    )
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
