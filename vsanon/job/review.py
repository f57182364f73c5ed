"""One HTML page to look through the tracks of a clip: self-contained, and where misses hide comes first.

The page holds pictures of people unless they are masked: it is personal data either way. It loads nothing and
sends nothing; a content security policy in its head says so to the browser.
"""

import base64
import html
import json
import shlex
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon import filters
from vsanon.covering.effects import FILL
from vsanon.covering.shapes import grow, shape_of
from vsanon.detections import Origin, TrackedBoxes
from vsanon.errors import CheckError, InputError
from vsanon.files import write_atomic
from vsanon.job.frames import our_errors, picture
from vsanon.job.settings import video_track_of
from vsanon.media.source import bound_cache, open_source
from vsanon.timing import frames_for
from vsanon.tracks import edits
from vsanon.tracks.file import read_tracks
from vsanon.tracks.table import TrackTable

LOW_SCORE = 0.4
"""A track whose best detection scores less may be false."""
MAX_MOMENTS = 400
THUMB_PX = 240
_EDGE_PX = 4


@dataclass(frozen=True, slots=True)
class Moment:
    """Something to look at.

    Args:
        frame: the frame to show.
        track: the identity.
        why: what makes it worth a look.
        rank: the smaller, the sooner it is shown.
        box: x0, y0, x1, y1, pixels.
        command: what corrects it, for a shell; BY and REASON are for the reader to fill in.
    """

    frame: int
    track: int
    why: str
    rank: int
    box: tuple[float, float, float, float]
    command: str


