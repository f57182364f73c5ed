"""Frames to a file: the one place that runs ffmpeg.

Frames go to ffmpeg's standard input as NUT raw video with exact timestamps, so even and uneven frame rates
take the same way. Sound, subtitles, timecode and chapters come from the source as second input of the same
command, as they are. Times are the source's own: the earliest of what is kept starts at 0, and nothing moves
against anything else.
"""

import os
import re
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, reduce
from math import floor, gcd
from pathlib import Path
from threading import Thread
from typing import IO, Any

import av
import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from vsanon.errors import EncodeError, InputError, MissingError
from vsanon.media import Color, MediaFacts, PixelFormat, StreamFacts, pixel_format, probe, takes_codec
from vsanon.presets import Preset, video_args
from vsanon.timing import Timeline

KEEP = frozenset({"audio", "subtitles", "timecode", "chapters"})

# The allow-list of metadata. Everything else is dropped: place, device, maker, dates, comments, software.
# "name" is how QuickTime calls the title of a track.
KEPT_METADATA = frozenset({"language", "title", "name", "timecode"})
# What the demuxer tells of the container itself; neither kept nor dropped.
CONTAINER_METADATA = frozenset({"major_brand", "minor_version", "compatible_brands", "duration"})

_TEXT_SUBTITLES = frozenset({"subrip", "ass", "webvtt", "mov_text", "text"})
_PIPE_BYTES = 1 << 20
_LINES_KEPT = 40

# QuickTime knows the languages of the classic Mac OS, by one of their two ISO 639-2 codes: ffmpeg's table.
_QUICKTIME_LANGUAGES = {
    "deu": "ger", "fre": "fra", "nld": "dut", "ell": "gre", "isl": "ice", "zho": "chi", "sqi": "alb",
    "rum": "ron", "cze": "ces", "slo": "slk", "mkd": "mac", "hye": "arm", "kat": "geo", "bod": "tib",
    "mya": "bur", "msa": "may", "cym": "wel", "eus": "baq",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RawVideo:
    """The frames that are handed over.

    `pix_fmt` is ffmpeg's name of a planar format; `size` is (width, height); `timeline` holds the source's
    own presentation times, as its demuxer gives them; `field_order` is as in
    `vsanon.media.VideoFacts`; `hdr` is as
    `vsanon.media.VideoFacts.hdr`.
    """

    pix_fmt: str
    size: tuple[int, int]
    timeline: Timeline
    sar: Fraction | None = None
    color: Color = field(default_factory=Color)
    field_order: str = "progressive"
    hdr: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        # NUT has no code for float gray; palettes and packed formats have no planes of samples.
        unfit = self.pix_fmt.startswith(("grayf", "pal", "yuvj")) or self.pix_fmt.endswith("be")
        if unfit or not pixel_format(self.pix_fmt).planar:
            raise InputError(
                f"frames of {self.pix_fmt} can't be piped to ffmpeg; convert them to a planar integer format "
                "first (gray16le for float gray; yuv420p with the range pc for yuvj420p)."
            )
        if self.field_order not in _FIELD_MODES:
            raise InputError(f"field order is one of {', '.join(_FIELD_MODES)}, got {self.field_order!r}.")

    @property
    def interlaced(self) -> bool:
        """Whether a frame holds two fields of different times."""
        return _FIELD_MODES[self.field_order] in ("tff", "bff")


# ffmpeg tells apart how fields are stored; which one is shown first is all that matters to frames.
_FIELD_MODES = {"progressive": "prog", "unknown": "auto", "tt": "tff", "tb": "tff", "bb": "bff", "bt": "bff"}


@dataclass(frozen=True, slots=True)
class CopyPlan:
    """What of the source goes with the picture, as (stream, its codec in the file), and what doesn't."""

    streams: tuple[tuple[StreamFacts, str], ...]
    timecode: str | None
    chapters: bool
    dropped_metadata: tuple[str, ...]
    not_carried: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EncodeReport:
    """What was run and what became of it; metadata by key only, never by value."""

    argv: tuple[str, ...]
    ffmpeg: str
    frames: int
    dropped_metadata: tuple[str, ...]
    not_carried: tuple[str, ...]


def ffmpeg_path() -> str:
    """The ffmpeg to run: the one that VSANON_FFMPEG names, else that of the imageio-ffmpeg wheel.

    Raises:
        MissingError: there is none.
    """
    named = os.environ.get("VSANON_FFMPEG")
    if named:
        found = shutil.which(named)
        if found is None:
            raise MissingError(f"VSANON_FFMPEG names {named!r}, which is not a program that can be run.")
        return found
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise MissingError(
            "there is no ffmpeg: install the package imageio-ffmpeg, or name one with VSANON_FFMPEG."
        ) from error


def ffmpeg_version() -> str:
    """The version as ffmpeg says it, such as "n9.0.2-17-g2a571b6068"."""
    first = _version_text(ffmpeg_path()).partition("\n")[0]
    match = re.match(r"ffmpeg version (\S+)", first)
    return match[1] if match else first


def run(args: Sequence[str], *, timeout_s: float | None = None) -> bytes:
    """Run ffmpeg with `args`, to its end, and give its standard output.

    Raises:
        EncodeError: it failed; with the last lines of what it said.
        MissingError: there is no ffmpeg.
    """
    argv = [ffmpeg_path(), "-hide_banner", "-nostdin", "-loglevel", "warning", *args]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=timeout_s)
    if done.returncode != 0:
        raise EncodeError(_failure(done.returncode, done.stderr.decode(errors="replace").splitlines()))
    return done.stdout


