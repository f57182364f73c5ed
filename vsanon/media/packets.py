"""The packets and picture types of a video stream: what an encoder really wrote."""

import os
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.video.frame import PictureType
from numpy.typing import NDArray

from vsanon import stops
from vsanon.errors import InputError
from vsanon.media.probing import opened
from vsanon.media.streams import fraction, video_stream
from vsanon.timing import Timeline


@dataclass(frozen=True, slots=True, eq=False)
class VideoPackets:
    """The video stream, packet by packet in decoding order, and its frames in presentation order.

    Args:
        sizes: (n,) int64, bytes of each packet.
        times: (n,) int64, when each is decoded, in `time_base`; its presentation where the file doesn't say.
        keyframes: (n,) bool.
        time_base: seconds a tick.
        duration: seconds from the first frame's presentation to the end of the last one.
        picture_types: of each frame: I, P, B or another of ffmpeg's letters; "?" where the codec has none. Empty
            where no frame was decoded.
    """

    sizes: NDArray[np.int64]
    times: NDArray[np.int64]
    keyframes: NDArray[np.bool_]
    time_base: Fraction
    duration: Fraction
    picture_types: tuple[str, ...]


def packet_times(path: str | os.PathLike[str], track: int | None = None) -> tuple[tuple[int, ...], Fraction] | None:
    """When the packets of a video track that hold a picture are decoded, rising, and the time base.

    AVI says no more: its frames follow each other at one rate, and an empty packet lets one stay for another time.

    Raises:
        InputError: the file can't be read, or there is no such track.
    """
    with opened(path) as container:
        stream = video_stream(container, track)
        if stream is None:
            return None
        times = [packet.dts for packet in container.demux(stream) if packet.size]
        known = [time for time in times if time is not None]
        return (tuple(sorted(known)), fraction(stream.time_base)) if len(known) == len(times) else None


def last_stays(path: str | os.PathLike[str], timeline: Timeline, track: int | None = None) -> Fraction | None:
    """For how many seconds the last picture of a track stays, where that is not about as long as the others do.

    None as well where the file does not say how long the track is.

    Raises:
        InputError: the file can't be read, or there is no such track.
    """
    with opened(path) as container:
        stream = video_stream(container, track)
        if stream is None or stream.duration is None:
            return None
        stop = ((stream.start_time or 0) + stream.duration) * fraction(stream.time_base)
    stays = stop - timeline.seconds(-1)
    return stays if stays > 0 and not Fraction(1, 2) <= stays * timeline.fps <= 2 else None


def bytes_in_no_packet(path: str | os.PathLike[str]) -> tuple[int, int]:
    """How many bytes of a file belong to no packet of any stream, and how many packets there are.

    Raises:
        InputError: the file can't be read.
    """
    with opened(path) as container:
        found, count = 0, 0
        for packet in container.demux():
            stops.poll()
            found, count = found + packet.size, count + (packet.size > 0)
    return os.path.getsize(path) - found, count


def key_times(path: str | os.PathLike[str], track: int | None = None) -> tuple[Fraction, ...] | None:
    """When the key frames of a video track are shown, in seconds, rising; None where every frame is one.

    Raises:
        InputError: the file can't be read, or there is no such track.
    """
    with opened(path) as container:
        stream = video_stream(container, track)
        if stream is None or stream.codec_context.codec.intra_only:
            return None
        times: set[int] = set()
        others = 0
        for packet in container.demux(stream):
            stops.poll()
            if packet.is_keyframe and packet.pts is not None:
                times.add(packet.pts)
            else:
                others += bool(packet.size)
        base = fraction(stream.time_base)
        return tuple(time * base for time in sorted(times)) if others else None


def video_packets(path: str | os.PathLike[str], *, decode: bool = True) -> VideoPackets:
    """Read and decode the video stream.

    Args:
        path: the file.
        decode: without it, packets are only read, and picture types stay unknown.

    Raises:
        InputError: there is no video, a packet has no time, or a frame does not decode.
    """
    sizes: list[int] = []
    times: list[int] = []
    keyframes: list[bool] = []
    shown: list[tuple[int, int]] = []
    types: list[str] = []
    with opened(path) as container:
        stream = video_stream(container)
        if stream is None:
            raise InputError(f"{path}: no video stream to measure.")
        stream.codec_context.thread_type = "AUTO"
        time_base, rate = fraction(stream.time_base), stream.average_rate
        try:
            for packet in container.demux(stream):
                stops.poll()
                if packet.size:
                    time = packet.pts if packet.dts is None else packet.dts
                    if time is None:
                        raise InputError(f"{path}: packet {len(sizes)} has no time, so no rate can be measured.")
                    sizes.append(packet.size)
                    times.append(time)
                    keyframes.append(bool(packet.is_keyframe))
                    shown.append((time if packet.pts is None else packet.pts, packet.duration or 0))
                if decode:
                    types += [PictureType(frame.pict_type).name for frame in packet.decode()]
        except av.FFmpegError as error:
            raise InputError(f"{path}: frame {len(types)} or later does not decode: {error}.") from error
    if not sizes:
        raise InputError(f"{path}: the video stream has no packet to measure.")
    start, (last, length) = min(shown)[0], max(shown)
    end = Fraction(length) if length or not rate else 1 / (rate * time_base)
    return VideoPackets(
        np.array(sizes, np.int64),
        np.array(times, np.int64),
        np.array(keyframes, np.bool_),
        time_base,
        (last - start + end) * time_base,
        tuple("?" if name == "NONE" else name for name in types),
    )
