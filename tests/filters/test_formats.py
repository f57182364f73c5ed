"""Every clip format: nothing changes outside the masks, nothing of the source is left inside them."""

from typing import Any

import numpy as np
import pytest
import vapoursynth as vs
from numpy.typing import NDArray

import vsanon
from tests.support.clips import bits, covered, data, drawn, noise, plain, planes, same
from vsanon.covering.colour import SampleFormat, rgb_to_code
from vsanon.covering.effects import FILL
from vsanon.covering.masks import FrameLayout, combine, plane_masks
from vsanon.covering.shapes import Shape, shape_of
from vsanon.detections import TrackedBoxes
from vsanon.filters import GRID

HARD = Shape("rectangle", (0.0, 0.0, 0.0, 0.0), feather=0.0, min_feather_px=0.0, slack=0.0)

NAMES = [
    *(f"GRAY{b}" for b in (8, 10, 16, 32)),
    *(f"YUV{s}P{b}" for s in (420, 422, 444) for b in (8, 10, 12, 16)),
    *("YUV420P9", "YUV422P14", "YUV420PS", "YUV422PS", "YUV444PS", "YUV440P8", "YUV411P8", "YUV410P8"),
    *("RGB24", "RGB30", "RGB36", "RGB48", "RGBS"),
]
LARGE = {"GRAY": (131, 93), "RGB": (131, 93), "YUV444": (131, 93), "YUV422": (130, 93), "YUV440": (131, 94)}


def format_of(name: str) -> vs.VideoFormat:
    if name == "GRAY32":
        return vs.core.get_video_format(vs.GRAYS)
    known = {"GRAY": (vs.GRAY, 0, 0), "YUV420": (vs.YUV, 1, 1), "YUV422": (vs.YUV, 1, 0), "YUV444": (vs.YUV, 0, 0)}
    if name in {"YUV440P8", "YUV411P8", "YUV410P8"} or name.startswith("RGB") or name.endswith("S"):
        return vs.core.get_video_format(getattr(vs, name))
    family, ssw, ssh = next(v for k, v in known.items() if name.startswith(k))
    depth = int(name.removeprefix("GRAY")) if family == vs.GRAY else int(name.split("P")[1])
    return vs.core.query_video_format(family, vs.INTEGER, depth, ssw, ssh)


def size_of(name: str) -> tuple[int, int]:
    """Odd where the format has odd sizes, and never a multiple of the block grid."""
    return next((s for k, s in LARGE.items() if name.startswith(k)), (132, 92))


@pytest.fixture(params=NAMES)
def clip(request: pytest.FixtureRequest) -> vs.VideoNode:
    """Two frames of noise with properties of all types."""
    name = request.param
    return noise(
        format=format_of(name).id, size=size_of(name), length=2,
        Slate="A001", Take=7, Lens=[1.5, 2.5], _Primaries=1, _Transfer=1,
    )  # fmt: skip


def layout_of(clip: vs.VideoNode, interlaced: bool = False) -> FrameLayout:
    assert clip.format is not None
    subsampling = (clip.format.subsampling_w, clip.format.subsampling_h)
    return FrameLayout((clip.width, clip.height), subsampling, clip.format.num_planes, interlaced)


def samples_of(clip: vs.VideoNode) -> SampleFormat:
    assert clip.format is not None
    family = {vs.GRAY: "gray", vs.YUV: "yuv", vs.RGB: "rgb"}[clip.format.color_family]
    is_float = clip.format.sample_type == vs.FLOAT
    return SampleFormat(family, clip.format.bits_per_sample, is_float, family == "rgb")  # type: ignore[arg-type]


def boxes_in(clip: vs.VideoNode) -> TrackedBoxes:
    """A face in the middle, one that the left upper corner cuts, a badge in the right lower corner."""
    width, height = clip.width, clip.height
    return covered(
        [(60.3, 40.7, 84, 70), (-5, -6, 6, 7), (width - 9, height - 7, width, height)],
        ("face", "face", "badge"),
    )


def weights(clip: vs.VideoNode, boxes: TrackedBoxes, interlaced: bool = False) -> list[NDArray[np.float32]]:
    layout = layout_of(clip, interlaced)
    regions = [
        plane_masks(box, shape_of(name), layout, GRID) for box, name in zip(boxes.xyxy, boxes.classes, strict=True)
    ]
    return [combine(regions, layout, p) for p in range(layout.planes)]


def pair(clip: vs.VideoNode, out: vs.VideoNode, n: int = 1) -> tuple[vs.VideoFrame, vs.VideoFrame]:
    return clip.get_frame(n), out.get_frame(n)


