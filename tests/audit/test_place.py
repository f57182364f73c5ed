"""Where the original lies in a redacted picture is found, to a part of a pixel, or said not to be certain."""

import cv2
import numpy as np
import pytest

from vsanon.audit.alignment import UnalignedError
from vsanon.audit.place import Place, _fits, find_place, warped, whole


def picture(size: tuple[int, int] = (480, 320)) -> np.ndarray:
    rng = np.random.default_rng(3)
    found = np.full(size[::-1], 110, np.float32)
    for _ in range(160):
        x, y, w, h = (int(v) for v in rng.integers((0, 0, 6, 6), (size[0], size[1], 60, 60)))
        cv2.rectangle(found, (x, y), (x + w, y + h), float(rng.uniform(10, 245)), -1)
    return np.asarray(cv2.GaussianBlur(found, (0, 0), 0.8) + rng.normal(0, 1, found.shape), np.float32)


def test_the_same_size_and_a_smaller_one_are_told() -> None:
    raw = picture()
    place, words = find_place([(raw, raw)], (480, 320), (480, 320))
    assert place == Place((1.0, 1.0), (0.0, 0.0))
    assert words == "same size"
    small = warped(raw, whole((480, 320), (360, 240)), (360, 240))
    place, words = find_place([(raw, small)], (480, 320), (360, 240))
    assert place == Place((0.75, 0.75), (0.0, 0.0))
    assert words == "scaled to 360x240 from 480x320"


def test_a_crop_that_is_scaled_back_is_found_to_a_part_of_a_pixel() -> None:
    raw = picture()
    made = Place((1.25, 1.25), (-60.0, -25.0))
    place, words = find_place([(raw, warped(raw, made, (480, 320)))], (480, 320), (480, 320))
    assert place.scale == pytest.approx(made.scale, abs=0.003)
    assert place.shift == pytest.approx(made.shift, abs=0.8)
    assert words.startswith("cropped or moved")


def test_a_mirrored_picture_has_no_place() -> None:
    raw = picture()
    with pytest.raises(UnalignedError, match="can't be told"):
        find_place([(raw, np.ascontiguousarray(raw[:, ::-1]))], (480, 320), (480, 320))


def test_boxes_follow_their_picture() -> None:
    place = Place((0.5, 0.5), (10.0, -4.0))
    assert place.boxes(np.array([[20.0, 40.0, 60.0, 80.0]])).tolist() == [[20.0, 16.0, 40.0, 36.0]]


def strong_codec(picture: np.ndarray) -> np.ndarray:
    """Every block of 32 moved its own way by a pixel or two, none on the whole."""
    rng = np.random.default_rng(11)
    ways = rng.choice((-1.6, 1.6), (4, 2))
    moved = [
        cv2.warpAffine(
            picture, np.array([[1, 0, x], [0, 1, y]]), picture.shape[::-1], borderMode=cv2.BORDER_REFLECT
        )
        for x, y in (*ways, *-ways)
    ]
    rows, columns = (side // 32 for side in picture.shape)
    way = np.repeat(np.repeat(rng.permutation(np.arange(rows * columns) % 8).reshape(rows, columns), 32, 0), 32, 1)
    return np.asarray(np.choose(way, moved), np.float32)


@pytest.mark.parametrize(("edge_px", "moved"), [(0.0, False), (0.8, False), (2.4, True), (12.0, True)])
@pytest.mark.parametrize("turned", [False, True])
def test_a_zoom_or_turn_by_two_pixels_at_the_edge_is_told_and_a_strong_codec_is_none(
    edge_px: float, moved: bool, turned: bool
) -> None:
    raw, size = cv2.GaussianBlur(picture((320, 224)), (0, 0), 2.0), (320, 224)
    more = edge_px / 160
    matrix = np.array([[1, -more], [more, 1]]) if turned else np.eye(2) * (1 + more)
    middle = np.array(size) / 2
    place = np.column_stack([matrix, middle - matrix @ middle])
    shown = strong_codec(cv2.warpAffine(raw, place, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))
    pairs = [(raw, np.asarray(shown, np.float32))]
    assert _fits(pairs, whole(size, size), size) is not moved
