"""Shapes to weights: cores covered to the last pixel, ramps outside only, chroma and blocks included."""

import math
from typing import Literal

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vsanon.boxes import F32
from vsanon.covering.masks import FrameLayout, PlaneMask, combine, combined, masks_of, plane_masks
from vsanon.covering.ramps import STEPS
from vsanon.covering.shapes import OTHER, SHAPES, Shape, grow, shape_of
from vsanon.detections import Outline

HARD = Shape("rectangle", (0.0, 0.0, 0.0, 0.0), feather=0.0, min_feather_px=0.0, slack=0.0)
RAMP_3 = Shape("rectangle", (0.0, 0.0, 0.0, 0.0), feather=0.0, min_feather_px=3.0, slack=0.0)

LAYOUTS = [
    FrameLayout((17, 11), planes=1),
    FrameLayout((17, 11)),
    FrameLayout((64, 48), (1, 1)),
    FrameLayout((64, 48), (1, 0)),
    FrameLayout((66, 46), (1, 1), interlaced=True),
    FrameLayout((64, 48), (1, 0), interlaced=True),
    FrameLayout((64, 48), (2, 0)),
    FrameLayout((64, 48), (2, 2)),
]
layouts = st.sampled_from(LAYOUTS)
shapes = st.sampled_from([*SHAPES.values(), OTHER, HARD, RAMP_3])
grids = st.sampled_from([1, 8, 16, 64])


@st.composite
def boxes(draw: st.DrawFn) -> F32:
    x, y = draw(st.floats(-30, 70, width=32)), draw(st.floats(-30, 60, width=32))
    width, height = draw(st.floats(0.5, 90, width=32)), draw(st.floats(0.5, 90, width=32))
    return np.array([x, y, x + width, y + height], np.float32)


def by_definition(order: int, box: F32, shape: Shape, mask: PlaneMask) -> F32:
    """The weights of an ellipse by their definition, each pixel by itself: 1 - d / f, d of first order."""
    x0, y0, x1, y1 = grow(box, shape)
    across, down = max((x1 - x0) / 2, 0.5), max((y1 - y0) / 2, 0.5)
    feather = max(shape.min_feather_px, shape.feather * float(min(box[2] - box[0], box[3] - box[1])))
    found = np.zeros(mask.steps.shape, np.float32)
    for k, row in enumerate(found):
        for i in range(len(row)):
            u = max(abs(mask.x + i + 0.5 - (x0 + x1) / 2) - 0.5, 0) / across
            v = max(abs(mask.y + k + 0.5 - (y0 + y1) / 2) - 0.5, 0) / down
            level = u**order + v**order
            if level >= 1:
                far = level ** (1 / order)
                slope = math.hypot(u ** (order - 1) / across, v ** (order - 1) / down)
                weight = 1 - (far - 1) * far ** (order - 1) / slope / feather if feather else 0
                row[i] = max(round(STEPS * weight), 0)
            else:
                row[i] = STEPS
    return found


ROUND = [Shape(kind, (0.2, 0.25, 0.2, 0.2), feather, least, slack=0.0) for kind in ("ellipse", "superellipse")
         for feather, least in ((0.03, 1.0), (0.0, 0.0), (0.4, 1.0), (0.0, 9.0))]  # fmt: skip


@given(
    st.lists(st.tuples(boxes(), st.sampled_from([*ROUND, *SHAPES.values(), HARD, OTHER])), max_size=7),
    layouts,
    grids,
)
def test_masks_of_many_boxes_are_those_of_each_alone(
    drawn: list[tuple[F32, Shape]], layout: FrameLayout, grid: int
) -> None:
    found = masks_of([box for box, _ in drawn], [shape for _, shape in drawn], layout, grid)
    for (box, shape), masks in zip(drawn, found, strict=True):
        alone = plane_masks(box, shape, layout, grid)
        assert [(m.x, m.y, m.steps.tolist()) for m in masks] == [(m.x, m.y, m.steps.tolist()) for m in alone]


