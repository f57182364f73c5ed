"""Turned frames: boxes and colours come back to where the frame has them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.clips import found
from vsanon.detections import Detections
from vsanon.detectors.search import Search
from vsanon.detectors.turned import TURNS, turned_back
from vsanon.errors import InputError


def test_a_box_of_a_turned_frame_comes_back_to_its_place() -> None:
    """In a frame of 100x60 a box lies 10 px from the left and 5 px from the top, 20 px wide and 30 px high.

    Turned clockwise its left side is up, so that it lies 60 - 35 = 25 px from the left and 10 px from the top.
    """
    for turned, size, box in (
        (0, (100, 60), (10, 5, 30, 35)),
        (90, (60, 100), (25, 10, 55, 30)),
        (180, (100, 60), (70, 25, 90, 55)),
        (270, (60, 100), (5, 70, 35, 90)),
    ):
        assert turned_back(found([box]), size, turned).xyxy.tolist() == [[10, 5, 30, 35]]


@given(st.sampled_from(TURNS), st.integers(0, 3), st.integers(0, 4))
def test_colours_come_back_with_their_box(turned: int, row: int, column: int) -> None:
    swatches = np.zeros((1, 5, 5, 3), np.uint8)
    swatches[0, row, column] = 255
    # What numpy turns counter-clockwise is turned clockwise by the rest of the circle.
    seen = np.ascontiguousarray(np.rot90(swatches, (4 - turned // 90) % 4, axes=(1, 2)))
    one = found([(0, 0, 10, 10)])
    back = turned_back(Detections(one.xyxy, one.scores, one.classes, seen), (100, 100), turned)
    assert np.array_equal(back.swatches, swatches)


@pytest.mark.parametrize("turned", [45, "left", True, -90])
def test_what_is_no_turn_is_refused(turned: int | str) -> None:
    with pytest.raises(InputError, match='turned is "auto" or degrees clockwise, one of 0, 90, 180, 270, got'):
        Search(turned=turned)
