"""Means of blocks commute with an encode, and what differs from what was painted is seen, no number included."""

import itertools
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.clips import covered
from vsanon.covering.colour import SampleFormat
from vsanon.covering.masks import FrameLayout
from vsanon.encode import RawVideo, encode, presets
from vsanon.encode.presets import Tolerance
from vsanon.job.block_means import Grid, Scale, scales
from vsanon.job.checks import Check, counted
from vsanon.job.images import as_file
from vsanon.job.leaks import PARTS, Sums, TrackSums, sums_of
from vsanon.job.painted import PaintedFrame, PaintedFrames, PaintedRegion
from vsanon.job.picture_checks import HIDDEN, IN_PLACE, IN_TIME, KEPT_OUT, SHOWN, WHOLE, PictureLook
from vsanon.job.regions import regions_of
from vsanon.job.tolerances import allowed_for
from vsanon.job.windows import Stack, Window
from vsanon.media import Color, Picture, decode_timestamps, pixel_format
from vsanon.timing import Timeline

GRAY = SampleFormat("gray", 8)

TIGHT = Tolerance(2, 2, 2)


def scale(name: str, *, full: bool = False, kept: str | None = None, matrix: str = "709") -> Scale:
    return Scale(pixel_format(name), full, pixel_format(kept or name), matrix)


def one(value: float) -> Any:
    return np.array([value], np.float32)


# ----------------------------------------------------------------------------- the one scale


def test_black_and_white_are_0_and_255_whatever_the_bits_and_range() -> None:
    assert scale("yuv420p")([one(16), one(128), one(240)]).ravel() == pytest.approx([0, 0, 127.5])
    assert scale("yuv420p10le")([one(940), one(512), one(64)]).ravel() == pytest.approx([255, 0, -127.5])
    assert scale("yuv420p", full=True)([one(255), one(128), one(0)]).ravel() == pytest.approx([255, 0, -128])
    assert scale("gbrp12le")([one(4095), one(0), one(4095)]).ravel().tolist() == [255, 0, 255]
    assert scale("gbrpf32le")([one(1), one(0.5), one(0)]).ravel().tolist() == [255, 127.5, 0]


def test_red_becomes_the_luma_and_chroma_of_bt_709_and_back() -> None:
    # H.273: Y = 0.2126 R, V = (R - Y) / (2 - 2 * 0.2126) = R / 2, U = -Y / (2 - 2 * 0.0722).
    y, u, v = scale("gbrp", kept="yuv420p")([one(0), one(0), one(255)]).ravel()
    assert (y, u, v) == pytest.approx((54.213, -29.216, 127.5), abs=0.01)
    codes = [one(16 + y * 219 / 255), one(128 + u * 224 / 255), one(128 + v * 224 / 255)]
    assert scale("yuv420p", kept="gbrp")(codes).ravel() == pytest.approx([0, 0, 255], abs=0.01)


def test_gray_has_neutral_chroma_in_colour_and_what_has_no_alpha_is_opaque() -> None:
    assert scale("gray", kept="yuv422p")([one(16)]).ravel().tolist() == [0, 0, 0]
    assert scale("yuv444p", kept="yuva444p")([one(16), one(128), one(128)]).ravel().tolist() == [0, 0, 0, 255]
    assert scale("yuva444p", kept="yuv444p")([one(16), one(128), one(128), one(7)]).shape == (3, 1)


def test_full_range_that_prores_makes_limited_is_compared_as_limited() -> None:
    timeline = Timeline((0,), 1, 25)  # type: ignore[arg-type]
    video = RawVideo("yuv422p", (64, 64), timeline, color=Color(range="pc"))
    before, after = scales(video, presets.load("prores_hq"))
    assert before([one(255), one(128), one(128)])[0, 0] == pytest.approx(255)
    assert after([one(940), one(512), one(512)])[0, 0] == pytest.approx(255)


# ----------------------------------------------------------------------------- blocks


