"""Frame ranges, rates and timelines, by hand."""

from fractions import Fraction

import pytest

from vsanon.encode.encoding import time_grid
from vsanon.timing import Clock, FrameRange, Timeline, frame_at, frames_for


def test_a_frame_range_excludes_its_stop() -> None:
    span = FrameRange(2, 5)
    assert list(span) == [2, 3, 4]
    assert len(span) == 3
    assert 4 in span
    assert 5 not in span


@pytest.mark.parametrize(("start", "stop"), [(-1, 3), (3, 3), (4, 2)])
def test_an_empty_or_negative_frame_range_is_refused(start: int, stop: int) -> None:
    with pytest.raises(ValueError, match="0 <= start < stop"):
        FrameRange(start, stop)


@pytest.mark.parametrize(
    ("seconds", "fps", "frames"),
    [(0.5, Fraction(25), 13), (1.0, Fraction(25), 25), (1.0, Fraction(30000, 1001), 30), (0.5, Fraction(24), 12)],
)
def test_a_span_lasts_at_least_its_seconds(seconds: float, fps: Fraction, frames: int) -> None:
    assert frames_for(seconds, fps) == frames


def test_a_29_97_timeline_in_a_90_khz_base_is_not_variable() -> None:
    pts = tuple(3003 * n for n in range(300))
    assert not Timeline(pts, Fraction(1, 90000), Fraction(30000, 1001)).is_vfr


def test_matroskas_milliseconds_round_but_do_not_make_a_rate_variable() -> None:
    pts = tuple(round(1000 * n / 30) for n in range(100))
    assert not Timeline(pts, Fraction(1, 1000), Fraction(30)).is_vfr


def test_a_frame_that_lasts_twice_as_long_makes_the_rate_variable() -> None:
    assert Timeline((0, 40, 120, 160), Fraction(1, 1000), Fraction(25)).is_vfr


def test_a_frame_is_shown_at_its_pts_times_the_time_base() -> None:
    assert Timeline((10214, 10614), Fraction(1, 11988), Fraction(2997, 100)).seconds(1) == Fraction(10614, 11988)


@pytest.mark.parametrize("pts", [(), (0, 0), (5, 4)])
def test_timestamps_must_be_there_and_rise(pts: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"timeline|timestamps"):
        Timeline(pts, Fraction(1, 25), Fraction(25))


def test_even_frames_lose_the_rounding_of_milliseconds() -> None:
    milliseconds = Timeline((7, 49, 90, 132), Fraction(1, 1000), Fraction(24))  # 7 and 41 2/3 n, rounded
    assert milliseconds.evened() == Timeline((0, 1, 2, 3), Fraction(1, 24), Fraction(24))


def test_uneven_frames_stay_where_they_are() -> None:
    uneven = Timeline((0, 42, 83, 150), Fraction(1, 1000), Fraction(24))
    assert uneven.evened() is uneven


@pytest.mark.parametrize(
    ("fps", "first", "text", "n"),
    [
        (Fraction(25), "23:59:59:10", "00:00:00:10", 25),
        (Fraction(30000, 1001), "23:59:59;10", "00:00:00;10", 30),
        (Fraction(30000, 1001), "23:59:59;10", "00:01:00;02", 20 + 1800),
        (Fraction(25), "12:00:00:00", "00:00:00:00", 12 * 3600 * 25),
    ],
)
def test_a_clip_that_goes_on_after_midnight_is_counted_on(fps: Fraction, first: str, text: str, n: int) -> None:
    clock = Clock.of(fps, first)
    assert frame_at(text, clock) == n
    assert clock.at(n) == text


def test_the_densest_half_second_counts_and_not_the_mean() -> None:
    """Bursts of 12 frames of 25 a second, four seconds apart: all 12 begin within half a second."""
    bursts = tuple(4000 * k + 40 * n for k in range(3) for n in range(12))
    assert Timeline(bursts, Fraction(1, 1000), Fraction(36, 9)).densest == 24


def test_of_even_frames_the_densest_half_second_is_their_rate() -> None:
    assert Timeline(tuple(range(100)), Fraction(1, 50), Fraction(50)).densest == 50


def test_every_part_of_an_uneven_film_has_the_step_of_the_whole() -> None:
    """Of frames 40 ms apart, but for one of 39: by themselves the first three would be counted in steps of 40."""
    whole = Timeline((0, 40, 80, 119, 159), Fraction(1, 1000), Fraction(25))
    parts = [whole.part(0, 3), whole.part(3, 5), whole.part(4, 5)]
    assert [part.pts for part in parts] == [(0, 40, 80), (119, 159), (159,)]
    assert {time_grid(part, part.seconds(0))[1] for part in parts} == {Fraction(1, 1000)}
    even = Timeline(tuple(range(0, 4000, 40)), Fraction(1, 1000), Fraction(25)).part(7, 9)
    assert time_grid(even, even.seconds(0)) == ((0, 1), Fraction(1, 25))
