"""Stops jobs by signals at random moments, looks at what is there afterwards, and runs each again to its end.

    python scripts/stop_everywhere.py FOLDER --count 1000 --seed 1

Each trial draws a command (anonymize, over an older delivery, analyze, render, verify, matte, validate, validate by
Dask's workers), a signal and a moment from its seed, in processor time of the job, so that it hangs on no clock.
What must hold:

* the exit code is 130 after SIGINT, 143 after SIGTERM, -9 after SIGKILL; or 0 where the job had ended, and then all
  of it is there;
* no traceback, and nothing of one;
* at the names of the output and its ledger lies what lay there before, or what a run to the end gives; a new output
  may be without its ledger only after SIGKILL;
* nothing else is left, but after SIGKILL hidden files; no process that it had started is;
* the same command again ends with 0, gives the same bytes, and leaves no hidden files.

A process is started once, and forks for each trial, so that a trial costs what the job does. Of every ten one
starts from nothing, so that the start is stopped, too; before it has come so far that it listens, the signal ends
it itself. Many may run side by side, each in a folder and with seeds of its own.
"""

import argparse
import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import vsanon.job.mattes
import vsanon.job.verify
import vsanon.models.graph
import vsanon.validation.conclusions.conclude
import vsanon.validation.runs.run  # noqa: F401  what a trial would import is there before it forks
from vsanon.cli.main import main
from vsanon.files import cache_root
from vsanon.models.store import cards

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
KINDS = ("anonymize", "overwrite", "analyze", "render", "verify", "matte", "validate", "dask")
FRAMED = ("anonymize", "overwrite", "analyze", "render")
"""Those that say when the last frame is done: what is stopped before must not end well."""
WEIGHTS = (8, 4, 3, 4, 2, 2, 1, 0.25)
"""Dask costs ten times what the others do, and `farm_stops.py` stops it."""
RUNS = ("validate", "dask")
"""Those that end with 1, as the small matrix has no criteria to pass."""
SEARCH = ("--classes", "face", "--size", "128")
"""A small search: what it finds is not what is looked at."""
LEFT_S = 300
"""How long what it had started may take to end: a worker whose run is killed notices once it has begun."""
START_S = 0.6
"""Processor time of a start from nothing."""
FRAMES = 12
MATRIX = """\
vsanon_matrix: 1
name: stops
title: Stops
sources: [{scene: faces, frames: [0, 4]}]
encodes: [{preset: h264_crf, crf: 23}]
settings: [{id: small, classes: [face], size: 128}]
deliveries: [h264_crf]
"""


