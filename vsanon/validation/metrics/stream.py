"""What a stream was asked to be, and what came out: rate, peak, GOP, B-frames, profile, format, pixels of boxes."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32, area
from vsanon.errors import InputError
from vsanon.media import pixel_format, probe
from vsanon.media.packets import VideoPackets, video_packets
from vsanon.validation.metrics.detection import shorter_side


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


@dataclass(frozen=True, slots=True)
class Request:
    """What the encoder was asked for; None: nothing was asked.

    Args:
        codec, profile, pix_fmt: in ffmpeg's names.
        bit_rate, peak_bit_rate: bit/s.
        gop_frames: the longest GOP.
        b_frames: whether any may be.
    """

    codec: str | None = None
    profile: str | None = None
    pix_fmt: str | None = None
    bit_rate: float | None = None
    peak_bit_rate: float | None = None
    gop_frames: int | None = None
    b_frames: bool | None = None


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
            case "peak_bit_rate" | "gop_frames":
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


def measure_stream(path: Path, *, decode: bool = True) -> StreamFigures:
    """Measure the first video stream of a file.

    Args:
        path: the file.
        decode: without it, whoever decodes the file adds the share of B-frames.

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
    has_b = None if figures.b_frame_share is None else figures.b_frame_share > 0
    rows: list[tuple[str, str | float | bool | None, str | float | bool | None]] = [
        ("codec", request.codec, figures.codec),
        ("profile", request.profile, figures.profile),
        ("pix_fmt", request.pix_fmt, figures.pix_fmt),
        ("bit_rate", request.bit_rate, figures.bit_rate),
        ("peak_bit_rate", request.peak_bit_rate, figures.peak_bit_rate),
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