def plan_copy(source: MediaFacts, preset: Preset, keep: Iterable[str] = KEEP) -> CopyPlan:
    """Decide what of the source's other streams goes into the preset's container, and in which codec.

    Raises:
        InputError: a stream to keep does not fit into that container, or `keep` has an unknown word.
    """
    kept = frozenset(keep)
    if unknown := kept - KEEP:
        raise InputError(f"keep: {', '.join(sorted(unknown))}: not one of {', '.join(sorted(KEEP))}.")
    streams: list[tuple[StreamFacts, str]] = []
    missing = list(source.video.uncarried) if source.video is not None else []
    for stream in source.streams:
        name = f"stream {stream.index} ({stream.kind} {stream.codec})"
        if source.video is not None and stream.index == source.video.index:
            continue
        if stream.is_picture:
            missing.append(f"{name}: a cover picture, which may show what the video must not")
        elif stream.codec == "tmcd":
            if "timecode" not in kept:
                missing.append(f"{name}: left out as asked")
        elif stream.codec == "bin_data" and source.chapters:
            continue  # the track in which MOV and MP4 keep the titles of their chapters
        elif stream.kind not in ("audio", "subtitle"):
            missing.append(f"{name}: only sound, subtitles and timecode are copied; it may hold place or device")
        elif ("audio" if stream.kind == "audio" else "subtitles") not in kept:
            missing.append(f"{name}: left out as asked")
        else:
            codec = _codec_in(stream, preset)
            streams.append((stream, codec))
            if stream.codec == "ass" and codec != "ass":
                missing.append(f"{name}: fonts, colours and places of its text, which {codec} does not have")
    if "chapters" not in kept and source.chapters:
        missing.append(f"{len(source.chapters)} chapters: left out as asked")
    dropped = [key for key in source.metadata_keys if not _metadata_kept(key)]
    return CopyPlan(
        tuple(streams),
        source.timecode if "timecode" in kept else None,
        "chapters" in kept and bool(source.chapters),
        tuple(sorted(set(dropped))),
        tuple(missing),
    )


def output_color(video: RawVideo, preset: Preset) -> Color:
    """The colour tags of the encoded frames: the frames' own, save where the preset's format needs others."""
    have, kept = pixel_format(video.pix_fmt), pixel_format(preset.pix_fmt_for(video.pix_fmt))
    color = video.color
    if have.rgb and not kept.rgb:
        large = "bt2020nc" if color.primaries == "bt2020" else "bt709"
        matrix = large if video.size[1] >= 720 or color.primaries == "bt2020" else "smpte170m"
        return Color(matrix, color.primaries, color.transfer, "tv", None)
    return Color(color.matrix, color.primaries, color.transfer, preset.range or color.range, color.chroma_location)


