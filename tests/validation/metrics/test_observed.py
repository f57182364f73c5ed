"""Boxes of one class over a clip, from a truth and from a track file."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vsanon.detections import Origin, TrackedBoxes, no_swatches
from vsanon.tracks.file import TrackWriter, read_tracks
from vsanon.tracks.table import TrackTable
from vsanon.validation.metrics.observed import Observed, both, tracked_boxes, true_boxes
from vsanon.validation.truth.boxes import Truth

Row = tuple[int, str, tuple[float, float, float, float]]
SMALL, LARGE = (0, 0, 10, 10), (20, 0, 60, 40)


def table(folder: Path, *frames: tuple[Row, ...]) -> TrackTable:
    """The tracks of frames of (id, class, box)."""
    writer = TrackWriter({"frames": len(frames), "size": [64, 48], "fps": "25"})
    for rows in frames:
        count = len(rows)
        xyxy = np.array([box for _, _, box in rows], np.float32).reshape(-1, 4)
        names, ids = tuple(name for _, name, _ in rows), tuple(i for i, _, _ in rows)
        scores, origins = np.ones(count, np.float32), (Origin.DETECTED,) * count
        writer.add(TrackedBoxes(xyxy, scores, names, ids, origins, no_swatches(count)))
    writer.write(folder / "a.vsanon")
    return read_tracks(folder / "a.vsanon")


def test_a_truth_is_taken_by_class_with_what_is_ignored() -> None:
    none = np.zeros(3, np.bool_)
    truth = Truth(
        np.array([4, 0, 0]), np.array([1, 1, 2]), np.array(["face", "plate", "face"]),
        np.array([SMALL, SMALL, LARGE], np.float32), np.array([False, True, True]), none, none,
    )  # fmt: skip
    faces = true_boxes(truth, "face")
    assert (faces.frames.tolist(), faces.ids.tolist(), faces.ignore.tolist()) == ([0, 4], [2, 1], [True, False])
    assert len(true_boxes(truth, "logo")) == 0


def test_tracks_are_taken_by_class_and_identity(tmp_path: Path) -> None:
    found = table(tmp_path, ((5, "face", SMALL), (6, "plate", LARGE)), (), ((5, "face", LARGE),))
    faces, plates = tracked_boxes(found, "face"), tracked_boxes(found, "plate")
    assert faces.frames.tolist() == [0, 2]
    assert faces.xyxy.tolist() == [list(SMALL), list(LARGE)]
    assert plates.frames.tolist() == [0]
    assert plates.ids[0] not in faces.ids


def test_the_smaller_box_of_a_merged_identity_stays_and_has_an_id_of_its_own(tmp_path: Path) -> None:
    rows = ((5, "face", SMALL), (6, "face", LARGE))
    found = table(tmp_path, rows, rows, ((5, "face", SMALL),))
    merged = tracked_boxes(replace(found, tracks=np.full(5, 3)), "face")
    assert merged.frames.tolist() == [0, 0, 1, 1, 2]
    assert merged.ids.tolist() == [3, 4, 3, 4, 3]
    assert merged.xyxy[:2].tolist() == [list(LARGE), list(SMALL)]


def test_frames_of_either_are_walked_in_order() -> None:
    one = Observed(np.array([7, 2]), np.array([1, 1]), np.array([SMALL, LARGE], np.float32))
    other = Observed(np.array([2, 3]), np.array([1, 1]), np.array([SMALL, LARGE], np.float32))
    walked = [(n, one.xyxy[own].tolist(), len(other.xyxy[rest])) for n, own, rest in both(one, other)]
    assert walked == [(2, [list(LARGE)], 1), (3, [], 1), (7, [list(SMALL)], 0)]


def test_columns_are_of_one_length() -> None:
    with pytest.raises(ValueError, match="2 frames need 2 ids, got 1"):
        Observed(np.array([0, 1]), np.array([0]), np.array([SMALL, SMALL], np.float32))
