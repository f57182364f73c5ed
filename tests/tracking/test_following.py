"""What is not found is followed in small pictures: where it goes, when that is not believed, and what covers it."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.support.clips import found
from tests.tracking.test_between import texture
from tests.tracking.test_cover import linked_frames
from vsanon.detections import Detections, Origin, TrackedBoxes
from vsanon.tracking.cover import cover
from vsanon.tracking.following import Paths, picture_size
from vsanon.tracking.settings import TrackSettings
from vsanon.tracking.tracklets import LinkedFrame

U8 = NDArray[np.uint8]
Place = tuple[int, int]

SMALL, FACTOR = (160, 96), 4
SIZE = (SMALL[0] * FACTOR, SMALL[1] * FACTOR)
SIDE = 24
SHAKE: Sequence[Place] = [(40, 30), (46, 27), (41, 35), (50, 38), (58, 31), (52, 28), (60, 33), (66, 41), (61, 36)]
"""Where the object lies in the small picture of each frame: no line, and no two steps are alike."""


def drawn(places: Sequence[Place | None], ground: int | None = None) -> list[U8]:
    """A small picture a frame with an object at its place, over an even ground or one with a texture of its own."""
    pictures = []
    for place in places:
        picture = np.full(SMALL[::-1], 60, np.uint8) if ground is None else texture(ground, *SMALL)
        if place is not None:
            x, y = place
            picture[y : y + SIDE, x : x + SIDE] = texture(1, SIDE, SIDE)
        pictures.append(picture)
    return pictures


def box(place: Place) -> tuple[int, int, int, int]:
    """The object's box in the frame."""
    x, y = place
    return x * FACTOR, y * FACTOR, (x + SIDE) * FACTOR, (y + SIDE) * FACTOR


def centre(place: Place) -> list[float]:
    return [(v + SIDE / 2) * FACTOR for v in place]


def went(pictures: Sequence[U8 | None], end: int, to: int, paths: Paths | None = None) -> tuple[list[float], int]:
    """How far the object of frame `end` goes until frame `to`, and over how many frames it is seen."""
    row = np.array([[*centre(SHAKE[end]), SIDE * FACTOR, SIDE * FACTOR]])
    gone, seen = (paths or Paths()).follow(pictures, 0, np.array([end]), np.array([to]), row, SIZE)
    return gone[0].tolist(), int(seen[0])


def covering(
    detections: Sequence[Detections], pictures: Sequence[U8 | None], paths: Paths | None = None
) -> list[TrackedBoxes]:
    """What must be covered in each frame."""
    ask = TrackSettings()
    frames = [
        LinkedFrame(frame.detections, frame.links, frame.cut, True, picture)
        for frame, picture in zip(linked_frames(detections, (), ask), pictures, strict=True)
    ]
    spans = ask.frames(Fraction(25))
    return [boxes for boxes, _ in cover(frames, 0, range(len(frames)), SIZE, ask, spans, paths)]


def covered(boxes: TrackedBoxes, place: Place) -> float:
    """The share of the object that one box covers, at best."""
    own, true = boxes.xyxy.astype(np.float64), np.array(box(place), np.float64)
    sides = np.clip(np.minimum(own[:, 2:], true[2:]) - np.maximum(own[:, :2], true[:2]), 0, None)
    return float((sides.prod(axis=1) / (true[2:] - true[:2]).prod()).max(initial=0))


@pytest.mark.parametrize(("end", "to"), [(0, 8), (8, 0), (3, 4), (5, 2)])
def test_an_object_that_jumps_about_is_followed_both_ways_to_a_pixel_of_the_small_picture(
    end: int, to: int
) -> None:
    gone, seen = went(drawn(SHAKE), end, to)
    wanted = np.subtract(centre(SHAKE[to]), centre(SHAKE[end]))
    assert seen == abs(to - end)
    assert np.abs(np.array(gone) - wanted).max() <= FACTOR


def test_what_is_seen_no_more_is_followed_to_where_it_was_seen_last() -> None:
    gone_from = 5
    pictures = drawn([place if n < gone_from else None for n, place in enumerate(SHAKE)])
    gone, seen = went(pictures, 0, 8)
    assert seen == gone_from - 1
    assert np.abs(np.array(gone) - np.subtract(centre(SHAKE[4]), centre(SHAKE[0]))).max() <= FACTOR


def test_without_a_picture_of_a_frame_nothing_is_followed_past_it() -> None:
    pictures: list[U8 | None] = [*drawn(SHAKE)]
    pictures[3] = None
    assert went(pictures, 0, 8)[1] == 2
    assert went([None] * 9, 0, 8) == ([0.0, 0.0], 0)


