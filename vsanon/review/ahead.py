"""Pictures that are likely asked for next, made while nobody waits: beside the frame shown last, and key frames."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Protocol

from vsanon import stops
from vsanon.errors import VsanonError

type Key = tuple[str, int, int]
"""What is drawn, width, frame."""
type Picture = tuple[bytes, str]
"""An encoded picture and its media type."""

_REST_S = 0.03
"""How long nothing must have been asked for before anything is made ahead: whoever waits comes first."""
_FAILED_S = 1.0
"""How long nothing is made after an error: the track file may be gone."""


class Maker(Protocol):
    """Makes the pictures of one state of the tracks."""

    @property
    def version(self) -> str:
        """Of the state."""
        ...

    def drawn(self, n: int) -> str:
        """What is drawn on frame `n`: where that is the same, so is the picture, whatever was edited elsewhere."""
        ...

    def make(self, n: int, width: int) -> Picture:
        """The picture of frame `n`; whatever it raises comes through."""
        ...


class Ahead:
    """Keeps encoded pictures, and makes those of the frames beside the last one, in both directions.

    Args:
        frames: of the clip.
        beside: how many frames ahead in the direction of the last step; one back.
        most_bytes: of all pictures that are kept, and as much of those that are held.
    """

    def __init__(self, frames: int, *, beside: int = 3, most_bytes: int = 1 << 26) -> None:
        self._frames, self._beside, self._most = frames, beside, most_bytes
        self._kept: OrderedDict[Key, Picture] = OrderedDict()
        self._bytes = 0
        self._making: dict[Key, Future[Picture]] = {}
        self._next: list[tuple[int, int, Maker]] = []
        self._held: dict[int, tuple[Key, Picture]] = {}
        self._to_hold: tuple[Sequence[int], int, Callable[[], Maker]] | None = None
        self._held_version, self._left_to_hold = "", list[int]()
        self._last, self._asked_at = 0, 0.0
        self._news = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._work, name="review-ahead", daemon=True)
        self._thread.start()

    def get(self, n: int, width: int, maker: Maker, *, alone: bool = False) -> Picture:
        """The picture of frame `n`, made now unless it is there; then others are made.

        Args:
            alone: no others: somebody passes by.
        """
        with self._news:
            self._asked_at, self._next = time.monotonic(), []
        found = self._made(n, width, maker)
        with self._news:
            if not alone:
                step = -1 if n < self._last else 1
                beside = [n + step, n - step, *(n + k * step for k in range(2, self._beside + 1))]
                self._last = n
                self._next = [(k, width, maker) for k in beside if 0 <= k < self._frames]
                self._asked_at = time.monotonic()
            self._news.notify()
        return found

    def hold(self, frames: Sequence[int], width: int, now: Callable[[], Maker]) -> None:
        """Make the pictures of these frames too, once and after each edit that changes them, and let none go.

        Args:
            frames: rising; they are made from the whole to the parts, as many as may be kept.
            now: gives what makes them at that moment.
        """
        with self._news:
            self._to_hold = _spread(frames), width, now
            self._held_version = ""
            self._news.notify()

    def close(self) -> None:
        """Make no more."""
        with self._news:
            self._ended = True
            self._news.notify()
        self._thread.join(5)

    def _made(self, n: int, width: int, maker: Maker) -> Picture:
        key = maker.drawn(n), width, n
        with self._news:
            held = self._held.get(n)
            if held is not None and held[0] == key:
                return held[1]
            if (found := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return found
            running = self._making.get(key)
            if running is None:
                own = self._making[key] = Future()
        if running is not None:
            return running.result()
        try:
            found = maker.make(n, width)
        except BaseException as error:
            own.set_exception(error)
            raise
        else:
            own.set_result(found)
            with self._news:
                self._keep(key, found)
            return found
        finally:
            with self._news:
                del self._making[key]

    def _keep(self, key: Key, found: Picture) -> None:
        self._kept[key] = found
        self._bytes += len(found[0])
        while self._bytes > self._most and len(self._kept) > 1:
            _, (content, _) = self._kept.popitem(last=False)
            self._bytes -= len(content)

    def _work(self) -> None:
        while True:
            with self._news:
                if self._ended:
                    return
                rest = self._asked_at + _REST_S - time.monotonic()
                if rest > 0:
                    self._news.wait(rest)
                    continue
                beside = self._next.pop(0) if self._next else None
            try:
                if beside is not None:
                    self._made(*beside)
                elif not self._hold_one():
                    with self._news:
                        if not self._next and not self._ended:
                            self._news.wait()
            except VsanonError:  # whoever asks for that frame is told
                with self._news:
                    self._news.wait(_FAILED_S)
            except stops.Stopped:
                return

    def _hold_one(self) -> bool:
        """Make the next one of those to be held; whether any is left."""
        if self._to_hold is None:
            return False
        frames, width, now = self._to_hold
        maker = now()
        if maker.version != self._held_version:
            self._held_version, self._left_to_hold = maker.version, list(frames)
        while self._left_to_hold:
            n = self._left_to_hold.pop(0)
            key, (old, picture) = (maker.drawn(n), width, n), self._held.get(n, (None, (b"", "")))
            if old == key:
                continue
            with self._news:
                others = sum(len(content) for _, (content, _) in self._held.values()) - len(picture[0])
            if others >= self._most:
                self._left_to_hold.clear()
                return False
            picture = self._made(n, width, maker)
            with self._news:
                self._held[n] = key, picture
                if self._kept.pop(key, None) is not None:
                    self._bytes -= len(picture[0])
            return True
        return False


def _spread(frames: Sequence[int]) -> list[int]:
    """The same frames: the first, then those that halve what lies between."""
    found: dict[int, None] = {}
    step = 1 << len(frames).bit_length()
    while step:
        found.update(dict.fromkeys(frames[::step]))
        step >>= 1
    return list(found)
