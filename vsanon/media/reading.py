"""Reads a media file to its end: the bytes of its packets, the times and samples of its frames."""

import hashlib
import os
from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import av
from av.codec.context import Flags
from av.container import InputContainer

from vsanon import stops
from vsanon.errors import InputError
from vsanon.media.complaints import Ear, Poll, heard
from vsanon.media.headers import is_beside, is_tagged
from vsanon.media.pictures import Picture, picture_of
from vsanon.media.probing import opened, opened_in_turn
from vsanon.media.side_data import beside_samples
from vsanon.media.streams import codec_name, fraction, video_stream


def plain_reader() -> str:
    """What decodes here, by name and version, as records have it."""
    return f"PyAV {av.__version__}"


@dataclass(frozen=True, slots=True)
class StreamPackets:
    """The packets of one stream: what they say, and when.

    `sha256` is over all payload bytes in order, so it does not depend on how PCM was cut into packets. What
    belongs to the container is left out: ADTS headers, which a transport stream has and an MP4 does not, and
    the empty samples between two texts of mov_text. `pts` are in `time_base`. `beside` says that
    sound has data beside its packets.
    """

    index: int
    kind: str
    codec: str
    sha256: str
    pts: tuple[int, ...]
    time_base: Fraction
    beside: bool = False

    @property
    def start(self) -> Fraction | None:
        """The first packet's time in seconds, encoder priming included."""
        return self.pts[0] * self.time_base if self.pts else None


def packet_hashes(
    path: str | os.PathLike[str],
    kinds: Iterable[str] = ("audio", "subtitle"),
    *,
    fits: Mapping[int, tuple[int, int]] = MappingProxyType({}),
    within: tuple[Fraction, Fraction] | None = None,
) -> tuple[StreamPackets, ...]:
    """Hash the packets of each stream of `kinds`, in file order, in one pass over the file.

    Args:
        path: the file.
        kinds: of the streams.
        fits: by the index of a stream of PCM, how its bytes are hashed: with so many zeros before them (below 0:
            without so many of them), and so many in all, cut or followed by zeros.
        within: a time in seconds: of texts those that are shown in it are taken, as of its beginning.

    Raises:
        InputError: the file can't be read to its end.
    """
    wanted = set(kinds)
    with opened(path) as container:
        streams = [s for s in container.streams if s.type in wanted]
        hashes = {s.index: _Fitted(*fits.get(s.index, (0, None))) for s in streams}
        pts: dict[int, list[int]] = {s.index: [] for s in streams}
        codecs = {s.index: codec_name(s) for s in streams}
        beside: set[int] = set()
        for packet in container.demux(streams) if streams else ():
            stops.poll()
            if packet.size == 0:
                continue
            if packet.is_corrupt:
                raise InputError(f"{path}: stream {packet.stream_index} has a damaged packet at {packet.pts}.")
            if packet.stream.type == "audio" and (is_beside(packet) or is_tagged(packet)):
                beside.add(packet.stream_index)
            data = _payload(bytes(packet), codecs[packet.stream_index])
            time = packet.pts
            if within is not None and packet.stream.type == "subtitle" and time is not None:
                time = _clipped(packet, within)
                data = data if time is not None else b""
            if not data:
                continue
            hashes[packet.stream_index].update(data)
            if time is not None:
                pts[packet.stream_index].append(time)
        return tuple(
            StreamPackets(
                s.index,
                s.type,
                codecs[s.index],
                hashes[s.index].hexdigest(),
                tuple(pts[s.index]),
                fraction(s.time_base),
                s.index in beside,
            )
            for s in streams
        )


def _clipped(packet: Any, within: tuple[Fraction, Fraction]) -> int | None:
    """When a text is shown, in its ticks, clipped to a time in seconds; None where it is not shown then."""
    base = fraction(packet.time_base)
    starts, lasts = (packet.pts or 0) * base, (packet.duration or 0) * base
    if starts >= within[1] or starts + lasts <= within[0]:
        return None
    return max(packet.pts or 0, round(within[0] / base))


