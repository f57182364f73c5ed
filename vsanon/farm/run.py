"""Many files to their ends: each is delivered, was delivered before, or fails with a reason; none is forgotten."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vsanon import stops
from vsanon.farm.delivered import delivered, delivered_by
from vsanon.farm.executors import Executor, Work
from vsanon.farm.listing import Job, Listing
from vsanon.farm.make_plan import make
from vsanon.farm.plan import Plan
from vsanon.farm.work import Cover, Done, Piece, Result, attempted, task_of
from vsanon.job.delivery import Stamp, stamp

type Event = dict[str, Any]
"""What happened, as it goes into the log: `event` is start, file or end."""

LOOK_EVERY_S = 1.0


def run_files(
    listing: Listing,
    cover: Cover,
    executor: Executor,
    say: Callable[[Event], None],
    *,
    keep_going: bool = True,
) -> list[Result]:
    """Cover all files of a listing.

    A worker that dies takes those down that worked beside it, so each of these is tried again alone.

    Args:
        say: takes each event.
        keep_going: go on after a file that failed; otherwise what has not ended is given up.

    Returns:
        What became of the files, in the order in which they ended; all of them unless it gave up.
    """
    say({"event": "start", "files": len(listing.jobs), "left_alone": [str(p) for p in listing.left_alone]})
    results: list[Result] = []
    tasks = {task_of(job): (str(job.source), str(job.output)) for job in listing.jobs}
    for result in _results(tasks, cover, executor, cover.retries):
        results.append(result)
        count = {"done": len(results), "files": len(listing.jobs)}
        say({"event": "file", **asdict(result), **count, "at": time.time()})
        if result.state == "failed" and not keep_going:
            break
    counts = Counter(result.state for result in results)
    not_begun = len(listing.jobs) - len(results)
    say({"event": "end", **{s: counts[s] for s in ("delivered", "kept", "failed")}, "given_up": not_begun})
    return results


def run_plan(
    plan: Plan,
    piece: Piece,
    executor: Executor,
    say: Callable[[Event], None],
    *,
    keep_going: bool = True,
) -> list[Result]:
    """Do all chunks of a plan, and join each file whose chunks are done; arguments as for `run_files`.

    Returns:
        What became of the chunks and files, in the order in which they ended; a file whose chunks are not all done
        has no result of its own.
    """
    left = [file for file in plan.files if not delivered_by(plan, file)]
    units = {unit: file for file in left for unit in file.units}
    say({"event": "start", "files": len(plan.files), "of": len(units) + len(left), "left_alone": []})
    results: list[Result] = []
    steps = [units, {file.id: file for file in left}]
    for tasks in steps:
        failed = {result.source for result in results if result.state == "failed"}
        due = {task: (str(f.source), str(f.output)) for task, f in tasks.items() if str(f.source) not in failed}
        for result in _results(due, piece, executor, piece.retries):
            results.append(result)
            count = {"done": len(results), "of": len(units) + len(left)}
            say({"event": "chunk" if "-" in result.unit else "file", **asdict(result), **count, "at": time.time()})
            if result.state == "failed" and not keep_going:
                break
        else:
            continue
        break
    states = {result.unit: result.state for result in results if "-" not in result.unit}
    counts = Counter(states.values())
    kept = len(plan.files) - len(left) + counts["kept"]
    failed = {result.source for result in results if result.state == "failed"}
    rest = len(plan.files) - kept - counts["delivered"] - len(failed)
    say({"event": "end", "delivered": counts["delivered"], "kept": kept, "failed": len(failed), "given_up": rest})
    return results


def run_long(
    job: Job, cover: Cover, executor: Executor, say: Callable[[Event], None], chunk_seconds: float
) -> Result:
    """Cover one long file in chunks; arguments as for `run_files` and `plan.make`.

    Its plan lies beside the output while it is worked on: run again, what was done of it is kept. Told is what
    became of its chunks, and once, at the end, of the film.
    """
    path, began = job.output.with_name(f"{job.output.name}.farm.json"), time.monotonic()
    piece = Piece(path.absolute(), cover.retries, overwrite=cover.overwrite)
    done: list[Result] = []

    def heard(event: Event) -> None:
        if event["event"] in ("start", "chunk"):
            say(event)

    def once() -> Done:
        if not cover.overwrite and delivered(job, cover.settings):
            return Done("kept")
        plan = make([job], path, cover.settings, chunk_seconds=chunk_seconds, overwrite=True)
        done[:] = run_plan(plan, piece, executor, heard)
        of_film = next((result.message for result in done if "-" not in result.unit), "")
        return Done("delivered", plan.files[0].frames, of_film)

    state, message, code, tries, frames = attempted(once, job.output.parent, cover.retries)
    failed = next((result for result in done if result.state == "failed"), None)
    if failed is not None:
        state, message, code, frames = "failed", f"{failed.unit}: {failed.message}", failed.exit_code, None
    elif state != "failed":  # also where an earlier run was stopped between its delivery and this
        path.unlink(missing_ok=True)
    seconds = round(time.monotonic() - began, 3)
    result = Result(str(job.source), str(job.output), state, message, code, tries, seconds, frames)
    of = max(len(done), 1)
    say({"event": "file", **asdict(result), "done": of, "of": of, "at": time.time()})
    say({"event": "end", **{s: int(s == state) for s in ("delivered", "kept", "failed")}, "given_up": 0})
    return result


def _results(
    tasks: Mapping[str, tuple[str, str]], work: Work, executor: Executor, retries: int
) -> Iterator[Result]:
    """What becomes of tasks, given with source and output; what died with its worker is tried again alone."""
    died: list[str] = []
    for task, found in executor.run(work, list(tasks)):
        if isinstance(found, BaseException):
            died.append(task)
        else:
            yield Result(**found)
    for task in died:
        for again in range(1, retries + 1):
            ((_, found),) = executor.run(work, [task])
            if not isinstance(found, BaseException):
                yield Result(**{**found, "tries": found["tries"] + again})
                break
        else:
            unit = "" if isinstance(work, Cover) else task
            words = "the worker died each time that it worked on this"
            yield Result(
                *tasks[task], "failed", f"{words} {'chunk' if unit else 'file'}", 1, retries + 1, unit=unit
            )


def settled(
    look: Callable[[], Listing], settle_s: float, handled: Collection[tuple[Path, Stamp]] = ()
) -> Iterator[Listing]:
    """Of a folder that files are copied into, those that stopped growing: each once, and again when it changed.

    Args:
        look: lists what is there now.
        settle_s: how long a file must stay as it is, seconds.
        handled: what needs no work.

    Yields:
        What has settled meanwhile, and what is left alone for the first time; it goes on until a stop is asked for.
        A file that is gone again before it settled is passed over.
    """
    done, since = set(handled), dict[Path, tuple[Stamp, float]]()
    told = set[Path]()
    while True:
        stops.poll()
        now, ready = time.monotonic(), []
        seen = look()
        for job in seen.jobs:
            if not job.source.exists():
                continue
            found = stamp(job.source)
            known, first = since.get(job.source, (None, now))
            since[job.source] = (found, first if known == found else now)
            if now - since[job.source][1] >= settle_s and (job.source, found) not in done:
                done.add((job.source, found))
                ready.append(job)
        left_alone = tuple(path for path in seen.left_alone if path not in told)
        told.update(left_alone)
        if ready or left_alone:
            yield Listing(tuple(ready), left_alone)
        end = time.monotonic() + LOOK_EVERY_S
        while time.monotonic() < end:
            stops.poll()
            time.sleep(stops.LOOK_S)
