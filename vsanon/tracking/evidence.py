"""What it takes for the detections of a class to be covered: scores, and time as evidence; pure.

Models of different classes score on different scales, and their mistakes differ as well: a face is where it is
found once, while a shop sign that looks like a plate for two frames is none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vsanon.boxes import F32


@dataclass(frozen=True, slots=True)
class Evidence:
    """What it takes for detections of one class.

    Args:
        count_score: a detection with at least this score counts; weaker ones only carry a confirmed track on.
        cover_score: one with at least this score is covered in its frame, confirmed or not.
        confirm_score: a track is confirmed by detections with at least this score ...
        confirm_times: ... of which there are this many, or as many as frames near it were searched ...
        confirm_share: ... and which are at least this share of all its detections ...
        confirm_count: ... or, whatever their share, by this many that count; 0 for never. Only confirmed tracks are
            bridged and held.

    Raises:
        ValueError: a value lies outside its range.
    """

    count_score: float = 0.2
    cover_score: float = 0.2
    confirm_score: float = 0.4
    confirm_times: int = 1
    confirm_share: float = 0.0
    confirm_count: int = 5

    def __post_init__(self) -> None:
        if not (0 <= self.count_score <= self.cover_score <= 1 and self.count_score <= self.confirm_score <= 1):
            raise ValueError("scores lie in [0, 1], and count_score is the least of them")
        if not self.confirm_score > 0:
            raise ValueError("confirm_score lies above 0")
        if not (self.confirm_times >= 1 and self.confirm_count >= 0 and 0 <= self.confirm_share <= 1):
            raise ValueError("confirm_times is at least 1, confirm_count at least 0, and confirm_share in [0, 1]")


@dataclass(frozen=True, slots=True)
class Evidences:
    """The evidence of each class.

    Args:
        by_class: of the classes that have their own.
        other: of all other classes.
    """

    by_class: Mapping[str, Evidence] = field(default_factory=dict)
    other: Evidence = field(default_factory=Evidence)

    def __getitem__(self, name: str) -> Evidence:
        return self.by_class.get(name, self.other)

    def counts(self, scores: F32, names: Sequence[str]) -> NDArray[np.bool_]:
        """(n,) which detections of these scores and classes count."""
        least = {name: self[name].count_score for name in set(names)}
        answer: NDArray[np.bool_] = scores >= np.array([least[name] for name in names], np.float32)
        return answer


FACES = Evidence()
PLATES = Evidence(
    count_score=0.3, cover_score=0.7, confirm_score=0.5, confirm_times=2, confirm_share=0.2, confirm_count=0
)
EVIDENCE = Evidences({"face": FACES, "plate": PLATES})
"""As measured with the models of `detectors.recipes`."""
