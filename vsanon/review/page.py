"""One HTML page to look through the tracks of a clip: self-contained, and where misses hide comes first.

The page holds pictures of people unless they are masked: it is personal data either way. It loads nothing and
sends nothing; a content security policy in its head says so to the browser.
"""

import base64
import html
import json
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon import filters
from vsanon.errors import CheckError, InputError
from vsanon.files import write_output
from vsanon.job.frames import our_errors, picture
from vsanon.job.settings import video_track_of
from vsanon.media.source import bound_cache, open_source
from vsanon.review.crops import cover, crop
from vsanon.review.moments import LOW_SCORE, Moment, command_of, moments, rows_by_track
from vsanon.tracks import edit_words, edits
from vsanon.tracks.file import read_tracks
from vsanon.tracks.table import TrackTable

MAX_MOMENTS = 400


def write_page(
    output: Path, tracks: Path, source: Path, *, reveal: bool = False, same_picture: bool = True
) -> int:  # fmt: skip
    """Write the page.

    Args:
        output: the HTML file.
        tracks: the track file.
        source: its clip.
        reveal: show what is covered.
        same_picture: as for `filters.load`: each frame that is shown must be the one analysed.

    Returns:
        The number of moments on it.

    Raises:
        InputError: a file can't be read or written, or the tracks belong to another clip.
        CheckError: a frame shows another picture than the one analysed.
    """
    bound_cache()
    clip = open_source(source, video_track_of(read_tracks(tracks).header)).clip
    with our_errors(InputError):
        data = filters.load(clip, tracks, same_picture=same_picture)
        shown = clip if reveal else filters.blur(clip, data, same_picture=same_picture)
    raw = read_tracks(tracks)
    table = edits.apply(raw)
    listed = moments(table)
    # What was exposed on purpose stays masked here too.
    with our_errors(CheckError):
        pictures = _pictures(shown, data, listed[:MAX_MOMENTS], None if reveal else raw)
    content = {
        "name": source.name,
        "frames": len(table),
        "fps": float(table.fps),
        "cuts": list(table.cuts),
        "axis": [_time(k * len(table) // 8, table) for k in range(9)],
        "revealed": reveal,
        "left_out": max(len(listed) - MAX_MOMENTS, 0),
        "lanes": _lanes(table),
        "edits": [
            {
                "number": e.number,
                "at": e.at,
                "by": e.by,
                "what": edit_words.describe(e, table.clock),
                "reason": e.reason,
            }
            for e in edits.edits_of(raw)
        ],
        "moments": [
            {"frame": m.frame, "time": _time(m.frame, table), "track": m.track, "why": m.why, "rank": m.rank,
             "command": command_of(m, str(tracks)), "picture": p}
            for m, p in zip(listed, pictures, strict=False)
        ],
    }  # fmt: skip
    template = (resources.files("vsanon") / "review" / "page.html").read_text(encoding="utf-8")
    # Within a script element, JSON must not be able to end it; the page itself sets text, never HTML.
    data_text = json.dumps(content, allow_nan=False).replace("<", "\\u003c").replace("&", "\\u0026")
    page = template.replace("__TITLE__", html.escape(source.name)).replace("__DATA__", data_text)
    write_output(output, page.encode())
    return len(content["moments"])  # type: ignore[arg-type]


def _lanes(table: TrackTable) -> list[dict[str, Any]]:
    """Of each identity its class, and its spans as [start, stop, origin letter, low score]."""
    frames = table.frames
    lanes = []
    for track, rows in rows_by_track(table):
        _, first = np.unique(frames[rows], return_index=True)
        rows = rows[first]
        at, origins = frames[rows], table.origins[rows]
        low = table.scores[table.runs[rows]] < LOW_SCORE
        breaks = (np.diff(at) > 1) | (np.diff(origins.astype(int)) != 0) | (np.diff(low.astype(int)) != 0)
        spans = [
            [int(at[part[0]]), int(at[part[-1]]) + 1, int(origins[part[0]]), bool(low[part[0]])]
            for part in np.split(np.arange(len(rows)), np.flatnonzero(breaks) + 1)
        ]
        lanes.append({"track": track, "label": table.classes[int(table.runs[rows[0]])], "spans": spans})
    return lanes


def _pictures(clip: Any, data: Any, listed: list[Moment], found: TrackTable | None) -> list[str]:
    """A JPEG of the surroundings of each moment, as a data URL; what was `found` is painted over."""
    made: dict[int, str] = {}
    picture_at: tuple[int, NDArray[np.uint8]] | None = None
    # By frame, so that each is decoded once and in order.
    for k in sorted(range(len(listed)), key=lambda k: listed[k].frame):
        moment = listed[k]
        if picture_at is None or picture_at[0] != moment.frame:
            with data.get_frame(moment.frame):  # which compares this very frame
                pass
            picture_at = (moment.frame, picture(clip, moment.frame).copy())
            if found is not None:
                cover(picture_at[1], found.at(moment.frame))
        made[k] = "data:image/jpeg;base64," + base64.b64encode(crop(picture_at[1], moment.box)).decode()
    return [made[k] for k in range(len(listed))]


def _time(n: int, table: TrackTable) -> str:
    """The timecode of a frame, or its time from the start."""
    if table.clock is not None:
        return table.clock.at(n)
    seconds = float(n / table.fps)
    return f"{int(seconds // 60)}:{seconds % 60:06.3f}"