class Bench:
    """The folder of the trials, and what a run to the end gives."""

    def __init__(self, root: Path, matrix: Path) -> None:
        self.root, self.matrix = root, matrix
        root.mkdir(parents=True, exist_ok=True)
        if (models := cache_root() / "models").is_dir():
            shutil.copytree(models, root / "cache" / "models", dirs_exist_ok=True)
        os.environ["VSANON_CACHE"] = str(root / "cache")
        self.source = root / "in.mp4"
        # In a process of its own: this one forks, and shall have no threads.
        draw = "import sys, pathlib as p; from vsanon.drawn.demo import write_demo as w\n"
        draw += f"w(p.Path(sys.argv[1]), size=(128, 96), frames={FRAMES})"
        subprocess.run([sys.executable, "-c", draw, self.source], check=True)
        self.wanted: dict[str, dict[str, str]] = {}
        self.work_s: dict[str, float] = {}

    def prepare(self, kind: str, folder: Path) -> None:
        """A folder as it is before the command."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        shutil.copy2(self.source, folder / "in.mp4")
        done = self.root / "whole" / "anonymize"
        if kind == "overwrite":
            (folder / "out.mp4").write_bytes(b"an older delivery")
            (folder / "out.mp4.ledger.json").write_text("{}")
        if kind in ("render", "matte"):
            shutil.copy2(self.root / "whole" / "analyze" / "t.vsanon", folder / "t.vsanon")
        if kind == "verify":
            for path in done.iterdir():
                shutil.copy2(path, folder / path.name)

    def command(self, kind: str, folder: Path, *, again: bool) -> list[str]:
        source, output, tracks = (str(folder / name) for name in ("in.mp4", "out.mp4", "t.vsanon"))
        over = ["--overwrite"] if again or kind == "overwrite" else []
        return {
            "anonymize": ["anonymize", source, output, *SEARCH, *over],
            "overwrite": ["anonymize", source, output, *SEARCH, *over],
            "analyze": ["analyze", source, "-o", tracks, *SEARCH, *over],
            "render": ["render", source, output, "--tracks", tracks, *over],
            "verify": ["verify", output, "--source", source],
            "matte": ["export", "matte", tracks, "--source", source, "-o", str(folder / "matte.mov"), *over],
            "validate": ["validate", "run", str(self.matrix), "-o", str(folder / "run"), "--workers", "1"],
            "dask": [
                "validate",
                "run",
                str(self.matrix),
                "-o",
                str(folder / "run"),
                "--workers",
                "2",
                "--executor",
                "dask",
            ],
        }[kind]

    def whole(self, kind: str) -> None:
        """Run it to its end, for what it gives and how long it takes."""
        folder = self.root / "whole" / kind
        folder.parent.mkdir(exist_ok=True)
        self.prepare(kind, folder)
        child = Child(self.command(kind, folder, again=False), folder)
        code = child.wait()
        assert code in (0, 1), (kind, code, child.said())
        self.wanted[kind] = state(folder)
        self.work_s[kind] = child.worked_s
        print(f"{kind}: {self.work_s[kind]:.2f} s of processor time to the end, exit {code}", flush=True)


class Child:
    """The command line in a process of its own: forked off this one, or started from nothing."""

    def __init__(self, arguments: list[str], folder: Path, *, anew: bool = False) -> None:
        self.log = folder.with_suffix(".log")
        self.worked_s, self._code, self._ended = 0.0, None, False
        file = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        if anew:
            program = str(Path(sys.executable).with_name("vsanon"))
            self._process = subprocess.Popen([program, *arguments], stdout=file, stderr=file, process_group=0)
            self.pid = self._process.pid
        else:
            self._process = None
            self.pid = os.fork()
            if self.pid == 0:
                self._run(arguments, file)
        os.close(file)

    def _run(self, arguments: list[str], file: int) -> None:
        os.setpgid(0, 0)
        os.dup2(file, 1)
        os.dup2(file, 2)
        code = 99
        try:
            main(arguments)
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else 0 if left.code is None else 98
        except BaseException:  # noqa: BLE001  the parent looks for it
            import traceback

            traceback.print_exc()
        finally:
            with contextlib.suppress(OSError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def stop(self, signum: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signum)

    def ended(self) -> bool:
        """Whether it has; notes its processor time and, at the end, its exit code."""
        if not self._ended:
            with contextlib.suppress(OSError, IndexError):
                fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
                self.worked_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            if self._process is not None:
                self._code = self._process.poll()
                self._ended = self._code is not None
            else:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                self._ended = pid != 0
                self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._ended

    def wait_for_work(self, work_s: float) -> None:
        """Return when it has used so much processor time, or has ended; however busy the machine is."""
        while not self.ended() and (left := work_s - self.worked_s) > 0:
            time.sleep(max(0.003, left / 4))

    def wait(self, limit_s: float = 3600) -> int | None:
        """Its exit code; None where it has not ended in time."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            if self.ended():
                return self._code
            time.sleep(0.02)
        os.killpg(self.pid, signal.SIGKILL)
        return None

    def left(self) -> list[str]:
        """What it had started and still runs, by name, once that had time to end; it is ended."""
        end = time.monotonic() + LEFT_S
        while (names := self._group()) and time.monotonic() < end:
            time.sleep(0.05)
        if names:
            os.killpg(self.pid, signal.SIGKILL)
        return names

    def _group(self) -> list[str]:
        names = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError, IndexError):
                name, _, rest = path.read_text().partition("(")[2].rpartition(")")
                state_, _, group = rest.split()[:3]
                if int(group) == self.pid and state_ not in "ZX":
                    names.append(name)
        return names

    def said(self) -> str:
        return self.log.read_text(errors="replace")


def state(folder: Path) -> dict[str, str]:
    """Names with the hash of what lies there; of a ledger without its times, of a run its evidence only."""
    found = {}
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            for file in path.glob("evidence.json"):
                found["evidence.json"] = hashlib.sha256(file.read_bytes()).hexdigest()
            continue
        content = path.read_bytes()
        if path.name.endswith(".ledger.json") and content != b"{}":
            book = json.loads(content)
            content = json.dumps({k: v for k, v in book.items() if k not in ("started", "finished")}).encode()
        found[path.name] = hashlib.sha256(content).hexdigest()
    return found


