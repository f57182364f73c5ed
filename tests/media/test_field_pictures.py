"""Frames that are coded as two fields are frames, to the sample, whichever field comes first."""

from pathlib import Path

import numpy as np
import pytest

from tests.support.field_pictures import paff
from vsanon.encode import run
from vsanon.media.intact import require_intact
from vsanon.media.source import open_source

FRAMES = 8


def drawn(n: int) -> list[np.ndarray]:
    """64x64; its rows tell the frame and the field."""
    luma = np.add.outer(np.arange(64) % 2 * 60, np.arange(64)) + 10 * n + 20
    return [luma.astype(np.uint8), np.full((32, 32), 90 + n, np.uint8), np.full((32, 32), 160 - n, np.uint8)]


@pytest.mark.parametrize("suffix", [".h264", ".mp4", ".mkv", ".ts"])
@pytest.mark.parametrize("top_first", [True, False])
def test_frames_of_two_fields_are_read_as_drawn(tmp_path: Path, suffix: str, top_first: bool) -> None:
    bare, source = tmp_path / "bare.h264", tmp_path / f"in{suffix}"
    bare.write_bytes(paff([drawn(n) for n in range(FRAMES)], top_first))
    if suffix != ".h264":
        run(["-y", "-r", "25", "-i", str(bare), "-c", "copy", str(source)])
    else:
        bare.rename(source)
    opened = open_source(source)
    require_intact(opened)
    assert opened.clip.num_frames == FRAMES
    for n, frame in enumerate(opened.clip.frames()):
        for plane, wanted in zip(frame, drawn(n), strict=True):
            np.testing.assert_array_equal(np.asarray(plane), wanted)
    assert opened.field_order == ("tt" if top_first else "bb")
