"""Decoded sound of a file, in blocks of samples that stand for the same times in every file."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from vsanon import stops
from vsanon.errors import InputError
from vsanon.media.probing import opened
from vsanon.media.streams import fraction

_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class SoundStart:
    """A sound stream: where it is, when its first sample is heard, in seconds, and in which steps of a second."""

    path: str
    index: int
    seconds: Fraction
    time_base: Fraction
    rate: int
    depth: int


def sound_start(path: str | os.PathLike[str], index: int | None, number: int = 0) -> SoundStart:
    """Find a sound stream by its index, or as number `number` of them.

    Raises:
        InputError: it is not there, or does not decode.
    """
    with opened(path) as container:
        streams = [s for s in container.streams.audio if index is None or s.index == index]
        if len(streams) <= number:
            raise InputError(f"{path}: no sound stream to compare")
        stream = streams[number]
        frame = next(container.decode(stream), None)
        if frame is None or frame.pts is None:
            raise InputError(f"{path}: the sound of stream {stream.index} has no samples")
        base = fraction(frame.time_base)
        depth = 16 if frame.format.name.startswith(("u8", "s16")) else 24
        return SoundStart(os.fspath(path), stream.index, frame.pts * base, base, frame.sample_rate, depth)


@dataclass(frozen=True, slots=True)
class Gap:
    """Where a sound stream has no samples: after how many seconds, and for how many."""

    after_s: Fraction
    length_s: Fraction


def first_gap(path: Path, index: int) -> Gap | None:
    """The first gap of a sound stream, by the times of its packets; None where each begins as the one before ends.

    Raises:
        InputError: the file can't be read.
    """
    stat = path.stat()
    return _first_gap(path.resolve(), (stat.st_ino, stat.st_mtime_ns), index)


@cache
def _first_gap(path: Path, _: tuple[int, int], index: int) -> Gap | None:
    with opened(path) as container:
        stream = container.streams[index]
        base, ends = fraction(stream.time_base), None
        for packet in container.demux(stream):
            stops.poll()
            if packet.pts is None or not packet.size:
                continue
            begins = packet.pts * base
            if ends is not None and begins - ends > _LEAST_GAP_S:
                return Gap(ends, begins - ends)
            ends = begins + packet.duration * base if packet.duration else None
    return None


_LEAST_GAP_S = Fraction(1, 200)
"""Containers round times to a millisecond."""


def blocks(
    start: SoundStart, lead: int = 0, total: int | None = None, rate: int | None = None
) -> Iterator[NDArray[np.float64]]:
    """The samples of a stream, (channels, samples), full scale being 1, in blocks of one length but for the last.

    Args:
        start: the stream.
        lead: silent samples before the first; below 0 so many are left out.
        total: how many there are in all, cut or followed by silence; None for all that there are. Then its times
            must go on without a gap, so that samples can be counted.
        rate: what it is resampled to, Hz, in which the numbers are; None for its own.

    Raises:
        InputError: it does not decode to its end, or has a gap.
    """
    waiting: list[NDArray[np.float64]] = []
    count = 0
    for found in _fitted(_decoded(start, rate, even=total is not None), lead, total):
        waiting.append(found)
        count += found.shape[1]
        while count >= _BLOCK:
            joined = np.concatenate(waiting, axis=1)
            yield joined[:, :_BLOCK]
            waiting, count = [joined[:, _BLOCK:]], count - _BLOCK
    if count:
        yield np.concatenate(waiting, axis=1)


def _fitted(parts: Iterator[NDArray[np.float64]], lead: int, total: int | None) -> Iterator[NDArray[np.float64]]:
    """Samples with silence before them, or without the first of them, and cut or filled up with silence."""
    silence, skipped, left, channels = max(lead, 0), max(-lead, 0), total, 0
    for part in parts:
        channels = part.shape[0]
        found, skipped = part[:, skipped:], max(skipped - part.shape[1], 0)
        if silence:
            found, silence = np.concatenate([np.zeros((channels, silence)), found], axis=1), 0
        if left is not None:
            found = found[:, :left]
            left -= found.shape[1]
        yield found
        if left == 0:
            return
    while left and channels:
        more = min(left, _BLOCK)
        left -= more
        yield np.zeros((channels, more))


_GAP_S = Fraction(1, 20)
"""By how much a sound frame may lie off its place: times are rounded to milliseconds in some containers."""


_MOST_PLANES = 8
"""Channels that PyAV reads where each has a plane of its own."""


def _decoded(start: SoundStart, rate: int | None, *, even: bool) -> Iterator[NDArray[np.float64]]:
    """The samples of each frame."""
    count = 0
    with opened(start.path) as container:
        stream = next(s for s in container.streams.audio if s.index == start.index)
        layout = stream.codec_context.layout
        whole = len(layout.channels) <= _MOST_PLANES and rate in (None, start.rate)
        again = None if whole else av.AudioResampler("dbl", layout, rate or start.rate)
        try:
            for frame in container.decode(stream):
                stops.poll()
                if even and frame.pts is not None:
                    off = frame.pts * fraction(frame.time_base) - start.seconds - Fraction(count, start.rate)
                    if abs(off) > _GAP_S:
                        raise InputError(
                            f"{start.path}: the sound of stream {stream.index} has a gap of {float(off):.3f} s "
                            f"after {count / start.rate:.3f} s, so that its samples can't be counted"
                        )
                count += frame.samples
                for part in [frame] if again is None else again.resample(frame):
                    yield _samples(part)
            for part in [] if again is None else again.resample(None):
                yield _samples(part)
        except (av.FFmpegError, ValueError) as error:
            raise InputError(f"{start.path}: sound of stream {start.index} does not decode: {error}.") from error


def _samples(frame: av.AudioFrame) -> NDArray[np.float64]:
    found: NDArray[Any] = frame.to_ndarray()
    if not frame.format.is_planar:
        found = found.reshape(-1, len(frame.layout.channels)).T
    if found.dtype == np.uint8:
        return (found.astype(np.float64) - 128) / 128
    if found.dtype.kind == "i":
        return found.astype(np.float64) / float(np.iinfo(found.dtype).max + 1)
    return found.astype(np.float64)
