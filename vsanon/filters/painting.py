"""`mask`, `blur` and `overlay`: from a clip and its tracks to a picture.

Only planes that a region touches are written, and so copied; all else of a frame is the source's own memory.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import vapoursynth as vs
from numpy.typing import NDArray

from vsanon import props
from vsanon.effects import FILL, PROFILES, RGB, SampleFormat, paint, paint_alpha, rgb_to_code
from vsanon.errors import CheckError, InputError, VsanonError
from vsanon.filters.clips import in_frame, layout_of, named, require_constant, require_same, samples_of
from vsanon.masks import SHAPES, FrameLayout, Shape, combine, plane_masks, shape_of
from vsanon.tracks import Origin, TrackedBoxes

GRID = 8
"""Block grid of the source's codec in pixels, where nobody says better: the transform of H.264, MPEG-2 and ProRes.

Content leaves traces in the transform blocks that it touches; `scripts/measure_ringing.py` finds no more of them
from 8 to 16 px away than from 16 to 32."""

_COLOURS: Mapping[Origin, RGB] = {
    Origin.DETECTED: (0, 220, 0),
    Origin.INTERPOLATED: (255, 200, 0),
    Origin.HELD: (255, 80, 0),
    Origin.MANUAL: (0, 160, 255),
}


@named
def blur(
    clip: vs.VideoNode,
    tracks: vs.VideoNode,
    *,
    profile: str = "strict",
    shapes: Mapping[str, Shape] = SHAPES,
    grid: int = GRID,
    fill: RGB = FILL,
    on_missing: str = "error",
) -> vs.VideoNode:
    """Cover what the tracks say, in the clip's own format.

    Args:
        clip: the clip that was searched, or one of the same size and length.
        tracks: the data clip of `track` or `load`.
        profile: "strict" (constant fill), "soft" (5×5 frozen cells) or "cosmetic" (Gaussian, not anonymous).
        shapes: how each class is covered.
        grid: side of the source codec's blocks, pixels; 1 for footage that was never compressed.
        fill: the colour of `strict`, 8-bit RGB.
        on_missing: a frame that was never searched is an "error", or is covered whole ("mask").

    Returns:
        The clip, bit-identical outside the regions; frames also carry the boxes, see `props`.

    Raises:
        vs.Error: clips that don't belong together, a format or matrix that is not supported, a frame without
            detections.
    """
    format_ = require_constant(clip)
    require_same("tracks", clip, tracks)
    if profile not in PROFILES:
        raise InputError(f"profile is one of {', '.join(PROFILES)}, not {profile!r}")
    if on_missing not in ("error", "mask"):
        raise InputError(f'on_missing is "error" or "mask", not {on_missing!r}')
    if not 1 <= grid <= 128:
        raise InputError(f"grid is a block size from 1 to 128 pixels, got {grid}")
    if format_.color_family == vs.YUV:
        samples_of(clip, clip.get_frame(0).props)

    def run(n: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        source, data = f
        out = source.copy()
        try:
            boxes = _boxes(data.props, (clip.width, clip.height), on_missing)
            props.write(out.props, boxes, (clip.width, clip.height))
            if props.MISSING in data.props:
                out.props[props.MISSING] = data.props[props.MISSING]
            if props.CUT in data.props:
                out.props[props.CUT] = data.props[props.CUT]
            if len(boxes):
                layout, fmt = layout_of(clip, source.props), samples_of(clip, source.props)
                planes = _planes(out)
                paint(planes, boxes.xyxy, boxes.classes, boxes.cells, layout=layout, fmt=fmt, profile=profile,
                      shapes=shapes, grid=grid, fill=fill, outlines=boxes.outlines)  # fmt: skip
                if "_Alpha" in source.props:
                    _cover_alpha(out, source.props["_Alpha"], boxes, layout, shapes, grid)
        except (VsanonError, ValueError) as error:
            raise in_frame("blur", n, error) from error
        return out

    return clip.std.ModifyFrame([clip, tracks], run)


@named
def mask(
    clip: vs.VideoNode,
    tracks: vs.VideoNode,
    *,
    shapes: Mapping[str, Shape] = SHAPES,
    grid: int = GRID,
    on_missing: str = "error",
) -> vs.VideoNode:
    """The matte of what `blur` covers.

    Returns:
        A GRAY clip of the clip's size, depth and sample type, full range: the greatest value where nothing of
        the source is left, 0 where all is.

    Raises:
        vs.Error: as for `blur`.
    """
    format_ = require_constant(clip)
    require_same("tracks", clip, tracks)
    if on_missing not in ("error", "mask"):
        raise InputError(f'on_missing is "error" or "mask", not {on_missing!r}')
    gray = vs.core.query_video_format(vs.GRAY, format_.sample_type, format_.bits_per_sample)
    blank = vs.core.std.BlankClip(clip, format=gray.id, color=0, keep=True)
    blank = blank.std.CopyFrameProps(clip).std.RemoveFrameProps(["_Matrix", "_Alpha", "_ChromaLocation"])
    blank = blank.std.SetFrameProps(_Range=int(vs.RANGE_FULL))
    size = (clip.width, clip.height)

    def run(n: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        out = f[0].copy()
        try:
            boxes = _boxes(f[1].props, size, on_missing)
            if len(boxes):
                layout = FrameLayout(size, planes=1, interlaced=int(out.props.get("_FieldBased", 0)) != 0)
                peak = SampleFormat("gray", gray.bits_per_sample, gray.sample_type == vs.FLOAT, True).peak
                outlines = boxes.outlines or (None,) * len(boxes)
                regions = [
                    plane_masks(box, shape_of(name, shapes, outline), layout, grid)
                    for box, name, outline in zip(boxes.xyxy, boxes.classes, outlines, strict=True)
                ]
                weight = combine(regions, layout, 0) * np.float32(peak)
                plane = np.asarray(out[0])
                plane[:] = weight if plane.dtype == np.float32 else np.floor(weight + 0.5)
        except (VsanonError, ValueError) as error:
            raise in_frame("mask", n, error) from error
        return out

    return blank.std.ModifyFrame([blank, tracks], run)


@named
def overlay(clip: vs.VideoNode, tracks: vs.VideoNode) -> vs.VideoNode:
    """Draw boxes, ids and scores for quality control.

    Green is detected, yellow interpolated, orange held, blue manual.

    Raises:
        vs.Error: as for `blur`; a frame that was never searched says so in the picture.
    """
    require_constant(clip)
    require_same("tracks", clip, tracks)
    size = (clip.width, clip.height)

    def run(n: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        out = f[0].copy()
        try:
            fmt, layout = samples_of(clip, out.props), layout_of(clip, out.props)
            planes = _planes(out)
            if not props.is_known(f[1].props):
                _write(planes, fmt, layout, "no detection was made for this frame", (8, 32), (255, 0, 0))
                return out
            boxes = props.read_tracked(f[1].props, size)
            for box, score, name, id_, origin in zip(
                boxes.xyxy, boxes.scores, boxes.classes, boxes.ids, boxes.origins, strict=True
            ):
                _frame(planes, fmt, layout, box, _COLOURS[origin])
                text = f"{name} {id_} {score:.2f}"
                _write(planes, fmt, layout, text, (int(box[0]), int(box[1]) - 4), _COLOURS[origin])
        except (VsanonError, ValueError) as error:
            raise in_frame("overlay", n, error) from error
        return out

    return clip.std.ModifyFrame([clip, tracks], run)


def _boxes(data: Mapping[str, Any], size: tuple[int, int], on_missing: str) -> TrackedBoxes:
    """The boxes of a frame; the whole frame where nothing is known of it and the user chose that."""
    if not props.is_known(data) and on_missing == "mask":
        whole = np.array([[0, 0, *size]], np.float32)
        cells = np.full((1, 5, 5, 3), 128, np.uint8)
        return TrackedBoxes(whole, np.zeros(1, np.float32), ("frame",), (0,), (Origin.MANUAL,), cells)
    if props.is_known(data) and data[props.COUNT] and "VsanonIds" not in data:
        raise CheckError("these are detections, not tracks: pass what track gave")
    return props.read_tracked(data, size)


def _planes(frame: vs.VideoFrame) -> Callable[[int], NDArray[Any]]:
    return lambda p: np.asarray(frame[p])


def _cover_alpha(
    out: vs.VideoFrame,
    alpha: vs.VideoFrame,
    boxes: TrackedBoxes,
    layout: FrameLayout,
    shapes: Mapping[str, Shape],
    grid: int,
) -> None:
    """Make the attached alpha opaque where the picture was covered: its outline could show a face's."""
    covered = alpha.copy()
    fmt = SampleFormat("gray", alpha.format.bits_per_sample, alpha.format.sample_type == vs.FLOAT, True)
    paint_alpha(_planes(covered), boxes.xyxy, boxes.classes, layout=layout, fmt=fmt, shapes=shapes, grid=grid,
                outlines=boxes.outlines)  # fmt: skip
    out.props["_Alpha"] = covered


