"""Frames that wait between search and cover are made once, whatever the stride."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
import vapoursynth as vs

from tests.support.clips import blobs, data, use
from tests.support.loops import first_quick
from vsanon import filters
from vsanon.detections import Detections
from vsanon.filters.clips import ahead, taken_once
from vsanon.filters.hold import hold
from vsanon.job.frames import frames_of

BOX = np.array([[24, 16, 40, 32]], np.float32)


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = vs.core.num_threads
    vs.core.num_threads = 1
    yield
    vs.core.num_threads = before


def test_a_frame_that_waits_no_longer_is_made_once_more() -> None:
    clip = vs.core.std.BlankClip(None, 64, 48, vs.YUV420P8, 300, 25, 1)
    clip = vs.core.std.FrameEval(clip, lambda n: clip.std.BlankClip(color=[n % 256, 128, 128], keep=True))
    held = hold(clip)
    for n in range(300):
        held.searched.get_frame(n)
    # The last ones wait; the first ones do not, nor does one that was taken and then forgotten.
    for n in [299, 290, 0, 5, 299, *range(100, 200), 299]:
        assert held.covered.get_frame(n)[0][0, 0] == n % 256


@pytest.mark.parametrize(("stride", "later"), first_quick([(1, True), (1, False), ("auto", True)]))
def test_each_frame_of_the_source_is_made_once(
    one_thread: None, monkeypatch: pytest.MonkeyPatch, stride: int | str, later: bool
) -> None:
    """Of 300 frames at 25 a second, most of which no longer fit into what is held when the last ones are made."""
    use(monkeypatch, blobs)
    made: Counter[int] = Counter()

    def make(n: int, f: vs.VideoFrame) -> vs.VideoFrame:
        made[n] += 1
        return f

    blank = vs.core.std.BlankClip(None, 64, 48, vs.YUV420P8, 300, 25, 1)
    clip = blank.std.ModifyFrame(blank, make)
    held = hold(clip, colours_later=later)
    tracks = filters.track(filters.detect(held.searched, size=64, stride=stride), colours_later=later)
    # 34 frames of the tracker's window, 36 of its colours or 19 of its paths, a block of 8 each that is followed
    # and searched.
    assert held.frames == 34 + (19 if later else 36) + 8 + 8 + 2 * ahead(clip) < 120
    assert held.bytes == held.frames * 64 * 48 * 1.5
    for _ in frames_of(filters.blur(held.covered, tracks)):
        pass
    assert made == dict.fromkeys(range(300), 1)


def test_who_looks_at_a_frame_before_it_is_covered_has_none_made_once_more(one_thread: None) -> None:
    """Tones are of the frames around, and are asked for when the frame itself is already being covered."""
    made: Counter[int] = Counter()

    def make(n: int, f: vs.VideoFrame) -> vs.VideoFrame:
        made[n] += 1
        return f

    blank = vs.core.std.BlankClip(None, 64, 48, vs.YUV420P8, 200, 25, 1, color=[120, 128, 128])
    clip = blank.std.ModifyFrame(blank, make)
    held = hold(clip, colours_later=True)
    found = data(held.searched, lambda n: Detections(BOX, np.full(1, 0.9, np.float32), ("face",)))
    tracks = filters.around(held.waiting, filters.track(found, colours_later=True), fill="surroundings")
    for frame in frames_of(filters.blur(held.covered, tracks, fill="surroundings", same_picture=False)):
        assert frame[0][24, 32] == 120
    assert made == dict.fromkeys(range(200), 1)


def test_of_frames_that_are_taken_once_none_is_kept() -> None:
    def kept(*, once: bool) -> float:
        clip = vs.core.std.BlankClip(format=vs.GRAY8, width=640, height=640, length=40).std.Invert()
        before = vs.core.used_cache_size
        for frame in (taken_once(clip) if once else clip).frames(close=True):
            del frame
        return (vs.core.used_cache_size - before) / (640 * 640)

    assert kept(once=True) < 2
    assert kept(once=False) > 10
