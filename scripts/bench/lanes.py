"""How one machine's cores are best given to a model: by runs beside each other, or by threads within a run.

    python scripts/bench/lanes.py [--models NAME,NAME] [--sizes 640x384,1280x736] [--cores 2] [--runs 48]

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
from collections.abc import Callable

import numpy as np
from measured import table

from vsanon.models import Session, cards, load, prepared

Run = Callable[[int], None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="centerface,yunet_n,plates")
    parser.add_argument("--sizes", default="640x384,1280x736")
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--runs", type=int, default=48)
    parser.add_argument("--times", type=int, default=3, help="medians are of so many rounds")
    args = parser.parse_args()
    rows = []
    for model in args.models.split(","):
        card = cards()[model]
        graph = prepared(load(card), card)
        for size in args.sizes.split(","):
            width, height = map(int, size.split("x"))
            rgb = np.random.default_rng(0).integers(0, 256, (3, height, width), np.uint8)
            many = [Session(card, graph, threads=1) for _ in range(args.cores)]
            wide = Session(card, graph, threads=args.cores)
            names = list(many[0].outputs)
            wanted = many[0].run(rgb, names)
            same = all(np.array_equal(a, b) for a, b in zip(wanted, wide.run(rgb, names), strict=True))
            for session in many[1:]:
                session.run(rgb, names)
            # What is bound now: later rounds of the loop have other models and pictures.
            alone: list[Run] = [lambda _, s=s, rgb=rgb, names=names: s.run(rgb, names) for s in (*many, wide)]
            arranged: dict[str, list[Run]] = {
                "one": alone[:1],
                "lanes": alone[:1] * args.cores,
                "sessions": alone[:-1],
                "threads": alone[-1:],
            }
            rates: dict[str, list[float]] = {name: [] for name in arranged}
            for _ in range(args.times):
                for name, lanes in arranged.items():
                    rates[name].append(_rate(lanes, args.runs))
            row = [f"{statistics.median(rates[name]):.1f}" for name in arranged]
            rows.append([model, size, *row, "yes" if same else "NO"])
    print(table(["model", "picture", "one thread", "lanes", "sessions", "threads", "threads: same bytes"], rows))


def _rate(lanes: list[Run], runs: int) -> float:
    """Runs a second."""

    def work(lane: int) -> None:
        for n in range(lane, runs, len(lanes)):
            lanes[lane](n)

    workers = [threading.Thread(target=work, args=(lane,)) for lane in range(len(lanes))]
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return runs / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
