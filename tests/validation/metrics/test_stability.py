"""Stability and flicker, each figure worked by hand."""

from fractions import Fraction

import numpy as np
import pytest

from tests.support.metric_scenes import observed
from vsanon.validation.metrics.observed import Observed
from vsanon.validation.metrics.stability import mask_flicker, motion, stability, switching

BOX = (0, 0, 10, 20)


def person(*found: tuple[float, float, float, float] | None) -> tuple[Observed, Observed]:
    """One person who stands still, and the box that each frame has of them."""
    truth = observed(*((n, 1, BOX) for n in range(len(found))))
    return truth, observed(*((n, 1, box) for n, box in enumerate(found) if box is not None))


def square(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    mask = np.zeros((40, 60), bool)
    for x0, y0, x1, y1 in boxes:
        mask[y0:y1, x0:x1] = True
    return mask


def test_a_constant_offset_and_margin_is_perfectly_stable() -> None:
    got = stability(*person((1, 1, 12, 22), (1, 1, 12, 22), (1, 1, 12, 22)))
    assert (got.fragment, got.center, got.scale_ratio, got.total) == pytest.approx((0, 0, 0, 0))


def test_a_box_that_jumps_a_tenth_of_its_width_has_that_spread() -> None:
    """Offsets of 0 and 2 of 10 px: their std is 0.1; of the height nothing changes."""
    got = stability(*person(BOX, (2, 0, 12, 20), BOX, (2, 0, 12, 20)))
    assert (got.fragment, got.center) == pytest.approx((0, 0.1))
    assert got.scale_ratio == pytest.approx(0, abs=1e-6)


def test_a_box_that_breathes_changes_scale_and_ratio() -> None:
    """Width 10 and 14.4 on a truth of 10: scale 1 and 1.2, ratio 1 and 1.44; their std are 0.1 and 0.22."""
    got = stability(*person(BOX, (-2.2, 0, 12.2, 20)))
    assert got.center == pytest.approx(0, abs=1e-6)
    assert got.scale_ratio == pytest.approx(0.1 + 0.22)


def test_each_change_between_found_and_missed_is_a_fragment_of_its_chances() -> None:
    got = stability(*person(BOX, None, BOX, BOX, None))
    assert got.fragment == 3 / 4
    assert got.total == pytest.approx(3 / 4)


def test_someone_never_found_has_no_centre_error_but_no_fragments_either() -> None:
    got = stability(*person(None, None))
    assert (got.fragment, got.center, got.scale_ratio, got.total) == (0, None, None, None)
    assert stability(observed(), observed()).fragment is None


def test_errors_are_means_over_people() -> None:
    truth = observed(*((n, i, (x, 0, x + 10, 10)) for n in range(2) for i, x in ((1, 0), (2, 100))))
    found = observed((0, 1, (0, 0, 10, 10)), (1, 1, (2, 0, 12, 10)), (0, 2, (100, 0, 110, 10)))
    got = stability(truth, found)
    assert got.fragment == pytest.approx((0 + 1) / 2)
    assert got.center == pytest.approx((0.1 + 0) / 2)


def test_an_identity_that_goes_out_for_a_while_switches_twice_in_its_span() -> None:
    found = observed(*((n, 1, BOX) for n in (0, 1, 2, 5, 6, 9)), (3, 2, BOX), (4, 2, BOX))
    got = switching(found, Fraction(4))
    assert (got.identities, got.switches) == (2, 4)
    assert got.seconds == (10 + 2) / 4
    assert got.per_identity_second == 4 / 3
    assert switching(observed(), Fraction(4)).per_identity_second is None


def test_flicker_is_one_less_the_overlap_of_masks_in_a_row() -> None:
    assert mask_flicker(square((0, 0, 10, 10)), square((5, 0, 15, 10))) == 1 - 50 / 150
    assert mask_flicker(square(), square()) == 0
    assert mask_flicker(square((0, 0, 10, 10)), square()) == 1


def test_a_mask_that_moves_with_the_picture_does_not_flicker() -> None:
    """All moves 4 px right: pixel x of the second frame comes from x − 4."""
    flow = np.zeros((40, 60, 2), np.float32)
    flow[..., 0] = -4
    assert mask_flicker(square((10, 10, 20, 20)), square((14, 10, 24, 20)), flow) == 0
    assert mask_flicker(square((10, 10, 20, 20)), square((10, 10, 20, 20)), flow) == 1 - 60 / 140


def test_motion_says_where_a_pixel_came_from() -> None:
    rng = np.random.default_rng(0)
    texture = np.kron(rng.integers(0, 256, (20, 30)), np.ones((8, 8))).astype(np.uint8)
    flow = motion([texture, np.roll(texture, 3, axis=1)])
    inner = flow[20:-20, 20:-20]
    assert np.median(inner[..., 0]) == pytest.approx(-3, abs=0.25)
    assert np.median(inner[..., 1]) == pytest.approx(0, abs=0.25)
