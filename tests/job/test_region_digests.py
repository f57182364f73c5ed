"""The digests of what was covered: the same for the same regions, another for any other."""

import numpy as np
import pytest

from vsanon.detections import Origin, TrackedBoxes
from vsanon.job.region_digests import RegionDigests, first_difference

KEY = "11" * 32


def digests(*frames: tuple[float, float, float, float]) -> list[str]:
    taken = RegionDigests(colours=False, painting={"profile": "strict"})
    for box in frames:
        xyxy, score = np.array([box], np.float32), np.ones(1, np.float32)
        taken.add(TrackedBoxes(xyxy, score, ("face",), (1,), (Origin.DETECTED,), np.zeros((1, 5, 5, 3), np.uint8)))
    return taken.keyed(KEY)


def test_minus_zero_is_zero_as_a_track_file_holds_it() -> None:
    assert digests((-4.0, 1.0, -0.0, 9.0)) == digests((-4.0, 1.0, 0.0, 9.0))


def test_an_eighth_of_a_pixel_is_another_region() -> None:
    assert digests((-4.0, 1.0, 0.125, 9.0)) != digests((-4.0, 1.0, 0.0, 9.0))


@pytest.mark.parametrize("frame", [0, 99, 100, 249])
def test_a_difference_is_told_to_a_hundred_frames(frame: int) -> None:
    ours = [(1.0, 1.0, 9.0, 9.0)] * 250
    theirs = [*ours[:frame], (1.0, 1.0, 9.0, 8.0), *ours[frame + 1 :]]
    first, last = frame // 100 * 100, min(frame // 100 * 100 + 99, 249)
    said = first_difference(digests(*ours), digests(*theirs), 250)
    assert said == f"other regions or painting in frames {first} to {last}, or already before"
    assert first_difference(digests(*ours), digests(*ours), 250) == ""
