"""Lettering that is still read under coarse cells is told by its strokes; a cover that leaves none is not."""

import cv2
import numpy as np
import pytest

from tests.support import audit_clips as clips
from vsanon.audit.disguises import disguise_of
from vsanon.audit.judging import Left, Level, judge, over_track
from vsanon.audit.structure import compare, compare_letters
from vsanon.validation.attacks import plates

BOX = (20.0, 20.0, 77.0, 39.0)
"""As wide as a plate of the United Kingdom is, 19 px high."""


def left(look: clips.Cover, seed: int, *, strokes: bool = True) -> Left:
    """What is left of a drawn plate that a tool covers a fifth larger than its box."""
    rng = np.random.default_rng(seed)
    was = np.full((60, 100, 3), 90, np.uint8)
    drawn = cv2.resize(plates.draw(plates.texts(rng, 1)[0], rng), (57, 19), interpolation=cv2.INTER_AREA)
    was[20:39, 20:77] = drawn
    now = was.copy()
    now[18:41, 14:83] = look(now[18:41, 14:83])  # type: ignore[call-arg, arg-type]
    before, after = (np.asarray(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), np.float32) for p in (was, now))
    letters = compare_letters(before, after, BOX) if strokes else None
    found = {"luma": compare(before, after, BOX, whole=True)}
    return judge(found, {}, True, disguise_of(before, after, BOX), letters)


@pytest.mark.parametrize("look", [clips.mosaic(5), clips.mosaic(6), clips.blur(1 / 8)])
def test_strokes_that_coarse_cells_or_a_blur_leave_are_told(look: clips.Cover) -> None:
    found = [left(look, seed) for seed in range(20)]
    assert all(one.level in (Level.WEAK, Level.PARTLY) for one in over_track(found, lettering=True))
    assert sum(left(look, seed, strokes=False).level is Level.COVERED for seed in range(20)) >= 10


@pytest.mark.parametrize("look", [clips.fill, clips.mosaic(1), clips.blur(1 / 2)])
def test_a_cover_of_which_nothing_is_read_leaves_no_strokes(look: clips.Cover) -> None:
    found = [left(look, seed) for seed in range(20)]
    assert not any(one.level in (Level.WEAK, Level.PARTLY, Level.BARE) for one in over_track(found, lettering=True))
