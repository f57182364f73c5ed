"""Image sequences in one file, and back: their bytes as they are, as packets of a QuickTime file."""

from fractions import Fraction
from pathlib import Path

from vsanon.encode.ffmpeg import run
from vsanon.media.sequences import ImageSequence

BEGINS = 1
"""The number of the first image that is written."""


def wrap(sequence: ImageSequence, rate: Fraction, path: Path) -> None:
    """Put the images into a QuickTime file, undecoded; the same images give the same bytes.

    Raises:
        EncodeError: ffmpeg can't read or write them.
        MissingError: there is no ffmpeg.
    """
    reads = ["-protocol_whitelist", "file", "-f", "image2", "-framerate", str(rate)]
    reads += ["-start_number", str(sequence.start), "-i", f"file:{sequence.pattern}"]
    ticks = rate.numerator
    while ticks < 10_000:
        ticks *= 2
    writes = ["-frames:v", str(sequence.count), "-c", "copy", "-map_metadata", "-1", "-fflags", "+bitexact"]
    run(["-y", *reads, *writes, "-video_track_timescale", str(ticks), "-f", "mov", f"file:{path}"])
