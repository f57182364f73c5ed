"""What of the picture is shown: its hidden edges cut off, its fields in order, its samples in one format."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import vapoursynth as vs

from vsanon.errors import InputError
from vsanon.media import VideoFacts
from vsanon.media.advice import DAMAGED

ONE_FORMAT = (
    "convert it to one first, such as ffmpeg -i IN -map 0:v:0 -map 0:a? -vf scale=1920:1080,format=yuv420p "
    "-c:v ffv1 -c:a copy OUT.mkv, and look whether the shapes are right"
)
"""What to do with a picture that changes its size or format."""

UNCROPPED = (
    "save it without that, and look whether there is anything to see (ffmpeg -apply_cropping none -i IN -map 0:v:0 "
    "-map 0:a? -c:v ffv1 -c:a copy OUT.mkv)"
)

_LOOKED_AT = 16
"""Frames by which fields are told where each frame may have them or not: some more than a group of B-frames."""


def constant(path: Path, clip: vs.VideoNode) -> vs.VideoNode:
    """The clip in samples that filters take.

    Raises:
        InputError: its format or size changes on the way.
    """
    if clip.format is None or clip.format.color_family == vs.UNDEFINED or clip.width == 0:
        raise InputError(f"{path}: its format or size changes within the stream: {ONE_FORMAT}")
    if clip.format.sample_type == vs.FLOAT and clip.format.bits_per_sample == 16:
        clip = clip.resize.Point(format=_single(clip.format))  # exact; no filter paints halves
    return clip


def _single(found: vs.VideoFormat) -> int:
    """The format with floats of 32 bits."""
    return vs.core.query_video_format(
        found.color_family, vs.FLOAT, 32, found.subsampling_w, found.subsampling_h
    ).id  # fmt: skip


_SIDES = ("left", "top", "right", "bottom")


def shown(path: Path, clip: vs.VideoNode, video: VideoFacts) -> tuple[vs.VideoNode, tuple[str, ...]]:
    """The clip without the edges that its container hides, and what else of the picture it does not have, in words.

    VapourSynth holds no picture of odd size whose chroma is halved, and its reader leaves the last column or row
    off, before it turns the picture. Such chroma can't be cut at an odd place either: there one column or row more
    is hidden, never one less.
    """
    if video.turns_itself and video.turn != (1, 0, 0, 1):  # which BestSource passes over
        clip = _with_alpha(path, clip, partial(_upright, turn=video.turn))
    assert clip.format is not None
    width, height = (clip.width, clip.height) if video.turn[0] else (clip.height, clip.width)
    gone = _turned((0, 0, max(video.size[0] - width, 0), max(video.size[1] - height, 0)), video.turn)
    across, down = 1 << clip.format.subsampling_w, 1 << clip.format.subsampling_h
    if video.field_order not in ("progressive", "unknown"):
        down *= 2  # both fields lose as many rows, so that which of them comes first stays
    hidden = _turned(video.crop, video.turn)
    asked = [max(edge - less, 0) for edge, less in zip(hidden, gone, strict=True)]
    cut = [-(-edge // step) * step for edge, step in zip(asked, (across, down, across, down), strict=True)]
    if cut[0] + cut[2] >= clip.width or cut[1] + cut[3] >= clip.height:
        raise InputError(f"{path}: its container crops the whole picture away: {UNCROPPED}")
    if any(cut):
        clip = _with_alpha(path, clip, partial(_cropped, edges=cut))
    less = [c + g - edge for c, g, edge in zip(cut, gone, hidden, strict=True)]
    return clip, tuple(
        f"{count} {'column' if n % 2 == 0 else 'row'}{'s' if count > 1 else ''} of the picture at the {_SIDES[n]}: "
        "where chroma is halved, sizes and places are even here"
        for n, count in enumerate(less)
        if count > 0
    )


def _upright(clip: vs.VideoNode, turn: tuple[int, int, int, int]) -> vs.VideoNode:
    """Turned and mirrored by `turn` of `VideoFacts`."""
    a, b, c, d = turn
    clip = clip if a else clip.std.Transpose()
    clip = clip.std.FlipHorizontal() if min(a, c) < 0 else clip
    return clip.std.FlipVertical() if min(b, d) < 0 else clip


def _cropped(clip: vs.VideoNode, edges: Sequence[int]) -> vs.VideoNode:
    left, top, right, bottom = edges
    return clip.std.Crop(left=left, top=top, right=right, bottom=bottom)


def _with_alpha(path: Path, clip: vs.VideoNode, done: Callable[[vs.VideoNode], vs.VideoNode]) -> vs.VideoNode:
    """What is done to a clip is done to its alpha, too."""
    alpha = "_Alpha" in _props(path, clip, 0)
    inner = done(clip)
    return inner.std.ClipToProp(done(clip.std.PropToClip("_Alpha")), "_Alpha") if alpha else inner


def _props(path: Path, clip: vs.VideoNode, n: int) -> dict[str, Any]:
    """The properties of a frame.

    Raises:
        InputError: it can't be decoded.
    """
    try:
        with clip.get_frame(n) as frame:
            return dict(frame.props)
    except vs.Error as error:
        raise InputError(f"{path}: frame {n} can't be decoded: {error}.{DAMAGED}") from error


def _turned(edges: tuple[int, int, int, int], turn: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of a picture once it is turned and mirrored, by `turn` of `VideoFacts`."""
    a, b, c, d = turn
    outward = ((-1, 0), (0, -1), (1, 0), (0, 1))
    place = {(a * x + c * y, b * x + d * y): edge for (x, y), edge in zip(outward, edges, strict=True)}
    left, top, right, bottom = (place[side] for side in outward)
    return left, top, right, bottom


def with_fields(clip: vs.VideoNode, order: str) -> vs.VideoNode:
    """The clip with one field order: some frames of an interlaced stream are flagged progressive, and covering by
    field is right for both."""
    if order == "progressive":
        return clip
    return clip.std.SetFieldBased(int(vs.FIELD_TOP if order == "tt" else vs.FIELD_BOTTOM))


def field_order(path: Path, clip: vs.VideoNode, video: VideoFacts) -> str:
    """Which field is shown first: as the first frame says, else as the container does.

    "tb" and "bt" also tell how fields are stored: their lines interleaved, and the top field shown first, or the
    bottom field (RFC 9559, 5.1.4.1.28.2, values 9 and 14). ffmpeg writes them so, though its header differs.
    H.264 and MPEG-2 choose for each frame whether it is coded as one picture or as two fields, and readers tell no
    more than of the first one; so some more are looked at.

    Raises:
        InputError: one of them can't be decoded.
    """
    by_frame = {int(vs.FIELD_TOP): "tt", int(vs.FIELD_BOTTOM): "bb"}
    by_container = {"tt": "tt", "tb": "tt", "bb": "bb", "bt": "bb"}
    many = min(_LOOKED_AT if video.codec in ("h264", "mpeg2video") else 1, clip.num_frames)
    for n in range(many):
        if (flag := int(_props(path, clip, n).get("_FieldBased", 0))) in by_frame:
            return by_frame[flag]
    return by_container.get(video.field_order, "progressive")
