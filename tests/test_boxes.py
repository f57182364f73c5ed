"""Box geometry, by hand and by law."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsanon.boxes import area, as_boxes, center_size, clip_boxes, from_center_size, iou, nms, scale_boxes

coordinate = st.integers(-400, 400).map(lambda v: v / 4)
boxes = st.lists(
    st.tuples(coordinate, coordinate, st.integers(0, 400), st.integers(0, 400)).map(
        lambda b: (b[0], b[1], b[0] + b[2] / 4, b[1] + b[3] / 4)
    ),
    max_size=6,
).map(lambda rows: np.array(rows, np.float32).reshape(-1, 4))


def test_a_box_of_the_whole_frame_keeps_its_last_row_and_column_when_clipped() -> None:
    np.testing.assert_array_equal(clip_boxes(as_boxes([[-5, -5, 999, 999]]), (17, 11)), [[0, 0, 17, 11]])


def test_a_box_beside_the_frame_has_no_area_once_clipped() -> None:
    assert area(clip_boxes(as_boxes([[20, 3, 30, 9]]), (17, 11))) == 0


@given(boxes)
def test_clipping_twice_equals_clipping_once(xyxy: np.ndarray) -> None:
    once = clip_boxes(xyxy, (64, 36))
    np.testing.assert_array_equal(clip_boxes(once, (64, 36)), once)


def test_an_area_counts_the_pixels_that_the_box_covers() -> None:
    np.testing.assert_array_equal(area(as_boxes([[2, 3, 5, 7], [5, 5, 4, 9]])), [12, 0])


def test_two_boxes_that_share_a_third_of_their_union_have_an_iou_of_a_third() -> None:
    assert iou(as_boxes([[0, 0, 2, 2]]), as_boxes([[1, 0, 3, 2]]))[0, 0] == pytest.approx(1 / 3)


def test_two_empty_boxes_do_not_overlap() -> None:
    assert iou(as_boxes([[1, 1, 1, 1]]), as_boxes([[1, 1, 1, 1]]))[0, 0] == 0


@given(boxes, boxes)
def test_iou_is_symmetric_and_within_0_and_1(a: np.ndarray, b: np.ndarray) -> None:
    overlap = iou(a, b)
    assert ((overlap >= 0) & (overlap <= 1)).all()
    np.testing.assert_allclose(overlap, iou(b, a).T)


@given(boxes)
def test_centre_and_size_lead_back_to_the_box(xyxy: np.ndarray) -> None:
    np.testing.assert_allclose(from_center_size(center_size(xyxy)), xyxy, atol=1e-4)


def test_boxes_of_a_picture_half_as_large_map_to_the_clip() -> None:
    mapped = scale_boxes(as_boxes([[10, 20, 30, 40]]), (2, 3), offset=(10, 0))
    np.testing.assert_array_equal(mapped, [[0, 60, 40, 120]])


def test_of_two_boxes_that_overlap_by_a_half_the_better_one_stays() -> None:
    xyxy = as_boxes([[0, 0, 4, 4], [0, 0, 4, 8], [20, 0, 24, 4]])
    assert nms(xyxy, np.array([0.5, 0.9, 0.1], np.float32), 0.5).tolist() == [1, 2]
    assert nms(xyxy, np.array([0.5, 0.9, 0.1], np.float32), 0.51).tolist() == [1, 0, 2]


def test_equal_scores_keep_the_order_of_the_input() -> None:
    xyxy = as_boxes([[0, 0, 4, 4], [10, 0, 14, 4]])
    assert nms(xyxy, np.array([0.5, 0.5], np.float32), 0.5).tolist() == [0, 1]


@pytest.mark.parametrize("wrong", [[[1, 2, 3]], [[0, 0, float("nan"), 1]], [[0, 0, float("inf"), 1]]])
def test_boxes_of_another_shape_or_not_finite_are_refused(wrong: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="boxes"):
        as_boxes(wrong)
