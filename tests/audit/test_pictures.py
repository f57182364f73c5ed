"""Pictures on the audit's page: who shows in the redacted clip is filled in both; the original shows no more."""

import base64

import cv2
import numpy as np

from tests.support import audit_clips as clips
from tests.support.audit_clips import covered, fill
from vsanon.audit.judging import Left, Level
from vsanon.audit.page import page
from vsanon.audit.pictures import Pair, chosen, pair

N = 12
FILLED = (118, 118, 122)


def shown(text: str) -> np.ndarray:
    return np.asarray(cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_COLOR)[..., ::-1])


def middles(box: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """What is seen in the inner half of a box."""
    (x0, y0, x1, y1), (h, w) = box, picture.shape[:2]
    x, y = (x1 - x0) / 4, (y1 - y0) / 4
    return picture[int(max(y0 + y, 0)) : int(min(y1 - y, h)), int(max(x0 + x, 0)) : int(min(x1 - x, w))]


def made(
    level: Level, finds: np.ndarray | None = None, cover: clips.Cover = lambda n, p: p
) -> tuple[np.ndarray, Pair]:
    truth = clips.truth()
    boxes = truth.xyxy[truth.rows(N)].astype(np.float64)
    picture = clips.pictures()[N]
    none = np.zeros((0, 4)) if finds is None else finds
    return boxes, pair(N, N, picture, cover(N, picture), boxes, [level] * len(boxes), none)


def test_a_target_that_shows_is_filled_in_both() -> None:
    for level in (Level.BARE, Level.PARTLY, Level.WEAK, Level.UNTOLD):
        boxes, found = made(level)
        assert found.filled == len(boxes)
        for text in (found.original, found.redacted):
            for box in boxes:
                assert np.abs(middles(box, shown(text)).astype(int) - FILLED).mean() < 6


def test_a_covered_target_is_shown_as_the_tool_covered_it_and_filled_in_the_original() -> None:
    boxes, found = made(Level.COVERED, cover=covered(fill))
    assert found.filled == 0
    for box in boxes:
        assert np.abs(middles(box, shown(found.redacted)).astype(int) - 110).mean() < 6
        assert np.abs(middles(box, shown(found.original)).astype(int) - FILLED).mean() < 6


def test_of_the_original_nothing_is_shown_that_the_tool_took_away() -> None:
    """A face that no target names, but that the tool covered."""
    truth = clips.truth()
    picture = clips.pictures()[N]
    alone = pair(N, N, picture, covered(fill)(N, picture), np.zeros((0, 4)), [], np.zeros((0, 4)))
    for box in truth.xyxy[truth.rows(N)]:
        assert np.abs(middles(box, shown(alone.original)).astype(int) - FILLED).mean() < 6


def test_of_a_clip_that_was_graded_as_a_whole_a_face_that_the_tool_covered_is_not_shown_either() -> None:
    """Brighter by 40 codes everywhere: three times the typical change lies above what a cover changes."""
    picture, box = clips.pictures()[N], clips.truth().xyxy[clips.truth().rows(N)].astype(np.float64)[0]
    graded = np.clip(covered(fill)(N, picture).astype(int) + 40, 0, 255).astype(np.uint8)
    alone = pair(N, N, picture, graded, np.zeros((0, 4)), [], np.zeros((0, 4)))
    assert np.abs(middles(box, shown(alone.original)).astype(int) - FILLED).mean() < 6


def test_what_a_detector_finds_is_filled_in_both() -> None:
    find = np.array([[200.0, 100.0, 240.0, 150.0]])
    _, found = made(Level.COVERED, find)
    for text in (found.original, found.redacted):
        assert np.abs(middles(find[0], shown(text)).astype(int) - FILLED).mean() < 6


def test_frames_where_targets_fail_come_first_and_lie_apart() -> None:
    truth = clips.truth()
    levels = {i: Left(Level.COVERED) for i in range(len(truth))}
    for i in range(len(truth)):
        if truth.frames[i] in (5, 6, 20):
            levels[i] = Left(Level.BARE)
    every = {n: n for n in range(clips.FRAMES)}
    first = chosen(truth, levels, every)
    assert len(first) == 3
    assert {5, 20} <= set(first)
    assert chosen(truth, levels, {}) == []


def test_the_page_shows_a_wipe_only_where_there_are_pictures_and_asks_for_nothing() -> None:
    _, found = made(Level.BARE)
    facts = {"name": "a", "sha256": "0", "frames": 24, "size": [480, 270], "fps": "25", "codec": "h264"}
    audit = {
        "verdict": "fail", "reasons": ["x"], "raw": facts, "redacted": facts, "vsanon": "0",
        "alignment": {"found": False, "why": "x"}, "outside": None, "leaks": [],
        "targets": {"from": "file", "count": 0, "boxes": 0, "judged": 0, "list": [],
                    "levels": {level.value: 0 for level in Level}},
        "residual": {"searched": False},
    }  # fmt: skip
    html = page(audit, [found])
    assert html.count("<img ") == 2
    assert "<script" not in html
    assert 'src="http' not in html
    assert "<img " not in page(audit)