@given(boxes(), st.sampled_from(ROUND))
def test_an_ellipses_weights_are_those_of_its_definition_also_where_they_are_not_worked_out(
    box: F32, shape: Shape
) -> None:
    # With margins of 0.3 it holds the box, and need not be widened.
    shape = Shape(shape.kind, (0.3,) * 4, shape.feather, shape.min_feather_px, slack=0.0)
    for mask in plane_masks(box, shape, FrameLayout((64, 48), planes=1)):
        wanted = by_definition(2 if shape.kind == "ellipse" else 4, box, shape, mask)
        assert np.abs(mask.steps - wanted).max() <= 1


def box(*edges: float) -> F32:
    return np.array(edges, np.float32)


def whole(mask: PlaneMask, layout: FrameLayout, plane: int) -> F32:
    full = np.zeros(layout.plane_shape(plane), np.float32)
    full[mask.window] = mask.weight
    return full


def test_box_touching_the_bottom_right_corner_is_covered_to_the_last_row_and_column() -> None:
    layout = FrameLayout((17, 11), planes=1)
    (mask,) = plane_masks(box(13, 8, 17, 11), HARD, layout)
    full = whole(mask, layout, 0)
    assert (full[8:11, 13:17] == 1).all()
    assert full.sum() == 12


def test_a_pixel_touched_in_part_belongs_to_the_core() -> None:
    (mask,) = plane_masks(box(2.9, 3.0, 5.1, 4.01), HARD, FrameLayout((17, 11), planes=1))
    assert (mask.x, mask.y, mask.weight.shape) == (2, 3, (2, 4))
    assert (mask.weight == 1).all()


def test_ramp_of_three_pixels_falls_by_thirds_outside_the_box() -> None:
    layout = FrameLayout((20, 20), planes=1)
    (mask,) = plane_masks(box(8, 8, 12, 12), RAMP_3, layout)
    row = whole(mask, layout, 0)[9] * 256
    # The sample beside the box is at no distance from it; then 256 * 2 / 3 = 170.7 and 85.3, to nearest.
    assert row[3:13].tolist() == [0, 0, 85, 171, 256, 256, 256, 256, 256, 256]


def test_a_box_that_moves_by_half_a_pixel_moves_its_ramp_by_half_a_pixel() -> None:
    layout = FrameLayout((20, 20), planes=1)
    (mask,) = plane_masks(box(8.5, 8.5, 12, 12), RAMP_3, layout)
    row = whole(mask, layout, 0)[9] * 256
    # At distances of 0.5, 1.5 and 2.5 of 3 px: 256 * 5 / 6 = 213.3, 128 and 42.7.
    assert row[4:9].tolist() == [0, 43, 128, 213, 256]


@given(st.floats(10, 30, width=32), st.floats(0.01, 1), st.sampled_from([*SHAPES.values(), OTHER]))
def test_no_weight_jumps_when_an_edge_moves_a_little(left: float, step: float, shape: Shape) -> None:
    """By as much as the edge moved, with its margin of up to 0.28, over the ramp of a pixel or more; and a step."""
    layout = FrameLayout((96, 96), planes=1)
    before, after = (
        whole(plane_masks(box(x, 20, 60, 62), shape, layout)[0], layout, 0) for x in (left, left + step)
    )
    assert np.abs(after - before).max() <= 1.3 * step + 2 / 256


@pytest.mark.parametrize(("kind", "across"), [("ellipse", 24 * 1.1 * 2**0.5), ("superellipse", 24 * 1.1 * 2**0.25)])
def test_an_ellipse_with_narrow_margins_is_widened_until_it_holds_the_box_and_its_slack(
    kind: Literal["ellipse", "superellipse"], across: float
) -> None:
    layout = FrameLayout((64, 64), planes=1)
    full = whole(plane_masks(box(20, 20, 44, 44), Shape(kind, (0, 0, 0, 0)), layout)[0], layout, 0)
    # 5 % of 24 px around the box: 18.8 to 45.2.
    assert (full[18:46, 18:46] == 1).all()
    # An ellipse around a square is sqrt(2) times as wide, one of the fourth order 2^(1/4) times: 37.3 and 31.4.
    assert (full[32] == 1).sum() == pytest.approx(across, abs=2)


