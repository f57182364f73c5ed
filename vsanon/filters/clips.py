"""What every filter needs of a clip: its format checked and named, data clips, shifted clips, errors."""

import contextlib
import ctypes
import functools
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import vapoursynth as vs

from vsanon import turns
from vsanon.covering.colour import SampleFormat
from vsanon.covering.masks import FrameLayout
from vsanon.errors import InputError, VsanonError
from vsanon.tracking.miniature import SIDE

_SLOWEST = Fraction(1, 3600)
"""Frames a second: a picture an hour."""

_A_THREAD = 4
_AHEAD_BYTES = 512 * 2**20

log = logging.getLogger(__name__)

_MATRICES: Mapping[int, str] = {
    int(vs.MATRIX_BT709): "709",
    int(vs.MATRIX_FCC): "fcc",
    int(vs.MATRIX_BT470_BG): "470bg",
    int(vs.MATRIX_ST170_M): "170m",
    int(vs.MATRIX_ST240_M): "240m",
    int(vs.MATRIX_BT2020_NCL): "2020ncl",
}

_FAMILIES: Mapping[vs.ColorFamily, Literal["gray", "yuv", "rgb"]] = {vs.GRAY: "gray", vs.YUV: "yuv", vs.RGB: "rgb"}

FrameFunction = Callable[[int, Sequence[vs.VideoFrame]], vs.VideoFrame]
"""Makes frame `n` of a clip from frame `n` of each of its inputs."""


