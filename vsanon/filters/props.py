"""The frame properties that carry boxes between filters: their names, and the way to arrays and back.

`VsanonCount` is always there once a frame was searched, also when it is 0. Where it is missing nothing is
known of the frame, and every reader must fail or cover the whole picture.

| property | type | what |
|---|---|---|
| VsanonCount | int | number of boxes |
| VsanonSize | int[2] | width and height of the clip that the boxes belong to, pixels |
| VsanonBoxes | float[4n] | x0, y0, x1, y1 of each box, pixels, end-exclusive |
| VsanonScores | float[n] | in [0, 1] |
| VsanonClasses | data[n] | class names |
| VsanonAgreed | int[n] | 1 where a second look agreed, 0 elsewhere; missing where it did nowhere (detections) |
| VsanonTracked | int | 1 after `track` and `load`: the boxes cover the frame; missing on detections |
| VsanonIds | int[n] | after `track` the anchor of each box, the same within a block; after `load` its identity |
| VsanonOrigins | int[n] | 0 detected, 1 interpolated, 2 held, 3 manual (after `track`) |
| VsanonOutlines | data[n] | of manual regions, where any: "-", "rectangle", "ellipse", "polygon x,y x,y …" |
| VsanonCells | data | n × 5 × 5 × 3 bytes RGB: the colours that `soft` paints from |
| VsanonColours | data | of each frame whose colours are told here (`track`), int32 n and n × 5 × 5 × 3 bytes RGB |
| VsanonAround | data | n × 2 × planes float64: the mean around each box and its tone, or NaN (after `around`) |
| VsanonSearched | int | 1 where a model has seen the frame, 0 where its boxes are known from frames around it |
| VsanonGrey | frame | a small grey picture of the frame (before `track`) |
| VsanonCut | int | 1 where a new shot starts (after `track`) |
| VsanonMissing | data | why nothing is known of this frame |
| VsanonSeal | int | a digest of count, size and boxes: whoever alters them uses `write` |
| VsanonPicture | data | how the frame compares with the analysed one, a `same_picture.Verdict` (after `load`) |
"""

import hashlib
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import as_boxes
from vsanon.detections import SWATCHES, Detections, Origin, Outline, TrackedBoxes
from vsanon.errors import CheckError
from vsanon.tracking.evidence import Evidences

AROUND = "VsanonAround"
MISSING = "VsanonMissing"
COLOURS = "VsanonColours"
COUNT = "VsanonCount"
CUT = "VsanonCut"
GREY = "VsanonGrey"
PICTURE = "VsanonPicture"
SEAL = "VsanonSeal"
SEARCHED = "VsanonSearched"
SIZE = "VsanonSize"
TRACKED = "VsanonTracked"
BOX_PROPS = ("VsanonBoxes", "VsanonScores", "VsanonClasses", "VsanonIds", "VsanonOrigins", "VsanonCells",
             "VsanonOutlines", "VsanonAgreed")  # fmt: skip

Swatches = np.ndarray[Any, np.dtype[np.uint8]]


def write(props: MutableMapping[str, Any], boxes: Detections | TrackedBoxes, size: tuple[int, int]) -> None:
    """Set the properties of a frame to `boxes`, which belong to a clip of `size` (width, height)."""
    n = len(boxes)
    props[COUNT] = n
    props[SIZE] = [int(size[0]), int(size[1])]
    for name in (TRACKED, AROUND, *BOX_PROPS):
        if name in props:
            del props[name]
    if isinstance(boxes, TrackedBoxes):
        props[TRACKED] = 1
    if n:
        props["VsanonBoxes"] = boxes.xyxy.ravel().tolist()
        props["VsanonScores"] = boxes.scores.tolist()
        props["VsanonClasses"] = list(boxes.classes)
        props["VsanonCells"] = boxes.swatches.tobytes()
        if isinstance(boxes, TrackedBoxes):
            props["VsanonIds"] = [int(i) for i in boxes.ids]
            props["VsanonOrigins"] = [int(o) for o in boxes.origins]
            if any(boxes.outlines):
                props["VsanonOutlines"] = [_outlinetext(o) for o in boxes.outlines]
        elif boxes.agreed.any():
            props["VsanonAgreed"] = [int(a) for a in boxes.agreed]
    props[SEAL] = _seal(props)


def is_known(props: Mapping[str, Any]) -> bool:
    """Whether the frame was searched at all."""
    return COUNT in props


