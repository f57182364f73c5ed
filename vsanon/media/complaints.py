"""What ffmpeg only logs and goes on: a wrong checksum, a lost part of the container. Here it is heard.

PyAV counts what all readers of the process log together, and only while its level is set. So one check listens
at a time, and it alone sets the level; whatever else is read meanwhile is known, and where an error was heard then,
it is made sure whose it was by listening once more with nothing else open.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition, local

import av

from vsanon import stops

Poll = Callable[[], object]


class _Room:
    """Who reads at the moment; guarded by `changed`."""

    changed = Condition()
    checking = False
    alone = False
    readers = 0
    begun = 0


class _Own(local):
    """How many files this thread reads."""

    files = 0


_OWN = _Own()


@contextmanager
def reading() -> Iterator[None]:
    """Open a file beside others; waits while a check must be alone, but for a second file while one is open.

    The check waits for the first one's end: who waited for the check then would wait for ever.

    Raises:
        Stopped: a stop was asked for.
    """
    with _Room.changed:
        if _OWN.files <= 0:
            _wait(lambda: not _Room.alone, stops.poll)
        _Room.readers += 1
        _Room.begun += 1
    _OWN.files += 1
    try:
        yield
    finally:
        _OWN.files -= 1
        with _Room.changed:
            _Room.readers -= 1
            _Room.changed.notify_all()


def heard[T](read: Callable[["Ear", bool], T], poll: Poll) -> tuple[T, str | None]:
    """Read a file to its end, and give what was read and the last error that was logged of it, None where none was.

    Args:
        read: reads the file, given the ear and whether this is the first time. It must not enter `reading`.
        poll: called while it waits for its turn; what it raises ends that.

    Raises:
        Exception: whatever `read` or `poll` raises.
    """
    with _turn(poll):
        with _Room.changed:
            company, begun = _Room.readers > 0, _Room.begun
        ear = Ear()
        found = read(ear, True)
        complaint = ear.complaint()
        company = company or begun != _Room.begun
        if complaint is not None and company:
            with _alone(poll):
                ear = Ear()
                read(ear, False)
                complaint = ear.complaint()
    return found, complaint


class Ear:
    """Hears errors from now on."""

    def __init__(self) -> None:
        self._before, _ = av.logging.get_last_error()

    def opened(self, demuxer: str) -> None:
        """Drop what was heard while the file was opened, but for the demuxer's own errors.

        ffmpeg also looks at streams that are not decoded then, and reads a small file to its end.
        """
        count, last = av.logging.get_last_error()
        if last is not None and last[1] != demuxer:
            self._before = count

    def complaint(self) -> str | None:
        """The last error, None where there was none."""
        count, last = av.logging.get_last_error()
        return None if count == self._before or last is None else f"{last[1]}: {last[2].strip()}"


@contextmanager
def _turn(poll: Poll) -> Iterator[None]:
    with _Room.changed:
        _wait(lambda: not _Room.checking, poll)
        _Room.checking = True
    level = av.logging.get_level()
    av.logging.set_level(av.logging.PANIC)  # errors are counted, and nothing is passed on
    try:
        yield
    finally:
        av.logging.set_level(level)
        with _Room.changed:
            _Room.checking = False
            _Room.changed.notify_all()


@contextmanager
def _alone(poll: Poll) -> Iterator[None]:
    try:
        with _Room.changed:
            _Room.alone = True
            _wait(lambda: not _Room.readers, poll)
        yield
    finally:
        with _Room.changed:
            _Room.alone = False
            _Room.changed.notify_all()


def _wait(until: Callable[[], bool], poll: Poll) -> None:
    while not until():
        # Whatever is polled may take its time, or wait for another reader, who needs the lock to end.
        _Room.changed.release()
        try:
            poll()
        finally:
            _Room.changed.acquire()
        if not until():
            _Room.changed.wait(stops.LOOK_S)
