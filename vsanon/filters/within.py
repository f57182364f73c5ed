"""`within`: tracks that cover a part of a clip only; what lies outside of it was not searched, and is shown."""

from collections.abc import Sequence

import numpy as np
import vapoursynth as vs

from vsanon.detections import TrackedBoxes, no_swatches
from vsanon.filters import props
from vsanon.filters.clips import format_of, modify, named
from vsanon.filters.same_picture import miniatures_of
from vsanon.timing import FrameRange


@named
def within(clip: vs.VideoNode, tracks: vs.VideoNode, part: FrameRange) -> vs.VideoNode:
    """The data clip of `track` or `load`, with the boxes of a part; the frames outside are marked as not searched.

    Raises:
        vs.Error: a clip of a format that is not supported.
    """
    size = format_of(clip).size
    none = TrackedBoxes(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), (), (), (), no_swatches(0))

    def bare(_: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        out = f[0].copy()
        props.write(out.props, none, size)
        out.props[props.SEARCHED] = out.props[props.CUT] = 0
        return out

    outside = modify("within", [miniatures_of(clip)], bare)
    parts = [outside[: part.start]] if part.start else []
    parts.append(tracks[part.start : part.stop])
    parts += [outside[part.stop :]] if part.stop < clip.num_frames else []
    return vs.core.std.Splice(parts) if len(parts) > 1 else parts[0]
