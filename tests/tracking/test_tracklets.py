"""The tracks of a window as arrays: links are followed, pieces joined, speeds and smooth boxes taken, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from tests.support.clips import Box, found
from tests.support.linked import followed, window, windows
from vsanon.detections import join
from vsanon.tracking.edges import completed
from vsanon.tracking.evidence import EVIDENCE
from vsanon.tracking.tracklets import (
    LinkedFrame,
    chained,
    smooth,
    velocity,
)  # fmt: skip

A: Box = (0, 0, 10, 10)
B: Box = (100, 0, 110, 10)


def moved(box: Box, by: float) -> Box:
    return box[0] + by, box[1], box[2] + by, box[3]


def test_links_are_followed_though_detections_change_their_places() -> None:
    chains = chained(window(([A, B], (-1, -1)), ([B, A], (1, 0)), ([A, B], (1, 0))), 50, EVIDENCE)
    tracks = windows(chains, (50, 53))
    assert tracks.begin.tolist() == [0, 3, 6]
    assert tracks.at.tolist() == [50, 51, 52] * 2
    assert chains.index[tracks.row].tolist() == [0, 1, 0, 1, 0, 1]
    assert tracks.cxywh[:, 0].tolist() == [5, 5, 5, 105, 105, 105]


def test_chains_come_by_their_last_detection_and_a_frame_without_one_ends_them() -> None:
    frames = [*window(([A, B], (-1, -1)), ([B], (1,))), LinkedFrame(None, (), False), *window(([A], (-1,)))]
    tracks = followed(frames)
    assert [(a, b) for a, b in zip(tracks.first.tolist(), tracks.last.tolist(), strict=True)] == [
        (0, 0),
        (0, 1),
        (3, 3),
    ]


def test_a_chain_without_a_sure_detection_is_noise_and_one_sure_detection_keeps_all_of_it() -> None:
    weak, sure = found([A, B], 0.1), join([found([A], 0.1), found([B], 0.2)])
    chains = chained([LinkedFrame(weak, (-1, -1), False), LinkedFrame(sure, (0, 1), False)], 0, EVIDENCE)
    # Where a window shows only what is weak of it, it is noise there.
    tracks = windows(chains, (0, 1), (0, 2), (1, 2))
    assert tracks.window.tolist() == [1, 2]
    assert tracks.scores.tolist() == pytest.approx([0.1, 0.2, 0.2])
    assert chains.index[tracks.row].tolist() == [1, 1, 1]


def test_links_into_the_shot_before_are_not_followed() -> None:
    frames = window(([A], (-1,)), ([A], (0,)), ([A], (0,)))
    frames[1] = replace(frames[1], cut=True)
    assert followed(frames).first.tolist() == [0, 1]


def test_speed_is_that_of_a_straight_line_and_nothing_by_fewer_than_three_detections() -> None:
    """Two pixels a frame, far into a film, where sums of frame numbers alone would lose the digits."""
    frames = window(*(([moved(A, 2 * n)], (0,)) for n in range(5)))
    tracks = followed(frames, first=1_000_000)
    assert velocity(tracks, tracks.last, 2).tolist() == [[2, 0]]
    assert velocity(tracks, tracks.last, 1).tolist() == [[0, 0]]


def test_a_straight_motion_stays_where_it_is_when_smoothed_and_the_size_is_the_largest_near() -> None:
    boxes = [moved(A, 2 * n) for n in range(7)]
    boxes[3] = (5, -1, 17, 11)  # of the same centre, 12 wide and high
    tracks = followed(window(*(([box], (0,)) for box in boxes)))
    assert smooth(tracks, np.array([2]), 1.0)[0].tolist() == pytest.approx([9, 5, 12, 12], abs=1e-5)
    assert smooth(tracks, np.array([6]), 1.0)[0].tolist() == pytest.approx([17, 5, 10, 10], abs=1e-5)


def test_a_box_that_the_edge_cuts_gets_the_extent_of_the_nearest_whole_one() -> None:
    tracks = completed(followed(window(([(20, 40, 40, 60)], (-1,)), ([(0, 40, 12, 60)], (0,)))), (200, 100))
    assert tracks.cxywh.tolist() == [[30, 50, 20, 20], [2, 50, 20, 20]]


@pytest.mark.parametrize(("seen", "height"), [(14, 16), (10, 20)])
def test_what_is_mostly_out_is_no_smaller_along_the_edge_than_it_was_while_more_of_it_was_in(
    seen: int, height: int
) -> None:
    """Of 20 px of width two thirds, 13.3, tell how high it is."""
    frames = window(([(20, 40, 40, 60)], (-1,)), ([(0, 42, seen, 58)], (0,)))
    tracks = completed(followed(frames), (200, 100))
    assert tracks.cxywh.tolist() == [[30, 50, 20, 20], [seen - 10, 50, 20, height]]


def test_a_weak_detection_does_not_tell_how_large_something_is_that_the_edge_cuts() -> None:
    """One of 6 px that the edge does not cut, of score 0.05: what is cut before it stays 20 px wide."""
    frames = window(([(0, 40, 20, 60)], (-1,)), ([(0, 40, 15, 60)], (0,)))
    weak = LinkedFrame(found([(3, 45, 9, 55)], 0.05), (0,), False)
    assert completed(followed([*frames, weak]), (200, 100)).cxywh[1].tolist() == [5, 50, 20, 20]


@pytest.mark.parametrize("links", [(), (-1,), (-1, -1, -1)])
def test_links_that_are_not_one_for_each_detection_are_refused(links: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="2 detections need 2 links"):
        LinkedFrame(found([A, B]), links, False)
    with pytest.raises(ValueError, match="0 detections need 0 links"):
        LinkedFrame(None, (-1,), False)
