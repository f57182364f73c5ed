"""The small picture that a data clip carries of every frame, and the check that a clip still shows it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import vapoursynth as vs

from vsanon.boxes import F32
from vsanon.errors import CheckError
from vsanon.filters import props
from vsanon.filters.clips import flat, format_of, luma_of
from vsanon.tracking.miniature import miniature_size
from vsanon.tracking.same_picture import Verdict, compare

_WORST_LAST = (Verdict.SAME, Verdict.CHANGED, Verdict.UNKNOWN, Verdict.UNCHECKED)


def miniatures_of(clip: vs.VideoNode) -> vs.VideoNode:
    """A data clip as long as `clip` without properties: each frame is the miniature of the clip's.

    So whatever becomes of a data clip, boxes and the picture that they belong to stay together.
    """
    clip_format = format_of(clip)
    width, height = miniature_size(clip_format.size)
    if clip_format.family == "rgb":
        whole = flat(clip).std.RemoveFrameProps(["_Matrix"])
        small = whole.resize.Bilinear(width, height, format=vs.GRAY16, matrix=vs.MATRIX_BT709)
    else:
        small = luma_of(clip, clip_format).resize.Bilinear(width, height, format=vs.GRAY16)
    return small.std.RemoveFrameProps()


def require_same_picture(
    analysed: vs.VideoFrame | np.ndarray[Any, np.dtype[np.uint16]],
    shown: vs.VideoFrame,
    boxes: F32,
    size: tuple[int, int],
    before: Mapping[str, Any],
) -> Verdict:
    """Whether a frame shows the picture that its boxes were made from.

    Args:
        analysed: the frame of the data clip, or a miniature.
        shown: the frame of `miniatures_of`, of the clip to be covered.
        boxes: (n, 4) what covers the frame, pixels.
        size: (width, height) of the clip, pixels.
        before: the properties of the clip's frame: what `blur` has covered there already is not compared.

    Raises:
        CheckError: it shows another picture.
    """
    wanted = analysed if isinstance(analysed, np.ndarray) else np.asarray(analysed[0])
    painted = props.read_tracked(before, size).xyxy if props.TRACKED in before else None
    likeness = compare(wanted, np.asarray(shown[0]), boxes, size, painted)
    if likeness.verdict is Verdict.OTHER:
        raise CheckError(
            f"the picture is not the one that was analysed: {likeness.why}. Search this very clip, with detect or "
            "`vsanon analyze`, after every flip, crop, trim, reorder and title; or cover it all the same with "
            "same_picture=False (`--any-picture` on the command line)"
        )
    return likeness.verdict


def worse(one: Verdict, other: Any) -> Verdict:
    """Of two verdicts that which says less; `other` as a frame's property, or None."""
    return max(one, Verdict(props.text(other)) if other is not None else Verdict.SAME, key=_WORST_LAST.index)