@pytest.mark.parametrize("profile", ["strict", "soft", "mosaic", "picture", "inpaint", "cosmetic"])
def test_outside_the_masks_every_bit_is_the_sources(clip: vs.VideoNode, profile: str) -> None:
    boxes = boxes_in(clip)
    source, out = pair(clip, vsanon.blur(clip, data(clip, lambda n: boxes), profile=profile))
    for before, after, weight in zip(planes(source), planes(out), weights(clip, boxes), strict=True):
        outside = weight == 0
        assert outside.mean() > 0.5
        assert np.array_equal(bits(before)[outside], bits(after)[outside])
        changed = bits(before)[~outside] != bits(after)[~outside]
        assert changed.mean() > 0.6


def test_cores_are_exactly_the_fill(clip: vs.VideoNode) -> None:
    boxes = boxes_in(clip)
    out = vsanon.blur(clip, data(clip, lambda n: boxes)).get_frame(1)
    fill = rgb_to_code(np.array(FILL, np.uint8), samples_of(clip))
    for p, (after, weight) in enumerate(zip(planes(out), weights(clip, boxes), strict=True)):
        assert (after[weight == 1] == fill[p]).all()


def test_the_boxes_themselves_are_fill_to_the_last_row_and_column(clip: vs.VideoNode) -> None:
    boxes = boxes_in(clip)
    out = vsanon.blur(clip, data(clip, lambda n: boxes), grid=1).get_frame(1)
    fill = rgb_to_code(np.array(FILL, np.uint8), samples_of(clip))
    layout = layout_of(clip)
    for p, plane in enumerate(planes(out)):
        ssw, ssh = layout.subsampling if p else (0, 0)
        more = 1 if p and (ssw or ssh) else 0
        # Without blocks, margins or feather: the box rounded outward, and a chroma sample more on each side.
        for x0, y0, x1, y1 in [
            (60, 40, 84, 70),
            (0, 0, 6, 7),
            (clip.width - 9, clip.height - 7, clip.width, clip.height),
        ]:
            rows = slice(max((y0 >> ssh) - more, 0), -(-y1 >> ssh) + more)
            columns = slice(max((x0 >> ssw) - more, 0), -(-x1 >> ssw) + more)
            assert (plane[rows, columns] == fill[p]).all()


def test_all_properties_are_kept_and_the_boxes_added(clip: vs.VideoNode) -> None:
    boxes = boxes_in(clip)
    source, out = pair(clip, vsanon.blur(clip, data(clip, lambda n: boxes)))
    before, after = plain(source.props), plain(out.props)
    assert before.items() <= after.items()
    assert before["Lens"] == (1.5, 2.5)
    assert before["_DurationDen"] == 25
    added = {k: after[k] for k in after.keys() - before.keys()}
    swatches = added.pop("VsanonCells")
    assert isinstance(added.pop("VsanonSeal"), int)
    assert added == {
        "VsanonPicture": "same",
        "VsanonCount": 3,
        "VsanonSize": (clip.width, clip.height),
        "VsanonTracked": 1,
        "VsanonBoxes": tuple(boxes.xyxy.ravel().tolist()),
        "VsanonScores": (0.75, 0.75, 0.75),
        "VsanonClasses": ("face", "face", "badge"),
        "VsanonIds": (0, 1, 2),
        "VsanonOrigins": (0, 0, 0),
    }
    assert len(swatches) == 3 * 75


def test_a_frame_without_a_region_keeps_its_planes(clip: vs.VideoNode) -> None:
    boxes = boxes_in(clip)
    nothing = covered([])
    out = vsanon.blur(clip, data(clip, lambda n: boxes if n == 0 else nothing))
    source, result = pair(clip, out, 1)
    assert same(source, result)
    added = dict(plain(result.props).items() - plain(source.props).items())
    assert isinstance(added.pop("VsanonSeal"), int)
    assert added == {
        "VsanonCount": 0, "VsanonSize": (clip.width, clip.height), "VsanonTracked": 1, "VsanonPicture": "same",
    }  # fmt: skip
    assert not same(clip.get_frame(0), out.get_frame(0))


def test_a_frame_that_was_never_searched_is_covered_whole_on_request(clip: vs.VideoNode) -> None:
    fill = rgb_to_code(np.array(FILL, np.uint8), samples_of(clip))
    out = vsanon.blur(clip, data(clip, lambda n: None), on_missing="mask").get_frame(0)
    for p, plane in enumerate(planes(out)):
        assert (plane == fill[p]).all()
    matte = vsanon.mask(clip, data(clip, lambda n: None), on_missing="mask").get_frame(0)
    assert (planes(matte)[0] == samples_of(clip).peak).all()


