"""Many subjects on one clip, each drifting in a tile of its own; and what is cut out around them afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon import filters
from vsanon.detections import Detections
from vsanon.drawn.demo import yuv420
from vsanon.encode import RawVideo, encode, presets
from vsanon.encode.presets import Preset
from vsanon.encode.variants import Changes, variant
from vsanon.job.frames import frames_of, planes_of, raw_video
from vsanon.media import Color
from vsanon.media.source import open_source
from vsanon.timing import Timeline

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

SIZE = (1280, 720)
FPS = Fraction(25)
FRAMES = 8
"""Of a track."""

CODECS: dict[str, tuple[str, int | None]] = {
    "ProRes HQ": ("prores_hq", None), "H.264 CRF 18": ("h264_crf", 18), "H.264 CRF 28": ("h264_crf", 28),
}  # fmt: skip
PLAIN = "plain"
"""The look of what is not covered at all."""


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A clip that shows many subjects.

    Args:
        path: the clip as a camera wrote it, H.264 at CRF 18.
        boxes: (FRAMES, n, 4) float64, the true box of each subject in each frame, pixels.
        label: the class that they are covered as.
    """

    path: Path
    boxes: F64
    label: str


def tiles(tile: tuple[int, int]) -> int:
    """How many subjects of (width, height) a sheet holds."""
    return (SIZE[0] // tile[0]) * (SIZE[1] // tile[1])


def make_sheet(
    path: Path,
    pictures: Sequence[U8],
    boxes: Sequence[tuple[float, float, float, float]],
    *,
    tile: tuple[int, int],
    height_px: float,
    label: str,
    seed: int,
) -> Sheet:
    """Draw subjects on a ground, and encode the clip as a camera would.

    Args:
        pictures: (H, W, 3) uint8 RGB each, at most `tiles(tile)`; what lies around the box is shown as far as the
            tile reaches.
        boxes: of each subject within its picture, pixels.
        height_px: how high a box is shown.
        label: the class that they are to be covered as.
        seed: of grounds and ways.
    """
    rng = np.random.default_rng([seed, 1])
    columns = SIZE[0] // tile[0]
    coarse = rng.uniform(60, 190, (SIZE[1] // 40, SIZE[0] // 40, 3)).astype(np.float32)
    ground = cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC) + rng.normal(0, 3, (SIZE[1], SIZE[0], 3))
    starts, steps = rng.uniform(-1.5, 1.5, (len(pictures), 2)), rng.uniform(-0.45, 0.45, (len(pictures), 2))
    shown, found = [], np.zeros((FRAMES, len(pictures), 4))
    for n in range(FRAMES):
        frame = ground.copy()
        for k, (picture, box) in enumerate(zip(pictures, boxes, strict=True)):
            left, top = k % columns * tile[0], k // columns * tile[1]
            scale = height_px / (box[3] - box[1])
            x, y = np.array([left + tile[0] / 2, top + tile[1] / 2]) + starts[k] + steps[k] * (n - FRAMES / 2)
            middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
            turn = np.array([[scale, 0, x - scale * middle[0]], [0, scale, y - scale * middle[1]]])
            half = np.array([box[2] - box[0], box[3] - box[1]]) * scale / 2
            found[n, k] = x - half[0], y - half[1], x + half[0], y + half[1]
            _lay(frame, picture, turn, (left, top, left + tile[0], top + tile[1]))
        shown.append(np.clip(np.rint(frame), 0, 255).astype(np.uint8))
    video = RawVideo("yuv420p", SIZE, Timeline(tuple(range(FRAMES)), 1 / FPS, FPS), sar=Fraction(1),
                     color=Color("bt709", "bt709", "bt709", "tv", "left"))  # fmt: skip
    encode((yuv420(f) for f in shown), video, _preset("h264_crf", 18), path)
    return Sheet(path, found, label)


def cover_sheet(sheet: Sheet, look: str, folder: Path, seed: int = 0) -> dict[str, list[U8]]:
    """Cover a sheet by the public filters, encode it by each of `CODECS`, and read it back.

    Args:
        look: a profile, or `PLAIN`.
        folder: for the encoded files, which are removed.

    Returns:
        By codec, the luma and chroma of each frame: (H, W, 3) uint8, chroma as large as luma.
    """
    source = open_source(sheet.path)
    clip = source.clip
    if look != PLAIN:
        known = [
            Detections(b.astype(np.float32), np.ones(len(b), np.float32), (sheet.label,) * len(b))
            for b in sheet.boxes
        ]
        tracks = filters.track(filters.given(clip, known, seed=seed))
        clip = filters.blur(clip, tracks, profile=look, grid=filters.grid_of(source.video.codec))
    video = raw_video(source)
    covered = [[np.array(p) for p in planes_of(frame, video.pix_fmt)] for frame in frames_of(clip)]
    answers = {}
    for name, (preset, crf) in CODECS.items():
        chosen = _preset(preset, crf)
        path = folder / f"{sheet.path.stem}_{look}_{chosen.name}{crf or ''}{chosen.suffix}"
        encode(covered, video, chosen, path)
        answers[name] = _read(path)
        path.unlink()
    return answers


def cut_out(frames: Sequence[U8], boxes: F64, *, size: tuple[int, int], reach: float) -> U8:
    """What is seen at the boxes: (n, frames, h, w, 3) uint8, laid so that the boxes coincide.

    Args:
        frames: of `cover_sheet`.
        boxes: (frames, n, 4) the true boxes.
        size: (w, h) of an answer, pixels.
        reach: how much is shown, in sizes of the box.
    """
    found = np.empty((boxes.shape[1], len(frames), size[1], size[0], 3), np.uint8)
    for n, frame in enumerate(frames):
        for k, (x0, y0, x1, y1) in enumerate(boxes[n].tolist()):
            across, down = size[0] / (reach * (x1 - x0)), size[1] / (reach * (y1 - y0))
            x, y = (x0 + x1) / 2 - 0.5, (y0 + y1) / 2 - 0.5
            lay = np.array([[across, 0, size[0] / 2 - 0.5 - across * x], [0, down, size[1] / 2 - 0.5 - down * y]])
            # Where a box is larger than the answer, pixels are averaged; else they are interpolated.
            shrunk = min(across, down) < 0.8
            if shrunk:
                lay *= 2
                lay[:, 2] += 0.5
                large = cv2.warpAffine(frame, lay, (2 * size[0], 2 * size[1]), borderMode=cv2.BORDER_REPLICATE)
                found[k, n] = cv2.resize(large, size, interpolation=cv2.INTER_AREA)
            else:
                found[k, n] = cv2.warpAffine(frame, lay, size, flags=cv2.INTER_CUBIC,
                                             borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    return found


def _lay(frame: F64, picture: U8, turn: F64, window: tuple[int, int, int, int]) -> None:
    """Lay a picture over a frame, within a window of it; what shrinks is averaged first."""
    left, top, right, bottom = window
    scale = turn[0, 0]
    shrunk = np.asarray(picture)
    if scale < 0.7:
        small = max(round(picture.shape[1] * scale), 1), max(round(picture.shape[0] * scale), 1)
        shrunk = np.asarray(cv2.resize(picture, small, interpolation=cv2.INTER_AREA))
        factor = np.array([small[0] / picture.shape[1], small[1] / picture.shape[0]])
        turn = turn.copy()
        turn[0, 0] /= factor[0]
        turn[1, 1] /= factor[1]
    shift = turn.copy()
    # Middles of pixels lie at halves, in the picture and in the window.
    shift[0, 2] += 0.5 * turn[0, 0] - 0.5 - left
    shift[1, 2] += 0.5 * turn[1, 1] - 0.5 - top
    size = right - left, bottom - top
    laid = cv2.warpAffine(shrunk.astype(np.float32), shift, size, borderMode=cv2.BORDER_CONSTANT)
    weight = cv2.warpAffine(np.ones(shrunk.shape[:2], np.float32), shift, size)[..., None]
    part = frame[top:bottom, left:right]
    part *= 1 - weight
    part += laid


def _preset(name: str, crf: int | None) -> Preset:
    found = presets.load(name)
    return found if crf is None else variant(found, Changes(crf=crf))


def _read(path: Path) -> list[U8]:
    source = open_source(path)
    video = raw_video(source)
    frames = []
    for frame in frames_of(source.clip):
        planes = [np.asarray(p) for p in planes_of(frame, video.pix_fmt)]
        if planes[0].dtype != np.uint8:
            planes = [np.rint(p / 4.0).clip(0, 255).astype(np.uint8) for p in planes]  # ten bits
        rows, columns = planes[0].shape
        frames.append(np.stack([np.asarray(cv2.resize(p, (columns, rows))) for p in planes], axis=-1))
    return frames
