"""Locks between processes and machines on one share: whoever dies lets go."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from vsanon import stops
from vsanon.errors import InputError

_LOOK_S = 1.0
"""How often whoever waits for another process looks again, seconds."""


@contextmanager
def held(lock: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold a lock.

    Args:
        lock: its file, which stays.
        wait: until no other process holds it.

    Yields:
        Whether it is held; False where another process holds it and nobody waits.

    Raises:
        InputError: its file can't be written.
    """
    own = filelock.FileLock(lock, timeout=0, thread_local=False, fallback_to_soft=False)
    while True:
        stops.poll()
        try:
            own.acquire()
            break
        except filelock.Timeout:
            if not wait:
                yield False
                return
            rest()
        except OSError as error:
            raise InputError(f"{lock}: can't be written: {error.strerror}") from error
    try:
        yield True
    finally:
        own.release()


def rest() -> None:
    """Wait a moment before looking again at what another process does; a stop is heard meanwhile."""
    end = time.monotonic() + _LOOK_S
    while time.monotonic() < end:
        stops.poll()
        time.sleep(stops.LOOK_S)