def with_alpha(clip: vs.VideoNode) -> vs.VideoNode:
    assert clip.format is not None
    gray = vs.core.query_video_format(vs.GRAY, clip.format.sample_type, clip.format.bits_per_sample)
    alpha = noise(format=gray.id, size=(clip.width, clip.height), length=clip.num_frames, _Range=1)
    return clip.std.ClipToProp(alpha)


def test_alpha_is_opaque_in_the_mask_and_untouched_outside(clip: vs.VideoNode) -> None:
    boxes = boxes_in(clip)
    both = with_alpha(clip)
    source, out = pair(both, vsanon.blur(both, data(clip, lambda n: boxes)))
    before, after = planes(source.props["_Alpha"])[0], planes(out.props["_Alpha"])[0]
    weight = weights(clip, boxes)[0]
    assert (after[weight == 1] == samples_of(clip).peak).all()
    assert np.array_equal(bits(before)[weight == 0], bits(after)[weight == 0])
    assert plain(source.props["_Alpha"].props) == plain(out.props["_Alpha"].props)


def test_alpha_of_a_frame_without_a_region_is_the_sources(clip: vs.VideoNode) -> None:
    both = with_alpha(clip)
    source, out = pair(both, vsanon.blur(both, data(clip, lambda n: covered([]))))
    assert same(source.props["_Alpha"], out.props["_Alpha"])


def test_the_matte_is_the_combined_weight_at_full_range(clip: vs.VideoNode) -> None:
    boxes = boxes_in(clip)
    matte = vsanon.mask(clip, data(clip, lambda n: boxes if n else covered([])))
    assert clip.format is not None
    assert matte.format is not None
    assert (matte.width, matte.height, matte.num_frames) == (clip.width, clip.height, clip.num_frames)
    assert matte.format.color_family == vs.GRAY
    assert (matte.format.sample_type, matte.format.bits_per_sample) == (
        clip.format.sample_type, clip.format.bits_per_sample,
    )  # fmt: skip
    weight, peak = weights(clip, boxes)[0], samples_of(clip).peak
    frame = matte.get_frame(1)
    plane = planes(frame)[0]
    assert np.abs(plane - weight * peak).max() <= (0 if peak == 1 else 0.5)
    assert (plane[weight == 1] == peak).all()
    assert (plane[weight == 0] == 0).all()
    assert (planes(matte.get_frame(0))[0] == 0).all()
    assert frame.props["_Range"] == vs.RANGE_FULL
    assert (frame.props["Slate"], frame.props["Take"], frame.props["_DurationDen"]) == ("A001", 7, 25)
    assert "_Matrix" not in frame.props


def test_overlay_draws_at_the_box_and_nowhere_else(clip: vs.VideoNode) -> None:
    boxes = covered([(60, 40, 84, 70)])
    source, out = pair(clip, vsanon.overlay(clip, data(clip, lambda n: boxes)))
    assert plain(source.props) == plain(out.props)
    for p, (before, after) in enumerate(zip(planes(source), planes(out), strict=True)):
        ssw, ssh = layout_of(clip).subsampling if p else (0, 0)
        changed = bits(before) != bits(after)
        assert changed[40 >> ssh : 70 >> ssh, 60 >> ssw].mean() > 0.9
        # Inside by 4 px, and below the box: the picture to be judged stays visible.
        assert not changed[(45 >> ssh) : (65 >> ssh), (66 >> ssw) : (78 >> ssw)].any()
        assert not changed[(76 >> ssh) :].any()


def test_overlay_says_so_where_nothing_was_searched(clip: vs.VideoNode) -> None:
    source, out = pair(clip, vsanon.overlay(clip, data(clip, lambda n: None)))
    assert not same(source, out)


# -------------------------------------------------------------------------------- exact places


def test_chroma_beside_the_core_is_covered_in_420_and_the_next_sample_is_not() -> None:
    clip = drawn(lambda n, p, shape: np.full(shape, 200), size=(64, 48), format=vs.YUV420P8)
    tracks = data(clip, lambda n: covered([(20, 20, 29, 29)]))
    y, u, v = planes(vsanon.blur(clip, tracks, shapes={"face": HARD}, grid=1).get_frame(0))
    # 64 of 255 is 71 in limited range. Luma 20..28 lies on chroma 10..14; with a neighbour 9..15.
    assert np.argwhere(y == 71).min(axis=0).tolist() == [20, 20]
    assert np.argwhere(y == 71).max(axis=0).tolist() == [28, 28]
    assert (y != 200).sum() == 81
    for chroma in (u, v):
        assert (chroma[9:16, 9:16] == 128).all()
        assert (chroma != 200).sum() == 49


