"""What no encode does to its master is told, and what every encode does is not."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from vsanon.validation.metrics.fidelity import other_colours, unlike

FRAMES = 24


def master() -> np.ndarray:
    """A picture that moves by a pixel a frame, (n, h, w) uint8."""
    wide = np.random.default_rng(3).random((8, 24)).astype(np.float32)
    wide = cv2.resize(wide, (120, 36), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    return np.stack([(40 + 160 * wide[:, n : n + 64]).astype(np.uint8) for n in range(FRAMES)])


def hard(pictures: np.ndarray) -> np.ndarray:
    """As a hard encode leaves it: blurred, noisy, a code brighter."""
    noise = np.random.default_rng(5).normal(1, 2, pictures.shape)
    blurred = np.stack([cv2.GaussianBlur(p, (0, 0), 1) for p in pictures])
    return np.clip(blurred + noise, 0, 255).astype(np.uint8)


def test_a_hard_encode_is_its_master() -> None:
    assert unlike(master(), hard(master())) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: p[:, :, ::-1], "its pictures are others than its master's"),
        (lambda p: 255 - p, "its pictures are others than its master's"),
        (lambda p: p + 20, "it is brighter than its master by 2"),
        (lambda p: p - 20, "it is darker than its master by 1"),
        (lambda p: (16 + p * (219 / 255)).astype(np.uint8), "its contrast is 0.8"),
        (lambda p: np.concatenate([p[:1], p[:-1]]), "its frame n shows what frame n-1 of its master shows"),
        (lambda p: np.concatenate([p[2:], p[-1:], p[-1:]]), "its frame n shows what frame n+2 of its master shows"),
    ],
)
def test_what_no_encode_does_is_said(change: Callable[[np.ndarray], np.ndarray], words: str) -> None:
    assert (unlike(master(), hard(change(master()))) or "").startswith(words)


def test_a_hard_encode_that_lags_where_little_moves_is_no_slip() -> None:
    """Two thirds of what moved stay where it was a frame before."""
    pictures = master().astype(np.float32)
    lagging = np.concatenate([pictures[:1], (pictures[1:] + 2 * pictures[:-1]) / 3]).astype(np.uint8)
    assert unlike(master(), hard(lagging)) is None


def test_what_stands_still_or_is_even_has_no_frame_to_tell() -> None:
    still = np.repeat(master()[:1], FRAMES, axis=0)
    assert unlike(still, hard(still)) is None
    black = np.zeros((FRAMES, 36, 64), np.uint8)
    assert unlike(black, black + 2) is None
    assert unlike(black, black + 30) == "it is brighter than its master by 30 codes of 255"


def test_grey_pictures_of_a_coloured_master_have_other_colours() -> None:
    """As measured: a clip made grey by a filter, and one at CRF 51."""
    assert "19.6 dB in chroma" in (other_colours(33.6, 25.3, 19.6) or "")
    assert other_colours(24.0, 33.0, 34.0) is None
    assert other_colours(20.0, 19.0, 21.0) is None  # a poor picture all over
