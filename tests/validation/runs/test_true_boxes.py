"""The picture inside the true boxes, as a master and an encode of it show it."""

import numpy as np
import pytest

from vsanon.validation.metrics.picture_parts import inside_boxes
from vsanon.validation.runs.known import Known
from vsanon.validation.runs.true_boxes import TrueBoxes
from vsanon.validation.truth.boxes import Truth

ROWS = [(0, "face", 5, 5), (0, "plate", 30, 20), (0, "face", 50, 30), (3, "plate", 0, 0), (3, "face", 60, 40)]
BOXES = np.array([(x, y, x + 12.5, y + 10) for *_, x, y in ROWS], np.float32)


def known() -> Known:
    frames, flags = np.array([n for n, *_ in ROWS]), np.zeros(len(ROWS), np.bool_)
    names = np.array([name for _, name, *_ in ROWS])
    return Known(Truth(frames, np.arange(len(ROWS)), names, BOXES, flags, flags, flags), "one")


def luma(seed: int) -> np.ndarray:
    """(H, W) uint16; the box at its right edge reaches over it."""
    return np.random.default_rng(seed).integers(4096, 60160, (48, 64)).astype(np.uint16)


def seen(boxes: TrueBoxes, add: int) -> TrueBoxes:
    for n in boxes.frames:
        boxes.see(n, luma(n) + np.uint16(add))
    return boxes


def test_each_box_is_compared_as_in_whole_frames() -> None:
    """The master has the boxes of all classes, and comes out of a file."""
    master = TrueBoxes(known())
    master.take(seen(TrueBoxes(known()), 0).samples(), (48, 64))
    found = list(seen(TrueBoxes(known(), ("face",)), 700).against(master))
    expected = []
    for n, rows in ((0, (0, 2)), (3, (4,))):
        whole = inside_boxes(luma(n), luma(n) + np.uint16(700), BOXES[list(rows)], 16)
        expected += [("face", pair) for pair in zip(whole.psnr_db.tolist(), whole.ssim.tolist(), strict=True)]
    assert found == [(name, pytest.approx(pair)) for name, pair in expected]
    assert len(found) == 3


def test_frames_wait_until_they_are_seen() -> None:
    boxes = TrueBoxes(known(), ("plate",))
    assert boxes.waiting == [0, 3]
    boxes.see(3, luma(3))
    assert boxes.waiting == [0]
    with pytest.raises(ValueError, match="frame 0 has not been seen on both sides"):
        list(boxes.against(seen(TrueBoxes(known()), 0)))


def test_without_a_truth_nothing_is_looked_at() -> None:
    boxes = TrueBoxes(Known(None, "none"), ("face",))
    assert (boxes.frames, boxes.waiting, boxes.samples().size) == (frozenset(), [], 0)
