"""`hold`: the decoded frames that wait, from when they are searched until they are covered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

import vapoursynth as vs

from vsanon.filters.clips import ahead, format_of, fps_of, frame_bytes, keep, modify, ticks
from vsanon.filters.track_blocks import BLOCK
from vsanon.tracking.settings import TrackSettings
from vsanon.tracking.strides import SPACING

HELD_BYTES = 2 * 2**30
"""The most memory that `hold` takes."""
KEPT_BYTES = 2**29
"""The most memory that `keep_searched` takes."""


@dataclass(frozen=True, slots=True)
class Held:
    """A clip for either end of the wait, and one for its middle; all have its frames.

    Args:
        searched: what is given to `detect`.
        waiting: what is given to `around`, for which frames go on waiting.
        covered: what is given to `blur`, which takes each frame out of those that wait.
        frames: the most that wait.
        bytes: the most memory that they take.
        short: some that no longer wait are made once more, as they are too large for all to wait.
    """

    searched: vs.VideoNode
    waiting: vs.VideoNode
    covered: vs.VideoNode
    frames: int
    bytes: int
    short: bool = False


def hold(clip: vs.VideoNode, settings: TrackSettings | None = None, *, colours_later: bool = False) -> Held:
    """Keep decoded frames from when they are searched until they are covered: the tracker is so far ahead.

    Without it each frame is decoded twice, from the keyframe before it on. VapourSynth's own cache would keep twice
    as many, as it forgets what was not asked for longest, so that each stays as long again after it was covered.
    More than `HELD_BYTES` are not kept: a frame that no longer waits is made once more.

    Args:
        clip: the source.
        settings, colours_later: as for `track`.

    Raises:
        InputError: as for `clips.format_of`, or the rate is variable or unknown.
    """
    format_of(clip)
    reach, wanted = _reach(clip, settings, colours_later=colours_later)
    size, around = frame_bytes(clip), ahead(clip)
    frames: int = max(1, min(wanted, HELD_BYTES // size))
    waiting = _Waiting(frames, around)
    keep(clip, int(vs.core.num_threads))
    searched = modify("hold", [clip], waiting.put)
    keep(searched, max(around, min(reach, frames)))  # those wait anyway, and are asked for out of turn
    looked_at, covered = _handed(clip, _Way(waiting.shown)), _handed(clip, _Way(waiting.taken))
    keep(covered, around)
    return Held(searched, looked_at, covered, frames, frames * size, frames < wanted)


def keep_searched(clip: vs.VideoNode, settings: TrackSettings | None = None) -> bool:
    """Keep the decoded frames of a clip that is searched and not covered, as far as they are asked for out of turn.

    Args:
        clip, settings: as for `hold`.

    Returns:
        Whether so many fit into `KEPT_BYTES`; else none are kept.
    """
    _, wanted = _reach(clip, settings)
    fits = wanted * frame_bytes(clip) <= KEPT_BYTES
    if fits:
        keep(clip, wanted)
    return fits


def _reach(clip: vs.VideoNode, settings: TrackSettings | None, *, colours_later: bool = False) -> tuple[int, int]:
    """How far the tracker looks ahead, and how many frames lie between the first that is searched and the last."""
    spans = (settings or TrackSettings()).frames(fps_of(clip))
    reach = spans.reach - (spans.sooner if colours_later else 0)
    return reach, min(reach + BLOCK + SPACING + 2 * ahead(clip), clip.num_frames)


def _handed(clip: vs.VideoNode, way: "_Way") -> vs.VideoNode:
    """The frames of a clip, those that wait without being made once more."""
    # `like` says what frames look like, and none of it is ever made.
    like, tick = vs.core.std.BlankClip(clip), ticks(clip.num_frames)
    taken = modify("hold", [tick], way.take, like=like)
    vs.core.std.SetVideoCache(taken, mode=0)

    def choose(n: int, f: vs.VideoFrame) -> vs.VideoNode:  # named as FrameEval names them
        del f
        return taken if way.calls(n) else clip

    return like.std.FrameEval(choose, prop_src=[tick], clip_src=[taken, clip])


class _Waiting:
    """The frames that wait, the newest ones where there are too many.

    Args:
        most: so many wait.
        going: so many of those that were taken out can still be looked at: they are being covered, and in memory.
    """

    def __init__(self, most: int, going: int) -> None:
        self._most, self._most_going, self._lock = most, going, Lock()
        self._frames: dict[int, vs.VideoFrame] = {}
        self._going: dict[int, vs.VideoFrame] = {}

    def put(self, n: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        """Frame `n`, which waits from now on."""
        with self._lock:
            self._frames[n] = f[0]
            _cut_down(self._frames, self._most)
        return f[0]

    def shown(self, n: int) -> vs.VideoFrame | None:
        """Frame `n`, if it waits or is being covered."""
        with self._lock:
            return self._frames.get(n, self._going.get(n))

    def taken(self, n: int) -> vs.VideoFrame | None:
        """Frame `n`, if it waits, which it does no longer."""
        with self._lock:
            if (frame := self._frames.pop(n, None)) is not None:
                self._going[n] = frame
                _cut_down(self._going, self._most_going)
            return frame


def _cut_down(frames: dict[int, vs.VideoFrame], most: int) -> None:
    """Leave the newest ones."""
    while len(frames) > most:
        del frames[next(iter(frames))]


class _Way:
    """A way to the frames that wait.

    Args:
        get: gives frame `n`, if it waits.
    """

    def __init__(self, get: Callable[[int], vs.VideoFrame | None]) -> None:
        self._get = get
        self._called: dict[int, vs.VideoFrame] = {}

    def calls(self, n: int) -> bool:
        """Whether frame `n` waits; VapourSynth asks for it next, and until then it is kept."""
        if (frame := self._get(n)) is None:
            return False
        self._called[n] = frame
        return True

    def take(self, n: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        """Frame `n`, which was called."""
        del f
        return self._called.pop(n)
