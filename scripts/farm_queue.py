"""A queue of short files with seeded faults, run to its end twice: none is forgotten, and each output verifies.

    python scripts/farm_queue.py FOLDER --count 200 --seed 1

Draws the files, some long enough to be done in chunks. Some are damaged, some change while the run goes on; workers
are killed with SIGKILL, the model is gone for a moment, the outputs of one folder go to a disk that is too small,
and those of another to one that is read-only (where this process may mount one). What must hold:

* every file ends as delivered or failed, with a reason, in the log;
* what lies at an output has its ledger, and `vsanon verify` accepts it; nothing else lies below the folder;
* the second run, with room, leave to write and the model there, keeps what was delivered, and delivers all else but
  the damaged files; those whose source has changed after they were delivered are neither kept nor replaced.
"""

import argparse
import contextlib
import hashlib
import json
import logging
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import vsanon
from vsanon.encode import ffmpeg_path
from vsanon.farm.listing import listed
from vsanon.files import left_beside
from vsanon.job.ledger import path_of
from vsanon.job.verify import verify_delivery

SMALL, CLOSED = "day 3", "day 4"
"""Folders whose outputs go to a disk that is too small, and to one that is read-only."""

DAMAGED, CHANGED, SOUND = "damaged", "changes in the middle", "sound"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path, help="a new one")
    options.add_argument("--count", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--kills", type=int, default=6)
    options.add_argument("--small-disk", default="500k", help="as mount's size= has it")
    asked = options.parse_args()
    chance = random.Random(asked.seed)
    logging.getLogger("vsanon").setLevel(logging.ERROR)
    source, out = asked.folder / "in", asked.folder / "out"
    kinds = drawn(source, asked.count, chance)
    model = own_model(asked.folder / "model")
    os.environ["VSANON_MODELS"] = str(model.parent.absolute())
    argv = [sys.executable, "-m", "vsanon", "anonymize", source, "--out", out, "--classes", "plate"]
    argv += ["--model", f"plate={model.stem}", "--workers", asked.workers, "--chunk-seconds", "0.8"]

    with disks(out, asked.small_disk) as mounted:
        outputs = {job.source: job.output for job in listed([source], out, ".mp4").jobs}
        changing = {path: outputs[path] for path, kind in kinds.items() if kind == CHANGED}
        weights, log = model.with_suffix(".onnx"), asked.folder / "1.jsonl"
        first = run(argv, log, lambda pid: disturb(pid, log, changing, weights, asked.kills, chance))
        if mounted:
            subprocess.run(["mount", "-o", "remount,size=64m", out / SMALL], check=True)
            subprocess.run(["mount", "-o", "remount,rw", out / CLOSED], check=True)
        second = run(argv, asked.folder / "2.jsonl", lambda _: None)
        for found in (first, second):
            lost = {str(path) for path in kinds} ^ set(found)
            require(not lost, f"files without a result, or results without a file: {sorted(lost)[:3]}")
        table(kinds, first, second, mounted=mounted)
        compare(kinds, first, second)
        verified(out, second)


def compare(kinds: dict[Path, str], first: dict[str, Any], second: dict[str, Any]) -> None:
    """Hold the second run against the first."""
    for path, kind in kinds.items():
        was, now = first[str(path)], second[str(path)]
        wanted = {"failed"} if kind == DAMAGED else {"kept"} if was["state"] == "delivered" else {"delivered"}
        if kind == CHANGED and was["state"] == "delivered":
            wanted = {"kept", "failed"}  # it may have changed after it was delivered
        words = f"{path} ({kind}) was {was['state']}, and then {now['state']}: {now['message']}"
        require(now["state"] in wanted, words)
        require(all(e["message"] for e in (was, now) if e["state"] == "failed"), f"{path} failed without a reason")


def verified(out: Path, second: dict[str, Any]) -> None:
    """Verify what lies at outputs, and look for what nobody knows."""
    count = 0
    for path, event in second.items():
        output = Path(event["output"])
        if event["state"] == "failed" and not output.exists():
            continue
        require(path_of(output).exists(), f"{output} has no ledger")
        failed = [check.name for check in verify_delivery(output, Path(path)) if not check.passed]
        if event["state"] == "failed":
            require(
                failed == ["source is the ledger's"] or bool(failed), f"{output}: a failed file, and it verifies"
            )
            continue
        require(not failed, f"{output} is not accepted: {failed}")
        count += 1
    known = {Path(e["output"]) for e in second.values()}
    known |= {path_of(path) for path in known}
    strange = [p for p in out.rglob("*") if p.is_file() and p not in known]
    print(f"{count} outputs verified; {len(strange)} files that nobody knows: {[p.name for p in strange][:5]}")
    require(not [p for p in strange if not p.name.startswith(".")], "what is not finished lies under a final name")


def table(kinds: dict[Path, str], first: dict[str, Any], second: dict[str, Any], *, mounted: bool) -> None:
    """What became of the files, by what was wrong with them."""
    rows: Counter[tuple[str, str, str]] = Counter()
    for path, kind in kinds.items():
        was, now = first[str(path)], second[str(path)]
        place = f", {path.parent.name}" if mounted and path.parent.name in (SMALL, CLOSED) else ""
        rows[kind + place + (", in chunks" if "chunks" in was else ""), told(was), told(now)] += 1
    print("| file | first run | second run | files |\n|---|---|---|---|")
    for (kind, was, now), count in sorted(rows.items()):
        print(f"| {kind} | {was} | {now} | {count} |")
    again = Counter(event["tries"] for event in first.values() if event["state"] == "delivered")
    print(f"delivered by the first run, by tries: {dict(sorted(again.items()))}")


def told(event: dict[str, Any]) -> str:
    """A result without what differs from file to file."""
    why = event["message"].removeprefix(f"{event['source']}: ").removeprefix(event["output"]).strip(": ")
    why = re.sub(r"/[^,;:]*/", "", why)
    why = re.sub(r"clip \d+|\d+|[0-9a-f]{16,}", "…", why)
    return event["state"] + (f": {why.splitlines()[0][:110]}" if why else "")


def run(argv: list[Any], log: Path, disturbed: Any) -> dict[str, Any]:
    """Run it once; what became of each file, by its source."""
    began = time.monotonic()
    words = log.with_suffix(".txt")
    with words.open("wb") as said:
        process = subprocess.Popen([*map(str, argv), "--log-json", str(log)], stdout=said, stderr=said)
        beside = threading.Thread(target=disturbed, args=(process.pid,), daemon=True)
        beside.start()
        code = process.wait()
        beside.join()
    events = [json.loads(line) for line in log.read_text().splitlines()]
    found = {event["source"]: event for event in events if event["event"] == "file"}
    for event in events:
        if event["event"] == "chunk":
            found[event["source"]]["chunks"] = True
    counts = dict(Counter(event["state"] for event in found.values()))
    print(f"{log.stem}. run: exit {code} after {time.monotonic() - began:.0f} s, {counts}")
    failed = int(any(event["state"] == "failed" for event in found.values()))
    wrong = [event for event in events if event["event"] == "file" and found[event["source"]] is not event]
    require(not wrong, f"two results for one file: {wrong[:1]}")
    require(code == failed, f"the exit code is {code}, not that of its files: {words.read_text()[-600:]}")
    return found


@contextlib.contextmanager
def disks(out: Path, small: str) -> Iterator[bool]:
    """Two small disks below the outputs, one of them read-only; says whether they could be had."""
    mounted = []
    try:
        for name, how in ((SMALL, f"size={small}"), (CLOSED, "size=64m,ro")):
            (out / name).mkdir(parents=True)
            argv = ["mount", "-t", "tmpfs", "-o", how, "tmpfs", out / name]
            if shutil.which("mount") and subprocess.run(argv, capture_output=True, check=False).returncode == 0:
                mounted.append(out / name)
        if not mounted:
            print("not tried: a full disk and a read-only one, which only root may mount")
        yield bool(mounted)
    finally:
        for place in mounted:
            subprocess.run(["umount", place], check=False)


def own_model(folder: Path) -> Path:
    """The model of plates under another name and hash, so that it is found in its own folder and nowhere else."""
    folder.mkdir(parents=True)
    shipped = Path(vsanon.__file__).parent / "models"
    content = (shipped / "weights" / "plates.onnx").read_bytes() + b"\x32\x03own"  # ONNX's doc_string
    card = (shipped / "cards" / "plates.yaml").read_text()
    card = re.sub(r"(?m)^name: .*$", "name: own_plates", card)
    card = re.sub(r"(?m)^sha256: .*$", f"sha256: {hashlib.sha256(content).hexdigest()}", card)
    card = re.sub(r"(?m)^bytes: .*$", f"bytes: {len(content)}", card)
    (folder / "own_plates.onnx").write_bytes(content)
    (folder / "own_plates.yaml").write_text(card)
    return folder / "own_plates.yaml"


def drawn(folder: Path, count: int, chance: random.Random) -> dict[Path, str]:
    """The files, and what is wrong with each."""
    kinds: dict[Path, str] = {}
    for n in range(count):
        path = folder / f"day {n % 5}" / f"clip {n:03}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        size = chance.choice(["64x48", "160x90", "176x144", "192x128"])
        picture = f"testsrc2=s={size}:r=12:d={chance.choices([0.5, 1, 2], [4, 4, 1])[0]}"
        argv = [ffmpeg_path(), "-v", "error", "-f", "lavfi", "-i", picture, "-c:v", "libx264"]
        subprocess.run([*map(str, argv), "-preset", "ultrafast", str(path)], check=True)
        kinds[path] = chance.choices([SOUND, DAMAGED, CHANGED], [16, 2, 1])[0]
        if kinds[path] == DAMAGED:
            content = bytearray(path.read_bytes())
            del content[len(content) // chance.choice([2, 3, 10]) :]
            path.write_bytes(content)
    return kinds


def disturb(
    pid: int, log: Path, changing: dict[Path, Path], weights: Path, kills: int, chance: random.Random
) -> None:
    """Kill workers and take the model away as files end, and change sources while their outputs are written."""
    alive = Path(f"/proc/{pid}")
    counts = sorted(chance.randrange(4, 8 * kills + 5) for _ in range(kills))
    gone_at: int | None = counts[len(counts) // 2] + 2 if counts else 3
    back_at = None
    left = dict(changing)
    while alive.exists():
        time.sleep(0.05)
        ended = log.read_bytes().count(b"\n") if log.exists() else 0
        for source, output in list(left.items()):
            if left_beside(output):
                with source.open("ab") as file:
                    file.write(b"\0\0\0\x08free")
                del left[source]
        if gone_at is not None and ended >= gone_at:
            weights.rename(weights.with_suffix(".gone"))
            gone_at, back_at = None, ended + 3
        if back_at is not None and ended >= back_at:
            weights.with_suffix(".gone").rename(weights)
            back_at = None
        workers = [child for child in children(pid) if b"spawn_main" in cmdline(child)]
        if counts and ended >= counts[0] and workers:
            counts.pop(0)
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(workers), signal.SIGKILL)
    if back_at is not None:
        weights.with_suffix(".gone").rename(weights)


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