def piped_format(video: RawVideo, pix_fmt: str) -> str:
    """The format of the pipe to an encoder of `pix_fmt`: the frames' own, but for gray that becomes colour.

    Gray gets neutral chroma planes before the pipe, because ffmpeg takes all gray for full range.
    """
    have = pixel_format(video.pix_fmt)
    if have.gray and not pixel_format(pix_fmt).gray:
        return video.pix_fmt.replace("gray", "yuv422p")
    return video.pix_fmt


def time_grid(timeline: Timeline, origin: Fraction) -> tuple[tuple[int, ...], Fraction]:
    """The timeline less `origin` seconds, on the coarsest time base that holds each time exactly.

    Frames of 1/25 s in ticks of 1/12800 s come out as 0, 1, 2, ... of 1/25 s, which encoders should see.
    """
    shift = origin / timeline.time_base
    if shift.denominator != 1:
        raise ValueError(f"origin {origin} is not a multiple of the time base {timeline.time_base}")
    moved = [p - shift.numerator for p in timeline.pts]
    step = reduce(gcd, moved, 0) or round(1 / (timeline.fps * timeline.time_base)) or 1
    return tuple(p // step for p in moved), timeline.time_base * step


def start_origin(timeline: Timeline, plan: CopyPlan | None) -> Fraction:
    """The source's time that becomes 0: the earliest start of the picture and of the streams kept with it.

    It lies on the picture's time base, so that the picture's times stay exact, and the copied streams move by
    the same time to the nearest of their own ticks. Priming before 0 stays before 0.
    """
    starts = [s.start for s, _ in plan.streams if s.start is not None and s.kind == "audio"] if plan else []
    earliest = min([timeline.seconds(0), *(max(start, Fraction(0)) for start in starts)])
    return floor(earliest / timeline.time_base) * timeline.time_base


def encode(
    frames: Iterable[Sequence[NDArray[Any]]],
    video: RawVideo,
    preset: Preset,
    partial: Path,
    *,
    source: Path | None = None,
    keep: Iterable[str] = KEEP,
    on_frame: Callable[[int], None] | None = None,
) -> EncodeReport:
    """Encode `frames` to `partial`, with what `keep` names of `source` beside them.

    Args:
        frames: per frame its planes in `video.pix_fmt`'s order, each (rows, columns), of any strides.
        video: what the frames are.
        preset: how they are encoded.
        partial: the file to write, which must not be the final path; removed if anything goes wrong.
        source: the file whose sound, subtitles, timecode and chapters are copied.
        keep: some of `KEEP`.
        on_frame: called with `n` after frame `n` was handed to ffmpeg.

    Raises:
        EncodeError: ffmpeg failed, or the number of frames sent or written is not the timeline's.
        InputError: a stream of the source does not fit the container.
        MissingError: there is no ffmpeg.
        Exception: whatever `frames` or `on_frame` raises.
    """
    facts = None if source is None else probe(source)
    plan = None if facts is None else plan_copy(facts, preset, keep)
    origin = start_origin(video.timeline, plan)
    pts, time_base = time_grid(video.timeline, origin)
    argv = _argv(video, preset, partial, facts, plan, origin, time_base)
    piped = piped_format(video, preset.pix_fmt_for(video.pix_fmt))
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said, progress = _Drain(process.stderr), _Drain(process.stdout)
    try:
        with suppress(_PipeError):  # its exit code and words say why
            _send(frames, video, piped, pts, time_base, process, on_frame)
        code = process.wait()
        written = _frames_written(progress.lines())
        if code != 0 or written != len(pts):
            raise EncodeError(_failure(code, said.lines(), written, len(pts)))
        lost = [] if plan is None else _lost_tags(plan, partial)
    except BaseException:
        process.kill()
        process.wait()
        partial.unlink(missing_ok=True)
        raise
    return EncodeReport(
        tuple(argv),
        ffmpeg_version(),
        written,
        () if plan is None else plan.dropped_metadata,
        () if plan is None else (*plan.not_carried, *lost),
    )


def _argv(
    video: RawVideo,
    preset: Preset,
    partial: Path,
    facts: MediaFacts | None,
    plan: CopyPlan | None,
    origin: Fraction,
    time_base: Fraction,
) -> list[str]:
    pix_fmt = preset.pix_fmt_for(video.pix_fmt)
    args = [ffmpeg_path(), "-hide_banner", "-nostdin", "-y", "-loglevel", "warning", "-progress", "pipe:1"]
    # An encoder that lists other ranges or formats must end in an error, not in a silent conversion.
    args += ["-noauto_conversion_filters"]
    # Without -copyts, ffmpeg moves each input to start at 0, and sound away from the picture.
    args += ["-copyts", *_hdr_args(video.hdr), "-f", "nut", "-i", "pipe:0"]
    maps = ["-map", "0:v:0"]
    tags = ["-map_metadata", "-1", "-map_chapters", "-1", "-disposition:v:0", "default"]
    if facts is not None and plan is not None:
        if origin:
            args += ["-itsoffset", f"{-round(origin * 1_000_000)}us"]
        args += ["-i", f"file:{facts.path}"]
        copies = []
        for n, (stream, codec) in enumerate(plan.streams, start=1):
            maps += ["-map", f"1:{stream.index}"]
            copies += [f"-c:{n}", "copy" if codec == stream.codec else codec]
            tags += _stream_tags(n, stream, preset)
        maps += copies
        if facts.video is not None:
            tags += _stream_tags(0, facts.streams[facts.video.index], preset)
        if plan.timecode is not None:
            tags += ["-timecode", plan.timecode]
        if plan.chapters:
            tags[tags.index("-map_chapters") + 1] = "1"
            for n, chapter in enumerate(facts.chapters):
                if chapter.title:
                    tags += [f"-metadata:c:{n}", f"title={chapter.title}"]
    args += [*maps, "-filter:v", _filters(video, preset, pix_fmt), "-fps_mode:v", "passthrough"]
    args += ["-enc_time_base:v", f"{time_base.numerator}:{time_base.denominator}"]
    out = output_color(video, preset)
    if out.range is not None:
        # FFV1 claims to hold limited range only; without this ffmpeg converts the samples to it.
        args += ["-color_range:v", out.range]
    bottom_first = _FIELD_MODES[video.field_order] == "bff"
    args += video_args(preset, pix_fmt, interlaced=video.interlaced, bottom_first=bottom_first)
    if preset.muxer in ("mov", "mp4"):
        args += ["-video_track_timescale", str(track_timescale(time_base))]
    return [*args, *tags, "-f", preset.muxer, f"file:{partial}"]


def track_timescale(time_base: Fraction) -> int:
    """Ticks a second of a MOV or MP4 track that hold `time_base` exactly; at least 10000, as ffmpeg does."""
    scale = time_base.denominator
    while scale < 10_000:
        scale *= 2
    if scale >= 1 << 31:
        raise InputError(f"the timestamps need ticks of {time_base} s, which MP4 and MOV can't hold; use ffv1.")
    return scale


def _filters(video: RawVideo, preset: Preset, pix_fmt: str) -> str:
    color, out = video.color, output_color(video, preset)
    values = {
        "field_mode": _FIELD_MODES[video.field_order],
        "range": color.range,
        "color_primaries": color.primaries,
        "color_trc": color.transfer,
        "colorspace": color.matrix,
        "chroma_location": color.chroma_location,
    }
    chain = ["setparams=" + ":".join(f"{key}={value}" for key, value in values.items() if value is not None)]
    chain += _conversion(video, out, pix_fmt)
    if video.sar is not None:
        chain.append(f"setsar={video.sar.numerator}/{video.sar.denominator}")
    return ",".join(chain)


def _conversion(video: RawVideo, out: Color, pix_fmt: str) -> list[str]:
    """Filters from the frames' format and colour to the encoded ones; none where they are the same.

    zscale (zimg) is exact where swscale is not: full range in more bits (255 of 8 bits became 1020 of 10)
    and float. But it knows no fields, and no 8-bit RGB in one plane.
    """
    source = piped_format(video, pix_fmt)
    color, have, kept = video.color, pixel_format(source), pixel_format(pix_fmt)
    chain = []
    moves_range = color.range is not None and out.range is not None and out.range != color.range
    options = f"filter=bicubic:dither={'ordered' if kept.depth < have.depth else 'none'}"
    if moves_range or have.rgb != kept.rgb:
        options += f":range={'full' if out.range == 'pc' else 'limited'}"
    if have.rgb != kept.rgb:
        options += f":matrix={_ZIMG_MATRICES[out.matrix or 'bt709']}"
    if video.interlaced and not have.rgb and have.chroma[1] != kept.chroma[1]:
        same_chroma = f"{source.partition('p')[0]}p{'' if kept.depth == 8 else f'{kept.depth}le'}"
        if moves_range or same_chroma != source:
            chain += [f"zscale={options}", f"format={same_chroma}"]
        chain.append("scale=interl=1:flags=bicubic+accurate_rnd+full_chroma_int+bitexact")
    elif not kept.planar and have.depth == 8:
        chain.append("scale=flags=bitexact+accurate_rnd")
    elif source != pix_fmt or moves_range:
        chain.append(f"zscale={options}")
    return [*chain, f"format={pix_fmt}"] if chain else []


_ZIMG_MATRICES = {"bt709": "709", "smpte170m": "170m", "bt2020nc": "2020_ncl"}


def _hdr_args(hdr: dict[str, Any] | None) -> list[str]:
    args = []
    if hdr and "primaries" in hdr and "luminance" in hdr:
        points = {k: "({},{})".format(*v) for k, v in hdr["primaries"].items()}
        light = hdr["luminance"]
        args += [
            "-mastering_display",
            f"G{points['green']}B{points['blue']}R{points['red']}WP{points['white']}L({light['max']},{light['min']})",
        ]
    if hdr and "light" in hdr:
        args += ["-content_light", f"{hdr['light']['max_cll']},{hdr['light']['max_fall']}"]
    return args


def _stream_tags(n: int, stream: StreamFacts, preset: Preset) -> list[str]:
    language = stream.language
    if language and preset.muxer == "mov":
        language = _QUICKTIME_LANGUAGES.get(language, language)
    tags = [f"-metadata:s:{n}", f"language={language}"] if language else []
    return tags + ([f"-metadata:s:{n}", f"title={stream.title}"] if stream.title else [])


def _codec_in(stream: StreamFacts, preset: Preset) -> str:
    if takes_codec(preset.muxer, stream.codec):
        return stream.codec
    if stream.codec in _TEXT_SUBTITLES:
        return "subrip" if preset.muxer == "matroska" else "mov_text"
    word = "audio" if stream.kind == "audio" else "subtitles"
    raise InputError(
        f"stream {stream.index} ({stream.kind} {stream.codec}) of the source can't be put into "
        f"{preset.suffix} as it is. Use a preset of another container (ffv1 writes .mkv), "
        f"or leave out {word}."
    )


def _metadata_kept(key: str) -> bool:
    place, _, name = key.partition(":")
    if name.lower() in CONTAINER_METADATA:
        return True
    return name.lower() in KEPT_METADATA and (place != "file" or name.lower() == "timecode")


def _lost_tags(plan: CopyPlan, path: Path) -> list[str]:
    """What the container had no place for, as read back from it."""
    lost = []
    found = [s for s in probe(path).streams if s.kind in ("audio", "subtitle")]
    for (stream, _), out in zip(plan.streams, found, strict=False):
        if not same_language(stream.language, out.language):
            lost.append(f"stream {stream.index}: its language {stream.language}")
        lost += [f"stream {stream.index}: its mark {d!r}" for d in stream.disposition if d not in out.disposition]
    return lost


def same_language(a: str | None, b: str | None) -> bool:
    """Whether two ISO 639-2 codes mean one language: deu and ger do."""
    return _QUICKTIME_LANGUAGES.get(a or "", a) == _QUICKTIME_LANGUAGES.get(b or "", b)


class _PipeError(Exception):
    """ffmpeg closed its end of the pipe."""


class _Drain:
    """Reads a pipe to its end in a thread, so that ffmpeg never waits for us; keeps the last lines."""

    def __init__(self, pipe: IO[bytes] | None) -> None:
        self._lines: deque[str] = deque(maxlen=_LINES_KEPT)
        self._thread = Thread(target=self._read, args=(pipe,), daemon=True)
        self._thread.start()

    def _read(self, pipe: IO[bytes]) -> None:
        with pipe:
            for line in pipe:
                self._lines.append(line.decode(errors="replace").rstrip())

    def lines(self) -> list[str]:
        """The last lines; waits for the end of the pipe."""
        self._thread.join()
        return list(self._lines)


def _send(
    frames: Iterable[Sequence[NDArray[Any]]],
    video: RawVideo,
    pix_fmt: str,
    pts: Sequence[int],
    time_base: Fraction,
    process: subprocess.Popen[bytes],
    on_frame: Callable[[int], None] | None,
) -> None:
    """Write the frames as NUT to ffmpeg, and close the pipe; each plane is copied once, into its packet."""
    pipe = process.stdin
    assert pipe is not None
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):  # a smaller pipe is only slower
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    found = pixel_format(pix_fmt)
    shapes = found.plane_shapes(video.size)
    size = sum(h * w for h, w in shapes) * found.sample_bytes
    neutral = _neutral_chroma(video, found)
    nut = av.open(pipe, "w", format="nut", buffer_size=_PIPE_BYTES, options={"write_index": "0"})
    try:
        stream = nut.add_stream("rawvideo", rate=video.timeline.fps)
        stream.width, stream.height = video.size
        stream.pix_fmt = pix_fmt
        stream.codec_context.time_base = time_base
        sent = 0
        for n, planes in enumerate(frames):
            if n == len(pts):
                raise EncodeError(f"frame {n} came, but the timeline ends with frame {len(pts) - 1}.")
            packet = av.Packet(size)
            _pack([*planes, *neutral], found, shapes, packet, n)
            packet.pts = packet.dts = pts[n]
            packet.time_base = time_base
            packet.stream = stream
            packet.is_keyframe = True
            with _pipe_errors():
                nut.mux_one(packet)
            sent = n + 1
            if on_frame is not None:
                on_frame(n)
        if sent != len(pts):
            raise EncodeError(f"the clip gave {sent} frames, but its timeline has {len(pts)}.")
        with _pipe_errors():
            nut.close()
            pipe.close()
    except BaseException as error:
        if not isinstance(error, _PipeError):
            process.kill()  # or it would take the end of the pipe for the end of the clip
        with suppress(av.FFmpegError, OSError):
            nut.close()
        with suppress(OSError):
            pipe.close()
        raise


