"""Plans and merging: every object that must be found is whole in a view of the right scale, once in the answer."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsanon.boxes import clip_boxes, scale_boxes
from vsanon.detections import Detections
from vsanon.detectors.scale import Scale, View, merge, plan
from vsanon.models import InputRules

FREE = InputRules(stride=32)
REACH = (10.0, 320.0)


def found(*boxes: tuple[float, float, float, float, float], name: str = "face") -> Detections:
    values = np.array(boxes, np.float32).reshape(-1, 5)
    return Detections(values[:, :4], values[:, 4], (name,) * len(values))


def test_a_plan_without_wishes_is_the_whole_frame_letterboxed() -> None:
    (view,) = plan((1920, 1080), FREE, REACH, Scale(size=640))
    assert view == View(0, 0, 1920, 1080, (640, 360), (640, 384))
    assert view.factor == (3, 3)


def test_a_small_frame_is_not_enlarged_to_the_size() -> None:
    (view,) = plan((320, 180), FREE, REACH, Scale(size=640))
    assert view.size == (320, 180)


def test_a_small_object_adds_a_level_that_shows_it_at_the_models_reach() -> None:
    """10 px of the model for 20 of the frame: half of 1920x1080, and a ratio of 1.5 to the first is one step."""
    views = plan((1920, 1080), FREE, REACH, Scale(size=640, min_object_px=20))
    assert [view.size for view in views] == [(640, 360), (960, 540)]


def test_a_step_bounds_the_ratio_of_neighbouring_levels() -> None:
    """From 1/6 to 1 in steps of at most 4: one more level between, at 1/sqrt(6)."""
    views = plan((3840, 2160), FREE, REACH, Scale(size=640, min_object_px=10, step=4))
    assert [view.size for view in views] == [(640, 360), (1568, 882), (3840, 2160)]


def test_no_level_enlarges_more_than_twofold() -> None:
    views = plan((400, 300), FREE, REACH, Scale(size=640, min_object_px=1))
    assert views[-1].size == (800, 600)


def test_a_large_object_adds_a_coarser_level() -> None:
    """At 640 a face of 1080 px is 360 px high; at 569 it is 320."""
    views = plan((1920, 1080), FREE, REACH, Scale(size=640, max_object_px=1080))
    assert [view.size for view in views] == [(640, 360), (569, 320)]


def test_no_object_is_higher_than_the_frame() -> None:
    """As above: 1080 of 5000 px fit. In 640x240 the first picture shows the highest, 240 px."""
    views = plan((1920, 1080), FREE, REACH, Scale(size=640, max_object_px=5000))
    assert [view.size for view in views] == [(640, 360), (569, 320)]
    assert len(plan((640, 240), FREE, REACH, Scale(size=640, max_object_px=5000))) == 1


def test_smaller_objects_are_looked_for_as_far_as_a_picture_of_one_side_shows_them() -> None:
    """12 px become the 10 that the model needs at 10/12 of the frame; the picture's side is at most 1280."""
    fine = Scale(size=640, fine=(12, 1280))
    frames = ((640, 360), (1200, 600), (1920, 1080), (320, 180))
    sizes = [[view.size for view in plan(frame, FREE, REACH, fine)] for frame in frames]
    assert sizes == [[(640, 360)], [(640, 320), (1000, 500)], [(640, 360), (1280, 720)], [(320, 180)]]
    # An object that wants more counts instead: 20 px want half of this frame, and 80 an eighth.
    for smallest, finest in ((20, (2560, 1440)), (80, (1280, 720))):
        views = plan((5120, 2880), FREE, REACH, replace(fine, min_object_px=smallest))
        assert views[-1].size == finest


def test_a_level_beyond_the_tile_is_cut_and_its_tiles_cover_the_frame() -> None:
    views = plan((1920, 1080), FREE, REACH, Scale(size=640, min_object_px=10, tile_px=1024))
    assert views[0].cuts == (False,) * 4
    tiles = views[1:]
    assert len(tiles) == 4
    assert [view.cuts for view in tiles] == [
        (False, False, True, True),
        (True, False, False, True),
        (False, True, True, False),
        (True, True, False, False),
    ]
    assert all(max(view.size) <= 1024 for view in tiles)
    assert (tiles[0].left, tiles[-1].left + tiles[-1].width, tiles[-1].top + tiles[-1].height) == (0, 1920, 1080)