def test_a_rectangle_without_margins_holds_the_slack_of_its_class_and_one_drawn_by_hand_has_none() -> None:
    """5 % of 20 px are one; the sample beside it, at no distance, has the full weight as well."""
    layout = FrameLayout((64, 64), planes=1)
    for shape, side in ((Shape("rectangle", (0.0,) * 4), 24), (shape_of("logo", outline=Outline("rectangle")), 22)):
        full = whole(plane_masks(box(20, 20, 40, 40), shape, layout)[0], layout, 0)
        assert (full == 1).sum() == side * side


def test_a_box_beside_the_frame_whose_slack_lies_in_it_is_covered() -> None:
    """40 px wide, so up to 2 px of what must be covered may lie to the right of it."""
    layout = FrameLayout((64, 64), planes=1)
    full = whole(plane_masks(box(-41, 10, -1, 30), Shape("rectangle", (0.0,) * 4), layout)[0], layout, 0)
    assert (full[9:31, 0] == 1).all()
    assert plane_masks(box(-43, 10, -3, 30), Shape("rectangle", (0.0,) * 4), layout) == ()


def test_the_chroma_sample_beside_the_core_is_covered_in_420() -> None:
    layout = FrameLayout((32, 32), (1, 1))
    # Luma 9..13 touches chroma 4..6; one more on each side is 3..7, in rows as in columns.
    masks = plane_masks(box(9, 9, 14, 14), HARD, layout)
    for plane in (1, 2):
        full = whole(masks[plane], layout, plane)
        assert (full[3:8, 3:8] == 1).all()
        assert full.sum() == 25


def test_chroma_without_subsampling_has_the_mask_of_luma() -> None:
    masks = plane_masks(box(3, 3, 9, 9), HARD, FrameLayout((17, 11)))
    assert masks[1] is masks[0]
    assert masks[2] is masks[0]


def test_chroma_of_interlaced_420_covers_both_fields_of_four_luma_rows_and_one_more_row_of_each() -> None:
    layout = FrameLayout((32, 32), (1, 1), interlaced=True)
    # Luma row 9 lies in rows 8..11, which chroma rows 4 and 5 span; two more on each side are 2..7.
    full = whole(plane_masks(box(8, 9, 10, 10), HARD, layout)[1], layout, 1)
    assert np.flatnonzero(full.any(axis=1)).tolist() == [2, 3, 4, 5, 6, 7]
    assert np.flatnonzero(full.any(axis=0)).tolist() == [3, 4, 5]


@given(boxes(), shapes, grids)
def test_every_interlaced_chroma_sample_that_spans_a_weight_has_at_least_that_weight(
    edges: F32, shape: Shape, grid: int
) -> None:
    layout = FrameLayout((66, 46), (1, 1), interlaced=True)
    masks = plane_masks(edges, shape, layout, grid)
    assume(masks)
    luma, chroma = whole(masks[0], layout, 0), whole(masks[1], layout, 1)
    for j in range(chroma.shape[0]):
        field, k = j % 2, j // 2
        rows = [r for r in (4 * k + field, 4 * k + 2 + field) if r < luma.shape[0]]
        spanned = luma[rows].max(axis=0).reshape(-1, 2).max(axis=1)
        for neighbour in (j - 2, j, j + 2):
            if 0 <= neighbour < chroma.shape[0]:
                assert (chroma[neighbour] >= spanned).all()
                assert (chroma[neighbour, 1:] >= spanned[:-1]).all()
                assert (chroma[neighbour, :-1] >= spanned[1:]).all()


