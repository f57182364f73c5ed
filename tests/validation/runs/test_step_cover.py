"""The masks of a frame as figures take them: where all is covered, where any, and the same in few pixels."""

import cv2
import numpy as np
import pytest

from vsanon.covering.masks import FrameLayout
from vsanon.detections import Origin, TrackedBoxes, no_swatches
from vsanon.job.mattes import weights
from vsanon.validation.runs.step_cover import parts_of, shrunk

LAYOUT = FrameLayout((192, 108), planes=1)


def boxes(*xyxy: tuple[float, float, float, float]) -> TrackedBoxes:
    count = len(xyxy)
    places, scores = np.array(xyxy, np.float32).reshape(-1, 4), np.ones(count, np.float32)
    origins = (Origin.DETECTED,) * count
    return TrackedBoxes(places, scores, ("face",) * count, tuple(range(count)), origins, no_swatches(count))


@pytest.mark.parametrize("peak", [255, 1023, None])
def test_the_parts_are_those_of_the_whole_matte(peak: int | None) -> None:
    """Two boxes whose ramps meet, one over the edge of the frame, and none at all."""
    for some in (boxes((20, 20, 40, 50), (44, 25, 60, 45), (180, 90, 200, 120)), boxes()):
        core, touched = parts_of(some, LAYOUT, 16, peak)
        matte = weights(some, LAYOUT, 16)[0]
        half = 0 if peak is None else 0.5 / peak
        assert np.array_equal(core, matte >= 1 - half)
        assert np.array_equal(touched, (matte > 0) & (matte >= half))
        assert touched.any() == bool(len(some))


@pytest.mark.parametrize("size", [(64, 36), (48, 36), (50, 40), (192, 108)])
def test_a_small_pixel_is_masked_where_any_is_that_it_stands_for(size: tuple[int, int]) -> None:
    mask = np.random.default_rng(size[0]).random((108, 192)) < 0.02
    share = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    assert np.array_equal(shrunk(mask, size), share > 0)
    assert shrunk(mask, size).any()
