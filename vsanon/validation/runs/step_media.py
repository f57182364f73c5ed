"""The pictures of a cell: its source opened, cut and scaled to a master, and encoded as the matrix says."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from fractions import Fraction
from math import ceil, inf
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from vsanon.encode import RawVideo, encode, presets
from vsanon.encode.variants import requested
from vsanon.errors import CheckError, InputError
from vsanon.files import sha256_file
from vsanon.filters import VideoFrame, VideoNode
from vsanon.job.delivery import Stamp, stamp
from vsanon.job.frames import frames_of, luma16, our_errors, planes_of, raw_video
from vsanon.media import pixel_format
from vsanon.media.best_source import forget_index
from vsanon.media.intact import require_intact
from vsanon.media.source import open_source
from vsanon.timing import Timeline
from vsanon.validation.metrics import picture
from vsanon.validation.metrics.stream import Answer, Request, answers, measure_stream
from vsanon.validation.metrics.summary import plain
from vsanon.validation.metrics.unmeasured import NotMeasured
from vsanon.validation.runs.appearance import Looks
from vsanon.validation.runs.keys import key_of
from vsanon.validation.runs.specs import AS_IS, EncodeSpec, SourceSpec
from vsanon.validation.runs.store import Result, Step, Store
from vsanon.validation.truth.scenes import Scene, write_scene
from vsanon.validation.truth.transforms import frames_at

FAST_MASTER = ("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le", "gray")
"""Formats whose master is kept as FFVHuff: every encode decodes it again, and FFV1 takes 3.5 times as long."""
RAW_MASTER = ("yuv420p", "yuv422p")
"""Formats that Matroska holds uncompressed, colour tags and all: a fifth of the decoding time of FFVHuff."""
RAW_BYTES = 2 * 2**30
"""The most that an uncompressed master may take; it is about 2.5 times as large as FFVHuff."""
_LUMA = "VsanonLuma"
_HASHES: dict[Path, tuple[Stamp, str]] = {}


def read_source(store: Store, spec: SourceSpec) -> Step:
    """Open a source, made sure that every frame of it decodes; a scene is drawn first.

    Raises:
        InputError: it can't be read, or has not the frames that were asked for.
    """
    locate, key = _file_of(store, spec)

    def make(_: Path) -> Result:
        path = locate()
        opened = open_source(path)
        require_intact(opened)
        start, stop = spec.frames or (0, opened.clip.num_frames)
        if stop > opened.clip.num_frames:
            raise InputError(
                f"{path.name}: frames {start}:{stop} were asked for, and there are {opened.clip.num_frames}: "
                "mend `frames` in the matrix"
            )
        video = opened.video
        return {
            "sha256": content_of(locate()),
            "bytes": path.stat().st_size,
            "range": [start, stop],
            "condition": {
                "codec": video.codec,
                "profile": video.profile,
                "pix_fmt": video.pix_fmt,
                "size": [opened.clip.width, opened.clip.height],
                "fps": str(opened.timeline.fps),
                "frames": opened.clip.num_frames,
                "field_order": opened.field_order,
                "rotation": video.rotation,
                "color": asdict(video.color),
            },
        }

    return Step(key, store.step(key, make).result, locate)


def master(store: Store, read: Step, spec: EncodeSpec) -> Step:
    """The source's frames, cut, scaled and resampled, without loss in one file.

    Raises:
        InputError: interlaced frames can't be scaled, or a rate above the source's was asked for.
    """
    fps = None if spec.fps is None else str(spec.fps)
    key = key_of("master", source=read.key, scale=spec.scale, fps=fps)

    def make(folder: Path) -> Result:
        path = read.file()
        opened = open_source(path)
        start, stop = read.result["range"]
        clip = opened.clip[start:stop]
        luma, looks = luma16(clip), Looks(stop - start)
        video = raw_video(opened)
        timeline = Timeline(opened.timeline.pts[start:stop], opened.timeline.time_base, opened.timeline.fps)
        if spec.scale is not None:
            if video.interlaced:
                raise InputError(
                    f"{path.name}: its frames are interlaced, and can't be scaled: deinterlace it first"
                )
            clip = _scaled(clip, spec.scale, pixel_format(video.pix_fmt).chroma)
        shown = np.arange(stop - start)
        if spec.fps is not None:
            shown = shown_frames(stop - start, timeline.fps, spec.fps)
            timeline = Timeline(tuple(range(len(shown))), 1 / spec.fps, spec.fps)
        video = replace(video, size=(clip.width, clip.height), timeline=timeline)
        digest = hashlib.sha256(f"{video.pix_fmt} {clip.width}x{clip.height}".encode())

        def see(frame: VideoFrame, planes: list[NDArray[Any]], count: int) -> None:
            with cast(VideoFrame, frame.props[_LUMA]) as seen:
                looks.see(np.asarray(seen[0]))
            for plane in planes * count:
                digest.update(np.ascontiguousarray(plane).data)

        planes = _planes(clip.std.ClipToProp(luma, prop=_LUMA), video.pix_fmt, shown, see)
        encode(planes, video, _master_preset(video), folder / "master.mkv")
        read.file()  # refused where it is not what the key says any more
        evenly, at_rest = looks.found()
        return {
            "looks": evenly,
            "looks_at_rest": at_rest,
            "frames": len(shown),
            "fps": str(timeline.fps),
            "size": [clip.width, clip.height],
            "frames_sha256": digest.hexdigest(),
        }

    return store.step(key, make, "master.mkv")


def shown_frames(count: int, fps_in: Fraction, fps_out: Fraction) -> NDArray[np.int64]:
    """Which of `count` frames is shown at each frame of another rate.

    Raises:
        InputError: the rate is above the source's: frames would only be repeated.
    """
    if fps_out > fps_in:
        raise InputError(f"a rate of {fps_out} was asked for, and the source has {fps_in}: rates only go down")
    return frames_at(ceil(count * fps_out / fps_in), fps_in, fps_out)


def encoded(store: Store, read: Step, source: Step, spec: EncodeSpec) -> Step:
    """The master as the matrix encodes it, generation after generation, and what came out.

    Args:
        store: where steps lie.
        read: the source.
        source: its master.
        spec: the encode; `AS_IS` gives the source itself where all of it is measured, else its master.

    Returns:
        The step; its stream's share of B-frames is unknown until the search has decoded it, see `with_b_frames`.

    Raises:
        EncodeError: ffmpeg failed.
        MissingError: this ffmpeg has no such encoder.
        InputError: the format does not fit the frames.
    """
    if spec.preset == AS_IS:
        whole = read.result["range"] == [0, read.result["condition"]["frames"]]
        key = key_of("as_is", source=read.key, master=source.key)

        def see(_: Path) -> Result:
            return {"stream": stream_figures(read.file(), None, decode=False) if whole else None}

        done = store.step(key, see)
        return Step(key, done.result, read.locate if whole else source.locate)
    preset = spec.resolved()
    key = key_of("encode", master=source.key, preset=plain(asdict(preset)), generations=spec.generations)
    name = f"encoded{preset.suffix}"

    def make(folder: Path) -> Result:
        path = source.file()
        before, command = path, []
        for generation in range(1, spec.generations + 1):
            opened = open_source(before)
            # Matroska has milliseconds, from which a short encode's rate would come out as another.
            timeline = replace(opened.timeline, fps=Fraction(source.result["fps"])).evened()
            video = replace(raw_video(opened), timeline=timeline)
            target = folder / (name if generation == spec.generations else f"generation{generation}{preset.suffix}")
            shown = np.arange(opened.clip.num_frames)
            report = encode(_planes(opened.clip, video.pix_fmt, shown), video, preset, target)
            command = ["ffmpeg", *(_bare(a) for a in report.argv[1:])]
            if before != path:
                forget_index(before)
                before.unlink()
            before = target
        return {"stream": stream_figures(before, preset, decode=False), "command": command}

    return store.step(key, make, name)


def picture_quality(store: Store, source: Step, distorted: Step, models: Sequence[str], threads: int = 2) -> Result:
    """The picture metrics of an encode against its master."""
    key = key_of("picture", reference=source.key, distorted=distorted.key, models=list(models))
    done = store.step(
        key, lambda _: plain(picture.measure(source.file(), distorted.file(), models=models, threads=threads))
    )
    return done.result


def with_b_frames(stream: dict[str, Any] | None, share: float | None) -> dict[str, Any] | None:
    """Figures of `stream_figures` that knew no picture types, with their share of B-frames."""
    if stream is None:
        return None
    said = []
    for row in stream["answers"]:
        if row["name"] == "b_frames":
            answer = Answer("b_frames", row["requested"], None if share is None else share > 0)
            row = {**asdict(answer), "differs": answer.differs}
        said.append(row)
    return {**stream, "b_frame_share": share, "answers": said}


def stream_figures(path: Path, preset: presets.Preset | None, *, decode: bool = True) -> dict[str, Any]:
    """What the stream of a file is, beside what its preset asked for; `decode` as for `measure_stream`."""
    asked = Request() if preset is None else Request(codec=preset.codec, **requested(preset))
    figures = measure_stream(path, decode=decode, buffer_bits=asked.buffer_bits)
    found: dict[str, Any] = plain(figures)
    del found["gop_frames"]
    if figures.vbv_bit_rate == inf:
        found["vbv_bit_rate"] = plain(NotMeasured("a frame is larger than the buffer that was asked for"))
    if preset is not None and len(preset.pix_fmts) == 1:
        asked = replace(asked, pix_fmt=preset.pix_fmts[0])
    return {
        **found,
        "gop_frames": asdict(figures.gop_frames),
        "bytes": path.stat().st_size,
        "sha256": sha256_file(path),
        "answers": [{**asdict(a), "differs": a.differs} for a in answers(asked, figures)],
    }


def _file_of(store: Store, spec: SourceSpec) -> tuple[Callable[[], Path], str]:
    """Where the file of a source is, and the key of reading it."""
    wanted = None if spec.frames is None else list(spec.frames)
    if spec.scene is not None:
        drawn = _drawn(store, spec.drawn())
        return drawn.file, key_of("read", file=drawn.key, frames=wanted)
    assert spec.file is not None
    path, sha256 = spec.file, content_of(spec.file)

    def locate() -> Path:
        if content_of(path) != sha256:
            raise InputError(
                f"{path.name}: it was replaced while it was measured: leave it as it is, and run again"
            )
        return path

    return locate, key_of("read", file=sha256, frames=wanted)


def _drawn(store: Store, scene: Scene) -> Step:
    """A drawn scene as a file."""

    def make(folder: Path) -> Result:
        write_scene(scene, folder / "scene.mkv")
        return {"frames": scene.frames}

    return store.step(scene_key(scene), make, "scene.mkv")


def scene_key(scene: Scene) -> str:
    """The key of a drawn scene."""
    return key_of("scene", scene={**plain(asdict(scene)), "fps": str(scene.fps)})


def content_of(path: Path) -> str:
    """SHA-256 of a source; hashed once in a process for as long as the file is not written."""
    before = stamp(path)
    known = _HASHES.get(path)
    if known is None or known[0] != before:
        known = _HASHES[path] = before, sha256_file(path)
    return known[1]


def _master_preset(video: RawVideo) -> presets.Preset:
    """A preset without loss for these frames."""
    slow, pix_fmt = presets.load("ffv1"), video.pix_fmt
    if pix_fmt not in FAST_MASTER:
        return slow
    count = len(video.timeline.pts) * sum(h * w for h, w in pixel_format(pix_fmt).plane_shapes(video.size))
    if pix_fmt in RAW_MASTER and not video.interlaced and count <= RAW_BYTES:
        return replace(slow, name="master", encoder="rawvideo", codec="rawvideo", args=(), pix_fmts=RAW_MASTER)
    # Every frame a keyframe, so that none needs another.
    return replace(slow, name="master", encoder="ffvhuff", codec="ffvhuff", args=("-g", "1"), pix_fmts=FAST_MASTER)


def scaled_size(size: tuple[int, int], scale: float, chroma: tuple[int, int]) -> tuple[int, int]:
    """(width, height) scaled, in whole samples of chroma, of which each stands for (across, down) pixels."""
    width, height = (max(s, round(side * scale / s) * s) for side, s in zip(size, chroma, strict=True))
    return width, height


def _scaled(clip: VideoNode, scale: float, chroma: tuple[int, int]) -> VideoNode:
    return clip.resize.Bicubic(*scaled_size((clip.width, clip.height), scale, chroma))


def _planes(
    clip: VideoNode,
    pix_fmt: str,
    shown: NDArray[np.int64],
    see: Callable[[VideoFrame, list[NDArray[Any]], int], None] = lambda *_: None,
) -> Iterator[list[NDArray[Any]]]:
    """The planes of each output frame; frames are read once, in order, and repeated or dropped as `shown` says.

    Args:
        see: is shown each frame, its planes, and how often it is put out.
    """
    counts = np.bincount(shown, minlength=clip.num_frames).tolist()
    with our_errors(CheckError):
        for frame, count in zip(frames_of(clip), counts, strict=True):
            planes = planes_of(frame, pix_fmt)
            see(frame, planes, count)
            yield from [planes] * count


def _bare(argument: str) -> str:
    """A command's argument without the folders of this machine."""
    if argument.startswith("file:"):
        return f"file:{Path(argument.removeprefix('file:')).name}"
    return argument
