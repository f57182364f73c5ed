"""Two clips lie to each other as their pictures say, and where those do not say it for certain it is said."""

from fractions import Fraction

import cv2
import numpy as np
import pytest

from vsanon.audit.alignment import UnalignedError, find_timing

SIZE = (64, 40)


def clip(frames: int, seed: int = 0, step: float = 1.5) -> np.ndarray:
    """(n, h, w) a texture that slides by `step` samples a frame."""
    rng = np.random.default_rng(seed)
    wide = cv2.GaussianBlur(rng.uniform(0, 255, (SIZE[1], 400)).astype(np.float32), (0, 0), 1.5)
    wide = (wide - wide.mean()) * 3 + 120
    found = [
        cv2.warpAffine(wide, np.array([[1, 0, -step * n], [0, 1, 0]], np.float64), SIZE) for n in range(frames)
    ]
    return np.stack(found).astype(np.float32)


def noisy(pictures: np.ndarray, seed: int = 1) -> np.ndarray:
    """As after an encoder, with a fifth of each picture covered."""
    found = pictures + np.random.default_rng(seed).normal(0, 1.5, pictures.shape).astype(np.float32)
    found[:, 10:26, 20:48] = 100
    return np.asarray(found, np.float32)


@pytest.mark.parametrize("offset", [0, 5, 17])
def test_an_offset_is_found_by_content(offset: int) -> None:
    raw = clip(60)
    found = find_timing(raw, noisy(raw[offset : offset + 36]))
    assert found.offset == offset
    assert found.shown.tolist() == list(range(offset, offset + 36))
    assert found.sure


def test_a_brighter_grade_does_not_hide_an_offset() -> None:
    raw = clip(60)
    assert find_timing(raw, noisy(raw[5:41]) * np.float32(0.8) + np.float32(30)).offset == 5


def test_leading_frames_of_another_picture_show_none_of_the_original() -> None:
    raw = clip(60)
    found = find_timing(raw, noisy(np.concatenate([clip(3, seed=9), raw[:40]])))
    assert found.shown[:5].tolist() == [-1, -1, -1, 0, 1]


def test_dropped_frames_of_a_lower_rate_are_found() -> None:
    raw = clip(60)
    kept = [n for n in range(60) if n % 6 != 3]  # 30 to 25
    found = find_timing(raw, noisy(raw[kept]), (Fraction(1), Fraction(6, 5)))
    assert found.rate == Fraction(6, 5)
    assert found.shown.tolist() == kept


@pytest.mark.parametrize(("count", "step"), [(6, 0.8), (30, 0.5)])
def test_at_half_the_rate_a_frame_may_be_either_of_two(count: int, step: float) -> None:
    """Where times are rounded to milliseconds, ffmpeg's fps filter takes now the one, now the other."""
    kept = [2 * n + (n % 3 == 2) for n in range(count)]
    raw = clip(2 * count, step=step)
    found = find_timing(raw, noisy(raw[kept]), (Fraction(1), Fraction(2)))
    assert found.rate == 2
    assert found.shown.tolist() == kept


@pytest.mark.parametrize("grain", [1.5, 8.0])
def test_of_a_still_picture_at_half_the_rate_no_grain_makes_an_alignment(grain: float) -> None:
    still = clip(1)[0]
    noise = np.random.default_rng(3).normal(0, grain, (90, *still.shape))
    shots = (still + noise).astype(np.float32)
    with pytest.raises(UnalignedError) as error:
        find_timing(shots[:60], shots[60:], (Fraction(1), Fraction(2)))
    for words in ("with 1 frame of the original", "with 2 frames of the original", "too few frames to tell"):
        assert words in str(error.value)


def test_a_frame_that_is_dropped_on_the_way_is_no_alignment() -> None:
    raw = clip(60)
    with pytest.raises(UnalignedError, match="dropped, repeated"):
        find_timing(raw, noisy(np.concatenate([raw[:30], raw[31:]])))


def test_another_clip_is_no_alignment() -> None:
    with pytest.raises(UnalignedError, match="not those of the original"):
        find_timing(clip(40), noisy(clip(40, seed=5)))


def test_a_still_picture_can_not_be_aligned_and_is_taken_as_stated() -> None:
    raw = clip(40, step=0)
    with pytest.raises(UnalignedError, match="fit alike"):
        find_timing(raw, noisy(raw))
    found = find_timing(raw, noisy(raw), stated=0)
    assert (found.offset, found.sure) == (0, False)


def test_a_stated_offset_against_which_the_pictures_speak_is_refused() -> None:
    raw = clip(60)
    with pytest.raises(UnalignedError, match="speak for 5"):
        find_timing(raw, noisy(raw[5:41]), stated=4)
