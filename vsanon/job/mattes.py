"""Mattes: what is covered, as a clip for an NLE or for ffmpeg's maskedmerge.

Three forms of the same weights `w` (see `masks.combine`), as long as the source, at its times, with its timecode:

* "planar": FFV1 in the source's own pixel format, each plane its own weights, `round(w * peak)`. ffmpeg's
  maskedmerge with it gives the picture of `strict` within two codes: one for the weight's rounding, one for
  maskedmerge's division by a power of two instead of the peak (libavfilter/vf_maskedmerge.c).
* "gray": the luma weights in 10 bits, as FFV1, or as ProRes with neutral chroma; for a luma matte in an NLE.
* "alpha": ProRes 4444 of the fill's colour whose alpha is the luma weights; laid over the source it covers.

The last two have no weights of the chroma's own: at a region's edge, NLEs treat chroma as they do. Classes that
take the colour of their surroundings can't be carried by a matte; with it, they get the fixed colour.
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon import filters
from vsanon.covering.colour import SampleFormat, rgb_to_code
from vsanon.covering.effects import FILL
from vsanon.covering.masks import FrameLayout, PlaneMask, combine, masks_of
from vsanon.covering.shapes import SHAPES, Shape, shapes_of
from vsanon.covering.surroundings import OF_SURROUNDINGS
from vsanon.detections import TrackedBoxes
from vsanon.encode import RawVideo, encode, presets
from vsanon.errors import CheckError, InputError
from vsanon.filters import props
from vsanon.filters.clips import first_props, format_of
from vsanon.job.delivery import Target
from vsanon.job.file_checks import verify_file
from vsanon.job.frames import frames_of, our_errors, raw_video
from vsanon.job.matte_checks import MatteLook
from vsanon.job.progress import Progress, Say
from vsanon.job.rendering import require_passed
from vsanon.job.settings import video_track_of
from vsanon.media import Color, pixel_format
from vsanon.media.intact import require_intact
from vsanon.media.source import Source, bound_cache, open_source
from vsanon.tracks import edits
from vsanon.tracks.file import read_tracks

FORMS = ("planar", "gray", "alpha")
_SUFFIXES = {"planar": (".mov", ".mkv"), "gray": (".mov", ".mkv"), "alpha": (".mov",)}


@dataclass(frozen=True, slots=True)
class Matte:
    """A written matte.

    Args:
        path: the file.
        merge: the ffmpeg command that applies it, for the form "planar"; empty otherwise.
        notes: what the matte can't carry of these tracks.
    """

    path: Path
    merge: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def merge_line(self) -> str:
        """`merge` as one line for a shell."""
        return shlex.join(self.merge)


def write_matte(
    source: Path,
    tracks: Path,
    output: Path,
    *,
    form: str = "gray",
    shapes: Mapping[str, Shape] = SHAPES,
    same_picture: bool = True,
    overwrite: bool = False,
    say: Say = lambda _: None,
    progress: Progress = lambda _done, _total: None,
) -> Matte:
    """Write the matte of a track file, edits applied.

    Args:
        source: the clip that the tracks belong to.
        tracks: the track file.
        output: .mov or .mkv; "gray" is ProRes in .mov and FFV1 in .mkv, "planar" is FFV1 in both.
        form: one of `FORMS`.
        shapes: as for `filters.blur`.
        same_picture: as for `filters.load`.

    Raises:
        InputError: paths or form can't be used, or the tracks belong to another clip.
        CheckError: a frame of the clip is another than the one analysed, or the file does not show the matte.
        EncodeError: ffmpeg failed.
    """
    if form not in FORMS:
        raise InputError(f"form is one of {', '.join(FORMS)}, not {form!r}")
    if output.suffix.lower() not in _SUFFIXES[form]:
        raise InputError(f"{output}: a {form} matte goes into a {' or '.join(_SUFFIXES[form])} file: name it so")
    with Target([source, tracks], [output], overwrite=overwrite) as target:
        bound_cache()
        say(f"reading {source}")
        opened = open_source(source, video_track_of(read_tracks(tracks).header))
        require_intact(opened)
        with our_errors(InputError):
            data = filters.load(
                opened.clip, tracks, same_picture=same_picture
            )  # refuses tracks of another clip, frame by frame
        table = edits.apply(read_tracks(tracks))
        base = raw_video(opened)
        video, preset = _encoding(base, form, output.suffix.lower())
        grid = filters.grid_of(opened.video.codec)
        layout = format_of(opened.clip).layout(first_props(opened.clip))
        boxes = (props.read_tracked(frame.props) for frame in frames_of(data))
        planes = _frames(boxes, layout, video, form, shapes, grid)

        def on_frame(n: int) -> None:
            progress(n + 1, len(table))

        partial, keep, facts = target.partial(output), ("timecode",), opened.facts
        with MatteLook(video, preset) as look, our_errors(CheckError):
            encode(look.noting(planes), video, preset, partial, source=facts, keep=keep, on_frame=on_frame)
            checks = verify_file(partial, video=video, preset=preset, source=facts, keep=keep, look=look)
            require_passed([*checks, *look.checks()], output)
        target.deliver()
    special = sorted(OF_SURROUNDINGS & set(table.classes))
    notes = [
        f"{name}: in vsanon it takes the colour of its surroundings, with a matte the fixed one" for name in special
    ]
    merge = _merge(opened, base, output) if form == "planar" else ()
    return Matte(output, merge, tuple(notes))


def weights(
    boxes: TrackedBoxes, layout: FrameLayout, grid: int, shapes: Mapping[str, Shape] = SHAPES
) -> list[NDArray[np.float32]]:
    """The weights of each plane of a frame, (height, width) float32 in [0, 1]."""
    regions = regions_of(boxes, layout, grid, shapes)
    return [combine(regions, layout, p) for p in range(layout.planes)]


def regions_of(
    boxes: TrackedBoxes, layout: FrameLayout, grid: int, shapes: Mapping[str, Shape] = SHAPES
) -> list[tuple[PlaneMask, ...]]:
    """The weights of each box of a frame, in each plane."""
    return masks_of(boxes.xyxy, shapes_of(boxes.classes, shapes, boxes.outlines), layout, grid)


def _encoding(base: RawVideo, form: str, suffix: str) -> tuple[RawVideo, presets.Preset]:
    found = pixel_format(base.pix_fmt)
    if found.is_float:
        raise InputError("a matte of a float clip can't be written: convert the clip to integer samples first")
    if form == "planar":
        plain = base.pix_fmt.replace("yuva", "yuv").replace("gbrap", "gbrp")
        # The weights are numbers of the clip's own kind: its tags keep ffmpeg from converting them.
        return replace(base, pix_fmt=plain, hdr=None), replace(presets.load("ffv1"), suffix=suffix)
    color = Color(range="tv")
    if form == "alpha":
        color = Color("bt709", "bt709", "bt709", "tv")
        return replace(base, pix_fmt="yuva444p10le", color=color, hdr=None), presets.load("prores_4444")
    if suffix == ".mkv":
        gray = replace(base, pix_fmt="gray10le", color=Color(range="pc"), hdr=None)
        return gray, presets.load("ffv1")
    return replace(base, pix_fmt="yuv422p10le", color=color, hdr=None), presets.load("prores_hq")


def _frames(
    boxes: Iterable[TrackedBoxes],
    layout: FrameLayout,
    video: RawVideo,
    form: str,
    shapes: Mapping[str, Shape],
    grid: int,
) -> Iterator[Sequence[NDArray[Any]]]:
    if form != "planar":
        layout = FrameLayout(layout.size, planes=1, interlaced=layout.interlaced)
    bits = pixel_format(video.pix_fmt).depth
    dtype, peak = (np.uint8 if bits == 8 else np.uint16), (1 << bits) - 1
    width, height = layout.size
    neutral = np.full((height, width if form == "alpha" else -(-width // 2)), 512, np.uint16)
    fill = rgb_to_code(np.array(FILL, np.uint8), SampleFormat("yuv", 10))
    solid = [np.full((height, width), code, np.uint16) for code in fill]
    for of_frame in boxes:
        parts = weights(of_frame, layout, grid, shapes)
        if form == "planar":
            yield [np.floor(w * np.float32(peak) + np.float32(0.5)).astype(dtype) for w in parts]
        elif form == "alpha":
            yield [*solid, np.floor(parts[0] * np.float32(1023) + np.float32(0.5)).astype(np.uint16)]
        elif video.pix_fmt == "gray10le":
            yield [np.floor(parts[0] * np.float32(1023) + np.float32(0.5)).astype(np.uint16)]
        else:
            luma = np.floor(parts[0] * np.float32(876) + np.float32(64.5)).astype(np.uint16)
            yield [luma, neutral, neutral]


def _merge(opened: Source, base: RawVideo, matte: Path) -> tuple[str, ...]:
    """The command that applies a planar matte; the output's codec is for the reader to choose."""
    found = pixel_format(base.pix_fmt)
    samples = format_of(opened.clip).samples(first_props(opened.clip))
    codes = [int(c) for c in np.atleast_1d(rgb_to_code(np.array(FILL, np.uint8), samples))]
    if found.rgb:
        fill = "lutrgb=" + ":".join(f"{name}={code}" for name, code in zip("rgb", codes, strict=True))
    else:
        fill = "lutyuv=" + ":".join(f"{name}={code}" for name, code in zip("yuv", codes, strict=False))
    plain = base.pix_fmt.replace("yuva", "yuv").replace("gbrap", "gbrp")
    # Frame by frame: both clips have the same times, but ffmpeg moves each input to start at 0 by itself.
    starts = [s.start for s in opened.facts.streams if s.start is not None and s.kind in ("audio", "video")]
    late = opened.timeline.seconds(0) - min([*starts, opened.timeline.seconds(0)])
    shift = f"+{_seconds(late)}/TB" if late else ""
    graph = (
        f"[0:v:0]format={plain},split[base][copy];[copy]{fill}[fill];[1:v:0]format={plain},"
        f"setpts=PTS-STARTPTS{shift}[matte];[base][fill][matte]maskedmerge[out]"
    )
    return (
        *("ffmpeg", "-i", str(opened.path), "-i", str(matte), "-filter_complex", graph, "-map", "[out]"),
        *("-map", "0:a?", "-c:a", "copy", "-fps_mode", "passthrough", "-c:v", "ffv1", "OUT.mkv"),
    )


def _seconds(value: Fraction) -> str:
    return f"{float(value):.9f}".rstrip("0").rstrip(".")
