"""COCO JSON, both ways: an image a frame, an annotation a box `[x, y, width, height]`, pixels from 0.

`track_id` and `attributes` go beyond the standard, as many tools do; where a tool drops them, a box is known
again by its place. What the format can't carry: `LOSSES["coco"]`.
"""

import json
import re
from pathlib import Path
from typing import Any

from vsanon.detections import Origin
from vsanon.errors import InputError
from vsanon.files import write_output
from vsanon.interchange import MAX_BOXES, Lane, Place, frame_within, lanes_of, read_bytes, require_size
from vsanon.plain_json import load_json
from vsanon.tracks.edit_kinds import KeyFrame, Points
from vsanon.tracks.edits import outline_points
from vsanon.tracks.table import TrackTable


def write(path: Path, table: TrackTable) -> None:
    """Write a table, edits applied.

    Raises:
        InputError: the file can't be written.
    """
    lanes = lanes_of(table)
    labels = sorted({lane.label for lane in lanes})
    width, height = table.size
    annotations: list[dict[str, Any]] = []
    for k, lane in enumerate(lanes):
        for n, place in lane.places.items():
            x0, y0, x1, y1 = place.box
            corners = [v for x, y in place.points for v in (x0 + x * (x1 - x0), y0 + y * (y1 - y0))]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": n + 1,
                    "category_id": labels.index(lane.label) + 1,
                    "bbox": [x0, y0, x1 - x0, y1 - y0],
                    "area": (x1 - x0) * (y1 - y0),
                    "iscrowd": 0,
                    "segmentation": [corners] if corners else [],
                    "score": place.score,
                    "track_id": lane.track,
                    "attributes": {"lane": k, "origin": place.origin.name.lower(), "shape": lane.shape},
                }
            )
    content = {
        "info": {"description": "vsanon"},
        "images": [
            {"id": n + 1, "file_name": f"frame_{n:08d}.png", "width": width, "height": height, "frame": n}
            for n in range(len(table))
        ],
        "categories": [{"id": k, "name": name, "supercategory": ""} for k, name in enumerate(labels, start=1)],
        "annotations": annotations,
    }
    write_output(path, json.dumps(content, allow_nan=False).encode())


def read(path: Path, frames: int, size: tuple[int, int] | None = None) -> list[Lane]:
    """Read a file; boxes without `track_id` become lanes of one box each.

    Args:
        path: the file.
        frames: how many the clip has.
        size: (width, height) of the clip, pixels; None does not check that of the images.

    Raises:
        InputError: not COCO, of another size, or with values out of range or past the clip's end.
    """
    try:
        data = load_json(read_bytes(path))
        numbers = _numbers(path, data["images"], frames, size)
        names = {int(c["id"]): str(c["name"]) for c in data["categories"]}
        entries = data["annotations"]
        if len(entries) > MAX_BOXES:
            raise InputError(f"{path}: more than {MAX_BOXES} boxes; refused")
        lanes: dict[Any, Lane] = {}
        for k, entry in enumerate(entries):
            n, label = numbers[entry["image_id"]], names[entry["category_id"]]
            track = entry.get("track_id")
            track = track if type(track) is int and 0 < track < 2**31 else None
            shape, place = _place(entry, n)
            lane: Any = ("new", k) if track is None else (track, label, shape, _attribute(entry, "lane"))
            if lane in lanes and n in lanes[lane].places:
                lane = (track, label, shape, "again", k)  # another box of the identity there: none takes its place
            lanes.setdefault(lane, Lane(track, label, shape)).places[n] = place
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InputError(f"{path}: not COCO of video frames: {error!r:.200}") from error
    return list(lanes.values())


def _numbers(path: Path, images: list[dict[str, Any]], frames: int, size: tuple[int, int] | None) -> dict[int, int]:
    """The frame of each image, by the image's id."""
    numbers: dict[int, int] = {}
    taken: dict[int, str] = {}
    for image in images:
        if "width" in image and "height" in image:
            require_size(path, (int(image["width"]), int(image["height"])), size)
        n, name = _frame(image, frames), str(image.get("file_name", image["id"]))
        if n in taken or int(image["id"]) in numbers:
            raise ValueError(f"the image {name:.80} is twice, or of frame {n} as is {taken.get(n, 'another'):.80}")
        numbers[int(image["id"])], taken[n] = n, name
    return numbers


def _frame(image: dict[str, Any], frames: int) -> int:
    """The frame of an image, by its key or by the last number in its name."""
    n = image.get("frame")
    if n is None:
        n = int(re.findall(r"[0-9]+", str(image["file_name"])[-200:])[-1][:18])
    if type(n) is not int:
        raise ValueError(f"frame {n!r:.40}")
    return frame_within(n, frames)


def _place(entry: dict[str, Any], n: int) -> tuple[str, Place]:
    x, y, width, height = (float(v) for v in entry["bbox"])
    shape, box = "rectangle", (x, y, x + width, y + height)
    points: Points = ()
    outlines = entry.get("segmentation")
    if isinstance(outlines, list) and len(outlines) == 1 and len(outlines[0]) >= 6:
        flat = [float(v) for v in outlines[0]]
        box, points = outline_points(list(zip(flat[::2], flat[1::2], strict=True)))
        shape = "polygon"
    elif _attribute(entry, "shape") == "ellipse":
        shape = "ellipse"
    KeyFrame(n, box, points)  # checks the values
    score = float(entry.get("score", 1.0))
    named = str(_attribute(entry, "origin")).upper()
    origin = Origin[named] if named in Origin.__members__ else Origin.MANUAL
    return shape, Place(box, points, origin, score if 0 <= score <= 1 else 1.0)


def _attribute(entry: dict[str, Any], name: str) -> Any:
    attributes = entry.get("attributes")
    return attributes.get(name) if isinstance(attributes, dict) else None
