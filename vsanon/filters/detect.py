"""`detect`: from a clip to a data clip that carries what models found."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import vapoursynth as vs

from vsanon.boxes import scale_boxes
from vsanon.covering.swatches import sample_swatches
from vsanon.detectors import Detector, open_detector
from vsanon.detectors.frame_plan import plan_frame
from vsanon.detectors.light import lifted
from vsanon.detectors.scale import View
from vsanon.detectors.search import Search
from vsanon.detectors.turned import AUTO, TURNS, turned_back
from vsanon.detectors.zones import area_left, in_zones
from vsanon.errors import InputError, ModelError
from vsanon.filters import props
from vsanon.filters.clips import (
    ClipFormat,
    first_props,
    flat,
    format_of,
    grey,
    luma_of,
    modify,
    named,
    say_assumed,
    shifted,
)
from vsanon.filters.same_picture import miniatures_of
from vsanon.filters.stride import CHANGES, sample
from vsanon.models import cores
from vsanon.tracking.following import picture_size
from vsanon.tracking.strides import spacing_of

SAMPLED = 16
"""Frames that tell how a clip is turned ..."""
SAMPLED_PX = 640
"""... by pictures with this longer side ..."""
SURE = 0.5
"""... and detections from this score on; what another turn shows must outweigh what none shows ..."""
CLEARLY = 1.25
"""... by this factor, and one such detection."""


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
        A data clip: a miniature of each frame of `clip`, whose properties carry the boxes; see `miniatures_of` and
        `props`.

    Raises:
        vs.Error: format or matrix is not constant or not known, no model for a class, settings out of range, or a
            provider that does not work here.

    Examples:
        >>> import vapoursynth as vs, vsanon
        >>> clip = vs.core.std.BlankClip(None, 320, 180, vs.YUV420P8, 3, 25, 1)
        >>> found = vsanon.detect(clip, classes=("plate",))
        >>> found.get_frame(0).props["VsanonCount"]
        0
    """
    clip_format = format_of(clip)
    if on_error not in ("raise", "mark"):
        raise InputError(f'on_error is "raise" or "mark", not {on_error!r}')
    if not isinstance(seed, int) or seed < 0:
        raise InputError(f"seed is a whole number from 0 on, got {seed}")
    asked = settled(clip, Search.of(search, keywords))
    turned = int(asked.turned)
    spacing = spacing_of(asked.stride)
    lanes = max(1, min(vs.core.num_threads, cores(), clip.num_frames))
    detectors = _open(asked)
    ignore = asked.ignore
    left, top, right, bottom = area_left(
        clip_format.size, ignore, (1 << clip_format.subsampling[0], 1 << clip_format.subsampling[1])
    )
    searched_size = (right - left, bottom - top) if turned % 180 == 0 else (bottom - top, right - left)
    plan = plan_frame(searched_size, detectors, asked.recipes())
    whole = plan.views[0]

    def run(n: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        out = f[0].copy()
        try:
            pictures = [np.stack([np.asarray(frame[p]) for p in range(3)]) for frame in f[1:]]
            width, height = whole.size
            shown = pictures[0][:, :height, :width]
            raw = plan.answer(list(detectors.values()), lifted(pictures, shown))
            inverse = (1 / whole.factor[0], 1 / whole.factor[1])
            swatches = sample_swatches(shown, scale_boxes(raw.xyxy, inverse), n, seed)
            raw = turned_back(replace(raw, swatches=swatches), plan.frame, turned)
        except (ModelError, ValueError) as error:
            if on_error == "raise":
                raise
            out.props[props.MISSING] = str(error)
        else:
            xyxy = raw.xyxy + np.array([left, top] * 2, np.float32)
            boxes = replace(raw, xyxy=xyxy)
            props.write(out.props, boxes.select(~in_zones(xyxy, ignore)) if ignore else boxes, clip_format.size)
            out.props[props.SEARCHED] = 1
        return out

    luma = luma_of(clip, clip_format)
    data = with_changes(miniatures_of(clip), luma)
    looked_at = clip.std.CropAbs(right - left, bottom - top, left, top) if ignore else clip
    inputs = [data, *_pictures(_turned(looked_at, turned), clip_format, plan.views)]
    if spacing == 1:
        return modify("detect", inputs, run, lanes)
    searched = [modify("detect", inputs, run) for _ in range(lanes)]
    return sample(clip, luma, data, searched, asked.stride)


def settled(clip: vs.VideoNode, search: Search) -> Search:
    """A search with what it leaves to the clip decided: how far it is turned.

    For "auto" a sample of frames, evenly spread, is searched in every turn, once and at one size: another turn than
    none is taken where it shows clearly more of what is looked for. So it is a function of the clip and the search.

    Raises:
        vs.Error: as for `detect`.
    """
    if search.turned != AUTO:
        return search
    frames = sorted({i * (clip.num_frames - 1) // (SAMPLED - 1) for i in range(SAMPLED)})
    sample = vs.core.std.Splice([clip[n] for n in frames])
    classes = ["face"] if "face" in search.classes else search.classes
    shown = {}
    for turned in TURNS:
        asked = replace(search, classes=classes, size=SAMPLED_PX, min_object_px=None, max_object_px=None)
        asked = replace(asked, turned=turned, stride=1)
        found = (props.read_detections(frame.props) for frame in detect(sample, asked).frames(close=True))
        shown[turned] = sum(float(f.scores[f.scores >= SURE].sum()) for f in found)
    best = max(TURNS, key=lambda turned: (shown[turned], -turned))
    return replace(search, turned=best if shown[best] >= CLEARLY * shown[0] + SURE else 0)


def _open(search: Search) -> dict[str, Detector]:
    """Each model once, in the order of the classes."""
    said: dict[str, Any] = {"threshold": search.threshold, "provider": search.provider}
    return {
        model: open_detector(model, threads=1, finds=classes, **said, **search.own(model))
        for model, classes in search.served().items()
    }


def _pictures(clip: vs.VideoNode, clip_format: ClipFormat, views: Sequence[View]) -> list[vs.VideoNode]:
    """The RGB24 clip of each view."""
    whole = flat(clip)
    extra: dict[str, Any] = {}
    if clip_format.family == "yuv":
        first = first_props(clip)
        # Frames with a tag go by their tag; this stands in where there is none.
        extra = {"matrix_in": clip_format.matrix(first)}
        say_assumed(clip_format, first)
    else:
        whole = whole.std.RemoveFrameProps(["_Matrix"])
    pictures = []
    for view in views:
        (width, height), (full_width, full_height) = view.size, view.padded
        picture = whole.resize.Bilinear(
            width, height, format=vs.RGB24, src_left=view.left, src_top=view.top, src_width=view.width,
            src_height=view.height, **extra,
        )  # fmt: skip
        if view.size != view.padded:
            picture = picture.std.AddBorders(right=full_width - width, bottom=full_height - height)
        vs.core.std.SetVideoCache(picture, mode=0)  # each frame is asked for once
        pictures.append(picture)
    return pictures


def _turned(clip: vs.VideoNode, turned: int) -> vs.VideoNode:
    """The clip turned clockwise."""
    if turned == 180:
        return clip.std.Turn180()
    if not turned:
        return clip
    across = clip.std.Transpose()
    return across.std.FlipHorizontal() if turned == 90 else across.std.FlipVertical()


def with_changes(data: vs.VideoNode, luma: vs.VideoNode) -> vs.VideoNode:
    """Add `CHANGES`, the mean luma change, in [0, 1], from one, two and three frames before; and a small grey
    picture of each frame, in which `track` follows what is not found.
    """
    small = grey(luma, (96, 54)).std.RemoveFrameProps()
    changed = small
    for k, name in enumerate(CHANGES, start=1):
        changed = changed.std.PlaneStats(shifted(small, -k), prop=name.removesuffix("Diff"))
    picture = grey(luma, picture_size((luma.width, luma.height))).std.RemoveFrameProps()
    return data.std.CopyFrameProps(changed, props=list(CHANGES)).std.ClipToProp(picture, prop=props.GREY)
