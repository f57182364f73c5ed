"""Clips that tests draw for themselves, with exact content, and detectors that need no model."""

import hashlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
import pytest
import vapoursynth as vs
from numpy.typing import NDArray

from vsanon.detections import Detections, Origin, TrackedBoxes, no_swatches
from vsanon.detectors import Detector
from vsanon.detectors.recipes import DEFAULT, DEFAULT_CLASSES, SETTINGS, Recipe
from vsanon.filters import props
from vsanon.filters.same_picture import miniatures_of
from vsanon.models.card import InputRules

Box = tuple[float, float, float, float]
Boxes = Callable[[int], Sequence[Box]]
"""The boxes of a frame, pixels, end-exclusive."""

BRIGHT = 235
"""Luma of a blob; anything else that a scene draws stays under 150."""


def drawn(
    draw: Callable[[int, int, tuple[int, int]], NDArray[Any]],
    *,
    format: int = vs.YUV420P8,
    size: tuple[int, int] = (160, 96),
    length: int = 1,
    fps: int = 25,
    **frame_props: Any,
) -> vs.VideoNode:
    """A clip whose plane `p` of frame `n` is `draw(n, p, (height, width))`; a YUV clip is tagged BT.709."""
    blank = vs.core.std.BlankClip(
        format=format, width=size[0], height=size[1], length=length, fpsnum=fps, fpsden=1, keep=True
    )
    assert blank.format is not None
    tags = {"_Matrix": 1} if blank.format.color_family == vs.YUV else {}
    blank = blank.std.SetFrameProps(**{**tags, **frame_props})

    def run(n: int, f: vs.VideoFrame) -> vs.VideoFrame:
        out = f.copy()
        for p in range(len(out)):
            plane = np.asarray(out[p])
            plane[:] = draw(n, p, plane.shape)
        return out

    return blank.std.ModifyFrame(blank, run)


def noise(*, format: int, size: tuple[int, int], length: int = 1, **frame_props: Any) -> vs.VideoNode:
    """Every code of the format at random, floats also outside their range."""
    known = vs.core.get_video_format(format)

    def draw(n: int, p: int, shape: tuple[int, int]) -> NDArray[Any]:
        rng = np.random.default_rng([n, p])
        if known.sample_type == vs.FLOAT:
            return rng.uniform(-0.6, 1.2, shape).astype(np.float32)
        return rng.integers(0, 1 << known.bits_per_sample, shape)

    return drawn(draw, format=format, size=size, length=length, **frame_props)


def scene(
    boxes: Boxes,
    *,
    background: Callable[[int], int] = lambda n: 60,
    length: int = 50,
    **settings: Any,
) -> vs.VideoNode:
    """Bright blobs on an even ground, in luma (or R, G and B); chroma is neutral."""

    def draw(n: int, p: int, shape: tuple[int, int]) -> NDArray[np.uint8]:
        plane = np.full(shape, 128 if p and not is_rgb else background(n), np.uint8)
        if not p or is_rgb:
            for x0, y0, x1, y1 in boxes(n):
                plane[max(int(y0), 0) : max(int(y1), 0), max(int(x0), 0) : max(int(x1), 0)] = BRIGHT
        return plane

    is_rgb = settings.get("format") == vs.RGB24
    return drawn(draw, length=length, **settings)


@dataclass(frozen=True)
class Card:
    """As much of a model card as the filters read."""

    input: InputRules
    reach: tuple[float, float] = (16, 320)


class Scripted:
    """A detector that answers with a function of the picture."""

    def __init__(self, detect: Callable[[NDArray[np.uint8]], Detections], rules: InputRules) -> None:
        self.detect = detect
        self.card = Card(rules)


