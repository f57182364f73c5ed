"""Decoded sound of a file, in blocks of samples that stand for the same times in every file."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from vsanon import stops
from vsanon.errors import InputError
from vsanon.media.probing import fraction, opened

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


def blocks(start: SoundStart, skipped: int = 0) -> Iterator[NDArray[np.float64]]:
    """The samples of a stream, (channels, samples), full scale being 1, in blocks of one length but for the last.

    Args:
        start: the stream.
        skipped: samples that are left out at its beginning.

    Raises:
        InputError: it does not decode to its end.
    """
    waiting: list[NDArray[np.float64]] = []
    count = 0
    with opened(start.path) as container:
        stream = next(s for s in container.streams.audio if s.index == start.index)
        try:
            for frame in container.decode(stream):
                stops.poll()
                found = _samples(frame)
                waiting.append(found[:, skipped:])
                skipped = max(skipped - found.shape[1], 0)
                count += waiting[-1].shape[1]
                while count >= _BLOCK:
                    whole = np.concatenate(waiting, axis=1)
                    yield whole[:, :_BLOCK]
                    waiting, count = [whole[:, _BLOCK:]], count - _BLOCK
        except (av.FFmpegError, ValueError) as error:
            raise InputError(f"{start.path}: sound of stream {start.index} does not decode: {error}.") from error
    if count:
        yield np.concatenate(waiting, axis=1)


def _samples(frame: av.AudioFrame) -> NDArray[np.float64]:
    found: NDArray[Any] = frame.to_ndarray()
    if not frame.format.is_planar:
        found = found.reshape(-1, len(frame.layout.channels)).T
    if found.dtype == np.uint8:
        return (found.astype(np.float64) - 128) / 128
    if found.dtype.kind == "i":
        return found.astype(np.float64) / float(np.iinfo(found.dtype).max + 1)
    return found.astype(np.float64)
