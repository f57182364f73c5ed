"""Regions followed through the pictures of a file."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon import filters
from vsanon.errors import InputError
from vsanon.job.frames import our_errors, picture
from vsanon.job.settings import video_track_of
from vsanon.media.source import bound_cache, open_source
from vsanon.tracks.edit_kinds import KeyFrame
from vsanon.tracks.file import read_tracks
from vsanon.tracks.keyframes import follow


def follow_region(
    source: Path, tracks: Path, keys: Sequence[KeyFrame]
) -> tuple[tuple[KeyFrame, ...], tuple[int, ...]]:
    """`following.follow` on the pictures of `source`, which must be the clip of `tracks`.

    Raises:
        InputError: the file can't be read, or is another clip; a key frame lies past its end.
    """
    bound_cache()
    clip = open_source(source, video_track_of(read_tracks(tracks).header)).clip
    with our_errors(InputError):
        filters.load(clip, tracks)  # refuses tracks of another clip
    if keys[-1].frame >= clip.num_frames:
        raise InputError(f"key frame {keys[-1].frame} lies past the clip's {clip.num_frames} frames")

    def luma(n: int) -> NDArray[np.uint8]:
        return np.asarray(cv2.cvtColor(picture(clip, n), cv2.COLOR_RGB2GRAY), np.uint8)

    return follow(luma, keys)
