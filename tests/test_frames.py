"""A clip's frames on their way out: however many there are, memory does not grow with them."""

import subprocess
import sys

import pytest

WALK = """
import os
import numpy as np
import vapoursynth as vs
from pathlib import Path
from vsanon.frames import frames_of

def painted(n, f):
    out = f.copy()
    for plane in range(3):
        np.asarray(out[plane])[:] = n % 256
    return out

def resident():
    return os.sysconf("SC_PAGE_SIZE") * int(Path("/proc/self/statm").read_text().split()[1])

clip = vs.core.std.BlankClip(format=vs.YUV420P8, width=320, height=176, length=8000, keep=True)
clip = clip.std.ModifyFrame(clip, painted).resize.Bilinear(300, 160)
kept, begun = [], 0
for n, _ in enumerate(frames_of(clip)):
    kept.append(bytes(600))
    begun = begun or (n == 500 and resident())
print(resident() - begun)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_freed_frames_leave_no_holes_between_what_is_kept() -> None:
    """7,500 times 600 bytes are kept, 4.5 MB; a page left behind for each frame would make it 30 more."""
    done = subprocess.run([sys.executable, "-c", WALK], capture_output=True, text=True, check=True)
    assert 4.5e6 < int(done.stdout) < 7e6