def moments(table: TrackTable, tracks: str) -> list[Moment]:
    """What to look at, first where misses hide.

    First come starts and ends of a track inside the picture and inside a shot (was it there before, is it there
    after?), then long gaps that were bridged, then tracks that never scored well (is it a face at all?), then
    one moment of each other track.

    Args:
        table: with its edits applied.
        tracks: the track file's name, for the commands.
    """
    width, height = table.size
    hold = frames_for(1.0, table.fps)
    cuts = set(table.cuts) | {0, len(table)}
    frames = table.frames
    found: list[Moment] = []

    def add(rank: int, row: int, why: str, command: str) -> None:
        x0, y0, x1, y1 = (float(v) for v in table.xyxy[row])
        found.append(Moment(int(frames[row]), int(table.tracks[row]), why, rank, (x0, y0, x1, y1), command))

    for track in np.unique(table.tracks):
        rows = np.flatnonzero(table.tracks == track)
        name = f"--track {track}"
        if (table.origins[rows] == Origin.MANUAL).all():
            add(3, int(rows[0]), "a region by hand", _edit("undo", tracks, "--edit NUMBER", why=False))
            continue
        count = len(found)
        starts = np.flatnonzero(np.diff(frames[rows], prepend=-2) > 1)
        for part in np.split(rows, starts[1:]):
            first, last = int(part[0]), int(part[-1])
            start, stop = int(frames[first]), int(frames[last]) + 1
            before = f"{max(start - hold, 0)}:{start + 1}"
            after = f"{stop - 1}:{min(stop + hold, len(table))}"
            if start not in cuts and not _leaves(table.xyxy[first], width, height):
                add(
                    0, first, "starts here: was it there before?", _edit("keep", tracks, name, f"--frames {before}")
                )
            if stop not in cuts and not _leaves(table.xyxy[last], width, height):
                add(0, last, "ends here: is it there after?", _edit("keep", tracks, name, f"--frames {after}"))
            bridged = np.flatnonzero(table.origins[part] == Origin.INTERPOLATED)
            for gap in np.split(bridged, np.flatnonzero(np.diff(bridged) > 1) + 1):
                if len(gap) >= hold // 3:
                    row = int(part[gap[len(gap) // 2]])
                    key = ",".join(f"{v:g}" for v in table.xyxy[row])
                    command = _edit("move", tracks, name, f"--key {int(frames[row])}:{key}")
                    add(1, row, f"not found in {len(gap)} frames, bridged: does the box fit?", command)
        if table.scores[table.runs[rows]].max() < LOW_SCORE:
            best = int(rows[table.scores[table.runs[rows]].argmax()])
            add(1, best, "never scored well: is it one at all?", _edit("drop", tracks, name))
        if len(found) == count:
            middle = int(rows[len(rows) // 2])
            span = f"--frames {int(frames[rows[0]])}:{int(frames[rows[-1]]) + 1}"
            add(2, middle, "nothing stands out", _edit("expose", tracks, name, span))
    return sorted(found, key=lambda m: (m.rank, m.frame, m.track))


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
    listed = moments(table, str(tracks))
    # What was exposed on purpose stays masked here too.
    with our_errors(CheckError):
        pictures = _thumbnails(shown, data, listed[:MAX_MOMENTS], table.size, None if reveal else raw)
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
            {"number": e.number, "at": e.at, "by": e.by, "what": edits.describe(e, table.clock), "reason": e.reason}
            for e in edits.edits_of(raw)
        ],
        "moments": [
            {"frame": m.frame, "time": _time(m.frame, table), "track": m.track, "why": m.why, "rank": m.rank,
             "command": m.command, "picture": p}
            for m, p in zip(listed, pictures, strict=False)
        ],
    }  # fmt: skip
    template = (resources.files("vsanon") / "schema" / "review.html").read_text(encoding="utf-8")
    # Within a script element, JSON must not be able to end it; the page itself sets text, never HTML.
    data_text = json.dumps(content, allow_nan=False).replace("<", "\\u003c").replace("&", "\\u0026")
    page = template.replace("__TITLE__", html.escape(source.name)).replace("__DATA__", data_text)
    try:
        write_atomic(output, page.encode())
    except OSError as error:
        raise InputError(f"{output}: can't be written: {error.strerror}") from error
    return len(content["moments"])  # type: ignore[arg-type]


def _lanes(table: TrackTable) -> list[dict[str, Any]]:
    """Of each identity its class, and its spans as [start, stop, origin letter, low score]."""
    frames = table.frames
    lanes = []
    for track in np.unique(table.tracks):
        rows = np.flatnonzero(table.tracks == track)
        _, first = np.unique(frames[rows], return_index=True)
        rows = rows[first]
        at, origins = frames[rows], table.origins[rows]
        low = table.scores[table.runs[rows]] < LOW_SCORE
        breaks = (np.diff(at) > 1) | (np.diff(origins.astype(int)) != 0) | (np.diff(low.astype(int)) != 0)
        spans = [
            [int(at[part[0]]), int(at[part[-1]]) + 1, int(origins[part[0]]), bool(low[part[0]])]
            for part in np.split(np.arange(len(rows)), np.flatnonzero(breaks) + 1)
        ]
        lanes.append({"track": int(track), "label": table.classes[int(table.runs[rows[0]])], "spans": spans})
    return lanes


def _thumbnails(
    clip: Any, data: Any, listed: list[Moment], size: tuple[int, int], found: TrackTable | None
) -> list[str]:  # fmt: skip
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
                _cover(picture_at[1], found.at(moment.frame))
        made[k] = _thumbnail(picture_at[1], moment.box, size)
    return [made[k] for k in range(len(listed))]


def _thumbnail(rgb: NDArray[np.uint8], box: tuple[float, float, float, float], size: tuple[int, int]) -> str:
    x0, y0, x1, y1 = box
    side = max(x1 - x0, y1 - y0, 32) * 3
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    left, top = max(int(cx - side / 2), 0), max(int(cy - side / 2), 0)
    right, bottom = min(int(cx + side / 2) + 1, size[0]), min(int(cy + side / 2) + 1, size[1])
    if right - left < 2 or bottom - top < 2:
        left, top, right, bottom = 0, 0, *size
    crop = rgb[top:bottom, left:right, ::-1].copy()
    scale = THUMB_PX / max(crop.shape[:2])
    shape = (max(round(crop.shape[1] * scale), 1), max(round(crop.shape[0] * scale), 1))
    small = cv2.resize(crop, shape, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    corners = [(round((x - left) * scale), round((y - top) * scale)) for x, y in ((x0, y0), (x1, y1))]
    cv2.rectangle(small, corners[0], corners[1], (0, 220, 255), 1)
    coded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
    return "data:image/jpeg;base64," + base64.b64encode(coded.tobytes()).decode()


def _cover(rgb: NDArray[np.uint8], boxes: TrackedBoxes) -> None:
    for box, label in zip(boxes.xyxy, boxes.classes, strict=True):
        x0, y0, x1, y1 = (max(int(v), 0) for v in np.ceil(grow(box, shape_of(label))))
        rgb[y0:y1, x0:x1] = FILL


def _leaves(box: NDArray[np.float32], width: int, height: int) -> bool:
    """Whether a box touches the picture's edge, where tracks may well start and end."""
    x0, y0, x1, y1 = (float(v) for v in box)
    return x0 <= _EDGE_PX or y0 <= _EDGE_PX or x1 >= width - _EDGE_PX or y1 >= height - _EDGE_PX


def _edit(op: str, tracks: str, *arguments: str, why: bool = True) -> str:
    end = " --by BY --reason REASON" if why else ""
    return f"vsanon edit {op} {shlex.quote(tracks)} {' '.join(arguments)}{end}"


def _time(n: int, table: TrackTable) -> str:
    """The timecode of a frame, or its time from the start."""
    if table.clock is not None:
        return table.clock.at(n)
    seconds = float(n / table.fps)
    return f"{int(seconds // 60)}:{seconds % 60:06.3f}"
