"""`load`: from a track file to a data clip, refused where the file belongs to another clip."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import vapoursynth as vs

from vsanon.errors import TrackFileError
from vsanon.filters import props
from vsanon.filters.clips import data_clip, format_of, modify, named
from vsanon.tracks import edits
from vsanon.tracks.file import read_tracks


@named
def load(clip: vs.VideoNode, path: str | Path, *, check: bool = True) -> vs.VideoNode:
    """The tracks of a file with its edits applied, for `blur`, `mask` and `overlay`; ids are identities.

    Args:
        clip: the clip that the file was made from.
        path: the track file.
        check: compare sampled frames with the file's fingerprint; without it, size and length only.

    Raises:
        vs.Error: the file is damaged, or belongs to another clip; the message says which fact differs.

    Examples:
        >>> import vapoursynth as vs, vsanon
        >>> clip = vs.core.std.BlankClip(None, 320, 180, vs.YUV420P8, 3, 25, 1)
        >>> vsanon.load(clip, "take.mov.vsanon")
        Traceback (most recent call last):
        vapoursynth.Error: load: ...take.mov.vsanon: ...
    """
    size = format_of(clip).size
    table = edits.apply(read_tracks(Path(path)))
    if len(table) != clip.num_frames:
        raise TrackFileError(
            f"{path} covers 0:{len(table)}, the clip has {clip.num_frames} frames. "
            "Run `vsanon analyze` again, or trim the clip"
        )
    if table.size != size:
        raise TrackFileError(
            f"{path} belongs to a clip of {table.size[0]}x{table.size[1]}, this one is {size[0]}x{size[1]}"
        )
    if check and table.header.get("fingerprint") != fingerprint(clip):
        raise TrackFileError(f"{path} belongs to another clip: size and length fit, but the sampled frames differ")

    cuts = frozenset(table.cuts)

    def run(n: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        out = f[0].copy()
        props.write(out.props, table.at(n), size)
        out.props[props.CUT] = int(n in cuts)
        return out

    return modify("load", [data_clip(clip)], run)


def fingerprint(clip: vs.VideoNode, frames: Mapping[int, vs.VideoFrame] | None = None) -> str:
    """SHA-256 over format, size, length and the samples of the first, the last and three frames between.

    Args:
        clip: the clip.
        frames: those of `fingerprinted`, where they are at hand; each is read from its keyframe on otherwise.
    """
    planes = format_of(clip).planes
    assert clip.format is not None
    digest = hashlib.sha256(f"{clip.format.name} {clip.width}x{clip.height} {clip.num_frames}".encode())
    for n in fingerprinted(clip.num_frames):
        with clip.get_frame(n) if frames is None else frames[n] as frame:
            for p in range(planes):
                digest.update(np.ascontiguousarray(np.asarray(frame[p])))
    return digest.hexdigest()


def fingerprinted(frames: int) -> Sequence[int]:
    """The frames that the fingerprint of a clip of this length is taken from."""
    return sorted({i * (frames - 1) // 4 for i in range(5)})
