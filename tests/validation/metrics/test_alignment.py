"""Truth that is of another clip is refused; truth that is off by frames or pixels is noticed, and only then."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vsanon
from tests.support.metric_scenes import observed
from tests.validation.truth.test_transforms import truth_of
from vsanon.errors import InputError
from vsanon.filters import props
from vsanon.media.source import open_source
from vsanon.validation.metrics.alignment import Alignment, alignment_warning, best_shift, stranger_warning
from vsanon.validation.metrics.observed import Observed, true_boxes
from vsanon.validation.metrics.unmeasured import NotMeasured
from vsanon.validation.truth.boxes import require_inside
from vsanon.validation.truth.files import read_any

FRAMES = 60


def walk(
    shift: int = 0, step: float = 4.0, noise_px: float = 0.0, offset: tuple[float, float] = (0, 0)
) -> Observed:
    """One box of 40x50 that goes `step` px a frame, `shift` frames early."""
    rng = np.random.default_rng(5)
    rows = []
    for n in range(FRAMES):
        x, y = 20 + step * (n + shift) + offset[0], 30 + offset[1]
        dx, dy = rng.normal(0, noise_px, 2) if noise_px else (0, 0)
        rows.append((n, 1, (x + dx, y + dy, x + dx + 40, y + dy + 50)))
    return observed(*rows)


@pytest.mark.parametrize("shift", [-3, -2, -1, 0, 1, 2, 3])
def test_the_shift_that_was_made_is_the_one_that_is_found(shift: int) -> None:
    found = best_shift(walk(), walk(-shift, noise_px=1), FRAMES)
    assert isinstance(found, Alignment)
    assert found.shift == shift


def test_the_gain_of_a_shift_is_that_in_mean_iou() -> None:
    """One frame is 4 px: the boxes then share 36 of 44 columns."""
    found = best_shift(walk(), walk(-1), FRAMES)
    assert isinstance(found, Alignment)
    assert (found.shift, found.offset) == (1, (0, 0))
    assert found.gain == pytest.approx(1 - 36 / 44, abs=1e-6)
    assert found.error == pytest.approx(0, abs=1e-6)


def test_a_truth_of_another_clip_is_said_to_be() -> None:
    """Two that walk where nobody does; what is found of few is no sign of it, and what is ignored may be found."""
    elsewhere = walk(offset=(0, 200))
    warning = stranger_warning(elsewhere, walk(noise_px=1))
    assert warning == (
        "it seems to be of another clip: 0% of its 60 boxes meet what was detected, and 0% of 60 detected boxes "
        "meet one of them"
    )
    few = walk(noise_px=1)
    assert stranger_warning(walk(), few.select(few.frames % 3 == 0)) is None  # a third found, all of it there
    assert stranger_warning(elsewhere, few.select(few.frames < 19)) is None  # too few to tell
    everything = observed(
        *(
            (n, k, tuple(box))
            for k, one in enumerate((walk(), elsewhere))
            for n, box in enumerate(one.xyxy.tolist())
        )
    )
    ignored = replace(everything, ignore=everything.ids == 0)
    assert stranger_warning(ignored, few) is None


def test_a_truth_one_frame_early_is_said_to_be() -> None:
    warning = alignment_warning(best_shift(walk(1), walk(noise_px=1), FRAMES))
    assert warning is not None
    assert "1 frame earlier than the picture: shifted by +1" in warning
    late = alignment_warning(best_shift(walk(-2), walk(noise_px=1), FRAMES))
    assert late is not None
    assert "2 frames later than the picture: shifted by -2" in late
    far = alignment_warning(best_shift(walk(-5), walk(noise_px=1), FRAMES))
    assert far is not None
    assert "3 frames or more later than the picture: shifted by -3" in far, "no more were tried"


def test_a_truth_that_fits_or_that_cannot_tell_is_not_spoken_of() -> None:
    assert alignment_warning(best_shift(walk(), walk(noise_px=2), FRAMES)) is None
    still = best_shift(walk(1, step=0), walk(step=0, noise_px=2), FRAMES)
    assert alignment_warning(still) is None


def test_too_few_frames_or_no_detection_are_not_measured() -> None:
    assert isinstance(best_shift(walk(), walk(), 30), NotMeasured)
    assert isinstance(best_shift(walk(), observed(), FRAMES), NotMeasured)
    assert alignment_warning(best_shift(observed(), walk(), FRAMES)) is None


def test_a_truth_moved_by_a_quarter_of_a_box_is_hinted_at() -> None:
    found = best_shift(walk(step=0), walk(step=0, offset=(10, 5)), FRAMES)
    assert isinstance(found, Alignment)
    assert found.offset == pytest.approx((0.25, 0.1))
    assert "+0.25 of a box's width to the right and +0.10 of its height further down" in str(
        alignment_warning(found)
    )
    assert alignment_warning(best_shift(walk(step=0), walk(step=0, offset=(6, 6)), FRAMES)) is None


def test_an_ignored_box_may_lie_outside_and_one_that_counts_may_not() -> None:
    truth = truth_of((2, 7, (100, 10, 120, 30)), (2, 8, (-5, 0, 5, 5)))
    require_inside(truth, (101, 40), 3)
    with pytest.raises(InputError, match=r"face 7 of frame 2 at \(100, 10, 120, 30\) .* 100x40 pixels\. 1 boxes"):
        require_inside(truth, (100, 40), None)
    with pytest.raises(InputError, match=r"opera: face 7 of frame 2 .* the clip has 2 frames\. 2 boxes"):
        require_inside(truth, None, 2, "opera")
    object.__setattr__(truth, "ignore", np.array([True, False]))
    require_inside(truth, (100, 40), 3)


@pytest.mark.assets
def test_a_real_truth_is_not_spoken_of_until_it_is_shifted_by_one_frame(
    assets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VSANON_MODELS", str(assets / "models"))
    clip = open_source(assets / "video" / "walkers_416p24.mp4").clip[:FRAMES]
    rows = []
    for n, frame in enumerate(vsanon.detect(clip, models={"face": "yunet_n"}).frames()):
        rows += [(n, i, box) for i, box in enumerate(props.read_detections(frame.props).xyxy)]
    truth = true_boxes(read_any(assets / "truth" / "walkers_416p24.csv", size=(752, 416), frames=145), "face")
    said = {}
    for shift in (-1, 0, 1):
        moved = replace(truth, frames=truth.frames + shift)
        moved = moved.select((moved.frames >= 0) & (moved.frames < FRAMES))
        said[shift] = alignment_warning(best_shift(moved, observed(*rows), FRAMES))
    assert said[0] is None
    assert "1 frame earlier" in str(said[-1])
    assert "1 frame later" in str(said[1])
