"""What every filter needs of a clip: its format checked and named, data clips, shifted clips, errors."""

import functools
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import vapoursynth as vs

from vsanon.effects import SampleFormat
from vsanon.errors import InputError, VsanonError
from vsanon.masks import FrameLayout

_MATRICES: Mapping[int, str] = {
    int(vs.MATRIX_BT709): "709",
    int(vs.MATRIX_FCC): "fcc",
    int(vs.MATRIX_BT470_BG): "470bg",
    int(vs.MATRIX_ST170_M): "170m",
    int(vs.MATRIX_ST240_M): "240m",
    int(vs.MATRIX_BT2020_NCL): "2020ncl",
}


def named[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Turn our errors into a `vs.Error` that starts with the function's name, as filters do."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except (VsanonError, ValueError) as error:
            raise vs.Error(f"{function.__name__}: {error}") from error

    return wrapped


def in_frame(name: str, n: int, error: Exception) -> vs.Error:
    """The error of a filter at a frame."""
    return vs.Error(f"{name}: frame {n}: {error}")


def require_constant(clip: vs.VideoNode) -> vs.VideoFormat:
    """The clip's format.

    Raises:
        InputError: the format or size is not constant, or the sample type is none that can be painted.
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
    return format_


def require_same(name: str, clip: vs.VideoNode, data: vs.VideoNode) -> None:
    """Raise where a data clip can't belong to a clip, as far as can be seen before a frame is made.

    Raises:
        InputError: the lengths differ, or `data` is no data clip.
    """
    format_ = require_constant(data)
    if format_.id != vs.GRAY8:
        raise InputError(f"the second clip must be what {name} gave, not a {format_.name} picture")
    if clip.num_frames != data.num_frames:
        raise InputError(
            f"the clip has {clip.num_frames} frames, the {name} have {data.num_frames}: "
            "trim, repeat or decimate before detect, or after blur"
        )


def fps_of(clip: vs.VideoNode) -> Fraction:
    """The clip's rate.

    Raises:
        InputError: the rate is variable or unknown.
    """
    if clip.fps_num == 0 or not 1 <= Fraction(clip.fps_num, clip.fps_den) <= 1000:
        raise InputError(
            f"the clip's rate is {clip.fps_num}/{clip.fps_den}, spans in seconds need one from 1 to 1000: "
            "set it with std.AssumeFPS before detect"
        )
    return Fraction(clip.fps_num, clip.fps_den)


def matrix_of(clip: vs.VideoNode, frame_props: Mapping[str, Any]) -> tuple[int, bool]:
    """The matrix of a YUV clip, and whether it is assumed, by height, because the frame has no tag.

    Raises:
        InputError: a matrix that can't be converted to RGB.
    """
    matrix = int(frame_props.get("_Matrix", vs.MATRIX_UNSPECIFIED))
    if matrix == vs.MATRIX_UNSPECIFIED:
        return int(vs.MATRIX_BT709 if clip.height >= 720 else vs.MATRIX_ST170_M), True
    if matrix not in _MATRICES:
        raise InputError(
            f"the clip's matrix {matrix} is not supported: convert it with resize, or correct the tag with "
            "std.SetFrameProps(_Matrix=1) for BT.709"
        )
    return matrix, False


def layout_of(clip: vs.VideoNode, frame_props: Mapping[str, Any]) -> FrameLayout:
    """The clip's layout, interlaced where the frame says so."""
    format_ = require_constant(clip)
    interlaced = int(frame_props.get("_FieldBased", 0)) != int(vs.FIELD_PROGRESSIVE)
    subsampling = (format_.subsampling_w, format_.subsampling_h)
    return FrameLayout((clip.width, clip.height), subsampling, format_.num_planes, interlaced)


def samples_of(clip: vs.VideoNode, frame_props: Mapping[str, Any]) -> SampleFormat:
    """How the clip stores colour at a frame; GRAY and YUV without a range tag are limited, RGB is full."""
    format_ = require_constant(clip)
    is_float = format_.sample_type == vs.FLOAT
    if format_.color_family == vs.RGB:
        return SampleFormat("rgb", format_.bits_per_sample, is_float, True)
    full = int(frame_props.get("_Range", vs.RANGE_LIMITED)) == int(vs.RANGE_FULL)
    matrix, _ = matrix_of(clip, frame_props)
    family = "gray" if format_.color_family == vs.GRAY else "yuv"
    return SampleFormat(family, format_.bits_per_sample, is_float, full, _MATRICES[matrix])  # type: ignore[arg-type]


def data_clip(clip: vs.VideoNode) -> vs.VideoNode:
    """A tiny GRAY8 clip as long as `clip`, to carry properties."""
    return vs.core.std.BlankClip(
        format=vs.GRAY8, width=16, height=16, length=clip.num_frames,
        fpsnum=clip.fps_num, fpsden=clip.fps_den, keep=True,
    )  # fmt: skip


def shifted(clip: vs.VideoNode, k: int) -> vs.VideoNode:
    """The clip whose frame `n` is frame `n + k` of `clip`; the first or last frame repeats at the ends."""
    k = max(-clip.num_frames + 1, min(clip.num_frames - 1, k))
    if k == 0:
        return clip
    if k > 0:
        return clip[k:] + clip[-1] * k
    return clip[0] * -k + clip[:k]


def keep(clip: vs.VideoNode, frames: int) -> None:
    """Fix a data clip's cache; by itself VapourSynth would compute each detection several times over."""
    vs.core.std.SetVideoCache(clip, mode=1, fixedsize=True, maxsize=frames)
