"""Outlines of manual regions: they cover what they say, to the pixel, and no margin more."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsanon.boxes import F32
from vsanon.covering.masks import FrameLayout, plane_masks
from vsanon.covering.shapes import Shape, shape_of
from vsanon.detections import Origin, Outline, TrackedBoxes
from vsanon.errors import CheckError
from vsanon.filters import props

LAYOUT = FrameLayout((64, 48), planes=1)
HARD = (0.0, 0.0, 0.0, 0.0)

shares = st.floats(0, 1)
polygons = st.lists(st.tuples(shares, shares), min_size=3, max_size=6)


def core(box: tuple[float, ...], outline: Outline, grid: int = 1, layout: FrameLayout = LAYOUT) -> F32:
    full = np.zeros(layout.plane_shape(0), np.float32)
    for mask in plane_masks(np.array(box, np.float32), shape_of("logo", outline=outline), layout, grid)[:1]:
        full[mask.window] = mask.weight
    return full


def test_a_rectangle_gets_no_margin() -> None:
    full = core((10, 20, 30, 40), Outline("rectangle"))
    assert (full[20:40, 10:30] == 1).all()
    full[19:41, 9:31] = 0
    assert not full.any()


def test_a_triangle_leaves_the_far_corner_of_its_box() -> None:
    full = core((8, 8, 40, 40), Outline("polygon", ((0, 0), (1, 0), (0, 1))))
    assert full[9, 9] == full[9, 37] == full[37, 9] == 1
    assert full[37, 37] == 0


def test_an_ellipse_covers_its_middle_and_its_ends_and_not_its_corners() -> None:
    full = core((8, 8, 40, 40), Outline("ellipse"))
    assert full[24, 24] == full[8, 24] == full[39, 24] == full[24, 8] == full[24, 39] == 1
    assert full[8, 8] == full[39, 39] == full[8, 39] == 0


@given(st.lists(st.floats(0.2, 0.5), min_size=3, max_size=9))
def test_every_pixel_that_scikit_image_draws_in_a_polygon_is_covered(radii: list[float]) -> None:
    oracle = pytest.importorskip("skimage.draw", reason="the oracle scikit-image is not installed")
    turns = [math.tau * k / len(radii) for k in range(len(radii))]
    star = tuple((0.5 + r * math.cos(t), 0.5 + r * math.sin(t)) for r, t in zip(radii, turns, strict=True))
    full = core((8, 4, 48, 44), Outline("polygon", star))
    rows, columns = oracle.polygon([4 + 40 * y - 0.5 for _, y in star], [8 + 40 * x - 0.5 for x, _ in star])
    assert (full[rows, columns] == 1).all()


def test_what_a_crossing_polygon_encloses_is_covered() -> None:
    # A pentagram: its middle is enclosed twice, which an even-odd filler leaves open.
    star = tuple(
        (0.5 + 0.5 * math.sin(math.tau * k * 2 / 5), 0.5 - 0.5 * math.cos(math.tau * k * 2 / 5)) for k in range(5)
    )
    full = core((8, 8, 48, 48), Outline("polygon", star))
    assert full[28, 28] == 1


@given(
    polygons,
    st.floats(-20, 60),
    st.floats(-20, 40),
    st.floats(1, 60),
    st.floats(1, 60),
    st.sampled_from([1, 8, 16]),
    shares,
)
def test_every_pixel_that_a_polygon_touches_is_core(
    points: list[tuple[float, float]], x: float, y: float, width: float, height: float, grid: int,
    share: float,
) -> None:  # fmt: skip
    box = np.array([x, y, x + width, y + height], np.float32)
    full = core(tuple(box), Outline("polygon", tuple(points)), grid)
    for a, b in ((0, 1), (1, 2)):
        px = float(box[0]) + (points[a][0] * share + points[b][0] * (1 - share)) * float(box[2] - box[0])
        py = float(box[1]) + (points[a][1] * share + points[b][1] * (1 - share)) * float(box[3] - box[1])
        if 0 <= px < 64 and 0 <= py < 48:
            assert full[int(py), int(px)] == 1
            if grid > 1:
                assert full[int(py), min(int(px) + 4, 63)] == full[max(int(py) - 4, 0), int(px)] == 1


@given(polygons, st.sampled_from([(17, 11), (64, 48)]))
def test_a_polygon_never_leaves_its_box_by_more_than_its_ramp_and_a_pixel(
    points: list[tuple[float, float]], size: tuple[int, int]
) -> None:
    full = core((6, 4, 12, 8), Outline("polygon", tuple(points)), 1, FrameLayout(size, planes=1))
    full[2:10, 4:14] = 0
    assert full.sum() == 0


def test_outlines_go_through_frame_properties_as_they_are() -> None:
    polygon = Outline("polygon", ((0.1, 0.2), (1 / 3, 0.9), (1.0, 0.0)))
    boxes = TrackedBoxes(
        np.array([[0, 0, 8, 8]] * 3, np.float32), np.ones(3, np.float32), ("face", "logo", "logo"), (1, 2, 3),
        (Origin.DETECTED, Origin.MANUAL, Origin.MANUAL), np.zeros((3, 5, 5, 3), np.uint8),
        (None, Outline("ellipse"), polygon),
    )  # fmt: skip
    carried: dict[str, object] = {}
    props.write(carried, boxes, (64, 48))
    assert props.read_tracked(carried).outlines == (None, Outline("ellipse"), polygon)
    assert boxes.select(np.array([2])).outlines == (polygon,)


def test_boxes_without_outlines_carry_no_property_of_them() -> None:
    boxes = TrackedBoxes(
        np.array([[0, 0, 8, 8]], np.float32), np.ones(1, np.float32), ("face",), (1,), (Origin.DETECTED,),
        np.zeros((1, 5, 5, 3), np.uint8),
    )  # fmt: skip
    carried: dict[str, object] = {}
    props.write(carried, boxes, (64, 48))
    assert "VsanonOutlines" not in carried
    assert props.read_tracked(carried).outlines == ()


@pytest.mark.parametrize("text", ["polygon", "polygon 0,0 1,1", "polygon 0,0 1,1 nan,0", "star", "ellipse 0,0"])
def test_an_altered_outline_stops_the_frame(text: str) -> None:
    carried = {"VsanonCount": 1, "VsanonSize": [64, 48], "VsanonBoxes": [0.0, 0, 8, 8], "VsanonScores": 1.0,
               "VsanonClasses": "logo", "VsanonIds": 1, "VsanonOrigins": 3, "VsanonCells": bytes(75),
               "VsanonTracked": 1, "VsanonOutlines": text}  # fmt: skip
    with pytest.raises(CheckError, match="VsanonOutlines"):
        props.read_tracked(carried)


def test_a_shape_with_points_is_a_polygon_and_no_other_is() -> None:
    with pytest.raises(ValueError, match="polygon"):
        Shape("rectangle", HARD, points=((0, 0), (1, 0), (0, 1)))
    with pytest.raises(ValueError, match="polygon"):
        Shape("polygon", HARD)
