"""`track`: what it paints from holds still, however sizes and colours of what was found change."""

from itertools import pairwise

import numpy as np
import vapoursynth as vs
from numpy.typing import NDArray

import vsanon
from tests.support.clips import data
from vsanon.detections import Detections
from vsanon.filters import props

STRIPES = np.broadcast_to(np.array([0, 0, 255, 255, 255], np.uint8)[None, None, :, None], (1, 5, 5, 3))


def colours(sides: list[float]) -> list[NDArray[np.int64]]:
    """What a face in one place is painted from, by its side in each frame."""

    def at(n: int) -> Detections:
        half = sides[n] / 2
        box = np.array([[80 - half, 48 - half, 80 + half, 48 + half]], np.float32)
        return Detections(box, np.full(1, 0.9, np.float32), ("face",), STRIPES.copy())

    clip = vs.core.std.BlankClip(None, 160, 96, vs.YUV420P8, len(sides), 25, 1)
    found = vsanon.track(data(clip, at))
    return [props.read_tracked(found.get_frame(n).props).swatches[0].astype(int) for n in range(len(sides))]


def test_a_face_whose_size_trembles_about_a_threshold_does_not_strobe() -> None:
    """Sides of 20 and of 52 px by turns: the mean alone, then all of its swatches, 102 to 153 codes apart."""
    shown = colours([20, 52] * 45)
    assert max(int(np.abs(a - b).max()) for a, b in pairwise(shown)) <= 8


def test_a_small_face_is_painted_in_one_colour_and_a_large_one_in_its_own() -> None:
    """Where it is large, each swatch has noise of 12 codes at most."""
    assert np.ptp(colours([20] * 5)[2], axis=(0, 1)).tolist() == [0, 0, 0]
    large = colours([60] * 5)[2]
    assert large[:, :2].max() <= 12
    assert large[:, 2:].min() >= 255 - 12