def read_grey(props: Mapping[str, Any]) -> NDArray[np.uint8] | None:
    """The small grey picture of a frame, (h, w) uint8; None where there is none."""
    return np.asarray(props[GREY][0], np.uint8) if GREY in props else None


def read_detections(props: Mapping[str, Any], size: tuple[int, int] | None = None) -> Detections:
    """The detections of a frame.

    Args:
        props: the frame's properties.
        size: (width, height) that the boxes must belong to; None accepts any.

    Raises:
        CheckError: the frame was never searched, its boxes belong to another size or are tracks already, or
            its properties were altered.
        ValueError: a box is not finite, or a score lies outside [0, 1].
    """
    n = _count(props, size)
    if TRACKED in props:
        raise CheckError("these are tracks, not detections: pass what detect gave")
    found = Detections(_floats(props, "VsanonBoxes", 4 * n).reshape(n, 4), _floats(props, "VsanonScores", n),
                       _classes(props, n), _swatches(props, n), _agreed(props, n))  # fmt: skip
    _require_sealed(props)
    return found


def read_boxes(props: Mapping[str, Any], evidence: Evidences) -> list[tuple[str, list[float]]]:
    """Class and box (x0, y0, x1, y1) of the detections that are covered by themselves.

    Raises:
        CheckError: as for `read_detections`.
    """
    n = _count(props, None)
    _require_sealed(props)
    classes, table = _classes(props, n), evidence.table(_classes(props, n))
    edges = _floats(props, "VsanonBoxes", 4 * n).reshape(n, 4)
    covered = table.strength(_floats(props, "VsanonScores", n), edges[:, 3] - edges[:, 1]) >= (
        table.column("cover_score")
    )
    return [(classes[i], edges[i].tolist()) for i in np.flatnonzero(covered).tolist()]


def read_tracked(props: Mapping[str, Any], size: tuple[int, int] | None = None) -> TrackedBoxes:
    """The tracked boxes of a frame; arguments and errors as in `read_detections`, detections for tracks."""
    n = _count(props, size)
    if TRACKED not in props:
        raise CheckError("these are detections, not tracks: pass what track gave")
    found = TrackedBoxes(
        as_boxes(_floats(props, "VsanonBoxes", 4 * n).reshape(n, 4)),
        _floats(props, "VsanonScores", n),
        _classes(props, n),
        tuple(_list(props, "VsanonIds", n)),
        tuple(Origin(o) for o in _list(props, "VsanonOrigins", n)),
        _swatches(props, n),
        _outlines(props, n),
    )
    _require_sealed(props)
    return found


def classes_of(props: Mapping[str, Any]) -> tuple[str, ...]:
    """The class names of a searched frame's boxes; the rest is not looked at."""
    return _classes(props, int(props[COUNT]))


def read_around(props: Mapping[str, Any], n: int, planes: int) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    """(n, 2, planes) the mean around each box and its tone; None where nobody asked for them.

    Raises:
        CheckError: it is not of so many boxes and planes.
    """
    if AROUND not in props:
        return None
    raw = as_bytes(props[AROUND])
    if len(raw) != 8 * n * 2 * planes:
        raise CheckError(f"{AROUND} holds {len(raw)} bytes, {8 * n * 2 * planes} were expected")
    return np.frombuffer(raw, "<f8").reshape(n, 2, planes)


def write_colours(props: MutableMapping[str, Any], frames: Sequence[Swatches | None]) -> None:
    """Tell the colours of the boxes of frames before this one, in order; None of one of which nothing is known."""
    parts = [np.int32(-1 if s is None else len(s)).tobytes() + (b"" if s is None else s.tobytes()) for s in frames]
    props[COLOURS] = b"".join(parts)


def read_colours(props: Mapping[str, Any]) -> list[Swatches | None] | None:
    """What `write_colours` told; None where frames tell their own colours."""
    if COLOURS not in props:
        return None
    raw, frames, at = as_bytes(props[COLOURS]), list[Swatches | None](), 0
    while at < len(raw):
        n = int(np.frombuffer(raw, np.int32, 1, at)[0])
        count = max(n, 0) * SWATCHES * SWATCHES * 3
        told = np.frombuffer(raw, np.uint8, count, at + 4).reshape(-1, SWATCHES, SWATCHES, 3)
        frames.append(None if n < 0 else told)
        at += 4 + count
    return frames


