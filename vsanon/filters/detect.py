"""`detect`: from a clip to a data clip that carries what models found."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import vapoursynth as vs

from vsanon.boxes import scale_boxes
from vsanon.covering.cells import sample_cells
from vsanon.detections import Detections
from vsanon.detectors import Detector, open_detector
from vsanon.detectors.frame_plan import plan_frame
from vsanon.detectors.scale import View
from vsanon.detectors.search import Search
from vsanon.detectors.zones import area_left, in_zones
from vsanon.errors import InputError, ModelError
from vsanon.filters import props
from vsanon.filters.clips import (
    ClipFormat,
    first_props,
    flat,
    format_of,
    luma_of,
    modify,
    named,
    say_assumed,
    shifted,
)
from vsanon.filters.same import signed
from vsanon.filters.stride import CHANGES, sample
from vsanon.models import cores
from vsanon.tracking.between import spacing_of


@named
def detect(
    clip: vs.VideoNode, search: Search | None = None, *, seed: int = 0, on_error: str = "raise", **keywords: Any
) -> vs.VideoNode:
    """Find objects in every frame.

    Args:
        clip: any clip of constant format.
        search: what to find, and how.
        seed: of the noise in the colours that `soft` paints from.
        on_error: "raise" stops at a frame where the model fails; "mark" lets `blur` decide.
        keywords: fields of `Search` by name, such as `classes=["face"], setting="fast"`; they come before
            those of `search`.

    Returns:
        A data clip: a signature of each frame of `clip`, whose properties carry the boxes; see `same` and `props`.

    Raises:
        vs.Error: format or matrix is not constant or not known, no model for a class, settings out of range, or a
            provider that does not work here.
    """
    found = format_of(clip)
    if on_error not in ("raise", "mark"):
        raise InputError(f'on_error is "raise" or "mark", not {on_error!r}')
    if not isinstance(seed, int) or seed < 0:
        raise InputError(f"seed is a whole number from 0 on, got {seed}")
    asked = Search.of(search, keywords)
    spacing = spacing_of(asked.stride)
    lanes = max(1, min(vs.core.num_threads, cores(), clip.num_frames))
    detectors = _open(asked)
    ignore = asked.ignore
    left, top, right, bottom = area_left(found.size, ignore, (1 << found.subsampling[0], 1 << found.subsampling[1]))
    plan = plan_frame((right - left, bottom - top), detectors, asked.recipes())
    whole = plan.views[0]

    def run(n: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        out = f[0].copy()
        try:
            pictures = [np.stack([np.asarray(frame[p]) for p in range(3)]) for frame in f[1:]]
            raw = plan.answer(list(detectors.values()), pictures)
            width, height = whole.size
            inverse = (1 / whole.factor[0], 1 / whole.factor[1])
            cells = sample_cells(pictures[0][:, :height, :width], scale_boxes(raw.xyxy, inverse), n, seed)
        except (ModelError, ValueError) as error:
            if on_error == "raise":
                raise
            out.props[props.MISSING] = str(error)
        else:
            xyxy = raw.xyxy + np.array([left, top] * 2, np.float32)
            boxes = Detections(xyxy, raw.scores, raw.classes, cells)
            props.write(out.props, boxes.select(~in_zones(xyxy, ignore)) if ignore else boxes, found.size)
            out.props[props.SEARCHED] = 1
        return out

    luma = luma_of(clip, found)
    data = _with_changes(signed(clip), luma)
    looked_at = clip.std.CropAbs(*plan.frame, left, top) if ignore else clip
    inputs = [data, *_pictures(looked_at, found, plan.views)]
    if spacing == 1:
        return modify("detect", inputs, run, lanes)
    searched = [modify("detect", inputs, run) for _ in range(lanes)]
    return sample(clip, luma, data, searched, asked.stride)


def _open(search: Search) -> dict[str, Detector]:
    """Each model once, in the order of the classes."""
    said: dict[str, Any] = {"threshold": search.threshold, "provider": search.provider}
    return {model: open_detector(model, threads=1, **said, **search.own(model)) for model in search.served()}


def _pictures(clip: vs.VideoNode, found: ClipFormat, views: Sequence[View]) -> list[vs.VideoNode]:
    """The RGB24 clip of each view."""
    whole = flat(clip)
    extra: dict[str, Any] = {}
    if found.family == "yuv":
        first = first_props(clip)
        # Frames with a tag go by their tag; this stands in where there is none.
        extra = {"matrix_in": found.matrix(first)}
        say_assumed(found, first)
    else:
        whole = whole.std.RemoveFrameProps(["_Matrix"])
    pictures = []
    for view in views:
        (width, height), (full_width, full_height) = view.size, view.padded
        part = {"src_left": view.left, "src_top": view.top, "src_width": view.width, "src_height": view.height}
        picture = whole.resize.Bilinear(width, height, format=vs.RGB24, **part, **extra)
        if view.size != view.padded:
            picture = picture.std.AddBorders(right=full_width - width, bottom=full_height - height)
        pictures.append(picture)
    return pictures


def _with_changes(data: vs.VideoNode, luma: vs.VideoNode) -> vs.VideoNode:
    """Add `CHANGES`: the mean luma change, in [0, 1], from one, two and three frames before."""
    small = luma.resize.Bilinear(96, 54, format=vs.GRAY8).std.RemoveFrameProps()
    changed = small
    for k, name in enumerate(CHANGES, start=1):
        changed = changed.std.PlaneStats(shifted(small, -k), prop=name.removesuffix("Diff"))
    return data.std.CopyFrameProps(changed, props=list(CHANGES))
