"""Frames to a file, with what belongs beside them.

Frames go to ffmpeg's standard input as NUT raw video with exact timestamps, so even and uneven frame rates
take the same way. Sound, subtitles, timecode and chapters come from the source as second input of the same
command, as they are. Times are the source's own: the earliest of what is kept starts at 0, and nothing moves
against anything else.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from math import gcd
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from vsanon.encode import umid
from vsanon.encode.carry import CopyPlan, lost_tags, plan_copy
from vsanon.encode.carry_args import copy_args
from vsanon.encode.carry_streams import KEEP
from vsanon.encode.carry_times import start_origin
from vsanon.encode.cut import Cut
from vsanon.encode.ffmpeg import Running, fed, ffmpeg_version
from vsanon.encode.picture import filters, hdr_args, lost_in, output_color, output_hdr
from vsanon.encode.played import played, set_played
from vsanon.encode.presets import Preset, video_args
from vsanon.encode.raw import PipeError, RawVideo, piped_format, send
from vsanon.encode.sequences import BEGINS
from vsanon.encode.sound import AS_IS, Sound
from vsanon.errors import InputError
from vsanon.media import MediaFacts, pixel_format, probe
from vsanon.timing import Timeline

_FAST = 500
"""Frames a second from which a movie's milliseconds are too coarse to say where the last one ends."""


@dataclass(frozen=True, slots=True)
class EncodeReport:
    """What was run and what became of it; metadata by key only, but for `names`, those of reel and clip."""

    argv: tuple[str, ...]
    ffmpeg: str
    frames: int
    dropped_metadata: tuple[str, ...]
    not_carried: tuple[str, ...]
    notes: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)


def encode(
    frames: Iterable[Sequence[NDArray[Any]]],
    video: RawVideo,
    preset: Preset,
    partial: Path,
    *,
    source: Path | MediaFacts | None = None,
    keep: Iterable[str] = KEEP,
    sound: Sound = AS_IS,
    cut: Cut | None = None,
    on_frame: Callable[[int], None] | None = None,
) -> EncodeReport:
    """Encode `frames` to `partial`, with what `keep` names of `source` beside them.

    Args:
        frames: per frame its planes in `video.pix_fmt`'s order, each (rows, columns), of any strides.
        video: what the frames are.
        preset: how they are encoded.
        partial: the file to write, which must not be the final path; removed if anything goes wrong.
        source: the file whose sound, subtitles, timecode and chapters are copied, or what was read of it.
        keep: some of `KEEP`, and of `KEEP_IF_ASKED`.
        sound: which sound, and in which codec.
        cut: the part of the source that the frames are; None for all of it.
        on_frame: called with `n` after frame `n` was handed to ffmpeg.

    Raises:
        EncodeError: ffmpeg failed, or the number of frames sent or written is not the timeline's.
        InputError: a stream of the source does not fit the container, or the size does not fit the format.
        MissingError: there is no ffmpeg.
        Exception: whatever `frames` or `on_frame` raises.
    """
    require_encodable(video, preset)
    facts = probe(source) if isinstance(source, Path) else source
    plan = None if facts is None else plan_copy(facts, preset, keep, sound, cut)
    origin = start_origin(video.timeline, plan)
    pts, time_base = time_grid(video.timeline, origin)
    if preset.muxer in ("mxf", "image2"):
        _require_even(pts, time_base, preset)
    piped = piped_format(video, preset.pix_fmt_for(video.pix_fmt))
    ffmpeg = Running(_args(video, preset, partial, facts, plan, origin, time_base))
    try:
        with suppress(PipeError):  # its exit code and words say why
            send(frames, video, piped, pts, time_base, ffmpeg, on_frame)
        ffmpeg.finish(len(pts))
        lost = finish_container(partial, preset, plan)
    except BaseException:
        ffmpeg.kill()
        partial.unlink(missing_ok=True)
        raise
    return report_of(ffmpeg.argv, len(pts), video, preset, plan, lost)


