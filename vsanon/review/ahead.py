"""Pictures that are likely asked for next, made while nobody waits: those beside the frame that was shown last."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future

from vsanon import stops
from vsanon.errors import VsanonError

type Key = tuple[str, int, int]
"""Version of the tracks, width, frame."""
type Picture = tuple[bytes, str]
"""An encoded picture and its media type."""

_REST_S = 0.03
"""How long nothing must have been asked for before anything is made ahead: whoever waits comes first."""


class Ahead:
    """Keeps encoded pictures, and makes those of the frames beside the last one, in both directions.

    Args:
        frames: of the clip.
        beside: how many frames ahead in the direction of the last step; one back.
        most_bytes: of all pictures that are kept.
    """

    def __init__(self, frames: int, *, beside: int = 3, most_bytes: int = 1 << 26) -> None:
        self._frames, self._beside, self._most = frames, beside, most_bytes
        self._kept: OrderedDict[Key, Picture] = OrderedDict()
        self._bytes = 0
        self._making: dict[Key, Future[Picture]] = {}
        self._next: list[tuple[Key, Callable[[int], Picture]]] = []
        self._last, self._asked_at = 0, 0.0
        self._news = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._work, name="review-ahead", daemon=True)
        self._thread.start()

    def get(
        self, version: str, width: int, n: int, make: Callable[[int], Picture], *, alone: bool = False
    ) -> Picture:
        """The picture of frame `n`, made now unless it is there; then others are made.

        Args:
            make: makes that of a frame, for this version and width; whatever it raises comes through.
            alone: no others: somebody passes by.
        """
        with self._news:
            self._asked_at, self._next = time.monotonic(), []
        found = self._made((version, width, n), make)
        if alone:
            return found
        with self._news:
            step = -1 if n < self._last else 1
            beside = [n + step, n - step, *(n + k * step for k in range(2, self._beside + 1))]
            self._last = n
            self._next = [((version, width, k), make) for k in beside if 0 <= k < self._frames]
            self._asked_at = time.monotonic()
            self._news.notify()
        return found

    def close(self) -> None:
        """Make no more."""
        with self._news:
            self._ended = True
            self._news.notify()
        self._thread.join(5)

    def _made(self, key: Key, make: Callable[[int], Picture]) -> Picture:
        with self._news:
            if (found := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return found
            running = self._making.get(key)
            if running is None:
                own = self._making[key] = Future()
        if running is not None:
            return running.result()
        try:
            found = make(key[2])
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
                while not self._next and not self._ended:
                    self._news.wait()
                if self._ended:
                    return
                rest = self._asked_at + _REST_S - time.monotonic()
                if rest > 0:
                    self._news.wait(rest)
                    continue
                key, make = self._next.pop(0)
            try:
                self._made(key, make)
            except VsanonError:
                pass  # whoever asks for that frame is told
            except stops.Stopped:
                return
