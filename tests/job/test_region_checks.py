"""What is kept of the boxes of a film until its encoded frames are looked at."""

import numpy as np

from vsanon.detections import Origin, Outline, TrackedBoxes, no_cells
from vsanon.job.region_checks import Seen


def boxes(*rows: tuple[str, int, list[float], Outline | None]) -> TrackedBoxes:
    n = len(rows)
    return TrackedBoxes(
        np.array([row[2] for row in rows], np.float32).reshape(-1, 4),
        np.ones(n, np.float32),
        tuple(row[0] for row in rows),
        tuple(row[1] for row in rows),
        (Origin.DETECTED,) * n,
        no_cells(n),
        tuple(row[3] for row in rows),
    )


def test_each_frame_gets_its_own_boxes_back() -> None:
    ellipse = Outline("ellipse")
    frames = [
        boxes(("face", 4097, [0.125, 2, 30.5, 40], None), ("logo", 7, [100, 0, 150, 20], ellipse)),
        boxes(),
        boxes(("logo", 2**40, [-8, -8, 8, 8], None)),
    ]
    seen = Seen()
    for frame in frames:
        seen.add(frame)
    for n, frame in enumerate(frames):
        found = seen.at(n)
        assert found.xyxy.tolist() == frame.xyxy.tolist()
        assert (found.classes, found.ids, found.outlines) == (frame.classes, frame.ids, frame.outlines)
        assert found.scores.tolist() == [0] * len(frame)
