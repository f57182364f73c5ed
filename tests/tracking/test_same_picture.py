"""The miniature of a frame bears what editors do to a picture, and tells what moves a face from under its box."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from vsanon.tracking.miniature import LEVELS, levels_of, miniature_size, rounded
from vsanon.tracking.same_picture import Verdict, compare

SIZE = (640, 360)
"""20 pixels a sample."""
BOXES = np.array([[200, 100, 260, 180], [440, 200, 500, 280]], np.float32)
NONE = np.zeros((0, 4), np.float32)


def picture(shift: float = 0.0, seed: int = 1) -> NDArray[np.float64]:
    """A smooth texture in [0, 1], (18, 32), `shift` samples to the right."""
    waves = np.random.default_rng(seed).uniform(-1, 1, (12, 4))
    y, x = np.mgrid[0:18, 0:32].astype(float)
    total = sum(a * np.cos(0.7 * p * (x - shift) + 0.9 * q * y + 7 * r) for a, p, q, r in waves)
    return np.asarray((total - total.min()) / np.ptp(total))


def miniature(shown: NDArray[np.float64]) -> NDArray[np.uint16]:
    return np.rint(np.clip(shown, 0, 1) * 50_000 + 5_000).astype(np.uint16)


ANALYSED = miniature(picture())
GRAIN = np.random.default_rng(3).normal(0, 0.01, (18, 32))
SHADE = np.linspace(0.7, 1.0, 32)[None, :]


@pytest.mark.parametrize("kept", [ANALYSED, rounded(ANALYSED)], ids=["live", "from a file"])
@pytest.mark.parametrize(
    ("shown", "verdict"),
    [
        (picture(), Verdict.SAME),
        (picture() ** 0.6, Verdict.CHANGED),
        (picture() ** 1.7, Verdict.CHANGED),
        (0.3 + 0.4 * picture(), Verdict.CHANGED),
        (1.8 * picture() - 0.4, Verdict.CHANGED),
        (4 * picture() - 2.5, Verdict.CHANGED),  # two thirds of it black
        (6 * picture() - 0.5, Verdict.CHANGED),  # and burnt out
        (1 - picture(), Verdict.OTHER),
        (picture() + GRAIN, Verdict.CHANGED),
        (picture() * SHADE, Verdict.CHANGED),
        (picture(0.03), Verdict.CHANGED),  # 0.6 pixels, by another scaler
        (0 * picture(), Verdict.UNKNOWN),
        (picture()[:, ::-1], Verdict.OTHER),
        (picture()[::-1], Verdict.OTHER),
        (picture()[::-1, ::-1], Verdict.OTHER),
        (picture(seed=2), Verdict.OTHER),
        (picture(1.0), Verdict.OTHER),  # 20 pixels, a third of a box
        (picture(-1.0) ** 0.6 + GRAIN, Verdict.OTHER),
    ],
)
def test_grades_grain_and_shading_are_borne_and_flips_shifts_and_other_pictures_are_not(
    kept: NDArray[np.uint16], shown: NDArray[np.float64], verdict: Verdict
) -> None:
    assert compare(kept, miniature(shown), BOXES, SIZE).verdict is verdict


def test_how_far_a_picture_may_lie_off_goes_by_the_size_of_the_boxes() -> None:
    moved = miniature(picture(0.5))  # 10 pixels: a fifth of 50 is 10, and a bias of one pixel is allowed on top
    large = np.array([[200, 100, 300, 200]], np.float32)
    small = np.array([[200, 100, 220, 120]], np.float32)
    assert compare(ANALYSED, moved, large, SIZE).verdict is Verdict.CHANGED
    found = compare(ANALYSED, moved, small, SIZE)
    assert (found.verdict, found.why) == (
        Verdict.OTHER,
        "at the box 200,100,220,120 it lies beside what was analysed",
    )
    # Where nothing is covered nothing can be bared by it.
    assert compare(ANALYSED, moved, NONE, SIZE).verdict is Verdict.CHANGED


def test_a_box_before_an_even_wall_is_told_by_the_rest_of_the_picture() -> None:
    before, after = picture(), picture(1.0)
    before[:, 16:] = after[:, 16:] = 0.5
    found = compare(miniature(before), miniature(after), BOXES[1:], SIZE)
    assert (found.verdict, found.why) == (Verdict.OTHER, "all of it lies beside what was analysed")


def test_what_surrounds_a_box_must_fit_where_the_tiles_around_still_do() -> None:
    shown = picture()
    shown[5:9, 10:13] = np.random.default_rng(2).uniform(0, 1, (4, 3))
    found = compare(ANALYSED, miniature(shown), BOXES[:1], SIZE)
    assert found.verdict is Verdict.OTHER
    assert found.why == "around the box 200,100,260,180 it is something else"


def test_someone_who_comes_before_an_even_wall_is_seen_and_one_who_leaves_it_bares_nothing() -> None:
    wall = picture() * np.where(np.arange(32) < 16, 1.0, 0.0)[None, :]
    someone = wall.copy()
    someone[6:11, 22:26] += picture()[6:11, 6:10] + 0.3
    found = compare(miniature(wall), miniature(someone), BOXES[:1], SIZE)
    assert found.verdict is Verdict.OTHER
    assert "it is something else" in found.why
    assert compare(miniature(someone), miniature(wall), BOXES[:1], SIZE).verdict is Verdict.CHANGED


def test_what_was_painted_before_is_not_compared() -> None:
    shown = picture()
    shown[4:10, 9:14] = 0  # around 200,100 to 260,180
    assert compare(ANALYSED, miniature(shown), BOXES, SIZE).verdict is Verdict.OTHER
    assert compare(ANALYSED, miniature(shown), BOXES, SIZE, BOXES[:1]).verdict is Verdict.CHANGED
    shown = picture(seed=2)
    shown[4:10, 9:14] = 0
    assert compare(ANALYSED, miniature(shown), BOXES, SIZE, BOXES[:1]).verdict is Verdict.OTHER


def test_an_even_picture_can_not_be_told_and_is_never_taken_for_the_same() -> None:
    even = np.full((18, 32), 30_000, np.uint16)
    assert compare(even, even + np.uint16(40), BOXES, SIZE).verdict is Verdict.UNKNOWN
    assert compare(even, miniature(picture()), BOXES, SIZE).verdict is Verdict.OTHER


def test_miniatures_of_different_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="can't be compared"):
        compare(ANALYSED, ANALYSED[:, :-1], BOXES, SIZE)


def test_samples_are_about_square() -> None:
    assert miniature_size((1920, 1080)) == (32, 18)
    assert miniature_size((608, 1080)) == (18, 32)
    assert miniature_size((320, 240)) == (32, 24)
    assert miniature_size((4000, 16)) == (32, 4)


@given(arrays(np.uint16, (4, 5)))
@settings(max_examples=50, deadline=None)
def test_rounding_twice_is_rounding_once_and_keeps_the_ends(samples: NDArray[np.uint16]) -> None:
    once = rounded(samples)
    assert np.array_equal(rounded(once), once)
    assert (once.min(), once.max()) == (samples.min(), samples.max())
    assert levels_of(samples).max() < LEVELS
    assert np.abs(once.astype(float) - samples).max() <= np.ptp(samples.astype(float)) / 30 + 1


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_any_picture_is_itself(seed: int) -> None:
    any_ = np.random.default_rng(seed).integers(0, 2**16, (18, 32)).astype(np.uint16)
    assert compare(any_, any_, BOXES, SIZE).verdict is Verdict.SAME
    assert compare(rounded(any_), any_, BOXES, SIZE).verdict is Verdict.SAME
