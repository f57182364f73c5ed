"""A clip's frames on their way out: what is freed of small ones goes back to the system at once."""

import ctypes
import subprocess
import sys

import pytest
import vapoursynth as vs

from vsanon.job import frames as job_frames

MAPPED = """
import ctypes, sys
import numpy as np
import vapoursynth as vs
from vsanon.job.frames import map_planes

class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd a b c d e".split()]

library = ctypes.CDLL(None)
library.mallinfo2.restype = Info
width, height = int(sys.argv[1]), int(sys.argv[2])
map_planes(vs.core.std.BlankClip(format=vs.YUV420P8, width=width, height=height, length=1))
# What is free in the heap is taken first, and a free place can be of any size: fill it with planes of both sizes
# until no more of them finds room.
heap_is_full, kept = [None] * 100_000, 0
for size in (width * height, width * height >> 2):
    in_a_row = 0
    for _ in range((1 << 28) // (width * height)):
        mapped = library.mallinfo2().hblks
        heap_is_full[kept], kept = np.empty(size, np.uint8), kept + 1
        in_a_row = in_a_row + 1 if library.mallinfo2().hblks > mapped else 0
        if in_a_row == 100:
            break
before = library.mallinfo2().hblks
planes = [np.empty(width * height >> shift, np.uint8) for _ in range(20) for shift in (0, 2, 2)]
held = library.mallinfo2().hblks - before
del planes
print(held, library.mallinfo2().hblks - before)
"""


def counted(width: int, height: int) -> list[int]:
    """How many of the 60 planes of 20 frames are mapped on their own: while they are held, and once freed."""
    argv = [sys.executable, "-c", MAPPED, str(width), str(height)]
    return [int(n) for n in subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()]


pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="asks glibc 2.33 or later"
)


@pytest.mark.parametrize("size", [(320, 176), (720, 576)])
def test_planes_of_small_frames_are_mapped_one_by_one(size: tuple[int, int]) -> None:
    assert counted(*size) == [60, 0]


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
def test_planes_of_large_frames_are_not_as_each_mapped_page_costs_time(size: tuple[int, int]) -> None:
    assert counted(*size) == [0, 0]


@pytest.mark.parametrize(
    ("size", "frames", "times"), [((192, 128), 40, 2), ((1920, 1080), 20, 3), ((3840, 2160), 10, 3)]
)
def test_the_larger_frames_are_the_sooner_what_was_freed_goes_back(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], frames: int, times: int
) -> None:
    """Of 36 KB after 0 and 32 frames; of 3 MB, 8 of which are 24, after 0, 8 and 16; of 12 MB after 0, 4 and 8."""
    trimmed: list[None] = []
    monkeypatch.setattr(job_frames, "_trim", lambda: trimmed.append(None))
    clip = vs.core.std.BlankClip(format=vs.YUV420P8, width=size[0], height=size[1], length=frames, keep=True)
    assert len(list(job_frames.frames_of(clip))) == frames
    assert len(trimmed) == times
