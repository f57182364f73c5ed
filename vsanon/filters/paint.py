"""`mask`, `blur` and `overlay`: from a clip and its tracks to a picture.

Only planes that a region touches are written, and so copied; all else of a frame is the source's own memory.
OpenCV's number of threads belongs to the process and is left alone: a job asks for one, see `turns.opencv_in_one`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import vapoursynth as vs
from numpy.typing import NDArray

from vsanon.covering.block_grid import GRID
from vsanon.covering.colour import RGB, SampleFormat, rgb_to_code
from vsanon.covering.effects import FILL, Fill, paint, paint_alpha
from vsanon.covering.looks import AVERAGED, PROFILES, SURROUNDINGS
from vsanon.covering.masks import FrameLayout, combine, masks_of
from vsanon.covering.pictures import Sticker
from vsanon.covering.shapes import SHAPES, Shape, shapes_of
from vsanon.detections import Origin, TrackedBoxes
from vsanon.errors import CheckError, InputError
from vsanon.filters import props
from vsanon.filters.around import around
from vsanon.filters.clips import first_props, format_of, is_interlaced, modify, named, require_same, say_assumed
from vsanon.filters.same_picture import miniatures_of, require_same_picture, worse
from vsanon.tracking.same_picture import Verdict

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
    fill: Fill = FILL,
    picture: Sticker | None = None,
    on_missing: str = "error",
    same_picture: bool = True,
) -> vs.VideoNode:
    """Cover what the tracks say, in the clip's own format.

    Args:
        clip: the clip that was searched, graded, cleaned or encoded anew if need be.
        tracks: the data clip of `track` or `load`.
        profile: "strict" (constant fill), "soft" (5×5 frozen swatches), "mosaic" (the same as cells), "picture"
            (an image over the fill), "inpaint" (filled in from the surroundings, cosmetic) or "cosmetic" (Gaussian,
            not anonymous); see `covering.looks`.
        shapes: how each class is covered.
        grid: side of the source codec's blocks, pixels; 1 for footage that was never compressed.
        fill: the colour of `strict` and under a picture, 8-bit RGB, or "surroundings" for the mean around each
            region, of the frames before and after, too: see `covering.surroundings`.
        picture: what "picture" lays over a region, see `job.stickers.picture_of`; None for one of its own.
        on_missing: a frame that was never searched is an "error", or is covered whole ("mask").
        same_picture: each frame must show what was analysed, see `tracking.same_picture`; what came of it goes into
            its properties. Without it nobody looks, and frames are marked "unchecked".

    Returns:
        The clip, bit-identical outside the regions; frames also carry the boxes, see `props`.

    Raises:
        vs.Error: clips that don't belong together, a frame that shows another picture than the one analysed or has
            no detections, a format or matrix that is not supported.

    Examples:
        >>> import vapoursynth as vs, vsanon
        >>> clip = vs.core.std.BlankClip(None, 320, 180, vs.YUV420P8, 3, 25, 1)
        >>> tracks = vsanon.track(vsanon.detect(clip, classes=("plate",)))
        >>> covered = vsanon.blur(clip, tracks)
        >>> bytes(covered.get_frame(0)[0]) == bytes(clip.get_frame(0)[0])  # nothing is there
        True
    """
    clip_format = format_of(clip)
    _check(clip, tracks, shapes, grid, on_missing)
    if profile not in PROFILES:
        raise InputError(f"profile is one of {', '.join(PROFILES)}, not {profile!r}")
    if fill != SURROUNDINGS and not (len(fill) == 3 and all(isinstance(v, int) and 0 <= v <= 255 for v in fill)):
        raise InputError(f"fill is {SURROUNDINGS!r} or a colour of three whole numbers from 0 to 255, got {fill!r}")
    if picture is not None and not isinstance(picture, Sticker):
        raise InputError(f"picture is a Sticker, got {type(picture).__name__}: read it with picture_of(PATH)")
    # What the first frame shows is refused here, and not hours later at the first frame with a region.
    first = first_props(clip)
    clip_format.samples(first)
    if profile == "cosmetic" and is_interlaced(first):
        raise InputError("cosmetic would blur across the fields of interlaced frames; deinterlace or use strict")
    if profile in (*AVERAGED, "picture") or (not isinstance(fill, str) and len(set(fill)) > 1):
        say_assumed(clip_format, first)

    tracks = around(clip, tracks, profile=profile, shapes=shapes, grid=grid, fill=fill)

    def run(_: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        source, data, *shown = f
        out = source.copy()
        boxes = boxes_of(data.props, clip_format.size, on_missing)
        verdict = _compared(data, shown, boxes, clip_format.size, source.props)
        props.write(out.props, boxes, clip_format.size)
        out.props[props.PICTURE] = verdict
        if props.MISSING in data.props:
            out.props[props.MISSING] = data.props[props.MISSING]
        for name in (props.CUT, props.SEARCHED):
            if name in data.props:
                out.props[name] = data.props[name]
        if len(boxes):
            layout, fmt = clip_format.layout(source.props), clip_format.samples(source.props)
            near = props.read_around(data.props, len(boxes), layout.planes)
            paint(_planes(out), boxes.xyxy, boxes.classes, boxes.swatches, layout=layout, fmt=fmt, profile=profile,
                  shapes=shapes, grid=grid, fill=fill, picture=picture, outlines=boxes.outlines,
                  tones=None if near is None else near[:, 1])  # fmt: skip
            if "_Alpha" in source.props:
                _cover_alpha(out, source.props["_Alpha"], boxes, layout, shapes, grid)
        return out

    return modify("blur", [clip, tracks, *([miniatures_of(clip)] if same_picture else [])], run)


@named
def mask(
    clip: vs.VideoNode,
    tracks: vs.VideoNode,
    *,
    shapes: Mapping[str, Shape] = SHAPES,
    grid: int = GRID,
    on_missing: str = "error",
    same_picture: bool = True,
) -> vs.VideoNode:
    """The matte of what `blur` covers.

    Returns:
        A GRAY clip of the clip's size, depth and sample type, full range: the greatest value where nothing of
        the source is left, 0 where all is.

    Raises:
        vs.Error: as for `blur`.

    Examples:
        >>> import vapoursynth as vs, vsanon
        >>> clip = vs.core.std.BlankClip(None, 320, 180, vs.YUV420P8, 3, 25, 1)
        >>> tracks = vsanon.track(vsanon.detect(clip, classes=("plate",)))
        >>> matte = vsanon.mask(clip, tracks)
        >>> matte.format.name, max(matte.get_frame(0)[0].tobytes())
        ('Gray8', 0)
    """
    clip_format = format_of(clip)
    _check(clip, tracks, shapes, grid, on_missing)
    gray = vs.core.query_video_format(vs.GRAY, vs.FLOAT if clip_format.is_float else vs.INTEGER, clip_format.bits)
    blank = vs.core.std.BlankClip(clip, format=gray.id, color=0, keep=True)
    blank = blank.std.CopyFrameProps(clip).std.RemoveFrameProps(["_Matrix", "_Alpha", "_ChromaLocation"])
    blank = blank.std.SetFrameProps(_Range=int(vs.RANGE_FULL))
    peak = np.float32(SampleFormat("gray", clip_format.bits, clip_format.is_float, True).peak)

    def run(_: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        out, data, *shown = f[0].copy(), *f[1:]
        boxes = boxes_of(data.props, clip_format.size, on_missing)
        out.props[props.PICTURE] = _compared(data, shown, boxes, clip_format.size, f[0].props)
        if len(boxes):
            layout = FrameLayout(clip_format.size, planes=1, interlaced=is_interlaced(out.props))
            regions = masks_of(boxes.xyxy, shapes_of(boxes.classes, shapes, boxes.outlines), layout, grid)
            weight = combine(regions, layout, 0) * peak
            plane = np.asarray(out[0])
            plane[:] = weight if clip_format.is_float else np.floor(weight + 0.5)
        return out

    return modify("mask", [blank, tracks, *([miniatures_of(clip)] if same_picture else [])], run)


@named
def overlay(clip: vs.VideoNode, tracks: vs.VideoNode) -> vs.VideoNode:
    """Draw boxes, ids and scores for quality control.

    Green is detected, yellow interpolated, orange held, blue manual.

    Raises:
        vs.Error: as for `blur`; a frame that was never searched, or shows another picture than the one analysed,
            says so in the picture.

    Examples:
        >>> import vapoursynth as vs, vsanon
        >>> clip = vs.core.std.BlankClip(None, 320, 180, vs.YUV420P8, 3, 25, 1)
        >>> tracks = vsanon.track(vsanon.detect(clip, classes=("plate",)))
        >>> vsanon.overlay(clip, tracks).num_frames
        3
    """
    clip_format = format_of(clip)
    require_same("track", clip, tracks)
    clip_format.samples(first_props(clip))

    def run(_: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        out = f[0].copy()
        ink = np.zeros((clip_format.size[1], clip_format.size[0]), np.uint8)
        if props.is_known(f[1].props):
            boxes = props.read_tracked(f[1].props, clip_format.size)
            try:
                require_same_picture(f[1], f[2], boxes.xyxy, clip_format.size, f[0].props)
            except CheckError as error:
                _write(ink, str(error).split(". ")[0], (8, 32), 1 + len(Origin))
            for box, score, name, id_, origin in zip(
                boxes.xyxy, boxes.scores, boxes.classes, boxes.ids, boxes.origins, strict=True
            ):
                _frame(ink, box, 1 + origin)
                _write(ink, f"{name} {id_} {score:.2f}", (int(box[0]), int(box[1]) - 4), 1 + origin)
        else:
            _write(ink, "no detection was made for this frame", (8, 32), 1 + len(Origin))
        if ink.any():
            _print(_planes(out), ink, clip_format.samples(out.props), clip_format.layout(out.props))
        return out

    return modify("overlay", [clip, tracks, miniatures_of(clip)], run)


def _check(
    clip: vs.VideoNode, tracks: vs.VideoNode, shapes: Mapping[str, Shape], grid: int, on_missing: str
) -> None:
    """Raise where the arguments of `blur` and `mask` can't be used."""
    require_same("track", clip, tracks)
    if on_missing not in ("error", "mask"):
        raise InputError(f'on_missing is "error" or "mask", not {on_missing!r}')
    if not isinstance(grid, int) or not 1 <= grid <= 128:
        raise InputError(f"grid is a block size from 1 to 128 pixels, got {grid!r}")
    if not isinstance(shapes, Mapping) or not all(isinstance(s, Shape) for s in shapes.values()):
        raise InputError(f"shapes gives a Shape to each class, got {shapes!r}")