@contextmanager
def _pipe_errors() -> Iterator[None]:
    # PyAV passes on the pipe's own error, or, once one was seen, an error of its own.
    try:
        yield
    except (av.FFmpegError, OSError) as error:
        raise _PipeError from error


def _neutral_chroma(video: RawVideo, piped: PixelFormat) -> list[NDArray[Any]]:
    if piped.name == video.pix_fmt:
        return []
    dtype = np.dtype(f"u{piped.sample_bytes}")
    return [np.full(shape, 1 << piped.depth - 1, dtype) for shape in piped.plane_shapes(video.size)[1:]]


def _pack(
    planes: Sequence[NDArray[Any]],
    found: PixelFormat,
    shapes: Sequence[tuple[int, int]],
    packet: Any,
    n: int,
) -> None:
    dtype = np.dtype(np.float32 if found.is_float else f"u{found.sample_bytes}")
    if [p.shape for p in planes] != list(shapes) or any(p.dtype != dtype for p in planes):
        got = [(p.shape, str(p.dtype)) for p in planes]
        raise EncodeError(f"frame {n}: {found.name} needs planes of {list(shapes)} in {dtype}, got {got}.")
    buffer = np.frombuffer(packet, dtype)
    start = 0
    for plane in planes:
        np.copyto(buffer[start : start + plane.size].reshape(plane.shape), plane)
        start += plane.size


def _frames_written(progress: Iterable[str]) -> int:
    counts = [int(line[6:]) for line in progress if re.fullmatch(r"frame=\d+", line)]
    return counts[-1] if counts else 0


def _failure(code: int, said: Iterable[str], written: int | None = None, expected: int | None = None) -> str:
    words = "\n  ".join(list(said)[-8:]) or "(ffmpeg said nothing)"
    if any("No space left on device" in line for line in said):
        return f"the disk is full: ffmpeg could not write all of the file. Free some space.\n  {words}"
    how = f"was killed by signal {-code}" if code < 0 else f"failed with exit code {code}"
    if code == 0:
        how = f"wrote {written} frames where {expected} were sent"
    return f"ffmpeg {how}. Its last words:\n  {words}"


@cache
def _version_text(program: str) -> str:
    try:
        done = subprocess.run([program, "-version"], capture_output=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise MissingError(f"{program} does not run as ffmpeg: {error}.") from error
    return done.stdout.decode(errors="replace")
