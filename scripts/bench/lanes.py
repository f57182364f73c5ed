"""How one machine's cores are best given to a model: by runs beside each other, or by threads within a run.

    python scripts/bench/lanes.py [--models centerface,yunet_n,plates] [--sizes 640x384,1280x736] [--cores 2]
                                  [--provider cpu]

Three arrangements make the same number of runs on the same noise:

* lanes: one session, run by as many threads at once as there are cores, each run on its caller's thread;
* sessions: the same, each thread with a session of its own;
* threads: one run after the other, each on as many threads as there are cores.

The table gives runs a second, and whether the outputs are those of one thread, to the bit.
"""

import argparse
import os
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from measured import table
from numpy.typing import NDArray

from vsanon.models import CPU, PROVIDERS, ModelCard, Session, cards, load, prepared

Run = Callable[[], object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="centerface,yunet_n,plates")
    parser.add_argument("--sizes", default="640x384,1280x736")
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--provider", default=CPU, choices=PROVIDERS)
    parser.add_argument("--runs", type=int, default=48)
    parser.add_argument("--times", type=int, default=3, help="medians are of so many rounds")
    args = parser.parse_args()
    rows = []
    for model in args.models.split(","):
        card = cards()[model]
        graph = prepared(load(card, _quiet), card)
        for size in args.sizes.split(","):
            rows.append([model, size, *_compare(card, graph, size, args)])
    print(table(["model", "picture", "one thread", "lanes", "sessions", "threads", "threads: same bytes"], rows))


def _compare(card: ModelCard, graph: bytes, size: str, args: argparse.Namespace) -> list[str]:
    cores, runs, times = args.cores, args.runs, args.times
    width, height = map(int, size.split("x"))
    rgb = np.random.default_rng(0).integers(0, 256, (3, height, width), np.uint8)
    wide = Session(card, graph, threads=cores, provider=args.provider)
    names = list(wide.outputs)

    def run(session: Session) -> list[NDArray[np.float32]]:
        return session.run(rgb, names)

    many = [partial(run, Session(card, graph, provider=args.provider)) for _ in range(cores)]
    arranged = {"one": many[:1], "lanes": many[:1] * cores, "sessions": many, "threads": [partial(run, wide)]}
    wanted = many[0]()
    others = [lane() for lane in (*many[1:], *arranged["threads"])]
    same = all(np.array_equal(a, b) for found in others for a, b in zip(wanted, found, strict=True))
    rates = {name: [_rate(lanes, runs) for _ in range(times)] for name, lanes in arranged.items()}
    return [*(f"{statistics.median(r):.1f}" for r in rates.values()), "yes" if same else "NO"]


def _quiet(_: str) -> None:
    """Say nothing of a model that is pulled."""


def _rate(lanes: Sequence[Run], runs: int) -> float:
    """Runs a second."""

    def work(lane: int) -> None:
        for _ in range(lane, runs, len(lanes)):
            lanes[lane]()

    workers = [threading.Thread(target=work, args=(lane,)) for lane in range(len(lanes))]
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return runs / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
