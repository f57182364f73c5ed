"""The VapourSynth face: detect, track, load, mask, blur, overlay and anonymize, each from clip to clip.

Every frame of every clip made here is a pure function of the source, the settings and `n`; callbacks keep
nothing that an answer depends on.
"""

from collections.abc import Sequence
from typing import Any

import vapoursynth as vs

from vsanon.detectors.recipes import DEFAULT
from vsanon.detectors.zones import Zone
from vsanon.filters.clips import named
from vsanon.filters.detect import DEFAULT_MODELS, Models, detect
from vsanon.filters.load import load
from vsanon.filters.paint import GRID, blur, grid_of, mask, overlay
from vsanon.filters.track import hold, track
from vsanon.tracking.cover import TrackSettings

__all__ = [
    "DEFAULT_MODELS",
    "GRID",
    "anonymize",
    "blur",
    "detect",
    "grid_of",
    "hold",
    "load",
    "mask",
    "overlay",
    "track",
]


@named
def anonymize(
    clip: vs.VideoNode,
    *,
    classes: Sequence[str] = ("face",),
    models: Models | None = None,
    setting: str = DEFAULT,
    size: int | None = None,
    threshold: float | None = None,
    stride: int | str = 1,
    ignore: Sequence[Zone] = (),
    settings: TrackSettings | None = None,
    on_missing: str = "error",
    **painting: Any,
) -> vs.VideoNode:
    """`detect`, `track` and `blur` in one.

    Args:
        clip, classes, models, setting, size, threshold, stride, ignore: as for `detect`.
        settings: as for `track`.
        on_missing: as for `blur`; with "mask", frames on which the model fails are covered whole.
        painting: further arguments of `blur`.

    Raises:
        vs.Error: as for the three.
    """
    on_error = "mark" if on_missing == "mask" else "raise"
    search: dict[str, Any] = {
        "models": models,
        "setting": setting,
        "size": size,
        "threshold": threshold,
        "stride": stride,
        "ignore": ignore,
    }
    found = detect(clip, classes=classes, on_error=on_error, **search)
    hold(clip, settings)
    return blur(clip, track(found, settings), on_missing=on_missing, **painting)
