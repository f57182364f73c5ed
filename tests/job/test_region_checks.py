"""What is wrong with a painted frame is seen beside the source's, whatever the profile."""

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.clips import covered
from vsanon.covering.colour import SampleFormat
from vsanon.covering.effects import FILL, paint, paint_alpha
from vsanon.covering.looks import PROFILES
from vsanon.covering.masks import FrameLayout, plane_masks
from vsanon.covering.shapes import SHAPES
from vsanon.job.block_means import Scale
from vsanon.job.checks import Check
from vsanon.job.painted import PaintedFrames
from vsanon.job.region_checks import PAINTED, UNTOUCHED, PaintingLook
from vsanon.job.regions import regions_of
from vsanon.media import pixel_format

SIZE = (160, 120)
FACE, PLATE = (40, 30, 80, 80), (84, 50, 120, 70)
FORMATS = {
    "gray": (SampleFormat("gray", 8), FrameLayout(SIZE, planes=1)),
    "4:2:0": (SampleFormat("yuv", 8), FrameLayout(SIZE, (1, 1))),
    "10 bits": (SampleFormat("yuv", 10), FrameLayout(SIZE, (1, 0))),
    "float": (SampleFormat("rgb", 32, is_float=True), FrameLayout(SIZE)),
}
Planes = list[NDArray[Any]]


def textured(fmt: SampleFormat, layout: FrameLayout) -> Planes:
    """A picture with detail of some codes everywhere, in every plane."""
    planes = []
    for p in range(layout.planes):
        noise = np.random.default_rng(p).standard_normal(layout.plane_shape(p)).astype(np.float32)
        codes = 110 + 25 * cv2.GaussianBlur(noise, (0, 0), 0.8)
        if fmt.is_float:
            planes.append((codes / 255).astype(np.float32))
        else:
            planes.append(np.rint(codes * (1 << fmt.bits - 8)).astype(fmt.dtype))
    return planes


def scene(kind: str, profile: str, *boxes: Any) -> tuple[Planes, Planes, list[Any], SampleFormat]:
    """Painted planes, the source's, and the regions of faces, and of plates where they are wide."""
    fmt, layout = FORMATS[kind]
    source = textured(fmt, layout)
    painted = [plane.copy() for plane in source]
    classes = ["plate" if b[2] - b[0] > b[3] - b[1] else "face" for b in boxes]
    tracked = covered(list(boxes), classes)
    paint(lambda p: painted[p], tracked.xyxy, tracked.classes, tracked.swatches, layout=layout, fmt=fmt,
          profile=profile, grid=8)  # fmt: skip
    return painted, source, regions_of(tracked, layout, fmt, profile=profile, grid=8), fmt


def looked(painted: Planes, source: Planes, regions: list[Any], fmt: SampleFormat) -> dict[str, Check]:
    if fmt.family == "rgb":
        painted, source = ([planes[k] for k in (1, 2, 0)] for planes in (painted, source))
    look = PaintingLook(FILL)
    look.add(painted, source, regions, fmt)
    return {check.name: check for check in look.checks()}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_painted_well_passes(kind: str, profile: str) -> None:
    checks = looked(*scene(kind, profile, FACE, PLATE))
    assert [name for name, check in checks.items() if not check.passed] == []
    assert checks[PAINTED].found == "2 regions on 1 frames"


