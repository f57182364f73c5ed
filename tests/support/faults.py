"""A small textured film with a face, and ways to deliver less of its covering than was promised."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import vapoursynth as vs
from numpy.typing import NDArray

from vsanon import filters
from vsanon.encode import run
from vsanon.errors import CheckError
from vsanon.filters import props
from vsanon.filters.clips import modify
from vsanon.job import rendering
from vsanon.job.checks import Check
from vsanon.media import decode_timestamps

SIZE = (192, 128)
FRAMES = 12
EYES = ((0.18, 0.28, 0.42, 0.42), (0.58, 0.28, 0.82, 0.42))
"""Where the face's dark eyes are, as shares of its box."""

Planes = list[NDArray[Any]]
Change = Callable[[int, Planes, Planes], None]
"""Changes the painted planes of frame `n` in place; the source's planes are there to be copied from."""


def face(n: int) -> tuple[int, int, int, int]:
    """Where the face is in frame `n`."""
    return 40 + 3 * n, 36, 88 + 3 * n, 92


def _texture(seed: int, shape: tuple[int, int], spread: float, cell: float) -> NDArray[np.float32]:
    noise = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), cell)
    return np.asarray(smooth * (spread / smooth.std()), np.float32)


def picture(n: int) -> Planes:
    """The planes of frame `n`: a ground that pans by two pixels a frame, before it a bright, blotchy face."""
    width, height = SIZE
    out = []
    for p, (ground, skin) in enumerate(((80, 215), (118, 124), (134, 132))):
        step = 2 if p else 1
        shape = (height // step, width // step)
        plane = ground + _texture(p, (shape[0], shape[1] + 64), 14 if p == 0 else 7, 2.5)
        plane = plane[:, 2 * n // step : 2 * n // step + shape[1]].copy()
        x0, y0, x1, y1 = (v // step for v in face(n))
        own = _texture(9 + p, (y1 - y0, x1 - x0), 8 if p == 0 else 2.5, 1.2)
        plane[y0:y1, x0:x1] = skin + np.clip(own, -18, 18)
        out.append(np.clip(plane, 16, 150 if p == 0 else 240).astype(np.uint8))
        if p == 0:
            out[0][y0:y1, x0:x1] = np.clip(skin + own, 197, 235).astype(np.uint8)
            for eye in EYES:
                out[0][window(n, eye, 1)] -= 70
    return out


FAINT_FACE = (60, 20, 160, 120)
"""Where the face of `faint_picture` is."""
FAINT_EYE = (slice(50, 65), slice(76, 106))
"""Its eye, of 30x15 pixels."""


def faint_picture(n: int) -> Planes:
    """A frame of 256x144 with a face of the grey fill's tone (64 of 255 is 71 in luma), its eye 6 darker."""
    ground = 80 + _texture(0, (144, 256 + 64), 14, 2.5)
    luma = ground[:, 2 * n : 2 * n + 256].copy()
    luma[20:120, 60:160] = 71 + _texture(9, (100, 100), 2, 1.2)
    luma[FAINT_EYE] = 65
    luma[54:62, 86:96] = 59
    return [np.clip(luma, 16, 235).astype(np.uint8), *(np.full((72, 128), v, np.uint8) for v in (128, 128))]


def picture_of(size: tuple[int, int], n: int) -> Planes:
    """The frame of `picture`, wider and higher at its right and its end, for presets that take no smaller one."""
    return [
        np.pad(
            plane, ((0, size[1] // step - plane.shape[0]), (0, size[0] // step - plane.shape[1])), mode="symmetric"
        )
        for plane, step in zip(picture(n), (1, 2, 2), strict=True)
    ]


def film(path: Path, frames: int = FRAMES, shown: Callable[[int], Planes] = picture) -> Path:
    """Write the film, of the pictures that are `shown`, without loss, with a tone, chapters and all."""
    raw, meta = path.with_suffix(".yuv"), path.with_suffix(".txt")
    raw.write_bytes(b"".join(plane.tobytes() for n in range(frames) for plane in shown(n)))
    half = frames * 20
    meta.write_text(
        f";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND={half}\ntitle=Arrival\n"
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={half}\nEND={2 * half}\ntitle=Talk\n"
    )
    height, width = shown(0)[0].shape
    size = f"{width}x{height}"
    tags = ("-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "tv")
    run(["-y", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", size, "-r", "25", "-i", str(raw), "-f", "lavfi", "-i",
         f"sine=r=48000:d={frames / 25}", "-i", str(meta), "-map", "0", "-map", "1", "-map_chapters", "2", "-c:v",
         "ffv1", *tags, "-c:a", "aac", "-b:a", "64k", f"file:{path}"])  # fmt: skip
    return path


# ----------------------------------------------------------------------------- faults of the painter


def painted_and(change: Change) -> Callable[..., vs.VideoNode]:
    """A painter after which `change` is made."""
    blur = filters.blur

    def faulty(clip: vs.VideoNode, data: vs.VideoNode, **settings: Any) -> vs.VideoNode:
        def run(n: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
            out = f[0].copy()
            change(n, [np.asarray(out[p]) for p in range(3)], [np.asarray(f[1][p]) for p in range(3)])
            return out

        return modify("faulty", [blur(clip, data, **settings), clip], run)

    return faulty


def painting_of(boxes: Callable[[vs.VideoNode], vs.VideoNode], **other: Any) -> Callable[..., vs.VideoNode]:
    """A painter of other boxes than it is given, or in another way."""
    blur = filters.blur
    return lambda clip, data, **settings: blur(clip, boxes(data), **{**settings, **other})


def moved(dx: float, dy: float, grown: float = 0) -> Callable[[vs.VideoNode], vs.VideoNode]:
    """Boxes elsewhere, or larger or smaller by pixels on each side."""

    def boxes(data: vs.VideoNode) -> vs.VideoNode:
        def run(_: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
            out = f[0].copy()
            found = props.read_tracked(out.props)
            found.xyxy[:] += np.array([dx - grown, dy - grown, dx + grown, dy + grown], np.float32)
            props.write(out.props, found, SIZE)
            return out

        return modify("moved", [data], run)

    return boxes


def later(data: vs.VideoNode) -> vs.VideoNode:
    """The boxes of three frames before, with the miniatures of the frames that they are put on."""

    def run(_: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        out = f[0].copy()
        props.write(out.props, props.read_tracked(f[1].props), SIZE)
        return out

    return modify("later", [data, data[0] * 3 + data[:-3]], run)


# ----------------------------------------------------------------------------- changes of frames


def window(n: int, part: tuple[float, float, float, float], step: int) -> tuple[slice, slice]:
    """A part of the face's box, as shares of it, in samples of `step` pixels."""
    x0, y0, x1, y1 = face(n)
    left, top, right, bottom = part
    xs = [round((x0 + v * (x1 - x0)) / step) for v in (left, right)]
    ys = [round((y0 + v * (y1 - y0)) / step) for v in (top, bottom)]
    return slice(*ys), slice(*xs)


def bare(
    part: tuple[float, float, float, float] = (0, 0, 1, 1),
    planes: Sequence[int] = (0, 1, 2),
    frames: Sequence[int] = range(FRAMES),
    opacity: float = 0,
) -> Change:
    """The source shows in a part of the face."""

    def change(n: int, painted: Planes, source: Planes) -> None:
        if n in frames:
            for p in planes:
                at = window(n, part, 2 if p else 1)
                mixed = painted[p][at] * opacity + source[p][at] * (1 - opacity)
                painted[p][at] = np.rint(mixed).astype(painted[p].dtype)

    return change


def whole(frames: Sequence[int] = range(FRAMES)) -> Change:
    """The source's frames, as they are."""

    def change(n: int, painted: Planes, source: Planes) -> None:
        for p, plane in enumerate(source):
            if n in frames:
                painted[p][:] = plane

    return change


def rolled(dx: int, dy: int, planes: Sequence[int] = (0, 1, 2), frames: Sequence[int] = range(FRAMES)) -> Change:
    """The picture moved, in luma pixels."""

    def change(n: int, painted: Planes, _: Planes) -> None:
        for p in planes if n in frames else ():
            step = 2 if p else 1
            painted[p][:] = np.roll(painted[p], (dy // step, dx // step), (0, 1))

    return change


def patched(value: float, at: tuple[slice, slice], frames: Sequence[int] = range(FRAMES)) -> Change:
    """Something is added to the luma of a place."""

    def change(n: int, painted: Planes, _: Planes) -> None:
        if n in frames:
            painted[0][at] = np.clip(painted[0][at] + value, 0, 255)

    return change


# ----------------------------------------------------------------------------- faults of the encoder


def encoding_and(change: Change, encode: Callable[..., Any]) -> Callable[..., Any]:
    """An encoder that gets changed frames."""

    def faulty(frames: Iterator[Planes], video: Any, preset: Any, partial: Path, **options: Any) -> Any:
        source: list[Planes] = []
        decode_timestamps(options["source"].path, look=lambda p: source.append([x.copy() for x in p.planes]))

        def changed() -> Iterator[Planes]:
            for n, planes in enumerate(frames):
                own = [plane.copy() for plane in planes]
                change(n, own, source[n])
                yield own

        return encode(changed(), video, preset, partial, **options)

    return faulty


def adding(content: Callable[[bytes], bytes], encode: Callable[..., Any]) -> Callable[..., Any]:
    """An encoder behind whose file something lies, made of the source's bytes."""

    def faulty(frames: Iterator[Planes], video: Any, preset: Any, partial: Path, **options: Any) -> Any:
        report = encode(frames, video, preset, partial, **options)
        with partial.open("ab") as file:
            file.write(content(options["source"].path.read_bytes()))
        return report

    return faulty


def by_filter(name: str, encode: Callable[..., Any]) -> Callable[..., Any]:
    """An encoder whose packets went through a bitstream filter."""

    def faulty(frames: Iterator[Planes], video: Any, preset: Any, partial: Path, **options: Any) -> Any:
        report = encode(frames, video, preset, partial, **options)
        other = partial.with_name(f"other{partial.suffix}")
        run(["-y", "-i", f"file:{partial}", "-map", "0:v", "-map", "0:a", "-c", "copy", "-bsf:v", name, "-fflags",
             "+bitexact", f"file:{other}"])  # fmt: skip
        partial.write_bytes(other.read_bytes())
        return report

    return faulty


def reordered(order: Callable[[int], int], encode: Callable[..., Any]) -> Callable[..., Any]:
    """An encoder that gets the frames in another order."""

    def faulty(frames: Iterator[Planes], *args: Any, **options: Any) -> Any:
        kept = [[plane.copy() for plane in planes] for planes in frames]
        return encode([kept[order(n)] for n in range(len(kept))], *args, **options)

    return faulty


# ----------------------------------------------------------------------------- what is said


def failed(checks: Sequence[Check]) -> set[str]:
    """The names of the checks that failed."""
    return {check.name for check in checks if not check.passed}


def deliver_all_the_same(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Have the job note what it would have refused, and deliver."""
    noted: dict[str, Any] = {}
    require = rendering.require_passed

    def only_note(checks: Sequence[Check], output: Path) -> None:
        try:
            require(checks, output)
        except CheckError as error:
            noted["error"] = str(error)
        noted["failed"] = failed(checks)

    monkeypatch.setattr(rendering, "require_passed", only_note)
    return noted
