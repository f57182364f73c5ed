"""Work that takes longer than an answer may: one at a time, with its progress, and a way to stop it."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from vsanon import stops
from vsanon.errors import InputError, VsanonError

log = logging.getLogger(__name__)

Tell = Callable[..., None]
"""Takes `done` and `total`, and whatever else the page shows on the way; raises where the job was stopped."""


class StoppedError(Exception):
    """The person has stopped the job."""


@dataclass(slots=True)
class _Job:
    number: int
    name: str
    told: dict[str, Any] = field(default_factory=lambda: {"done": 0, "total": 0})
    result: dict[str, Any] | None = None
    error: str | None = None
    stopped: bool = False


class Jobs:
    """The one job that runs, or ran last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._job: _Job | None = None
        self._thread: threading.Thread | None = None

    def start(self, name: str, work: Callable[[Tell], dict[str, Any]]) -> int:
        """Begin a job in a thread of its own, and return its number.

        Raises:
            InputError: another one runs.
        """
        with self._lock:
            if self._running():
                assert self._job is not None
                raise InputError(f"{self._job.name} is running: wait for it, or stop it")
            self._count += 1
            job = self._job = _Job(self._count, name)
            self._thread = threading.Thread(target=_run, args=(job, work), name=f"review-{name}", daemon=True)
            self._thread.start()
            return job.number

    def stop(self) -> None:
        """Ask the job to stop; it does at its next frame."""
        with self._lock:
            if self._job is not None:
                self._job.stopped = True

    def wait(self, seconds: float | None = None) -> None:
        """Wait for the job, if one runs."""
        if self._thread is not None:
            self._thread.join(seconds)

    def status(self) -> dict[str, Any] | None:
        """What the page shows of the job; None where there was none."""
        job = self._job
        if job is None:
            return None
        return {
            "number": job.number, "name": job.name, "running": self._running(), **job.told, "result": job.result,
            "error": job.error,
        }  # fmt: skip

    def _running(self) -> bool:
        return self._job is not None and self._job.result is None and self._job.error is None


def _run(job: _Job, work: Callable[[Tell], dict[str, Any]]) -> None:
    def tell(done: int, total: int, **more: Any) -> None:
        if job.stopped:
            raise StoppedError
        job.told = {"done": done, "total": total, **more}

    try:
        job.result = work(tell)
    except StoppedError:
        job.error = "stopped"
    except stops.Stopped:
        job.error = "the server was stopped"
    except VsanonError as error:
        job.error = str(error)
    except Exception as error:
        log.exception("%s failed", job.name)
        job.error = f"{job.name} failed: {error!r}; the terminal says more"
