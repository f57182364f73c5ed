"""Swatches: what a box's averages and their noise are, of any box."""

import numpy as np
import pytest

from vsanon.covering.swatches import sample_swatches


def test_swatches_are_area_averages_with_at_most_twelve_of_noise() -> None:
    rgb = np.zeros((3, 60, 60), np.uint8)
    rgb[0, 10:20, 20:30] = 100  # the swatch of row 0, column 1 of a box with swatches of 10 px
    rgb[0, 10:20, 30:35] = 200  # half of the next one
    rgb[1] = 50
    (swatches,) = sample_swatches(rgb, np.float32([[10, 10, 60, 60]]), 7, 1)
    truth = np.zeros((5, 5, 3))
    truth[0, 1, 0], truth[0, 2, 0] = 100, 100
    truth[:, :, 1] = 50
    assert swatches.dtype == np.uint8
    assert np.abs(swatches - truth).max() <= 12
    assert np.abs(swatches - truth).max() > 6


def test_the_noise_of_a_grey_box_has_no_colour_and_that_of_a_coloured_one_has() -> None:
    """Of channels 70 codes apart, each has noise of its own; of those 5 codes apart, 5 codes of colour."""
    for colour, least, most in (((128, 128, 128), 0, 0), ((130, 127, 125), 3, 15), ((200, 150, 130), 16, 24)):
        rgb = np.full((3, 60, 60), np.array(colour)[:, None, None], np.uint8)
        (swatches,) = sample_swatches(rgb, np.float32([[10, 10, 60, 60]]), 7, 1)
        assert least <= np.ptp(swatches.astype(int) - colour, axis=2).max() <= most
        assert np.abs(swatches.astype(int) - colour).max() > 6


def test_the_noise_of_swatches_is_a_function_of_seed_frame_and_index() -> None:
    rgb = np.full((3, 60, 60), 128, np.uint8)
    twice = np.float32([[10, 10, 60, 60]] * 2)
    a = sample_swatches(rgb, twice, 7, 1)
    np.testing.assert_array_equal(a, sample_swatches(rgb, twice, 7, 1))
    np.testing.assert_array_equal(a[:1], sample_swatches(rgb, twice[:1], 7, 1))
    assert (a[0] != a[1]).any()
    assert (a != sample_swatches(rgb, twice, 8, 1)).any()
    assert (a != sample_swatches(rgb, twice, 7, 2)).any()


@pytest.mark.parametrize("edges", [(5, 5, 6, 50), (5, 5, 50, 6), (5.2, 5.2, 5.4, 5.4), (57, 57, 90, 90)])
def test_a_box_thinner_than_five_pixels_still_has_swatches_of_its_colour(edges: tuple[float, ...]) -> None:
    rgb = np.full((3, 60, 60), 200, np.uint8)
    (swatches,) = sample_swatches(rgb, np.float32([edges]), 0, 0)
    assert np.abs(swatches.astype(int) - 200).max() <= 12


@pytest.mark.parametrize("edges", [(5, 5, 5, 50), (-9, 0, 0, 9), (60, 0, 70, 9)])
def test_an_empty_box_has_mid_grey_swatches(edges: tuple[float, ...]) -> None:
    assert (sample_swatches(np.zeros((3, 60, 60), np.uint8), np.float32([edges]), 0, 0) == 128).all()


def test_a_picture_that_is_not_planar_rgb_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(3, H, W\)"):
        sample_swatches(np.zeros((60, 60, 3), np.uint8), np.zeros((0, 4), np.float32), 0, 0)


def test_a_frame_without_a_box_has_no_swatches() -> None:
    rgb = np.zeros((3, 60, 60), np.uint8)
    assert sample_swatches(rgb, np.zeros((0, 4), np.float32), 7, 1).shape == (0, 5, 5, 3)
