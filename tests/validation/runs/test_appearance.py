"""What a picture looks like stays what it is through an encode, a grade and bars, and tells it from another."""

import cv2
import numpy as np
import pytest

from vsanon.validation.conclusions.footage import same_footage
from vsanon.validation.runs.appearance import look_of

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
