"""Between two searched frames: what is carried on, and what must be searched."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.support.clips import Box, found
from vsanon.detections import Detections, join
from vsanon.tracking.between import between
from vsanon.tracking.evidence import FACES

SIZE = (160, 96)
NOTHING = found([])


def texture(seed: int, width: int, height: int) -> NDArray[np.uint8]:
    """Coarse spots of 4 px: what an object looks like, and no other."""
    spots = np.random.default_rng(seed).integers(90, 256, (-(-height // 4), -(-width // 4)), np.uint8)
    return np.repeat(np.repeat(spots, 4, axis=0), 4, axis=1)[:height, :width]


def pictures(places: Sequence[Sequence[Box]]) -> list[NDArray[np.uint8]]:
    """A picture a frame with object `i` at its box of the frame, on an even ground."""
    drawn = []
    for boxes in places:
        picture = np.full((SIZE[1], SIZE[0]), 60, np.uint8)
        for i, (x0, y0, x1, y1) in enumerate(boxes):
            picture[int(y0) : int(y1), int(x0) : int(x1)] = texture(i, int(x1 - x0), int(y1 - y0))
        drawn.append(picture)
    return drawn


def at(x: float, y: float = 30, side: float = 24) -> Box:
    return (x, y, x + side, y + side)


def holds(frame: Detections, box: Box) -> bool:
    """Whether one of the boxes holds all of a true one, within a pixel for the rounding of a move."""
    lower, upper = np.array(box[:2]) + 1, np.array(box[2:]) - 1
    return bool(((frame.xyxy[:, :2] <= lower) & (frame.xyxy[:, 2:] >= upper)).all(axis=1).any())


def test_a_still_picture_has_the_answer_of_its_ends_to_the_bit() -> None:
    seen = found([at(20)], 0.61)
    answer = between(seen, found([at(20)], 0.61), pictures([[at(20)]] * 9), SIZE)
    assert answer.doubt == ""
    assert all(frame is seen for frame in answer.frames)
    assert len(answer.frames) == 7


def test_what_moves_evenly_needs_no_search() -> None:
    places = [[at(20 + 3 * n)] for n in range(9)]
    answer = between(found(places[0]), found(places[8]), pictures(places), SIZE)
    assert answer.doubt == ""
    for n in range(1, 8):
        assert holds(answer.frames[n - 1], places[n][0])
        # Grown by 1.6 % for each frame to the nearest end, and a pixel for the rounding of each end.
        assert np.ptp(answer.frames[n - 1].xyxy[0, ::2]) <= 24 * 1.07 + 2


def test_what_goes_away_and_comes_back_between_is_followed() -> None:
    way = [0, 4, 8, 11, 12, 11, 8, 4, 0]
    places = [[at(40 + x)] for x in way]
    answer = between(found(places[0]), found(places[8]), pictures(places), SIZE)
    assert answer.doubt == ""
    assert all(holds(answer.frames[n - 1], places[n][0]) for n in range(1, 8))


def test_what_is_hidden_between_is_searched() -> None:
    places = [[at(40)] if n in (0, 8) else [] for n in range(9)]
    assert (
        between(found([at(40)]), found([at(40)]), pictures(places), SIZE).doubt == "an object is not seen between"
    )


def test_what_moves_far_and_unseen_is_searched() -> None:
    """It turns between, so that neither end shows how it looks in the middle."""
    drawn = pictures([[at(40)], [], [at(60)]])
    assert between(found([at(40)]), found([at(60)]), drawn, SIZE).doubt == "an object is not seen between"
    # Two pixels are less than half of its side: it may stay unseen for one frame.
    drawn = pictures([[at(40)], [], [at(42)]])
    answer = between(found([at(40)]), found([at(42)]), drawn, SIZE)
    assert answer.doubt == ""
    assert holds(answer.frames[0], at(41))


def test_what_grows_to_twice_its_side_is_searched() -> None:
    drawn = pictures([[at(40)]] * 5)
    assert between(found([at(40)]), found([at(30, 20, 44)]), drawn, SIZE).doubt == "an object changes its size"


@pytest.mark.parametrize("turned", [False, True])
def test_what_one_end_alone_shows_is_searched_where_it_can_not_be_followed(turned: bool) -> None:
    places: list[list[Box]] = [[at(40)] if n < 3 else [] for n in range(9)]
    ends = [found([at(40)], 0.5), NOTHING]
    drawn = pictures(places)
    if turned:
        ends, drawn = ends[::-1], drawn[::-1]
    answer = between(ends[0], ends[1], drawn, SIZE)
    assert answer.doubt == "an object is found at one end only"
    assert all(len(frame) == 1 for frame in answer.frames)
    # In five frames a score of 0.6 is a reason, in three none: both are held over all of them.
    for length, score, reason in ((4, 0.5, ""), (4, 0.6, "an object is found at one end only"), (2, 0.9, "")):
        few = pictures([[at(40)], *([[]] * length)])
        answer = between(found([at(40)], score), NOTHING, few, SIZE)
        assert answer.doubt == reason
        assert all(holds(frame, at(40)) for frame in answer.frames)


def test_what_a_second_look_agrees_with_is_a_reason_to_search_at_any_score() -> None:
    """A plate of 0.5, hidden after the second of nine frames, or in all between; 0.6 would be a reason by itself.

    What one end alone shows in three frames is none at any score, nor what can be followed, but where it agreed.
    """
    plate, gone = found([at(40)], 0.5, "plate"), pictures([[at(40)]] * 2 + [[]] * 7)
    hidden = pictures([[at(40)] if n in (0, 8) else [] for n in range(9)])
    for agreed, lone, pair in (
        (False, "", ""),
        (True, "an object is found at one end only", "an object is not seen between"),
    ):
        here = replace(plate, agreed=np.array([agreed]))
        assert between(here, NOTHING, gone, SIZE).doubt == lone
        assert between(NOTHING, here, gone[::-1], SIZE).doubt == lone
        assert between(NOTHING, here, gone[:-4:-1], SIZE).doubt == lone
        assert between(here, NOTHING, pictures([[at(40)]] * 9), SIZE).doubt == lone
        assert between(plate, here, hidden, SIZE).doubt == between(here, plate, hidden, SIZE).doubt == pair


def test_what_a_detector_missed_at_one_end_is_followed_there() -> None:
    places = [[at(40 + 2 * n)] for n in range(9)]
    answer = between(found(places[0]), NOTHING, pictures(places), SIZE)
    assert answer.doubt == ""
    assert all(holds(answer.frames[n - 1], places[n][0]) for n in range(1, 8))


def test_what_jumps_while_it_is_followed_is_searched() -> None:
    """It stands for five frames, and then what looks like it stands half of its side away."""
    places = [[at(40 if n < 5 else 52)] for n in range(9)]
    answer = between(found(places[0]), NOTHING, pictures(places), SIZE)
    assert answer.doubt == "an object is found at one end only"
    assert [holds(frame, at(40)) for frame in answer.frames] == [True] * 7


def test_a_weak_detection_at_one_end_reaches_to_the_middle_and_makes_no_track() -> None:
    answer = between(found([at(40)], 0.3), NOTHING, pictures([[at(40)]] * 9), SIZE)
    assert [len(frame) for frame in answer.frames] == [1, 1, 1, 1, 0, 0, 0]
    # Too weak to be covered by itself: nothing of it is carried on.
    assert not any(len(f) for f in between(found([at(40)], 0.1), NOTHING, pictures([[]] * 9), SIZE).frames)


@pytest.mark.parametrize("when", [1, 4, 7])
def test_what_shows_up_between_and_is_gone_at_both_ends_is_noticed(when: int) -> None:
    places = [[at(20), *([at(100)] if n == when else [])] for n in range(9)]
    answer = between(found([at(20)]), found([at(20)]), pictures(places), SIZE)
    assert answer.doubt == "something new is seen"


def test_what_only_moves_is_not_new() -> None:
    places = [[at(20), at(100 + n, 50, 40)] for n in range(9)]
    assert between(found([at(20)]), found([at(20)]), pictures(places), SIZE).doubt == ""


def test_a_picture_too_small_to_tell_is_searched() -> None:
    tiny = [np.full((8, 8), 10 * n, np.uint8) for n in range(3)]
    assert between(NOTHING, NOTHING, tiny, (8, 8)).doubt == "something new is seen"


def test_boxes_of_two_classes_are_not_of_one_object() -> None:
    drawn = pictures([[at(40)]] * 3)
    answer = between(found([at(40)]), found([at(40)], name="plate"), drawn, SIZE)
    assert sorted(answer.frames[0].classes) == ["face", "plate"]


def test_an_interval_has_two_ends() -> None:
    with pytest.raises(ValueError, match="two ends, got 1"):
        between(NOTHING, NOTHING, pictures([[]]), SIZE)


BOXES = st.lists(
    st.tuples(st.floats(-20, 150), st.floats(-20, 90), st.floats(2, 60), st.sampled_from([0.1, 0.3, 0.5, 0.9])),
    max_size=5,
)


def detections(rows: list[tuple[float, float, float, float]]) -> Detections:
    return join([found([at(x, y, side)], score) for x, y, side, score in rows])


@settings(deadline=None, max_examples=60)
@given(BOXES, BOXES, st.integers(2, 8), st.integers(0, 2**32 - 1))
def test_whatever_the_ends_show_each_sure_object_has_a_box_in_every_frame_between(
    first: list[tuple[float, float, float, float]],
    second: list[tuple[float, float, float, float]],
    length: int,
    seed: int,
) -> None:
    """Whatever is drawn: with a doubt as well, since a fixed stride takes the answer in any case."""
    noise = np.random.default_rng(seed).integers(0, 256, (length + 1, SIZE[1], SIZE[0]), np.uint8)
    ends = detections(first), detections(second)
    answer = between(*ends, list(noise), SIZE)
    assert len(answer.frames) == length - 1
    # A sure box is never dropped as an echo of a better one.
    sure = max(int((end.scores >= FACES.confirm_score).sum()) for end in ends)
    for frame in answer.frames:
        assert len(frame) >= sure
        assert np.isfinite(frame.xyxy).all()


@settings(deadline=None, max_examples=40)
@given(st.integers(10, 90), st.integers(-3, 3), st.integers(2, 8))
def test_backwards_in_time_gives_the_same_boxes_backwards(x: int, speed: int, length: int) -> None:
    places = [[at(x + speed * n + 20)] for n in range(length + 1)]
    drawn = pictures(places)
    forward = between(found(places[0], 0.8), found(places[-1], 0.6), drawn, SIZE)
    backward = between(found(places[-1], 0.6), found(places[0], 0.8), drawn[::-1], SIZE)
    assert forward.doubt == backward.doubt
    for one, other in zip(forward.frames, backward.frames[::-1], strict=True):
        np.testing.assert_allclose(one.xyxy, other.xyxy, atol=1e-3)
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-6)
