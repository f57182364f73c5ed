"""`load`: from a track file to a data clip, refused where the file belongs to another clip."""

from collections.abc import Sequence
from pathlib import Path

import vapoursynth as vs

from vsanon.errors import CheckError, TrackFileError
from vsanon.filters import props
from vsanon.filters.clips import format_of, modify, named
from vsanon.filters.same_picture import miniatures_of, require_same_picture
from vsanon.tracking.same_picture import Verdict
from vsanon.tracks import edits
from vsanon.tracks.file import read_tracks
from vsanon.tracks.table import TrackTable


@named
def load(clip: vs.VideoNode, path: str | Path, *, same_picture: bool = True) -> vs.VideoNode:
    """The tracks of a file with its edits applied, for `blur`, `mask` and `overlay`; ids are identities.

    Args:
        clip: the clip that the file was made from, graded, cleaned or encoded anew if need be.
        path: the track file.
        same_picture: every frame must show what was analysed, see `tracking.same_picture`: five are looked at here,
            each when it is asked for. Without it nobody looks, and frames are marked "unchecked".

    Raises:
        vs.Error: the file is damaged, or belongs to another clip; the message says which fact or frame differs.

    Examples:
        >>> import vapoursynth as vs, vsanon
        >>> clip = vs.core.std.BlankClip(None, 320, 180, vs.YUV420P8, 3, 25, 1)
        >>> vsanon.load(clip, "take.mov.vsanon")
        Traceback (most recent call last):
        vapoursynth.Error: load: ...take.mov.vsanon: ...
    """
    format_of(clip)  # a clip that can't be covered is said before its tracks are read
    table = edits.apply(read_tracks(Path(path)))
    spread = sorted({i * (clip.num_frames - 1) // 4 for i in range(5)})
    return _loaded(clip, table, str(path), same_picture=same_picture, first=spread)


@named
def load_table(
    clip: vs.VideoNode, table: TrackTable, path: str | Path, *, same_picture: bool = True, first: Sequence[int] = ()
) -> vs.VideoNode:
    """`load` for a table at hand: a file that is being edited need not be read and compared again for each edit.

    Args:
        clip: as for `load`.
        table: of the file, its edits applied.
        path: the file, for messages.
        same_picture: as for `load`, but that each frame is compared when it is asked for ...
        first: ... and only these here.

    Raises:
        vs.Error: as for `load`.
    """
    return _loaded(clip, table, str(path), same_picture=same_picture, first=first)


def _loaded(
    clip: vs.VideoNode, table: TrackTable, path: str, *, same_picture: bool, first: Sequence[int]
) -> vs.VideoNode:
    size = format_of(clip).size
    if len(table) != clip.num_frames:
        raise TrackFileError(
            f"{path} covers 0:{len(table)}, the clip has {clip.num_frames} frames. "
            "Run `vsanon analyze` again, or trim the clip"
        )
    if table.size != size:
        raise TrackFileError(
            f"{path} belongs to a clip of {table.size[0]}x{table.size[1]}, this one is {size[0]}x{size[1]}"
        )
    miniatures = table.miniatures
    if same_picture and miniatures is None:
        raise TrackFileError(
            f"{path} does not say which picture its frames belong to: it is older than that. Run `vsanon analyze` "
            "again, or pass same_picture=False (`--any-picture` on the command line) where you know that they fit"
        )
    small, cuts = miniatures_of(clip), frozenset(table.cuts)

    def verdict(n: int, own: vs.VideoFrame, before: vs.VideoFrame) -> Verdict:
        if not same_picture or miniatures is None:
            return Verdict.UNCHECKED
        return require_same_picture(miniatures.at(n), own, table.at(n).xyxy, size, before.props)

    def run(n: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        out = f[0].copy()
        props.write(out.props, table.at(n), size)
        out.props[props.CUT] = int(n in cuts)
        out.props[props.PICTURE] = verdict(n, *f).value
        return out

    if same_picture:
        for n in first:
            with small.get_frame(n) as own, clip.get_frame(n) as before:
                try:
                    verdict(n, own, before)
                except CheckError as error:
                    raise TrackFileError(f"{path} belongs to another clip: frame {n}: {error}") from error
    return modify("load", [small, clip], run)