def finish_container(partial: Path, preset: Preset, plan: CopyPlan | None) -> list[str]:
    """Write into a finished file what ffmpeg does not, and read back which tags found no place."""
    if plan is not None and preset.muxer in ("mov", "mp4"):
        set_played(partial, played(plan))
    if preset.muxer == "mxf":
        umid.stamp(partial)
    return [] if plan is None or not plan.streams else lost_tags(plan, partial)


def report_of(
    argv: tuple[str, ...], frames: int, video: RawVideo, preset: Preset, plan: CopyPlan | None, lost: Sequence[str]
) -> EncodeReport:
    """What became of a file that was made by this plan."""
    return EncodeReport(
        argv,
        ffmpeg_version(),
        frames,
        () if plan is None else plan.dropped_metadata,
        (*lost_in(video, preset), *(() if plan is None else (*plan.not_carried, *lost))),
        () if plan is None else plan.notes,
        {} if plan is None else plan.names,
    )


def command(video: RawVideo, preset: Preset, output: Path, *, source: MediaFacts | None = None) -> tuple[str, ...]:
    """What `encode` runs, to the word; the frames come through its standard input as NUT.

    Raises:
        InputError: the preset can't encode that, or its container can't hold what goes with it.
    """
    plan = None if source is None else plan_copy(source, preset)
    origin = start_origin(video.timeline, plan)
    require_encodable(video, preset)
    _, time_base = time_grid(video.timeline, origin)
    return fed(_args(video, preset, output, source, plan, origin, time_base))


