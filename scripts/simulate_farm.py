"""A farm of up to 1,000 workers, simulated from what was measured on one: speed-up against chunk length.

python scripts/simulate_farm.py [--film-seconds 7200] [--seed 1]

Assumptions, all of which are arguments:

* A frame costs `frame_s`, a chunk `chunk_s` beside its frames, the start of a worker `start_s`: measured by
  `scripts/measure_farm.py`. A worker opens the source once, for which it reads and decodes all of it (`open_s` a
  frame).
* Workers differ: each is slower by a factor drawn once from a lognormal distribution (`spread` its sigma).
* A worker dies at random (`mtbf_h` hours on average) and is back after `back_s`; the chunk it did is lost.
* A worker takes the next chunk when it is done; the scheduler takes `hand_s` for each, one after the other.
* The join runs on one worker, `join_s` a frame, after the last chunk: more workers don't shorten it.
* Storage is as fast as all of them together need. Where it is not, a farm is as fast as its storage.
"""

import argparse
import heapq
import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Farm:
    """What a farm costs; seconds. The defaults were measured, see docs/farm.md."""

    frame_s: float
    chunk_s: float
    join_s: float
    start_s: float
    open_s: float
    fps: float = 25.0
    hand_s: float = 0.002
    spread: float = 0.15
    mtbf_h: float = 50.0
    back_s: float = 120.0


def wall(farm: Farm, film_s: float, chunk_s: float, workers: int, chance: random.Random) -> tuple[float, int]:
    """Seconds from the start to the delivered file, and how many chunks were lost with their workers."""
    frames = round(film_s * farm.fps)
    each = max(1, round(chunk_s * farm.fps))
    left = [min(each, frames - at) for at in range(0, frames, each)]
    slow = [chance.lognormvariate(0, farm.spread) for _ in range(workers)]
    opening = farm.start_s + farm.open_s * frames
    free = [(opening * slow[w], w) for w in range(workers)]
    heapq.heapify(free)
    handed = end = 0.0
    lost = 0
    while left:
        at, worker = heapq.heappop(free)
        handed = max(at, handed) + farm.hand_s
        chunk = left.pop()
        needs = (farm.chunk_s + chunk * farm.frame_s) * slow[worker]
        dies = chance.expovariate(1 / (farm.mtbf_h * 3600))
        if dies < needs:
            left.append(chunk)
            lost += 1
            heapq.heappush(free, (handed + dies + farm.back_s + opening * slow[worker], worker))
            continue
        end = max(end, handed + needs)
        heapq.heappush(free, (handed + needs, worker))
    return end + farm.join_s * frames, lost


def table(farm: Farm, film_s: float, chunk_lengths: list[float], workers: list[int], seed: int) -> str:
    """Speed-up over one worker in one go, which has no borders."""
    frames = film_s * farm.fps
    alone = farm.start_s + frames * (farm.open_s + farm.frame_s + farm.join_s)
    head = "| chunk, s | " + " | ".join(f"{w:,} worker{'s' * (w > 1)}" for w in workers) + " |"
    lines = [head, "|---" * (len(workers) + 1) + "|"]
    for chunk in chunk_lengths:
        cells = []
        for w in workers:
            took, _ = wall(farm, film_s, chunk, w, random.Random(seed))
            cells.append(f"{alone / took:.1f}× ({took / 60:.1f} min)")
        lines.append(f"| {chunk:g} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--film-seconds", type=float, default=7200)
    parser.add_argument("--chunks", default="5,15,60,240")
    parser.add_argument("--workers", default="1,2,10,100,1000")
    parser.add_argument("--seed", type=int, default=1)
    for name in ("frame_s", "chunk_s", "join_s", "start_s", "open_s"):
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, required=True)
    asked = parser.parse_args()
    farm = Farm(asked.frame_s, asked.chunk_s, asked.join_s, asked.start_s, asked.open_s)
    chunks, workers = ([int(v) for v in text.split(",")] for text in (asked.chunks, asked.workers))
    print(table(farm, asked.film_seconds, [float(c) for c in chunks], workers, asked.seed))


if __name__ == "__main__":
    main()
