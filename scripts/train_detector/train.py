"""Trains a detector of one class, on a GPU where there is one, for a number of samples or of minutes; resumes."""

import argparse
import copy
import json
import math
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BEGAN = time.monotonic()  # minutes count from here, loading included

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from batches import Batches, Pictures, Rendered  # noqa: E402
from check import Check  # noqa: E402
from loss import TALL, loss_of  # noqa: E402
from model import SIZES, Net  # noqa: E402
from pack import load_pack  # noqa: E402
from scene import SIDE_PX  # noqa: E402
from torch import Tensor  # noqa: E402

SHARED_MEMORY = Path("/dev/shm")


@contextmanager
def rendering(args: argparse.Namespace) -> Iterator["queue.Queue[Rendered]"]:
    """Rendered pictures, as `args.render` processes of scene.py deliver them."""
    ready: queue.Queue[Rendered] = queue.Queue(6)
    roomy = SHARED_MEMORY.is_dir() and shutil.disk_usage(SHARED_MEMORY).free > 4 * 2**30
    with tempfile.TemporaryDirectory(dir=SHARED_MEMORY if roomy else None) as folder:
        fonts = [part for path in args.fonts or [] for part in ("--fonts", str(path))]
        command = [
            sys.executable,
            str(Path(__file__).with_name("scene.py")),
            folder,
            "--pack",
            str(args.pack),
            *fonts,
        ]
        workers = [subprocess.Popen([*command, "--seed", str(1000 * args.seed + n)]) for n in range(args.render)]
        done, lost = threading.Event(), [0]

        def collect() -> None:
            while not done.is_set():
                found = [p for p in Path(folder).glob("*.npz") if ".tmp" not in p.name]
                if not found:
                    time.sleep(0.1)
                    ended = sum(worker.poll() is not None for worker in workers)
                    if ended > lost[0]:
                        lost[0] = ended
                        print(f"{ended} of {len(workers)} processes that render have ended", flush=True)
                for path in found:
                    with np.load(path) as data:
                        pixels = torch.from_numpy(data["pixels"])
                        if torch.cuda.is_available():
                            pixels = pixels.pin_memory()
                        new = Rendered(pixels, data["quads"], data["kinds"])
                    path.unlink()
                    while not done.is_set():
                        try:
                            ready.put(new, timeout=0.5)
                            break
                        except queue.Full:
                            continue

        thread = threading.Thread(target=collect, daemon=True)
        thread.start()
        try:
            yield ready
        finally:
            done.set()
            for worker in workers:
                worker.terminate()
            for worker in workers:
                worker.wait()
            thread.join(2)


