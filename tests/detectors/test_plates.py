"""The plate model that comes with vsanon: its file, and that it finds plates of any size out of the box."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from vsanon.boxes import iou
from vsanon.detectors import Detector, open_detector
from vsanon.models import cards, locate
from vsanon.tracking.evidence import PLATES
from vsanon.validation.truth.boxes import read_truth


@pytest.fixture
def detector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Detector:
    """The detector, with nothing to pull from or to find elsewhere."""
    monkeypatch.setenv("VSANON_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("VSANON_MODELS", str(tmp_path))
    return open_detector("plates")


def drawn(size: tuple[int, int], box: tuple[int, int, int, int], lines: tuple[str, ...]) -> np.ndarray:
    """A white plate with black characters on a grey car of noise, (3, H, W)."""
    width, height = size
    rgb = np.random.default_rng(1).normal(90, 4, (height, width, 3))
    picture = cv2.GaussianBlur(np.clip(rgb, 0, 255).astype(np.uint8), (0, 0), 1)
    x0, y0, x1, y1 = box
    big = np.full((100 * len(lines), round(100 * len(lines) * (x1 - x0) / (y1 - y0)), 3), 235, np.uint8)
    cv2.rectangle(big, (2, 2), (big.shape[1] - 3, big.shape[0] - 3), (30, 30, 30), 3)
    for row, words in enumerate(lines):
        (wide, _), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, 2.6, 9)
        left = (big.shape[1] - wide) // 2
        cv2.putText(big, words, (left, 100 * row + 80), cv2.FONT_HERSHEY_SIMPLEX, 2.6, (25, 25, 25), 9, cv2.LINE_AA)
    picture[y0:y1, x0:x1] = cv2.resize(big, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(picture.transpose(2, 0, 1))


def test_the_plate_model_comes_with_vsanon_and_is_at_most_12_mb() -> None:
    path = locate(cards()["plates"])
    assert path is not None
    assert path.parts[-3:] == ("models", "weights", "plates.onnx")
    assert path.stat().st_size <= 12_000_000


@pytest.mark.parametrize(
    ("box", "lines"),
    [
        ((300, 200, 340, 210), ("AB 12 CDE",)),
        ((200, 100, 300, 122), ("AB 12 CDE",)),
        ((100, 60, 380, 120), ("AB 12 CDE",)),
        ((40, 100, 600, 220), ("AB 12 CDE",)),
        ((300, 200, 336, 226), ("29A", "5678")),
        ((200, 100, 340, 200), ("29A", "5678")),
    ],
)
def test_a_drawn_plate_of_one_or_two_lines_is_found_within_the_reach_of_the_card(
    detector: Detector, box: tuple[int, int, int, int], lines: tuple[str, ...]
) -> None:
    found = detector.detect(drawn((640, 384), box, lines))
    assert found.classes[:1] == ("plate",)
    assert iou(found.xyxy, np.float32([box])).max() >= 0.5


@pytest.mark.parametrize(
    ("box", "lines", "xyxy", "score"),
    [
        ((200, 100, 300, 122), ("AB 12 CDE",), [199.09, 99.37, 295.75, 124.06], 0.788),
        ((200, 100, 340, 200), ("29A", "5678"), [187.33, 113.12, 329.60, 202.05], 0.713),
    ],
)
def test_the_answer_is_that_of_the_training_code(
    detector: Detector, box: tuple[int, int, int, int], lines: tuple[str, ...], xyxy: list[float], score: float
) -> None:
    """Stored: what torch and mine.py of scripts/train_detector give for the same picture."""
    found = detector.detect(drawn((640, 384), box, lines))
    np.testing.assert_allclose(found.xyxy, [xyxy], atol=0.1)
    np.testing.assert_allclose(found.scores, [score], atol=0.005)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_in_an_even_picture_no_score_counts(detector: Detector, level: int) -> None:
    found = detector.detect(np.full((3, 384, 640), level, np.uint8))
    assert found.scores.max(initial=0) < PLATES.count_score


@pytest.mark.parametrize("size", [(32, 32), (96, 160), (640, 384), (1280, 736)])
def test_any_multiple_of_32_is_a_size(detector: Detector, size: tuple[int, int]) -> None:
    detector.detect(np.zeros((3, size[1], size[0]), np.uint8))


@pytest.mark.assets
def test_the_plate_that_drives_up_is_found_in_every_tenth_frame(assets: Path, detector: Detector) -> None:
    """Plates of 20 px and more, the frame scaled to 640 by 360 and the last rows grey."""
    truth = read_truth(assets / "truth" / "uk_plate_720p30.csv")
    wanted = hit = 0
    with av.open(str(assets / "video" / "uk_plate_720p30.mp4")) as clip:
        for n, frame in enumerate(clip.decode(video=0)):
            at = (truth.frames == n) & ~truth.ignore & (truth.xyxy[:, 3] - truth.xyxy[:, 1] >= 20)
            if n % 10 or not at.any():
                continue
            picture = np.full((384, 640, 3), 114, np.uint8)
            picture[:360] = cv2.resize(frame.to_ndarray(format="rgb24"), (640, 360), interpolation=cv2.INTER_AREA)
            found = detector.detect(np.ascontiguousarray(picture.transpose(2, 0, 1)))
            overlap = iou(found.xyxy * 2, truth.xyxy[at])
            wanted += int(at.sum())
            hit += int((overlap.max(axis=0, initial=0) >= 0.5).sum())
    assert wanted >= 10
    assert hit == wanted
