"""How far a box grows for the block grid of its source's codec."""

import numpy as np

from tests.covering.test_masks import HARD, box, whole
from vsanon.covering.masks import FrameLayout, plane_masks
from vsanon.covering.shapes import SHAPES


def test_traces_are_covered_four_pixels_around_the_bare_box() -> None:
    layout = FrameLayout((64, 48), planes=1)
    full = whole(plane_masks(box(17, 17, 18, 18), HARD, layout, grid=16)[0], layout, 0)
    assert (full[13:22, 13:22] == 1).all()
    assert full.sum() == 9 * 9
    # A margin that is wider already stays as it is: 0.15 * 40 = 6 px.
    wide = plane_masks(box(12, 4, 52, 44), SHAPES["plate"], layout, grid=8)[0]
    assert np.array_equal(wide.steps, plane_masks(box(12, 4, 52, 44), SHAPES["plate"], layout, grid=1)[0].steps)


def test_traces_of_an_interlaced_source_are_covered_twice_as_far_down_and_up() -> None:
    layout = FrameLayout((64, 48), planes=1, interlaced=True)
    full = whole(plane_masks(box(17, 17, 18, 18), HARD, layout, grid=16)[0], layout, 0)
    assert (full[9:26, 13:22] == 1).all()
    assert full.sum() == 17 * 9


def test_a_reach_that_the_frame_cuts_is_covered_to_the_frames_edge() -> None:
    layout = FrameLayout((17, 11), planes=1)
    full = whole(plane_masks(box(16, 10, 17, 11), HARD, layout, grid=16)[0], layout, 0)
    assert (full[6:, 12:] == 1).all()
    assert full.sum() == 5 * 5
