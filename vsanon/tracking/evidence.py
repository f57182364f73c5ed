"""What it takes for the detections of a class to be covered: scores, and time as evidence; pure.

Models of different classes score on different scales, and their mistakes differ as well: a face is where it is
found once, while a shop sign that looks like a plate for two frames is none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32
from vsanon.detections import Detections


@dataclass(frozen=True, slots=True)
class Evidence:
    """What it takes for detections of one class.

    Args:
        count_score: a detection with at least this score counts; weaker ones only carry a confirmed track on.
        cover_score: one with at least this score is covered in its frame and near it, confirmed or not.
        confirm_score: a track is confirmed by detections with at least this score ...
        confirm_times: ... of which there are this many, or as many as frames near it were searched ...
        confirm_share: ... and, of those with the score that lasting tracks want, at least this share of all ...
        confirm_count: ... or, whatever their share, by this many that count; 0 for never. Only confirmed tracks are
            bridged and held.
        lasting_score: what is there for long shows a higher score at times: of a track of `lasting_count` frames or
            more, searched or followed between, this score is wanted once at least, where it is higher than
            `confirm_score`, and of one of fewer a score between, ...
        lasting_count: ... in proportion.
        small_px: models score small objects lower than others; up to this height, pixels of the frame, scores are
            raised before all of this, ...
        small_gain: ... by this share of themselves at a height of 0, falling to nothing at `small_px`.

    Raises:
        ValueError: a value lies outside its range.
    """

    count_score: float = 0.2
    cover_score: float = 0.2
    confirm_score: float = 0.4
    confirm_times: int = 1
    confirm_share: float = 0.0
    confirm_count: int = 5
    lasting_score: float = 0.0
    lasting_count: int = 12
    small_px: float = 0.0
    small_gain: float = 0.0

    def __post_init__(self) -> None:
        if not (0 <= self.count_score <= self.cover_score <= 1 and self.count_score <= self.confirm_score <= 1):
            raise ValueError("scores lie in [0, 1], and count_score is the least of them")
        if not self.confirm_score > 0:
            raise ValueError("confirm_score lies above 0")
        if not (self.confirm_times >= 1 and self.confirm_count >= 0 and 0 <= self.confirm_share <= 1):
            raise ValueError("confirm_times is at least 1, confirm_count at least 0, and confirm_share in [0, 1]")
        if not (0 <= self.lasting_score <= 1 and self.lasting_count >= 2):
            raise ValueError("lasting_score lies in [0, 1], and lasting_count is at least 2")
        if not (self.small_px >= 0 and 0 <= self.small_gain <= 4):
            raise ValueError("small_px is at least 0, and small_gain lies in [0, 4]")


@dataclass(frozen=True, slots=True)
class Evidences:
    """The evidence of each class.

    Args:
        by_class: of the classes that have their own.
        other: of all other classes.
    """

    by_class: Mapping[str, Evidence] = field(default_factory=dict)
    other: Evidence = field(default_factory=Evidence)

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Evidences":
        """From what `asdict` gives, as ledgers and track files keep it.

        Raises:
            KeyError, TypeError, ValueError: it is not whole, or a value lies outside its range.
        """
        by_class = {name: Evidence(**own) for name, own in plain["by_class"].items()}
        return cls(by_class, Evidence(**plain["other"]))

    def __getitem__(self, name: str) -> Evidence:
        return self.by_class.get(name, self.other)

    def table(self, names: Sequence[str]) -> "EvidenceTable":
        """The evidence of n objects of these classes."""
        kinds = {name: k for k, name in enumerate(dict.fromkeys(names))}
        return EvidenceTable([self[name] for name in kinds], np.array([kinds[name] for name in names], np.int64))

    def counts(self, found: Sequence[Detections]) -> NDArray[np.bool_]:
        """(n,) which detections count, of all n in these frames."""
        names = [name for one in found for name in one.classes]
        if not names:
            return np.zeros(0, bool)
        heights = np.concatenate([one.xyxy[:, 3] - one.xyxy[:, 1] for one in found])
        table = self.table(names)
        strength = table.strength(np.concatenate([one.scores for one in found]), heights)
        answer: NDArray[np.bool_] = strength >= table.column("count_score")
        return answer


class EvidenceTable:
    """`Evidence` of n objects, which are of few classes: what is asked for becomes a column of (n,) float32.

    Args:
        kinds: the evidence of each class that there is.
        of: (n,) which of them is that of each object.
    """

    def __init__(self, kinds: Sequence[Evidence], of: NDArray[np.int64]) -> None:
        self._kinds, self._of = kinds, of

    def column(self, name: str) -> F32:
        """(n,) a field of `Evidence`."""
        return np.array([getattr(kind, name) for kind in self._kinds], np.float32)[self._of]

    def of(self, rows: NDArray[np.int64]) -> "EvidenceTable":
        """The evidence of these rows."""
        return EvidenceTable(self._kinds, self._of[rows])

    def strength(self, scores: F32, heights: F32) -> F32:
        """Scores as small objects deserve them, (n,), of boxes of these heights, pixels."""
        lacking = np.maximum(1 - heights / np.maximum(self.column("small_px"), 1e-6), 0)
        return np.asarray(scores * (1 + self.column("small_gain") * lacking), np.float32)

    def wanted(self, frames: NDArray[np.int64]) -> F32:
        """The score that tracks of so many frames must show, (n,)."""
        least = self.column("confirm_score")
        share = np.clip((frames - 1) / (self.column("lasting_count") - 1), 0, 1)
        return np.asarray(least + share * np.maximum(self.column("lasting_score") - least, 0), np.float32)


FACES = Evidence(small_px=64, small_gain=0.5)
PLATES = Evidence(
    count_score=0.25,
    cover_score=0.95,
    confirm_score=0.6,
    confirm_times=2,
    confirm_share=0.1,
    confirm_count=0,
    lasting_score=0.9,
    small_px=20,
    small_gain=0.8,
)
EVIDENCE = Evidences({"face": FACES, "plate": PLATES})
"""As measured with the models of `detectors.recipes`."""
