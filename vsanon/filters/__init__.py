"""The VapourSynth face: detect, track, load, mask, blur, overlay and anonymize, each from clip to clip.

Every frame of every clip made here is a pure function of the source, the settings and `n`; callbacks keep
nothing that an answer depends on.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import vapoursynth as vs
from vapoursynth import VideoFrame, VideoNode  # for whoever hands clips and frames on, and only names their types

from vsanon.covering.block_grid import GRID, grid_of
from vsanon.covering.effects import FILL, Fill
from vsanon.covering.pictures import Sticker
from vsanon.covering.shapes import SHAPES, Shape
from vsanon.detectors.search import Search
from vsanon.errors import InputError
from vsanon.filters.around import around
from vsanon.filters.clips import named
from vsanon.filters.detect import detect, settled
from vsanon.filters.given import given
from vsanon.filters.hold import hold, keep_searched
from vsanon.filters.load import load, load_table
from vsanon.filters.paint import blur, mask, overlay
from vsanon.filters.track import settings_of, track
from vsanon.filters.within import within
from vsanon.tracking.settings import TrackSettings

__all__ = [
    "GRID",
    "VideoFrame",
    "VideoNode",
    "anonymize",
    "around",
    "blur",
    "detect",
    "given",
    "grid_of",
    "hold",
    "keep_searched",
    "load",
    "load_table",
    "mask",
    "overlay",
    "settled",
    "track",
    "within",
]


@named
def anonymize(
    clip: vs.VideoNode,
    search: Search | None = None,
    *,
    settings: TrackSettings | None = None,
    profile: str = "strict",
    shapes: Mapping[str, Shape] = SHAPES,
    grid: int = GRID,
    fill: Fill = FILL,
    picture: Sticker | None = None,
    on_missing: str = "error",
    same_picture: bool = True,
    seed: int = 0,
    on_error: str | None = None,
    **keywords: Any,
) -> vs.VideoNode:
    """`detect`, `track` and `blur` in one.

    Args:
        clip, search, seed: as for `detect`.
        settings: as for `track`.
        profile, shapes, grid, fill, picture, same_picture: as for `blur`.
        on_missing: as for `blur`; with "mask", frames on which the model fails are covered whole.
        on_error: as for `detect`; None goes by `on_missing`.
        keywords: fields of `Search` and of `TrackSettings` by name, such as `provider="cuda", lead_s=1.0`.

    Raises:
        vs.Error: as for the three.

    Examples:
        >>> import vapoursynth as vs, vsanon
        >>> clip = vs.core.std.BlankClip(None, 320, 180, vs.YUV420P8, 3, 25, 1)
        >>> covered = vsanon.anonymize(clip, classes=("plate",), profile="soft")
        >>> covered.width, covered.height, covered.num_frames
        (320, 180, 3)
    """
    of_track = {entry.name for entry in fields(TrackSettings)}
    known = {entry.name for entry in fields(Search)} | of_track
    if unknown := [name for name in keywords if name not in known]:
        raise InputError(f"there is no {unknown[0]!r}; of search and tracks there are {', '.join(sorted(known))}")
    chosen = settings_of(settings, {name: value for name, value in keywords.items() if name in of_track})
    asked = {name: value for name, value in keywords.items() if name not in of_track}
    held = hold(clip, chosen)
    found = detect(
        held.searched,
        search,
        seed=seed,
        on_error=on_error or ("mark" if on_missing == "mask" else "raise"),
        **asked,
    )
    tracks = around(held.waiting, track(found, chosen), profile=profile, shapes=shapes, grid=grid, fill=fill)
    return blur(
        held.covered, tracks, profile=profile, shapes=shapes, grid=grid, fill=fill, picture=picture,
        on_missing=on_missing, same_picture=same_picture,
    )  # fmt: skip