class _Fitted:
    """A SHA-256 over bytes that are shifted and cut or filled up with zeros; as they are without a total."""

    def __init__(self, lead: int, total: int | None) -> None:
        self._hash, self._skip, self._left = hashlib.sha256(), max(-lead, 0), total
        self._zeros(max(lead, 0))

    def update(self, data: bytes) -> None:
        skipped = min(self._skip, len(data))
        self._skip -= skipped
        data = data[skipped:]
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        self._hash.update(data)

    def hexdigest(self) -> str:
        self._zeros(self._left or 0)
        return self._hash.hexdigest()

    def _zeros(self, count: int) -> None:
        while count > 0:
            part = min(count, 1 << 20)
            self.update(bytes(part))
            count -= part


STRICT = "crccheck+bitstream+buffer+explode"
"""The objections of a decoder (ffmpeg's err_detect) by which damage shows, ..."""

OBJECTIONS = {
    # "bitstream" takes the zeros that fill up a constant bit rate for damage; what is no zero is told without it.
    "mpeg1video": "crccheck+buffer+explode",
    "mpeg2video": "crccheck+buffer+explode",
    # "explode" stops at every tag that tells nothing of the picture, such as the unit of the resolution.
    "tiff": "crccheck+buffer",
}
"""... and those of codecs whose decoders also object to what is right."""


class UnlikeError(InputError):
    """A frame that is whole and can't stand in one film with those before it."""


FIELDS = "fields: frames later on are interlaced, and all are taken for progressive, as the first ones are"
COLOURS = "colour tags that change within the stream: one set stands for all frames"
"""What is told beside frames of a stream that changes on the way."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where the pictures of a stream begin: a recording that begins between key frames shows none before the first.

    Args:
        left_out: number of packets that belong to pictures before.
        packets: number of packets before that key frame.
        first: when it is shown, in ticks; pictures that are decoded after it and shown before it need what is not
            there, too. None where the first packet is a key frame, or none is: such a stream is taken as it is.
        time_base: seconds a tick.
    """

    left_out: int = 0
    packets: int = 0
    first: int | None = None
    time_base: Fraction = Fraction(1)

    def takes(self, n: int, pts: int | None) -> bool:
        """Whether packet `n` of the file, of this time, belongs to pictures that can be decoded."""
        return self.first is None or (n >= self.packets and (pts is None or pts >= self.first))


def beginning(path: str | os.PathLike[str], track: int | None = None) -> Beginning:
    """Look for the first key frame of a video track.

    Raises:
        InputError: the file can't be read, or there is no such track.
    """
    with opened(path) as container:
        stream = video_stream(container, track)
        if stream is None:
            return Beginning()
        before, after, first = 0, 0, None
        for packet in container.demux(stream):
            stops.poll()
            if not packet.size:
                break
            if first is None:
                if packet.is_keyframe and (before == 0 or packet.pts is None):
                    return Beginning()
                first = packet.pts if packet.is_keyframe else None
                before += not packet.is_keyframe
            elif packet.is_keyframe:
                break
            else:
                after += packet.pts is not None and packet.pts < first
        if first is None:
            return Beginning()
        return Beginning(before + after, before, first, fraction(stream.time_base))


