"""The conditions of boxes, on pictures and boxes whose answer is known."""

import cv2
import numpy as np
import pytest

from vsanon.validation.metrics.conditions import (
    CONDITIONS,
    Look,
    blur_effect,
    camera_movement,
    is_cut,
    look_at,
    named,
    of_stratum,
    seconds_since,
)
from vsanon.validation.metrics.heads import Head

BLACK, WHITE = 16 * 256, 235 * 256


def luma(share: float, size: tuple[int, int] = (40, 60)) -> np.ndarray:
    """A flat picture, (H, W), 0 black and 1 white."""
    return np.full(size, round(BLACK + share * (WHITE - BLACK)), np.uint16)


def test_light_is_the_mean_luma_of_the_box_alone() -> None:
    picture = luma(0.1)
    picture[10:20, 10:20] = WHITE
    look = look_at(picture, np.array([10, 10, 20, 20], np.float32))
    assert look == Look(pytest.approx(1), 1.0, 0.0, None)
    half = look_at(picture, np.array([10, 10, 30, 20], np.float32))
    assert half is not None
    assert half.light == pytest.approx(0.55, abs=1e-3)
    assert half.white == 0.5


def test_a_box_outside_the_picture_has_no_look() -> None:
    assert look_at(luma(0.5), np.array([70, 0, 90, 20], np.float32)) is None


def test_noise_is_sharp_and_what_was_blurred_is_blurred() -> None:
    noise = np.random.default_rng(1).random((64, 64))
    assert blur_effect(noise) < 0.4
    assert blur_effect(cv2.GaussianBlur(noise, (0, 0), 4)) > 0.6
    assert blur_effect(np.zeros((32, 32))) == 1


def test_a_small_box_is_too_small_to_tell_its_sharpness() -> None:
    small = look_at(luma(0.5), np.array([0, 0, 15, 30], np.float32))
    assert small is not None
    assert small.blur is None


def test_two_shots_hardly_correlate_and_a_step_aside_does() -> None:
    rng = np.random.default_rng(2)
    scene, other = (cv2.resize(rng.integers(0, 256, (9, 16), np.uint8), (320, 180)) for _ in range(2))
    assert is_cut(scene, other)
    assert not is_cut(scene, np.roll(scene, 4, axis=1))
    assert not is_cut(np.zeros((18, 32), np.uint8), np.zeros((18, 32), np.uint8))


def test_the_camera_moves_as_most_of_the_picture_does() -> None:
    flow = np.zeros((10, 100, 2), np.float32)
    flow[..., 0] = 3
    flow[:4] = 50  # somebody runs through
    assert camera_movement(flow) == pytest.approx(0.03)


def test_time_counts_from_the_entry_or_from_the_cut() -> None:
    frames = np.array([0, 1, 2, 3, 7, 8])
    since = seconds_since(frames, np.zeros(6, np.int64), cuts=[2], fps=10)
    assert since.tolist() == pytest.approx([0, 0.1, 0, 0.1, 0, 0.1])


def test_each_box_has_one_value_of_every_condition() -> None:
    boxes = np.array([[0, 10, 9, 30], [5, 5, 35, 45], [100, 100, 190, 200]], np.float32)
    looks = [Look(0.1, 0.0, 0.6, None), Look(0.5, 0.2, 0.0, 0.7), None]
    heads = [None, Head("profile", "tilted"), Head("front", "upright")]
    found = named(
        boxes,
        (np.array([True, False, False]), np.array([False, False, True])),
        looks,
        heads,
        np.array([0.1, 0.5, 2.0]),
        np.array([0.0, 0.1, 0.5]),
        (400, 300),
    )
    assert list(found) == list(CONDITIONS)
    assert all(value in CONDITIONS[name] for name, values in found.items() for value in values)
    assert [" ".join(values) for values in zip(*found.values(), strict=True)] == [
        "<10 yes no cut <0.2s dark no yes unknown still unknown unknown",
        "20-40 no no near 0.2-1s normal yes no blurred slow profile tilted",
        ">80 no yes inside >1s normal no no unknown fast front upright",
    ]


def test_a_stratum_of_evidence_from_before_heads_were_looked_at_names_none_of_them() -> None:
    now = "40-80 no yes inside >1s normal no no sharp still front upright"
    assert of_stratum(now)["yaw"] == "front"
    before = of_stratum(now.rsplit(" ", 2)[0])
    assert list(before) == list(CONDITIONS)[:10]
