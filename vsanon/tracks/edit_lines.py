"""Edits as lines of the track file: written, and read from strangers."""

from collections.abc import Mapping, Sequence
from typing import Any

from vsanon.errors import TrackFileError
from vsanon.timing import FrameRange
from vsanon.tracks.edit_kinds import (
    LIMIT,
    Bleep,
    Change,
    Drop,
    Edit,
    Expose,
    Find,
    Keep,
    KeyFrame,
    Merge,
    Move,
    Mute,
    Opinion,
    Region,
    Review,
    Split,
    Tick,
)
from vsanon.tracks.lines import MAX_TRACK, is_label


def record(edit: Edit) -> dict[str, Any]:
    """An edit as a line of the track file."""
    change = edit.change
    line: dict[str, Any] = {"edit": edit.number, "op": edit.op, "by": edit.by, "at": edit.at, "reason": edit.reason}
    if isinstance(change, (Mute, Bleep)):
        return line | {"sound": list(change.sound), "range": [change.range.start, change.range.stop]}
    if isinstance(change, Review):
        return line | {
            "seen": _spans(change.seen),
            "seconds": change.seconds,
            "revealed": _spans(change.revealed),
            "ticked": [{"frame": tick.frame, "track": tick.track, "kind": tick.kind} for tick in change.ticked],
            "left": change.left,
            **({"opinions": [_opinion_record(opinion) for opinion in change.opinions]} if change.opinions else {}),
        }
    line["track"] = change.track
    if isinstance(change, Merge):
        line["others"] = list(change.others)
    if isinstance(change, Split):
        line |= {"frame": change.frame, "into": change.into}
    if isinstance(change, (Keep, Expose, Move, Region)):
        line["range"] = [change.range.start, change.range.stop]
    if isinstance(change, Region):
        line |= {"class": change.label, "shape": change.shape}
    if isinstance(change, (Move, Region)):
        line["keys"] = [_key_record(key) for key in change.keys]
    return line


def parse(line: Mapping[str, Any]) -> Edit:
    """The edit that a line of the track file tells.

    Raises:
        TrackFileError: it is none; its number is named.
    """
    number, op = line["edit"], line["op"]
    try:
        return Edit(number, change_of(op, line), line["by"], line["at"], line["reason"])
    except (KeyError, TypeError, ValueError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise TrackFileError(f"edit {number} ({op:.20}) is not valid: {what}") from error


def change_of(op: str, line: Mapping[str, Any]) -> Change | Review:
    """The change that a line of the track file tells.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    if op == "review":
        return _review(line)
    if op in ("mute", "bleep"):
        sound = tuple(_whole(track, 10_001) for track in line["sound"])
        return (Mute if op == "mute" else Bleep)(sound, _range(line["range"]))
    track = _track(line["track"])
    match op:
        case "keep":
            return Keep(track, _range(line["range"]))
        case "expose":
            return Expose(track, _range(line["range"]))
        case "drop":
            return Drop(track)
        case "merge":
            return Merge(track, tuple(_track(other) for other in line["others"]))
        case "split":
            return Split(track, _whole(line["frame"]), _track(line["into"]))
        case "move":
            return Move(track, _range(line["range"]), _keys(line["keys"]))
        case "region":
            return Region(track, _range(line["range"]), line["class"], line["shape"], _keys(line["keys"]))
    # Skipping what a newer vsanon meant could leave something uncovered.
    raise ValueError("this vsanon does not know that edit; use the one that wrote it")


def _spans(ranges: Sequence[FrameRange]) -> list[list[int]]:
    return [[span.start, span.stop] for span in ranges]


def _key_record(key: KeyFrame) -> dict[str, Any]:
    line: dict[str, Any] = {"frame": key.frame, "box": list(key.box)}
    if key.points:
        line["points"] = [list(point) for point in key.points]
    if key.tracked:
        line["tracked"] = True
    return line


def _opinion_record(opinion: Opinion) -> dict[str, Any]:
    return {
        "name": opinion.name,
        "models": list(opinion.models),
        "searched": opinion.searched,
        "frames": opinion.frames,
        "finds": [
            {
                "number": find.number, "class": find.label, "score": find.score,
                "range": [find.range.start, find.range.stop], "keys": [_key_record(key) for key in find.keys],
            }
            for find in opinion.finds
        ],
    }  # fmt: skip


def _opinion(line: Mapping[str, Any]) -> Opinion:
    finds = tuple(
        Find(_track(f["number"]), f["class"], _number(f["score"]), _range(f["range"]), _keys(f["keys"]))
        for f in line["finds"]
    )
    searched, frames = _whole(line["searched"]), _whole(line["frames"])
    return Opinion(line["name"], tuple(line["models"]), searched, frames, finds)


def _review(line: Mapping[str, Any]) -> Review:
    ticked = []
    for tick in line["ticked"]:
        if not is_label(tick["kind"]):
            raise ValueError(f"a kind of moment was expected, got {tick['kind']!r:.80}")
        ticked.append(Tick(_whole(tick["frame"]), _track(tick["track"]), tick["kind"]))
    seen, revealed = (tuple(_range(span) for span in line[name]) for name in ("seen", "revealed"))
    seconds = line["seconds"]
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise ValueError(f"seconds were expected, got {seconds!r:.80}")
    opinions = tuple(_opinion(opinion) for opinion in line.get("opinions", ()))
    return Review(seen, float(seconds), revealed, tuple(ticked), _whole(line["left"]), opinions)


def _whole(value: Any, stop: int = 2**31) -> int:
    if type(value) is not int or not 0 <= value < stop:
        raise ValueError(f"a whole number from 0 up was expected, got {value!r:.80}")
    return value


def _track(value: Any) -> int:
    if type(value) is not int or not 1 <= value < MAX_TRACK:
        raise ValueError(f"a track's number was expected, got {value!r:.80}")
    return value


def _range(value: Any) -> FrameRange:
    start, stop = value
    return FrameRange(_whole(start), _whole(stop))


def _keys(value: Any) -> tuple[KeyFrame, ...]:
    keys = []
    for key in value:
        x0, y0, x1, y1 = (_number(v) for v in key["box"])
        points = tuple((_number(x), _number(y)) for x, y in key.get("points", ()))
        keys.append(KeyFrame(_whole(key["frame"]), (x0, y0, x1, y1), points, key.get("tracked", False) is True))
    return tuple(keys)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= LIMIT:
        raise ValueError(f"a number was expected, got {value!r:.80}")
    return float(value)
