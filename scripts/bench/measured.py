"""What the benchmarks share: programs run and measured with all that they start, clips made to length, tables."""

import os
import resource
import shlex
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vsanon.encode import run

VSANON = (sys.executable, "-m", "vsanon")
"""The command line of the checkout that is measured."""

_POLL_S = 0.25


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of a program.

    Args:
        seconds: from start to end.
        cpu_s: of all cores, of the program and all that it started and waited for.
        others: cores that all else on the machine took meanwhile.
        peak_mib: the greatest sum of the resident memory of the program and all that it started.
        samples: (seconds since the start, MiB of that sum).
        said: its standard error.
    """

    seconds: float
    cpu_s: float
    others: float
    peak_mib: float = 0.0
    samples: tuple[tuple[float, float], ...] = field(default=(), repr=False)
    said: str = field(default="", repr=False)


def measure(argv: Sequence[str | Path], *, env: dict[str, str] | None = None) -> Measured:
    """Run a program and measure it.

    Raises:
        SystemExit: it failed; with what it said.
    """
    start, busy = time.perf_counter(), _busy_s()
    process = subprocess.Popen(
        [str(a) for a in argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**compiled(), **(env or {})},
    )
    said: list[str] = []
    assert process.stderr is not None
    pipe = process.stderr
    reader = threading.Thread(target=lambda: said.append(pipe.read()), daemon=True)
    reader.start()
    samples = []
    while True:
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        samples.append((time.perf_counter() - start, _resident_mib(process.pid)))
        time.sleep(_POLL_S)
    seconds = time.perf_counter() - start
    reader.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{shlex.join(map(str, argv))} ended with {process.returncode}:\n{said[0][-2000:]}")
    peak = max((mib for _, mib in samples), default=0.0)
    cpu_s = used.ru_utime + used.ru_stime
    others = max(0.0, (_busy_s() - busy - cpu_s) / seconds)
    return Measured(seconds, cpu_s, others, peak, tuple(samples), said[0])


def compiled() -> dict[str, str]:
    """This environment, but that Python keeps what it compiled: each command would compile for a second."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def measure_here(work: Callable[[], object]) -> Measured:
    """Measure a part of this very program, and of what it starts and waits for."""
    start, busy, cpu_s = time.perf_counter(), _busy_s(), _own_cpu_s()
    work()
    seconds, cpu_s = time.perf_counter() - start, _own_cpu_s() - cpu_s
    return Measured(seconds, cpu_s, max(0.0, (_busy_s() - busy - cpu_s) / seconds))


def medians(times: int, measured: Callable[[], float]) -> float:
    """The median of several runs."""
    return statistics.median(measured() for _ in range(times))


def looped(clip: Path, folder: Path, *, seconds: float) -> Path:
    """The clip's picture repeated to about `seconds`, its packets copied; made once."""
    out = folder / f"{clip.stem}_{seconds:g}s{clip.suffix}"
    if not out.exists():
        partial = out.with_name(f".{out.name}")
        args = ["-y", "-stream_loop", "-1", "-i", f"file:{clip}", "-t", f"{seconds}", "-map", "0:v:0", "-c", "copy"]
        run([*args, "-f", "mp4", f"file:{partial}"])
        partial.replace(out)
    return out


def split_options(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """What stands before `--`, and what after it, which is passed on to the program that is measured."""
    at = words.index("--") if "--" in words else len(words)
    return list(words[:at]), list(words[at + 1 :])


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(value) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def _own_cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def _busy_s() -> float:
    """Processor time of the whole machine since it was started."""
    ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return (sum(ticks[:8]) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def _resident_mib(root: int) -> float:
    """The resident memory of a process and of all its descendants."""
    pages, todo = 0, [root]
    while todo:
        place = Path(f"/proc/{todo.pop()}")
        try:
            pages += int((place / "statm").read_text().split()[1])
            for task in (place / "task").iterdir():
                todo += map(int, (task / "children").read_text().split())
        except (OSError, IndexError):
            continue  # it has just ended
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