def boxes_of(data: Mapping[str, Any], size: tuple[int, int], on_missing: str) -> TrackedBoxes:
    """The boxes of a frame; the whole frame where nothing is known of it and the user chose that."""
    if not props.is_known(data) and on_missing == "mask":
        whole = np.array([[0, 0, *size]], np.float32)
        swatches = np.full((1, 5, 5, 3), 128, np.uint8)
        return TrackedBoxes(whole, np.zeros(1, np.float32), ("frame",), (0,), (Origin.MANUAL,), swatches)
    return props.read_tracked(data, size)


def _compared(
    data: vs.VideoFrame,
    shown: Sequence[vs.VideoFrame],
    boxes: TrackedBoxes,
    size: tuple[int, int],
    before: Mapping[str, Any],
) -> str:
    """What came of comparing a frame with the one analysed, where its miniature is at hand."""
    own = [require_same_picture(data, frame, boxes.xyxy, size, before) for frame in shown]
    return worse(own[0] if own else Verdict.UNCHECKED, data.props.get(props.PICTURE)).value


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
    """Make the attached alpha opaque where the picture was covered: its outline could show a face's.

    Raises:
        InputError: the alpha is not of the clip's size.
    """
    if (alpha.width, alpha.height) != layout.size:
        raise InputError(
            f"the attached alpha is {alpha.width}x{alpha.height}, the clip {layout.size[0]}x{layout.size[1]}: "
            "resize it before std.ClipToProp, or leave it off with std.RemoveFrameProps('_Alpha')"
        )
    covered = alpha.copy()
    fmt = SampleFormat("gray", alpha.format.bits_per_sample, alpha.format.sample_type == vs.FLOAT, True)
    paint_alpha(_planes(covered), boxes.xyxy, boxes.classes, layout=layout, fmt=fmt, shapes=shapes, grid=grid,
                outlines=boxes.outlines)  # fmt: skip
    out.props["_Alpha"] = covered


