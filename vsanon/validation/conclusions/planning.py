"""What a sample can show at best, and how much more footage like it would be enough."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import ArrayLike

from vsanon.validation.conclusions.rounding import rounded
from vsanon.validation.conclusions.share_intervals import ALIKE, people_needed_at, sample_worth


@dataclass(frozen=True, slots=True)
class Reach:
    """A sample against a limit.

    Args:
        best: the bound that it has where nothing is missed: the lowest share, or the highest rate, still possible.
        worth: as many independent people as it is worth.
        needed: as many are needed, where the share stays what it was; None where no sample is enough.
        clips, people: what there is.
        more_clips, more_people: what would do, people of as many frames and clips of as many people as here; None
            where no sample is enough, or there is nothing yet to go by.
        estimate: the share that was measured; None: as if nothing is missed.
    """

    best: float
    worth: float
    needed: int | None
    clips: int
    people: int
    more_clips: int | None
    more_people: int | None
    estimate: float | None = None

    def sentence(self, bound: str, limit: float, what: str) -> str:
        """What may be said of it, for people.

        Args:
            bound: at_least or at_most.
            limit: of the criterion.
            what: the class.
        """
        words = bound.replace("_", " ")
        asked = f"{words} {_exactly(limit)}"
        if self.needed is None and self.estimate is not None and 0 < limit < 1:
            return (
                f"where the share stays at the {_percent(self.estimate)} that were measured, no amount of footage "
                f"like this shows {asked}: cover better, by a more thorough setting or by hand"
            )
        if self.needed is None:
            return f"no sample can show a share of {asked}: choose another limit"
        if not self.people:
            return (
                f"no {what} of known position; to prove {asked} takes {self.needed} independent ones without a miss"
            )
        have = f"{_counted(self.people, what)} in {_counted(self.clips, 'clip')}"
        worth = rounded(self.worth)
        if worth < self.people - 0.5:
            have += f" (which count as {worth:.2g} independent ones, as those of one clip are alike)"
        if self.estimate is None:
            can = f"even without a miss, {have} prove no more than “{words} {_percent(self.best)}”"
            where = "without a miss"
        else:
            can = f"{have} gave {_percent(self.estimate)}"
            where = "where the share stays what it is"
        if not self.more_clips:
            return f"{have} are enough to prove {asked} {where}"
        return (
            f"{can}. To prove {asked} takes {self.needed} independent ones {where}: about {self.more_people} more "
            f"in {_counted(self.more_clips, 'more clip')} like these"
        )


def reach(
    clips: Sequence[Hashable],
    weights: ArrayLike,
    bound: str,
    limit: float,
    confidence: float,
    estimate: float | None = None,
) -> Reach:
    """What people of these clips can show of a share.

    Args:
        clips: (m,) the clip of each identity.
        weights: (m,) its trials.
        bound: at_least or at_most.
        limit: a share.
        confidence: of the interval.
        estimate: the share that was measured; None, or one without a miss: as if nothing is missed.
    """
    t = np.asarray(weights, np.float64)
    people, kept = len(t), limit if bound == "at_least" else 1 - limit
    worth = sample_worth(clips, t) if people else 0.0
    low = ((1 - confidence) / 2) ** (1 / worth) if people else 0.0
    best = low if bound == "at_least" else 1 - low
    possible = 0 < kept < 1
    hit = 1.0 if estimate is None else estimate if bound == "at_least" else 1 - estimate
    needed = people_needed_at(hit, kept, confidence) if possible else None
    estimate = None if hit == 1 else estimate
    n_clips = len(set(clips))
    if needed is None or not people:
        return Reach(best, worth, None if needed is None else ceil(needed), n_clips, people, None, None, estimate)
    each = max(1, round(people / n_clips))
    more = _more_clips(clips, t, each, needed)
    return Reach(best, worth, ceil(needed), n_clips, people, more, more * each, estimate)


def _more_clips(clips: Sequence[Hashable], t: np.ndarray, each: int, needed: float) -> int:
    """How many clips of `each` people of mean weight have to be added."""
    totals: dict[Hashable, float] = {}
    for clip, weight in zip(clips, t.tolist(), strict=True):
        totals[clip] = totals.get(clip, 0.0) + weight
    mean, squares = float(t.mean()), float((t**2).sum())
    together = sum(total**2 for total in totals.values())

    def worth(more: int) -> float:
        whole = float(t.sum()) + more * each * mean
        own = squares + more * each * mean**2
        shared = together + more * (each * mean) ** 2
        return whole**2 / ((1 - ALIKE) * own + ALIKE * shared)

    if worth(0) >= needed:
        return 0
    top = 1
    while worth(top) < needed:
        top *= 2
    low = top // 2
    while top - low > 1:
        middle = (top + low) // 2
        low, top = (low, middle) if worth(middle) >= needed else (middle, top)
    return top


def _percent(share: float) -> str:
    """As many decimals as a sample of some dozens carries; what is nearly all or nearly nothing has more."""
    value = 100 * rounded(share)
    return f"{value:.0f} %" if 1 <= value <= 99 or value in (0, 100) else f"{value:.3g} %"


def _exactly(limit: float) -> str:
    return f"{100 * limit:.6g} %"


def _counted(n: int, what: str) -> str:
    return f"{n} {what if n == 1 else what + 's'}"
