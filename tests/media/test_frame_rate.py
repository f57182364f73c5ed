"""The rate of a clip and the times of its frames: put into order and filled in where that is safe, else refused."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsanon.errors import InputError
from vsanon.media import frame_rate
from vsanon.media.frame_rate import NO_PTS, nominal_rate, risen, timeline_of


@given(st.lists(st.integers(1, 100), min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_times_shuffled_within_what_a_decoder_holds_come_back(steps: list[int], random: object) -> None:
    times = list(np.cumsum(steps).tolist())
    blocks = [times[at : at + 8] for at in range(0, len(times), 8)]
    for block in blocks:
        random.shuffle(block)  # type: ignore[attr-defined]
    assert risen([time for block in blocks for time in block]) == times


@pytest.mark.parametrize("pts", [[*range(50), *range(50)], [0] * 5, [*range(40, 80), *range(40)]])
def test_two_recordings_in_one_and_frames_that_stand_still_are_not_put_into_order(pts: list[int]) -> None:
    assert risen(pts) is None


def test_frames_without_a_timestamp_take_the_place_that_is_left() -> None:
    step = Fraction(3600)
    assert frame_rate._filled(Path("x"), [0, 3600, NO_PTS, NO_PTS, 14400, NO_PTS], step) == [
        0,
        3600,
        7200,
        10800,
        14400,
        18000,
    ]


@pytest.mark.parametrize("pts", [[NO_PTS, 3600], [0, NO_PTS, 3600], [0, NO_PTS, 90000]])
def test_where_there_is_a_choice_the_file_is_refused(pts: list[int]) -> None:
    with pytest.raises(InputError, match=r"frame [01] has no timestamp: write its packets anew"):
        frame_rate._filled(Path("x"), pts, Fraction(3600))


def test_times_that_stand_still_are_refused_but_for_a_tick_or_two() -> None:
    timeline, _ = timeline_of(Path("x"), [0, 10, 10], Fraction(1, 1000), Fraction(100))
    assert timeline.pts == (0, 10, 11)
    with pytest.raises(InputError, match="timestamp of frame 2 does not rise"):
        timeline_of(Path("x"), [0, 10, 10, 10, 10], Fraction(1, 1000), Fraction(100))


def test_the_rate_of_a_stream_is_its_average_where_that_can_be_a_rate() -> None:
    assert nominal_rate(Fraction(25), Fraction(30), None) == 25
    # Raw DV: an "average" of 60,000 ticks a second, and a guess that can be one.
    assert nominal_rate(Fraction(60000), Fraction(30000, 1001)) == Fraction(30000, 1001)
    assert nominal_rate(None, Fraction(90000)) == 90000  # better than none
    assert nominal_rate(None, None) is None
