"""What a stream was asked to be, and what came out: rate, peak, GOP, B-frames, profile, format, pixels of boxes."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, inf
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32, area
from vsanon.errors import InputError
from vsanon.media import pixel_format, probe
from vsanon.media.packets import VideoPackets, video_packets
from vsanon.validation.metrics.detection import shorter_side

PEAK_SLACK = 0.001
"""What rounding of times may add to a peak."""
_PRORES = {"proxy": 45, "lt": 102, "standard": 147, "hq": 220, "4444": 330, "xq": 500}
"""Apple's target rates at 1920x1080 and 29.97 frames/s, Mbit/s, by profile."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The least, the mean and the greatest of some numbers."""

    minimum: float
    mean: float
    maximum: float


@dataclass(frozen=True, slots=True)
class StreamFigures:
    """What an encoded video stream is, measured.

    Args:
        codec, profile, pix_fmt: in ffmpeg's names; the profile may be unknown.
        depth: bits a sample.
        size: (width, height), pixels.
        fps: frames a second.
        frames: packets, one a frame (or a field, where fields are coded apart).
        duration_s: from the first frame to the end of the last.
        bit_rate: of the packets, without the container, in bit/s.
        peak_bit_rate: of the 1 s window that holds most, in bit/s; of a shorter stream its mean rate.
        gop_frames: from one keyframe to the next, in decoding order; the last one runs to the end.
        b_frame_share: of all frames; None where the codec has no picture types, or no frame was decoded.
        level: of H.264 and H.265, such as "4.1"; None where it is not known.
        vbv_bit_rate: the least rate at which a decoder's buffer of the requested size never runs empty, in bit/s;
            None where no buffer was asked for.
        prores_bit_rate: Apple's target for this profile, size and rate, in bit/s; None of other codecs.
    """

    codec: str
    profile: str | None
    pix_fmt: str
    depth: int
    size: tuple[int, int]
    fps: Fraction
    frames: int
    duration_s: float
    bit_rate: float
    peak_bit_rate: float
    gop_frames: Spread
    b_frame_share: float | None
    level: str | None = None
    vbv_bit_rate: float | None = None
    prores_bit_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What the encoder was asked for; None: nothing was asked.

    Args:
        codec, profile, pix_fmt: in ffmpeg's names.
        bit_rate, peak_bit_rate: bit/s.
        gop_frames: the longest GOP.
        b_frames: whether any may be.
        buffer_bits: of the decoder's buffer, which the peak is meant with.
    """

    codec: str | None = None
    profile: str | None = None
    pix_fmt: str | None = None
    bit_rate: float | None = None
    peak_bit_rate: float | None = None
    gop_frames: int | None = None
    b_frames: bool | None = None
    buffer_bits: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing that was asked for, and what came out.

    Args:
        name: the field of `Request`.
        requested, measured: both values.
        ratio: measured / requested, of rates and GOP; None where a ratio makes no sense.
    """

    name: str
    requested: str | float | bool
    measured: str | float | bool | None
    ratio: float | None = None

    @property
    def differs(self) -> bool:
        """Whether a name is another, or a limit (peak, GOP, no B-frames) is passed; an average rate never is."""
        match self.name:
            case "bit_rate":
                return False
            case "peak_bit_rate":
                return self.ratio is not None and self.ratio > 1 + PEAK_SLACK
            case "gop_frames":
                return self.ratio is not None and self.ratio > 1
            case "b_frames":
                return not self.requested and self.measured is not False
            case _:
                return self.requested != self.measured


@dataclass(frozen=True, slots=True)
class BoxPixels:
    """How many pixels faces or plates have.

    Args:
        boxes: how many there are.
        shorter_side: min(w, h) in pixels.
        area: w · h in px².
        median_side: the median of min(w, h).
    """

    boxes: int
    shorter_side: Spread
    area: Spread
    median_side: float


def measure_stream(path: Path, *, decode: bool = True, buffer_bits: float | None = None) -> StreamFigures:
    """Measure the first video stream of a file.

    Args:
        path: the file.
        decode: without it, whoever decodes the file adds the share of B-frames.
        buffer_bits: of the decoder's buffer that the encoder was asked to keep to; None: of none.

    Raises:
        InputError: there is no video, or it does not decode.
    """
    facts = probe(path).video
    if facts is None:
        raise InputError(f"{path}: no video stream to measure.")
    packets = video_packets(path, decode=decode)
    return StreamFigures(
        codec=facts.codec,
        profile=facts.profile,
        pix_fmt=facts.pix_fmt,
        depth=pixel_format(facts.pix_fmt).depth,
        size=facts.size,
        fps=facts.fps,
        frames=len(packets.sizes),
        duration_s=float(packets.duration),
        bit_rate=bit_rate(packets),
        peak_bit_rate=peak_bit_rate(packets),
        gop_frames=spread(gop_lengths(packets.keyframes)),
        b_frame_share=b_frame_share(packets.picture_types),
        level=facts.level,
        vbv_bit_rate=None if buffer_bits is None else vbv_bit_rate(packets, buffer_bits),
        prores_bit_rate=prores_bit_rate(facts.profile, facts.size, facts.fps) if facts.codec == "prores" else None,
    )