def size_of(props: Mapping[str, Any]) -> tuple[int, int]:
    """The (width, height) that a searched frame's boxes belong to.

    Raises:
        CheckError: the frame does not say.
    """
    width, height = _list(props, SIZE, 2)
    return int(width), int(height)


def _seal(props: Mapping[str, Any]) -> int:
    """64 bits of a digest of everything that says what is covered."""
    digest = hashlib.blake2b(digest_size=8)
    for name in (COUNT, SIZE, TRACKED, *BOX_PROPS):
        value = props.get(name)
        values = [] if value is None else value if isinstance(value, (list, tuple)) else [value]
        kind = bytes if values and isinstance(values[0], (str, bytes)) else float
        body = b"\0".join(_bytes(v) for v in values) if kind is bytes else np.array(values, np.float64).tobytes()
        digest.update(f"{name} {len(values)} {len(body)} ".encode() + body)
    return int.from_bytes(digest.digest(), "big", signed=True)


def _require_sealed(props: Mapping[str, Any]) -> None:
    if props.get(SEAL) != _seal(props):
        raise CheckError(
            "the properties of boxes were altered after they were written: leave the data clip as it is and use a "
            "track file's edits (`vsanon edit`), or write boxes of your own with vsanon.filters.props.write"
        )


def _count(props: Mapping[str, Any], size: tuple[int, int] | None) -> int:
    if not is_known(props):
        why = text(props.get(MISSING, "it carries no VsanonCount: is this the clip that detect or track gave?"))
        raise CheckError(f"no detection was made for this frame: {why}")
    if size is not None and size_of(props) != size:
        theirs = size_of(props)
        raise CheckError(
            f"the boxes belong to a clip of {theirs[0]}x{theirs[1]}, this one is {size[0]}x{size[1]}: "
            "resize or crop before detect, or after blur"
        )
    return int(props[COUNT])


def _list(props: Mapping[str, Any], name: str, length: int) -> list[Any]:
    """A property as a list; VapourSynth gives a single value bare, and an empty list not at all."""
    if length == 0:
        return []
    if name not in props:
        raise CheckError(f"the frame was searched, but has no {name}: the properties were altered")
    value = props[name]
    values = list(value) if isinstance(value, (list, tuple)) else [value]
    if len(values) != length:
        raise CheckError(f"{name} holds {len(values)} values, {length} were expected: the properties were altered")
    return values


def _floats(props: Mapping[str, Any], name: str, length: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.array(_list(props, name, length), np.float32)


def _classes(props: Mapping[str, Any], n: int) -> tuple[str, ...]:
    return tuple(text(c) for c in _list(props, "VsanonClasses", n))


def _swatches(props: Mapping[str, Any], n: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    raw = as_bytes(props.get("VsanonCells", b"")) if n else b""
    if len(raw) != n * SWATCHES * SWATCHES * 3:
        raise CheckError(f"VsanonCells holds {len(raw)} bytes, {n * SWATCHES * SWATCHES * 3} were expected")
    return np.frombuffer(raw, np.uint8).reshape(n, SWATCHES, SWATCHES, 3)


def _agreed(props: Mapping[str, Any], n: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return np.array(_list(props, "VsanonAgreed", n) if "VsanonAgreed" in props else [0] * n, bool)


def _outlines(props: Mapping[str, Any], n: int) -> tuple[Outline | None, ...]:
    if "VsanonOutlines" not in props:
        return ()
    return tuple(_outline(text(o)) for o in _list(props, "VsanonOutlines", n))


def _outlinetext(outline: Outline | None) -> str:
    if outline is None:
        return "-"
    return " ".join([outline.kind, *(f"{x!r},{y!r}" for x, y in outline.points)])


def _outline(words: str) -> Outline | None:
    if words == "-":
        return None
    kind, *points = words.split(" ")
    try:
        pairs = [p.split(",") for p in points]
        return Outline(kind, tuple((float(x), float(y)) for x, y in pairs))  # type: ignore[arg-type]
    except ValueError as error:
        raise CheckError(f"VsanonOutlines holds {words!r:.80}: the properties were altered") from error


def text(value: Any) -> str:
    """A property of text, which VapourSynth gives as bytes or as text."""
    return value.decode() if isinstance(value, bytes) else str(value)


def as_bytes(value: Any) -> bytes:
    """A property of bytes, which VapourSynth gives as such or as text."""
    return value.encode("latin-1") if isinstance(value, str) else bytes(value)


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