def wrong(kind: str, signum: int, code: int | None, said: str, before: dict[str, str], after: dict[str, str],
          wanted: dict[str, str], anew: bool) -> list[str]:  # fmt: skip
    """What does not hold after a stop."""
    faults = []
    stopped = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[signum]
    ended = int(kind in RUNS)
    if code not in (stopped, ended) and not (anew and code == -signum):
        faults.append(f"exit code {code}")
    if "Traceback" in said and not (anew and code == -signum):
        faults.append("a traceback")
    hidden = {name for name in after if name.startswith(".")}
    if hidden and signum != signal.SIGKILL:
        faults.append(f"left {sorted(hidden)}")
    for name, digest in after.items():
        if name not in hidden and digest not in (before.get(name), wanted.get(name)):
            faults.append(f"{name} is neither what was there nor what was to come")
    new = {name for name in wanted if after.get(name) == wanted[name] != before.get(name)}
    if code == ended and set(wanted.items()) - set(after.items()):
        faults.append("it said that it was done, and not all is there")
    if code != ended and new and signum != signal.SIGKILL and kind not in RUNS:
        faults.append(f"stopped, and {sorted(new)} is there")
    if "out.mp4.ledger.json" in new and "out.mp4" not in new:
        faults.append("a ledger without its file")
    if lost := {n for n in before if n not in after}:
        faults.append(f"lost {sorted(lost)}")
    return faults


def trial(bench: Bench, kinds: list[str], seed: int) -> tuple[str, str, str, list[str]]:
    draw = random.Random(seed)
    kind = draw.choices(kinds, [WEIGHTS[KINDS.index(kind)] for kind in kinds])[0]
    signum, anew = draw.choice(SIGNALS), draw.random() < 0.1
    folder = bench.root / "trial"
    bench.prepare(kind, folder)
    before = state(folder)
    work_s = draw.random() * (bench.work_s[kind] + START_S * anew)
    child = Child(bench.command(kind, folder, again=False), folder, anew=anew)
    child.wait_for_work(work_s)
    time.sleep(draw.random() * 0.02)  # also while it waits for others
    heard = child.said()
    child.stop(signum)
    code = child.wait()
    said, left = child.said(), child.left()
    faults = wrong(kind, signum, code, said, before, state(folder), bench.wanted[kind], anew)
    if left:
        faults.append(f"still running: {left}")
    if kind in FRAMED and code == 0 and signum != signal.SIGKILL and f"{FRAMES} of {FRAMES} frames" not in heard:
        faults.append("it went on to its end")
    lines = said.strip().splitlines()
    stage = stage_of(lines, code)
    again = Child(bench.command(kind, folder, again=True), folder)
    code = again.wait()
    if code != int(kind in RUNS):
        faults.append(f"again: exit code {code}: {again.said()[-300:]}")
    elif (end := state(folder)) != bench.wanted[kind]:
        faults.append(f"again: {sorted(set(end.items()) ^ set(bench.wanted[kind].items()))}")
    if faults:
        faults.append(f"after {work_s:.2f} s of work; it had said: {lines[-3:]}")
    return kind, signal.Signals(signum).name, stage, faults


def stage_of(lines: list[str], code: int | None) -> str:
    """How far it had come, by what it had said."""
    if code in (0, 1):
        return "ended"
    shown = [line for line in lines if " frames" in line]
    if not lines or not (shown or any(line.startswith("reading") for line in lines)):
        return "start"
    if not shown:
        return "opening"
    done, total = shown[-1].split(": ")[-1].split(" ")[0:3:2]
    return "frames" if done != total else "after the last frame"


def run() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", default=",".join(KINDS), help="Which commands are drawn from.")
    options = parser.parse_args()
    kinds = options.kinds.split(",")
    options.folder.mkdir(parents=True, exist_ok=True)
    # A shell's background jobs ignore SIGINT, and so would the trials.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    matrix = options.folder / "stops.yaml"
    matrix.write_text(MATRIX)
    cards()  # parsed once
    bench = Bench(options.folder, matrix)
    for kind in (k for k in KINDS if k in kinds or k in ("anonymize", "analyze")):
        bench.whole(kind)
    tally: Counter[tuple[str, str, str]] = Counter()
    failed = 0
    for n in range(options.count):
        kind, signum, stage, faults = trial(bench, kinds, options.seed + n)
        tally[kind, signum, stage] += 1
        if faults:
            failed += 1
            print(f"seed {options.seed + n}: {kind}, {signum}: {'; '.join(faults)}", flush=True)
        if (n + 1) % 10 == 0:
            print(f"{n + 1} stops, {failed} with faults", flush=True)
    for (kind, signum, stage), count in sorted(tally.items()):
        print(f"{kind:10} {signum:8} {stage:20} {count}")
    print(f"seeds {options.seed}:{options.seed + options.count}: {options.count} stops, {failed} with faults")
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    run()
