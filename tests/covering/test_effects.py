"""Effects: what is outside keeps its bits, and what is inside leaves nothing, in every look and format."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.support.painting import HARD, RAMP_3, Planes, noise, painted
from vsanon.covering.colour import SampleFormat, rgb_to_code
from vsanon.covering.effects import FILL, paint, paint_alpha
from vsanon.covering.looks import PROFILES
from vsanon.covering.masks import FrameLayout, combine, plane_masks
from vsanon.covering.shapes import SHAPES, shape_of
from vsanon.covering.swatches import sample_swatches
from vsanon.detections import no_swatches
from vsanon.errors import InputError

FORMATS = [
    (SampleFormat("gray", 8, full_range=True), FrameLayout((37, 23), planes=1)),
    (SampleFormat("gray", 16), FrameLayout((37, 23), planes=1)),
    (SampleFormat("gray", 32, is_float=True), FrameLayout((37, 23), planes=1)),
    (SampleFormat("yuv", 8), FrameLayout((48, 32), (1, 1))),
    (SampleFormat("yuv", 9), FrameLayout((48, 32), (1, 1))),
    (SampleFormat("yuv", 10), FrameLayout((48, 31), (1, 0))),
    (SampleFormat("yuv", 12, matrix="2020ncl"), FrameLayout((37, 23))),
    (SampleFormat("yuv", 14, full_range=True), FrameLayout((37, 23))),
    (SampleFormat("yuv", 16, matrix="601"), FrameLayout((48, 32), (1, 1))),
    (SampleFormat("yuv", 32, is_float=True), FrameLayout((48, 32), (1, 1))),
    (SampleFormat("rgb", 8, full_range=True, matrix="rgb"), FrameLayout((37, 23))),
    (SampleFormat("rgb", 10, full_range=True, matrix="rgb"), FrameLayout((37, 23))),
    (SampleFormat("rgb", 32, is_float=True, matrix="rgb"), FrameLayout((37, 23))),
    (SampleFormat("yuv", 8), FrameLayout((48, 30), (1, 1), interlaced=True)),
]
PROGRESSIVE = [case for case in FORMATS if not case[1].interlaced]


def each(cases: list[tuple[SampleFormat, FrameLayout]]) -> pytest.MarkDecorator:
    ids = [f"{fmt.family}{fmt.bits}-{layout.subsampling}-{layout.interlaced}" for fmt, layout in cases]
    return pytest.mark.parametrize(("fmt", "layout"), cases, ids=ids)


def mattes(layout: FrameLayout, xyxy: object, classes: tuple[str, ...], grid: int = 1) -> Planes:
    boxes = np.array(xyxy, np.float32).reshape(-1, 4)
    regions = [plane_masks(b, shape_of(c, SHAPES), layout, grid) for b, c in zip(boxes, classes, strict=True)]
    return [combine(regions, layout, p) for p in range(layout.planes)]


def bits(samples: NDArray[Any]) -> NDArray[Any]:
    return samples.view(np.uint32) if samples.dtype == np.float32 else samples


# --------------------------------------------------------------------------------------- every profile


@pytest.mark.parametrize(
    ("profile", "fmt", "layout"),
    [(p, *case) for p in PROFILES for case in (PROGRESSIVE if p == "cosmetic" else FORMATS)],
)
def test_samples_without_weight_keep_their_bits(profile: str, fmt: SampleFormat, layout: FrameLayout) -> None:
    source = noise(fmt, layout)
    if fmt.is_float:
        source[0][0, :3] = np.array([-0.0, np.nan, np.inf], np.float32)
    xyxy, classes = [[9, 8, 14, 13], [28.5, 16, 60, 60]], ("face", "plate")
    out = painted(source, fmt, layout, xyxy, classes, profile=profile)
    for plane, result, matte in zip(source, out, mattes(layout, xyxy, classes), strict=True):
        assert (matte == 0).any()
        np.testing.assert_array_equal(bits(plane)[matte == 0], bits(result)[matte == 0])


@each(FORMATS)
def test_strict_cores_are_exactly_the_fixed_colour(fmt: SampleFormat, layout: FrameLayout) -> None:
    xyxy, classes = [[9, 8, 14, 13], [28.5, 16, 60, 60]], ("face", "face")
    out = painted(noise(fmt, layout), fmt, layout, xyxy, classes, fill=(200, 30, 90), grid=4)
    codes = rgb_to_code(np.array([200, 30, 90], np.uint8), fmt)
    for plane, code, matte in zip(out, codes, mattes(layout, xyxy, classes, 4), strict=True):
        assert (matte == 1).any()
        assert (plane[matte == 1] == code).all()


@each(FORMATS)
@pytest.mark.parametrize("profile", ["strict", "soft", "picture", "inpaint"])
def test_what_lies_in_the_cores_has_no_influence_on_a_frame(
    profile: str, fmt: SampleFormat, layout: FrameLayout
) -> None:
    # A plate beside a face, whose ring would reach into it.
    xyxy, classes = [[3, 3, 13, 13], [15, 4, 19, 9], [20, 14, 60, 60]], ("face", "plate", "face")
    first, second = noise(fmt, layout, 1), noise(fmt, layout, 2)
    for a, b, matte in zip(first, second, mattes(layout, xyxy, classes), strict=True):
        assert (a[matte == 1] != b[matte == 1]).any()
        b[matte < 1] = a[matte < 1]
        if fmt.is_float:
            b[matte == 1] = np.nan
    swatches = sample_swatches(np.random.default_rng(3).integers(0, 256, (3, 9, 9), np.uint8),
                         np.float32([[0, 0, 9, 9]] * 3), 0, 0)  # fmt: skip
    one = painted(first, fmt, layout, xyxy, classes, swatches, profile=profile)
    two = painted(second, fmt, layout, xyxy, classes, swatches, profile=profile)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(FORMATS),
    st.sampled_from(PROFILES),
    st.lists(
        st.tuples(
            st.sampled_from(["face", "plate", "logo"]),
            st.floats(-20, 45, width=32),
            st.floats(-20, 30, width=32),
            st.floats(1, 40, width=32),
            st.floats(1, 40, width=32),
        ),
        max_size=4,
    ),
    st.sampled_from([1, 16]),
)
def test_any_boxes_leave_what_is_outside_and_strict_holds_within_rounding_of_its_matte(
    case: tuple[SampleFormat, FrameLayout],
    profile: str,
    drawn: list[tuple[str, float, float, float, float]],
    grid: int,
) -> None:
    fmt, layout = case
    if profile == "cosmetic" and layout.interlaced:
        profile = "strict"
    xyxy = [(x, y, x + w, y + h) for _, x, y, w, h in drawn]
    classes = tuple(d[0] for d in drawn)
    source = noise(fmt, layout)
    out = painted(source, fmt, layout, xyxy, classes, profile=profile, grid=grid, surroundings=())
    codes = rgb_to_code(np.array(FILL, np.uint8), fmt)
    for plane, result, code, w in zip(source, out, codes, mattes(layout, xyxy, classes, grid), strict=True):
        np.testing.assert_array_equal(plane[w == 0], result[w == 0])
        if profile == "strict":
            expected = plane.astype(np.float64) * (1 - w) + float(code) * w
            rounding = 1e-5 if fmt.is_float else 0.5 * len(drawn) + 0.01
            assert np.abs(result - expected).max() <= rounding


def test_a_frame_without_a_box_inside_it_is_not_even_asked_for() -> None:
    fmt, layout = FORMATS[3]

    def never(plane: int) -> NDArray[Any]:
        raise AssertionError(f"plane {plane} was asked for")

    boxes = np.array([[-40, 0, -10, 9], [90, 90, 99, 99]], np.float32)
    paint(never, boxes, ("face", "plate"), no_swatches(2), layout=layout, fmt=fmt)
    paint(never, np.zeros((0, 4), np.float32), (), no_swatches(0), layout=layout, fmt=fmt)
    paint_alpha(never, boxes, ("face", "plate"), layout=layout, fmt=fmt)


def test_each_plane_is_asked_for_once() -> None:
    fmt, layout = FORMATS[3]
    planes, asked = noise(fmt, layout), []

    def ask(plane: int) -> NDArray[Any]:
        asked.append(plane)
        return planes[plane]

    boxes = np.array([[4, 4, 9, 9], [20, 8, 30, 20]], np.float32)
    paint(ask, boxes, ("face", "plate"), no_swatches(2), layout=layout, fmt=fmt)
    assert asked == [0, 1, 2]


def test_a_plane_with_padded_rows_is_painted_in_place() -> None:
    fmt, layout = SampleFormat("gray", 8, full_range=True), FrameLayout((17, 11), planes=1)
    padded = np.full((11, 32), 200, np.uint8)
    shapes = {"face": HARD}
    paint(lambda p: padded[:, :17], np.float32([[13, 8, 17, 11]]), ("face",), no_swatches(1),
          layout=layout, fmt=fmt, shapes=shapes)  # fmt: skip
    assert (padded[8:, 13:17] == 64).all()
    assert (padded == 64).sum() == 12


def test_the_ramp_mixes_by_its_weights_to_the_nearest() -> None:
    fmt, layout = SampleFormat("gray", 8, full_range=True), FrameLayout((20, 1), planes=1)
    source = [np.full((1, 20), 10, np.uint8)]
    out = painted(source, fmt, layout, [8, 0, 12, 1], ("face",), shapes={"face": RAMP_3}, fill=(0, 0, 0))
    # 10 * 171 / 256 = 6.7, 10 * 85 / 256 = 3.3
    assert out[0][0].tolist() == [10] * 5 + [7, 3] + [0] * 6 + [3, 7] + [10] * 5


def test_settings_and_planes_that_do_not_fit_are_refused() -> None:
    fmt, layout = FORMATS[3]
    source = noise(fmt, layout)
    interlaced = FrameLayout(layout.size, layout.subsampling, interlaced=True)
    with pytest.raises(InputError, match="strict, soft, mosaic, picture, inpaint, cosmetic"):
        painted(source, fmt, layout, [4, 4, 9, 9], ("face",), profile="pixelate")
    with pytest.raises(InputError, match="interlaced"):
        painted(source, fmt, interlaced, [4, 4, 9, 9], ("face",), profile="cosmetic")
    with pytest.raises(InputError, match="0 to 255"):
        painted(source, fmt, layout, [4, 4, 9, 9], ("face",), fill=(0, 0, 256))
    with pytest.raises(ValueError, match="as many classes"):
        painted(source, fmt, layout, [4, 4, 9, 9], ())
    with pytest.raises(ValueError, match="plane 0 must be"):
        painted([p[1:] for p in source], fmt, layout, [4, 4, 9, 9], ("face",))
    with pytest.raises(ValueError, match="uint16"):
        painted(source, SampleFormat("yuv", 10), layout, [4, 4, 9, 9], ("face",))
    with pytest.raises(ValueError, match="finite"):
        painted(source, fmt, layout, [4, 4, np.nan, 9], ("face",))


# ---------------------------------------------------------------------------------------- each profile


def test_soft_paints_one_colour_where_all_swatches_are_of_one_colour() -> None:
    fmt, layout = SampleFormat("yuv", 10), FrameLayout((128, 96), (1, 1))
    swatches = np.full((1, 5, 5, 3), 255, np.uint8)
    xyxy = [40, 30, 80, 70]
    out = painted(noise(fmt, layout), fmt, layout, xyxy, ("face",), swatches, profile="soft", grid=16)
    luma, *chroma = mattes(layout, xyxy, ("face",), 16)
    assert (out[0][luma == 1] == 940).all()
    under = (luma == 1).reshape(48, 2, 64, 2).any(axis=(1, 3))
    for plane, matte in zip(out[1:], chroma, strict=True):
        assert (matte[under] == 1).all()
        assert (plane[under] == 512).all()


@pytest.mark.parametrize("profile", ["soft", "mosaic"])
def test_a_mask_has_no_rim_of_the_surroundings_on_another(profile: str) -> None:
    """Two of one colour on noise of all colours: all chroma under both of them is that colour."""
    fmt, layout = SampleFormat("yuv", 8), FrameLayout((128, 96), (1, 1))
    swatches = np.full((2, 5, 5, 3), (200, 30, 30), np.uint8)
    boxes = [[20, 20, 60, 70], [50, 34, 96, 80]]
    out = painted(noise(fmt, layout), fmt, layout, boxes, ("face", "face"), swatches, profile=profile)
    code = rgb_to_code(swatches[0, 0, 0], fmt)
    under = (mattes(layout, boxes, ("face", "face"))[0] == 1).reshape(48, 2, 64, 2).any(axis=(1, 3))
    assert (out[1][under] == code[1]).all()
    assert (out[2][under] == code[2]).all()


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_of_two_that_overlap_the_larger_lies_on_top_in_whichever_order_they_come(order: list[int]) -> None:
    fmt, layout = SampleFormat("rgb", 8, full_range=True, matrix="rgb"), FrameLayout((100, 100))
    boxes = np.array([[20, 20, 80, 80], [60, 40, 90, 70]], np.float32)[order]
    swatches = np.stack([np.full((5, 5, 3), value, np.uint8) for value in (60, 200)])[order]
    out = painted(noise(fmt, layout), fmt, layout, boxes, ("face", "face"), swatches, profile="mosaic")
    assert out[0][50, [50, 70, 92]].tolist() == [60, 60, 200]


def test_soft_lays_its_swatches_in_the_order_of_the_picture_and_never_overshoots() -> None:
    fmt, layout = SampleFormat("rgb", 8, full_range=True, matrix="rgb"), FrameLayout((100, 100))
    swatches = no_swatches(1)
    swatches[0, :, :, 0] = np.array([20, 60, 100, 140, 180])  # red from left to right
    swatches[0, :, :, 1] = np.array([20, 60, 100, 140, 180])[:, None]  # green from top to bottom
    source = [np.full((100, 100), 255, np.uint8) for _ in range(3)]
    out = painted(source, fmt, layout, [25, 25, 75, 75], ("face",), swatches, profile="soft")
    core = mattes(layout, [25, 25, 75, 75], ("face",))[0] == 1
    for plane in out[:2]:
        assert 20 <= plane[core].min() < 60
        assert 140 < plane[core].max() <= 180
    assert (np.diff(out[0][50, 20:80].astype(int)) >= 0).all()
    assert (np.diff(out[1][20:80, 50].astype(int)) >= 0).all()
    # The grown box spans 17.25 to 82.75, so a swatch is 13.1 px wide and its colours rise by 40 in as many.
    assert out[0][50, [35, 50, 65]].tolist() == [56, 102, 147]
    assert (out[2][core] == 128).all()


def test_soft_lays_chroma_where_it_lays_luma() -> None:
    swatches = sample_swatches(np.random.default_rng(3).integers(0, 256, (3, 50, 50), np.uint8),
                         np.float32([[0, 0, 50, 50]]), 0, 0)  # fmt: skip
    fmt, xyxy = SampleFormat("yuv", 32, is_float=True), [40, 30, 80, 80]
    full, half = FrameLayout((128, 96)), FrameLayout((128, 96), (1, 1))
    a = painted(noise(fmt, full), fmt, full, xyxy, ("face",), swatches, profile="soft")
    b = painted(noise(fmt, half), fmt, half, xyxy, ("face",), swatches, profile="soft")
    for plane in (1, 2):
        mean = a[plane].reshape(48, 2, 64, 2).mean(axis=(1, 3))
        np.testing.assert_allclose(b[plane][15:40, 20:40], mean[15:40, 20:40], atol=1e-3)


def test_soft_differs_with_the_swatches() -> None:
    fmt, layout = SampleFormat("gray", 8), FrameLayout((100, 100), planes=1)
    source, dark = noise(fmt, layout), np.zeros((1, 5, 5, 3), np.uint8)
    a, b = (painted(source, fmt, layout, [25, 25, 75, 75], ("face",), c, profile="soft")
            for c in (dark, dark + 255))  # fmt: skip
    assert (a[0][50, 50], b[0][50, 50]) == (16, 235)


@pytest.mark.parametrize("side", [12, 23, 28, 32, 60])
def test_soft_takes_the_swatches_of_a_box_of_any_size(side: int) -> None:
    """That small boxes have one tone is a matter of their swatches: a change of paint would strobe."""
    fmt, layout = SampleFormat("gray", 8, full_range=True), FrameLayout((100, 100), planes=1)
    white = np.full((1, 5, 5, 3), 255, np.uint8)
    out = painted(noise(fmt, layout), fmt, layout, [30, 30, 70, 30 + side], ("face",), white, profile="soft")
    assert (out[0][30 : 30 + side, 30:70] == 255).all()


def test_the_colours_of_soft_stay_in_place_when_the_frame_cuts_the_box() -> None:
    fmt = SampleFormat("gray", 8, full_range=True)
    swatches = no_swatches(1)
    swatches[0] = np.arange(0, 250, 10, np.uint8).reshape(5, 5, 1)
    wide, cut = FrameLayout((200, 100), planes=1), FrameLayout((100, 100), planes=1)
    a = painted(noise(fmt, wide), fmt, wide, [70, 25, 120, 75], ("face",), swatches, profile="soft")[0][:, :100]
    b = painted(noise(fmt, cut), fmt, cut, [70, 25, 120, 75], ("face",), swatches, profile="soft")[0]
    np.testing.assert_array_equal(a[25:75, 70:], b[25:75, 70:])


@each(PROGRESSIVE)
def test_cosmetic_leaves_a_flat_picture_flat(fmt: SampleFormat, layout: FrameLayout) -> None:
    source = [np.full_like(p, 0.25 if fmt.is_float else 100) for p in noise(fmt, layout)]
    for plane, out in zip(
        source, painted(source, fmt, layout, [9, 8, 30, 20], ("face",), profile="cosmetic"), strict=True
    ):
        np.testing.assert_allclose(out, plane, atol=1e-6)


@pytest.mark.parametrize("width", [12, 40, 200])
def test_cosmetic_spreads_a_step_at_least_as_wide_as_a_quarter_of_the_box(width: int) -> None:
    fmt, layout = SampleFormat("gray", 16, full_range=True), FrameLayout((6 * width, width), planes=1)
    source = [np.zeros((width, 6 * width), np.uint16)]
    source[0][:, 3 * width :] = 65535
    xyxy = [2.5 * width, 0, 3.5 * width, width]
    row = painted(source, fmt, layout, xyxy, ("face",), profile="cosmetic")[0][width // 2] / 65535.0
    # A Gaussian step of deviation s has the slope 1 / (s * sqrt(2 pi)) at its middle; 5 % for interpolation.
    assert 0 < np.diff(row).max() <= 1.05 / (0.25 * width * np.sqrt(2 * np.pi))
    assert row[3 * width - 1 : 3 * width + 1].mean() == pytest.approx(0.5, abs=0.01)


def test_alpha_is_opaque_where_the_picture_is_painted_and_elsewhere_as_it_was() -> None:
    fmt, layout = SampleFormat("gray", 10, full_range=True), FrameLayout((48, 32), (1, 1))
    alpha = np.random.default_rng(5).integers(0, 1000, (32, 48)).astype(np.uint16)
    before, box = alpha.copy(), np.float32([[30, 20, 48, 32]])
    paint_alpha(lambda p: alpha, box, ("face",), layout=layout, fmt=fmt, grid=16)
    (matte, *_) = mattes(layout, box, ("face",), 16)
    assert (alpha[matte == 1] == 1023).all()
    assert (alpha[matte > 0] >= before[matte > 0]).all()
    np.testing.assert_array_equal(alpha[matte == 0], before[matte == 0])


def test_float_alpha_is_opaque_at_one() -> None:
    alpha = np.zeros((11, 17), np.float32)
    fmt, layout = SampleFormat("gray", 32, is_float=True), FrameLayout((17, 11), planes=1)
    paint_alpha(lambda p: alpha, np.float32([[13, 8, 17, 11]]), ("x",), layout=layout, fmt=fmt, shapes={"x": HARD})
    assert (alpha[8:, 13:] == 1).all()
    assert alpha.sum() == 12
