"""Frames that wait between search and cover are made once, whatever the stride."""

from collections import Counter
from collections.abc import Iterator

import pytest
import vapoursynth as vs

from tests.support.clips import blobs, use
from tests.support.loops import first_quick
from vsanon import filters
from vsanon.filters.track import hold
from vsanon.job.frames import frames_of


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = vs.core.num_threads
    vs.core.num_threads = 1
    yield
    vs.core.num_threads = before


@pytest.mark.parametrize("stride", first_quick([1, "auto"]))
def test_each_frame_of_the_source_is_made_once(
    one_thread: None, monkeypatch: pytest.MonkeyPatch, stride: int | str
) -> None:
    """Of 300 frames at 25 a second, most of which no longer fit into what is held when the last ones are made."""
    use(monkeypatch, blobs)
    made: Counter[int] = Counter()

    def make(n: int, f: vs.VideoFrame) -> vs.VideoFrame:
        made[n] += 1
        return f

    blank = vs.core.std.BlankClip(None, 64, 48, vs.YUV420P8, 300, 25, 1)
    clip = blank.std.ModifyFrame(blank, make)
    tracks = filters.track(filters.detect(clip, size=64, stride=stride))
    held = hold(clip)
    assert held < 200 * 64 * 48 * 1.5
    for _ in frames_of(filters.blur(clip, tracks)):
        pass
    assert made == dict.fromkeys(range(300), 1)
