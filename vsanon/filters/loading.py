"""`load`: from a track file to a data clip, refused where the file belongs to another clip."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import vapoursynth as vs

from vsanon import props
from vsanon.errors import TrackFileError
from vsanon.filters.clips import data_clip, named, require_constant
from vsanon.trackfile import read_tracks


@named
def load(clip: vs.VideoNode, path: str | Path, *, check: bool = True) -> vs.VideoNode:
    """The tracks of a file, for `blur`, `mask` and `overlay`.

    Args:
        clip: the clip that the file was made from.
        path: the track file.
        check: compare sampled frames with the file's fingerprint; without it, size and length only.

    Raises:
        vs.Error: the file is damaged, or belongs to another clip; the message says which fact differs.
    """
    require_constant(clip)
    table = read_tracks(Path(path))
    if len(table) != clip.num_frames:
        raise TrackFileError(
            f"{path} covers 0:{len(table)}, the clip has {clip.num_frames} frames. "
            "Run `vsanon analyze` again, or trim the clip"
        )
    size = (clip.width, clip.height)
    if table.size != size:
        raise TrackFileError(
            f"{path} belongs to a clip of {table.size[0]}x{table.size[1]}, this one is {size[0]}x{size[1]}"
        )
    if check and table.header.get("fingerprint") != fingerprint(clip):
        raise TrackFileError(f"{path} belongs to another clip: size and length fit, but the sampled frames differ")

    def run(n: int, f: vs.VideoFrame) -> vs.VideoFrame:
        out = f.copy()
        props.write(out.props, table.at(n), size)
        return out

    data = data_clip(clip)
    return data.std.ModifyFrame(data, run)


def fingerprint(clip: vs.VideoNode) -> str:
    """SHA-256 over format, size, length and the samples of the first, the last and three frames between."""
    format_ = require_constant(clip)
    digest = hashlib.sha256(f"{format_.name} {clip.width}x{clip.height} {clip.num_frames}".encode())
    for n in _sampled(clip.num_frames):
        with clip.get_frame(n) as frame:
            for p in range(format_.num_planes):
                digest.update(np.ascontiguousarray(np.asarray(frame[p])))
    return digest.hexdigest()


def _sampled(frames: int) -> Sequence[int]:
    return sorted({i * (frames - 1) // 4 for i in range(5)})
