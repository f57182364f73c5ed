"""Pictures made ahead: in both directions, each once, within their bytes, and never instead of those waited for."""

import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from vsanon.errors import CheckError
from vsanon.review.ahead import Ahead, Picture


class Maker:
    """Makes pictures of ten bytes, and counts; `until` waits for what is made in another thread.

    On each frame is drawn what `edited` says of it.
    """

    def __init__(self) -> None:
        self.made: Counter[int] = Counter()
        self.version, self.edited = "1", dict[int, str]()
        self._news = threading.Condition()

    def drawn(self, n: int) -> str:
        return self.edited.get(n, "")

    def make(self, n: int, width: int) -> Picture:
        with self._news:
            self.made[n] += 1
            self._news.notify_all()
        if n == 13:
            raise CheckError("frame 13 can't be decoded")
        return b"%010d" % n, "image/jpeg"

    def until(self, *frames: int, times: int = 1) -> None:
        with self._news:
            assert self._news.wait_for(lambda: all(self.made[n] >= times for n in frames), 60), self.made


@pytest.fixture
def ahead() -> Iterator[Ahead]:
    made = Ahead(100, beside=3)
    yield made
    made.close()


def test_the_frames_beside_the_last_one_are_made_in_both_directions_and_asked_for_again_not_made_again(
    ahead: Ahead,
) -> None:
    make = Maker()
    assert ahead.get(50, 640, make) == (b"0000000050", "image/jpeg")
    make.until(51, 49, 52, 53)
    assert ahead.get(51, 640, make)[0] == b"0000000051"
    make.until(54)
    assert ahead.get(48, 640, make)[0] == b"0000000048"  # back: the others lie on the other side
    make.until(47, 46, 45)
    assert max(make.made.values()) == 1
    make.version, make.edited = "2", {48: "a box"}
    assert ahead.get(48, 640, make)[0] == b"0000000048"  # another box, another picture
    assert make.made[48] == 2
    assert ahead.get(50, 640, make)[0] == b"0000000050"  # an edit elsewhere leaves it
    assert make.made[50] == 1


def test_at_the_ends_nothing_is_made_that_is_not_there_and_what_fails_ahead_fails_when_it_is_asked_for(
    ahead: Ahead,
) -> None:
    make = Maker()
    ahead.get(99, 640, make)
    make.until(98)
    ahead.get(12, 640, make)
    make.until(13, 11, 10, 9)
    with pytest.raises(CheckError, match="frame 13"):
        ahead.get(13, 640, make)
    assert set(make.made) <= {*range(100)}


def test_beside_a_frame_that_somebody_passes_by_nothing_is_made(ahead: Ahead) -> None:
    make = Maker()
    ahead.get(70, 640, make, alone=True)
    ahead.get(20, 640, make)
    make.until(21, 19, 22, 23)
    assert set(make.made) == {70, 19, 20, 21, 22, 23}


def test_no_more_is_kept_than_may_be() -> None:
    ahead, make = Ahead(100, beside=0, most_bytes=50), Maker()
    ahead.close()  # nothing is made ahead
    for n in (20, 30, 40, 60, 70, 80, 80, 20):
        ahead.get(n, 640, make)
    assert make.made == {20: 2, 30: 1, 40: 1, 60: 1, 70: 1, 80: 1}


def test_who_asks_for_what_is_being_made_waits_for_it(ahead: Ahead) -> None:
    begun, go = threading.Event(), threading.Event()

    class Slow(Maker):
        def make(self, n: int, width: int) -> Picture:
            if n == 51:
                begun.set()
                assert go.wait(60)
            return super().make(n, width)

    slow = Slow()
    ahead.get(50, 640, slow)
    assert begun.wait(60)
    found: list[Picture] = []
    asking = threading.Thread(target=lambda: found.append(ahead.get(51, 640, slow)))
    asking.start()
    go.set()
    asking.join(60)
    assert found == [(b"0000000051", "image/jpeg")]
    assert slow.made[51] == 1


def test_key_frames_are_made_from_the_whole_to_the_parts_and_are_let_go_by_no_other_but_by_edits() -> None:
    ahead, make = Ahead(100, beside=0, most_bytes=50), Maker()
    ahead.hold([*range(0, 90, 10)], 960, lambda: make)
    make.until(0, 80, 40, 20, 60)  # five of ten bytes: more may not be kept
    for n in (31, 32, 33, 34, 35, 36):
        ahead.get(n, 640, make, alone=True)
    assert ahead.get(40, 960, make, alone=True)[0] == b"0000000040"
    make.version, make.edited = "2", {40: "a box"}
    ahead.get(37, 640, make, alone=True)
    make.until(40, times=2)
    assert ahead.get(40, 960, make, alone=True)[0] == b"0000000040"
    ahead.close()
    assert [make.made[n] for n in range(0, 90, 10)] == [1, 0, 1, 0, 2, 0, 1, 0, 1]
