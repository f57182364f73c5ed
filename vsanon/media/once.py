"""A file decoded once, front to back: the frames that are checked for damage are those that are worked on.

BestSource decodes a file for its index, again for its frames, and what it conceals only a third decoding finds.
Where it is known that a plain reader gives the same frames under the same numbers, one decoding does for all three.
How many frames there are and when each is shown the packets tell beforehand, and every frame must bear it out.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from pathlib import Path
from threading import Condition, Lock
from typing import Any

import av
import numpy as np
import vapoursynth as vs
from av.codec.context import Flags
from av.video.frame import PictureType

from vsanon import stops
from vsanon.errors import InputError, VsanonError
from vsanon.media.best_source import best_source_version, decoded_mb
from vsanon.media.facts import MediaFacts, VideoFacts
from vsanon.media.formats import PixelFormat, pixel_format
from vsanon.media.layers import FURTHER
from vsanon.media.pictures import picture_of
from vsanon.media.probing import opened
from vsanon.media.streams import fraction, ratio, video_stream
from vsanon.timing import Timeline

log = logging.getLogger(__name__)

CODECS = frozenset({"h264", "hevc", "prores"})
CONTAINERS = ("mov,", "matroska")
"""The kinds of files whose frames, numbers and times are known to be BestSource's: see tests/media/test_once.py."""

_LOOKED_AT = 16
"""Frames that are decoded beforehand: as many tell `shown.field_order` whether a stream has fields."""

_AHEAD = 4
_AHEAD_BYTES = 64 << 20
"""What is decoded before it is asked for, in frames and in memory."""


class ReadAnewError(VsanonError):
    """A file can't be decoded once only, which showed on the way: with an index it may well be read."""


def plan(path: Path, facts: MediaFacts, video: VideoFacts) -> "Once | str":
    """The file as it is decoded once; or why it is not, in words.

    Args:
        path: the file.
        facts: of it.
        video: the stream.

    Raises:
        Stopped: a stop was asked for.
    """
    found = pixel_format(video.pix_fmt)
    if (why := _why_not(facts, video, found)) is not None:
        return why
    try:
        timeline = _timeline(path, video)
        if isinstance(timeline, str):
            return timeline
        once = Once(path, video, found, timeline)
        return _begun(once, path, video) or once
    except InputError as error:
        return f"its packets or first frames can't be read: {error}"


def _why_not(facts: MediaFacts, video: VideoFacts, found: PixelFormat) -> str | None:
    """Why the file is not of a kind that is decoded once, by what was told of it; None where it is."""
    across, down = found.chroma
    plain = found.planar and not (found.alpha or found.rgb or found.is_float or found.name.endswith("be"))
    refusals = {
        "BestSource is missing": best_source_version() is None,
        f"{facts.container} is none of the containers for that": not facts.container.startswith(CONTAINERS),
        f"{video.codec} is none of the codecs for that": video.codec not in CODECS,
        f"{video.pix_fmt} is none of the formats for that": not (plain and 8 <= found.depth <= 16),
        "its chroma does not fit its size": bool(video.size[0] % across or video.size[1] % down),
        "it has fields": video.field_order not in ("progressive", "unknown"),
        "it is turned": video.turn != (1, 0, 0, 1) or video.rotation != 0,
        "its container hides edges": any(video.crop),
        "it has further layers": FURTHER in video.uncarried,
    }
    return next((words for words, refused in refusals.items() if refused), None)


def _timeline(path: Path, video: VideoFacts) -> Timeline | str:
    """When frames are shown, by the packets; or why that is not certain."""
    pts: list[int] = []
    with opened(path) as container:
        stream = video_stream(container, video.track)
        rates = {ratio(r) for r in (stream.average_rate, stream.guessed_rate, stream.base_rate)}
        rates |= {ratio(stream.codec_context.framerate)} - {None}
        if rates != {video.fps}:
            return "its rates differ"
        base = fraction(stream.time_base)
        for packet in container.demux(stream):
            stops.poll()
            if not packet.size:
                continue
            if packet.pts is None:
                return "a packet has no time"
            if packet.is_discard or packet.is_corrupt:
                return "a packet is damaged, or left out by an edit list"
            if any(data.data_type == "new_extradata" for data in packet.iter_sidedata()):
                return "its parameters change on the way"
            if not pts and not packet.is_keyframe:
                return "it does not begin with a key frame"
            pts.append(packet.pts)
    if not pts or pts[0] < 0 or min(pts) != pts[0]:
        return "pictures lie before its first key frame"
    pts.sort()
    if any(b <= a for a, b in pairwise(pts)):
        return "two packets have one time"
    timeline = Timeline(tuple(pts), base, video.fps)
    return "its frames are uneven" if timeline.is_vfr else timeline


