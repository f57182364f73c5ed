"""`inpaint`: what the surroundings span, which nothing beneath has an influence on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsanon.covering.colour import SampleFormat
from vsanon.covering.effects import paint
from vsanon.covering.masks import FrameLayout
from vsanon.covering.membrane import membrane
from vsanon.detections import no_swatches

HOLE = np.ones((40, 60), bool)
HOLE[8:32, 10:50] = False
RAMP = np.tile(np.arange(60, dtype=np.float32), (40, 1))


def test_an_even_surrounding_is_gone_on_with_exactly() -> None:
    samples = np.where(HOLE, np.float32(118), np.float32(3))
    spanned = membrane(samples, HOLE)
    assert spanned is not None
    assert (spanned == 118).all()


def test_a_ramp_is_gone_on_with_to_within_a_code() -> None:
    """A linear ramp is harmonic, so the membrane itself is the ramp."""
    spanned = membrane(RAMP, HOLE)
    assert spanned is not None
    assert np.abs(spanned - RAMP).max() < 1


@given(st.integers(0, 1000), st.sampled_from([(1, 1), (2, 9), (7, 5), (24, 40)]))
def test_nothing_beneath_has_an_influence_and_the_answer_lies_between_what_is_around(
    seed: int, hole: tuple[int, int]
) -> None:
    rng = np.random.default_rng(seed)
    samples = rng.uniform(-1, 1, (40, 60)).astype(np.float32)
    free = np.ones((40, 60), bool)
    y, x = rng.integers(0, 40 - hole[0] + 1), rng.integers(0, 60 - hole[1] + 1)
    free[y : y + hole[0], x : x + hole[1]] = False
    spanned = membrane(samples, free)
    other = membrane(np.where(free, samples, np.float32(np.nan)), free)
    assert spanned is not None
    assert other is not None
    assert np.array_equal(spanned, other)
    assert np.array_equal(spanned[free], samples[free])
    assert spanned.min() >= samples[free].min() - 1e-6
    assert spanned.max() <= samples[free].max() + 1e-6


def test_where_nothing_is_around_there_is_no_membrane() -> None:
    assert membrane(np.ones((3, 4), np.float32), np.zeros((3, 4), bool)) is None
    assert membrane(np.full((3, 4), np.nan, np.float32), np.ones((3, 4), bool)) is None


@pytest.mark.parametrize("bits", [8, 10, 16])
def test_a_plate_on_a_gradient_vanishes_without_steps(bits: int) -> None:
    """A rise of 2 codes of 8 bits a column, 104 in all under the mask, goes on under the plate."""
    fmt, unit = SampleFormat("gray", bits), 1 << (bits - 8)
    plain = np.tile((np.arange(120) * 2 * unit).astype(fmt.dtype), (60, 1))
    plane = plain.copy()
    plane[20:40, 30:70] = 235 * unit
    paint(lambda _: plane, np.array([[30, 20, 70, 40]], np.float32), ("plate",), no_swatches(1),
          layout=FrameLayout((120, 60), planes=1), fmt=fmt, profile="inpaint")  # fmt: skip
    assert np.abs(plane.astype(int) - plain).max() <= 3 * unit
    assert (np.diff(plane[30].astype(int)) >= 0).all()


def test_where_two_regions_meet_there_is_no_seam() -> None:
    """Dark to the left, bright to the right: both go over into each other, by 6 codes a column at most."""
    plane = np.full((60, 160), 40, np.uint8)
    plane[:, 80:] = 200
    boxes = np.array([[40, 20, 90, 40], [84, 18, 130, 44]], np.float32)
    paint(lambda _: plane, boxes, ("face", "face"), no_swatches(2),
          layout=FrameLayout((160, 60), planes=1), fmt=SampleFormat("gray", 8), profile="inpaint")  # fmt: skip
    inside = plane[30, 50:120].astype(int)
    assert np.abs(np.diff(inside)).max() <= 6
    assert inside[0] < 60 < 180 < inside[-1]
