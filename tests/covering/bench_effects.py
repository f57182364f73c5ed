"""What covering costs: `pytest tests/bench_effects.py` prints times; the asserts are on ratios alone."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from vsanon.covering.colour import SampleFormat
from vsanon.covering.effects import paint
from vsanon.covering.looks import PROFILES
from vsanon.covering.masks import FrameLayout, plane_masks
from vsanon.covering.shapes import SHAPES
from vsanon.detections import no_swatches

CASES = {
    "1080p 4:2:0 8-bit": (SampleFormat("yuv", 8), FrameLayout((1920, 1080), (1, 1))),
    "2160p 4:2:2 10-bit": (SampleFormat("yuv", 10), FrameLayout((3840, 2160), (1, 0))),
}
ONE = np.array([[500, 300, 756, 556]], np.float32)
FIVE = np.concatenate([ONE + np.float32([dx, dx / 3, dx, dx / 3]) for dx in range(-300, 901, 300)])


def frame(fmt: SampleFormat, layout: FrameLayout) -> list[NDArray[Any]]:
    rng = np.random.default_rng(0)
    shapes = [layout.plane_shape(p) for p in range(layout.planes)]
    return [rng.integers(0, 1 << fmt.bits, s).astype(fmt.dtype) for s in shapes]


@pytest.mark.parametrize("boxes", [ONE, FIVE], ids=["one", "five"])
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("case", CASES)
def test_paint(benchmark: BenchmarkFixture, case: str, profile: str, boxes: NDArray[np.float32]) -> None:
    fmt, layout = CASES[case]
    planes, classes = frame(fmt, layout), ("face",) * len(boxes)
    swatches = no_swatches(len(boxes))
    benchmark(
        lambda: paint(
            planes.__getitem__, boxes, classes, swatches, layout=layout, fmt=fmt, profile=profile, grid=16
        )
    )


def test_a_mask_costs_as_its_region_and_not_as_its_frame(benchmark: BenchmarkFixture) -> None:
    small, large = FrameLayout((1920, 1080), (1, 1)), FrameLayout((7680, 4320), (1, 1))
    masks = benchmark(lambda: plane_masks(ONE[0], SHAPES["face"], large, 16))
    same = plane_masks(ONE[0], SHAPES["face"], small, 16)
    assert [m.weight.size for m in masks] == [m.weight.size for m in same]
