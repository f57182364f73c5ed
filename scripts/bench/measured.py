"""What the benchmarks share: programs run and measured with all that they start, clips made to length, tables."""

import os
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

VSANON = (sys.executable, "-c", "from vsanon.cli import main; main()")
"""The command line of the checkout that is measured."""

_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of a program.

    Args:
        seconds: from start to end.
        cpu_s: of all cores, of the program and all that it started and waited for.
        peak_mib: the greatest sum of the resident memory of the program and all that it started.
        samples: (seconds since the start, MiB of that sum).
        said: its standard error.
    """

    seconds: float
    cpu_s: float
    peak_mib: float
    samples: tuple[tuple[float, float], ...] = field(repr=False)
    said: str = field(repr=False)


def measure(argv: Sequence[str | Path], *, env: dict[str, str] | None = None) -> Measured:
    """Run a program and measure it.

    Raises:
        SystemExit: it failed; with what it said.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        [str(a) for a in argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(env or {})},
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
    return Measured(seconds, used.ru_utime + used.ru_stime, peak, tuple(samples), said[0])


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


def _resident_mib(root: int) -> float:
    """The resident memory of a process and of all its descendants."""
    parents: dict[int, int] = {}
    resident: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        parents[int(entry.name)] = int(fields[1])
        resident[int(entry.name)] = int(fields[21])
    own = {root}
    while more := {pid for pid, parent in parents.items() if parent in own and pid not in own}:
        own |= more
    pages = sum(resident.get(pid, 0) for pid in own)
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
