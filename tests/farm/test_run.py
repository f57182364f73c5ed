"""Many files to their ends: none is forgotten, and one that kills its worker takes no other with it."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from vsanon import stops
from vsanon.farm import run as farm_run
from vsanon.farm.executors import LocalExecutor, Work
from vsanon.farm.listing import Job, Listing
from vsanon.farm.run import Event, run_files, run_long, settled
from vsanon.farm.work import Cover, Result
from vsanon.job.settings import Settings

JOBS = tuple(Job(Path(name), Path("out") / name) for name in ("a", "b", "c"))


class Scripted:
    """An executor in which each file ends as it is told, time after time."""

    def __init__(self, **ends: Sequence[str]) -> None:
        self._ends = {name: list(script) for name, script in ends.items()}
        self.begun: list[str] = []

    def run(self, work: Work, tasks: Sequence[str]) -> Iterator[tuple[str, Any]]:
        for task in tasks:
            name = task[2]
            self.begun.append(name)
            end = self._ends[name].pop(0)
            yield task, RuntimeError("died") if end == "died" else asdict(Result(name, f"out/{name}", end, tries=1))


def results(executor: Any, **options: Any) -> tuple[list[tuple[str, str, int]], list[Event]]:
    said: list[Event] = []
    found = run_files(Listing(JOBS, ()), Cover(Settings()), executor, said.append, **options)
    return [(r.source, r.state, r.tries) for r in found], said


def test_every_file_has_its_result_and_the_counts_are_said() -> None:
    found, said = results(Scripted(a=["delivered"], b=["failed"], c=["kept"]))
    assert found == [("a", "delivered", 1), ("b", "failed", 1), ("c", "kept", 1)]
    assert [event["event"] for event in said] == ["start", "file", "file", "file", "end"]
    assert said[-1] == {"event": "end", "delivered": 1, "kept": 1, "failed": 1, "given_up": 0}


def test_what_died_with_a_worker_is_tried_again_alone() -> None:
    executor = Scripted(a=["died", "delivered"], b=["died", "died", "died"], c=["delivered"])
    found, said = results(executor)
    assert found == [("c", "delivered", 1), ("a", "delivered", 2), ("b", "failed", 3)]
    assert executor.begun == ["a", "b", "c", "a", "b", "b"]
    assert said[-2]["message"] == "the worker died each time that it worked on this file"


def test_whoever_fails_fast_gives_up_what_has_not_ended_and_says_so() -> None:
    found, said = results(Scripted(a=["failed"]), keep_going=False)
    assert found == [("a", "failed", 1)]
    assert said[-1]["given_up"] == 2


def killed_once(task: str) -> dict[str, Any]:
    """A worker's task: its process is killed the first time."""
    marker = Path(task)
    if marker.suffix == ".bad" and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return {"done": task}


@pytest.mark.slow
def test_a_killed_worker_is_an_exception_in_the_place_of_its_result_and_the_others_go_on(tmp_path: Path) -> None:
    tasks = [str(tmp_path / name) for name in ("a", "b.bad", "c")]
    found = dict(LocalExecutor(1).run(killed_once, tasks))
    assert isinstance(found[tasks[1]], BaseException)
    assert found[tasks[0]] == {"done": tasks[0]}
    assert found[tasks[2]] == {"done": tasks[2]}
    assert dict(LocalExecutor(1).run(killed_once, tasks[1:2])) == {tasks[1]: {"done": tasks[1]}}


def test_a_file_is_taken_once_it_stopped_growing_once_and_again_when_it_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, path = [0.0], tmp_path / "a.mov"

    def sleep(seconds: float) -> None:
        clock[0] += 0.5

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    taken: list[float] = []
    left_alone: list[Path] = []

    def look() -> Listing:
        if clock[0] < 4 or 12 < clock[0] < 14:  # it is copied there for 4 s, and changed later
            with path.open("ab") as file:
                file.write(b"\0")
        if clock[0] > 25:
            stops.request(signal.SIGTERM)
        jobs = (Job(path, tmp_path / "out.mp4"), Job(tmp_path / "gone again.mov", tmp_path / "gone.mp4"))
        return Listing(jobs, (tmp_path / "notes.txt",))

    monkeypatch.setattr(stops._State, "requested", None)
    with contextlib.suppress(stops.Stopped):
        for files in settled(look, 5):
            left_alone.extend(files.left_alone)
            if not files.jobs:
                continue
            assert files.jobs == (Job(path, tmp_path / "out.mp4"),)
            taken.append(clock[0])
    assert left_alone == [tmp_path / "notes.txt"]
    assert len(taken) == 2
    assert taken[0] >= 8
    assert taken[1] >= 17


def test_the_plan_that_a_stopped_run_left_beside_a_delivered_film_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop between the delivery and the end: the film is kept, and nobody would ever use its plan."""
    monkeypatch.setattr(farm_run, "delivered", lambda job, settings: True)
    job = Job(tmp_path / "long.mov", tmp_path / "out.mov")
    plan = tmp_path / "out.mov.farm.json"
    plan.write_text("{}")
    result = run_long(job, Cover(Settings()), LocalExecutor(1), lambda event: None, 1.0)
    assert (result.state, plan.exists()) == ("kept", False)
