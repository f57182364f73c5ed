"""One file of a run, in a worker: it was delivered before, is now, or failed with a reason; it never raises."""

import errno
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vsanon import stops
from vsanon.errors import VsanonError
from vsanon.farm.delivered import delivered
from vsanon.farm.listing import Job
from vsanon.files import require_name
from vsanon.job.pipeline import anonymize_file
from vsanon.job.settings import Settings

_NAMES = (
    *("EAGAIN", "EBUSY", "EDQUOT", "EHOSTDOWN", "EHOSTUNREACH", "EINTR", "EIO"),
    *("ENETDOWN", "ENETUNREACH", "ENOSPC", "ENOTCONN", "ESTALE", "ETIMEDOUT"),
)
PASSING = frozenset(getattr(errno, name) for name in _NAMES if hasattr(errno, name))
"""What a disk or a network share says, and may take back: such a file is tried again."""

FIRST_WAIT_S = 2.0


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a file.

    Args:
        state: "delivered", "kept" (it was delivered before, and its ledger fits), or "failed".
        message: why it failed.
        exit_code: that `vsanon anonymize` would have left with.
        tries: how often it was begun.
        seconds: of all tries.
        frames: of the file, where it was delivered.
    """

    source: str
    output: str
    state: str
    message: str = ""
    exit_code: int = 0
    tries: int = 0
    seconds: float = 0.0
    frames: int | None = None


@dataclass(frozen=True, slots=True)
class Cover:
    """The work on one file; picklable, for workers elsewhere.

    Args:
        settings: of every file.
        overwrite: replace what lies at outputs, instead of keeping what fits.
        retries: how often a file is tried again after an error that can pass; the waits double.
    """

    settings: Settings
    overwrite: bool = False
    retries: int = 2

    def __call__(self, task: str) -> dict[str, Any]:
        """Cover one file, named as by `task_of`, and say what became of it."""
        source, output = json.loads(task)
        job, began = Job(Path(source), Path(output)), time.monotonic()
        tries, wait = 0, FIRST_WAIT_S
        while True:
            tries += 1
            state, message, code, frames, again = self._tried(job)
            if not again or tries > self.retries:
                return asdict(
                    Result(source, output, state, message, code, tries, round(time.monotonic() - began, 3), frames)
                )
            _wait(wait)
            wait *= 2

    def _tried(self, job: Job) -> tuple[str, str, int, int | None, bool]:
        try:
            require_name(job.source)
            if not self.overwrite and delivered(job, self.settings):
                return "kept", "", 0, None, False
            job.output.parent.mkdir(parents=True, exist_ok=True)
            book = anonymize_file(job.source, job.output, self.settings, overwrite=self.overwrite)
            return "delivered", "", 0, book["frames"], False
        except VsanonError as error:
            return "failed", str(error), error.exit_code, None, may_pass(error)
        except OSError as error:
            return "failed", f"{job.output.parent}: {error.strerror}", 2, None, may_pass(error)
        except MemoryError:
            return "failed", "not enough memory", 3, None, False


def task_of(job: Job) -> str:
    """A job as the text that executors pass on."""
    return json.dumps([str(job.source), str(job.output)])


def may_pass(error: BaseException | None) -> bool:
    """Whether an error comes of a state of disk or network that can pass by itself, as it or a program said."""
    if any(os.strerror(code) in str(error) for code in PASSING):
        return True
    while error is not None:
        if isinstance(error, OSError) and error.errno in PASSING:
            return True
        error = error.__cause__
    return False


def _wait(seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """Wait, and hear a stop meanwhile."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        stops.poll()
        sleep(min(left, stops.LOOK_S))
