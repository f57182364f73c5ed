"""Stops: a signal sets a flag, and every loop looks at it; nothing is ever raised from within a callback.

Python's own way, an exception wherever the main thread happens to be, may come out inside a callback of VapourSynth
or PyAV, which print it and go on: the job then delivers as if nobody had stopped it.
"""

import atexit
import concurrent.futures
import signal
from collections.abc import Callable
from threading import Thread
from types import FrameType

LOOK_S = 0.1
"""How often whoever waits for something looks at the flag, seconds."""

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""Ctrl-C, a farm's stop, a closed terminal, and Windows' Ctrl-Break: those of them that the system has."""


class Stopped(KeyboardInterrupt):
    """The process was asked to stop.

    Args:
        signum: the signal; the process leaves with 128 + its number, as shells say it.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum

    def __reduce__(self) -> tuple[type["Stopped"], tuple[int]]:
        return Stopped, (self.signum,)

    @property
    def exit_code(self) -> int:
        return 128 + self.signum


class _State:
    listening = False
    requested: int | None = None
    left_running = False


def listen() -> None:
    """From now on, take signals as requests to stop; for the main thread of a program, not for a library.

    A second signal ends the process at once, as it would have without this. One that is ignored, as by nohup,
    stays so.
    """
    for number in (getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _take)
    if not _State.listening:
        atexit.register(_ignore)
    _State.listening = True


def request(signum: int) -> None:
    """Ask this process to stop, as a signal does."""
    _State.requested = _State.requested or signum


def poll() -> None:
    """Raise where a stop was asked for; costs nothing otherwise.

    Raises:
        Stopped: it was.
    """
    if _State.requested is not None:
        raise Stopped(_State.requested)


def wait[T](future: "concurrent.futures.Future[T]") -> T:
    """The result of a future, or `Stopped` as soon as a stop is asked for."""
    while True:
        poll()
        if concurrent.futures.wait([future], LOOK_S).done:
            return future.result()


def patiently[T](work: Callable[[], T]) -> T:
    """Do what can't look at the flag for a long time, in a thread that is left behind on a stop.

    Raises:
        Stopped: a stop was asked for meanwhile; the thread still runs, see `left_running`.
        Exception: whatever `work` raises.
    """
    if not _State.listening:
        return work()
    future: concurrent.futures.Future[T] = concurrent.futures.Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001  raised where the result is asked for, as an executor does
            future.set_exception(error)

    Thread(target=run, daemon=True, name="patiently").start()
    try:
        return wait(future)
    except Stopped:
        _State.left_running = not future.done()
        raise


def left_running() -> bool:
    """Whether a thread was left behind that the end of the interpreter would wait for, or crash with."""
    return _State.left_running


def _ignore() -> None:
    """While the interpreter ends nothing is left to stop; it would die of a signal, as if nothing was done."""
    for number in (getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)):
        if signal.getsignal(number) is _take:
            signal.signal(number, signal.SIG_IGN)


def _take(signum: int, _: FrameType | None) -> None:
    if _State.requested is not None:
        signal.signal(signum, signal.SIG_DFL)
        signal.raise_signal(signum)
    _State.requested = _State.requested or signum
