"""What a source looks like, in a few numbers that an encode does not change and that show nobody."""

from collections.abc import Iterator

import cv2
import numpy as np

from vsanon.filters import VideoNode
from vsanon.validation.conclusions.footage import SIDE

COUNT = 24
"""Pictures that are looked at, evenly over the clip."""


def looks(luma: VideoNode) -> Iterator[str]:
    """The difference hash of some pictures, 256 bits in hex: where the picture gets brighter to the right, 16 x 16.

    Args:
        luma: the clip in one plane of 16 bits.
    """
    count = min(COUNT, luma.num_frames)
    for k in range(count):
        with luma.get_frame((2 * k + 1) * luma.num_frames // (2 * count)) as frame:
            small = cv2.resize(np.asarray(frame[0]), (SIDE + 1, SIDE), interpolation=cv2.INTER_AREA)
        yield np.packbits(small[:, 1:] > small[:, :-1]).tobytes().hex()
