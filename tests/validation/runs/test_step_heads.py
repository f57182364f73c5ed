"""Heads of real faces, and what is said where nobody can tell."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from vsanon.job.frames import luma16_at
from vsanon.media.source import open_source
from vsanon.validation.metrics.heads import Head
from vsanon.validation.runs import step_heads
from vsanon.validation.runs.step_heads import Heads, points_by


def opera(assets: Path, frame: int) -> np.ndarray:
    clip = open_source(assets / "video/opera_crowd_1080p25.mp4").clip
    ((_, luma),) = luma16_at(clip, [frame])
    return np.array(luma)


def boxes(assets: Path, frame: int, identities: Sequence[int]) -> list[np.ndarray]:
    lines = (assets / "truth/opera_crowd_1080p25.csv").read_text().splitlines()[1:]
    rows = {(int(r[0]), int(r[1])): r[3:7] for r in (line.split(",") for line in lines)}
    return [np.array(rows[frame, identity], np.float32) for identity in identities]


@pytest.mark.assets
def test_real_faces_are_seen_from_the_front_and_from_the_side(assets: Path) -> None:
    if points_by() is None:
        pytest.skip("the model is not here")
    luma, heads = opera(assets, 0), Heads()
    front, profile = boxes(assets, 0, [3, 7])
    assert heads.see(luma, front) == Head("front", "upright")
    assert heads.see(luma, profile) == Head("profile", "upright")
    assert heads.see(luma, front - np.float32([300, 0, 300, 0])) is None


def test_without_the_model_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_heads.store, "locate", lambda card: None)
    assert points_by() is None
    assert Heads().see(np.zeros((90, 160), np.uint16), np.float32([10, 10, 60, 70])) is None


def test_a_face_of_few_pixels_is_too_small_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    def unasked(*_: object, **__: object) -> None:
        raise AssertionError("the model was asked")

    monkeypatch.setattr(step_heads, "open_detector", unasked)
    assert Heads().see(np.zeros((90, 160), np.uint16), np.float32([10, 10, 21, 40])) is None
