"""Zones that are not searched: what is left, which boxes go, and that the model sees no more than it must."""

import numpy as np
import pytest
import vapoursynth as vs
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import vsanon
from tests.support.clips import blobs, scene, use
from tests.support.loops import first_quick
from vsanon.detections import Detections
from vsanon.detectors.zones import Zone, area_left, in_zones
from vsanon.errors import InputError
from vsanon.filters import props

BARS: list[Zone] = [(0, 0, 160, 13), (0, 83, 160, 96)]
SIZE = (160, 96)


def test_between_two_bars_the_picture_is_left_rounded_outward() -> None:
    assert area_left(SIZE, []) == (0, 0, 160, 96)
    assert area_left(SIZE, BARS) == (0, 13, 160, 83)
    assert area_left(SIZE, BARS, (2, 2)) == (0, 12, 160, 84)
    # A zone in the middle takes nothing off the rectangle, two halves of a bar take off the bar.
    assert area_left(SIZE, [(40, 40, 80, 60)]) == (0, 0, 160, 96)
    assert area_left(SIZE, [(0, 0, 80, 20), (60, 0, 160, 20)]) == (0, 20, 160, 96)


@pytest.mark.parametrize("zone", [(0, 0, 161, 9), (5, 5, 5, 9), (-1, 0, 9, 9), (0, 0, 9), (0.0, 0, 9, 9), "none"])
def test_a_zone_that_is_no_rectangle_of_the_frame_is_refused(zone: object) -> None:
    with pytest.raises(InputError, match="whole pixels within 160x96, got"):
        area_left(SIZE, [zone])  # type: ignore[list-item]


def test_zones_that_leave_nothing_are_refused() -> None:
    with pytest.raises(InputError, match="leave nothing of the frame"):
        area_left(SIZE, [(0, 0, 80, 96), (70, 0, 160, 96)])


SPANS = st.tuples(st.integers(0, 15), st.integers(1, 16)).filter(lambda s: s[0] < s[1])


@given(st.lists(st.tuples(SPANS, SPANS), max_size=4))
def test_every_pixel_outside_all_zones_is_left(spans: list[tuple[tuple[int, int], tuple[int, int]]]) -> None:
    zones = [(x[0], y[0], x[1], y[1]) for x, y in spans]
    free = np.ones((16, 16), bool)
    for x0, y0, x1, y1 in zones:
        free[y0:y1, x0:x1] = False
    if not free.any():
        return
    rows, columns = np.flatnonzero(free.any(axis=1)), np.flatnonzero(free.any(axis=0))
    assert area_left((16, 16), zones) == (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)


def test_a_box_lies_in_a_zone_that_holds_nine_tenths_of_it() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 1, 10, 11], [0, 2, 10, 12], [5, 5, 5, 5], [50, 50, 60, 60]], np.float32)
    assert in_zones(boxes, [(0, 0, 20, 10)]).tolist() == [True, True, False, False, False]


@pytest.mark.parametrize("format_", first_quick([vs.YUV420P8, vs.RGB24, vs.GRAY8]))
@pytest.mark.parametrize("stride", first_quick([1, "auto"]))
def test_bars_are_not_looked_at_and_boxes_keep_their_place(
    monkeypatch: pytest.MonkeyPatch, stride: int | str, format_: int
) -> None:
    shapes = set()

    def detect(rgb: NDArray[np.uint8]) -> Detections:
        shapes.add(rgb.shape)
        return blobs(rgb)

    use(monkeypatch, detect, stride=2)
    clip = scene(lambda n: [(40, 30, 64, 60), (100, 40, 120, 56), (10, 0, 30, 10)], length=9, format=format_)
    data = vsanon.detect(clip, stride=stride, ignore=[*BARS, (98, 38, 122, 60)])
    found = [props.read_detections(frame.props, SIZE).xyxy.tolist() for frame in data.frames()]
    assert found == [[[40, 30, 64, 60]]] * 9
    assert shapes == {(3, 72 if format_ == vs.YUV420P8 else 70, 160)}


def test_zones_reach_the_settings_and_the_command_line() -> None:
    from vsanon.cli.options import _zone, settings_of

    options = {"ignore": (_zone("0,0,160,13"),)}
    assert settings_of(**options).search.ignore == ((0, 0, 160, 13),)
