"""Who works on the tasks: processes of this machine, or a Dask cluster. They only execute, and remember nothing."""

import concurrent.futures
import contextlib
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.synchronize import Event
from typing import Any, Protocol

from vsanon import stops
from vsanon.errors import InputError, MissingError
from vsanon.models import cores

log = logging.getLogger(__name__)

type Work = Callable[[str], Any]
"""Does one task, named by a text; it must be picklable, and never raises but for a broken machine."""

MEMORY_PER_WORKER = 3 * 2**30
_CORES_PER_WORKER = 2
_WATCH_S, _GRACE_S = 0.5, 5.0
_ANSWERS_S, _COMES_BACK_S = 10.0, 120.0
"""How long a Dask scheduler is waited for, seconds: at the start, and after it was lost."""


_LOOPBACK = "127.0.0.1:0"
"""Where a cluster of our own may be looked at: by no other machine, and beside other clusters."""


class Executor(Protocol):
    """Runs tasks somewhere."""

    def run(self, work: Work, tasks: Sequence[str]) -> Iterator[tuple[str, Any]]:
        """Each task with what became of it, in the order in which they end.

        A worker that died gives the exception in the place of a result.
        """
        ...


class LocalExecutor:
    """Processes of this machine.

    Args:
        workers: how many at once; None: one for every two cores, as ffmpeg and the models use several threads
            themselves, and no more than memory holds.

    Raises:
        InputError: fewer than one.
    """

    def __init__(self, workers: int | None = None) -> None:
        if workers is not None and workers < 1:
            raise InputError(f"at least one worker is needed, got {workers}")
        self.workers = workers or default_workers()

    def run(self, work: Work, tasks: Sequence[str]) -> Iterator[tuple[str, Any]]:
        """As `Executor.run`; after a worker died the others are started anew."""
        waiting = list(tasks)
        while waiting:
            # "spawn": VapourSynth and ONNX Runtime have threads, which a fork would leave behind.
            context = multiprocessing.get_context("spawn")
            stop = context.Event()
            pool = concurrent.futures.ProcessPoolExecutor(
                self.workers, mp_context=context, initializer=_end_with_parent, initargs=(os.getpid(), stop)
            )
            with pool, _set_on_error(stop):
                running: dict[concurrent.futures.Future[Any], str] = {}
                broken = False
                while (waiting or running) and not broken:
                    while waiting and len(running) < self.workers:
                        task = waiting.pop(0)
                        with _no_interrupt():
                            running[pool.submit(work, task)] = task
                    done = _first_of(running)
                    for future in done:
                        task = running.pop(future)
                        error = future.exception()
                        broken = broken or isinstance(error, BrokenProcessPool)
                        yield task, error if error is not None else future.result()
                for task in running.values():
                    yield task, BrokenProcessPool("a worker process died")


class DaskExecutor:
    """A Dask cluster.

    Args:
        address: of a scheduler that runs already; None: a cluster of this machine.
        workers: of a cluster of this machine.

    Raises:
        MissingError: Dask is not installed.
        InputError: there is no scheduler at the address.
    """

    def __init__(self, address: str | None = None, workers: int | None = None) -> None:
        try:
            import distributed
        except ImportError as error:
            raise MissingError(
                "Dask is not installed: install vsanon with the extra `dask` (pip install 'vsanon[dask]')"
            ) from error
        self._distributed: Any = distributed
        self._address = address
        self.workers = workers or default_workers()

    def run(self, work: Work, tasks: Sequence[str]) -> Iterator[tuple[str, Any]]:
        """As `Executor.run`; a scheduler that was started anew is given what had not ended."""
        left, patience_s = dict.fromkeys(tasks), _ANSWERS_S
        while left:
            lost = False
            with self._client(patience_s) as client:
                futures = {client.submit(work, task, pure=False): task for task in left}
                ended = self._distributed.as_completed(futures)
                try:
                    while not ended.is_empty() and not lost:
                        for future in ended.next_batch(block=False) or self._idle():
                            if future.status in ("cancelled", "lost"):  # the scheduler forgot it
                                lost = True
                                continue
                            error = future.exception()
                            del left[futures[future]]
                            yield futures[future], error if error is not None else future.result()
                except stops.Stopped:
                    client.cancel(list(futures), force=True)
                    raise
            if lost:
                log.warning(
                    "the connection to the Dask scheduler was lost: %d tasks are handed over again", len(left)
                )
                patience_s = _COMES_BACK_S

    def _idle(self) -> tuple[()]:
        """Wait a little, as nothing has ended."""
        stops.poll()
        time.sleep(stops.LOOK_S)
        return ()

    @contextlib.contextmanager
    def _client(self, patience_s: float) -> Iterator[Any]:
        """A client of the scheduler, waited for so long, and closed afterwards, as is a cluster started for it."""
        if self._address is None:
            with _silent("distributed"):
                with _no_interrupt():  # of Dask's threads and workers: stopping them is for the run
                    own = self._distributed.LocalCluster(
                        n_workers=self.workers,
                        threads_per_worker=1,
                        processes=True,
                        dashboard_address=_LOOPBACK,
                        silence_logs=logging.CRITICAL,
                    )
                with own as cluster, self._distributed.Client(cluster) as client:
                    yield client
            return
        try:
            client = self._distributed.Client(self._address, timeout=f"{patience_s:g}s")
        except OSError as error:
            raise InputError(f"no Dask scheduler answers at {self._address}: {error}") from error
        with client:
            yield client


@contextlib.contextmanager
def _silent(name: str) -> Iterator[None]:
    """Keep what a cluster of ours logs from the user's screen, the scheduler's part of it, too.

    What fails in a worker comes back as its task's error; a worker that is ended while it reports, as a stopped
    run's, would print a traceback. Dask's own `silence_logs` holds for its handlers, not for those of the command.
    """
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def default_workers() -> int:
    """How many cells at once: by cores and, but for Windows, which has no sysconf, by memory."""
    most = max(1, cores() // _CORES_PER_WORKER)
    if sys.platform == "win32":
        return most
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(most, memory // MEMORY_PER_WORKER))


def _first_of(running: Collection[concurrent.futures.Future[Any]]) -> set[concurrent.futures.Future[Any]]:
    """Those that have ended, once one has."""
    while True:
        stops.poll()
        first = concurrent.futures.FIRST_COMPLETED
        if done := concurrent.futures.wait(running, stops.LOOK_S, return_when=first).done:
            return done


@contextlib.contextmanager
def _set_on_error(event: Event) -> Iterator[None]:
    try:
        yield
    except BaseException:
        event.set()
        raise


@contextlib.contextmanager
def _no_interrupt() -> Iterator[None]:
    """Keep a terminal's Ctrl-C from processes that are started meanwhile: a traceback would be their end.

    For ever, or until `_end_with_parent` ignores it. Windows has no masks of signals.
    """
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent(parent: int, stop: Event) -> None:
    """Let a worker stop with the run that started it, also where that was killed: nobody would take its result.

    A terminal's Ctrl-C goes to the worker, too: stopping it is for the run.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # see `_no_interrupt`; what it starts inherits

    def watch() -> None:
        while os.getppid() == parent and not stop.wait(_WATCH_S):
            pass
        stops.request(signal.SIGTERM)  # it cleans up, and ends what it has started
        time.sleep(_GRACE_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
