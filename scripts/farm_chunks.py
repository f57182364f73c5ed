"""A film in chunks on a Dask cluster that is disturbed, against one run: packets, frames, sound, tags and borders.

python scripts/farm_chunks.py SOURCE FOLDER [--chunks 20] [--preset prores_proxy] [--borders sheet.png] [-- OPTIONS]

Starts a scheduler and two workers, each started again when it ends, as a farm does; kills one worker in the middle
of a chunk (SIGKILL), and later ends the scheduler and starts it anew. Ends with 1 where anything differs. OPTIONS
are those of `vsanon farm plan`, such as `--setting fast --classes face`.
"""

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from vsanon.farm import plan_file
from vsanon.farm.plan import FilePlan, Plan
from vsanon.job import ledger, rendering
from vsanon.job.pipeline import anonymize_file

PORT = 18786


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--chunks", type=int, default=20)
    parser.add_argument("--preset", default="prores_proxy")
    parser.add_argument("--borders", type=Path, default=None, help="A picture of the frames at each border.")
    at = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    asked, options = parser.parse_args(sys.argv[1:at]), sys.argv[at + 1 :]
    asked.folder.mkdir(parents=True, exist_ok=True)
    plan = planned(asked.source, asked.folder, asked.preset, asked.chunks, options)
    file = plan.files[0]
    print(f"{file.frames} frames in {len(file.chunks)} chunks, {plan.preset.name}")

    single = asked.folder / f"single{plan.preset.suffix}"
    spans = [hashlib.sha256() for _ in file.chunks]
    began = time.process_time()
    taken_by_encoder(plan, file, single, spans)
    print(f"one run: {time.process_time() - began:.0f} s of this process")

    disturbed(plan, asked.folder)
    book = ledger.read(ledger.path_of(file.output))
    told = [chunk["frames_sha256"] for chunk in book["chunks"]["list"]]
    exact = plan.preset.encoder in ("prores_ks", "dnxhd", "ffv1")
    same("frames handed to the encoder, by chunk", told, [span.hexdigest() for span in spans])
    same("frames handed over, all in one", len(told), len(file.chunks))
    ours, theirs = streams(file.output), streams(single)
    for name in ours.keys() | theirs.keys():
        if exact or not name.startswith("video packets"):
            same(name, ours.get(name), theirs.get(name))
    pictures = decoded(file.output), decoded(single)
    same("number of frames", len(pictures[0]), file.frames)
    same("times of frames", [t for t, _ in pictures[0]], [t for t, _ in pictures[1]])
    if exact:
        same("decoded frames", [h for _, h in pictures[0]], [h for _, h in pictures[1]])
    wrong = [span.start for span in file.chunks[1:] if pictures[0][span.start][1] == pictures[0][span.start - 1][1]]
    twins = [span.start for span in file.chunks[1:] if pictures[1][span.start][1] == pictures[1][span.start - 1][1]]
    if exact:
        same("borders whose two frames are the same, as in one run", wrong, twins)
    single_book = ledger.read(ledger.path_of(single))
    vary = ("started", "finished", "decoded_by", "output", "ffmpeg_command", "chunks", "checks")
    for name in single_book.keys() - set(vary):
        same(f"ledger: {name}", book[name], single_book[name])
    done = subprocess.run(
        [sys.executable, "-m", "vsanon", "verify", file.output, "--source", file.source],
        capture_output=True,
        check=False,
    )
    same("exit code of `vsanon verify`", done.returncode, 0)
    if asked.borders is not None:
        sheet(file, single, asked.borders)


def planned(source: Path, folder: Path, preset: str, chunks: int, options: list[str]) -> Plan:
    """The plan, with about so many chunks."""
    with av.open(str(source)) as opened:
        seconds = float((opened.duration or 0) / 1_000_000) / chunks
    argv = [
        "farm",
        "plan",
        source,
        "--out",
        folder / "out",
        "--preset",
        preset,
        "--chunk-seconds",
        seconds,
        *options,
    ]
    subprocess.run([sys.executable, "-m", "vsanon", *map(str, argv)], check=True)
    return plan_file.read(folder / "out" / "farm.json")


def taken_by_encoder(plan: Plan, file: FilePlan, single: Path, spans: list[Any]) -> None:
    """One run, whose frames are hashed on their way to the encoder, chunk by chunk."""
    encode = rendering.encode
    number = [k for k, span in enumerate(file.chunks) for _ in span]

    def hashing(frames: Iterator[Any], *args: Any, **options: Any) -> Any:
        def through() -> Iterator[Any]:
            for n, planes in enumerate(frames):
                for plane in planes:
                    spans[number[n]].update(np.ascontiguousarray(plane))
                yield planes

        return encode(through(), *args, **options)

    rendering.encode = hashing  # type: ignore[assignment]
    try:
        anonymize_file(file.source, single, plan.settings)
    finally:
        rendering.encode = encode