def _frame(ink: NDArray[np.uint8], box: NDArray[Any], number: int) -> None:
    x0, y0, x1, y1 = (round(float(v)) for v in box)
    cv2.rectangle(ink, (x0, y0), (x1 - 1, y1 - 1), number, 2)


def _write(ink: NDArray[np.uint8], text: str, at: tuple[int, int], number: int) -> None:
    """Write at a place (left, base line), moved so that all of the text is seen."""
    height, width = ink.shape
    scale, thickness = max(0.4, height / 1800), max(1, height // 720)
    (text_width, text_height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)
    at = (max(2, min(at[0], width - text_width)), max(text_height + 2, min(at[1], height - 4)))
    cv2.putText(ink, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, number, thickness)


def _print(
    planes: Callable[[int], NDArray[Any]], ink: NDArray[np.uint8], fmt: SampleFormat, layout: FrameLayout
) -> None:
    """Put what was drawn, as numbers of colours, into the planes; OpenCV itself writes 8-bit samples only."""
    colours = [*(_COLOURS[origin] for origin in Origin), (255, 0, 0)]
    codes = rgb_to_code(np.array([(0, 0, 0), *colours], np.uint8), fmt)
    columns, rows = cv2.findNonZero(ink).reshape(-1, 2).astype(np.intp).T
    numbers = ink[rows, columns]
    for p in range(layout.planes):
        ssw, ssh = layout.subsampling if p else (0, 0)
        planes(p)[rows >> ssh, columns >> ssw] = codes[numbers, p]
