"""A clip's frames on their way out of VapourSynth: as planes for ffmpeg, as a picture, and their errors as ours."""

import contextlib
import ctypes
import re
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import vapoursynth as vs
from numpy.typing import NDArray

from vsanon import stops
from vsanon.encode import RawVideo
from vsanon.errors import CheckError, InputError, VsanonError
from vsanon.filters.clips import ahead, frame_bytes
from vsanon.media.source import Source

U8 = NDArray[np.uint8]

_TRIM_BYTES, _TRIM_EVERY = 24 << 20, (4, 32)
"""Freed memory goes back once frames of so many bytes have passed, after so many frames at least and at most: what
threads free lies in the heap of each of them until then, and others grow meanwhile. Each time takes milliseconds,
with the pages that are cleared anew: 2 % of the processor's time at 1080p, for 30 to 50 MiB."""

_SMALL_BYTES = 1 << 20
"""Frames up to this size are mapped plane by plane, see `map_planes` ..."""
_MAPPED_BYTES = 1 << 13
"""... as all memory from this size on ..."""
_HEAP_BYTES = 1 << 25
"""... and for larger frames nothing is, up to this size, the greatest that glibc allows."""
_LARGE_BYTES = 1 << 18
"""Memory from this size on is mapped where large planes are, too."""
_TOP_BYTES = 1 << 22
"""What may lie free at the end of a heap. With the 128 KB that glibc keeps to once another of its bounds is set,
the arrays of each call are handed back and cleared anew for the next: a millisecond of each frame at 1080p."""
_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD = -3, -1
"""glibc's numbers for them, by its malloc.h."""


def blank(size: tuple[int, int], frames: int) -> vs.VideoNode:
    """A clip of black frames, (width, height) pixels, to try a filter on."""
    return vs.core.std.BlankClip(format=vs.GRAY8, width=size[0], height=size[1], length=frames)


def raw_video(source: Source) -> RawVideo:
    """What a source's frames are, for ffmpeg.

    Raises:
        InputError: ffmpeg has no name for their format.
    """
    with source.clip.get_frame(0) as frame:
        pix_fmt = _pix_fmt(frame.format, "_Alpha" in frame.props)
    sar = source.video.sar
    if sar is not None and source.video.rotation % 180:
        sar = 1 / sar
    return RawVideo(
        pix_fmt=pix_fmt,
        size=(source.clip.width, source.clip.height),
        timeline=source.timeline,
        sar=sar,
        color=source.video.color,
        field_order=source.field_order,
        hdr=source.video.hdr,
    )