def test_nothing_is_followed_to_a_picture_of_another_size() -> None:
    pictures: list[U8 | None] = [*drawn(SHAKE)]
    pictures[3] = np.full((90, 160), 60, np.uint8)
    assert went(pictures, 0, 8)[1] == 2


def test_an_even_patch_is_not_followed() -> None:
    assert went([np.full(SMALL[::-1], 60, np.uint8)] * 9, 0, 8)[1] == 0


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)).filter(lambda p: p[0] != p[1]), min_size=1, max_size=6)
)
def test_a_path_is_the_same_whatever_was_asked_for_before_it(asked: list[tuple[int, int]]) -> None:
    pictures, paths = drawn(SHAKE, ground=3), Paths()
    for end, to in asked:
        assert went(pictures, end, to, paths) == went(pictures, end, to)


def test_paths_of_a_long_film_are_forgotten_but_those_that_are_asked_for_again_and_again() -> None:
    pictures, paths = drawn(SHAKE, ground=3), Paths()
    wanted = went(pictures, 0, 7, paths)
    (first,) = paths._known.values()
    for k in range(600):
        paths.follow(pictures, 0, np.array([0]), np.array([7]), np.array([[40.0, 40, 9, 9 + k / 100]]), SIZE)
        assert went(pictures, 0, 7, paths) == wanted
    assert len(paths._known) == 256
    assert first in paths._known.values()


def test_a_box_followed_beside_others_goes_where_it_goes_alone() -> None:
    pictures = drawn(SHAKE, ground=3)
    rows = np.array([[*centre(SHAKE[n]), SIDE * FACTOR, SIDE * FACTOR] for n in (0, 2, 8)])
    gone, seen = Paths().follow(pictures, 0, np.array([0, 2, 8]), np.array([7, 7, 1]), rows, SIZE)
    alone = [went(pictures, end, to) for end, to in ((0, 7), (2, 7), (8, 1))]
    assert [(row.tolist(), int(n)) for row, n in zip(gone, seen, strict=True)] == alone


@pytest.mark.parametrize("shown", [range(4), range(5, 9)])
def test_a_held_box_stays_on_what_it_holds_where_the_camera_shakes(shown: range) -> None:
    detections = [found([box(place)] if n in shown else []) for n, place in enumerate(SHAKE)]
    followed, straight = (covering(detections, p) for p in (drawn(SHAKE), [None] * len(SHAKE)))
    held = [n for n in range(len(SHAKE)) if n not in shown]
    assert all(followed[n].origins == (Origin.HELD,) for n in held)
    assert min(covered(followed[n], SHAKE[n]) for n in held) > 0.95
    assert min(covered(straight[n], SHAKE[n]) for n in held) < 0.7


def test_a_gap_is_bridged_on_the_path_that_is_seen_and_else_straight() -> None:
    missing = range(3, 6)
    detections = [found([] if n in missing else [box(place)]) for n, place in enumerate(SHAKE)]
    followed, straight = (covering(detections, p) for p in (drawn(SHAKE), [None] * len(SHAKE)))
    assert all(followed[n].origins == (Origin.INTERPOLATED,) for n in missing)
    assert min(covered(followed[n], SHAKE[n]) for n in missing) > 0.95
    assert min(covered(straight[n], SHAKE[n]) for n in missing) < 0.85


def test_a_gap_whose_end_is_not_arrived_at_is_bridged_straight() -> None:
    missing = range(3, 6)
    detections = [found([] if n in missing else [box(place)]) for n, place in enumerate(SHAKE)]
    # What the first end is followed on goes elsewhere: it stays where frame 2 shows it.
    pictures = drawn([SHAKE[min(n, 2)] for n in range(len(SHAKE))])
    followed, straight = (covering(detections, p) for p in (pictures, [None] * len(SHAKE)))
    for n in missing:
        assert followed[n].xyxy.tolist() == straight[n].xyxy.tolist()


def test_what_is_seen_no_more_goes_on_at_the_speed_it_was_found_to_have() -> None:
    places = [(20 + 4 * n, 30) for n in range(9)]
    detections = [found([box(place)] if n < 4 else []) for n, place in enumerate(places)]
    pictures = drawn([place if n < 4 else None for n, place in enumerate(places)])
    followed = covering(detections, pictures)
    assert min(covered(followed[n], places[n]) for n in range(4, 9)) > 0.95


@pytest.mark.parametrize(
    ("size", "small"), [((1920, 1080), (320, 180)), ((240, 100), (240, 100)), ((4096, 2), (320, 1))]
)
def test_small_pictures_are_320_px_across_at_most_and_never_larger_than_the_frame(
    size: tuple[int, int], small: tuple[int, int]
) -> None:
    assert picture_size(size) == small