def _frame(
    planes: Callable[[int], NDArray[Any]],
    fmt: SampleFormat,
    layout: FrameLayout,
    box: NDArray[Any],
    colour: RGB,
) -> None:
    code = rgb_to_code(np.array(colour, np.uint8), fmt)
    for p in range(layout.planes):
        ssw, ssh = layout.subsampling if p else (0, 0)
        x0, y0, x1, y1 = (round(float(v)) for v in box)
        start, stop = (x0 >> ssw, y0 >> ssh), ((x1 - 1) >> ssw, (y1 - 1) >> ssh)
        cv2.rectangle(planes(p), start, stop, float(code[p]), 2 if p == 0 or ssw == 0 else 1)


def _write(
    planes: Callable[[int], NDArray[Any]], fmt: SampleFormat, layout: FrameLayout, text: str,
    at: tuple[int, int], colour: RGB,
) -> None:  # fmt: skip
    code = rgb_to_code(np.array(colour, np.uint8), fmt)
    scale = max(0.4, layout.size[1] / 1080 * 0.6)
    at = (max(2, at[0]), max(12, at[1]))
    for p in range(layout.planes):
        ssw, ssh = layout.subsampling if p else (0, 0)
        where = (at[0] >> ssw, at[1] >> ssh)
        cv2.putText(planes(p), text, where, cv2.FONT_HERSHEY_SIMPLEX, scale / (1 << ssh), float(code[p]), 1)
