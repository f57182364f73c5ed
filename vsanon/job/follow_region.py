"""Regions followed through the pictures of a file."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon import filters
from vsanon.errors import CheckError, InputError
from vsanon.job.frames import our_errors, picture
from vsanon.job.settings import video_track_of
from vsanon.media.source import bound_cache, open_source
from vsanon.tracks.edit_kinds import KeyFrame
from vsanon.tracks.file import read_tracks
from vsanon.tracks.keyframes import follow


def follow_region(
    source: Path, tracks: Path, keys: Sequence[KeyFrame], *, same_picture: bool = True
) -> tuple[tuple[KeyFrame, ...], tuple[int, ...]]:
    """`keyframes.follow` on the pictures of `source`, which must be the clip of `tracks`.

    Args:
        source: the file.
        tracks: its track file.
        keys: two or more, set by hand.
        same_picture: as for `filters.load`: each frame that is followed must show what was analysed.

    Raises:
        InputError: the file can't be read, or is another clip; a key frame lies past its end.
        CheckError: a frame on the way shows another picture than the one analysed.
    """
    bound_cache()
    clip = open_source(source, video_track_of(read_tracks(tracks).header)).clip
    with our_errors(InputError):
        data = filters.load(clip, tracks, same_picture=same_picture)  # refuses tracks of another clip
    if keys[-1].frame >= clip.num_frames:
        raise InputError(f"key frame {keys[-1].frame} lies past the clip's {clip.num_frames} frames")

    def luma(n: int) -> NDArray[np.uint8]:
        with our_errors(CheckError), data.get_frame(n):  # which compares this very frame
            pass
        return np.asarray(cv2.cvtColor(picture(clip, n), cv2.COLOR_RGB2GRAY), np.uint8)

    return follow(luma, keys)