@settings(deadline=None, max_examples=40)
@given(st.integers(9, 90), st.integers(9, 90), st.sampled_from(["uint8", "uint16", "float32"]), st.integers(0, 99))
def test_the_mean_of_a_grids_block_is_that_of_its_samples(width: int, height: int, kind: str, seed: int) -> None:
    samples = np.random.default_rng(seed).integers(0, 255, (height, width)).astype(kind)
    grid = Grid((width, height), 8)
    (means,) = grid.means([samples], pixel_format("gray"))
    columns = -(-width // 8)
    for k in (0, len(means) - 1, len(means) // 2):
        x, y = k % columns * 8, k // columns * 8
        assert means[k] == pytest.approx(float(samples[y : y + 8, x : x + 8].mean()), abs=1e-3)
    assert len(means) == grid.blocks


def test_coarser_chroma_that_lies_with_its_first_pixel_has_the_mean_of_the_pixels_between() -> None:
    """A ramp of 1 a pixel, of which every second or fourth is there: blocks of 8 mean 3.5, 11.5, 19.5."""
    for pix_fmt, step in (("yuv422p", 2), ("yuv411p", 4)):
        ramp = np.repeat(np.arange(0, 64, step, dtype=np.float32)[None, :], 16, axis=0)
        planes = [np.zeros((16, 64), np.float32), ramp, ramp]
        _, means, _ = Grid((64, 16), 8).means(planes, pixel_format(pix_fmt), (True, False))
        assert means.reshape(2, 8)[:, :7].ravel() == pytest.approx([n * 8 + 3.5 for n in range(7)] * 2)
    down = np.repeat(np.arange(0, 48, 2, dtype=np.float32)[:, None], 8, axis=1)
    planes = [np.zeros((48, 16), np.float32), down, down]
    _, means, _ = Grid((16, 48), 8).means(planes, pixel_format("yuv420p"), (False, True))
    assert means.reshape(6, 2)[:5, 0] == pytest.approx([n * 8 + 3.5 for n in range(5)])


def test_where_chroma_lies_is_asked_only_where_it_is_resampled() -> None:
    for place, leans in ((None, (True, False)), ("center", (False, False)), ("topleft", (True, True))):
        color = Color("bt709", "bt709", "bt709", "tv", place)
        video = RawVideo("yuv420p", (64, 48), Timeline((0,), Fraction(1), Fraction(25)), color=color)
        assert [s.leans for s in scales(video, presets.load("prores_4444"))] == [leans] * 2
        assert [s.leans for s in scales(video, presets.load("h264_crf"))] == [(False, False)] * 2


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 60), st.integers(0, 40), st.integers(1, 70), st.integers(1, 50))
def test_a_window_holds_what_it_was_made_around_and_repeats_the_frames_end(x: int, y: int, w: int, h: int) -> None:
    samples = np.random.default_rng(1).integers(0, 255, (46, 66)).astype(np.uint8)
    found = Window.around(x, y, min(x + w, 66), min(y + h, 46), 8)
    assert max(found.columns, found.rows) <= 9
    assert found.x <= x
    assert found.x + found.columns * found.block >= min(x + w, 66)
    padded = np.pad(samples, ((0, 400), (0, 400)), mode="edge")
    block = padded[found.y : found.y + found.block, found.x : found.x + found.block]
    assert means_in([found], [samples], "gray")[0][0] == pytest.approx(float(block.mean()), abs=1e-3)


def means_in(windows: list[Window], planes: list[Any], pix_fmt: str) -> list[Any]:
    """The means of all blocks of windows, one after the other."""
    stack = Stack(windows)
    at = np.flatnonzero(stack.cores([np.ones(w.rows * w.columns, bool) for w in windows]))
    return stack.means(planes, pixel_format(pix_fmt), at)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(["yuv420p", "yuv422p10le", "yuv444p16le", "gbrpf32le", "yuv410p"]), st.data())
