"""Stills show nobody: what is known is painted over, covered or not."""

import base64

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsanon.validation.runs.stills import BARE, COVERED, HATCH, beside, jpeg, painted, still, window

FACE = 77
"""A value that only the face has."""


def frame(box: tuple[int, int, int, int]) -> np.ndarray:
    rgb = np.zeros((90, 120, 3), np.uint8)
    rgb[box[1] : box[3], box[0] : box[2]] = FACE
    return rgb


def test_what_was_bare_is_hatched_and_what_was_covered_is_grey() -> None:
    masked = np.zeros((90, 120), np.bool_)
    masked[:, :30] = True
    found = painted(frame((20, 20, 40, 40)), masked, np.array([[20, 20, 40, 40]], np.float32))
    assert not (found == FACE).all(axis=2).any()
    assert (found[:, :30] == COVERED).all()
    hatched = {tuple(color) for color in found[25:35, 31:39].reshape(-1, 3).tolist()}
    assert hatched == {HATCH, BARE}


@given(
    st.tuples(st.floats(0, 100), st.floats(0, 70), st.floats(1, 60), st.floats(1, 60)),
    st.integers(0, 120),
)
def test_no_pixel_of_a_known_box_is_left_whatever_the_mask(box: tuple[float, ...], reach: int) -> None:
    left, top, width, height = box
    truth = np.array([[left, top, left + width, top + height]], np.float32)
    masked = np.zeros((90, 120), np.bool_)
    masked[:, :reach] = True
    whole = (int(left), int(top), int(np.ceil(left + width)), int(np.ceil(top + height)))
    assert not (painted(frame(whole), masked, truth) == FACE).all(axis=2).any()


def test_the_window_has_the_aspect_of_the_still_and_stays_inside() -> None:
    assert window(np.array([50, 40, 60, 50], np.float32), (120, 90), 4 / 3) == (7, 9, 103, 81)
    left, top, right, bottom = window(np.array([110, 80, 130, 100], np.float32), (120, 90), 4 / 3)
    assert (right, bottom) == (120, 90)
    assert (right - left) / (bottom - top) == pytest.approx(4 / 3, abs=0.02)


def test_a_still_is_of_its_size_and_reads_back() -> None:
    box = np.array([[50, 40, 60, 50]], np.float32)
    one = still(frame((50, 40, 60, 50)), np.zeros((90, 120), np.bool_), box, (7, 9, 103, 81), (288, 216))
    assert one.shape == (216, 288, 3)
    assert beside([one, one]).shape == (216, 580, 3)
    read = cv2.imdecode(np.frombuffer(base64.b64decode(jpeg(one)), np.uint8), cv2.IMREAD_COLOR)
    assert read.shape == one.shape