def test_the_last_row_and_column_of_every_plane_are_covered() -> None:
    clip = drawn(lambda n, p, shape: np.full(shape, 200), size=(66, 50), format=vs.YUV420P10)
    tracks = data(clip, lambda n: covered([(58, 44, 66, 50)]))
    y, u, v = planes(vsanon.blur(clip, tracks, shapes={"face": HARD}, grid=1).get_frame(0))
    # 64 of 255 is 16 * 4 + 876 * 64 / 255 = 283.9 in ten bits.
    assert (y[44:, 58:] == 284).all()
    assert (y != 200).sum() == 6 * 8
    for chroma in (u, v):
        assert chroma.shape == (25, 33)
        assert (chroma[21:, 28:] == 512).all()
        assert (chroma != 200).sum() == 4 * 5


@pytest.mark.parametrize("field_order", [vs.FIELD_TOP, vs.FIELD_BOTTOM])
@pytest.mark.parametrize("profile", ["strict", "soft", "mosaic", "picture", "inpaint"])
def test_interlaced_frames_are_covered_by_field(profile: str, field_order: vs.FieldBased) -> None:
    clip = noise(format=vs.YUV420P8, size=(132, 92), length=2, _FieldBased=int(field_order))
    boxes = boxes_in(clip)
    source, out = pair(clip, vsanon.blur(clip, data(clip, lambda n: boxes), profile=profile))
    assert out.props["_FieldBased"] == field_order
    fill = rgb_to_code(np.array(FILL, np.uint8), samples_of(clip))
    for p, (before, after, weight) in enumerate(
        zip(planes(source), planes(out), weights(clip, boxes, interlaced=True), strict=True)
    ):
        assert np.array_equal(before[weight == 0], after[weight == 0])
        if profile == "strict":
            assert (after[weight == 1] == fill[p]).all()


def test_chroma_of_an_interlaced_frame_is_covered_two_rows_further() -> None:
    clip = drawn(lambda n, p, shape: np.full(shape, 200), size=(64, 48), format=vs.YUV420P8, _FieldBased=2)
    tracks = data(clip, lambda n: covered([(20, 21, 29, 22)]))
    _, u, _ = planes(vsanon.blur(clip, tracks, shapes={"face": HARD}, grid=1).get_frame(0))
    # Luma row 21 lies in rows 20..23, chroma rows 10 and 11; one more of each field: 8..13.
    assert np.flatnonzero((u != 200).any(axis=1)).tolist() == [8, 9, 10, 11, 12, 13]


def test_full_and_limited_range_get_their_own_code_of_the_same_grey() -> None:
    codes = {}
    for name, tag in (("untagged", {}), ("limited", {"_Range": 0}), ("full", {"_Range": 1})):
        clip = drawn(lambda n, p, shape: np.full(shape, 200), size=(64, 48), **tag)
        tracks = data(clip, lambda n: covered([(20, 20, 40, 40)]))
        codes[name] = int(planes(vsanon.blur(clip, tracks).get_frame(0))[0][30, 30])
    assert codes == {"untagged": 71, "limited": 71, "full": 64}


def test_a_coloured_fill_goes_by_the_matrix_of_the_frame() -> None:
    # Red in BT.709 is 63, 102, 240; in BT.601 81, 90, 240.
    for matrix, codes in ((1, [63, 102, 240]), (6, [81, 90, 240]), (5, [81, 90, 240])):
        clip = drawn(lambda n, p, shape: np.full(shape, 200), size=(64, 48), _Matrix=matrix)
        tracks = data(clip, lambda n: covered([(20, 20, 40, 40)]))
        out = planes(vsanon.blur(clip, tracks, fill=(255, 0, 0)).get_frame(0))
        assert [int(out[0][30, 30]), int(out[1][15, 15]), int(out[2][15, 15])] == codes


def test_a_plate_takes_the_colour_around_it_and_nothing_of_its_own() -> None:
    def draw(n: int, p: int, shape: tuple[int, int]) -> NDArray[Any]:
        plane = np.full(shape, 90 if p == 0 else 140)
        if p == 0:
            plane[20:30, 20:50] = 250
        return plane

    clip = drawn(draw, size=(96, 64))
    tracks = data(clip, lambda n: covered([(20, 20, 50, 30)], ("plate",)))
    for profile in ("strict", "soft", "mosaic", "picture", "inpaint", "cosmetic"):
        y, u, v = planes(vsanon.blur(clip, tracks, profile=profile).get_frame(0))
        assert (y == 90).all()
        assert (u == 140).all()
        assert (v == 140).all()
