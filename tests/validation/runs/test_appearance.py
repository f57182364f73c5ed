"""What a picture looks like stays what it is through an encode, a grade and bars, and tells it from another."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
import vapoursynth as vs

from tests.support.clips import drawn
from vsanon.validation.conclusions.footage import same_footage
from vsanon.validation.runs.appearance import Looks, at_rest, look_of, looks, looks_of_all

BLACK, WHITE = 16 * 256, 235 * 256


def picture(seed: int) -> np.ndarray:
    """Blobs of light over a flat lower half, (H, W) uint16."""
    rng = np.random.default_rng(seed)
    small = rng.random((6, 10)).astype(np.float32)
    upper = cv2.resize(small, (192, 54), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    whole = np.concatenate([upper, np.full((54, 192), 0.5, np.float32)])
    return (BLACK + (0.2 + 0.6 * whole) * (WHITE - BLACK)).astype(np.uint16)


def noisy(shown: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(9).normal(0, 2 * 256, shown.shape)
    return (cv2.GaussianBlur(shown.astype(np.float32), (0, 0), 2) + noise).clip(0, 65535).astype(np.uint16)


def graded(shown: np.ndarray) -> np.ndarray:
    return (BLACK + (shown - float(BLACK)) * 0.7 + 10 * 256).astype(np.uint16)


def with_bars(shown: np.ndarray) -> np.ndarray:
    return cv2.copyMakeBorder(shown, 16, 16, 0, 0, cv2.BORDER_CONSTANT, value=BLACK)


def mirrored(shown: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(shown[:, ::-1])


def source(*looks: str) -> dict[str, object]:
    return {"sha256": None, "looks": list(looks)}


@pytest.mark.parametrize("change", [noisy, graded, with_bars, mirrored])
def test_copies_are_the_same_footage(change: object) -> None:
    own = [picture(seed) for seed in range(4)]
    copies = source(*(look_of(change(shown)) for shown in own))  # type: ignore[operator]
    assert same_footage(source(*map(look_of, own)), copies)
    assert not same_footage(source(*(look_of(picture(seed)) for seed in range(10, 14))), copies)


def test_a_dark_picture_is_no_bar_as_a_whole() -> None:
    assert len(look_of(np.full((54, 96), BLACK, np.uint16))) == 128


def film(seed: int, count: int = 160) -> vs.VideoNode:
    """A window of 96x54 that pans over blobs of light, fast and, about each twentieth frame, slowly."""
    rng = np.random.default_rng(seed)
    wide = cv2.resize(rng.random((6, 400)).astype(np.float32), (8000, 54), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    codes = (BLACK + wide * (WHITE - BLACK)).astype(np.uint16)
    speed = 30 + 22 * np.sin(np.arange(count) * np.pi / 10 + rng.random())
    places = np.cumsum(speed).astype(int)
    return drawn(
        lambda n, p, shape: codes[:, places[n] : places[n] + 96], format=vs.GRAY16, size=(96, 54), length=count
    )


def facts(clip: vs.VideoNode) -> dict[str, object]:
    seen, rest = looks_of_all(clip)
    assert seen == list(looks(clip)), "what a plan sees of a long film is what its measurement sees"
    return {"sha256": None, "looks": seen, "looks_at_rest": rest}


def test_the_pictures_at_rest_are_those_in_the_middle_of_what_moves_least() -> None:
    """Of 30 differences, each ten frames of 9, 5, 2, 1, 2, 5, 9, ..."""
    moved = np.array([9.0, 9, 5, 2, 1, 2, 5, 9, 9, 9] * 3)
    assert at_rest(moved) == [5, 15, 25]


@pytest.mark.parametrize("count", [1, 2, 9, 60])
def test_what_is_seen_picture_by_picture_is_what_all_of_them_show(count: int) -> None:
    pictures = [picture(seed) for seed in np.random.default_rng(count).integers(0, 7, count).tolist()]
    seen = Looks(count)
    for shown in pictures:
        seen.see(shown)
    small = [cv2.resize(shown, (64, 36), interpolation=cv2.INTER_AREA).astype(np.float32) for shown in pictures]
    moved = np.array([np.abs(b - a).mean() for a, b in pairwise(small)])
    rest = [look_of(pictures[n]) for n in at_rest(moved)] if count > 1 else []
    assert seen.found()[1] == rest
    assert set(seen.found()[0]) <= {look_of(shown) for shown in pictures}


def test_a_part_of_a_film_is_the_same_footage_though_evenly_chosen_pictures_are_others() -> None:
    whole, part, other = facts(film(1)), facts(film(1)[37:121]), facts(film(2)[37:121])
    assert same_footage(whole, part)
    assert not same_footage(whole, {**part, "looks_at_rest": []})
    assert not same_footage(whole, other)