def named[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Turn our errors into a `vs.Error` that starts with the function's name, as filters do."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except (VsanonError, ValueError) as error:
            raise vs.Error(f"{function.__name__}: {error}") from error

    return wrapped


def modify(
    name: str,
    clips: Sequence[vs.VideoNode],
    function: FrameFunction,
    lanes: int = 1,
    *,
    like: vs.VideoNode | None = None,
) -> vs.VideoNode:
    """`std.ModifyFrame` of the first clip, whose errors say which filter and which frame.

    Args:
        name: of the filter.
        clips: its inputs.
        function: gets the frame's number, and always a sequence of frames.
        lanes: instances that share the work, frame `n` being done by number `n % lanes`: callbacks of one
            instance never overlap.
        like: of the format and size of what one lane makes; None for the first of `clips`. Its frames are not made.

    Raises:
        vs.Error: from the callback, for every `VsanonError` and `ValueError` of `function`.
    """

    def run(lane: int, n: int, f: Any) -> vs.VideoFrame:
        _keep_python()
        n = n * lanes + lane
        try:
            with turns.taken():
                return function(n, f if len(clips) > 1 else (f,))
        except (VsanonError, ValueError) as error:
            raise vs.Error(f"{name}: frame {n}: {error}") from error

    if lanes == 1:
        return (clips[0] if like is None else like).std.ModifyFrame(clips, functools.partial(run, 0))
    parts = []
    for lane in range(lanes):
        own = [c.std.SelectEvery(lanes, [lane]) for c in clips]
        parts.append(own[0].std.ModifyFrame(own, functools.partial(run, lane)))
    return vs.core.std.Interleave(parts)


_of_thread = threading.local()


def _keep_python() -> None:
    """Have Python keep what it needs to run in this thread of VapourSynth's.

    A thread that Python did not start gets that anew for each callback, and loses it afterwards: 2 to 3 % of the
    time of a job. Once taken and not given back it stays until the end, as the threads do.
    """
    if not hasattr(_of_thread, "kept"):
        _of_thread.kept = ctypes.pythonapi.PyGILState_Ensure()


@dataclass(frozen=True, slots=True)
class ClipFormat:
    """The format and size of a clip; callbacks hold this and not the clip, which would keep its filters alive.

    Args:
        size: (width, height), pixels.
        family: colour family.
        bits: bits per sample.
        is_float: 32-bit float samples.
        subsampling: log2 of the chroma subsampling, horizontal and vertical.
        planes: 1 or 3.
    """

    size: tuple[int, int]
    family: Literal["gray", "yuv", "rgb"]
    bits: int
    is_float: bool
    subsampling: tuple[int, int]
    planes: int

    def layout(self, frame_props: Mapping[str, Any]) -> FrameLayout:
        """The layout of a frame, interlaced where the frame says so."""
        return FrameLayout(self.size, self.subsampling, self.planes, is_interlaced(frame_props))

    def samples(self, frame_props: Mapping[str, Any]) -> SampleFormat:
        """How a frame stores colour; GRAY and YUV without a range tag are limited, RGB is full.

        Raises:
            InputError: a matrix that can't be painted in.
        """
        usual = vs.RANGE_FULL if self.family == "rgb" else vs.RANGE_LIMITED
        full = int(frame_props.get("_Range", usual)) == int(vs.RANGE_FULL)
        return SampleFormat(self.family, self.bits, self.is_float, full, _MATRICES[self.matrix(frame_props)])

    def matrix(self, frame_props: Mapping[str, Any]) -> int:
        """The matrix of a frame; by the height where it has no tag.

        Raises:
            InputError: a matrix of YUV that can't be converted to RGB.
        """
        tagged = int(frame_props.get("_Matrix", vs.MATRIX_UNSPECIFIED))
        if tagged in _MATRICES:
            return tagged
        if self.family == "yuv" and tagged != vs.MATRIX_UNSPECIFIED:
            raise InputError(
                f"the clip's matrix {tagged} is not supported: convert it with resize, or correct the tag with "
                "std.SetFrameProps(_Matrix=1) for BT.709"
            )
        return int(vs.MATRIX_BT709 if self.size[1] >= 720 else vs.MATRIX_ST170_M)


def is_interlaced(frame_props: Mapping[str, Any]) -> bool:
    """Whether the rows of a frame belong to two fields."""
    return int(frame_props.get("_FieldBased", vs.FIELD_PROGRESSIVE)) != int(vs.FIELD_PROGRESSIVE)


def format_of(clip: vs.VideoNode) -> ClipFormat:
    """The clip's format.

    Raises:
        InputError: no clip, its format or size is not constant, or the sample type is none that can be painted.
    """
    if not isinstance(clip, vs.VideoNode):
        raise InputError(f"a clip was expected, got {type(clip).__name__}")
    format_ = clip.format
    if format_ is None or format_.color_family == vs.UNDEFINED or clip.width == 0 or clip.height == 0:
        raise InputError(
            "the clip's format or size changes within it: convert it to one first, such as "
            "clip.resize.Bicubic(1920, 1080, format=vs.YUV420P8), or open it with variableformat=0"
        )
    is_float = format_.sample_type == vs.FLOAT
    if (is_float and format_.bits_per_sample != 32) or (not is_float and format_.bits_per_sample > 16):
        raise InputError(f"{format_.name} is not supported: use 8 to 16 bits integer, or 32-bit float")
    return ClipFormat(
        (clip.width, clip.height),
        _FAMILIES[format_.color_family],
        format_.bits_per_sample,
        is_float,
        (format_.subsampling_w, format_.subsampling_h),
        format_.num_planes,
    )


def first_props(clip: vs.VideoNode) -> dict[str, Any]:
    """The properties of the first frame, for what is best refused before a long run."""
    with clip.get_frame(0) as frame:
        return dict(frame.props)


_film: ContextVar[tuple[str, set[str]] | None] = ContextVar("film", default=None)


@contextlib.contextmanager
def film(name: str) -> Iterator[None]:
    """What filters assume of clips in here is said once, and of the film of this name: a job makes several."""
    outer = _film.get()
    token = _film.set(outer if outer is not None and outer[0] == name else (name, set()))
    try:
        yield
    finally:
        _film.reset(token)


def say_assumed(clip_format: ClipFormat, frame_props: Mapping[str, Any]) -> None:
    """Log which matrix stands in for a tag that is missing."""
    if clip_format.family == "yuv" and int(frame_props.get("_Matrix", vs.MATRIX_UNSPECIFIED)) not in _MATRICES:
        name = vs.MatrixCoefficients(clip_format.matrix(frame_props)).name
        of, told = _film.get() or ("the clip", set())
        if name not in told:
            log.warning("%s has no matrix tag; assuming %s by its height", of, name)
            told.add(name)


def require_data(name: str, data: vs.VideoNode) -> None:
    """Raise where a clip can't be a data clip.

    Raises:
        InputError: no clip, or a picture.
    """
    clip_format = format_of(data)
    if (clip_format.family, clip_format.bits, max(clip_format.size)) != ("gray", 16, SIDE):
        raise InputError(f"expected the data clip of {name}, got a picture of {data.format and data.format.name}")


def require_same(name: str, clip: vs.VideoNode, data: vs.VideoNode) -> None:
    """Raise where a data clip can't belong to a clip, as far as can be seen before a frame is made.

    Raises:
        InputError: the lengths differ, or `data` is no data clip.
    """
    require_data(name, data)
    if clip.num_frames != data.num_frames:
        raise InputError(
            f"the clip has {clip.num_frames} frames, the data clip of {name} has {data.num_frames}: "
            "trim, repeat or decimate before detect, or after blur"
        )


def fps_of(clip: vs.VideoNode) -> Fraction:
    """The clip's rate.

    Raises:
        InputError: the rate is variable or unknown.
    """
    if clip.fps_num == 0 or not _SLOWEST <= Fraction(clip.fps_num, clip.fps_den) <= 1000:
        raise InputError(
            f"the clip's rate is {clip.fps_num}/{clip.fps_den}, spans in seconds need one from 1/3600 to 1000: "
            "set it with std.AssumeFPS before detect"
        )
    return Fraction(clip.fps_num, clip.fps_den)


def flat(clip: vs.VideoNode) -> vs.VideoNode:
    """The clip without what the resizer would stumble over and a small picture does not need.

    Both fields of an interlaced frame are blended: resized each alone they would comb the picture.
    """
    return clip.std.SetFieldBased(vs.FIELD_PROGRESSIVE).std.RemoveFrameProps(["_Alpha", "_Primaries", "_Transfer"])


def luma_of(clip: vs.VideoNode, clip_format: ClipFormat) -> vs.VideoNode:
    """The plane that shows most of the brightness."""
    luma = flat(clip)
    if clip_format.family == "gray":
        return luma
    return luma.std.ShufflePlanes(1 if clip_format.family == "rgb" else 0, vs.GRAY)


def grey(luma: vs.VideoNode, size: tuple[int, int]) -> vs.VideoNode:
    """A grey clip in another size, (width, height), and in 8 bits: for what compares whole pictures."""
    return luma.resize.Bilinear(*size, format=vs.GRAY8)


def shifted(clip: vs.VideoNode, k: int) -> vs.VideoNode:
    """The clip whose frame `n` is frame `n + k` of `clip`; the first or last frame repeats at the ends."""
    k = max(-clip.num_frames + 1, min(clip.num_frames - 1, k))
    if k == 0:
        return clip
    if k > 0:
        return clip[k:] + clip[-1] * k
    return clip[0] * -k + clip[:k]


def ticks(frames: int) -> vs.VideoNode:
    """A clip of as many tiny frames, for what makes frames of nothing."""
    return vs.core.std.BlankClip(format=vs.GRAY8, width=16, height=16, length=frames, keep=True)


def keep(clip: vs.VideoNode, frames: int) -> None:
    """Fix a data clip's cache; by itself VapourSynth would compute each detection several times over."""
    vs.core.std.SetVideoCache(clip, mode=1, fixedsize=True, maxsize=frames)


def taken_once(clip: vs.VideoNode) -> vs.VideoNode:
    """The clip, of which nothing is kept: VapourSynth keeps 20 frames of one that nothing else is made from."""
    vs.core.std.SetVideoCache(clip, mode=0)
    return clip


def frame_bytes(clip: vs.VideoNode) -> int:
    """The memory of one frame."""
    format_ = clip.format
    assert format_ is not None
    first: int = clip.width * clip.height * format_.bytes_per_sample
    chroma = first >> int(format_.subsampling_w + format_.subsampling_h)
    return first + (int(format_.num_planes) - 1) * chroma


def ahead(clip: vs.VideoNode) -> int:
    """How many frames of a clip are best in the making at a time.

    Four for each thread; fewer where frames are large.
    """
    threads = int(vs.core.num_threads)
    return max(threads, min(_A_THREAD * threads, _AHEAD_BYTES // frame_bytes(clip)))
