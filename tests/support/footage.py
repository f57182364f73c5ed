"""Files with one bright blob that walks over an even ground, in every shape that footage comes in."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.support.clips import BRIGHT
from vsanon.encode import run

SIZE = (192, 128)
FRAMES = 24
SEEN = 170
"""Grey above which the blob shows, whatever a codec did to it."""


def blob_box(n: int) -> tuple[int, int, int, int]:
    """Where the blob is in frame `n`."""
    return 30 + 3 * n, 40, 70 + 3 * n, 80


def blob(
    path: Path,
    *outputs: str,
    frames: int = FRAMES,
    size: tuple[int, int] = SIZE,
    rate: str = "25",
    sound: bool = True,
    inputs: Sequence[str] = (),
) -> Path:
    """Write a file of the blob, with a tone; `outputs` and `inputs` are ffmpeg's arguments for it."""
    raw = path.with_name(path.name + ".yuv")
    with raw.open("wb") as file:
        for n in range(frames):
            luma = np.full((size[1], size[0]), 60, np.uint8)
            x0, y0, x1, y1 = blob_box(n)
            luma[y0:y1, x0:x1] = BRIGHT
            file.write(luma.tobytes())
            file.write(np.full(size[0] * size[1] // 2, 128, np.uint8).tobytes())
    picture = ("-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{size[0]}x{size[1]}", "-r", rate)
    tone = ("-f", "lavfi", "-i", f"sine=r=48000:d={frames / float(Fraction(rate)):.3f}") if sound else ()
    run(["-y", *inputs, *picture, "-i", str(raw), *tone, "-threads", "1", *outputs, f"file:{path}"])
    raw.unlink()
    return path


@dataclass(frozen=True)
class Look:
    """What PyAV alone tells of a file; times in seconds from the first frame."""

    times: tuple[Fraction, ...]
    brightest: tuple[int, ...]
    size: tuple[int, int]
    sar: Fraction
    tags: tuple[int, int, int]
    fields: int
    timecode: str | None
    sound: tuple[tuple[str, int, tuple[Fraction, ...]], ...]


def look(path: Path) -> Look:
    """Decode a file, and read its sound."""
    with av.open(f"file:{path}") as file:
        stream = file.streams.video[0]
        context = stream.codec_context
        shown = list(file.decode(stream))
        base = Fraction(stream.time_base or 1)
        times = [Fraction(frame.pts) * base for frame in shown if frame.pts is not None]
        start = times[0] if times else Fraction(0)
        timecode = next((s.metadata["timecode"] for s in file.streams if "timecode" in s.metadata), None)
        facts = (
            tuple(t - start for t in times),
            tuple(int(frame.to_ndarray(format="gray").max()) for frame in shown),
            (context.width, context.height),
            Fraction(stream.sample_aspect_ratio or 1) or Fraction(1),
            (int(context.colorspace), int(context.color_primaries), int(context.color_trc)),
            sum(frame.interlaced_frame for frame in shown),
            timecode,
        )
    sound = []
    with av.open(f"file:{path}") as file:
        for track in file.streams.audio:
            tick = Fraction(track.time_base)
            packets = [p for p in file.demux(track) if p.size]
            payload = b"".join(bytes(p) for p in packets)
            if track.codec_context.name == "aac" and payload[:1] == b"\xff":
                payload = b"".join(bytes(p)[7:] for p in packets)  # ADTS headers, which only some containers have
            at = tuple(p.pts * tick - start for p in packets if p.pts is not None)
            sound.append((hashlib.sha256(payload).hexdigest(), len(packets), at))
            file.seek(0)
    return Look(*facts, tuple(sound))
