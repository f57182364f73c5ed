"""Ctrl-C and SIGTERM at random moments of all that a farm runs: nothing half done counts, and a rerun ends.

    python scripts/farm_stops.py FOLDER --count 150 --seed 1 [--commands plan,chunk,join]

Each trial draws a command, a signal and a moment from its seed. The moment is a share of the processor time that
the command and its workers take to their end, so that nearly all stops reach it at work, however busy the machine
is. Ctrl-C goes to the whole group of processes, as a terminal sends it, SIGTERM to the command alone. What must
hold:

* a stopped command leaves with 130 or 143, one that had ended already with 0, and never with a traceback;
* a plan is whole or not there; what lies at an output is, to the byte, what was there before or what an unstopped
  run gives, and a ledger speaks of the file that lies beside it;
* no hidden file is left, and no process;
* the same command, run again, ends with 0, and then all is, to the byte, as after a run that nobody stopped, and
  nothing else is there. `vsanon verify` accepts that.
"""

import argparse
import contextlib
import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stop_everywhere import Child

import vsanon.farm.join
import vsanon.farm.make_plan
import vsanon.farm.run
import vsanon.job.again
import vsanon.models.graph  # noqa: F401  what a trial would import is there before it forks
from vsanon.encode.ffmpeg import run as ffmpeg
from vsanon.files import sha256_file

SEARCH = ["--classes", "plate", "--setting", "fast", "--size", "128", "--gap", "0.2", "--lead", "0.1"]
PROXY = ["--preset", "prores_proxy"]
CHUNKS = ["--chunk-seconds", "0.5"]
MANY = ["anonymize", "{}/in", "--out", "{}/out", *SEARCH, *PROXY, *CHUNKS, "--workers", "2"]
COMMANDS: dict[str, list[str]] = {
    "plan": ["farm", "plan", "{}/in/long.mov", "--out", "{}/out", *SEARCH, *PROXY, *CHUNKS],
    "chunk": ["farm", "chunk", "{}/out/farm.json", "0-3"],
    "join": ["farm", "join", "{}/out/farm.json"],
    "run": ["farm", "run", "{}/out/farm.json", "--workers", "2"],
    "run on dask": ["farm", "run", "{}/out/farm.json", "--workers", "2", "--executor", "dask"],
    "many files": MANY,
    "many files on dask": [*MANY, "--executor", "dask"],
    "watch": [*MANY, "--watch", "--settle", "0.11"],
    "again": ["render", "{}/in/long.mov", "{}/out/long.mov", "--tracks", "{}/in/t.vsanon", "--again", *PROXY],
}
WEIGHTS = dict(zip(COMMANDS, (2, 4, 4, 2, 1, 2, 1, 2, 4), strict=True))
"""How often each is drawn: a cluster costs more to start than what it is stopped at."""
REGION = ["--class", "logo", "--by", "A", "--reason", "a sign", "--frames"]


