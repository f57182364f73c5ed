"""The colour around a region: how wide the ring is, and what it leaves out."""

import numpy as np
import pytest

from tests.support.painting import HARD, RAMP_3, noise, painted
from vsanon.covering.colour import SampleFormat
from vsanon.covering.looks import PROFILES
from vsanon.covering.masks import FrameLayout


@pytest.mark.parametrize("profile", [profile for profile in PROFILES if profile != "inpaint"])
def test_a_plate_takes_the_mean_of_the_ring_around_it_in_every_profile(profile: str) -> None:
    fmt, layout = SampleFormat("gray", 8, full_range=True), FrameLayout((100, 80), planes=1)
    source = [np.full((80, 100), 50, np.uint8)]
    source[0][:, :50] = 150  # the ring lies half in 150, half in 50
    source[0][30:50, 40:60] = 255
    out = painted(source, fmt, layout, [40, 30, 60, 50], ("plate",), profile=profile)
    assert (out[0][27:53, 37:63] == 100).all()


def test_a_ring_in_subsampled_chroma_is_half_as_wide() -> None:
    fmt, layout = SampleFormat("yuv", 8), FrameLayout((96, 96), (1, 1))
    source = [np.full(layout.plane_shape(p), 50, np.uint8) for p in range(3)]
    # The mask covers chroma 19..28; of the ring, 15..18 and 29..32 are 50, and what lies farther is 250.
    source[1][:] = 250
    source[1][15:33, 15:33] = 50
    out = painted(source, fmt, layout, [40, 40, 56, 56], ("plate",), shapes={"plate": HARD})
    assert (out[1][19:29, 19:29] == 50).all()


def test_a_ring_is_eight_pixels_wide() -> None:
    fmt, layout = SampleFormat("yuv", 8, full_range=True), FrameLayout((96, 96), (1, 1))
    source = [np.full(layout.plane_shape(p), 250, np.uint8) for p in range(3)]
    # The mask covers 16x16 from 40,40: 320 samples are within 4 of it, 448 from 4 to 8; what lies farther is 250.
    source[0][32:64, 32:64] = 112
    source[0][36:60, 36:60] = 40
    out = painted(source, fmt, layout, [40, 40, 56, 56], ("plate",), shapes={"plate": HARD})
    assert (out[0][40:56, 40:56] == (320 * 40 + 448 * 112) // 768).all()


def test_a_ring_leaves_out_what_another_region_covers() -> None:
    fmt, layout = SampleFormat("gray", 8, full_range=True), FrameLayout((100, 40), planes=1)
    source = [np.full((40, 100), 50, np.uint8)]
    source[0][:, 60:] = 250
    boxes, classes = [[20, 0, 50, 40], [55, 0, 100, 40]], ("plate", "face")
    shapes = {"plate": RAMP_3, "face": RAMP_3}
    out = painted(source, fmt, layout, boxes, classes, shapes=shapes)
    assert (out[0][:, 20:50] == 50).all()
    swapped = painted(source, fmt, layout, boxes[::-1], classes[::-1], shapes=shapes)
    assert (swapped[0][:, 20:50] == 50).all()


def test_a_plate_that_fills_the_frame_gets_the_fixed_colour() -> None:
    fmt, layout = SampleFormat("yuv", 8), FrameLayout((48, 32), (1, 1))
    out = painted(noise(fmt, layout), fmt, layout, [0, 0, 48, 32], ("plate",))
    assert [np.unique(p).tolist() for p in out] == [[71], [128], [128]]


def test_a_ring_that_is_not_finite_gives_the_fixed_colour() -> None:
    fmt, layout = SampleFormat("gray", 32, is_float=True), FrameLayout((48, 32), planes=1)
    source = [np.full((32, 48), np.nan, np.float32)]
    out = painted(source, fmt, layout, [20, 10, 28, 18], ("plate",), fill=(255, 255, 255))
    assert (out[0][10:18, 20:28] == 1).all()
