"""Light for models: the picture of a dark frame is stretched before a model sees it; the frame stays as it is."""

from collections.abc import Sequence

import numpy as np

from vsanon.detectors.base import U8

DARK = 120
"""A frame is dark where its bright parts are darker than this, as a code of 0 to 255 ..."""
LIT = 224
"""... and its bright parts are lifted to this ..."""
MOST = 6.0
"""... by this factor at most: what little there is to see is noise as well."""
LEAST_SPREAD = 16
"""A frame whose bright and dark parts differ by less shows nothing that light would bring out."""
PERCENTILES = (1, 99)
"""What is taken for its dark and its bright parts, of the pixels of the whole frame."""


def lifted(pictures: Sequence[U8], whole: U8) -> Sequence[U8]:
    """The pictures of a frame as models shall see them.

    Args:
        pictures: (3, h, w) RGB each.
        whole: (3, h, w), that of the whole frame, without what pads it; a function of it alone decides.
    """
    bright = whole[:, ::4, ::4].max(axis=0)
    if _is_light(bright):
        return pictures
    low, high = np.percentile(bright, PERCENTILES)
    if high >= DARK or high - low < LEAST_SPREAD:
        return pictures
    codes = np.arange(256, dtype=np.float64)
    table = np.clip((codes - low) * min(MOST, LIT / (high - low)), 0, 255).astype(np.uint8)
    return [table[picture] for picture in pictures]


def _is_light(bright: U8) -> bool:
    """Whether the upper percentile is surely not dark: as many codes as lie above it are not. It spares most frames
    the sorting that a percentile needs; False leaves it open."""
    above = bright.size - int((bright.size - 1) * PERCENTILES[1] / 100) + 1
    return int(np.count_nonzero(bright >= DARK)) >= above