class Bench:
    """Folders as they are before each command, and as they are after it."""

    def __init__(self, root: Path, names: list[str]) -> None:
        self.root = root
        self.wanted: dict[str, dict[str, str]] = {}
        self.work_s: dict[str, float] = {}
        begins = self.start("plan")
        (begins / "in").mkdir(parents=True)
        clip(begins / "in" / "long.mov", 2.0)
        self.end("plan", "chunk")
        self.end("chunk", "join")
        self.end("join")
        if {"run", "run on dask"} & {*names}:
            shutil.copytree(self.start("chunk"), self.start("run"))
            self.whole(self.start("run"), ["farm", "chunk", "{}/out/farm.json", "1"])
            shutil.copytree(self.start("run"), self.start("run on dask"))
        for name in ("many files", "many files on dask", "watch"):
            shutil.copytree(begins, self.start(name))
            for n, seconds in enumerate((0.5, 0.75)):
                clip(self.start(name) / "in" / f"short {n}.mov", seconds)
        if "again" in names:
            shutil.copytree(begins, self.start("again"))
            source, tracks = "{}/in/long.mov", "{}/in/t.vsanon"
            self.whole(self.start("again"), ["analyze", source, "-o", tracks, *SEARCH])
            region = ["edit", "region", tracks, *REGION]
            self.whole(self.start("again"), [*region, "0:24", "--key", "0:10,10,60,40"])
            self.whole(self.start("again"), ["render", source, "{}/out/long.mov", "--tracks", tracks, *PROXY])
            self.whole(self.start("again"), [*region, "6:15", "--key", "6:80,20,130,70"])
        for name in ("run", "run on dask", "many files", "many files on dask", "again"):
            if name in names or (name == "many files" and "watch" in names):
                self.end(name)
        if "watch" in names:
            self.wanted["watch"], self.work_s["watch"] = self.wanted["many files"], self.work_s["many files"]

    def start(self, name: str) -> Path:
        return self.root / "before" / name

    def end(self, name: str, then: str | None = None) -> None:
        """Run a command to its end, for what it gives and how much it works; its folder is that before `then`."""
        folder = self.root / "after" / name
        shutil.copytree(self.start(name), folder)
        self.work_s[name] = self.whole(folder, COMMANDS[name])
        self.wanted[name] = state(folder)
        for output in folder.glob("out/*.mov"):
            # In a process of its own: this one forks, and shall have no threads.
            verify = [sys.executable, "-m", "vsanon", "verify", str(output)]
            done = subprocess.run([*verify, "--source", str(folder / "in" / output.name)], capture_output=True)
            require(done.returncode == 0, f"{name}: {output} is not accepted: {done.stdout.decode()}")
        print(f"{name}: {self.work_s[name]:.1f} s of work to the end", flush=True)
        if then is not None:
            shutil.copytree(folder, self.start(then))

    def whole(self, folder: Path, argv: list[str]) -> float:
        (folder / "out").mkdir(exist_ok=True)
        child = Child(filled(argv, folder), folder)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        code = child.wait()
        require(code == 0, f"{argv}: exit {code}: {child.said()[-600:]}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def trial(bench: Bench, names: list[str], seed: int) -> tuple[str, str, str, list[str]]:
    """Stop one command, look, and run it again: its name, the signal, how far it had come, and what was wrong."""
    draw = random.Random(seed)
    (name,) = draw.choices(names, [WEIGHTS[name] for name in names])
    number = draw.choice([signal.SIGINT, signal.SIGTERM])
    folder = bench.root / "trial"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(bench.start(name), folder)
    (folder / "out").mkdir(exist_ok=True)
    before, work_s = state(folder), draw.random() * bench.work_s[name]
    child = Child(filled(COMMANDS[name], folder), folder)
    while not child.ended() and work_of(child.pid) < work_s:
        time.sleep(0.01)
    heard = child.said()
    with contextlib.suppress(ProcessLookupError):
        (os.killpg if number == signal.SIGINT else os.kill)(child.pid, number)
    code = child.wait()
    faults = [f"still running: {left}" for left in child.left()]
    said = child.said()
    if code not in (0, 128 + number) or (code == 0 and name == "watch"):
        faults.append(f"exit code {code}: {said[-600:]}")
    if "Traceback" in said:
        faults.append(f"a traceback: {said[-900:]}")
    faults += unfit(folder, before, bench.wanted[name])
    again = [word for word in COMMANDS[name] if word not in ("--watch", "--settle", "0.11")]
    if name == "plan" and (folder / "out" / "farm.json").exists():
        again.append("--overwrite")
    rerun = Child(filled(again, folder), folder)
    code_again = rerun.wait()
    if code_again != 0:
        faults.append(f"again: exit code {code_again}: {rerun.said()[-600:]}")
    elif (found := state(folder)) != bench.wanted[name]:
        faults.append(f"again: {sorted(dict(found.items() ^ bench.wanted[name].items()))} differ")
    return name, signal.Signals(number).name, "had ended" if code == 0 else stage_of(heard), faults


def unfit(folder: Path, before: dict[str, str], wanted: dict[str, str]) -> Iterator[str]:
    """What does not hold after a stop."""
    found = state(folder)
    yield from (f"{name} is lost" for name in before if name not in found and "/farm.chunks/" not in name)
    for name, digest in found.items():
        path = folder / name
        if path.name.startswith("."):
            yield f"left {name}"
        fits = digest in (before.get(name), wanted.get(name))
        if path.suffix == ".json" and path.parent.name == "out" and not fits:
            if not path.name.endswith(".farm.json"):  # that of one long film, which goes at its end
                yield f"{name} is neither what was there nor what was to come"
            json.loads(path.read_text())
        if path.match("out/*.mov"):
            book = path.with_name(f"{path.name}.ledger.json")
            if not fits:
                yield f"{name} is there, and not whole"
            told = json.loads(book.read_text()) if book.exists() else None
            if told is not None and told["output"]["sha256"] != sha256_file(path):
                yield f"the ledger of {name} speaks of another file"
        if not path.with_name(path.name.removesuffix(".ledger.json")).exists():
            yield f"{name} is there without its file"


def stage_of(said: str) -> str:
    """How far a command had come, by what it had said."""
    if frames := re.findall(r"(\d+) of (\d+) frames", said):
        return "all frames done" if frames[-1][0] == frames[-1][1] else "at frames"
    if re.search(r"^\d+ of \d+: ", said, re.MULTILINE):
        return "parts ended"
    return "reading or planning" if re.search(r"reading|planning", said) else "nothing said yet"


def state(folder: Path) -> dict[str, str]:
    """By name below the folder the hash of what lies there; of ledgers and plans without times, locks left out."""
    found = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix != ".lock"):
        content = path.read_bytes()
        if path.suffix == ".json":
            with contextlib.suppress(ValueError):
                content = json.dumps(timeless(json.loads(content))).encode()
        found[str(path.relative_to(folder))] = hashlib.sha256(content).hexdigest()
    return found


def timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: timeless(v) for k, v in value.items() if k not in ("started", "finished", "plan_sha256")}
    return [timeless(v) for v in value] if isinstance(value, list) else value


def work_of(pid: int) -> float:
    """Processor time of a process, of those that it has started, and of those that it has waited for, seconds."""
    work = 0.0
    with contextlib.suppress(OSError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        work = sum(int(v) for v in fields[11:15]) / os.sysconf("SC_CLK_TCK")
        for task in Path(f"/proc/{pid}/task").iterdir():
            work += sum(work_of(int(child)) for child in (task / "children").read_text().split())
    return work


def clip(path: Path, seconds: float) -> None:
    picture = ["-f", "lavfi", "-i", f"testsrc2=s=160x90:r=12:d={seconds}"]
    sound = ["-f", "lavfi", "-i", f"sine=r=48000:d={seconds}"]
    ffmpeg(["-y", *picture, *sound, "-c:v", "libx264", "-c:a", "pcm_s16le", str(path)])


def filled(argv: list[str], folder: Path) -> list[str]:
    return [word.replace("{}", str(folder)) for word in argv]


def require(holds: bool, words: str) -> None:
    if not holds:
        print(f"WRONG: {words}")
        raise SystemExit(1)


def table(seen: Counter[tuple[str, str, str]]) -> str:
    """How often each command was stopped by which signal, and how far it had come."""
    rows = [f"| {name} | {stage} | {seen[name, stage, 'SIGINT']} | {seen[name, stage, 'SIGTERM']} |"
            for name, stage in sorted({key[:2] for key in seen})]  # fmt: skip
    return "\n".join(["| command | how far it was | SIGINT | SIGTERM |", "|---|---|---|---|", *rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a new one")
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1e9, help="Begin no more trials after so long.")
    parser.add_argument("--commands", default=",".join(COMMANDS))
    asked = parser.parse_args()
    # Where a shell started this in the background Ctrl-C is ignored, and by what is started from here, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    asked.folder.mkdir()
    names = asked.commands.split(",")
    bench = Bench(asked.folder.absolute(), names)
    seen: Counter[tuple[str, str, str]] = Counter()
    failed = 0
    end = time.monotonic() + 60 * asked.minutes
    for seed in range(asked.seed, asked.seed + asked.count):
        if time.monotonic() > end:
            break
        name, number, stage, faults = trial(bench, names, seed)
        seen[name, stage, number] += 1
        failed += bool(faults)
        for fault in faults:
            print(f"seed {seed}: {name}, {number}, {stage}: {fault}", flush=True)
        if sum(seen.values()) % 10 == 0:
            print(f"{sum(seen.values())} stops, {failed} with faults", flush=True)
            print(table(seen), flush=True)
    print(table(seen))
    ended = sum(count for (_, stage, _), count in seen.items() if stage == "had ended")
    count = sum(seen.values())
    print(f"{count} stops, {count - ended} of commands at work; {failed} with faults")
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
