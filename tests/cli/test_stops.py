"""A stop is a stop, wherever the job is: 130 after Ctrl-C, 143 after SIGTERM, one line, nothing delivered."""

import concurrent.futures
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.footage import blob
from tests.support.loops import first_quick
from vsanon import stops
from vsanon.farm.executors import LocalExecutor

ROOT = Path(__file__).parents[2]

# A job whose model is scripted, and that gets its signal at a place of its own.
JOB = """
import os, signal, sys, pytest
# What a shell runs in the background ignores SIGINT, and so would this.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
from tests.support.clips import found, use
signum, place, *arguments = sys.argv[1:]
patch = pytest.MonkeyPatch()
calls, seen = 0, []
def stop():
    os.kill(os.getpid(), int(signum))
def detect(rgb):  # runs in a callback of VapourSynth
    global calls
    calls += 1
    if place == 'in a callback' and calls == 5:
        stop()
    return found([(10, 10, 40, 40)])
use(patch, detect)
import vsanon.cli.main as cli
if place == 'while it is indexed':
    import vsanon.media.best_source as source, time, vapoursynth as vs
    class Slow:
        def VideoSource(self, *_, **__):
            stop()
            time.sleep(1000)
    patch.setattr(source, '_video_source', lambda *_: source.stops.patiently(Slow().VideoSource))
if place == 'while it is decoded':
    from vsanon.media.once import Once
    take = Once.take
    patch.setattr(Once, 'take', lambda self, *a, **k: (self._decoded == 9 and stop(), take(self, *a, **k))[1])
if place == 'while the encoder ends':
    import vsanon.encode.ffmpeg as ffmpeg
    wait = ffmpeg.Running._wait
    patch.setattr(ffmpeg.Running, '_wait', lambda self: (stop(), wait(self))[1])
if place == 'while it is checked':
    import vsanon.job.file_checks as checks
    decode = checks.decode_timestamps
    patch.setattr(checks, 'decode_timestamps', lambda *a, **k: (stop(), decode(*a, **k))[1])
if place == 'while it is hashed':
    import vsanon.job.ledger as ledger
    digest = ledger.sha256_file
    patch.setattr(ledger, 'sha256_file', lambda path: (stop(), digest(path))[1])
if place == 'when all is there':
    import vsanon.job.delivery as delivery
    patch.setattr(delivery, 'sync_folder', lambda folder: seen or (seen.append(1), stop()))
cli.main(arguments)
"""
PLACES = (
    "while it is indexed", "in a callback", "while it is decoded", "while the encoder ends", "while it is checked",
    "while it is hashed",
)  # fmt: skip


def run(folder: Path, signum: int, place: str) -> subprocess.CompletedProcess[str]:
    codec = "mpeg4" if place == "while it is indexed" else "libx264"  # which is decoded once
    source = blob(folder / "in.mp4", "-c:v", codec, sound=False)
    argv = [sys.executable, "-c", JOB, str(int(signum)), place]
    argv += ["anonymize", str(source), str(folder / "out.mp4")]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("signum", first_quick([signal.SIGINT, signal.SIGTERM]))
@pytest.mark.parametrize(
    "place", [PLACES[1], *(pytest.param(place, marks=pytest.mark.slow) for place in PLACES if place != PLACES[1])]
)
def test_a_stop_at_any_place_is_heard(tmp_path: Path, signum: signal.Signals, place: str) -> None:
    done = run(tmp_path, signum, place)
    assert done.returncode == 128 + signum, done.stderr
    assert done.stderr.splitlines()[-1] == (
        f"vsanon: stopped by {signum.name}; what was not finished is not delivered"
    )
    assert "Traceback" not in done.stderr
    assert {p.name for p in tmp_path.iterdir()} == {"in.mp4"}


def test_a_stop_that_comes_while_the_files_move_is_too_late(tmp_path: Path) -> None:
    done = run(tmp_path, signal.SIGTERM, "when all is there")
    assert done.returncode == 0, done.stderr
    assert {p.name for p in tmp_path.iterdir()} == {"in.mp4", "out.mp4", "out.mp4.ledger.json"}


def test_a_second_signal_ends_the_process_itself(tmp_path: Path) -> None:
    code = (
        "import os, signal; from vsanon import stops; stops.listen()\n"
        "os.kill(os.getpid(), signal.SIGTERM); os.kill(os.getpid(), signal.SIGTERM); print('still here')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGTERM, "")


def test_a_stop_that_comes_while_the_interpreter_ends_is_too_late() -> None:
    """All is delivered by then, and the exit code must not deny it."""
    program = """
import os, signal, sys
from vsanon import stops

class Late:
    def __del__(self, kill=os.kill, pid=os.getpid(), signum=signal.SIGTERM):
        kill(pid, signum)

stops.listen()
sys.late = Late()
"""
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=1800).returncode == 0


def test_a_signal_that_is_ignored_stays_so() -> None:
    code = (
        "import os, signal; from vsanon import stops\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN); stops.listen()\n"
        "os.kill(os.getpid(), signal.SIGHUP); stops.poll(); print('goes on')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "goes on\n")


@pytest.fixture
def requested(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forgets afterwards that a stop was asked for."""
    monkeypatch.setattr(stops._State, "requested", None)


@pytest.mark.usefixtures("requested")
def test_who_waits_for_a_future_stops_or_gets_its_result() -> None:
    done: concurrent.futures.Future[int] = concurrent.futures.Future()
    done.set_result(3)
    assert stops.wait(done) == 3
    stops.request(signal.SIGTERM)
    with pytest.raises(stops.Stopped, match="SIGTERM") as raised:
        stops.wait(concurrent.futures.Future())
    assert raised.value.exit_code == 143


def endless(task: str) -> None:
    """A worker's task."""
    Path(task).write_text(str(os.getpid()))
    while True:
        stops.poll()


@pytest.mark.usefixtures("requested")
@pytest.mark.slow
def test_workers_stop_with_the_run(tmp_path: Path) -> None:
    """A cell runs for ever; the run is stopped as soon as it has begun."""
    begun = tmp_path / "begun"

    def stop_when_begun() -> None:
        while not begun.exists() or not begun.read_text():
            pass
        stops.request(signal.SIGINT)

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(stop_when_begun)
        with pytest.raises(stops.Stopped):
            list(LocalExecutor(1).run(endless, [str(begun)]))
    with pytest.raises(ProcessLookupError):
        os.kill(int(begun.read_text()), 0)