def test_windows_laid_below_each_other_have_the_means_that_opencv_gives_each_alone(
    pix_fmt: str, data: st.DataObject
) -> None:
    found, size = pixel_format(pix_fmt), (132, 92)
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    kind = np.float32 if found.is_float else np.uint8 if found.depth == 8 else np.uint16
    shapes = found.plane_shapes(size)
    planes = [(rng.random(shape) * (1 if found.is_float else 2**found.depth)).astype(kind) for shape in shapes]
    ends = st.tuples(st.integers(0, 131), st.integers(0, 91), st.integers(1, 132), st.integers(1, 92))
    drawn = data.draw(st.lists(ends, min_size=1, max_size=5))
    windows = [Window.around(x, y, min(x + w, 132), min(y + h, 92), 8) for x, y, w, h in drawn]
    for p, means in enumerate(means_in(windows, planes, pix_fmt)):
        step = found.chroma if p in (1, 2) and not found.rgb else (1, 1)
        each = [
            cv2.resize(w.cut(planes[p], step).astype(np.float64), (w.columns, w.rows), interpolation=cv2.INTER_AREA)
            for w in windows
        ]
        assert means.tolist() == np.concatenate([one.astype(np.float32).ravel() for one in each]).tolist()


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from([(64, 48), (160, 96), (66, 48), (64, 90), (720, 400)]),
    st.sampled_from([8, 10, 16]),
    st.integers(0, 9),
)
def test_strips_give_the_bands_and_the_rise_that_the_plane_itself_gives(
    size: tuple[int, int], bits: int, seed: int
) -> None:
    plane = (
        np.random.default_rng(seed).integers(0, 2**bits, size[::-1]).astype(np.uint8 if bits == 8 else np.uint16)
    )
    grid = Grid.of(size)
    strips = grid.strips(plane)
    assert (strips is None) == (size in ((66, 48), (64, 90)))
    assert grid.bands(plane, strips).tolist() == grid.bands(plane).tolist()
    assert grid.rise([plane], strips) == grid.rise([plane])
    assert grid.strips(plane.astype(np.float32)) is None


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 99))
def test_what_is_left_of_a_parts_blocks_is_what_least_squares_leave_unexplained(seed: int) -> None:
    """Each part alone, by NumPy's own least squares; the last sum is that of all blocks explained together."""
    rng, regions = np.random.default_rng(seed), []
    for k, (columns, rows) in enumerate(((12, 15), (9, 9), (5, 4))):
        core = rng.random((rows, columns)) < 0.9
        core[0, 0] = core[-1, -1] = True
        regions.append(PaintedRegion(f"face {k}", Window(8 * k, 0, columns, rows, 4), core.ravel()))
    n = sum(int(region.core.sum()) for region in regions)
    painted, source, found = rng.normal(100, 30, (3, 2, n)).astype(np.float32)
    frame = PaintedFrame(
        np.zeros((2, 1), np.float32), np.zeros((2, 1), np.float32), 0.0, tuple(regions), painted, source
    )
    at = 0
    for region, sums in zip(regions, sums_of(frame, found), strict=True):
        row, column = np.divmod(np.flatnonzero(region.core), region.window.columns)
        own = slice(at, at := at + len(row))
        places = [(axis - axis.min()) * PARTS // (axis.max() + 1 - axis.min()) for axis in (row, column)]
        part = places[0] * PARTS + places[1]
        for p, k in itertools.product(range(2), range(PARTS**2 + 1)):
            inside = part == k if k < PARTS**2 else part >= 0
            left = np.stack([np.ones(len(row)), column, row, painted[p, own]], axis=1)[inside]
            right = np.stack([(source - painted)[p, own], (found - painted)[p, own]], axis=1)[inside]
            rest = right - left @ np.linalg.lstsq(left, right, rcond=None)[0]
            wanted = [rest[:, 0] @ rest[:, 1], rest[:, 0] @ rest[:, 0], rest[:, 1] @ rest[:, 1], inside.sum() - 4]
            wanted = wanted if inside.sum() >= 9 else [0, 0, 0, 0]
            values = [float(of[p, k]) for of in (sums.along, sums.way, sums.off, sums.freedom)]
            assert values == pytest.approx(wanted, rel=1e-3, abs=0.1)


def test_slopes_are_the_rise_of_a_ramp() -> None:
    ramp = (np.arange(64)[None, :] * 2 + np.arange(48)[:, None] * 3).astype(np.float32)
    right, down = Grid((64, 48), 8).slopes([ramp])
    inner = np.arange(48).reshape(6, 8)[1:-1, 1:-1].ravel()
    assert right[inner] == pytest.approx(2)
    assert down[inner] == pytest.approx(3)


# ----------------------------------------------------------------------------- the look


def moving(n: int) -> Any:
    """A gray texture that moves to the right by two pixels a frame."""
    rng = np.random.default_rng(3)
    ground = np.kron(rng.integers(60, 180, (14, 30)), np.ones((8, 8)))
    return ground[3:99, 40 - 2 * n : 168 - 2 * n].astype(np.float32)


def look(change: Any = lambda n, shown, bare: shown, *, shown_frames: int | None = None) -> dict[str, bool]:
    """Which checks pass for a film of one face whose delivered frames went through `change`."""
    own = scale("gray", full=True)
    boxes = covered([(30, 20, 70, 70)])
    region = regions_of(boxes, FrameLayout((128, 96), planes=1), GRAY, profile="strict", grid=1)
    mask = region[0].masks[0]
    with PaintedFrames((128, 96), own) as kept:
        delivered = []
        for n in range(6):
            bare = moving(n)
            painted = bare.copy()
            painted[mask.window][mask.steps > 0] = 64
            kept.add([painted.astype(np.uint8)], [bare.astype(np.uint8)], region)
            delivered.append(change(n, painted.copy(), bare))
        seen = PictureLook(kept, own, TIGHT)
        for planes in delivered[:shown_frames]:
            seen(Picture((planes.astype(np.uint8),), "gray", True))
        return {check.name: check.passed for check in seen.checks()}


def test_the_same_frames_pass() -> None:
    assert all(look().values())


def test_a_file_that_is_a_frame_short_passes_nothing() -> None:
    assert not any(look(shown_frames=5).values())


def test_a_bare_block_of_eight_pixels_on_one_frame_is_seen() -> None:
    def change(n: int, shown: Any, bare: Any) -> Any:
        if n == 3:
            shown[40:48, 48:56] = bare[40:48, 48:56]
        return shown

    assert not look(change)[SHOWN]


def test_a_region_that_is_a_third_bare_in_every_block_is_seen_against_the_source() -> None:
    assert not look(lambda n, shown, bare: shown + (bare - shown) * 0.35)[HIDDEN]


def test_a_corner_of_a_region_that_is_more_than_half_bare_is_seen_where_the_whole_region_is_not() -> None:
    def change(n: int, shown: Any, bare: Any) -> Any:
        corner = slice(16, 40), slice(26, 50)
        shown[corner] += (bare - shown)[corner] * 0.6
        return shown

    seen = look(change)
    assert not seen[HIDDEN]


@pytest.mark.parametrize("k", range(3))
def test_of_several_regions_the_one_that_is_bare_is_named(k: int) -> None:
    own, bare = scale("gray", full=True), moving(0)
    boxes = covered([(6, 8, 26, 28), (38, 20, 74, 70), (92, 54, 116, 84)])
    regions = regions_of(boxes, FrameLayout((128, 96), planes=1), GRAY, profile="strict", grid=1)
    masks = [region.masks[0] for region in regions]
    painted = bare.copy()
    for mask in masks:
        painted[mask.window][mask.steps > 0] = 64
    shown = painted.copy()
    shown[masks[k].window] = bare[masks[k].window]
    with PaintedFrames((128, 96), own) as kept:
        kept.add([painted], [bare], regions)
        seen = PictureLook(kept, own, TIGHT)
        seen(Picture((shown,), "gray", True))
        found = {check.name: check for check in seen.checks()}
    assert not found[SHOWN].passed
    assert not found[HIDDEN].passed
    assert f"(frame 0, {regions[k].name})" in found[SHOWN].found
    assert f"regions 1.00 of the way at most (frame 0, {regions[k].name}, plane 0)" in found[HIDDEN].found


@pytest.mark.parametrize("by", [40, -40])
def test_the_block_that_differs_most_is_named_be_it_lighter_or_darker(by: int) -> None:
    own, painted = scale("gray", full=True), moving(0)
    shown = painted.copy()
    shown[48:56, 16:24] += by
    with PaintedFrames((128, 96), own) as kept:
        kept.add([painted], [painted], [])
        seen = PictureLook(kept, own, TIGHT)
        seen(Picture((shown,), "gray", True))
        (check,) = (check for check in seen.checks() if check.name == WHOLE)
    assert (check.passed, "40.00 codes at most (frame 0, plane 0, at 16,48)" in check.found) == (False, True)


def test_a_frame_that_comes_one_too_late_is_seen() -> None:
    kept: list[Any] = []

    def change(_: int, shown: Any, __: Any) -> Any:
        kept.append(shown)
        return kept[-2] if len(kept) > 1 else shown

    answer = look(change)
    assert not answer[IN_TIME]
    assert not answer[WHOLE]


def test_a_single_frame_that_comes_one_too_early_is_seen() -> None:
    """Frame 2 shows frame 3: it is as far from frame 1 as it should be, and more."""
    painted: dict[int, Any] = {}
    look(lambda n, shown, bare: painted.setdefault(n, shown))
    assert not look(lambda n, shown, bare: painted[3] if n == 2 else shown)[IN_TIME]


@pytest.mark.parametrize(
    ("change", "left", "passed", "seen"),
    [(7, 0.4, True, True), (7, 0.6, True, False), (7, 0.8, False, True), (7, 1.0, False, True),
     (12, 0.4, True, True), (12, 0.6, False, True)],
)  # fmt: skip
def test_where_a_codec_left_half_of_a_faint_change_frames_cant_be_told_and_none_comes_late(
    change: float, left: float, passed: bool, seen: bool
) -> None:
    """A light goes on and off by so many codes, of 10 allowed; each frame holds a share of the one before it."""
    own = scale("gray", full=True)
    film = [np.full((256, 256), 100 + change * (n % 2), np.float32) for n in range(6)]
    with PaintedFrames((256, 256), own) as kept:
        for painted in film:
            kept.add([painted], [painted], [])
        look = PictureLook(kept, own, Tolerance(20, 10, 20))
        for n, painted in enumerate(film):
            look(Picture((painted + left * (film[max(n - 1, 0)] - painted),), "gray", True))
        (check,) = (check for check in look.checks() if check.name == IN_TIME)
    assert (check.passed, check.seen) == (passed, seen), check.found


@pytest.mark.parametrize("axis", [0, 1])
def test_a_shift_of_one_pixel_is_seen_as_one_pixel(axis: int) -> None:
    assert not look(lambda n, shown, bare: np.roll(shown, 1, axis))[IN_PLACE]


def placed(contrast: float, by: float, grid: float = 5) -> Check:
    """What is said of the place of frames whose ground has so much contrast, in codes, and moved by `by` pixels."""
    own, smooth = scale("gray", full=True), np.ones(9) / 9
    ground = np.random.default_rng(5).standard_normal((110, 150))
    for axis in (0, 1):
        ground = np.apply_along_axis(np.convolve, axis, ground, smooth, "same")
    ground = (90 + ground * (contrast / ground.std())).astype(np.float32)
    with PaintedFrames((128, 96), own) as kept:
        kept.add([ground[5:101, 10:138]], [ground[5:101, 10:138]], [])
        seen = PictureLook(kept, own, Tolerance(5, grid, 5))
        seen(Picture(((1 - by) * ground[5:101, 10:138] + by * ground[5:101, 11:139],), "gray", True))
        (check,) = (check for check in seen.checks() if check.name == IN_PLACE)
        return check


def test_a_texture_that_moved_is_seen_and_a_flat_picture_that_a_codec_left_in_place_is_not_judged() -> None:
    """With two codes of contrast a pixel changes blocks by half a code: a codec may leave it out, as x265 does."""
    assert not placed(40, 0.8).passed
    near, flat = placed(40, 0.3), placed(2, 0.8)
    assert (near.passed, near.seen) == (True, True)
    assert (flat.seen, flat.found) == (False, "0.00 px at most; 1 of 1 frames have too little texture to tell")
    assert counted([near.facts, flat.facts]) == "1 of 2 passed, 1 could not see anything"
    # What has no such noise is held to its own, narrower tolerance.
    assert not placed(2, 0.8, grid=0.75).passed


@pytest.mark.parametrize("size", [(128, 96), (640, 480)])
def test_a_frame_rises_least_down_where_its_rows_differ_least_whatever_its_size(size: tuple[int, int]) -> None:
    """Columns of eight pixels that differ by 8 codes rise by one a pixel, rows that differ by 4 by a half."""
    x, y = np.arange(size[0])[None, :] // 8 % 2, np.arange(size[1])[:, None] // 8 % 2
    assert Grid.of(size).rise([(100 + 8 * x + 4 * y).astype(np.uint8)]) == pytest.approx(0.5, abs=0.01)
    assert Grid.of(size).rise([(100 + 8 * x + 0 * y).astype(np.uint8)]) == 0


def test_what_is_no_number_never_passes() -> None:
    own = scale("gbrpf32le")
    planes = [np.full((64, 64), 0.5, np.float32) for _ in range(3)]
    broken = [plane.copy() for plane in planes]
    broken[1][10, 10] = np.nan
    for painted, shown in ((planes, broken), (broken, planes)):
        with PaintedFrames((64, 64), own) as kept:
            kept.add(painted, painted, [])
            seen = PictureLook(kept, own, TIGHT)
            seen(Picture(tuple(shown), "gbrpf32le", True))
            assert not {c.name: c.passed for c in seen.checks()}[WHOLE]


# ----------------------------------------------------------------------------- over all frames


def faint(left: float, frames: int = 12, rms: float = 1.5, *, sharp: bool = False) -> dict[str, bool]:
    """Which checks pass where what lies under the paint is of its tone, with `rms` codes of detail of which a share
    is `left` in a delivered region, under as much noise of the codec's.
    """
    own, rng = scale("gray", full=True), np.random.default_rng(7)
    boxes = covered([(20, 16, 84, 80)])
    region = regions_of(boxes, FrameLayout((128, 96), planes=1), GRAY, profile="strict", grid=1)
    mask = region[0].masks[0]
    detail = np.kron(rng.standard_normal((24, 32)), np.ones((4, 4))) * rms
    with PaintedFrames((128, 96), own) as kept:
        delivered = []
        for n in range(frames):
            bare = 64 + np.roll(detail, n, axis=1)
            painted = moving(n)
            painted[mask.window][mask.steps > 0] = 64
            kept.add([painted], [bare.astype(np.float32)], region)
            noise = np.kron(rng.standard_normal((24, 32)), np.ones((4, 4))) * rms
            delivered.append(painted + left * np.where(painted == 64, bare - 64, 0) + noise)
        seen = PictureLook(kept, own, Tolerance(12, 8, 12), sharp=sharp)
        for shown in delivered:
            seen(Picture((shown.astype(np.float32),), "gray", True))
        return {check.name: check.passed for check in seen.checks()}


@pytest.mark.parametrize("sharp", [False, True])
def test_detail_below_the_codecs_noise_is_seen_over_all_frames(sharp: bool) -> None:
    assert all(faint(0, sharp=sharp).values())
    assert [name for name, passed in faint(1, sharp=sharp).items() if not passed] == [KEPT_OUT]
    assert faint(1, rms=0.1, sharp=sharp)[KEPT_OUT]  # too little to tell, which is counted


@pytest.mark.parametrize("sharp", [False, True])
def test_a_fifth_of_the_detail_is_let_through_and_four_fifths_are_not(sharp: bool) -> None:
    assert all(faint(0.2, sharp=sharp).values())
    assert not faint(0.8, sharp=sharp)[KEPT_OUT]


@pytest.mark.parametrize(("left", "sharp", "passed"), [(0.0, False, False), (0.0, True, True), (0.9, True, False)])
def test_what_a_codec_makes_of_a_pictures_edges_is_no_detail_of_the_face_under_it(
    left: float, sharp: bool, passed: bool
) -> None:
    """The face's outline lies along the picture's, which the codec softens, alike in all frames."""
    own, rng = scale("gray", full=True), np.random.default_rng(9)
    region = regions_of(covered([(20, 16, 84, 80)]), FrameLayout((128, 96), planes=1), GRAY, profile="soft", grid=1)
    y, x = np.mgrid[:24, :32]
    disc = np.where(np.hypot(x - 13, y - 12) < 5, 200.0, 64.0)
    softened = 0.1 * (cv2.blur(disc, (3, 3)) - disc)
    face = np.full((24, 32), 120.0) + softened / 0.7 + rng.standard_normal((24, 32))
    painted, source = (np.kron(plane, np.ones((4, 4))) for plane in (disc, face))
    with PaintedFrames((128, 96), own) as kept:
        for _ in range(12):
            kept.add([painted.astype(np.float32)], [source.astype(np.float32)], region)
        seen = PictureLook(kept, own, Tolerance(30, 20, 30), sharp=sharp)
        shown = np.kron(disc + softened + left * (face - 120), np.ones((4, 4)))
        for _ in range(12):
            seen(Picture((shown.astype(np.float32),), "gray", True))
        assert {check.name: check.passed for check in seen.checks()}[KEPT_OUT] is passed


def test_a_codec_that_flattens_the_paint_shows_nothing_of_a_flat_source() -> None:
    """What is missing of the paint points to the source then, and is none of its detail."""
    own, rng = scale("gray", full=True), np.random.default_rng(8)
    region = regions_of(covered([(20, 16, 84, 80)]), FrameLayout((128, 96), planes=1), GRAY, profile="soft", grid=1)
    paint = np.kron(rng.uniform(-4, 4, (24, 32)), np.ones((4, 4)))
    with PaintedFrames((128, 96), own) as kept:
        for _ in range(12):
            kept.add([(90 + paint).astype(np.float32)], [np.full((96, 128), 90, np.float32)], region)
        seen = PictureLook(kept, own, Tolerance(12, 8, 12))
        for _ in range(12):
            seen(Picture(((90 + 0.2 * paint).astype(np.float32),), "gray", True))
        assert {check.name: check.passed for check in seen.checks()}[KEPT_OUT]


def test_saturated_edges_of_a_small_rgb_picture_are_no_fault_and_a_hole_is(tmp_path: Path) -> None:
    """Red beside cyan: halving their chroma alone moves the mean of 8 pixels by 14 codes."""
    bars = np.kron(np.arange(24) % 3 == 0, np.ones(8)).astype(np.uint8) * np.ones((128, 1), np.uint8)
    rgb = [255 * (1 - bars), 255 * (1 - bars), 255 * bars]
    video, preset = (
        RawVideo("gbrp", (192, 128), Timeline((0,), Fraction(1, 25), Fraction(25))),
        presets.load("prores_hq"),
    )
    before, after = scales(video, preset)
    allowed = allowed_for(video, preset, preset.tolerance)
    hole = [plane.copy() for plane in rgb]
    for plane, value in zip(hole, (128, 128, 200), strict=True):
        plane[32:64, 64:96] = value
    for shown, passed in ((rgb, True), (hole, False)):
        encode([shown], video, preset, tmp_path / "out.mov")
        with PaintedFrames(video.size, before) as kept:
            kept.add(rgb, rgb, [])
            look = PictureLook(kept, after, *allowed)
            decode_timestamps(tmp_path / "out.mov", look=look)
            assert {check.name: check.passed for check in look.checks()}[WHOLE] == passed


def saturated(pix_fmt: str, seed: int = 3) -> list[Any]:
    """Blocks of 16 pixels of any codes of YUV, most of which RGB does not know."""
    rng, (across, down) = np.random.default_rng(seed), pixel_format(pix_fmt).chroma
    blocks = [rng.integers(16, top, (6, 8)) for top in (236, 241, 241)]
    sides = [(16, 16), (16 // down, 16 // across), (16 // down, 16 // across)]
    return [np.kron(b, np.ones(side)).astype(np.uint8) for b, side in zip(blocks, sides, strict=True)]


def test_a_colour_that_rgb_does_not_know_lies_beyond_it_by_what_is_cut_off() -> None:
    # Y = 16, V = 240: R = 1.5748 * 127.5 = 200.8, G = -0.4681 * 127.5 = -59.7, B = 0.
    flat = [np.full((2, 2), code, np.uint8) for code in (16, 128, 240)]
    over = scale("yuv444p", kept="gbrp").beyond(flat)
    assert over is not None
    assert [float(plane[0, 0]) for plane in over] == pytest.approx([-59.68, 0, 0], abs=0.01)
    assert scale("yuv444p", kept="gbrp").beyond([np.full((2, 2), 128, np.uint8)] * 3) is None
    assert scale("yuv444p", kept="gbrpf32le").beyond(flat) is None  # floats hold it


@pytest.mark.parametrize("pix_fmt", ["yuv444p", "yuv420p"])
def test_colours_that_rgb_does_not_know_are_no_fault_and_a_hole_beside_them_is(
    tmp_path: Path, pix_fmt: str
) -> None:
    video = RawVideo(
        pix_fmt, (128, 96), Timeline((0,), Fraction(1, 25), Fraction(25)), color=Color("bt709", range="tv")
    )
    preset, planes = presets.load("png"), saturated(pix_fmt)
    before, after = scales(video, preset)
    hole = [plane.copy() for plane in planes]
    hole[0][32:64, 64:96] ^= 64
    images = tmp_path / "a.%06d.png"
    for shown, passed in ((planes, True), (hole, False)):
        encode([shown], video, preset, images)
        with PaintedFrames(video.size, before) as kept:
            kept.add(planes, planes, [])
            look = PictureLook(kept, after, *allowed_for(video, preset, preset.tolerance))
            with as_file(images, Fraction(25)) as file:
                decode_timestamps(file, look=look)
            assert {check.name: check.passed for check in look.checks()}[WHOLE] == passed


def sums_with(share: float, correlation: float, freedom: float, codes: float) -> Sums:
    """Of one plane and part, with so much detail in the source (root mean square)."""
    way = freedom * codes**2
    along = share * way
    off = along**2 / (way * correlation**2)
    return Sums(*(np.array([[value]]) for value in (along, way, off, freedom)))


@pytest.mark.parametrize(
    ("correlation", "freedom", "clear"),
    [(0.55, 311, False), (0.43, 311, False), (0.9, 100, True), (0.55, 500, True), (0.68, 200, True)],
)
def test_a_correlation_that_noise_has_by_chance_when_it_is_copied_from_frame_to_frame_is_none(
    correlation: float, freedom: float, clear: bool
) -> None:
    """12 = r sqrt(f / (1 - r²)): 0.55 sqrt(311 / 0.6975) = 11.6, and 0.55 sqrt(500 / 0.6975) = 14.7."""
    sums = sums_with(0.85, correlation, freedom, 1.0)
    assert sums.correlation[0, 0] == pytest.approx(correlation)
    assert bool(sums.clear[0, 0]) is clear


def test_sums_of_tracks_are_the_same_however_many_of_them_stay_in_memory() -> None:
    """Three tracks that come and go, of which one stays in memory: each is set aside, and taken up again."""
    rng = np.random.default_rng(1)
    few, all_of_them = TrackSums(most=1), TrackSums()
    for name in "abacbbca":
        sums = Sums(*rng.random((4, 3, PARTS**2 + 1)))
        few.add(name, sums)
        all_of_them.add(name, sums)
    found = list(few.items())
    assert [name for name, _ in found] == ["a", "b", "c"]
    for (name, mine), (other, theirs) in zip(found, all_of_them.items(), strict=True):
        assert (name, mine.packed) == (other, theirs.packed)


def test_what_is_no_number_is_no_chance() -> None:
    assert sums_with(np.nan, 0.5, 200, 1.0).clear.all()
