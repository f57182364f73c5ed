"""Light for dark frames: what models see is stretched, and nothing where there is light or nothing to see."""

import numpy as np
import pytest

from vsanon.detectors.light import DARK, LEAST_SPREAD, PERCENTILES, lifted

BLACK = np.zeros((3, 40, 40), np.uint8)


def ramp(low: int, high: int) -> np.ndarray:
    """Codes from `low` to `high` from left to right."""
    row = np.linspace(low, high, 404).round().astype(np.uint8)
    return np.repeat(np.repeat(row[None, None], 40, axis=1), 3, axis=0)


def test_a_dark_frame_is_stretched_so_that_its_bright_parts_are_bright() -> None:
    # The hundredth part at either end of 16 to 72 lies at 17 and 71: (72 - 17) * 224 / 54 = 228.1.
    (picture,) = lifted([ramp(16, 72)], ramp(16, 72))
    assert picture.dtype == np.uint8
    assert (picture.min(), picture.max()) == (0, 228)
    assert (np.diff(picture[0, 0].astype(int)) >= 0).all()


def test_all_pictures_of_a_frame_are_stretched_alike() -> None:
    # 16 is darker than what counts as black, and 40 becomes (40 - 17) * 224 / 54 = 95.4.
    parts = [np.full((3, 8, 8), code, np.uint8) for code in (16, 40)]
    assert [int(part[0, 0, 0]) for part in lifted(parts, ramp(16, 72))] == [0, 95]


def test_a_frame_with_light_in_it_and_one_that_shows_nothing_stay_as_they_are() -> None:
    for whole in (ramp(0, 255), ramp(0, 130), ramp(60, 70), BLACK):
        (picture,) = lifted([whole], whole)
        assert picture is whole


def test_what_little_is_to_see_is_lifted_no_more_than_sixfold() -> None:
    (picture,) = lifted([ramp(0, 20)], ramp(0, 20))
    assert picture.max() <= 6 * 20


@pytest.mark.parametrize("size", [1, 7, 100, 101, 201, 1000, 3600])
def test_a_frame_is_left_as_it_is_where_its_percentile_says_so_however_many_pixels_are_bright(size: int) -> None:
    """By counting or by sorting, around the count at which the percentile gets over `DARK`."""
    for count in range(min(size, size // 100 + 4) + 1):
        codes = np.repeat(np.uint8([20, DARK]), [size - count, count])
        whole = np.zeros((3, 4, 4 * size), np.uint8)
        whole[0, :, ::4] = codes
        low, high = np.percentile(codes, PERCENTILES)
        (picture,) = lifted([whole], whole)
        assert (picture is whole) == (high >= DARK or high - low < LEAST_SPREAD)


def test_the_percentile_of_a_light_frame_is_not_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(np, "percentile")
    lifted([ramp(0, 255)], ramp(0, 255))