def test_a_model_of_one_size_gets_pictures_of_that_size_alone() -> None:
    rules = InputRules(stride=32, size=(320, 320))
    views = plan((1280, 720), rules, REACH, Scale(size=640, min_object_px=20))
    assert views[0] == View(0, 0, 1280, 720, (320, 180), (320, 320))
    assert len(views) > 1
    assert all(view.padded == (320, 320) for view in views)
    assert all(view.size[0] <= 320 and view.size[1] <= 320 for view in views)


@settings(max_examples=200, deadline=None)
@given(
    width=st.integers(64, 4096),
    height=st.integers(64, 2304),
    tile=st.sampled_from([None, 320, 640, 1024]),
    fixed=st.booleans(),
    smallest=st.floats(8, 64),
    data=st.data(),
)
def test_every_object_that_must_be_found_is_whole_in_a_view_within_the_reach(
    width: int, height: int, tile: int | None, fixed: bool, smallest: float, data: st.DataObject
) -> None:
    rules = InputRules(stride=32, size=(320, 320)) if fixed else FREE
    largest = 0.95 * height
    scale = Scale(min_object_px=smallest, max_object_px=max(largest, smallest), tile_px=tile)
    views = plan((width, height), rules, REACH, scale)
    side = data.draw(st.floats(min(smallest, largest), largest))
    side = min(side, width)
    x, y = (data.draw(st.floats(0, limit - side)) for limit in (width, height))
    whole = [
        view
        for view in views
        if view.left <= x
        and view.top <= y
        and x + side <= view.left + view.width
        and y + side <= view.top + view.height
    ]
    seen = [side / view.factor[1] for view in whole]
    low = min(REACH[0], side * 2)  # nothing is enlarged more than twofold
    assert any(low * 0.9 <= px <= REACH[1] * 1.1 for px in seen), seen
    for view in views:
        assert view.left >= 0
        assert view.left + view.width <= width
        assert view.top >= 0
        assert view.top + view.height <= height
        assert all(p % rules.stride == 0 and p >= s for p, s in zip(view.padded, view.size, strict=True))


LEFT = View(0, 0, 60, 100, (60, 100), (64, 128), (False, False, True, False))
RIGHT = View(40, 0, 60, 100, (60, 100), (64, 128), (True, False, False, False))
WHOLE = View(0, 0, 100, 100, (50, 50), (64, 64))
FRAME = (100, 100)


def test_boxes_of_a_tile_land_where_the_tile_is() -> None:
    merged = merge([(LEFT, found()), (RIGHT, found((10, 20, 30, 40, 0.9)))], FRAME)
    assert merged.xyxy.tolist() == [[50, 20, 70, 40]]


def test_boxes_of_a_reduced_view_are_enlarged() -> None:
    merged = merge([(WHOLE, found((10, 20, 30, 40, 0.9)))], FRAME)
    assert merged.xyxy.tolist() == [[20, 40, 60, 80]]


def test_a_box_cut_by_its_tile_gives_way_to_the_whole_one_of_the_neighbour() -> None:
    """The left tile ends at 60, and saw 48 to 60 of a face from 48 to 72, even with more certainty."""
    merged = merge([(LEFT, found((48, 20, 60, 50, 0.9))), (RIGHT, found((8, 20, 32, 50, 0.6)))], FRAME)
    assert merged.xyxy.tolist() == [[48, 20, 72, 50]]
    assert merged.scores.tolist() == pytest.approx([0.9])


def test_a_small_sure_piece_does_not_give_way_to_a_large_unsure_box() -> None:
    """A sure face of 10x10 at the border, and a doubtful box of 60x60 around it: both stay."""
    merged = merge([(LEFT, found((50, 20, 60, 30, 0.9))), (WHOLE, found((10, 5, 40, 35, 0.1)))], FRAME)
    assert len(merged) == 2


