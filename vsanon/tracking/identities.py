"""Identities over the whole clip: link the runs of a track file, which know a window only, into whole tracks.

Three steps, each of pairs with the least total cost:

1. a run that starts where another ended, one frame on, with nearly the same box and colours: the same track under
   a new name, since names last for one block of frames;
2. a run that starts while another is still held, or up to `gap_s` after it was last detected: by motion, size
   and colours, across occlusions; but not one frame on with other colours, which would be a mask that changes them;
3. across cuts, where that is asked for: by colours and size alone.

What covers a frame does not depend on any of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from vsanon.assignment import NEVER, assign
from vsanon.boxes import F32, center_size
from vsanon.timing import frames_for

STEADY = 8
"""The most codes that a colour of one track changes by from a frame to the next, see `steady`."""


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    """How runs become identities.

    Args:
        gap_s: the longest time between two detections of an identity, seconds.
        reach: how far it may be from where it was expected, in box sides, at a gap of one second.
        colour: the greatest difference of colours, as a share of full scale.
        across_cuts: also link across cuts, by colours and size; it errs more often.

    Raises:
        ValueError: a value lies outside its range.
    """

    gap_s: float = 3.0
    reach: float = 2.0
    colour: float = 0.2
    across_cuts: bool = False

    def __post_init__(self) -> None:
        if not (0 <= self.gap_s <= 60 and 0 < self.reach <= 10 and 0 <= self.colour <= 1):
            raise ValueError("gap_s lies in [0, 60] seconds, reach in (0, 10] sides, colour in [0, 1]")


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Boxes of one name over consecutive frames.

    Args:
        start: the first frame.
        xyxy: (m, 4) float32, pixels.
        detected: (m,) bool; the others are interpolated or held.
        label: the class.
        swatches: (2, 5, 5, 3) uint8 RGB, the colours of its first and of its last frame.
    """

    start: int
    xyxy: F32
    detected: NDArray[np.bool_]
    label: str
    swatches: NDArray[np.uint8]

    @property
    def stop(self) -> int:
        """One past the last frame."""
        return self.start + len(self.xyxy)


