"""`detect` with a stride: which frames a model sees, and what is known of the others."""

from collections.abc import Callable

import numpy as np
import pytest
import vapoursynth as vs
from numpy.typing import NDArray

import vsanon
from tests.support.clips import Box, blobs, drawn, found, scene, use
from vsanon.detections import Detections, Origin
from vsanon.errors import ModelError
from vsanon.filters import props


def searched(data: vs.VideoNode) -> list[int]:
    return [n for n, frame in enumerate(data.frames()) if frame.props[props.SEARCHED]]


def counted(calls: list[int]) -> Callable[[NDArray[np.uint8]], Detections]:
    def detect(rgb: NDArray[np.uint8]) -> Detections:
        calls.append(1)
        return blobs(rgb)

    return detect


def moving(n: int) -> list[Box]:
    return [(10 + n, 30.0, 34 + n, 60.0)]


def walk(length: int) -> vs.VideoNode:
    """The moving blob with spots of 6 px on it, so that it can be told from what lies beside it."""
    spots = np.kron(np.random.default_rng(5).integers(190, 250, (5, 4)), np.ones((6, 6), np.int64))

    def draw(n: int, p: int, shape: tuple[int, int]) -> NDArray[np.uint8]:
        plane = np.full(shape, 128 if p else 60, np.uint8)
        if not p:
            plane[30:60, 10 + n : 34 + n] = spots
        return plane

    return drawn(draw, length=length)


def test_auto_searches_every_eighth_frame_of_even_motion_and_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    use(monkeypatch, counted(calls))
    data = vsanon.detect(walk(45), classes=["face"], stride="auto")
    assert searched(data) == [0, 8, 16, 24, 32, 40, 44]
    assert len(calls) == 7
    for n, frame in enumerate(data.frames()):
        x0, y0, x1, y1 = frame.props["VsanonBoxes"]
        assert frame.props["VsanonCount"] == 1
        assert max(x0 - (10 + n), 34 + n - x1, y0 - 30, 60 - y1) <= 1


@pytest.mark.parametrize("stride", [2, 5, 60])
def test_a_fixed_stride_searches_every_nth_frame_both_sides_of_cuts_and_the_last(
    monkeypatch: pytest.MonkeyPatch, stride: int
) -> None:
    use(monkeypatch, blobs)
    clip = scene(lambda n: moving(n % 23), background=lambda n: 60 if n < 23 else 140, length=46)
    assert searched(vsanon.detect(clip, stride=stride)) == sorted({*range(0, 46, stride), 22, 23, 45})


def test_what_shows_up_between_two_searched_frames_for_three_frames_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(monkeypatch, blobs)
    clip = scene(lambda n: [(100, 20, 130, 60)] if 11 <= n < 14 else [], length=33)
    data = vsanon.detect(clip, stride="auto")
    counts = [frame.props["VsanonCount"] for frame in data.frames()]
    assert all(counts[11:14])
    # A fixed stride looks at frames 8 and 16 only.
    assert not any(frame.props["VsanonCount"] for frame in vsanon.detect(clip, stride=8).frames())


def test_a_still_picture_is_searched_once_in_64_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, blobs)
    data = vsanon.detect(scene(lambda n: moving(0), length=200), stride="auto")
    assert searched(data) == [0, 64, 128, 192]
    boxes = {tuple(frame.props["VsanonBoxes"]) for frame in data.frames()}
    assert boxes == {(10, 30, 34, 60)}


def test_one_sample_that_differs_makes_a_picture_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """One code in one corner, from frame 20 on: the next block's frame is searched, and all that differ from it."""
    use(monkeypatch, blobs)

    def draw(n: int, p: int, shape: tuple[int, int]) -> NDArray[np.uint8]:
        plane = np.full(shape, 100, np.uint8)
        plane[-1, -1] += n >= 20 and p == 2
        return plane

    data = vsanon.detect(drawn(draw, size=(1280, 720), length=65), stride="auto", size=64)
    assert searched(data) == [0, 24, 32, 40, 48, 56, 64]


def test_origins_say_which_boxes_a_model_has_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, blobs)
    tracks = vsanon.track(vsanon.detect(scene(moving, length=17), stride=4))
    for n, frame in enumerate(tracks.frames()):
        wanted = Origin.INTERPOLATED if n % 4 else Origin.DETECTED
        assert props.read_tracked(frame.props).origins == (wanted,)
        assert frame.props[props.SEARCHED] == (n % 4 == 0)


@pytest.mark.parametrize("stride", [4, "auto"])
def test_where_a_model_fails_the_frames_around_are_searched_and_nothing_is_made_up(
    monkeypatch: pytest.MonkeyPatch, stride: int | str
) -> None:
    def detect(rgb: NDArray[np.uint8]) -> Detections:
        if rgb[0, -1, -1] > 100:
            raise ModelError("out of memory")
        return found([(10, 10, 30, 30)])

    use(monkeypatch, detect)
    clip = scene(lambda n: [], background=lambda n: 140 if n == 8 else 60, length=17)
    data = vsanon.detect(clip, stride=stride, on_error="mark")
    known = [n for n, frame in enumerate(data.frames()) if props.is_known(frame.props)]
    assert known == [n for n in range(17) if n != 8]
    seen = [n for n, frame in enumerate(data.frames()) if frame.props.get(props.SEARCHED)]
    # Halving towards the frame that failed: what lies between two others that agree is known from them.
    # Frame 16 is to the bit what frame 0 is, and has its answer.
    halves = [0, 4, 6, 7, 9, 10, 12]
    assert seen == (halves if stride == "auto" else [0, 5, 6, 7, 9, 10, 11])
    with pytest.raises(vs.Error, match="detect: frame 8: out of memory"):
        vsanon.detect(clip, stride=stride).get_frame(7)


def test_a_frame_asked_for_alone_searches_its_block_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    use(monkeypatch, counted(calls))
    vsanon.detect(walk(100), classes=["face"], stride="auto").get_frame(50)
    # Frames 48 and 56, and 0, the head of their eight blocks, only if they are still.
    assert len(calls) == 2


@pytest.mark.parametrize("stride", [0, 61, "none", 2.5])
def test_a_stride_that_is_none_is_refused(stride: object) -> None:
    with pytest.raises(vs.Error, match='detect: stride is "auto" or a whole number of frames from 1 to 60, got'):
        vsanon.detect(scene(lambda n: []), stride=stride)  # type: ignore[arg-type]
