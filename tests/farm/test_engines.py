"""A plan on engines: run to its end, split by nobody, exported as jobs that give the same bytes, and looked at."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from tests.support.clips import blobs, use
from tests.support.footage import blob
from vsanon import Search
from vsanon.cli.main import main
from vsanon.errors import InputError
from vsanon.farm import chunk_files, chunks, export, locks, make_plan, plan, status
from vsanon.farm.executors import Work
from vsanon.farm.listing import Job
from vsanon.farm.run import Event, run_plan
from vsanon.farm.work import Piece
from vsanon.job.settings import Settings

FACES = Settings(search=Search(classes=("face",)), preset="prores_hq")


class Here:
    """An executor that does all tasks in this process, one after the other; some end with their worker."""

    def __init__(self, *dies: str) -> None:
        self._dies, self.begun = list(dies), list[str]()

    def run(self, work: Work, tasks: Sequence[str]) -> Iterator[tuple[str, Any]]:
        for task in tasks:
            self.begun.append(task)
            if task in self._dies:
                self._dies.remove(task)
                yield task, RuntimeError("died")
            else:
                yield task, work(task)


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> plan.Plan:
    use(monkeypatch, blobs)
    source = blob(tmp_path / "in.mov", "-c:v", "libx264", "-crf", "12", "-c:a", "pcm_s16le", frames=24)
    job = Job(source, tmp_path / "out" / "in.mov")
    return make_plan.make([job], tmp_path / "out" / "farm.json", FACES, chunk_seconds=0.4)


def test_chunks_are_named_by_id_by_number_and_by_ranges_of_numbers(made: plan.Plan) -> None:
    assert made.units == ("0000-00000", "0000-00001")
    assert made.named("0000-00001") == ("0000-00001",)
    assert made.named("0-1") == made.units
    assert made.named("1,0") == ("0000-00001", "0000-00000")
    for wrong in ("2", "0-2", "1-0", "a", "", "0000-00002x"):
        with pytest.raises(InputError):
            made.named(wrong)


@pytest.mark.slow
def test_a_plan_ends_though_a_worker_died_and_again_does_nothing(made: plan.Plan) -> None:
    executor, said = Here("0000-00001"), list[Event]()
    results = run_plan(made, Piece(made.path), executor, said.append)
    assert executor.begun == ["0000-00000", "0000-00001", "0000-00001", "0000"]
    assert [(r.unit, r.state, r.tries) for r in results] == [
        ("0000-00000", "made", 1), ("0000-00001", "made", 2), ("0000", "delivered", 1),
    ]  # fmt: skip
    assert [e["event"] for e in said] == ["start", "chunk", "chunk", "file", "end"]
    assert [(e["done"], e["of"]) for e in said[1:-1]] == [(1, 3), (2, 3), (3, 3)]
    assert made.files[0].output.exists()
    again = Here()
    assert run_plan(made, Piece(made.path), again, said.append) == []
    assert again.begun == []
    assert said[-1] == {"event": "end", "delivered": 0, "kept": 1, "failed": 0, "given_up": 0}


@pytest.mark.slow
def test_a_file_one_of_whose_chunks_failed_is_not_joined(made: plan.Plan) -> None:
    made.files[0].source.write_bytes(b"another")
    executor, said = Here(), list[Event]()
    results = run_plan(made, Piece(made.path), executor, said.append)
    assert [(r.unit, r.state, r.tries) for r in results] == [
        ("0000-00000", "failed", 1),
        ("0000-00001", "failed", 1),
    ]
    assert "is not the file that the plan was made for" in results[0].message
    assert said[-1] == {"event": "end", "delivered": 0, "kept": 0, "failed": 1, "given_up": 0}


@pytest.mark.slow
def test_whoever_takes_what_is_free_leaves_what_another_does_and_how_far_it_is_can_be_seen(made: plan.Plan) -> None:
    first, second = made.units
    with locks.held(chunk_files.files_of(made, first).ledger.parent / f"{first}.lock"):
        assert chunks.do(made, first, wait=False) == "busy"
        assert chunks.do(made, second, wait=False) == "made"
        found = status.look(made)
        assert [(f.chunks, f.busy, f.frames, f.delivered) for f in found.files] == [(1, 1, 14, False)]
        metrics = status.prometheus(found)
        assert 'vsanon_frames_done{file="0000",source="in.mov"} 14\n' in metrics
        assert 'vsanon_chunks_busy{file="0000",source="in.mov"} 1\n' in metrics
    assert list(chunks.free(made, progress=lambda _: lambda *_: None)) == [(first, "made"), (second, "kept")]


def test_retries_and_failures_are_counted_from_the_log(made: plan.Plan, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    events = [{"event": "chunk", "state": "made", "tries": 3}, {"event": "chunk", "state": "failed", "tries": 2}]
    log.write_text("".join(json.dumps(e) + "\n" for e in [{"event": "start"}, *events]))
    found = status.look(made, log)
    assert (found.retries, found.failures) == (3, 1)
    assert "vsanon_retries_total 3\n" in status.prometheus(found)
    result = CliRunner().invoke(main, ["farm", "status", str(made.path), "--log", str(log)])
    assert result.exit_code == 0, result.output
    assert "0 of 1 files delivered, 0 of 2 chunks done, 0 of 24 frames" in result.output
    assert "0 chunks in work, 3 retries, 1 failures" in result.output


@pytest.fixture
def commands(made: plan.Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the search path whose `vsanon` writes down what it is asked for."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "vsanon"
    script.write_text(f'#!/bin/sh\necho "$@" >> "{tmp_path}/asked"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "asked"


def asked(commands: Path) -> list[str]:
    return commands.read_text().splitlines()


@pytest.mark.skipif(sys.platform == "win32", reason="a script of the POSIX shell")
def test_the_scripts_of_shell_and_slurm_ask_for_each_chunk_once_and_then_join(
    made: plan.Plan, tmp_path: Path, commands: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "script"
    script.write_text(export.shell(made))
    subprocess.run(["sh", script], check=True)
    assert asked(commands) == [f"farm chunk --free {made.path}", f"farm join {made.path}"]
    commands.unlink()
    monkeypatch.setattr(export, "MOST_TASKS", 1)
    for most, wanted in ((1000, ["0-0", "1-1"]), (1, ["0-1"])):
        monkeypatch.setattr(export, "MOST_TASKS", most)
        script.write_text(export.slurm(made))
        (array,) = [line for line in script.read_text().splitlines() if "--array=0-" in line]
        assert array == f"#SBATCH --array=0-{len(wanted) - 1}"
        for n in range(len(wanted)):
            subprocess.run(["sh", script], check=True, env={**os.environ, "SLURM_ARRAY_TASK_ID": str(n)})
        assert asked(commands) == [f"farm chunk {made.path} {span}" for span in wanted]
        commands.unlink()
    subprocess.run(["sh", script], check=True, env={**os.environ, "SLURM_ARRAY_TASK_ID": "0", "VSANON_JOIN": "1"})
    assert asked(commands) == [f"farm join {made.path}"]


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_the_scripts_pass_shellcheck(made: plan.Plan, tmp_path: Path) -> None:
    for kind in ("shell", "slurm"):
        script = tmp_path / kind
        script.write_text(export.FORMATS[kind](made))
        done = subprocess.run(["shellcheck", script], capture_output=True, check=False)
        assert done.returncode == 0, done.stdout.decode()


def test_the_template_is_one_of_open_job_description_and_hands_out_ranges(made: plan.Plan, commands: Path) -> None:
    text = export.openjd(made)
    template = yaml.safe_load(text)
    assert template["extensions"] == ["TASK_CHUNKING"]
    path = made.path.with_name("farm.openjd.yaml")
    path.write_text(text)
    openjd = [sys.executable, "-m", "openjd"]
    checked = subprocess.run([*openjd, "check", path], capture_output=True, check=False)
    assert checked.returncode == 0, checked.stdout.decode()
    done = subprocess.run([*openjd, "run", path], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()[-2000:]
    assert asked(commands)[-1] == f"farm join {made.path}"
    spans = [line.rsplit(" ", 1)[1] for line in asked(commands)[:-1]]
    numbers = [n for span in spans for n in made.named(span)]
    assert numbers == list(made.units)
    with contextlib.suppress(FileNotFoundError):
        path.unlink()


@pytest.mark.slow
def test_a_long_film_among_many_is_done_in_chunks_and_kept_when_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, blobs)
    coded = ("-c:v", "libx264", "-crf", "12")
    (tmp_path / "in").mkdir()
    blob(tmp_path / "in" / "a.mov", *coded, frames=12)
    blob(tmp_path / "in" / "b.mov", *coded, frames=30)
    monkeypatch.setattr("vsanon.cli.many.executor_of", lambda *_: Here())
    argv = ["anonymize", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--preset", "prores_hq", "--classes",
            "face", "--chunk-seconds", "0.4", "--log-json", str(tmp_path / "log.jsonl")]  # fmt: skip

    def told() -> list[tuple[str, str]]:
        events = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
        (tmp_path / "log.jsonl").write_text('{"event": "file", "sou')  # as a machine that dies leaves it
        return [(Path(e["source"]).name, e["state"]) for e in events if e["event"] == "file"]

    first = CliRunner().invoke(main, argv)
    assert first.exit_code == 0, first.output
    assert told() == [("a.mov", "delivered"), ("b.mov", "delivered")]
    book = json.loads((tmp_path / "out" / "b.mov.ledger.json").read_text())
    assert [(c["start"], c["stop"]) for c in book["chunks"]["list"]] == [(0, 10), (10, 20), (20, 30)]
    assert "chunks" not in json.loads((tmp_path / "out" / "a.mov.ledger.json").read_text())
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "a.mov", "a.mov.ledger.json", "b.mov", "b.mov.ledger.json",
    ]  # fmt: skip
    before = (tmp_path / "out" / "b.mov").stat().st_mtime_ns
    again = CliRunner().invoke(main, argv)
    assert again.exit_code == 0, again.output
    assert told() == [("a.mov", "kept"), ("b.mov", "kept")]
    assert (tmp_path / "out" / "b.mov").stat().st_mtime_ns == before
