"""The part of `detect` that searches only some of the frames, and knows of the others by `vsanon.tracking.between`.

Blocks of as many frames as the spacing are decided one by one, in levels: each level is a clip of one frame a
block, which sees what the levels before it searched and names what is to be searched next. VapourSynth makes only
what is asked for, so a model runs only on frames that a level named.
"""

import functools
import hashlib
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import vapoursynth as vs

from vsanon.filters import props
from vsanon.filters.clips import grey, keep, modify, shifted
from vsanon.tracking import between, strides
from vsanon.tracking.linking import is_cut

CHANGES = ("VsanonChange1Diff", "VsanonChange2Diff", "VsanonChange3Diff")
"""Mean luma change from one, two and three frames before, as `std.PlaneStats` names what it writes for a `prop`
without the "Diff"."""

_WANTED = "VsanonWanted"
"""Of a block: the positions to search next."""
_AT = "VsanonAt"
"""Of a block, with a position behind it: a data frame with what is known of that frame without a search."""
_DIGEST = "VsanonDigest"
_STILL_BLOCKS = 8
"""A still picture is searched anew after this many blocks, so that no answer depends on frames further back."""

_Choice = Callable[[int, Sequence[vs.VideoFrame]], bool]


Changes = tuple[float, float, float]
"""What `CHANGES` say of a frame; 0 where it says nothing."""


def changes_of(frame: vs.VideoFrame) -> Changes:
    """How much a frame differs from those before it."""
    one, two, three = (float(frame.props.get(name, 0.0)) for name in CHANGES)
    return one, two, three


def starts_shot(n: int, length: int, near: Sequence[Changes]) -> bool:
    """Whether frame `n` of `length` starts a new shot, by the changes of the frames n-2 … n+2."""

    def change(m: int, own: Changes, k: int) -> float:
        return own[k - 1] if k <= m < length else math.nan

    changes = [[change(m, own, k) for m, own in zip(range(n - 2, n + 3), near, strict=True)] for k in (1, 2, 3)]
    return n > 0 and is_cut(changes)