def test_a_cut_box_that_nothing_holds_stays() -> None:
    merged = merge([(LEFT, found((48, 20, 60, 50, 0.9))), (RIGHT, found())], FRAME)
    assert merged.xyxy.tolist() == [[48, 20, 60, 50]]


def test_a_box_at_the_edge_of_the_frame_is_not_taken_for_cut() -> None:
    merged = merge([(LEFT, found((0, 0, 20, 20, 0.9))), (WHOLE, found((0, 0, 12, 12, 0.3)))], FRAME)
    assert merged.xyxy.tolist() == [[0, 0, 20, 20]]


def test_an_object_seen_in_two_views_is_one_with_the_better_box() -> None:
    merged = merge([(LEFT, found((42, 20, 56, 50, 0.6))), (RIGHT, found((2, 20, 16, 51, 0.8)))], FRAME)
    assert merged.xyxy.tolist() == [[42, 20, 56, 51]]
    assert merged.scores.tolist() == pytest.approx([0.8])


def test_two_overlapping_objects_that_one_view_tells_apart_stay_two() -> None:
    one = found((10, 20, 30, 50, 0.9), (18, 20, 38, 50, 0.8))
    merged = merge([(LEFT, one), (WHOLE, found((5, 10, 15, 25, 0.7)))], FRAME)
    assert merged.xyxy.tolist() == [[10, 20, 30, 50], [18, 20, 38, 50]]


def test_an_eye_in_a_close_up_is_not_a_face_of_its_own() -> None:
    merged = merge([(WHOLE, found((5, 5, 45, 45, 0.9))), (LEFT, found((30, 30, 40, 40, 0.5)))], FRAME)
    assert merged.xyxy.tolist() == [[10, 10, 90, 90]]


def test_a_surer_face_before_a_close_up_stays() -> None:
    merged = merge([(WHOLE, found((5, 5, 45, 45, 0.5))), (LEFT, found((30, 30, 40, 40, 0.9)))], FRAME)
    assert len(merged) == 2


def test_boxes_of_two_classes_do_not_give_way_to_each_other() -> None:
    merged = merge(
        [(LEFT, found((10, 20, 30, 50, 0.9))), (WHOLE, found((5, 10, 15, 25, 0.7), name="plate"))], FRAME
    )
    assert merged.classes == ("face", "plate")


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80), st.integers(6, 40), st.floats(0.1, 1)), max_size=8)
)
def test_merging_uncovers_nothing_that_a_view_was_surest_of(objects: list[tuple[int, int, int, float]]) -> None:
    """Whatever the views saw, the middle of the surest box of each object lies in a box of the answer."""
    truth = np.array([(x, y, min(x + s, 100), min(y + s, 100)) for x, y, s, _ in objects], np.float32).reshape(
        -1, 4
    )
    scores = np.array([score for *_, score in objects], np.float32)
    parts = []
    for view in (WHOLE, LEFT, RIGHT):
        inverse = (1 / view.factor[0], 1 / view.factor[1])
        seen = clip_boxes(scale_boxes(truth, inverse, (view.left, view.top)), view.size)
        wide = (seen[:, 2] - seen[:, 0] > 2) & (seen[:, 3] - seen[:, 1] > 2)
        parts.append((view, Detections(seen[wide], scores[wide], ("face",) * int(wide.sum()))))
    merged = merge(parts, FRAME).xyxy
    for x0, y0, x1, y1 in truth:
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        inside = (merged[:, 0] <= x) & (x <= merged[:, 2]) & (merged[:, 1] <= y) & (y <= merged[:, 3])
        assert inside.any()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"size": 16}, "at least 32"),
        ({"tile_px": 64}, "less than 128"),
        ({"step": 1.1}, "at least 1.5"),
        ({"fine": (12, 320)}, "a side of at least 640 pixels"),
        ({"fine": (0, 1280)}, "fine is a height and a side"),
        ({"min_object_px": 0}, "0 < smallest"),
        ({"min_object_px": 50, "max_object_px": 40}, "smallest <= largest"),
    ],
)
def test_a_scale_that_cannot_be_is_refused(wrong: dict[str, float], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Scale(**wrong)  # type: ignore[arg-type]