def decode_timestamps(
    path: str | os.PathLike[str],
    *,
    timed: bool = True,
    track: int | None = None,
    look: Callable[[Picture], None] | None = None,
    take: Callable[[av.VideoFrame], None] | None = None,
    on_frame: Callable[[], None] | None = None,
    beside: set[str] | None = None,
) -> tuple[tuple[int, ...], Fraction]:
    """Decode every frame of a video stream, in presentation order, and give its timestamps.

    Args:
        path: the file.
        timed: frames must have timestamps; without it they are only counted, as 0, 1, 2, ...
        track: which video track, as in `video_stream`.
        look: called with each frame's picture.
        take: called with each frame itself, cropped to the very pixel; whatever it raises ends the decoding.
        on_frame: called with each packet, and while others decode; what it raises ends the decoding.
        beside: is told what lies beside the samples of frames that no preset carries on, in words; `FIELDS` as soon
            as a frame has them, too.

    Returns:
        The pts of the frames in presentation order, and their time base.

    Raises:
        InputError: there is no video, or a packet or frame does not decode without error.
        Exception: whatever `look`, `take` or `on_frame` raises.
    """

    def seen(frame: av.VideoFrame) -> None:
        if take is not None:
            take(frame)
        if look is not None:
            look(picture_of(frame))

    shown = None if look is None and take is None else seen

    def read(ear: Ear, first: bool) -> tuple[tuple[int, ...], Fraction]:
        with opened_in_turn(path) as container:
            ear.opened(container.format.name)
            return _decoded(path, container, track, begins, timed, shown if first else None, polled, beside)

    def polled() -> None:
        stops.poll()
        if on_frame is not None:
            on_frame()

    begins = beginning(path, track)
    found, complaint = heard(read, polled)
    if complaint is not None:
        raise InputError(f"{path}: does not decode without error: {complaint}.")
    return found


def _decoded(
    path: object,
    container: InputContainer,
    track: int | None,
    begins: Beginning,
    timed: bool,
    seen: Callable[[av.VideoFrame], None] | None,
    polled: Poll,
    beside: set[str] | None,
) -> tuple[tuple[int, ...], Fraction]:
    stream = video_stream(container, track)
    if stream is None:
        raise InputError(f"{path}: no video stream to decode.")
    context = stream.codec_context
    context.options = {"err_detect": OBJECTIONS.get(codec_name(stream), STRICT)}
    if seen is None and codec_name(stream) == "h264":
        # No error shows in its deblocking, a fifth of the time; HEVC has checksums of deblocked pictures.
        context.options |= {"skip_loop_filter": "all"}
    if seen is not None:
        context.flags |= Flags.unaligned  # else a left edge is cropped by whole words of a processor only
    context.thread_type = "AUTO"
    pts = array("q")
    turns: set[int] = set()
    colours: set[tuple[int, ...]] = set()
    try:
        for n, packet in enumerate(container.demux(stream)):
            polled()
            if packet.size and not begins.takes(n, packet.pts):
                continue
            if packet.is_corrupt:
                raise InputError(f"{path}: a packet before frame {len(pts)} or later is lost or damaged.")
            for frame in packet.decode():
                if frame.is_corrupt or (timed and frame.pts is None):
                    raise InputError(f"{path}: frame {len(pts)} is damaged or has no timestamp.")
                turns.add(int(frame.rotation))
                if len(turns) > 1:
                    raise UnlikeError(
                        f"{path}: frame {len(pts)} is shown turned otherwise than those before it: turn its images "
                        "or parts upright first, each by itself"
                    )
                pts.append(frame.pts if timed else len(pts))
                if beside is not None:
                    beside |= beside_samples(frame)
                    if frame.interlaced_frame:
                        beside.add(FIELDS)
                    tags = (frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range)
                    colours.add(tuple(map(int, tags)))
                    if len(colours) > 1:
                        beside.add(COLOURS)
                if seen is not None:
                    seen(frame)
    except av.FFmpegError as error:
        raise InputError(f"{path}: frame {len(pts)} or later does not decode: {error}.") from error
    finally:
        # Lets the decoder's threads come to rest: PyAV frees it under the lock that they log with.
        context.flush_buffers()
    return tuple(pts), fraction(stream.time_base)


def _payload(data: bytes, codec: str) -> bytes:
    # 3GPP TS 26.245: an empty sample only fills the time between two texts; muxers add them as they need.
    if codec == "mov_text" and data[:2] == b"\0\0":
        return b""
    # ISO/IEC 13818-7 ADTS: 12 sync bits, layer 0; protection_absent tells a header of 7 bytes from one of 9.
    if codec == "aac" and len(data) > 7 and data[0] == 0xFF and data[1] & 0xF6 == 0xF0:
        return data[7 if data[1] & 1 else 9 :]
    return data