def disturbed(plan: Plan, folder: Path) -> None:
    """Run the plan on a cluster of two workers; kill one in the middle, and start the scheduler anew."""
    address, log = f"tcp://127.0.0.1:{PORT}", folder / "run.jsonl"
    ending = threading.Event()
    scheduler_argv = [
        "-m",
        "distributed.cli.dask_scheduler",
        "--host",
        "127.0.0.1",
        "--port",
        str(PORT),
        "--no-dashboard",
    ]
    worker_argv = ["-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    said = (folder / "cluster.log").open("wb")

    def start(argv: list[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, *argv, *extra(argv)], stdout=said, stderr=said)

    def extra(argv: list[str]) -> list[str]:
        return ["--local-directory", str(folder / "dask")] if argv is worker_argv else []

    scheduler = [start(scheduler_argv)]
    time.sleep(3)
    workers = [start(worker_argv), start(worker_argv)]

    def respawn() -> None:
        while not ending.wait(0.5):
            for k, worker in enumerate(workers):
                if worker.poll() is not None:
                    workers[k] = start(worker_argv)

    threading.Thread(target=respawn, daemon=True).start()
    argv = ["farm", "run", plan.path, "--executor", "dask", "--scheduler", address, "--log-json", log]
    began = time.monotonic()
    run = subprocess.Popen([sys.executable, "-m", "vsanon", *map(str, argv)], stdout=said, stderr=said)
    try:
        at_work(plan, log, len(plan.units) // 4)
        os.kill(workers[0].pid, signal.SIGKILL)
        print(f"a worker was killed after {ended(log)} chunks")
        at_work(plan, log, len(plan.units) // 2)
        scheduler[0].kill()
        scheduler[0].wait()
        print(f"the scheduler was ended after {ended(log)} chunks")
        time.sleep(2)
        scheduler[0] = start(scheduler_argv)
        code = run.wait()
    finally:
        ending.set()
        run.kill()
        for process in (*workers, scheduler[0]):
            process.kill()
            process.wait()
    events = [json.loads(line) for line in log.read_text().splitlines()]
    states = [event["state"] for event in events if event["event"] in ("chunk", "file")]
    counts = {state: states.count(state) for state in states}
    print(f"the plan ended with {code} after {time.monotonic() - began:.0f} s: {counts}")
    same("exit code of `vsanon farm run`", code, 0)


def at_work(plan: Plan, log: Path, chunks: int) -> None:
    """Wait until so many chunks have ended and another is begun: its hidden files are there."""
    while ended(log) < chunks or not list(plan.folder.rglob("*.partial*")):
        time.sleep(0.05)


def ended(log: Path) -> int:
    with suppress(OSError):
        return sum('"event": "chunk"' in line for line in log.read_text().splitlines())
    return 0


def streams(path: Path) -> dict[str, Any]:
    """The packets, times and tags of every stream."""
    found: dict[str, Any] = {}
    with av.open(str(path)) as opened:
        found["tags of the file"] = dict(opened.metadata)
        for stream in opened.streams:
            found[f"tags of stream {stream.index}"] = (stream.type, dict(stream.metadata), stream.duration)
            found[f"{stream.type} packets of stream {stream.index}"] = []
            found[f"{stream.type} times of stream {stream.index}"] = []
        for packet in opened.demux():
            if packet.size:
                name = f"of stream {packet.stream_index}"
                kind = opened.streams[packet.stream_index].type
                found[f"{kind} packets {name}"].append(hashlib.sha256(bytes(packet)).hexdigest())
                found[f"{kind} times {name}"].append(packet.pts)
    for name in [name for name in found if name.startswith("video times")]:
        found[name] = sorted(found[name])
    return found


def decoded(path: Path) -> list[tuple[int | None, str]]:
    with av.open(str(path)) as opened:
        return [(f.pts, hashlib.sha256(f.to_ndarray().tobytes()).hexdigest()) for f in opened.decode(video=0)]


def sheet(file: FilePlan, single: Path, path: Path) -> None:
    """The two frames at each border, of the joined file above and of one run below."""
    wanted = [n for span in file.chunks[1:] for n in (span.start - 1, span.start)]
    rows = []
    for output in (file.output, single):
        with av.open(str(output)) as opened:
            taken = {n: f.to_ndarray(format="bgr24") for n, f in enumerate(opened.decode(video=0)) if n in wanted}
        small = [cv2.resize(taken[n], (160, 160 * taken[n].shape[0] // taken[n].shape[1])) for n in wanted]
        for n, picture in zip(wanted, small, strict=True):
            cv2.putText(picture, str(n), (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1)
        rows.append(small)
    lines = []
    for k in range(0, len(wanted), 8):
        for small in rows:
            part = small[k : k + 8]
            part += [np.zeros_like(part[0])] * (8 - len(part))
            lines.append(np.hstack(part))
    cv2.imwrite(str(path), np.vstack(lines))


def same(name: str, found: Any, wanted: Any) -> None:
    if found != wanted:
        print(f"WRONG: {name}: {str(found)[:300]}, expected {str(wanted)[:300]}")
        raise SystemExit(1)
    size = f" ({len(found)})" if isinstance(found, list) else ""
    print(f"same: {name}{size}")


if __name__ == "__main__":
    main()
