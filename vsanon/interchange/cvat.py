"""CVAT video XML 1.1, both ways: one `track` a lane, frames 0-based, pixels continuous, as vsanon has them.

Identity, origin and score travel as attributes of each shape; give the labels of the CVAT task these attributes
(the file's own `labels` list them), and they come back. Without them a lane is known again by its boxes.
What CVAT can't carry: `LOSSES["cvat"]`.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from vsanon.detections import Origin
from vsanon.errors import InputError
from vsanon.files import write_output
from vsanon.interchange import MAX_BOXES, Lane, Place, frame_within, lanes_of, read_bytes, require_size
from vsanon.tracks.edit_kinds import KeyFrame, Points
from vsanon.tracks.edits import outline_points
from vsanon.tracks.keyframes import thin
from vsanon.tracks.lines import MAX_TRACK
from vsanon.tracks.table import TrackTable

_SHAPES = ("box", "polygon", "ellipse")
_ATTRIBUTES = (
    ("identity", "False", "number", "0;2147483647;1"),
    ("origin", "True", "select", "\n".join(o.name.lower() for o in Origin)),
    ("score", "True", "text", ""),
)


def write(path: Path, table: TrackTable, *, name: str = "", tolerance_px: float = 0.0) -> None:
    """Write a table, edits applied.

    Args:
        path: the XML file.
        table: the tracks.
        name: the source's file name, for people.
        tolerance_px: mark only those boxes as key frames that CVAT needs to meet all others this closely; the
            fewer, the easier they are to correct.

    Raises:
        InputError: the file can't be written.
    """
    lanes = lanes_of(table)
    width, height = table.size
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<annotations>", "  <version>1.1</version>", "  <meta>"]
    lines += ["    <task>", f"      <name>{escape(_clean(name))}</name>", f"      <size>{len(table)}</size>"]
    lines += [
        "      <mode>interpolation</mode>",
        "      <overlap>0</overlap>",
        "      <start_frame>0</start_frame>",
    ]
    lines += [f"      <stop_frame>{len(table) - 1}</stop_frame>", "      <labels>"]
    for label in sorted({lane.label for lane in lanes}):
        lines += [f"        <label><name>{escape(label)}</name><attributes>"]
        for attribute, mutable, kind, values in _ATTRIBUTES:
            lines.append(
                f"          <attribute><name>{attribute}</name><mutable>{mutable}</mutable><input_type>{kind}"
                f"</input_type><default_value></default_value><values>{values}</values></attribute>"
            )
        lines.append("        </attributes></label>")
    lines += ["      </labels>", f"      <original_size><width>{width}</width><height>{height}</height>"]
    lines += ["      </original_size>", "    </task>", "  </meta>"]
    for number, lane in enumerate(lanes):
        lines.append(f'  <track id="{number}" label={quoteattr(lane.label)} source="auto">')
        lines += _lane_lines(lane, len(table), tolerance_px)
        lines.append("  </track>")
    lines.append("</annotations>")
    write_output(path, "\n".join([*lines, ""]).encode())


def read(path: Path, frames: int, size: tuple[int, int] | None = None) -> list[Lane]:
    """Read the tracks of a file; frames between two listed boxes are interpolated, as CVAT does.

    Args:
        path: the file.
        frames: how many the clip has.
        size: (width, height) of the clip, pixels; None does not check that of the task.

    Raises:
        InputError: not CVAT video XML 1.1, damaged, of another size, with a document type, or with values out of
            range or past the clip's end.
    """
    reader = _Reader(path, frames)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.text
    # No entities of its own, and so no bombs and no files of this machine.
    parser.StartDoctypeDeclHandler = reader.doctype
    try:
        parser.Parse(read_bytes(path), True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # the last two: an encoding that nobody knows
        raise InputError(f"{path}: not whole XML: {error}") from error
    if reader.version != "1.1":
        raise InputError(f"{path}: not CVAT XML 1.1: export it from CVAT as 'CVAT for video 1.1'")
    if {"width", "height"} <= reader.sides.keys():
        require_size(path, (reader.sides["width"], reader.sides["height"]), size)
    return reader.lanes


def _lane_lines(lane: Lane, frames: int, tolerance_px: float) -> list[str]:
    lines: list[str] = []
    kind = {"rectangle": "box"}.get(lane.shape, lane.shape)
    there = sorted(lane.places)
    part: list[int] = []
    for k, n in enumerate(there):
        part.append(n)
        if k + 1 == len(there) or there[k + 1] != n + 1:
            keys = [KeyFrame(m, lane.places[m].box) for m in part]
            points = {len(lane.places[m].points) for m in part} != {0}
            key_frames = set(part) if points else {key.frame for key in thin(keys, tolerance_px)}
            lines += [_shape_line(lane, kind, m, m, m in key_frames, outside=False) for m in part]
            if n + 1 < frames:
                lines.append(_shape_line(lane, kind, n, n + 1, True, outside=True))
            part = []
    return lines


def _shape_line(lane: Lane, kind: str, like: int, n: int, key: bool, *, outside: bool) -> str:
    place = lane.places[like]
    x0, y0, x1, y1 = place.box
    if kind == "box":
        where = f'xtl="{x0:.3f}" ytl="{y0:.3f}" xbr="{x1:.3f}" ybr="{y1:.3f}"'
    elif kind == "ellipse":
        where = (
            f'cx="{(x0 + x1) / 2:.4f}" cy="{(y0 + y1) / 2:.4f}" rx="{(x1 - x0) / 2:.4f}" ry="{(y1 - y0) / 2:.4f}"'
        )
    else:
        corners = ((x0 + x * (x1 - x0), y0 + y * (y1 - y0)) for x, y in place.points)
        where = 'points="' + ";".join(f"{x:.4f},{y:.4f}" for x, y in corners) + '"'
    attributes = (("identity", lane.track), ("origin", place.origin.name.lower()), ("score", f"{place.score:.6g}"))
    inner = "".join(f'<attribute name="{name}">{value}</attribute>' for name, value in attributes)
    return (
        f'    <{kind} frame="{n}" keyframe="{int(key)}" outside="{int(outside)}" occluded="0" {where} '
        f'z_order="0">{inner}</{kind}>'
    )


class _Reader:
    """Takes the parser's events; holds what is asked for, and no more."""

    def __init__(self, path: Path, frames: int) -> None:
        self.version = ""
        self.sides: dict[str, int] = {}
        self._frames = frames
        self.lanes: list[Lane] = []
        self._path = path
        self._tags: list[str] = []
        self._words = ""
        self._attribute = ""
        self._lane: dict[str, Any] | None = None
        self._shape: dict[str, Any] | None = None
        self._boxes = 0

    def doctype(self, *_: object) -> None:
        raise InputError(f"{self._path}: it declares a document type, which CVAT never does; refused")

    def text(self, words: str) -> None:
        if len(self._words) < 1000:
            self._words += words

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._tags.append(tag)
        self._words = ""
        if len(self._tags) > 32 or (len(self._tags) == 1 and tag != "annotations"):
            raise InputError(f"{self._path}: not CVAT XML: unexpected <{tag:.40}>")
        if tag == "image" and len(self._tags) == 2:
            raise InputError(f"{self._path}: this is CVAT for images: export it as 'CVAT for video 1.1'")
        if tag == "track" and len(self._tags) == 2:
            self._lane = {"label": attributes.get("label", ""), "shapes": []}
        elif self._lane is not None and len(self._tags) == 3:
            if tag not in _SHAPES:
                raise InputError(
                    f"{self._path}: a track of {tag:.40} can't be taken over: use {', '.join(_SHAPES)}"
                )
            self._boxes += 1
            if self._boxes > MAX_BOXES:
                raise InputError(f"{self._path}: more than {MAX_BOXES} boxes; refused")
            self._shape = {"tag": tag, **attributes, "extra": {}}
        elif tag == "attribute" and self._shape is not None:
            self._attribute = attributes.get("name", "")

    def end(self, tag: str) -> None:
        depth = len(self._tags)
        self._tags.pop()
        if tag == "version" and depth == 2:
            self.version = self._words.strip()
        elif (
            tag in ("width", "height") and self._tags[-1:] == ["original_size"] and self._words.strip().isdecimal()
        ):
            self.sides[tag] = int(self._words.strip()[:9])
        elif tag == "attribute" and self._shape is not None:
            self._shape["extra"][self._attribute] = self._words.strip()
        elif self._shape is not None and depth == 3 and self._lane is not None:
            self._lane["shapes"].append(self._parsed(self._shape))
            self._shape = None
        elif tag == "track" and depth == 2 and self._lane is not None:
            self._close(self._lane)
            self._lane = None

    def _parsed(self, shape: dict[str, Any]) -> tuple[int, bool, str, int | None, Place]:
        try:
            n = frame_within(int(shape["frame"]), self._frames)
            if shape["tag"] == "polygon":
                pairs = [p.split(",") for p in shape["points"].split(";")]
                box, points = outline_points([(float(x), float(y)) for x, y in pairs])
            elif shape["tag"] == "ellipse":
                cx, cy, rx, ry = (float(shape[k]) for k in ("cx", "cy", "rx", "ry"))
                box, points = (cx - rx, cy - ry, cx + rx, cy + ry), ()
            else:
                x0, y0, x1, y1 = (float(shape[k]) for k in ("xtl", "ytl", "xbr", "ybr"))
                box, points = (x0, y0, x1, y1), ()
            if float(shape.get("rotation", 0) or 0):
                box = _turned(box, float(shape["rotation"]))
            KeyFrame(n, box, points)  # checks the values
            extra = shape["extra"]
            number = int(extra["identity"]) if extra.get("identity", "").isdigit() else 0
            identity = number if number < MAX_TRACK else None
            origin = (
                Origin[extra["origin"].upper()] if extra.get("origin", "").upper() in Origin.__members__ else None
            )
            place = Place(box, points, Origin.MANUAL if origin is None else origin)
        except (KeyError, ValueError) as error:
            raise InputError(
                f"{self._path}: a {shape['tag']} of frame {shape.get('frame', '?'):.20}: {error!r:.200}"
            ) from error
        kind = {"box": "rectangle"}.get(shape["tag"], shape["tag"])
        return n, shape.get("outside") == "1", kind, identity or None, place

    def _close(self, lane: dict[str, Any]) -> None:
        shapes = sorted(lane["shapes"], key=lambda s: s[0])
        if not shapes:
            return
        kinds = {s[2] for s in shapes}
        if len(kinds) > 1:
            raise InputError(f"{self._path}: a track mixes {' and '.join(sorted(kinds))}")
        shown = [n for n, outside, *_ in shapes if not outside]
        twice = next((n for n, other in pairwise(shown) if n == other), None)
        if twice is not None:
            raise InputError(f"{self._path}: a track has two boxes in frame {twice}: make two tracks of them")
        identity = next((s[3] for s in shapes if s[3] is not None), None)
        places: dict[int, Place] = {}
        for k, (n, outside, _, _, place) in enumerate(shapes):
            if outside:
                continue
            places[n] = place
            if k + 1 < len(shapes):
                self._fill(places, n, place, *shapes[k + 1])
        try:
            self.lanes.append(Lane(identity, lane["label"], kinds.pop(), places))
        except ValueError as error:
            raise InputError(f"{self._path}: {error}") from error

    def _fill(
        self, places: dict[int, Place], n: int, place: Place, stop: int, outside: bool, _kind: str, _identity: Any,
        following: Place,
    ) -> None:  # fmt: skip
        """Fill the frames up to the next shape."""
        self._boxes += max(stop - n - 1, 0)
        if self._boxes > MAX_BOXES:
            raise InputError(f"{self._path}: more than {MAX_BOXES} boxes; refused")
        same = len(place.points) == len(following.points) and not outside
        between = np.arange(n + 1, stop)
        share = ((between - n) / (stop - n))[:, None] * same
        boxes = np.array(place.box) * (1 - share) + np.array(following.box) * share
        outlines: list[Points] = [place.points] * len(between)
        if same and place.points:
            share = share[..., None]
            found = np.array(place.points) * (1 - share) + np.array(following.points) * share
            outlines = [tuple((float(x), float(y)) for x, y in points) for points in found]
        for m, (x0, y0, x1, y1), points in zip(between.tolist(), boxes.tolist(), outlines, strict=True):
            places[m] = Place((x0, y0, x1, y1), points, place.origin)


def _turned(box: Sequence[float], degrees: float) -> tuple[float, float, float, float]:
    """What spans a box that CVAT shows turned about its middle."""
    x0, y0, x1, y1 = box
    turn = math.radians(degrees)
    half_x = ((x1 - x0) * abs(math.cos(turn)) + (y1 - y0) * abs(math.sin(turn))) / 2
    half_y = ((x1 - x0) * abs(math.sin(turn)) + (y1 - y0) * abs(math.cos(turn))) / 2
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    return cx - half_x, cy - half_y, cx + half_x, cy + half_y


def _clean(name: str) -> str:
    return "".join(c for c in name if c.isprintable())
