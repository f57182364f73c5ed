"""Whether a source is whole: each frame decodes without a complaint, and the reader's are the decoder's."""

from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from fractions import Fraction
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, Self

import vapoursynth as vs

from vsanon import stops
from vsanon.errors import InputError, VsanonError
from vsanon.media import VideoFacts, decode_timestamps
from vsanon.media.advice import DAMAGED, REMUX
from vsanon.media.best_source import SOURCE_FILTER
from vsanon.media.frame_rate import risen
from vsanon.media.once import Once
from vsanon.media.reading import FIELDS, UnlikeError
from vsanon.media.source import Source

_MILLISECOND = Fraction(1, 1000)


def require_intact(source: Source) -> tuple[str, ...]:
    """Decode the file a second time, with ffmpeg's own reader, and compare.

    BestSource conceals damage; what it conceals must not be delivered as if it were the picture.

    Returns:
        What lies beside the samples of some frame that no preset carries on, in words: such as captions, which
        may begin anywhere; and what changes on the way, and is taken as it begins.

    Raises:
        InputError: a frame is damaged, or the readers disagree on the frames or their times.
    """
    return _compare(source, stops.poll)


class IntactCheck:
    """`require_intact` in a thread, beside other work on the file; nothing may be delivered before `finish`.

    with IntactCheck(source) as intact:
        for frame in frames:
            intact.poll()
        intact.finish()

    Of a source that is decoded once, its decoding gives the frames, too.
    """

    def __init__(self, source: Source) -> None:
        self._stopped, self._once = Event(), source.once
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="intact")
        if self._once is None:
            self._done = self._pool.submit(_compare, source, self._require_going_on)
            return
        self._done = self._pool.submit(_deliver, source, self._once, self._require_going_on)
        try:
            self._once.begin(stops.poll)
        except BaseException:
            self._stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        try:
            if self._once is not None and isinstance(error, Exception):
                self.poll()  # why there are no more frames
            # Where a frame can't be had the file may be damaged, which the other reader says in better words.
            failed = None if error is None else error.__cause__
            if isinstance(failed, vs.Error) and not isinstance(failed.__cause__, VsanonError):
                self.finish()
        finally:
            self._stop()

    def poll(self) -> None:
        """Raise what `require_intact` and `finish` raise, if that much is known by now."""
        if self._once is not None and self._once.error is not None:
            raise self._once.error
        if self._done.done():
            self._done.result()

    def finish(self) -> tuple[str, ...]:
        """Wait for the end of the file; returns and raises as `require_intact`.

        Raises:
            ReadAnewError: the source is none that can be decoded once.
        """
        if self._once is not None:
            self._once.release()
        found = stops.wait(self._done)
        self.poll()  # what an index said meanwhile
        return found

    def _stop(self) -> None:
        self._stopped.set()
        self._pool.shutdown()

    def _require_going_on(self) -> None:
        stops.poll()
        if self._stopped.is_set():
            raise CancelledError


def intact_to_the_end(clip: vs.VideoNode, path: Path, video: VideoFacts) -> vs.VideoNode:
    """The clip of a whole file, whose last frame is given only once the file was found whole, for scripts.

    `vspipe` ends with success once it has all frames, so that none may be missing; a job cut into chunks decodes
    the file a second time in the chunk that has its end. Times are not compared: a script has none.

    Args:
        clip: as `open_clip` gives it.
        path: its file.
        video: the stream that it shows.
    """
    frames = clip.num_frames

    def checked(n: int, f: vs.VideoFrame) -> vs.VideoFrame:
        del n
        try:
            pts, _ = _whole(path, timed=False, track=video.track, on_frame=stops.poll)
            _require_count(path, frames, len(pts))
        except VsanonError as error:
            raise vs.Error(str(error)) from error
        return f

    last = clip[-1].std.ModifyFrame(clip[-1], checked)
    return clip[:-1] + last if frames > 1 else last


def _compare(source: Source, on_frame: Callable[[], None]) -> tuple[str, ...]:
    path, timeline = source.path, source.timeline
    timed = not (source.rate_assumed or source.counted)
    beside: set[str] = set()
    pts, time_base = _whole(path, timed=timed, track=source.video.track, on_frame=on_frame, beside=beside)
    _require_count(path, len(timeline.pts), len(pts))
    if source.field_order != "progressive":
        beside.discard(FIELDS)  # they are kept
    if not timed:
        return tuple(sorted(beside))
    pts = tuple(risen(pts) or pts)
    times = enumerate(zip(timeline.pts, pts, strict=True))
    n = next((n for n, (a, b) in times if abs(a * timeline.time_base - b * time_base) > _MILLISECOND), None)
    if n is not None:
        raise InputError(f"{path}: the two readers give frame {n} different times: {REMUX}")
    return tuple(sorted(beside))


def _deliver(source: Source, once: Once, on_frame: Callable[[], None]) -> tuple[str, ...]:
    """Decode the file, whose frames are worked on as they come."""
    beside: set[str] = set()
    with once.decoding():
        take = partial(once.take, going_on=on_frame)
        _whole(source.path, track=source.video.track, on_frame=on_frame, take=take, beside=beside)
        once.require_all()
    return tuple(sorted(beside))


def _whole(path: Path, **options: Any) -> tuple[tuple[int, ...], Fraction]:
    try:
        return decode_timestamps(path, **options)
    except UnlikeError:
        raise
    except InputError as error:
        raise InputError(f"{error}{DAMAGED}") from error


def _require_count(path: Path, given: int, decoded: int) -> None:
    if given != decoded:
        raise InputError(
            f"{path}: {SOURCE_FILTER} gives {given} frames, ffmpeg's decoder {decoded}: the file is "
            f"damaged, cut short, or changes its format within the stream. Get a whole copy; or {REMUX}"
        )
