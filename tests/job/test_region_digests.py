"""The digests of what was covered: the same for the same regions, another for any other."""

from typing import Any

import numpy as np
import pytest

from vsanon.detections import Origin, Outline, TrackedBoxes
from vsanon.job.region_digests import RegionDigests, first_difference

KEY = "11" * 32


BOX = (1.0, 1.0, 9.0, 9.0)


def digests(
    *frames: tuple[float, float, float, float],
    label: str = "face",
    outline: Outline | None = None,
    swatch: int = 0,
    colours: bool = False,
    profile: str = "strict",
    key: str = KEY,
) -> list[str]:
    taken = RegionDigests(colours=colours, painting={"profile": profile})
    for box in frames:
        xyxy, score = np.array([box], np.float32), np.ones(1, np.float32)
        swatches = np.full((1, 5, 5, 3), swatch, np.uint8)
        taken.add(TrackedBoxes(xyxy, score, (label,), (1,), (Origin.DETECTED,), swatches, (outline,)))
    return taken.keyed(key)


@pytest.mark.parametrize(
    "other",
    [
        {"label": "plate"},
        {"outline": Outline("ellipse")},
        {"profile": "soft"},
        {"key": "22" * 32},
    ],
)
def test_another_class_outline_painting_or_source_is_another_digest(other: dict[str, Any]) -> None:
    assert digests(BOX, **other) != digests(BOX)


def test_colours_count_where_the_paint_is_made_of_them_and_only_there() -> None:
    assert digests(BOX, swatch=1, colours=True) != digests(BOX, swatch=2, colours=True)
    assert digests(BOX, swatch=1) == digests(BOX, swatch=2)


def test_a_film_that_repeats_itself_does_not_repeat_its_digests() -> None:
    first, second = digests(*[BOX] * 200)
    assert first != second


def test_digests_that_are_missing_are_no_same_regions() -> None:
    ours = digests(*[BOX] * 200)
    assert first_difference(ours, ours[:1], 200) == "1 digests for 200 frames, 2 were expected"
    assert first_difference(ours, [], 200) == "0 digests for 200 frames, 2 were expected"


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
