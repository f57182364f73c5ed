"""`track`: from what was found to the boxes that cover each frame."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import vapoursynth as vs

from vsanon.errors import InputError
from vsanon.filters.clips import fps_of, named, require_data
from vsanon.filters.track_blocks import in_blocks
from vsanon.tracking.settings import TrackSettings


@named
def track(
    found: vs.VideoNode, settings: TrackSettings | None = None, *, colours_later: bool = False, **keywords: Any
) -> vs.VideoNode:
    """Follow the detections over time, within a radius of frames around each frame.

    Args:
        found: the data clip of `detect`.
        settings: spans in seconds, scores and counts; see `TrackSettings`.
        colours_later: boxes are grey, and a later frame tells their colours, see `props.read_colours`: a frame
            needs fewer frames after it. For looks that don't paint from them.
        keywords: its fields by name, such as `lead_s=1.0`; they come before those of `settings`.

    Returns:
        A data clip whose boxes cover each frame: smoothed where detected, interpolated across gaps, held
        before a track's first and after its last detection, never carried across a cut.

    Raises:
        vs.Error: not a data clip of detections, or its rate is variable or unknown.

    Examples:
        >>> import vapoursynth as vs, vsanon
        >>> clip = vs.core.std.BlankClip(None, 320, 180, vs.YUV420P8, 3, 25, 1)
        >>> tracks = vsanon.track(vsanon.detect(clip, classes=("plate",)))
        >>> tracks.get_frame(2).props["VsanonTracked"]
        1
    """
    require_data("detect", found)
    chosen = settings_of(settings, keywords)
    return in_blocks(found, chosen, chosen.frames(fps_of(found)), colours_later=colours_later)


def settings_of(settings: TrackSettings | None, keywords: Mapping[str, Any]) -> TrackSettings:
    """Settings, or the default ones, with some of their fields given as keywords.

    Raises:
        InputError: a keyword is none of the fields, or has a value outside what it can be.
    """
    known = [entry.name for entry in fields(TrackSettings)]
    if unknown := [name for name in keywords if name not in known]:
        raise InputError(f"track settings have no {unknown[0]!r}; they have {', '.join(known)}")
    chosen = TrackSettings() if settings is None else settings
    if not isinstance(chosen, TrackSettings):
        raise InputError(f"settings is a TrackSettings, got {type(chosen).__name__}; name its fields as keywords")
    other = ("evidence", "growth") if isinstance(keywords.get("growth"), Mapping) else ("evidence",)
    for name, value in ((name, value) for name, value in keywords.items() if name not in other):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"{name} is a number, got {value!r}")
    return replace(chosen, **keywords)
