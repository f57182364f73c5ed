"""Ctrl-C and SIGTERM at random moments of plan, chunk, join and run: nothing half done counts, and a rerun ends.

    python scripts/farm_stops.py FOLDER --rounds 15 --seed 1

A round plans a drawn clip, does some of its chunks, and then the rest with the join, by `farm run` or by `farm
chunk` and `farm join`. Each command is stopped once, at a moment between its start and its usual end, and then run
again. What must hold:

* a stopped command leaves with 130 or 143, one that had ended already with 0, and never with a traceback;
* a plan is whole or not there; what lies at the output is, to the byte, what an unstopped run gives;
* the command that is run again ends with 0; in the end nothing lies beside plan, output and ledger.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from vsanon.encode.ffmpeg import run as ffmpeg
from vsanon.farm.plan_file import read
from vsanon.files import sha256_file
from vsanon.job.ledger import path_of
from vsanon.job.verify import verify_delivery

OPTIONS = ["--classes", "plate", "--setting", "fast", "--preset", "prores_proxy", "--chunk-seconds", "0.5"]
OPTIONS += ["--gap", "0.2", "--lead", "0.1"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a new one")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    # Where a shell started this in the background Ctrl-C is ignored, and by what is started from here, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    asked.folder.mkdir()
    chance, source = random.Random(asked.seed), asked.folder / "clip.mov"
    picture = ["-f", "lavfi", "-i", "testsrc2=s=160x90:r=12:d=2", "-f", "lavfi", "-i", "sine=r=48000:d=2"]
    ffmpeg(["-y", *picture, "-c:v", "libx264", "-c:a", "pcm_s16le", str(source)])
    usual: dict[str, float] = {}
    wanted = ""
    seen: Counter[tuple[str, str, str]] = Counter()
    for n in range(asked.rounds + 2):
        by_run = n % 2 == 0
        folder = asked.folder / f"round {n}"
        plan, output = folder / "farm.json", folder / "clip.mov"
        steps = [("plan", ["plan", source, "--out", folder, *OPTIONS]), ("chunk", ["chunk", plan, "0-1"])]
        if by_run:
            steps.append(("run", ["run", plan, "--workers", "2"]))
        else:
            steps += [("chunk", ["chunk", plan, "2-3"]), ("join", ["join", plan])]
        for name, argv in steps:
            if n >= 2:  # the first two are not stopped, and say what is usual
                number = chance.choice([signal.SIGINT, signal.SIGTERM])
                code, words = stopped(argv, number, chance.uniform(0, 1.1 * usual[name]))
                require(code in (0, 128 + number), f"{name}, {number!r}: exit {code}: {words}")
                require("Traceback" not in words, f"{name}, {number!r}: {words}")
                seen[name, signal.Signals(number).name, "had ended" if code == 0 else "stopped"] += 1
                consistent(plan, output, wanted)
                if name == "plan" and plan.exists():
                    argv = [*argv, "--overwrite"]
            began = time.monotonic()
            done = subprocess.run(command(argv), capture_output=True, check=False)
            require(done.returncode == 0, f"{name} again: exit {done.returncode}: {done.stderr.decode()[-600:]}")
            usual.setdefault(name, time.monotonic() - began)
        found = sha256_file(output)
        wanted = wanted or found
        require(found == wanted, f"{output} has other bytes than the one of the first round")
        left = sorted(p.name for p in folder.rglob("*"))
        require(left == ["clip.mov", "clip.mov.ledger.json", "farm.json"], f"{folder}: {left}")
    require(all(check.passed for check in verify_delivery(output, source)), f"{output} is not accepted")
    print("| command | signal | it | times |\n|---|---|---|---|")
    for (name, number, state), count in sorted(seen.items()):
        print(f"| farm {name} | {number} | {state} | {count} |")
    print(f"{sum(seen.values())} stops in {asked.rounds} rounds; each ended with the bytes of an unstopped run")


def stopped(argv: list[object], number: signal.Signals, after: float) -> tuple[int, str]:
    """Start a command, and send it a signal; Ctrl-C goes to its whole group, as a terminal sends it."""
    process = subprocess.Popen(
        command(argv), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    time.sleep(after)
    if process.poll() is None:
        if number == signal.SIGINT:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
    _, words = process.communicate(timeout=120)
    return process.returncode, words.decode()[-1500:]


def consistent(plan: Path, output: Path, wanted: str) -> None:
    """What lies at final paths is whole."""
    if plan.exists():
        read(plan)
    if path_of(output).exists():
        require(output.exists(), f"{output} is not there, and its ledger is")
    if output.exists():
        require(sha256_file(output) == wanted, f"{output} is there, and not whole")


def command(argv: list[object]) -> list[str]:
    return [sys.executable, "-m", "vsanon", "farm", *map(str, argv)]


def require(holds: bool, words: str) -> None:
    if not holds:
        print(f"WRONG: {words}")
        raise SystemExit(1)


if __name__ == "__main__":
    main()
