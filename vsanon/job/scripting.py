"""What the scripts for vspipe and editors share: a file and its tracks, from what `vspipe -a` hands over."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vsanon import filters
from vsanon.covering.choices import shapes_of
from vsanon.covering.masks import Shape
from vsanon.detectors.search import Search
from vsanon.errors import InputError
from vsanon.media.source import open_clip


@dataclass(frozen=True, slots=True)
class Footage:
    """A clip, the tracks that cover it, the block grid of the codec that it was read from, and masks' shapes."""

    clip: filters.VideoNode
    tracks: filters.VideoNode
    grid: int
    shapes: Mapping[str, Shape]


def footage(arguments: Mapping[str, Any]) -> Footage:
    """Open what a script's arguments name.

    Args:
        arguments: `source`, the file; `tracks`, its track file, without which it is searched on the way; and for
            the search `classes`, comma-separated, and `setting`; for the masks `margin` and `feather`, as on the
            command line, several after each other with spaces between.

    Raises:
        InputError: `source` is missing, or a path is not absolute.
        Others as for `open_clip`, `filters.detect` and `filters.load`.
    """
    if "source" not in arguments:
        raise InputError("name the file with -a source=FILE")
    clip, video = open_clip(_path(arguments, "source"))
    if "tracks" in arguments:
        tracks = filters.load(clip, _path(arguments, "tracks"))
    else:
        search = Search()
        if "classes" in arguments:
            search = replace(search, classes=str(arguments["classes"]).split(","))
        if "setting" in arguments:
            search = replace(search, setting=arguments["setting"])
        tracks = filters.track(filters.detect(clip, search))
        filters.hold(clip)
    margins, feathers = (str(arguments.get(name, "")).split() for name in ("margin", "feather"))
    return Footage(clip, tracks, filters.grid_of(video.codec), shapes_of(margins, feathers))


def _path(arguments: Mapping[str, Any], name: str) -> Path:
    path = Path(arguments[name])
    if not path.is_absolute():
        raise InputError(
            f'vspipe runs a script in the script\'s own folder: give all of the path, {name}="$PWD/{path}"'
        )
    return path
