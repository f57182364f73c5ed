"""Follow a box through the pictures from its key frames on, and stop where the motion can't be told any more."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon.errors import InputError
from vsanon.review.document import Document, State
from vsanon.review.jobs import Tell
from vsanon.timing import FrameRange
from vsanon.tracks.edit_kinds import Change, Edit, Move, Region
from vsanon.tracks.edit_lines import record
from vsanon.tracks.keyframes import follow, follow_on

Luma = Callable[[int], NDArray[np.uint8]]


def followed(change: Move | Region, luma: Luma, stop: int, tell: Callable[[int], None]) -> tuple[Change, list[int]]:
    """A change whose key frames follow the picture.

    Between its key frames both ways are mixed, as `--follow` does; after the last one it goes on to `stop`, as far
    as the motion can be told. A found track keeps its own boxes from there on; a region holds still.

    Args:
        change: with key frames set by hand; those that an earlier run has put there are made anew.
        luma: of a frame.
        stop: one past the last frame to follow to.
        tell: takes each frame that is looked at.

    Returns:
        The change, and the frames to look at: where the motion was lost.
    """

    def shown(n: int) -> NDArray[np.uint8]:
        tell(n)
        return luma(n)

    hand = tuple(key for key in change.keys if not key.tracked)
    keys, lost = follow(shown, hand)
    if hand[-1].frame + 1 < stop:
        on = follow_on(shown, hand[-1], stop)
        keys += on[1:]
        if on[-1].frame + 1 < stop:
            lost = (*lost, on[-1].frame + 1)
    reached = keys[-1].frame + 1
    if isinstance(change, Move):
        span = FrameRange(min(change.range.start, keys[0].frame), reached)
        return Move(change.track, span, keys), list(lost)
    span = FrameRange(change.range.start, max(change.range.stop, reached))
    return Region(change.track, span, change.label, change.shape, keys), list(lost)


def follow_edit(
    document: Document, state: State, number: int, stop: int, luma: Callable[[State, int], NDArray[np.uint8]],
    tell: Tell,
) -> dict[str, Any]:  # fmt: skip
    """Follow from the key frames of an edit, and put the result in its place.

    Returns:
        The edit's `number` then, the frames to look at as `lost`, and the last frame `reached`.

    Raises:
        InputError: there is no such edit, or it has no key frames.
        ConflictError: the tracks were changed meanwhile.
    """
    edit = _with_keys(state, number)
    change = edit.change
    assert isinstance(change, (Move, Region))
    stop = min(stop, len(state.table))
    first = min(key.frame for key in change.keys)
    if not first < stop:
        raise InputError(f"there is nothing to follow: frame {stop} lies before the first key frame {first}")
    count = 0

    def on_frame(n: int) -> None:
        nonlocal count
        count += 1
        tell(min(count, 2 * (stop - first)), 2 * (stop - first), frame=n)

    new, lost = followed(change, lambda n: luma(state, n), stop, on_frame)
    line = record(Edit(number, new, edit.by, edit.at, edit.reason))
    kept = {name: value for name, value in line.items() if name not in ("edit", "by", "at", "reason")}
    put = document.commit(state.version, [kept], edit.reason, [number] if edit.by == document.by else [])
    assert isinstance(new, (Move, Region))
    return {"number": put[0].number, "lost": lost, "reached": new.keys[-1].frame}


def _with_keys(state: State, number: int) -> Edit:
    for edit in state.edits:
        if edit.number == number and isinstance(edit.change, (Move, Region)):
            return edit
    raise InputError(f"edit {number} has no key frames to follow from")
