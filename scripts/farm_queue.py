"""A queue of short files with seeded faults, run to its end twice: none is forgotten, and each output verifies.

    python scripts/farm_queue.py FOLDER --count 200 --seed 1

Draws the files, damages some, kills workers with
SIGKILL and changes sources while it runs. What must hold:

* every file ends as delivered or failed, with a reason, in the log;
* what lies at an output has its ledger, and `vsanon verify` accepts it; nothing else lies below the folder;
* damaged files fail, and all others are delivered by the second run, which does only what is missing.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from vsanon.encode import ffmpeg_path
from vsanon.job.ledger import path_of


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path, help="a new one")
    options.add_argument("--count", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--kills", type=int, default=6)
    asked = options.parse_args()
    chance = random.Random(asked.seed)
    source, out, log = asked.folder / "in", asked.folder / "out", asked.folder / "log.jsonl"
    kinds = drawn(source, asked.count, chance)
    changing = [path for path, kind in kinds.items() if kind == "changed while it runs"]
    argv = [sys.executable, "-m", "vsanon", "anonymize", source, "--out", out, "--classes", "plate"]
    argv += ["--workers", asked.workers, "--log-json", log]

    began = time.monotonic()
    first = subprocess.Popen([*map(str, argv)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    threading.Thread(target=disturb, args=(first.pid, changing, asked.kills, chance), daemon=True).start()
    code = first.wait()
    ended = [json.loads(line) for line in log.read_text().splitlines()]
    files = {event["source"]: event for event in ended if event["event"] == "file"}
    counts = dict(Counter(event["state"] for event in files.values()))
    print(f"first run: exit {code} after {time.monotonic() - began:.0f} s, {counts}")
    for source_path, event in sorted(files.items()):
        if event["state"] == "failed" or event["tries"] > 1:
            kind = kinds[Path(source_path)]
            print(f"  {event['state']} in {event['tries']} tries, {kind}: {event['message'][:150]}")
    require(set(files) == {str(path) for path in kinds}, "a file has no result")
    require(
        code == int(any(e["state"] == "failed" for e in files.values())), "the exit code is not that of its files"
    )

    log.unlink()
    code = subprocess.run(
        [*map(str, argv)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    ).returncode
    again = [json.loads(line) for line in log.read_text().splitlines()]
    states = {Path(event["source"]): event for event in again if event["event"] == "file"}
    print(f"second run: exit {code}, {dict(Counter(e['state'] for e in states.values()))}")
    for path, kind in kinds.items():
        state, was = states[path]["state"], files[str(path)]["state"]
        wanted = {"failed"} if kind == "damaged" else {"kept"} if was == "delivered" else {"delivered"}
        if kind == "changed while it runs" and was == "delivered":
            wanted = {"kept", "failed"}  # it may have changed after it was delivered
        require(state in wanted, f"{path} ({kind}) was {was}, and then {state}: {states[path]['message']}")

    verified = 0
    for path, event in states.items():
        output = Path(event["output"])
        if event["state"] == "failed":
            continue
        require(path_of(output).exists(), f"{output} has no ledger")
        done = subprocess.run(
            [sys.executable, "-m", "vsanon", "verify", output, "--source", path], capture_output=True, check=False
        )
        require(done.returncode == 0, f"{output} is not accepted: {done.stderr.decode()[-300:]}")
        verified += 1
    known = {Path(e["output"]) for e in states.values()}
    known |= {path_of(path) for path in known}
    strange = [p for p in out.rglob("*") if p.is_file() and p not in known]
    print(f"{verified} outputs verified; {len(strange)} files that nobody knows: {[p.name for p in strange][:5]}")
    require(not [p for p in strange if not p.name.startswith(".")], "what is not finished lies under a final name")


def drawn(folder: Path, count: int, chance: random.Random) -> dict[Path, str]:
    """The files, and what is wrong with each."""
    kinds: dict[Path, str] = {}
    for n in range(count):
        path = folder / f"day {n % 5}" / f"clip {n:03}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        size = chance.choice(["160x90", "240x136", "176x144"])
        picture = f"testsrc2=s={size}:r=12:d={chance.choice([0.5, 1, 2])}"
        argv = [
            ffmpeg_path(),
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            picture,
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
        ]
        subprocess.run([*map(str, argv), str(path)], check=True)
        kinds[path] = chance.choices(["sound", "damaged", "changed while it runs"], [16, 2, 1])[0]
        if kinds[path] == "damaged":
            content = bytearray(path.read_bytes())
            del content[len(content) // chance.choice([2, 3, 10]) :]
            path.write_bytes(content)
    return kinds


def disturb(pid: int, changing: list[Path], kills: int, chance: random.Random) -> None:
    """Kill workers, and change sources, while the run goes on."""
    left = [*["kill"] * kills, *changing]
    chance.shuffle(left)
    while left:
        time.sleep(chance.uniform(1, 4))
        what = left.pop()
        if isinstance(what, Path):
            with what.open("ab") as file:
                file.write(b"\0\0\0\x08free")
            continue
        workers = [child for child in children(pid) if b"spawn_main" in cmdline(child)]
        if not workers:
            left.insert(0, what)
        else:
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(workers), signal.SIGKILL)


def children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def cmdline(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def require(holds: bool, words: str) -> None:
    if not holds:
        print(f"WRONG: {words}")
        raise SystemExit(1)


if __name__ == "__main__":
    main()
