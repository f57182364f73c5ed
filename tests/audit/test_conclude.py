"""What an audit says follows from what was measured, and claims no more."""

from fractions import Fraction
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from vsanon.audit.alignment import Timing
from vsanon.audit.conclude import Found, conclude
from vsanon.audit.judging import Left, Level
from vsanon.audit.page import residual_in_words
from vsanon.audit.place import Place
from vsanon.audit.targets import Targets
from vsanon.validation.truth.boxes import Truth

BOX = np.array([[10, 10, 40, 50]], np.float64)


def audited(level: Level) -> dict[str, Any]:
    """One target in one frame of which this is left, and on which a detector finds something."""
    no = np.zeros(1, np.bool_)
    truth = Truth(np.array([0]), np.array([1]), np.array(["face"]), BOX.astype(np.float32), no, no, no)
    meter = SimpleNamespace(
        levels=lambda: {0: Left(level, "so")}, boxes=BOX, has_controls=lambda: True, incomparable=list, changed=dict
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
    found = audited(level)["residual"]
    where = {name: found[name] for name in ("on_bare", "on_untold", "on_covered", "elsewhere")}
    assert where == {**dict.fromkeys(where, 0), counted: 1}
    assert ("1 on those that can't be told" in residual_in_words(audited(level))) == (level is Level.UNTOLD)