class Trainer:
    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.device = torch.device(args.device)
        torch.manual_seed(args.seed)
        if self.device.type == "cpu":
            torch.set_num_threads(args.threads)
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")
        self.net = Net(SIZES[args.kind]).to(self.device, memory_format=torch.channels_last)
        self.mean = copy.deepcopy(self.net)
        decayed = [p for p in self.net.parameters() if p.ndim > 1]
        plain = [p for p in self.net.parameters() if p.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": args.decay}, {"params": plain, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=args.rate, fused=self.device.type == "cuda")
        self.step, self.spent = 0, 0.0  # seconds of earlier runs
        self.latest = args.run / "latest.pt"
        if self.latest.exists():
            state = torch.load(self.latest, map_location=self.device)
            self.net.load_state_dict(state["net"])
            self.mean.load_state_dict(state["mean"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.spent = state["step"], state["spent"]
        elif args.start:
            state = torch.load(args.start, map_location=self.device)
            self.net.load_state_dict(state["mean"])
            self.mean.load_state_dict(state["mean"])
        floating = (
            [t for t in n.state_dict().values() if t.dtype.is_floating_point] for n in (self.mean, self.net)
        )
        self.slow_parts, self.fast_parts = floating

    def seconds(self) -> float:
        return self.spent + time.monotonic() - BEGAN

    def progress(self) -> float:
        """0 at the start, 1 where training ends."""
        if self.args.minutes:
            return min(1.0, self.seconds() / (60 * self.args.minutes))
        return min(1.0, self.step * self.args.batch / self.args.samples)

    def train(self, shots: Tensor, boxes: Tensor, kinds: Tensor) -> tuple[Tensor, Tensor]:
        """One step; returns the losses of scores and boxes."""
        warm = min(1.0, (self.step + 1) / 300)
        rate = self.args.rate * warm * (0.01 + 0.99 * (1 + math.cos(math.pi * self.progress())) / 2)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        # bfloat16 is 1.2 times as fast on CPUs with AMX, too; scores and boxes are compared in float32.
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.args.half):
            heads = self.net(shots.contiguous(memory_format=torch.channels_last))
        scores, places = loss_of(heads, boxes, kinds, self.args.side, TALL[self.args.kind])
        self.optimizer.zero_grad(set_to_none=True)
        (scores + places).backward()
        for parameter in self.net.parameters():
            if parameter.grad is not None:
                parameter.grad.nan_to_num_(0.0, 0.0, 0.0)
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 10.0)
        self.optimizer.step()
        self.step += 1
        kept = min(self.args.average, self.step / (self.step + 20))
        with torch.no_grad():
            torch._foreach_lerp_(self.slow_parts, self.fast_parts, 1 - kept)
        return scores.detach(), places.detach()

    def save(self, *, whole: bool = True) -> None:
        """`latest.pt`, to go on from; `weights.pt`, the averaged weights alone, which export.py reads."""
        small = {"mean": self.mean.state_dict(), "step": self.step}
        rest = {"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict(), "spent": self.seconds()}
        for path, state in ((self.args.run / "weights.pt", small), (self.latest, small | rest)):
            if whole or path != self.latest:
                torch.save(state, path.with_suffix(".tmp"))
                path.with_suffix(".tmp").rename(path)


def run(args: argparse.Namespace) -> None:
    packed = load_pack(args.pack, args.kind)
    if args.limit:
        packed = packed[:: max(1, len(packed) // args.limit)]
    shown = [one for one in packed if not one.checked]
    trainer = Trainer(args)
    room = args.room if args.render else 0
    pictures = Pictures(args.kind, shown, room, SIDE_PX, trainer.device)
    check = Check([one for one in packed if one.checked], trainer.device)
    where = torch.cuda.get_device_name() if trainer.device.type == "cuda" else "CPU"
    print(
        f"{len(shown)} pictures to train on, {len(check.truth)} to check by, on {where}, {trainer.seconds():.0f} s",
        flush=True,
    )
    told = saved = checked = trainer.seconds()
    sums: list[tuple[Tensor, Tensor]] = []
    with rendering(args) as ready:
        batches = Batches(pictures, args.side, args.real, args.seed + trainer.step)
        while trainer.progress() < 1:
            while not ready.empty():
                pictures.add(ready.get())
            try:
                sums.append(trainer.train(*batches.batch(args.batch)))
            except torch.OutOfMemoryError:
                if args.batch <= 4:
                    raise
                args.batch //= 2
                trainer.optimizer.zero_grad(set_to_none=True)
                torch.cuda.empty_cache()
                print(f"out of memory: batches of {args.batch} from here on", flush=True)
            now = trainer.seconds()
            if now - told > args.tell:
                score, box = (sum(float(s[i]) for s in sums) / max(1, len(sums)) for i in (0, 1))
                print(
                    f"{now:.0f} s, step {trainer.step}, score {score:.4f} box {box:.4f}, "
                    f"{args.batch * len(sums) / (now - told):.0f} samples/s, {pictures.rendered} rendered",
                    flush=True,
                )
                told, sums = now, []
            if now - saved > 60 * args.every:
                trainer.save(whole=not args.minutes)
                saved = now
            if now - checked > 60 * args.check:
                figures = check.measure(trainer.mean)
                checked = trainer.seconds()
                told, sums = checked, []
                print(f"{now:.0f} s, checked in {checked - now:.1f} s: {json.dumps(figures)}", flush=True)
    trainer.save()
    print(
        f"{trainer.seconds():.0f} s, end at step {trainer.step}: {json.dumps(check.measure(trainer.mean))}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="folder of the checkpoints; an unfinished run there goes on")
    parser.add_argument("--kind", choices=sorted(SIZES), default="plate")
    parser.add_argument("--pack", type=Path, required=True, help="that pack.py wrote")
    parser.add_argument(
        "--render", type=int, default=0, help="processes of scene.py that run beside it, for plates"
    )
    parser.add_argument("--room", type=int, default=4000, help="rendered pictures that are kept, 0.9 MB each")
    parser.add_argument("--fonts", type=Path, action="append", help="of scene.py")
    parser.add_argument("--start", type=Path, help="checkpoint of another run of ours to begin from")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--samples", type=int, default=400_000)
    length.add_argument("--minutes", type=float, help="from the start of the process, loading included")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--decay", type=float, default=0.02)
    parser.add_argument("--average", type=float, default=0.9985, help="how slowly the averaged weights follow")
    parser.add_argument("--real", type=float, default=0.6, help="share of real samples")
    parser.add_argument("--side", type=int, default=512, help="of the square samples, pixels, a multiple of 64")
    parser.add_argument("--half", action="store_true", help="compute in bfloat16 where that is quick")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--limit", type=int, help="train on about so many pictures, for a trial")
    parser.add_argument("--every", type=float, default=1, help="minutes between checkpoints")
    parser.add_argument("--check", type=float, default=2, help="minutes between checks")
    parser.add_argument("--tell", type=float, default=15, help="seconds between lines")
    args = parser.parse_args()
    args.run.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    run(args)


if __name__ == "__main__":
    main()
