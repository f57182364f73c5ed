"""Turns: work on many small arrays, which one thread does at a time.

NumPy gives Python's lock up in each call, and where another thread waits for that, it wakes it and waits itself:
two threads that do such work beside each other change places at every call, and together take a quarter more of the
processor, to be done no sooner. So who does such work takes the turn first, and sets it aside for what runs long
without Python. For the same reason OpenCV has no threads of its own meanwhile. It says nothing about data: every
result is the same without it.
"""

import contextlib
import threading
from collections.abc import Iterator

import cv2

_lock = threading.Lock()
_of_thread = threading.local()


@contextlib.contextmanager
def taken() -> Iterator[None]:
    """While it is this thread's turn; within, nobody waits for a frame or for another thread."""
    if getattr(_of_thread, "has_it", False):
        yield
        return
    with _lock:
        _of_thread.has_it = True
        try:
            yield
        finally:
            _of_thread.has_it = False


@contextlib.contextmanager
def set_aside() -> Iterator[None]:
    """While another thread may have the turn, if this one has it."""
    if not getattr(_of_thread, "has_it", False):
        yield
        return
    _of_thread.has_it = False
    _lock.release()
    try:
        yield
    finally:
        _lock.acquire()
        _of_thread.has_it = True


class _OpenCV:
    """How many ask for no threads of OpenCV's own, and how many it had before; guarded by `changed`."""

    changed = threading.Lock()
    asked = 0
    before = 0


@contextlib.contextmanager
def opencv_in_one() -> Iterator[None]:
    """While OpenCV has no threads of its own: they wait for more work awake, which on small pictures never pays.

    Their number belongs to the process, and is as it was once nobody asks for this any more.
    """
    with _OpenCV.changed:
        if not _OpenCV.asked:
            _OpenCV.before = cv2.getNumThreads()
            cv2.setNumThreads(1)
        _OpenCV.asked += 1
    try:
        yield
    finally:
        with _OpenCV.changed:
            _OpenCV.asked -= 1
            if not _OpenCV.asked:
                cv2.setNumThreads(_OpenCV.before)