def sample(
    clip: vs.VideoNode,
    luma: vs.VideoNode,
    data: vs.VideoNode,
    searched: Sequence[vs.VideoNode],
    stride: int | str,
) -> vs.VideoNode:
    """Search frames in steps of the stride and both sides of cuts; with "auto" also all others that need it.

    Args:
        clip: the frames.
        luma: one plane of them.
        data: a data clip of their length with `CHANGES`.
        searched: the answers of `detect` for every frame, once for each lane; only a few frames are asked for.
        stride: "auto", or every how many frames.

    Returns:
        A data clip like `searched`, where `VsanonSearched` says which frames a model has seen.

    Raises:
        InputError: not such a stride.
    """
    spacing, length = strides.spacing_of(stride), clip.num_frames
    if spacing == 1 or length == 1:
        return searched[0]
    blocks = -(-(length - 1) // spacing)
    cut = functools.partial(_positions, spacing=spacing, blocks=blocks)
    levels = strides.levels(spacing) if stride == strides.AUTO else ((),)
    order = {j: i for level in levels for i, j in enumerate(level)}
    inner = range(1, spacing)

    pictures = _pictures(luma, data)
    shown = cut(pictures)
    lanes = [cut(lane) for lane in searched[:blocks]]
    answers = [_alternate([lane[j] for lane in lanes], order.get(j, j)) for j in range(spacing)]
    edges = _edges(answers[0], cut(_digests(clip, pictures))[0])
    ends = edges[:blocks], edges[1:]
    none = vs.core.std.BlankClip(ends[0], keep=True)
    now = {j: _where(_at_cut, [shown[j], shown[j + 1]], answers[j], none) for j in inner}
    plan = none
    for level in levels:
        decide = functools.partial(_decide, level, spacing, length, (clip.width, clip.height))
        plan = modify("detect", [none, plan, ends[0], *(now[j] for j in inner), ends[1], *shown], decide)
        keep(plan, _blocks(6))
        now |= {j: _where(functools.partial(_is_wanted, j), [plan], answers[j], none) for j in level}
    rest = [_where(functools.partial(_is_open, j), [plan], answers[j], none) for j in inner]
    answered = vs.core.std.Interleave([ends[0], *rest])[: length - 1] + edges[-1]
    plans = vs.core.std.Interleave([plan] * spacing)[: length - 1] + plan[-1]
    return modify("detect", [data, answered, plans], functools.partial(_assemble, spacing))


def _pictures(luma: vs.VideoNode, data: vs.VideoNode) -> vs.VideoNode:
    """The grey pictures, which say whether a shot starts."""
    factor = min(1.0, between.PICTURE_PX / max(luma.width, luma.height))
    width, height = max(1, round(luma.width * factor)), max(1, round(luma.height * factor))
    small = grey(luma, (width, height)).std.RemoveFrameProps()

    def run(n: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        out = f[0].copy()
        out.props[props.CUT] = int(starts_shot(n, data.num_frames, [changes_of(x) for x in f[1:]]))
        return out

    marked = modify("detect", [small, *(shifted(data, k) for k in (-2, -1, 0, 1, 2))], run)
    keep(marked, _blocks(2) * strides.SPACING)
    return marked


def _blocks(more: int) -> int:
    """How many blocks are kept: as many as are in the making, one for each thread, and more around them."""
    return int(vs.core.num_threads) + more


def _positions(clip: vs.VideoNode, spacing: int, blocks: int) -> list[vs.VideoNode]:
    """The frames at position 0 to `spacing` of every block; beyond the end the last frame stands in.

    The first clip has one frame more than there are blocks: that at which the last block ends.
    """
    missing = blocks * spacing + 1 - clip.num_frames
    whole = clip + clip[-1] * missing if missing else clip
    parts = [whole.std.SelectEvery(spacing, [j]) for j in range(spacing)]
    return [*parts, parts[0][1:]]


def _alternate(lanes: Sequence[vs.VideoNode], first: int) -> vs.VideoNode:
    """One clip out of equal ones, each block from another lane, so that neighbours can be searched at once."""
    count = len(lanes)
    if count == 1:
        return lanes[0]
    return vs.core.std.Interleave([lanes[(i + first) % count].std.SelectEvery(count, [i]) for i in range(count)])


def _digests(clip: vs.VideoNode, pictures: vs.VideoNode) -> vs.VideoNode:
    """A data clip with the SHA-256 of the planes of frames whose grey picture is that of a neighbour."""

    def run(_: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        out, digest = f[0].copy(), hashlib.sha256()
        for p in range(len(f[1])):
            digest.update(np.ascontiguousarray(np.asarray(f[1][p])))
        out.props[_DIGEST] = digest.digest()
        return out

    def is_still(_: int, f: Sequence[vs.VideoFrame]) -> bool:
        here, *near = (np.asarray(frame[0]) for frame in f)
        return any(np.array_equal(here, other) for other in near)

    none = vs.core.std.BlankClip(clip, format=vs.GRAY8, width=16, height=16, keep=True)
    near = [shifted(pictures, k) for k in (0, -1, 1)]
    return _where(is_still, near, modify("detect", [none, clip], run), none)


def _edges(searched: vs.VideoNode, digests: vs.VideoNode) -> vs.VideoNode:
    """The answers for the first frames of blocks: that for an equal frame a few blocks before, or their own."""
    most = searched.num_frames

    def first(x: vs.VideoNode) -> vs.VideoNode:
        return vs.core.std.Interleave([x.std.SelectEvery(_STILL_BLOCKS, [0])] * _STILL_BLOCKS)[:most]

    def is_repeated(n: int, f: Sequence[vs.VideoFrame]) -> bool:
        mine, theirs = (frame.props.get(_DIGEST) for frame in f)
        return n % _STILL_BLOCKS > 0 and mine is not None and mine == theirs

    keep(digests, _blocks(_STILL_BLOCKS + 6))
    keep(searched, _blocks(_STILL_BLOCKS + 6))
    again = first(searched).std.SetFrameProps(VsanonSearched=0)
    answered = _where(is_repeated, [digests, first(digests)], again, searched)
    keep(answered, _blocks(_STILL_BLOCKS + 6))
    return answered


def _where(choice: _Choice, shown: Sequence[vs.VideoNode], yes: vs.VideoNode, no: vs.VideoNode) -> vs.VideoNode:
    """Frames of one clip where what is shown says so, and of another elsewhere; only the chosen one is made."""

    def choose(n: int, f: Any) -> vs.VideoNode:
        return yes if choice(n, f if len(shown) > 1 else (f,)) else no

    return no.std.FrameEval(choose, prop_src=list(shown), clip_src=[yes, no])


def _at_cut(_: int, f: Sequence[vs.VideoFrame]) -> bool:
    return any(frame.props[props.CUT] for frame in f)


def _is_wanted(j: int, _: int, f: Sequence[vs.VideoFrame]) -> bool:
    return bool(np.isin(j, f[0].props.get(_WANTED, [])))


def _is_open(j: int, _: int, f: Sequence[vs.VideoFrame]) -> bool:
    return f"{_AT}{j}" not in f[0].props


def _decide(
    level: Sequence[int], spacing: int, length: int, size: tuple[int, int], k: int, f: Sequence[vs.VideoFrame]
) -> vs.VideoFrame:
    """The plan of block `k` after a level: what is known without a search, and what to search next."""
    none, out, answers, pictures = f[0], f[1].copy(), f[2 : spacing + 3], f[spacing + 3 :]
    stop = min(spacing, length - 1 - k * spacing)
    found = {j: frame.props for j, frame in enumerate(answers[:stop]) if props.is_known(frame.props)}
    if props.is_known(answers[spacing].props):
        found[stop] = answers[spacing].props
    filled = {j for j in range(1, stop) if f"{_AT}{j}" in out.props}
    wanted: list[int] = []
    for a, b in strides.gaps({0, stop} | found.keys() | filled):
        if a in found and b in found:
            ends = props.read_detections(found[a], size), props.read_detections(found[b], size)
            shown = [np.ascontiguousarray(np.asarray(pictures[j][0])) for j in range(a, b + 1)]
            answer = between.between(*ends, shown, size)
            if not (level and answer.doubt):
                for j, boxes in enumerate(answer.frames, start=a + 1):
                    frame = none.copy()
                    props.write(frame.props, boxes, size)
                    frame.props[props.SEARCHED] = 0
                    out.props[f"{_AT}{j}"] = frame
                continue
        wanted += [j for j in level if a < j < b]
    out.props[_WANTED] = wanted
    return out


def _assemble(spacing: int, n: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
    out, answered, plan = f[0].copy(), f[1].props, f[2].props
    known = plan.get(f"{_AT}{n % spacing}")
    source = answered if known is None else known.props
    for name in (props.COUNT, props.SIZE, props.SEAL, props.SEARCHED, props.MISSING, *props.BOX_PROPS):
        if name in source:
            out.props[name] = source[name]
    return out