def frames_of(clip: vs.VideoNode) -> Iterator[vs.VideoFrame]:
    """The frames of a clip in order, each closed when the next is asked for; freed memory goes back on the way."""
    most = ahead(clip)
    every = min(max(_TRIM_BYTES // frame_bytes(clip), _TRIM_EVERY[0]), _TRIM_EVERY[1])
    # By itself VapourSynth lets three times as many finished frames wait for whoever takes them.
    for n, frame in enumerate(clip.frames(prefetch=most, backlog=most, close=True)):
        stops.poll()
        yield frame
        if n % every == 0:
            _trim()


def map_planes(clip: vs.VideoNode, *, large: bool = False) -> None:
    """Have glibc get each plane of small frames from the system, and give it back when freed, for this process.

    In its heap (2.36) a freed plane leaves a hole that no later one fits into, as planes are aligned, and the heap
    of a film in 320x176 grows by some 4 KB a frame. At 720p no growth is to be seen, and mapping large planes would
    cost a fifth of the speed, as the system clears each page that it gives.

    Args:
        large: map large planes as well: who goes to and fro has decoders begin anew, whose frames leave such holes.
    """
    if (library := _glibc()) is not None:
        small = frame_bytes(clip) <= _SMALL_BYTES
        library.mallopt(_M_MMAP_THRESHOLD, _MAPPED_BYTES if small else _LARGE_BYTES if large else _HEAP_BYTES)
        if not (small or large):
            library.mallopt(_M_TRIM_THRESHOLD, _TOP_BYTES)


def planes_of(frame: vs.VideoFrame, pix_fmt: str) -> list[NDArray[Any]]:
    """A frame's planes in ffmpeg's order: VapourSynth keeps R, G, B, ffmpeg G, B, R.

    Raises:
        CheckError: `pix_fmt` has alpha, and the frame has none.
    """
    order = (1, 2, 0) if frame.format.color_family == vs.RGB else range(frame.format.num_planes)
    planes = [np.asarray(frame[p]) for p in order]
    if "_Alpha" in frame.props:
        planes.append(np.asarray(frame.props["_Alpha"][0]))
    elif "a" in pix_fmt.replace("gray", ""):
        raise CheckError("a frame has no alpha, the first one had: repair the source, or convert it first")
    return planes


def picture(clip: vs.VideoNode, n: int, size: tuple[int, int] | None = None) -> U8:
    """Frame `n` as (H, W, 3) uint8 RGB, for people to look at; where the clip has no matrix, by its height.

    Args:
        size: (width, height) to show it in; None for its own.
    """
    assert clip.format is not None
    stops.poll()
    one = clip[n].std.RemoveFrameProps(["_Alpha"]).std.SetFieldBased(vs.FIELD_PROGRESSIVE)
    with one.get_frame(0) as frame:
        tagged = int(frame.props.get("_Matrix", vs.MATRIX_UNSPECIFIED)) != vs.MATRIX_UNSPECIFIED
    if clip.format.color_family == vs.YUV and not tagged:
        one = one.std.SetFrameProps(_Matrix=int(vs.MATRIX_BT709 if clip.height >= 720 else vs.MATRIX_ST170_M))
    width, height = size or (clip.width, clip.height)
    with one.resize.Bicubic(width, height, format=vs.RGB24).get_frame(0) as frame:
        return np.stack([np.asarray(frame[p]) for p in range(3)], axis=-1)


def luma16(clip: vs.VideoNode) -> vs.VideoNode:
    """The luma of a clip in 16 bits and limited range, whatever its own: comparable between encodes."""
    full = clip.format is not None and clip.format.color_family == vs.RGB
    if full:
        return clip.resize.Point(format=vs.GRAY16, matrix_s="709", range_s="limited")
    return clip.resize.Point(format=vs.GRAY16, range_s="limited")


def luma16_at(clip: vs.VideoNode, shown: Sequence[int]) -> Iterator[tuple[int, NDArray[np.uint16]]]:
    """The luma of some frames, rising; as a clip of their own: one by one, each would wait for the decoder."""
    chosen = vs.core.std.Splice([luma16(clip)[n] for n in shown])
    with our_errors(CheckError):
        for n, frame in zip(shown, chosen.frames(close=True), strict=True):
            yield n, np.asarray(frame[0])


@contextlib.contextmanager
def our_errors(kind: type[VsanonError]) -> Iterator[None]:
    """Turn a filter's `vs.Error` into ours, with the exit code of what caused it.

    Args:
        kind: what it becomes where VapourSynth does not tell the cause: `InputError` while filters are put
            together, `CheckError` while frames are made.
    """
    try:
        yield
    except vs.Error as error:
        cause = error.__cause__
        raise (type(cause) if isinstance(cause, VsanonError) else kind)(_words(str(error))) from error


@cache
def _glibc() -> Any:
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") else None


def _trim() -> None:
    """Hand freed memory back: glibc keeps what the threads of decoders free, half a megabyte for each frame."""
    if (library := _glibc()) is not None:
        library.malloc_trim(0)


def _words(text: str) -> str:
    """What people need of an error in a callback, which reaches us as text that ends with its traceback."""
    _, marker, message = text.rpartition("vapoursynth.Error: ")
    if marker:
        return message.strip()
    if "Traceback (most recent call last)" not in text:
        return text.strip()
    raised = [line for line in text.splitlines() if re.match(r"[\w.]+(: |$)", line)]
    return f"a frame could not be made: {raised[-1] if raised else text.strip()}"


def _pix_fmt(format_: vs.VideoFormat, alpha: bool) -> str:
    """ffmpeg's name of a VapourSynth format."""
    bits = format_.bits_per_sample
    suffix = "" if bits == 8 else f"{bits}le"
    if format_.sample_type == vs.FLOAT:
        if format_.color_family != vs.RGB:
            raise InputError(f"{format_.name} has no name in ffmpeg: convert the clip to integer samples first")
        return f"gbr{'a' if alpha else ''}pf32le"
    if format_.color_family == vs.GRAY:
        if alpha:
            planar = "gbrap" if bits == 8 else "gbrap16le"
            raise InputError(
                "grey with alpha is not supported: save it as RGB first, which loses nothing (ffmpeg -i IN -map "
                f"0:v:0 -map 0:a? -c:v ffv1 -pix_fmt {planar} -c:a copy OUT.mkv)"
            )
        return f"gray{suffix}"
    if format_.color_family == vs.RGB:
        return f"gbr{'a' if alpha else ''}p{suffix}"
    chroma = {(0, 0): "444", (1, 0): "422", (1, 1): "420", (0, 1): "440", (2, 0): "411", (2, 2): "410"}
    return f"yuv{'a' if alpha else ''}{chroma[format_.subsampling_w, format_.subsampling_h]}p{suffix}"


def as_yuv16(clip: vs.VideoNode) -> vs.VideoNode:
    """A clip as 4:4:4 in 16 bits and limited range, whatever its own: comparable between files plane by plane."""
    assert clip.format is not None
    family = clip.format.color_family
    clip = clip.std.SetFieldBased(vs.FIELD_PROGRESSIVE).std.RemoveFrameProps(["_Alpha"])
    if family == vs.RGB:
        return clip.resize.Bilinear(format=vs.YUV444P16, matrix=vs.MATRIX_BT709, range_s="limited")
    if family == vs.GRAY:
        grey = clip.resize.Point(format=vs.GRAY16, range_s="limited")
        even = vs.core.std.BlankClip(grey, color=32768)
        return vs.core.std.ShufflePlanes([grey, even, even], [0, 0, 0], vs.YUV)
    # One matrix on both sides of the conversion, so that it only resamples chroma and changes bits.
    clip = clip.std.SetFrameProps(_Matrix=int(vs.MATRIX_BT709))
    return clip.resize.Bilinear(format=vs.YUV444P16, range_s="limited")


def alpha16(clip: vs.VideoNode) -> vs.VideoNode | None:
    """The alpha of a clip as grey in 16 bits; None where it has none."""
    with clip.get_frame(0) as frame:
        if "_Alpha" not in frame.props:
            return None
    return clip.std.PropToClip("_Alpha").resize.Point(format=vs.GRAY16)


def placed(clip: vs.VideoNode, place: tuple[float, float, float, float], size: tuple[int, int]) -> vs.VideoNode:
    """A clip scaled and moved into a picture of another size; what lies beyond it is black.

    Args:
        place: its scale across and down, and the shift of its upper left corner, pixels of the new picture.
        size: (width, height) of the new picture.
    """
    across, down, left, top = place
    if place == (1.0, 1.0, 0.0, 0.0) and size == (clip.width, clip.height):
        return clip
    region = (-left / across, -top / down, size[0] / across, size[1] / down)
    before = [max(0, -int(v // 2 * 2)) + 2 if v < 0 else 0 for v in region[:2]]
    spare = (region[0] + region[2] - clip.width, region[1] + region[3] - clip.height)
    after = [int(v // 2 * 2) + 2 if v > 0 else 0 for v in spare]
    if any((*before, *after)):
        clip = clip.std.AddBorders(before[0], after[0], before[1], after[1])
    return clip.resize.Bicubic(
        *size,
        src_left=region[0] + before[0],
        src_top=region[1] + before[1],
        src_width=region[2],
        src_height=region[3],
    )


def small_grey(clip: vs.VideoNode, size: tuple[int, int]) -> Iterator[NDArray[np.float32]]:
    """Every frame as a small grey picture, (height, width), in codes of 8 bits."""
    with our_errors(CheckError):
        for frame in frames_of(luma16(clip.std.SetFieldBased(vs.FIELD_PROGRESSIVE)).resize.Bilinear(*size)):
            yield np.asarray(frame[0]).astype(np.float32) / np.float32(256)
