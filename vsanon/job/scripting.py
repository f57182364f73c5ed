"""What the scripts for vspipe and editors share: a file and its tracks, from what `vspipe -a` hands over."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vsanon import filters
from vsanon.covering.choices import growths_of, shapes_of
from vsanon.covering.shapes import Shape
from vsanon.detectors.search import Search
from vsanon.errors import InputError
from vsanon.job.settings import video_track_of
from vsanon.media.intact import intact_to_the_end
from vsanon.media.source import open_clip
from vsanon.tracking.settings import GROWTH
from vsanon.tracks.file import read_tracks


@dataclass(frozen=True, slots=True)
class Footage:
    """What a script covers, and how: the source codec's block grid, `same_picture`, and the masks' shapes."""

    clip: filters.VideoNode
    tracks: filters.VideoNode
    grid: int
    same_picture: bool
    shapes: Mapping[str, Shape]


def footage(arguments: Mapping[str, Any], *, intact: bool = True) -> Footage:
    """Open what a script's arguments name.

    Args:
        arguments: `source`, the file; `tracks`, its track file, without which it is searched on the way, and with
            `any_picture`, "yes", for frames that show another picture than the one analysed as well; for the search
            `classes`, comma-separated, and `setting`; for its tracks `growth`, and for the masks `margin` and
            `feather`, as on the command line, several after each other with spaces between.
        intact: the last frame is given only once all of the file was decoded a second time, without a complaint, as
            `vsanon anonymize` does; without it, damage that the reader conceals goes unnoticed.

    Raises:
        InputError: `source` is missing, or a path is not absolute.
        Others as for `open_clip`, `filters.detect` and `filters.load`.
    """
    if "source" not in arguments:
        raise InputError("name the file with -a source=FILE")
    said = str(arguments.get("any_picture", "no"))
    if said not in ("yes", "no"):
        raise InputError(f"any_picture is yes or no, not {said!r:.40}")
    same_picture = said == "no"
    file = _path(arguments, "tracks") if "tracks" in arguments else None
    track = None if file is None else video_track_of(read_tracks(file).header)
    clip, video = open_clip(_path(arguments, "source"), track)
    if intact:
        clip = intact_to_the_end(clip, _path(arguments, "source"), video)
    if file is not None:
        tracks = filters.load(clip, file, same_picture=same_picture)
    else:
        search = Search()
        if "classes" in arguments:
            search = replace(search, classes=str(arguments["classes"]).split(","))
        if "setting" in arguments:
            search = replace(search, setting=arguments["setting"])
        growth = growths_of(str(arguments.get("growth", "")).split()) or GROWTH
        held = filters.hold(clip)
        tracks, clip = filters.track(filters.detect(held.searched, search), growth=growth), held.covered
    margins, feathers = (str(arguments.get(name, "")).split() for name in ("margin", "feather"))
    return Footage(clip, tracks, filters.grid_of(video.codec), same_picture, shapes_of(margins, feathers))


def _path(arguments: Mapping[str, Any], name: str) -> Path:
    path = Path(arguments[name])
    if not path.is_absolute():
        raise InputError(
            f'vspipe runs a script in the script\'s own folder: give all of the path, {name}="$PWD/{path}"'
        )
    return path
