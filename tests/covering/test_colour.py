"""A colour's code values are those of its standard."""

import numpy as np
import pytest

from vsanon.covering.colour import SampleFormat, rgb_to_code
from vsanon.covering.effects import FILL
from vsanon.detections import no_swatches
from vsanon.errors import InputError


@pytest.mark.parametrize(
    ("fmt", "rgb", "codes"),
    [
        (SampleFormat("yuv", 8), (255, 255, 255), (235, 128, 128)),
        (SampleFormat("yuv", 8), (0, 0, 0), (16, 128, 128)),
        # 16 + 219 * 0.2126 = 62.6; 128 - 224 * 0.2126 / 1.8556 = 102.3; 128 + 224 * 0.5 = 240
        (SampleFormat("yuv", 8), (255, 0, 0), (63, 102, 240)),
        # 16 + 219 * 0.0722 = 31.8; 240; 128 - 224 * 0.0722 / 1.5748 = 117.7
        (SampleFormat("yuv", 8), (0, 0, 255), (32, 240, 118)),
        # 16 + 219 * 0.299 = 81.5 - 0.02; 128 - 224 * 0.299 / 1.772 = 90.2
        (SampleFormat("yuv", 8, matrix="601"), (255, 0, 0), (81, 90, 240)),
        (SampleFormat("yuv", 8, matrix="170m"), (255, 0, 0), (81, 90, 240)),
        # 16 + 219 * 0.2627 = 73.5; 128 - 224 * 0.2627 / 1.8814 = 96.7
        (SampleFormat("yuv", 8, matrix="2020ncl"), (255, 0, 0), (74, 97, 240)),
        (SampleFormat("yuv", 10), (255, 255, 255), (940, 512, 512)),
        (SampleFormat("yuv", 16), (255, 255, 255), (60160, 32768, 32768)),
        # 64 / 255 * 219 + 16 = 70.96
        (SampleFormat("yuv", 8), FILL, (71, 128, 128)),
        (SampleFormat("yuv", 8, full_range=True), (255, 255, 255), (255, 128, 128)),
        # 255 * 0.2126 = 54.2; 128 - 255 * 0.2126 / 1.8556 = 98.8; 128 + 127.5 is held at 255
        (SampleFormat("yuv", 8, full_range=True), (255, 0, 0), (54, 99, 255)),
        (SampleFormat("gray", 8, full_range=True), (64, 64, 64), (64,)),
        (SampleFormat("gray", 10), (255, 255, 255), (940,)),
        (SampleFormat("rgb", 8, full_range=True, matrix="rgb"), (10, 20, 30), (10, 20, 30)),
        (SampleFormat("rgb", 10, full_range=True, matrix="rgb"), (255, 0, 51), (1023, 0, 205)),
        (SampleFormat("rgb", 8, matrix="rgb"), (255, 0, 0), (235, 16, 16)),
        (SampleFormat("yuv", 32, is_float=True), (255, 255, 255), (1, 0, 0)),
        (SampleFormat("yuv", 32, is_float=True), (64, 64, 64), (np.float32(64 / 255), 0, 0)),
    ],
)
def test_a_colour_has_the_code_values_of_its_standard(
    fmt: SampleFormat, rgb: tuple[int, int, int], codes: tuple[float, ...]
) -> None:
    got = rgb_to_code(np.array(rgb, np.uint8), fmt)
    assert got.dtype == fmt.dtype
    assert got.tolist() == list(codes)


def test_float_red_reaches_the_end_of_its_chroma() -> None:
    luma, cb, cr = rgb_to_code(np.array([255, 0, 0], np.uint8), SampleFormat("yuv", 32, is_float=True))
    assert luma == pytest.approx(0.2126)
    assert cb == pytest.approx(-0.2126 / 1.8556)
    assert cr == pytest.approx(0.5)


def test_colours_keep_their_leading_dimensions() -> None:
    assert rgb_to_code(no_swatches(2), SampleFormat("yuv", 8)).shape == (2, 5, 5, 3)
    assert rgb_to_code(no_swatches(2), SampleFormat("gray", 8)).shape == (2, 5, 5, 1)


@pytest.mark.parametrize("matrix", ["ycgco", "ictcp", "2020cl", "unspecified", "rgb"])
def test_a_matrix_that_is_not_known_is_refused_and_says_what_to_do(matrix: str) -> None:
    with pytest.raises(InputError, match=f"{matrix}.*convert the clip to one of 709, 601"):
        rgb_to_code(np.array(FILL, np.uint8), SampleFormat("yuv", 8, matrix=matrix))


@pytest.mark.parametrize(("bits", "is_float"), [(7, False), (17, False), (32, False), (16, True)])
def test_sample_types_outside_8_to_16_bits_and_float_32_are_refused(bits: int, is_float: bool) -> None:
    with pytest.raises(InputError, match="8 to 16 bits integer or 32 bits float"):
        SampleFormat("yuv", bits, is_float)
