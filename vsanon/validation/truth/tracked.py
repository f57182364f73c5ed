"""What was tracked in a clip, as its truth, where nobody has drawn one."""

import numpy as np

from vsanon.detections import Origin
from vsanon.tracks.table import TrackTable
from vsanon.validation.truth.boxes import Truth


def truth_of(table: TrackTable) -> Truth:
    """Tracks as truth: what was detected or lies between detections counts, what was only held is ignored."""
    held = table.origins == Origin.HELD
    classes = np.array(table.classes, np.str_)[table.runs] if len(table.runs) else np.zeros(0, np.str_)
    order = np.lexsort((held, table.tracks, classes, table.frames))
    keys = list(zip(table.frames[order], classes[order], table.tracks[order], strict=True))
    first = np.array([i == 0 or keys[i] != keys[i - 1] for i in range(len(keys))], np.bool_)
    rows = order[first] if len(keys) else order
    none = np.zeros(len(rows), np.bool_)
    boxes = table.xyxy[rows]
    return Truth(table.frames[rows], table.tracks[rows], classes[rows], boxes, held[rows], none, none)
