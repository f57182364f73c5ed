"""One file or chunk, in a worker: it was done before, is now, or failed with a reason; it never raises."""

import errno
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vsanon import stops
from vsanon.errors import VsanonError
from vsanon.farm import chunks
from vsanon.farm.delivered import delivered, delivered_by
from vsanon.farm.join import join_file
from vsanon.farm.listing import Job
from vsanon.farm.plan import FilePlan, Plan
from vsanon.farm.plan_file import read
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
    """What became of a file, or of a part of the work on it.

    Args:
        state: "delivered", "kept" (it was done before, and its ledger fits), "failed", or of a chunk "made".
        message: why it failed; of what was delivered, what a person should look at.
        exit_code: that `vsanon anonymize` would have left with.
        tries: how often it was begun.
        seconds: of all tries.
        frames: of the file or chunk, where it was worked on.
        unit: the id of the chunk, or that of the file whose chunks were joined; empty where there is no plan.
    """

    source: str
    output: str
    state: str
    message: str = ""
    exit_code: int = 0
    tries: int = 0
    seconds: float = 0.0
    frames: int | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """What a try came to that did not fail; as in `Result`."""

    state: str
    frames: int | None = None
    message: str = ""


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
        state, message, code, tries, frames = attempted(lambda: self._once(job), job.output.parent, self.retries)
        return asdict(
            Result(source, output, state, message, code, tries, round(time.monotonic() - began, 3), frames)
        )

    def _once(self, job: Job) -> Done:
        require_name(job.source)
        if not self.overwrite and delivered(job, self.settings):
            return Done("kept")
        job.output.parent.mkdir(parents=True, exist_ok=True)
        book = anonymize_file(job.source, job.output, self.settings, overwrite=self.overwrite)
        return Done("delivered", book["frames"], found_nothing(book))


@dataclass(frozen=True, slots=True)
class Piece:
    """The work on a chunk of a plan, and on what joins those of a file; picklable, for workers elsewhere.

    Args:
        plan: the path of the plan.
        retries: as for `Cover`.
        keep_chunks, overwrite: as for `join.join_file`.
    """

    plan: Path
    retries: int = 2
    keep_chunks: bool = False
    overwrite: bool = False

    def __call__(self, task: str) -> dict[str, Any]:
        """Do a chunk, named by its id, or join a file, named by its own, and say what became of it."""
        began, source, output = time.monotonic(), str(self.plan), task
        try:
            found = read(self.plan)
            file, once = self._step(found, task)
            source, output = str(file.source), str(file.output)
        except VsanonError as error:
            return asdict(Result(source, output, "failed", str(error), error.exit_code, 1, unit=task))
        state, message, code, tries, frames = attempted(once, found.folder, self.retries)
        seconds = round(time.monotonic() - began, 3)
        return asdict(Result(source, output, state, message, code, tries, seconds, frames, task))

    def _step(self, found: Plan, task: str) -> tuple[FilePlan, Callable[[], Done]]:
        if "-" in task:
            file, k = found.unit(task)
            return file, lambda: Done(chunks.do(found, task), len(file.chunks[k]))
        file = found.file(task)

        def join() -> Done:
            if delivered_by(found, file):
                return Done("kept")
            book = join_file(found, file, keep_chunks=self.keep_chunks, overwrite=self.overwrite)
            return Done("delivered", file.frames, "" if book is None else found_nothing(book))

        return file, join


def found_nothing(book: Mapping[str, Any]) -> str:
    """What is said of a file by whose ledger nothing was covered; of others nothing."""
    return "" if book["classes"] or book["frames_covered_whole"] else "nothing was found: look at it"


def attempted(once: Callable[[], Done], place: Path, retries: int) -> tuple[str, str, int, int, int | None]:
    """Try some work, and again after an error that can pass.

    Args:
        once: the work.
        place: where it writes, for people.
        retries: how often it is tried again; the waits double.

    Returns:
        State, message, exit code, tries and frames, as those of `Result`.
    """
    tries, wait = 0, FIRST_WAIT_S
    while True:
        tries += 1
        try:
            done = once()
            return done.state, done.message, 0, tries, done.frames
        except VsanonError as error:
            message, code, again = str(error), error.exit_code, may_pass(error)
        except OSError as error:
            message, code, again = f"{place}: {error.strerror}", 2, may_pass(error)
        except MemoryError:
            message, code, again = "not enough memory", 3, False
        if not again or tries > retries:
            return "failed", message, code, tries, None
        _wait(wait)
        wait *= 2


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