def use(
    monkeypatch: pytest.MonkeyPatch,
    detect: Callable[[NDArray[np.uint8]], Detections],
    *,
    stride: int = 32,
    size: tuple[int, int] | None = None,
) -> None:
    """Let `vsanon.detect` open a scripted detector, whatever model is named.

    Where a test names no scale, it sees one picture of the whole clip, for all classes: what the shipped recipes
    look at besides is for `tests/detectors/test_recipes.py`.
    """

    def opened(model: str, **settings: Any) -> Detector:
        return Scripted(detect, InputRules(stride=stride, size=size))  # type: ignore[return-value]

    # None is needed here, and none is pulled.
    monkeypatch.setattr("vsanon.job.opening.fetch", lambda card, say: None)
    # The module: `vsanon.filters.detect` is also the name of the function.
    monkeypatch.setattr(sys.modules["vsanon.filters.detect"], "open_detector", opened)
    once = dict.fromkeys(DEFAULT_CLASSES, Recipe(("centerface",)))
    monkeypatch.setattr("vsanon.detectors.search.require_finds", lambda *_: None)  # it stands for all classes
    monkeypatch.setitem(cast(dict[str, Mapping[str, Recipe]], SETTINGS), DEFAULT, once)


def blobs(rgb: NDArray[np.uint8]) -> Detections:
    """Bright blobs as faces; a function of the picture alone, as a model is. A larger blob scores higher."""
    bright = np.ascontiguousarray(rgb.min(axis=0) > 180).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=8)
    x, y, width, height, pixels = stats[1:].T
    xyxy = np.stack([x, y, x + width, y + height], axis=1).astype(np.float32)
    scores = (0.5 + np.minimum(pixels, 4000) / 10000).astype(np.float32)
    return Detections(xyxy, scores, ("face",) * len(xyxy))


def found(xyxy: Sequence[Box], score: float = 0.9, name: str = "face") -> Detections:
    """Detections of one class and score."""
    boxes = np.array(xyxy, np.float32).reshape(-1, 4)
    return Detections(boxes, np.full(len(boxes), score, np.float32), (name,) * len(boxes))


def covered(xyxy: Sequence[Box], classes: Sequence[str] | None = None) -> TrackedBoxes:
    """Tracked boxes with ids 0, 1, … and swatches of many colours."""
    n = len(xyxy)
    swatches = np.random.default_rng(7).integers(0, 256, no_swatches(n).shape, dtype=np.uint8)
    return TrackedBoxes(
        np.array(xyxy, np.float32).reshape(-1, 4),
        np.full(n, 0.75, np.float32),
        tuple(classes or ("face",) * n),
        tuple(range(n)),
        (Origin.DETECTED,) * n,
        swatches,
    )


def data(clip: vs.VideoNode, at: Callable[[int], Detections | TrackedBoxes | None]) -> vs.VideoNode:
    """A data clip for `clip`; None stands for a frame that was never searched."""
    blank = miniatures_of(clip)

    def run(n: int, f: vs.VideoFrame) -> vs.VideoFrame:
        out = f.copy()
        boxes = at(n)
        if boxes is not None:
            props.write(out.props, boxes, (clip.width, clip.height))
        return out

    return blank.std.ModifyFrame(blank, run)


def planes(frame: vs.VideoFrame) -> list[NDArray[Any]]:
    """Copies of a frame's planes."""
    return [np.array(frame[p]) for p in range(len(frame))]


def bits(samples: NDArray[Any]) -> NDArray[Any]:
    """Samples as integers, so that comparing them tells a negative zero and every NaN apart."""
    return samples.view(np.uint32) if samples.dtype == np.float32 else samples


def same(a: vs.VideoFrame, b: vs.VideoFrame) -> bool:
    """Whether two frames have the same bits in every plane."""
    return all(np.array_equal(bits(x), bits(y)) for x, y in zip(planes(a), planes(b), strict=True))


def plain(frame_props: Mapping[str, Any]) -> dict[str, Any]:
    """Frame properties in a form that compares."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in frame_props.items() if k != "_Alpha"}


def digest(frame: vs.VideoFrame) -> str:
    """SHA-256 of a frame's samples, its alpha's, and what `vsanon` wrote into its properties."""
    answer = hashlib.sha256()
    for plane in planes(frame):
        answer.update(np.ascontiguousarray(plane))
    if "_Alpha" in frame.props:
        answer.update(np.array(frame.props["_Alpha"][0]))
    written = {k: v for k, v in sorted(plain(frame.props).items()) if k.startswith("Vsanon")}
    answer.update(repr(written).encode())
    return answer.hexdigest()