@given(boxes(), shapes, layouts, grids)
def test_weights_lie_in_0_to_1_and_inside_their_plane(
    edges: F32, shape: Shape, layout: FrameLayout, grid: int
) -> None:
    masks = plane_masks(edges, shape, layout, grid)
    assert len(masks) in (0, layout.planes)
    for plane, mask in enumerate(masks):
        assert mask.weight.dtype == np.float32
        assert mask.weight.min() >= 0
        assert mask.weight.max() == 1
        height, width = layout.plane_shape(plane)
        assert 0 <= mask.x <= mask.x + mask.weight.shape[1] <= width
        assert 0 <= mask.y <= mask.y + mask.weight.shape[0] <= height


@given(boxes(), shapes, layouts, grids)
def test_the_bare_box_is_core_in_every_plane(edges: F32, shape: Shape, layout: FrameLayout, grid: int) -> None:
    for plane, mask in enumerate(plane_masks(edges, shape, layout, grid)):
        height, width = layout.plane_shape(plane)
        ssw, ssh = layout.subsampling if plane else (0, 0)
        x0, y0, x1, y1 = (float(v) for v in edges)
        x, y = max(math.floor(x0), 0) >> ssw, max(math.floor(y0), 0) >> ssh
        # A box beyond an edge, whose slack alone lies in the frame, has none of its own there.
        x_stop = max(min((math.ceil(x1) - 1 >> ssw) + 1, width), 0)
        y_stop = max(min((math.ceil(y1) - 1 >> ssh) + 1, height), 0)
        assert (whole(mask, layout, plane)[y:y_stop, x:x_stop] == 1).all()


@given(boxes(), st.floats(0, 2 * math.pi), st.floats(0, 0.999999), st.sampled_from([2, 4]))
def test_every_point_of_the_ellipse_lies_in_a_core_pixel(
    edges: F32, angle: float, radius: float, order: int
) -> None:
    layout = FrameLayout((64, 48), planes=1)
    shape = Shape("ellipse" if order == 2 else "superellipse", SHAPES["face"].margin)
    x0, y0, x1, y1 = grow(edges, shape)
    # Lame's curve: the powers of cosine and sine that add up to 1.
    along, up = (math.copysign(abs(v) ** (2 / order), v) for v in (math.cos(angle), math.sin(angle)))
    x = (x0 + x1) / 2 + radius * along * (x1 - x0) / 2
    y = (y0 + y1) / 2 + radius * up * (y1 - y0) / 2
    masks = plane_masks(edges, shape, layout)
    assume(masks and 0 <= x < 64 and 0 <= y < 48)
    assert whole(masks[0], layout, 0)[int(y), int(x)] == 1


@given(st.floats(8, 4000, width=32), st.floats(8, 4000, width=32))
def test_the_default_shape_of_faces_needs_no_widening_to_hold_the_box_and_its_slack(
    width: float, height: float
) -> None:
    x0, y0, x1, y1 = grow(box(0, 0, width, height), SHAPES["face"])
    cx, cy, a, b = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2
    for x in (-0.05 * width, 1.05 * width):
        for y in (-0.05 * height, 1.05 * height):
            assert ((x - cx) / a) ** 4 + ((y - cy) / b) ** 4 < 1  # it is convex: corners suffice


def test_the_ellipse_leaves_the_corners_of_its_grown_box_free() -> None:
    layout = FrameLayout((200, 200), planes=1)
    full = whole(plane_masks(box(60, 60, 140, 140), SHAPES["face"], layout)[0], layout, 0)
    # Grown by 0.155 * 80 at the left and 0.16 * 80 above: 47.6, 47.2.
    assert full[47, 47] == 0
    assert full[47, 100] == 1
    assert full[97, 47] == 1


@given(boxes(), layouts, grids)
def test_a_wider_ramp_only_adds_weight(edges: F32, layout: FrameLayout, grid: int) -> None:
    hard, soft = plane_masks(edges, HARD, layout, grid), plane_masks(edges, RAMP_3, layout, grid)
    assume(hard)
    a, b = whole(hard[0], layout, 0), whole(soft[0], layout, 0)
    assert set(np.unique(a)) <= {0.0, 1.0}
    assert (b >= a).all()


