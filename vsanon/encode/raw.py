"""Frames as they are handed to ffmpeg: what they are, and their way through its pipe as NUT raw video."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from vsanon import stops
from vsanon.encode.ffmpeg import Running
from vsanon.errors import EncodeError, InputError
from vsanon.media import Color, PixelFormat, pixel_format
from vsanon.timing import Timeline

_PIPE_BYTES = 1 << 20
_WRITE_BYTES = 1 << 18
"""What is written at a time: little enough to stay in the processor's cache on its way."""


@dataclass(frozen=True, slots=True)
class RawVideo:
    """The frames that are handed over.

    `pix_fmt` is ffmpeg's name of a planar format; `size` is (width, height); `timeline` holds the source's
    own presentation times, as its demuxer gives them; `field_order` and `hdr`
    are as in `vsanon.media.VideoFacts`.
    """

    pix_fmt: str
    size: tuple[int, int]
    timeline: Timeline
    sar: Fraction | None = None
    color: Color = field(default_factory=Color)
    field_order: str = "progressive"
    hdr: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        # NUT has no code for float gray; palettes and packed formats have no planes of samples.
        unfit = self.pix_fmt.startswith(("grayf", "pal", "yuvj")) or self.pix_fmt.endswith("be")
        if unfit or not pixel_format(self.pix_fmt).planar:
            raise InputError(
                f"frames of {self.pix_fmt} can't be piped to ffmpeg; convert them to a planar integer format "
                "first (gray16le for float gray; yuv420p with the range pc for yuvj420p)."
            )
        if self.field_order not in _FIELD_MODES:
            raise InputError(f"field order is one of {', '.join(_FIELD_MODES)}, got {self.field_order!r}.")

    @property
    def field_mode(self) -> str:
        """Which field is shown first, in ffmpeg's words: tff, bff, prog (there are no fields) or auto (unknown)."""
        return _FIELD_MODES[self.field_order]

    @property
    def interlaced(self) -> bool:
        """Whether a frame holds two fields of different times."""
        return self.field_mode in ("tff", "bff")


# ffmpeg tells apart how fields are stored; which one is shown first is all that matters to frames.
_FIELD_MODES = {"progressive": "prog", "unknown": "auto", "tt": "tff", "tb": "tff", "bb": "bff", "bt": "bff"}


def piped_format(video: RawVideo, pix_fmt: str) -> str:
    """The format of the pipe to an encoder of `pix_fmt`: the frames' own, but for gray that becomes colour.

    Gray gets neutral chroma planes before the pipe, because ffmpeg takes all gray for full range.
    """
    have = pixel_format(video.pix_fmt)
    if have.gray and not pixel_format(pix_fmt).gray:
        return video.pix_fmt.replace("gray", "yuv422p")
    return video.pix_fmt


class PipeError(Exception):
    """ffmpeg closed its end of the pipe; `Running.finish` tells why."""


def send(
    frames: Iterable[Sequence[NDArray[Any]]],
    video: RawVideo,
    pix_fmt: str,
    pts: Sequence[int],
    time_base: Fraction,
    ffmpeg: Running,
    on_frame: Callable[[int], None] | None,
) -> None:
    """Write the frames as NUT to ffmpeg, and close the pipe; each plane is copied once, into a packet.

    Args:
        frames: per frame its planes in `video.pix_fmt`'s order, each (rows, columns), of any strides.
        video: what the frames are.
        pix_fmt: the format in the pipe, as `piped_format` gives it.
        pts: the frames' times, in `time_base` seconds.
        time_base: seconds.
        ffmpeg: reads the pipe; killed if anything but the pipe fails.
        on_frame: called with `n` after frame `n` was written.

    Raises:
        EncodeError: the frames are more or fewer than `pts`, or one is not of `video`'s format.
        PipeError: ffmpeg reads no more.
        Stopped: a stop was asked for.
        Exception: whatever `frames` or `on_frame` raises.
    """
    pipe = ffmpeg.stdin
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):  # a smaller pipe is only slower
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    found = pixel_format(pix_fmt)
    shapes = found.plane_shapes(video.size)
    size = sum(h * w for h, w in shapes) * found.sample_bytes
    neutral = _neutral_chroma(video, found)
    nut = av.open(pipe, "w", format="nut", buffer_size=_WRITE_BYTES, options={"write_index": "0"})
    try:
        stream = nut.add_stream("rawvideo", rate=video.timeline.fps)
        stream.width, stream.height = video.size
        stream.pix_fmt = pix_fmt
        stream.codec_context.time_base = time_base
        # A muxer of one stream has written a packet when it returns, so that one packet serves all frames: new
        # memory for each would cost as much as filling it.
        packet = av.Packet(size)
        packet.stream = stream
        packet.is_keyframe = True
        sent = 0
        for n, planes in enumerate(frames):
            stops.poll()
            if n == len(pts):
                raise EncodeError(f"frame {n} came, but the timeline ends with frame {len(pts) - 1}.")
            _pack([*planes, *neutral], found, shapes, packet, n)
            packet.pts = packet.dts = pts[n]
            packet.time_base = time_base
            with _pipe_errors():
                nut.mux_one(packet)
            sent = n + 1
            if on_frame is not None:
                on_frame(n)
        if sent != len(pts):
            raise EncodeError(f"the clip gave {sent} frames, but its timeline has {len(pts)}.")
        with _pipe_errors():
            nut.close()
            pipe.close()
    except BaseException as error:
        if not isinstance(error, PipeError):
            ffmpeg.kill()  # or it would take the end of the pipe for the end of the clip
        with suppress(av.FFmpegError, OSError):
            nut.close()
        with suppress(OSError):
            pipe.close()
        raise


@contextmanager
def _pipe_errors() -> Iterator[None]:
    # PyAV passes on the pipe's own error, or, once one was seen, an error of its own.
    try:
        yield
    except (av.FFmpegError, OSError) as error:
        raise PipeError from error


def _neutral_chroma(video: RawVideo, piped: PixelFormat) -> list[NDArray[Any]]:
    if piped.name == video.pix_fmt:
        return []
    dtype = np.dtype(f"u{piped.sample_bytes}")
    return [np.full(shape, 1 << piped.depth - 1, dtype) for shape in piped.plane_shapes(video.size)[1:]]


def _pack(
    planes: Sequence[NDArray[Any]],
    found: PixelFormat,
    shapes: Sequence[tuple[int, int]],
    packet: Any,
    n: int,
) -> None:
    dtype = np.dtype(np.float32 if found.is_float else f"u{found.sample_bytes}")
    if [p.shape for p in planes] != list(shapes) or any(p.dtype != dtype for p in planes):
        got = [(p.shape, str(p.dtype)) for p in planes]
        raise EncodeError(f"frame {n}: {found.name} needs planes of {list(shapes)} in {dtype}, got {got}.")
    buffer = np.frombuffer(packet, dtype)
    start = 0
    for plane in planes:
        np.copyto(buffer[start : start + plane.size].reshape(plane.shape), plane)
        start += plane.size
