"""Clips that the media tests draw: numpy frames of known values, and small source files made by ffmpeg."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsanon.encode import RawVideo, run
from vsanon.encode.presets import Preset
from vsanon.media import pixel_format
from vsanon.timing import Timeline

SIZE = (64, 48)
HDR_OPTIONS = [
    *("-mastering_display", "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"),
    *("-content_light", "1000,400"),
]
HDR = {
    "primaries": {"red": [34000, 16000], "green": [13250, 34500], "blue": [7500, 3000], "white": [15635, 16450]},
    "luminance": {"min": 50, "max": 10000000},
    "light": {"max_cll": 1000, "max_fall": 400},
}


def timeline(count: int, fps: Fraction = Fraction(25), start: int = 0) -> Timeline:
    """`count` even frames of 1/fps s from frame time `start` on."""
    return Timeline(tuple(range(start, start + count)), 1 / fps, fps)


def frames(video: RawVideo, count: int | None = None) -> Iterator[list[NDArray[np.generic]]]:
    """Noise of every value that the format has, another one each frame, in padded (non-contiguous) planes."""
    found = pixel_format(video.pix_fmt)
    dtype = np.dtype(np.float32 if found.is_float else f"u{found.sample_bytes}")
    for n in range(len(video.timeline.pts) if count is None else count):
        rng = np.random.default_rng(n)
        planes = []
        for height, width in found.plane_shapes(video.size):
            padded = rng.random((height, width + 5))
            top = 1.0 if found.is_float else 2**found.depth - 1
            planes.append((padded * top).astype(dtype)[:, :width])
        yield planes


def draw(
    path: Path, *outputs: str, video: str = "testsrc2=s=64x48:r=25:d=0.4", inputs: tuple[str, ...] = ()
) -> Path:
    """A file of ffmpeg's test picture, with `outputs` as its arguments and `inputs` as more of its inputs."""
    run(["-y", "-f", "lavfi", "-i", video, *inputs, "-threads", "1", *outputs, str(path)])
    return path


def sine(seconds: float = 0.6, rate: int = 48000) -> tuple[str, ...]:
    """Input arguments: a tone."""
    return ("-f", "lavfi", "-i", f"sine=r={rate}:d={seconds}")


def sources_for(folder: Path) -> dict[str, Path]:
    """By muxer, a source with two sounds of kinds that the narrower containers take; its picture is 64x48."""
    sound = ("-map", "0:v", "-map", "1:a", "-map", "1:a", "-metadata:s:a:0", "language=eng")
    texts = folder / "texts.srt"
    texts.write_text("1\n00:00:00,100 --> 00:00:00,200\nOne\n\n2\n00:00:00,220 --> 00:00:00,300\nTwo\n")
    picture = "testsrc2=s=64x48:r=25:d=0.32"
    pcm = ("-c:v", "libx264", "-c:a:0", "pcm_s16le", "-c:a:1", "pcm_s24le", "-timecode", "10:00:00:00")
    mov = draw(folder / "narrow.mov", *sound, *pcm, inputs=sine(0.5), video=picture)
    opus = ("-map", "2:s", "-c:v", "libx264", "-c:a:0", "libopus", "-c:a:1", "libvorbis", "-c:s", "srt")
    mkv = draw(folder / "narrow.mkv", *sound, *opus, inputs=(*sine(0.5), "-i", str(texts)), video=picture)
    return {"mxf": mov, "webm": mkv}


def fitted(video: RawVideo, preset: Preset) -> RawVideo:
    """The video in a size and with pixels that the preset takes."""
    width, height = (max(a, b) for a, b in zip(video.size, preset.least_size, strict=True))
    square = preset.muxer == "image2" or (preset.muxer == "mxf" and preset.codec != "h264")
    return replace(video, size=(width, height), sar=None if square else video.sar)


def output_in(folder: Path, preset: Preset, name: str = "out") -> Path:
    """Where `encode` is to write: a file, or the pattern of images in a new folder."""
    if preset.muxer != "image2":
        return folder / f"{name}{preset.suffix}"
    (folder / name).mkdir()
    return folder / name / f"shot.%04d{preset.suffix}"
