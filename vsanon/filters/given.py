"""`given`: boxes that are known beforehand, as `detect` would have found them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import vapoursynth as vs

from vsanon.covering.swatches import sample_swatches
from vsanon.detections import Detections
from vsanon.errors import InputError
from vsanon.filters import props
from vsanon.filters.clips import flat, format_of, luma_of, modify, named
from vsanon.filters.detect import with_changes
from vsanon.filters.same_picture import miniatures_of


@named
def given(clip: vs.VideoNode, boxes: Sequence[Detections], *, seed: int = 0) -> vs.VideoNode:
    """A data clip for `track` whose boxes are given, and whose colours are sampled as `detect` samples them.

    Args:
        clip: YUV with a matrix in its frames' properties.
        boxes: of each frame.
        seed: as for `detect`.

    Raises:
        vs.Error: there are not as many boxes as frames.
    """
    clip_format = format_of(clip)
    if len(boxes) != clip.num_frames:
        raise InputError(f"{clip.num_frames} frames need as many lists of boxes, got {len(boxes)}")

    def run(n: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        out = f[0].copy()
        rgb = np.stack([np.asarray(f[1][p]) for p in range(3)])
        swatches = sample_swatches(rgb, boxes[n].xyxy, n, seed)
        props.write(out.props, replace(boxes[n], swatches=swatches), clip_format.size)
        out.props[props.SEARCHED] = 1
        return out

    data = with_changes(miniatures_of(clip), luma_of(clip, clip_format))
    return modify("given", [data, flat(clip).resize.Bilinear(format=vs.RGB24)], run)
