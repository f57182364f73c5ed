"""What an audit says follows from what was measured, and claims no more."""

from fractions import Fraction
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from vsanon.audit.alignment import Timing
from vsanon.audit.conclude import Found, conclude
from vsanon.audit.judging import DROWNED, Left, Level, Noise, judge
from vsanon.audit.page import residual_in_words
from vsanon.audit.place import Place
from vsanon.audit.structure import compare
from vsanon.audit.targets import Targets
from vsanon.validation.truth.boxes import Truth

BOX = np.array([[10, 10, 40, 50]], np.float64)


def audited(*lefts: Left) -> dict[str, Any]:
    """Targets in one frame of which this is left, one over the other, on which a detector finds something."""
    count = len(lefts)
    no, boxes = np.zeros(count, np.bool_), np.repeat(BOX, count, axis=0)
    truth = Truth(
        np.zeros(count, np.int64),
        np.arange(count),
        np.array(["face"] * count),
        boxes.astype(np.float32),
        no,
        no,
        no,
    )
    levels = dict(enumerate(lefts))
    meter = SimpleNamespace(
        levels=lambda: levels, boxes=boxes, has_controls=lambda: True, incomparable=list, changed=dict
    )
    timing = Timing(np.array([0]), 0, Fraction(1), 1.0, True)
    place = Place((1.0, 1.0), (0.0, 0.0))
    detected = {0: BOX.astype(np.float32)}
    return conclude(Found(Targets(truth), "file", timing, place, "", "", cast(Any, meter), detected, ()), {}, {})


@pytest.mark.parametrize(
    ("level", "counted"),
    [(Level.BARE, "on_bare"), (Level.WEAK, "on_bare"), (Level.UNTOLD, "on_untold"), (Level.COVERED, "on_covered")],
)
def test_what_a_detector_finds_lies_on_a_covered_target_only_where_that_can_be_told(
    level: Level, counted: str
) -> None:
    found = audited(Left(level, "so"))["residual"]
    where = {name: found[name] for name in ("on_bare", "on_untold", "on_covered", "elsewhere")}
    assert where == {**dict.fromkeys(where, 0), counted: 1}
    assert ("1 on those that can't be told" in residual_in_words(audited(Left(level, "so")))) == (
        level is Level.UNTOLD
    )


@pytest.mark.parametrize(("drowned", "covered", "verdict"), [(1, 1, "pass"), (2, 1, "fail"), (3, 0, "fail")])
def test_where_most_of_what_the_original_shows_can_not_be_told_nothing_passes(
    drowned: int, covered: int, verdict: str
) -> None:
    """As where all of the picture is softened, faces as well: what was judged was the few that stood out."""
    lefts = [Left(Level.UNTOLD, DROWNED)] * drowned + [Left(Level.COVERED)] * covered
    found = audited(*lefts)
    assert found["verdict"] == verdict
    assert [reason for reason in found["reasons"] if DROWNED in reason] == found["reasons"]


def test_what_is_flat_is_told_from_what_is_drowned_in_changes() -> None:
    texture = np.random.default_rng(0).normal(128, 20, (60, 60)).astype(np.float32)
    flat = np.full((60, 60), 128, np.float32)
    loud = {"luma": Noise(1e4, 1e4)}
    box = BOX[0].tolist()
    assert judge({"luma": compare(flat, flat, box)}, loud).why == "too flat"
    assert judge({"luma": compare(texture, flat, box)}, loud).why == DROWNED
    assert judge({"luma": compare(texture, flat, box)}, {}).level is Level.COVERED