def b_frame_share(picture_types: Sequence[str]) -> float | None:
    """The share of B among the pictures of a stream; None where a type is unknown ("?"), or there is none."""
    return None if "?" in picture_types or not picture_types else picture_types.count("B") / len(picture_types)


def bit_rate(packets: VideoPackets) -> float:
    """All packet bytes over the duration, in bit/s."""
    return float(8 * int(packets.sizes.sum()) / packets.duration)


def peak_bit_rate(packets: VideoPackets, window_s: Fraction = Fraction(1)) -> float:
    """The most that the packets of any window `t <= time < t + window_s` hold, in bit/s.

    A stream that is shorter than the window has its mean rate.
    """
    if packets.duration < window_s:
        return bit_rate(packets)
    order = np.argsort(packets.times, kind="stable")
    times = packets.times[order]
    held = np.concatenate([[0], np.cumsum(packets.sizes[order])])
    # A window that holds most can start at a packet.
    stops = np.searchsorted(times, times + ceil(window_s / packets.time_base), side="left")
    return float(8 * int((held[stops] - held[:-1]).max()) / window_s)


def vbv_bit_rate(packets: VideoPackets, buffer_bits: float) -> float:
    """The least constant rate at which a decoder's buffer, full at the start, never runs empty, in bit/s.

    That is the greatest of (bits of successive frames − the buffer) / the time from the first of them to the last.
    A peak over one second alone tells nothing of a buffer of two.
    """
    order = np.argsort(packets.times, kind="stable")
    times = packets.times[order].astype(np.float64) * float(packets.time_base)
    bits = 8.0 * packets.sizes[order]

    def holds(rate: float) -> bool:
        level = buffer_bits
        for k, size in enumerate(bits):
            level = min(buffer_bits, level + rate * (times[k] - times[k - 1] if k else 0.0)) - size
            if level < 0:
                return False
        return True

    if bits.max() > buffer_bits:
        return inf  # a frame that is larger than the buffer comes through at no rate
    if holds(0.0):
        return 0.0
    low, high = 0.0, 2 * float(bits.max()) * len(bits) / float(packets.duration)
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def prores_bit_rate(profile: str | None, size: tuple[int, int], fps: Fraction) -> float | None:
    """Apple's published target of a ProRes profile, in bit/s, taken from 1920x1080 at 29.97 by pixels and frames.

    Of the Apple ProRes white paper's table. Other sizes differ from it by what macroblocks round up.
    """
    target = _PRORES.get((profile or "").lower().removeprefix("apple prores "))
    if target is None:
        return None
    return target * 1e6 * size[0] * size[1] / (1920 * 1080) * float(fps * Fraction(1001, 30000))


def gop_lengths(keyframes: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Frames of each GOP, in decoding order; frames before the first keyframe make one too.

    Raises:
        ValueError: there is no frame.
    """
    if not len(keyframes):
        raise ValueError("a stream without frames has no GOP")
    starts = np.union1d(np.flatnonzero(keyframes), [0])
    return np.diff(np.append(starts, len(keyframes))).astype(np.int64)


def spread(values: NDArray[np.int64] | F32) -> Spread:
    """The least, the mean and the greatest."""
    return Spread(float(values.min()), float(values.mean(dtype=np.float64)), float(values.max()))


def answers(request: Request, figures: StreamFigures) -> tuple[Answer, ...]:
    """What was asked for beside what came out, in the order of `Request`."""
    peak = figures.peak_bit_rate if figures.vbv_bit_rate is None else figures.vbv_bit_rate
    has_b = None if figures.b_frame_share is None else figures.b_frame_share > 0
    rows: list[tuple[str, str | float | bool | None, str | float | bool | None]] = [
        ("codec", request.codec, figures.codec),
        ("profile", request.profile, figures.profile),
        ("pix_fmt", request.pix_fmt, figures.pix_fmt),
        ("bit_rate", request.bit_rate, figures.bit_rate),
        ("peak_bit_rate", request.peak_bit_rate, peak),
        ("gop_frames", request.gop_frames, figures.gop_frames.maximum),
        ("b_frames", request.b_frames, has_b),
    ]
    found = []
    for name, asked, got in rows:
        if asked is None:
            continue
        numbers = isinstance(asked, int | float) and isinstance(got, int | float) and name != "b_frames"
        found.append(Answer(name, asked, got, float(got) / float(asked) if numbers and got is not None else None))
    return tuple(found)


def box_pixels(xyxy: F32) -> BoxPixels | None:
    """How many pixels the boxes have; None where there is none."""
    if not len(xyxy):
        return None
    sides = shorter_side(xyxy)
    return BoxPixels(len(xyxy), spread(sides), spread(area(xyxy)), float(np.median(sides)))
