"""PSNR and SSIM of parts of a picture: by hand, with numpy, and against scikit-image."""

import numpy as np
import pytest

from vsanon.validation.metrics.picture_parts import by_zone, inside_boxes, psnr, ssim_map, zones


def noisy_pair() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    plane = rng.integers(0, 256, (24, 32)).astype(np.uint8)
    return plane, np.clip(plane + rng.integers(-20, 21, plane.shape), 0, 255).astype(np.uint8)


def test_ten_codes_off_everywhere_is_28_decibels() -> None:
    plane = np.full((8, 8), 100, np.uint8)
    assert psnr(plane, plane + 10, 8) == pytest.approx(10 * np.log10(255**2 / 100))
    assert psnr(plane + 10, plane, 8) == psnr(plane, plane + 10, 8)


def test_forty_codes_of_ten_bits_are_as_ten_of_eight_but_for_the_peak() -> None:
    plane = np.full((8, 8), 400, np.uint16)
    assert psnr(plane, plane + 40, 10) == pytest.approx(10 * np.log10(1023**2 / 1600))


@pytest.mark.parametrize(("bits", "ceiling"), [(8, 60), (10, 72)])
def test_identical_planes_have_the_ceiling_of_libvmaf(bits: int, ceiling: int) -> None:
    plane = np.zeros((8, 8), np.uint16)
    assert psnr(plane, plane, bits) == ceiling


def test_psnr_and_ssim_are_those_of_scikit_image() -> None:
    """scikit-image 0.26.0: peak_signal_noise_ratio, and structural_similarity with gaussian_weights=True,
    sigma=1.5, use_sample_covariance=False, data_range=255, full=True; its mean leaves out 5 px at the edges."""
    a, b = noisy_pair()
    likeness = ssim_map(a, b, 8)
    assert psnr(a, b, 8) == pytest.approx(27.056628008609046)
    assert likeness[5:-5, 5:-5].mean() == pytest.approx(0.9878284200812049)
    assert likeness.mean() == pytest.approx(0.9878135648673579)
    assert likeness[0, 0] == pytest.approx(0.9842320919184713)


def test_a_box_is_scored_by_the_pixels_that_it_touches() -> None:
    """scikit-image 0.26.0 over [3:11, 4:20]; the second box is outside."""
    a, b = noisy_pair()
    got = inside_boxes(a, b, np.array([[4.5, 3.2, 19.5, 10.1], [40, 0, 50, 9]], np.float32), 8)
    assert got.psnr_db[0] == pytest.approx(27.347765062972403)
    assert got.ssim[0] == pytest.approx(0.9898035012176916)
    assert np.isnan(got.psnr_db[1])
    assert np.isnan(got.ssim[1])


def test_damage_outside_a_box_is_not_its_own() -> None:
    plane = np.full((40, 40), 100, np.uint8)
    damaged = plane.copy()
    damaged[:, 30:] = 0
    box = np.array([[0, 0, 10, 10]], np.float32)
    assert inside_boxes(plane, damaged, box, 8).psnr_db[0] == 60
    assert inside_boxes(plane, damaged, box, 8).ssim[0] == pytest.approx(1)
    assert psnr(plane, damaged, 8) == pytest.approx(10 * np.log10(255**2 / (100**2 / 4)))


def test_zones_part_the_frame_into_mask_band_and_rest() -> None:
    mask = np.zeros((30, 40), bool)
    mask[10:20, 15:25] = True
    got = zones(mask, 3)
    assert np.array_equal(got.inside.astype(int) + got.band + got.outside, np.ones((30, 40)))
    assert got.band[15].nonzero()[0].tolist() == [12, 13, 14, 25, 26, 27]
    assert got.band[8, 13]  # 2 up and 2 aside of the corner pixel: 2.83 away
    assert got.outside[7, 13]  # 3 up and 2 aside: 3.61


def test_a_frame_without_a_mask_is_all_outside() -> None:
    got = zones(np.zeros((4, 4), bool))
    assert got.outside.all()
    assert not got.band.any()


def test_the_change_beside_a_mask_is_told_from_the_change_in_it() -> None:
    plane = np.full((30, 40), 100, np.uint8)
    mask = np.zeros((30, 40), bool)
    mask[10:20, 15:25] = True
    ringing = plane.copy()
    parts = zones(mask, 8)
    ringing[parts.band] += 10
    assert psnr(plane, ringing, 8, parts.inside) == 60
    assert psnr(plane, ringing, 8, parts.outside) == 60
    assert psnr(plane, ringing, 8, parts.band) == pytest.approx(28.13, abs=0.01)
    got = by_zone(plane, ringing, parts, 8)
    assert (got["inside"], got["band"], got["outside"]) == tuple(
        (psnr(plane, ringing, 8, where), ssim_map(plane, ringing, 8)[where].mean())
        for where in (parts.inside, parts.band, parts.outside)
    )
    assert by_zone(plane, plane, zones(np.zeros((30, 40), bool)), 8) == {
        "inside": None,
        "band": None,
        "outside": (60, pytest.approx(1)),
    }


def test_planes_of_two_sizes_are_not_compared() -> None:
    with pytest.raises(ValueError, match="one shape"):
        psnr(np.zeros((4, 4)), np.zeros((4, 5)), 8)
    with pytest.raises(ValueError, match="no pixel"):
        psnr(np.zeros((4, 4)), np.zeros((4, 4)), 8, np.zeros((4, 4), bool))