def test_a_box_far_larger_than_the_frame_covers_all_of_it() -> None:
    layout = FrameLayout((64, 48), (1, 1))
    for mask in plane_masks(box(-1e30, -1e30, 1e30, 1e30), SHAPES["face"], layout, 16):
        assert (mask.x, mask.y) == (0, 0)
        assert (mask.weight == 1).all()
        assert mask.weight.shape in ((48, 64), (24, 32))


@pytest.mark.parametrize(
    "edges",
    [(-9, 0, -1, 5), (18, 0, 20, 5), (0, -9, 5, -1), (0, 12, 5, 20), (5, 5, 5, 9), (5, 5, 9, 5)],
    ids=["left", "right", "above", "below", "no width", "no height"],
)
def test_a_box_outside_the_frame_or_without_area_has_no_masks(edges: tuple[float, ...]) -> None:
    assert plane_masks(box(*edges), SHAPES["plate"], FrameLayout((17, 11))) == ()


@pytest.mark.parametrize("edges", [(math.nan, 0, 1, 1), (0, 0, math.inf, 1), (5, 0, 4, 1), (0, 5, 1, 4)])
def test_a_box_that_is_not_finite_or_inverted_is_refused(edges: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="finite x0 <= x1"):
        plane_masks(box(*edges), SHAPES["face"], FrameLayout((17, 11)))


def test_settings_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="grid"):
        plane_masks(box(0, 0, 1, 1), HARD, FrameLayout((17, 11)), grid=0)
    with pytest.raises(ValueError, match="divisible"):
        FrameLayout((17, 11), (1, 1))
    with pytest.raises(ValueError, match="margins"):
        Shape("ellipse", (-0.1, 0, 0, 0))
    with pytest.raises(ValueError, match="an ellipse, a superellipse"):
        Shape("star", (0, 0, 0, 0))  # type: ignore[arg-type]


def test_a_class_without_a_shape_of_its_own_gets_the_other_rectangle() -> None:
    assert shape_of("face") == SHAPES["face"]
    assert shape_of("tattoo") == OTHER
    assert shape_of("tattoo", {"tattoo": HARD}) == HARD


def test_the_mask_of_a_small_box_stays_small_in_a_huge_frame() -> None:
    (mask,) = plane_masks(box(4000, 2000, 4008, 2008), SHAPES["face"], FrameLayout((7680, 4320), planes=1))
    assert max(mask.weight.shape) <= 18  # 8 px, 2 at each side of margin, 2 of ramp, rounded outward


def test_a_matte_of_two_regions_is_one_less_the_product_of_what_each_leaves() -> None:
    layout = FrameLayout((20, 4), planes=1)
    regions = [
        plane_masks(box(0, 0, 4, 4), RAMP_3, layout),
        (),
        plane_masks(box(8, 0, 12, 4), RAMP_3, layout),
    ]
    row = combine(regions, layout, 0)[0]
    # From the left 1, 171 / 256, 85 / 256, 0; from the right 0, 85 / 256, 171 / 256, 1.
    both = 1 - 85 / 256 * 171 / 256
    assert row[:13].tolist() == pytest.approx([1, 1, 1, 1, 1, both, both, 1, 1, 1, 1, 1, 1])


def test_the_least_rectangle_of_two_regions_holds_all_that_a_matte_has() -> None:
    layout = FrameLayout((40, 20), planes=1)
    regions = [plane_masks(box(4, 6, 8, 10), RAMP_3, layout), plane_masks(box(20, 8, 24, 15), RAMP_3, layout)]
    (rows, columns), weight = combined([masks[0] for masks in regions])
    whole = combine(regions, layout, 0)
    # Ramps of 3 reach from 4 to 1 and from 24 to 27, from 6 to 3 and from 15 to 18.
    assert (columns, rows) == (slice(1, 27), slice(3, 18))
    assert np.array_equal(whole[rows, columns], weight)
    assert np.count_nonzero(whole) == np.count_nonzero(weight)


def test_a_matte_without_regions_is_empty() -> None:
    matte = combine([], FrameLayout((64, 48), (1, 1)), 1)
    assert matte.shape == (24, 32)
    assert not matte.any()
