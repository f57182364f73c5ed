"""Pieces of one object become one track, over gaps as long as asked for."""

from tests.support.clips import Box
from tests.support.linked import followed, window
from vsanon.tracking.bridging import bridged

A: Box = (0, 0, 10, 10)
B: Box = (100, 0, 110, 10)


def test_three_pieces_of_one_object_become_one_track_and_the_other_stays_itself() -> None:
    none: tuple[list[Box], tuple[int, ...]] = ([B], (0,))
    frames = window(([A, B], (-1, -1)), ([B], (1,)), ([A, B], (-1, 0)), ([B], (1,)), ([B, A], (0, -1)), none)
    tracks = bridged(followed(frames), 3, 2, (1000, 1000))
    rows = [tracks.at[a:b].tolist() for a, b in zip(tracks.begin[:-1], tracks.begin[1:], strict=True)]
    assert sorted(rows) == [[0, 1, 2, 3, 4, 5], [0, 2, 4]]


def test_a_gap_longer_than_asked_for_is_not_bridged() -> None:
    frames = window(([A], (-1,)), ([], ()), ([], ()), ([A], (-1,)))
    assert len(bridged(followed(frames), 2, 2, (1000, 1000))) == 2
    assert len(bridged(followed(frames), 3, 2, (1000, 1000))) == 1


def test_what_comes_in_at_the_edge_is_not_joined_to_what_stood_off_its_way() -> None:
    """It comes in at 2 px a frame, 10 px of it in at first, so 4 px of it three frames before."""
    comes: list[Box] = [(990 - 2 * n, 70, 1000, 90) for n in range(5)]
    for top, tracks in ((49, 2), (70, 1)):
        frames = window(([(978, top, 998, top + 20)], (-1,)), ([], ()), ([], ()), ([comes[0]], (-1,)))
        frames += window(*(([box], (0,)) for box in comes[1:]))
        assert len(bridged(followed(frames), 5, 2, (1000, 1000))) == tracks
        assert len(bridged(followed(frames), 5, 2, (2000, 1000))) == 1