def is_steady(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    """Whether colours of two frames in a row can be one track's."""
    return int(np.abs(after.astype(np.int64) - before).max()) <= STEADY


def identify(
    runs: Sequence[Run], cuts: Sequence[int], fps: Fraction, settings: IdentitySettings | None = None
) -> NDArray[np.int64]:
    """The identity of each run.

    Args:
        runs: in any order.
        cuts: frames that start a new shot, rising.
        fps: the clip's rate.

    Returns:
        (len(runs),) int64, from 1, by first appearance; of runs that start together, by place.
    """
    chosen = settings or IdentitySettings()
    chains = _join(runs, [[k] for k in range(len(runs))], _continued(runs, set(cuts)))
    ends = [_Chain.of(runs, chain) for chain in chains]
    chains = _join(runs, chains, _reappeared(ends, cuts, fps, chosen))
    if chosen.across_cuts:
        ends = [_Chain.of(runs, chain) for chain in chains]
        chains = _join(runs, chains, _recognised(ends, cuts, fps, chosen))
    chains.sort(key=lambda chain: _appearance(runs, chain))
    identities = np.zeros(len(runs), np.int64)
    for number, chain in enumerate(chains, start=1):
        identities[chain] = number
    return identities


Pairs = list[tuple[int, int, float]]
"""(index of the earlier, index of the later, cost)."""


@dataclass(frozen=True, slots=True, eq=False)
class _Chain:
    """What linking needs of a chain of runs: the first and the last, its detected ends with their motion, its
    colours."""

    ends: tuple[Run, Run]
    first: int
    last: int
    head: NDArray[np.float64]
    tail: NDArray[np.float64]
    speed_in: NDArray[np.float64]
    speed_out: NDArray[np.float64]
    colours: NDArray[np.float64]
    label: str

    @classmethod
    def of(cls, runs: Sequence[Run], chain: Sequence[int]) -> "_Chain":
        n = np.concatenate([np.arange(runs[k].start, runs[k].stop) for k in chain])
        cxywh = center_size(np.concatenate([runs[k].xyxy for k in chain])).astype(np.float64)
        seen = np.concatenate([runs[k].detected for k in chain])
        if seen.any():
            n, cxywh = n[seen], cxywh[seen]
        weights = [len(runs[k].xyxy) for k in chain]
        colours = np.average([runs[k].swatches.mean(axis=0) for k in chain], axis=0, weights=weights)
        return cls(
            (runs[chain[0]], runs[chain[-1]]), int(n[0]), int(n[-1]), cxywh[0], cxywh[-1],
            _speed(n[:8], cxywh[:8]), _speed(n[-8:], cxywh[-8:]), colours, runs[chain[0]].label,
        )  # fmt: skip


def _continued(runs: Sequence[Run], cuts: set[int]) -> Pairs:
    """Runs that go on, a frame later, where another ended."""
    starting: dict[int, list[int]] = {}
    for k, run in enumerate(runs):
        starting.setdefault(run.start, []).append(k)
    pairs = []
    for i, run in enumerate(runs):
        if run.stop in cuts:
            continue
        for j in starting.get(run.stop, []):
            distance, ratio = _apart(center_size(run.xyxy[-1:])[0], center_size(runs[j].xyxy[:1])[0])
            fits = runs[j].label == run.label and is_steady(run.swatches[1], runs[j].swatches[0])
            if fits and distance <= 1 and ratio <= 1:
                pairs.append((i, j, distance + ratio))
    return pairs


def _reappeared(ends: Sequence[_Chain], cuts: Sequence[int], fps: Fraction, settings: IdentitySettings) -> Pairs:
    """Chains that start, within a shot, near where another would be by then."""
    longest, second = frames_for(settings.gap_s, fps), float(fps)
    order = sorted(range(len(ends)), key=lambda k: ends[k].first)
    firsts = np.array([ends[k].first for k in order])
    pairs = []
    for i, a in enumerate(ends):
        low, high = np.searchsorted(firsts, [a.last + 1, a.last + longest + 1])
        for j in order[int(low) : int(high)]:
            b = ends[j]
            if a.label != b.label or np.searchsorted(cuts, a.last, "right") != np.searchsorted(
                cuts, b.first, "right"
            ):
                continue
            (_, before), (after, _) = a.ends, b.ends
            if before.stop == after.start and not is_steady(before.swatches[1], after.swatches[0]):
                continue
            span = b.first - a.last
            # Half of the way by the speed on leaving, half by the speed on coming back, for a second at most.
            way = (a.speed_out + b.speed_in) / 2 * min(span, second)
            expected = a.tail.copy()
            expected[:2] += way
            moved, ratio = _apart(expected, b.head)
            stayed, _ = _apart(a.tail, b.head)
            distance, colour = min(moved, stayed), _unlike(a, b)
            reach = settings.reach * max(0.5, min(span / second, 1.5))
            if distance <= reach and ratio <= 1 and colour <= settings.colour:
                pairs.append((i, j, distance / settings.reach + ratio / 2 + colour / 0.1 + span / longest))
    return pairs


def _recognised(ends: Sequence[_Chain], cuts: Sequence[int], fps: Fraction, settings: IdentitySettings) -> Pairs:
    """Chains of later shots with much the same colours and size."""
    longest = frames_for(settings.gap_s, fps)
    pairs = []
    for i, a in enumerate(ends):
        for j, b in enumerate(ends):
            same_shot = np.searchsorted(cuts, a.last, "right") == np.searchsorted(cuts, b.first, "right")
            if a.label != b.label or same_shot or not a.last < b.first <= a.last + 20 * longest:
                continue
            _, ratio = _apart(a.tail, b.head)
            colour = _unlike(a, b)
            if ratio <= 1 and colour <= settings.colour / 2:
                pairs.append((i, j, ratio / 2 + colour / 0.1))
    return pairs


def _join(runs: Sequence[Run], chains: list[list[int]], pairs: Pairs) -> list[list[int]]:
    """Join chains by the pairs of least total cost, each chain to one before and one after it at most."""
    following = _least(pairs, len(chains))
    taken = set(following.values())
    joined = []
    for k in range(len(chains)):
        if k in taken:
            continue
        whole = list(chains[k])
        while k in following:
            k = following[k]
            whole += chains[k]
        joined.append(sorted(whole, key=lambda r: runs[r].start))
    return joined


def _least(pairs: Pairs, count: int) -> dict[int, int]:
    """The pairs of the least total cost, most pairs first; solved apart for groups that do not meet."""
    if not pairs:
        return {}
    earlier, later = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    cost = np.array([p[2] for p in pairs])
    # As a bipartite graph: a chain's end and its start are two nodes.
    group = _together(earlier, later + count, 2 * count)
    following: dict[int, int] = {}
    order = np.argsort(group[earlier], kind="stable")
    bounds = np.flatnonzero(np.diff(group[earlier][order])) + 1
    for part in np.split(order, bounds):
        rows, row = np.unique(earlier[part], return_inverse=True)
        columns, column = np.unique(later[part], return_inverse=True)
        matrix = np.full((len(rows), len(columns)), NEVER)
        matrix[row, column] = cost[part]
        for i, j in assign(matrix):
            following[int(rows[i])] = int(columns[j])
    return following


def _together(a: NDArray[np.intp], b: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """(count,) of each node the least one that it is joined to, directly or by way of others, by pairs of a and b.

    SciPy has this as well, and to import it takes longer than opening a file does.
    """
    least = np.arange(count)
    while True:
        lower = np.minimum(least[a], least[b])
        before = least.copy()
        for ends in (a, b):
            np.minimum.at(least, least[ends], lower)
            np.minimum.at(least, ends, lower)
        least = least[least]
        if np.array_equal(least, before):
            return least


def _appearance(runs: Sequence[Run], chain: Sequence[int]) -> tuple[float, ...]:
    first = runs[chain[0]]
    return first.start, *(float(v) for v in first.xyxy[0]), chain[0]


def _apart(a: NDArray[np.floating], b: NDArray[np.floating]) -> tuple[float, float]:
    """Distance of two centres in mean box sides, and the size ratio in powers of two; of centre and size."""
    side_a, side_b = (max(float(np.sqrt(max(c[2], 1e-3) * max(c[3], 1e-3))), 1e-3) for c in (a, b))
    distance = float(np.hypot(b[0] - a[0], b[1] - a[1])) / ((side_a + side_b) / 2)
    return distance, abs(float(np.log2(side_b / side_a)))


def _unlike(a: _Chain, b: _Chain) -> float:
    """Mean difference of the colour swatches, as a share of full scale."""
    return float(np.abs(a.colours - b.colours).mean()) / 255


def _speed(n: NDArray[np.int64], cxywh: NDArray[np.float64]) -> NDArray[np.float64]:
    """Motion of the centre, pixels a frame."""
    if len(n) < 3:
        return np.zeros(2)
    apart = n - n.mean()
    return np.asarray(apart @ (cxywh[:, :2] - cxywh[:, :2].mean(axis=0)) / (apart @ apart))