@pytest.mark.parametrize("seed", [176, 200, 218, 230])
def test_an_edge_of_a_cell_is_no_detail_of_the_noise_beneath(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where two mosaics meet, slivers of a sample or two are left to compare: any two of them look alike."""
    rng = np.random.default_rng(seed)
    x, y, side = rng.uniform(20, 60), rng.uniform(15, 40), rng.uniform(30, 50, 2)
    noise = (110 + 6 * rng.standard_normal(SIZE[::-1])).astype(np.uint8)
    monkeypatch.setitem(globals(), "textured", lambda *_: [noise])
    right = x + side[0] * 0.8
    beside = (right, y + 5, right + side[1], y + 5 + side[1])
    assert looked(*scene("gray", "mosaic", (x, y, x + side[0], y + side[0]), beside))[PAINTED].passed


@pytest.mark.parametrize(("row", "bright", "y"), [(51, 125, 43.95), (55, 140, 47.74)])
def test_the_end_of_another_paint_is_no_detail_of_the_edge_beneath(
    row: int, bright: int, y: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A box of two lines gets the fixed colour over a face's averages, and may end where the face begins."""
    ground = np.full(SIZE[::-1], 70, np.uint8)
    ground[row:] = bright
    monkeypatch.setitem(globals(), "textured", lambda *_: [ground])
    assert looked(*scene("gray", "soft", FACE, (45, y, 75, y + 2)))[PAINTED].passed


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("plane", [0, 1, 2])
def test_a_bare_piece_of_six_samples_a_side_is_seen_in_every_plane(kind: str, profile: str, plane: int) -> None:
    painted, source, regions, fmt = scene(kind, profile, FACE)
    if plane >= len(painted):
        return
    ssw, ssh = FORMATS[kind][1].subsampling if plane else (0, 0)
    at = slice(50 >> ssh, (50 >> ssh) + 6), slice(57 >> ssw, (57 >> ssw) + 6)
    painted[plane][at] = source[plane][at]
    assert not looked(painted, source, regions, fmt)[PAINTED].passed


def test_a_sample_that_is_not_the_fill_is_counted() -> None:
    painted, source, regions, fmt = scene("gray", "strict", FACE)
    painted[0][50, 60] += 1
    # 64 of 255, in limited range: 16 + 64 * 219 / 255 = 70.96.
    assert "1 of " in (found := looked(painted, source, regions, fmt)[PAINTED].found)
    assert "samples are not the fill 71" in found


def test_a_plate_of_its_own_colour_is_seen() -> None:
    painted, source, regions, fmt = scene("gray", "strict", PLATE)
    mask = regions[0].masks[0]
    painted[0][mask.window][mask.steps == 256] += 3
    assert "are not the mean of their surroundings" in looked(painted, source, regions, fmt)[PAINTED].found


def test_a_tone_is_what_is_painted_and_each_frames_share_of_it_is_what_lies_around() -> None:
    fmt, layout = FORMATS["gray"]
    source = textured(fmt, layout)
    tracked = covered([PLATE], ["plate"])
    ring = float(np.mean(_ring(source[0], tracked, layout)))
    for tone, said, passed in ((140.2, ring, True), (140.2, ring + 2, False), (120.0, ring, False)):
        painted = [plane.copy() for plane in source]
        paint(painted.__getitem__, tracked.xyxy, tracked.classes, tracked.swatches, layout=layout, fmt=fmt,
              grid=8, tones=np.array([[140.2]]))  # fmt: skip
        around = np.array([[[said], [tone]]])
        regions = regions_of(tracked, layout, fmt, profile="strict", grid=8, around=around)
        assert looked(painted, source, regions, fmt)[PAINTED].passed is passed


def _ring(plane: Any, tracked: Any, layout: FrameLayout) -> Any:
    """The samples within 8 px of a plate's window."""
    (mask,) = plane_masks(tracked.xyxy[0], SHAPES["plate"], layout, 8)
    height, width = mask.steps.shape
    near = np.zeros(plane.shape, bool)
    near[mask.y - 8 : mask.y + height + 8, mask.x - 8 : mask.x + width + 8] = True
    near[mask.window] &= mask.steps == 0
    return plane[near]


def test_a_face_of_another_tone_than_its_surroundings_is_seen_where_they_were_asked_for() -> None:
    fmt, layout = FORMATS["4:2:0"]
    source = textured(fmt, layout)
    tracked = covered([FACE], ["face"])
    for fill, passed in (("surroundings", True), (FILL, False)):
        painted = [plane.copy() for plane in source]
        paint(painted.__getitem__, tracked.xyxy, tracked.classes, tracked.swatches, layout=layout, fmt=fmt,
              grid=8, fill=fill)  # fmt: skip
        regions = regions_of(tracked, layout, fmt, profile="strict", grid=8, fill="surroundings")
        look = PaintingLook("surroundings")
        look.add(painted, source, regions, fmt)
        assert {check.name: check.passed for check in look.checks()}[PAINTED] is passed


@pytest.mark.parametrize("profile", ["soft", "mosaic", "picture", "inpaint", "cosmetic"])
def test_half_opaque_paint_is_seen(profile: str) -> None:
    painted, source, regions, fmt = scene("4:2:0", profile, FACE)
    painted[0][40:70, 45:75] = painted[0][40:70, 45:75] // 2 + source[0][40:70, 45:75] // 2
    wanted = {"mosaic": "cells are not of one colour", "picture": "samples are not the picture over the fill"}
    assert wanted.get(profile, "of its detail") in looked(painted, source, regions, fmt)[PAINTED].found


@pytest.mark.parametrize("kind", FORMATS)
def test_a_mosaic_that_was_blurred_or_lies_elsewhere_is_seen(kind: str) -> None:
    for wrong in ("soft", "shifted"):
        painted, source, regions, fmt = scene(kind, "mosaic", FACE)
        if wrong == "soft":
            painted = scene(kind, "soft", FACE)[0]
        else:
            painted[0][:, 1:] = painted[0][:, :-1].copy()
        assert "cells are not of one colour" in looked(painted, source, regions, fmt)[PAINTED].found


def test_a_bare_face_in_reach_of_a_plate_is_seen() -> None:
    painted, source, regions, fmt = scene("gray", "strict", FACE, PLATE)
    painted[0][54:66, 72:80] = source[0][54:66, 72:80]
    assert not looked(painted, source, regions, fmt)[PAINTED].passed


def test_paint_that_is_no_number_is_seen() -> None:
    for profile in PROFILES:
        painted, source, regions, fmt = scene("float", profile, FACE)
        painted[1][50:60, 60:70] = np.nan
        assert not looked(painted, source, regions, fmt)[PAINTED].passed


def test_one_bit_beside_the_regions_is_seen() -> None:
    painted, source, regions, fmt = scene("10 bits", "strict", FACE)
    painted[2][0, 79] ^= 1
    checks = looked(painted, source, regions, fmt)
    assert checks[UNTOUCHED].found == "1 planes differ, the first in frame 0, plane 2"
    assert checks[PAINTED].passed


def test_an_alpha_that_is_not_opaque_over_a_region_is_seen() -> None:
    painted, source, regions, fmt = scene("4:2:0", "strict", FACE)
    layout, single = FORMATS["4:2:0"][1], SampleFormat("gray", 8, full_range=True)
    clear = np.full((SIZE[1], SIZE[0]), 64, np.uint8)
    opaque = clear.copy()
    boxes = covered([FACE])
    paint_alpha(lambda _: opaque, boxes.xyxy, boxes.classes, layout=layout, fmt=single, grid=8)
    assert looked([*painted, opaque], [*source, clear], regions, fmt)[PAINTED].passed
    opaque[50, 60] = 254
    assert (
        "1 samples of its alpha are not opaque"
        in looked([*painted, opaque], [*source, clear], regions, fmt)[PAINTED].found
    )


def test_a_region_without_detail_is_counted_as_not_told() -> None:
    painted, source, regions, fmt = scene("gray", "soft", FACE)
    flat = [np.full_like(source[0], 90)]
    outside = painted[0] == source[0]
    painted[0][outside] = flat[0][outside]
    for mask in regions[0].masks:
        rows, columns = mask.window
        rim = np.ones(flat[0].shape, bool)
        rim[rows, columns] = mask.steps == 0
        painted[0][rim] = flat[0][rim]
    found = looked(painted, flat, regions, fmt)[PAINTED]
    assert found.passed
    assert "1 could not be told" in found.found


def test_where_no_frame_was_looked_at_nothing_is_painted_well() -> None:
    assert {check.name: check.passed for check in PaintingLook(FILL).checks()}[PAINTED] is False


@pytest.mark.parametrize(("kind", "name"), [("gray", "gray"), ("4:2:0", "yuv420p"), ("10 bits", "yuv422p10le")])
def test_what_was_seen_to_be_of_one_colour_is_kept_as_if_it_had_been_measured(kind: str, name: str) -> None:
    painted, source, regions, fmt = scene(kind, "strict", FACE)
    codes = PaintingLook(FILL).add(painted, source, regions, fmt)
    assert len(codes) == len(painted)
    own = Scale(pixel_format(name), full_range=False, kept=pixel_format(name))
    kept = []
    for said in (codes, ()):
        with PaintedFrames(SIZE, own) as frames:
            frames.add(painted, source, regions, said)
            kept += list(frames)
    assert kept[0].painted.size > 0
    assert np.array_equal(kept[0].painted, kept[1].painted)
    assert np.array_equal(kept[0].source, kept[1].source)


def test_a_sample_of_another_colour_or_another_kind_of_paint_leaves_nothing_to_be_said_of_all() -> None:
    painted, source, regions, fmt = scene("4:2:0", "strict", FACE)
    x0, y0, x1, y1 = (int(v) for v in FACE)
    painted[0][(y0 + y1) // 2, (x0 + x1) // 2] += 1
    assert PaintingLook(FILL).add(painted, source, regions, fmt) == ()
    assert PaintingLook(FILL).add(*scene("4:2:0", "mosaic", FACE)) == ()