def _begun(once: "Once", path: Path, video: VideoFacts) -> str | None:
    """Decode the first frames, of which one stays; why they are not as expected, None where they are."""
    with opened(path) as container:
        stream = video_stream(container, video.track)
        context = stream.codec_context
        context.flags |= Flags.unaligned
        context.thread_type = "AUTO"
        count = 0
        try:
            for frame in islice(container.decode(stream), _LOOKED_AT):
                stops.poll()
                if (why := once.differs(count, frame)) is not None:
                    return f"frame {count} {why}"
                if count == 0:
                    once.keep(frame)
                count += 1
        finally:
            context.flush_buffers()
    return None if count == min(len(once.timeline.pts), _LOOKED_AT) else "a frame is missing"


class Once:
    """One decoding and its frames: `take` is given them by a thread, and `clip` hands them on.

    Frames are asked for a little out of turn and by several threads. So some that were decoded last stay; one
    before them is BestSource's, with the index that it then makes: rare and slow, and the same frame.

    Args:
        path: the file.
        video: its stream.
        found: the format of its samples.
        timeline: when each frame is shown, by its packets.
    """

    def __init__(self, path: Path, video: VideoFacts, found: PixelFormat, timeline: Timeline) -> None:
        self.path, self.timeline = path, timeline
        self._video, self._found = video, found
        family = vs.GRAY if found.gray else vs.YUV
        subsampling = (0, 0) if found.gray else (found.chroma[0] >> 1, found.chroma[1] >> 1)
        self._format = vs.core.query_video_format(family, vs.INTEGER, found.depth, *subsampling)
        samples = sum(rows * columns for rows, columns in found.plane_shapes(video.size))
        size = samples * found.sample_bytes
        self._ahead = max(2, min(_AHEAD, _AHEAD_BYTES // size))
        self._behind = max(2 * int(vs.core.num_threads), (decoded_mb(size) << 20) // size)
        self._lock = Lock()
        self._wants, self._came = Condition(self._lock), Condition(self._lock)
        self._first: vs.VideoFrame | None = None
        self._frames: dict[int, vs.VideoFrame] = {}
        self._called: dict[int, vs.VideoFrame] = {}
        self._awaited: dict[int, Condition] = {}
        self._decoded = self._wanted = 0
        self._begun = self._ended = False
        self.error: BaseException | None = None
        self._anew: vs.VideoNode | None = None
        self.missed = 0

    def differs(self, n: int, frame: av.VideoFrame) -> str | None:
        """What of a decoded frame is not as the packets and the container said of frame `n`; None where all is."""
        pts = self.timeline.pts
        refusals = {
            "is one more than there are packets": n >= len(pts),
            "has another time than its packet": n < len(pts) and frame.pts != pts[n],
            "has another size": (frame.width, frame.height) != self._video.size,
            "has another format": frame.format.name.replace("yuvj", "yuv") != self._found.name,
            "is damaged": bool(frame.is_corrupt),
            "has fields": bool(frame.interlaced_frame),
            "is turned": bool(frame.rotation),
        }
        return next((words for words, refused in refusals.items() if refused), None)

    def keep(self, frame: av.VideoFrame) -> None:
        """Have frame 0, which stays: what goes for the whole clip is read from it at any time."""
        self._first = self._framed(0, frame)

    def take(self, frame: av.VideoFrame, going_on: Callable[[], None]) -> None:
        """The next decoded frame; returns once the one after it is wanted.

        Args:
            frame: it.
            going_on: called while it waits; what it raises ends the decoding.

        Raises:
            ReadAnewError: it is not the one that was expected.
        """
        n = self._decoded
        if (why := self.differs(n, frame)) is not None:
            raise ReadAnewError(f"{self.path}: frame {n} {why}")
        made = self._framed(n, frame)
        with self._lock:
            self._frames[n] = made
            self._decoded = n + 1
            for old in [k for k in self._frames if k < n - self._behind - self._ahead and k not in self._awaited]:
                del self._frames[old]
            if n == 0:
                self._came.notify_all()
            if (waiting := self._awaited.get(n)) is not None:
                waiting.notify_all()
            while self._decoded > self._wanted + self._ahead:
                going_on()
                self._wants.wait(stops.LOOK_S)

    def require_all(self) -> None:
        """Raise where frames are missing after the last one.

        Raises:
            ReadAnewError: some are.
        """
        if self._decoded != (count := len(self.timeline.pts)):
            raise ReadAnewError(f"{self.path}: {self._decoded} frames come of its {count} packets")

    @contextlib.contextmanager
    def decoding(self) -> Iterator[None]:
        """For as long as frames come; whoever waits for one after that is told why there is none."""
        try:
            yield
        except BaseException as error:
            self.error = error
            raise
        finally:
            with self._lock:
                self._ended = True
                for waiting in (self._came, *self._awaited.values()):
                    waiting.notify_all()

    def fails(self, why: str) -> ReadAnewError:
        """The error that ends the decoding, for a reason that another one found."""
        self.error = ReadAnewError(f"{self.path}: {why}")
        return self.error

    def release(self) -> None:
        """Have the rest decoded without waiting for who asks for it."""
        with self._lock:
            self._want(len(self.timeline.pts))

    def begin(self, going_on: Callable[[], None]) -> None:
        """Wait until the decoding has its turn, see `complaints`: who holds a file open must not wait for that."""
        with self._lock:
            self._begun = True
            while not (self._decoded or self._ended):
                going_on()
                self._came.wait(stops.LOOK_S)

    def clip(self, indexed: Callable[[], vs.VideoNode]) -> vs.VideoNode:
        """The frames as a clip.

        Args:
            indexed: gives BestSource's clip of the file, for a frame that no longer waits.
        """
        (width, height), rate = self._video.size, self.timeline.fps
        blank = vs.core.std.BlankClip(
            width=width, height=height, format=self._format.id, length=len(self.timeline.pts),
            fpsnum=rate.numerator, fpsden=rate.denominator,
        )  # fmt: skip
        # No frame of that is ever made.
        ticks = vs.core.std.BlankClip(format=vs.GRAY8, width=16, height=16, length=blank.num_frames, keep=True)
        given = blank.std.ModifyFrame(ticks, self._given)
        vs.core.std.SetVideoCache(given, mode=0)

        def choose(n: int, f: Any = None) -> vs.VideoNode:  # named as FrameEval names them
            del f
            return given if self._calls(n) else self._by_index(n, indexed)

        return blank.std.FrameEval(choose)

    def _calls(self, n: int) -> bool:
        """Whether frame `n` waits, or comes; VapourSynth asks for it next, and until then it stays."""
        with self._lock:
            if self._begun and n >= self._decoded:
                self._want(n)
                # One condition a frame: one for all would wake each thread for every frame.
                waiting = self._awaited.setdefault(n, Condition(self._lock))
                while n not in self._frames and not self._ended:
                    waiting.wait(stops.LOOK_S)
                self._awaited.pop(n, None)
            if self.error is not None:
                raise vs.Error(f"frame {n}: {self.error}") from self.error
            frame = self._frames.get(n, self._first if n == 0 else None)
            if frame is None:
                return False
            self._want(n)
            self._called[n] = frame
            return True

    def _want(self, n: int) -> None:
        """Have frames decoded up to so many after frame `n`; with the lock held."""
        if n > self._wanted:
            self._wanted = n
            self._wants.notify_all()

    def _given(self, n: int, f: vs.VideoFrame) -> vs.VideoFrame:
        """Frame `n`, which was called."""
        del f
        return self._called.pop(n)

    def _by_index(self, n: int, indexed: Callable[[], vs.VideoNode]) -> vs.VideoNode:
        log.info("%s: frame %d no longer waits: it is decoded again, with an index", self.path, n)
        self.missed += 1
        if self._anew is None:
            try:
                self._anew = indexed()
            except VsanonError as error:
                raise vs.Error(f"frame {n}: {error}") from error
        return self._anew

    def _framed(self, n: int, frame: av.VideoFrame) -> vs.VideoFrame:
        """A frame with those of BestSource's properties that anything reads."""
        out = vs.core.create_video_frame(self._format, *self._video.size)
        for p, plane in enumerate(picture_of(frame).planes):
            np.copyto(np.asarray(out[p]), plane)
        for name, value in self._props(n, frame):
            out.props[name] = value
        return out

    def _props(self, n: int, frame: av.VideoFrame) -> Iterator[tuple[str, Any]]:
        yield "_Matrix", int(frame.colorspace)
        yield "_Primaries", int(frame.color_primaries)
        yield "_Transfer", int(frame.color_trc)
        if (place := int(frame.chroma_location)) > 0:
            yield "_ChromaLocation", place - 1
        if (spanned := int(frame.color_range)) in (1, 2):
            yield "_Range", int(vs.RANGE_LIMITED if spanned == 1 else vs.RANGE_FULL)
        name = PictureType(frame.pict_type).name
        yield "_PictType", "?" if name == "NONE" else name
        yield "_FieldBased", int(vs.FIELD_PROGRESSIVE)
        pts = self.timeline.pts
        if n + 1 < len(pts):
            lasts = (pts[n + 1] - pts[n]) * self.timeline.time_base
            yield "_DurationNum", lasts.numerator
            yield "_DurationDen", lasts.denominator
        if (sar := self._video.sar) is not None:
            yield "_SARNum", sar.numerator
            yield "_SARDen", sar.denominator