def time_grid(timeline: Timeline, origin: Fraction) -> tuple[tuple[int, ...], Fraction]:
    """The timeline less `origin` seconds, on the coarsest time base that holds each time exactly.

    Frames of 1/25 s in ticks of 1/12800 s come out as 0, 1, 2, ... of 1/25 s, which encoders should see.
    """
    shift = origin / timeline.time_base
    if shift.denominator != 1:
        raise ValueError(f"origin {origin} is not a multiple of the time base {timeline.time_base}")
    moved = [p - shift.numerator for p in timeline.pts]
    step = reduce(gcd, moved, timeline.step) or round(1 / (timeline.fps * timeline.time_base)) or 1
    return tuple(p // step for p in moved), timeline.time_base * step


def track_timescale(time_base: Fraction) -> int:
    """Ticks a second of a MOV or MP4 track that hold `time_base` exactly; at least 10000, as ffmpeg does."""
    scale = time_base.denominator
    while scale < 10_000:
        scale *= 2
    if scale >= 1 << 31:
        raise InputError(f"the timestamps need ticks of {time_base} s, which MP4 and MOV can't hold; use ffv1.")
    return scale


def require_encodable(video: RawVideo, preset: Preset) -> None:
    """Refuse, before any work, what the preset can't encode.

    Raises:
        InputError: fields where it takes none, pictures too small for it, or an odd number of samples to halve.
    """
    pix_fmt = preset.pix_fmt_for(video.pix_fmt)
    video_args(preset, pix_fmt, interlaced=video.interlaced)
    _require_shape(video, preset)
    (across, down), (width, height) = pixel_format(pix_fmt).chroma, video.size
    least = preset.least_size
    if width < least[0] or height < least[1]:
        raise InputError(
            f"pictures of {width}x{height} are too small for the preset {preset.name}, which takes "
            f"{least[0]}x{least[1]} and more: use prores_4444, which takes any size"
        )
    if (width % across or height % down) and pixel_format(video.pix_fmt).chroma != (across, down):
        raise InputError(
            f"pictures of {width}x{height} can't be encoded as {pix_fmt}, whose chroma is subsampled: use a preset "
            "that keeps it (ffv1, prores_4444), or crop the clip to an even size first"
        )


def _require_shape(video: RawVideo, preset: Preset) -> None:
    """Refuse pixels of a shape that the preset's file has no way to say."""
    if (sar := video.sar or Fraction(1)) == 1:
        return
    shown = Fraction(video.size[0], video.size[1]) * sar
    if preset.codec == "mpeg2video":
        told = any(abs(shown / known - 1) < Fraction(1, 200) for known in MPEG2_SHAPES)
    else:
        told = preset.muxer != "image2" and (preset.codec != "dnxhd" or preset.muxer != "mxf")
    if not told:
        raise InputError(
            f"pixels of the shape {sar} can't be told in {preset.suffix} by the preset {preset.name}: use a preset "
            "for .mov, such as dnxhr_hq or prores_hq"
        )


MPEG2_SHAPES = (Fraction(4, 3), Fraction(16, 9), Fraction(221, 100))
"""Shapes of the whole picture that MPEG-2 has a code for (ISO/IEC 13818-2, 6.3.3)."""

MXF_RATES = frozenset(
    [
        *(Fraction(n) for n in (24, 25, 30, 48, 50, 60, 100, 120)),
        *(Fraction(n * 1000, 1001) for n in (24, 30, 60, 120)),
    ]
)
"""Rates that have an edit unit in MXF (ffmpeg's table)."""


def _require_even(pts: Sequence[int], time_base: Fraction, preset: Preset) -> None:
    """Refuse what MXF and images have no way to say: frames are numbered from 0, at one rate."""
    if len(pts) > 1 and list(pts) != list(range(len(pts))):
        raise InputError(
            f"the frame rate is variable, which {preset.suffix} can't hold: use a preset for .mov, as dnxhr_hq"
        )
    if preset.muxer == "mxf" and 1 / time_base not in MXF_RATES:
        raise InputError(f"{1 / time_base} frames a second have no place in MXF: use a preset for .mov or .mkv")


def _args(
    video: RawVideo,
    preset: Preset,
    partial: Path,
    facts: MediaFacts | None,
    plan: CopyPlan | None,
    origin: Fraction,
    time_base: Fraction,
) -> list[str]:
    pix_fmt, out = preset.pix_fmt_for(video.pix_fmt), output_color(video, preset)
    # An encoder that lists other ranges or formats must end in an error, not in a silent conversion.
    args = ["-y", "-noauto_conversion_filters"]
    # Without -copyts, ffmpeg moves each input to start at 0, and sound away from the picture.
    args += ["-copyts", *hdr_args(output_hdr(video, preset)), "-f", "nut", "-i", "pipe:0"]
    encoder = ["-filter:v", filters(video, preset, pix_fmt), "-fps_mode:v", "passthrough"]
    encoder += ["-enc_time_base:v", f"{time_base.numerator}:{time_base.denominator}"]
    if out.range is not None:
        # FFV1 claims to hold limited range only; without this ffmpeg converts the samples to it.
        encoder += ["-color_range:v", out.range]
    bottom_first = video.field_mode == "bff"
    encoder += video_args(preset, pix_fmt, interlaced=video.interlaced, bottom_first=bottom_first)
    return [*args, *file_args(video, preset, partial, facts, plan, origin, time_base, encoder)]


def file_args(
    video: RawVideo,
    preset: Preset,
    partial: Path,
    facts: MediaFacts | None,
    plan: CopyPlan | None,
    origin: Fraction,
    time_base: Fraction,
    picture: Sequence[str],
) -> list[str]:
    """What follows the first input, which is the picture: the source beside it, and the file.

    Args:
        picture: how the picture is encoded or copied.
    """
    inputs, streams, tags = copy_args(facts, plan, origin, preset, video.timeline)
    args = [*inputs, "-map", "0:v:0", *streams, *picture]
    if preset.muxer in ("mov", "mp4"):
        args += ["-video_track_timescale", str(track_timescale(time_base))]
        if video.timeline.fps >= _FAST:
            frame = max(round(1 / (video.timeline.fps * time_base)), 1)
            args += ["-movie_timescale", str(track_timescale(time_base))]
            args += [
                "-bsf:v",
                f"setts=pts=PTS:dts=DTS:duration=max(DURATION\\,{frame})",
            ]  # the last one's is not guessed so fast
    if preset.muxer == "image2":
        folder = str(partial.parent).replace("%", "%%")
        return [*args, "-start_number", str(BEGINS), "-f", "image2", f"file:{folder}/{partial.name}"]
    return [*args, *tags, "-f", preset.muxer, f"file:{partial}"]
