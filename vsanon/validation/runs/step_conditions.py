"""The conditions of every true box, seen in the master: one decoding for all its encodes."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

from vsanon.filters.clips import grey
from vsanon.job.frames import frames_of, luma16
from vsanon.media.source import open_source
from vsanon.validation.metrics import conditions
from vsanon.validation.metrics.heads import Head
from vsanon.validation.metrics.stability import motion
from vsanon.validation.runs.keys import key_of
from vsanon.validation.runs.known import Known
from vsanon.validation.runs.step_heads import Heads, points_by
from vsanon.validation.runs.step_search import small_size
from vsanon.validation.runs.store import Result, Step, Store

FACE = "face"
"""The class whose boxes hold heads."""


def boxes_under(store: Store, master: Step, known: Known) -> Step | None:
    """The conditions of each row of a truth, by name; None where nothing is known.

    Args:
        store: where steps lie.
        master: the frames.
        known: the true boxes at its size and rate.
    """
    truth = known.truth
    if truth is None:
        return None

    def make(_: Path) -> Result:
        clip = open_source(master.file()).clip
        size, fps = (clip.width, clip.height), float(Fraction(master.result["fps"]))
        luma = luma16(clip)
        small = grey(luma, small_size(size))
        looks: list[conditions.Look | None] = [None] * len(truth)
        heads: list[Head | None] = [None] * len(truth)
        seen = Heads()
        pictures = []
        for n, (full, little) in enumerate(zip(frames_of(luma), small.frames(close=True), strict=True)):
            pictures.append(np.asarray(little[0]).copy())
            rows = truth.rows(n)
            for k in range(rows.start, rows.stop):
                looks[k] = conditions.look_at(np.asarray(full[0]), truth.xyxy[k])
                if truth.classes[k] == FACE:
                    heads[k] = seen.see(np.asarray(full[0]), truth.xyxy[k])
        pairs = list(pairwise(pictures))
        cuts = [n for n, pair in enumerate(pairs, start=1) if conditions.is_cut(*pair)]
        # Only frames that show somebody need to know how the camera moves; the first moves as the second does.
        wanted = sorted({min(max(int(n), 1), len(pairs)) for n in truth.frames} - {0})
        moved = np.zeros(len(pictures) + 1)
        for n in wanted:
            moved[n] = conditions.camera_movement(motion(pairs[n - 1])) * fps if n not in cuts else 0.0
        moved[0] = moved[1]
        since = np.zeros(len(truth))
        for name in np.unique(truth.classes):
            own = truth.classes == name
            since[own] = conditions.seconds_since(truth.frames[own], truth.ids[own], cuts, fps)
        flags = truth.occluded, truth.readable
        found = conditions.named(truth.xyxy, flags, looks, heads, since, moved[truth.frames], size)
        return {"cuts": cuts, "values": found}

    return store.step(key_of("conditions", master=master.key, truth=known.key, points=points_by()), make)
