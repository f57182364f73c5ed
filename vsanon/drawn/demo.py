"""A clip that vsanon draws itself: heads that face detectors take for faces, a car with a plate, exact truth.

Nothing in it comes from a photograph or from anyone's data. Every picture is a function of its frame number
alone, so a test may ask for any frame in any order.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import cos, hypot, pi, sin
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.drawn.backdrops import draw_park, draw_pillar, draw_street
from vsanon.drawn.canvas import Sprite
from vsanon.drawn.cars import draw_car
from vsanon.drawn.people import LOOKS, Look, draw_person
from vsanon.encode import RawVideo, encode, presets, run
from vsanon.errors import InputError
from vsanon.media import Color
from vsanon.timing import Timeline

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Corners = tuple[float, float, float, float]

FPS = 25
SHOTS = (75, 50)
"""Frames of each shot; a clip longer than their sum begins again, with new track ids."""

SHOT_NAMES = ("Street", "Park")

STAGE = (640, 360)
"""The size that the places and heights of the roles below are given in."""

SHARPNESS = 1.3
"""Sprites are drawn this much larger than they are shown, so that turning them costs no detail."""


@dataclass(frozen=True, slots=True)
class TruthBox:
    """What is where in frame `n`.

    `xyxy` is in pixels of the frame, end-exclusive, clipped to the frame: a face from forehead to chin and
    from ear to ear (as in WIDER FACE), a plate with its rim. `visible` is the share of the unclipped box that
    lies within the frame with nothing drawn in front of it; 0 means wholly hidden.
    """

    n: int
    track_id: int
    label: str
    xyxy: Corners
    visible: float


@dataclass(frozen=True, slots=True)
class _Path:
    """A straight way, `step` a frame, with the bob and sway of a walk.

    `at` is the place at the shot's start; `bob` in px, `roll` in radians, `stride` in frames; `grow` is the
    factor a frame.
    """

    at: tuple[float, float]
    step: tuple[float, float]
    bob: float = 0.0
    roll: float = 0.0
    grow: float = 1.0
    stride: float = 14.0


@dataclass(frozen=True, slots=True)
class _Role:
    """What goes which way in a shot; `height` is that of its truth box at the shot's start."""

    what: str
    height: float
    path: _Path
    yaw: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Actor:
    sprite: Sprite
    path: _Path
    scale: float


@dataclass(frozen=True, slots=True, eq=False)
class _Shot:
    """A background wider than the frame, slid left by `pan` px a frame, and its actors, farthest first."""

    background: U8
    pan: float
    actors: tuple[_Actor, ...]


# The roles of each shot stand in the order in which they are painted: the last one is in front.
_ROLES = (
    (
        _Role("face", 46, _Path((350, 124), (1.6, 0), bob=1.2, roll=0.02), yaw=0.2),
        _Role("pillar", 400, _Path((432, 170), (-0.9, 0))),
        _Role("face", 72, _Path((500, 152), (-7.2, 0), bob=2.2, roll=0.035, grow=1.001), yaw=-0.3),
        _Role("face", 90, _Path((-60, 178), (7.4, 0), bob=2.5, roll=0.03), yaw=0.25),
    ),
    (
        _Role("plate", 15, _Path((395, 262), (0.5, 0.35), grow=1.0035)),
        _Role("face", 54, _Path((690, 112), (-8.2, 0), bob=1.8, roll=0.03), yaw=-0.25),
        _Role("face", 110, _Path((150, 420), (0.4, -5.4), bob=1.5, roll=0.04, stride=30)),
    ),
)
_PAN = 0.9
_TRAVEL = 80


class Scene:
    """A drawn clip of `frames` pictures of `size` (width, height); `scene` says what is in it."""

    def __init__(self, size: tuple[int, int], frames: int, seed: int) -> None:
        if min(size) < 32 or frames < 1:
            raise ValueError(f"a scene needs 32x32 pixels and one frame at least, got {size} and {frames}")
        self.size = size
        self.frames = frames
        self._factor = (size[0] / STAGE[0], size[1] / STAGE[1])
        rng = np.random.default_rng(seed)
        looks = [LOOKS[i] for i in rng.permutation(len(LOOKS))]
        zoom = self._factor[1]
        wide = (size[0] + round(_TRAVEL * zoom), size[1])
        self._grain = rng.spawn(1)[0].normal(0, 2, (size[1] + 64, size[0] + 64, 1)).round().astype(np.int16)
        # Each drawing has a generator of its own: what it shows must not hang on the size of another.
        self._shots = tuple(
            _Shot(
                draw(wide, zoom, rng.spawn(1)[0]),
                _PAN * zoom,
                tuple(_cast(role, zoom, looks, rng.spawn(1)[0]) for role in roles),
            )
            for draw, roles in zip((draw_street, draw_park), _ROLES, strict=True)
        )

    @property
    def cuts(self) -> tuple[int, ...]:
        """The first frame of every shot but the first."""
        lap = sum(SHOTS)
        return tuple(n for n in range(1, self.frames) if n % lap in (0, SHOTS[0]))

    def frame(self, n: int) -> U8:
        """Picture `n`, (H, W, 3) uint8 RGB.

        Raises:
            IndexError: `n` lies outside the clip.
        """
        shot, at, _ = self._place(n)
        slide = np.array([[1, 0, -shot.pan * at], [0, 1, 0]])
        picture = np.asarray(cv2.warpAffine(shot.background, slide, self.size), np.uint8)
        for actor in shot.actors:
            window, layer = self._render(actor, at)
            under = picture[window].astype(np.uint16)
            picture[window] = layer[..., :3] + (under * (255 - layer[..., 3:]) + 127) // 255
        x, y = n * 37 % 64, n * 23 % 64
        grain = self._grain[y : y + self.size[1], x : x + self.size[0]]
        return (picture + grain).clip(0, 255).astype(np.uint8)

    def truth(self, n: int) -> list[TruthBox]:
        """The faces and plates within the limits of picture `n`, hidden ones too, by track id.

        Raises:
            IndexError: `n` lies outside the clip.
        """
        shot, at, first_id = self._place(n)
        hidden = np.zeros((self.size[1], self.size[0]), np.float32)
        boxes = []
        for i, actor in reversed(list(enumerate(shot.actors))):
            whole = self._box(actor, at)
            if actor.sprite.label and (seen := _visible(whole, hidden)) is not None:
                boxes.append(TruthBox(n, first_id + i, actor.sprite.label, *seen))
            window, layer = self._render(actor, at)
            hidden[window] = np.maximum(hidden[window], layer[..., 3] / np.float32(255))
        return boxes[::-1]

    def _place(self, n: int) -> tuple[_Shot, int, int]:
        """The shot of frame `n`, the frame within it, and the track id of its first actor."""
        if not 0 <= n < self.frames:
            raise IndexError(f"frame {n} of a clip of {self.frames} frames")
        lap, at = divmod(n, sum(SHOTS))
        first_id = 1 + lap * sum(len(roles) for roles in _ROLES)
        if at < SHOTS[0]:
            return self._shots[0], at, first_id
        return self._shots[1], at - SHOTS[0], first_id + len(_ROLES[0])

    def _pose(self, actor: _Actor, at: int) -> tuple[float, float, float, float]:
        """Where the actor's anchor is (x, y), its scale and its angle."""
        path = actor.path
        phase = 2 * pi * at / path.stride
        x = path.at[0] + path.step[0] * at
        y = path.at[1] + path.step[1] * at + path.bob * sin(2 * phase)
        scale = actor.scale * path.grow ** float(at)
        return x * self._factor[0], y * self._factor[1], float(scale), path.roll * sin(phase)

    def _render(self, actor: _Actor, at: int) -> tuple[tuple[slice, slice], U8]:
        """The window of the frame that the actor touches, and its (H, W, 4) layer there."""
        x, y, scale, angle = self._pose(actor, at)
        turn = scale * np.array([[cos(angle), -sin(angle)], [sin(angle), cos(angle)]])
        pixels, anchor = actor.sprite.pixels, np.array(actor.sprite.anchor)
        height, width = pixels.shape[:2]
        corners = (np.array([[0, 0], [width, 0], [0, height], [width, height]]) - anchor) @ turn.T + (x, y)
        x0, y0 = (int(v) for v in np.clip(np.floor(corners.min(0)), 0, self.size))
        x1, y1 = (int(v) for v in np.clip(np.ceil(corners.max(0)), 0, self.size))
        window = (slice(y0, y1), slice(x0, x1))
        if x0 >= x1 or y0 >= y1:
            return window, np.zeros((y1 - y0, x1 - x0, 4), np.uint8)
        # Pixel i of either picture has its middle at i + 0.5.
        shift = np.array([x - x0, y - y0]) - turn @ (anchor - 0.5) - 0.5
        layer = cv2.warpAffine(pixels, np.column_stack([turn, shift]), (x1 - x0, y1 - y0))
        return window, np.asarray(layer, np.uint8)

    def _box(self, actor: _Actor, at: int) -> Corners:
        """The actor's truth box, not clipped: that of a turned ellipse for a face, as it has no corners."""
        x, y, scale, angle = self._pose(actor, at)
        a, b = (scale * half for half in actor.sprite.half)
        if actor.sprite.label == "face":
            a, b = hypot(a * cos(angle), b * sin(angle)), hypot(a * sin(angle), b * cos(angle))
        return x - a, y - b, x + a, y + b


def scene(size: tuple[int, int] = STAGE, frames: int = 125, seed: int = 0) -> Scene:
    """A clip at 25 fps: three people pass in a street, a hard cut, two people and a car in a park.

    People come in and leave at the left, right and bottom edges, pass a pillar and each other. The first
    pictures do not depend on `frames`; `seed` deals the looks, the textures and the plate's text.

    Raises:
        ValueError: a side of `size` is below 32 px, or there is no frame.
    """
    return Scene(size, frames, seed)


def _cast(role: _Role, zoom: float, looks: list[Look], rng: np.random.Generator) -> _Actor:
    """Draw a role; a person takes the next look."""
    shown_px = role.height * zoom
    drawn_px = shown_px * SHARPNESS
    match role.what:
        case "face":
            sprite = draw_person(looks.pop(), role.yaw, drawn_px, rng)
        case "plate":
            sprite = draw_car(drawn_px, rng)
        case _:
            sprite = draw_pillar(drawn_px, rng)
    return _Actor(sprite, role.path, shown_px / (2 * sprite.half[1]))


def _visible(whole: Corners, hidden: F32) -> tuple[Corners, float] | None:
    """The box clipped to the frame and its visible share; None where it lies outside.

    `hidden` is (H, W), the opacity of all that is drawn in front.
    """
    height, width = hidden.shape
    x0, y0, x1, y1 = whole
    inner = (max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height)))
    if inner[0] >= inner[2] or inner[1] >= inner[3]:
        return None
    share = (inner[2] - inner[0]) * (inner[3] - inner[1]) / ((x1 - x0) * (y1 - y0))
    behind = hidden[int(inner[1]) : -int(-inner[3] // 1), int(inner[0]) : -int(-inner[2] // 1)]
    return inner, share * (1 - float(behind.mean()))


def write_demo(
    path: Path,
    *,
    size: tuple[int, int] = STAGE,
    frames: int = 125,
    on_frame: Callable[[int], None] | None = None,
) -> None:
    """Write the drawn clip: H.264 in BT.709, a tone in AAC, a chapter for each shot, and a timecode.

    The timecode starts at 10:00:00:00. The file appears at `path` only when it is complete.

    Args:
        path: the file to write, .mp4 or .mov; one that is there is replaced.
        size: (width, height), both even.
        frames: the number of pictures, at 25 fps.
        on_frame: called with `n` after picture `n` was handed to the encoder.

    Raises:
        InputError: `path` has another suffix, or a side of `size` is odd.
        EncodeError: ffmpeg failed.
        MissingError: there is no ffmpeg.
        ValueError: as of `scene`.
    """
    if path.suffix not in (".mp4", ".mov"):
        raise InputError(f"{path}: the demo clip is written as .mp4 or .mov, not as {path.suffix or 'no suffix'}.")
    if size[0] % 2 or size[1] % 2:
        raise InputError(f"the demo clip is 4:2:0 and needs an even width and height, got {size[0]}x{size[1]}.")
    clip = scene(size, frames)
    video = RawVideo(
        "yuv420p",
        size,
        Timeline(tuple(range(frames)), Fraction(1, FPS), Fraction(FPS)),
        sar=Fraction(1),
        color=Color("bt709", "bt709", "bt709", "tv", "left"),
    )
    preset = replace(presets.load("h264_crf"), suffix=path.suffix)
    partial = path.with_name(f"{path.name}.partial")
    with TemporaryDirectory(prefix="vsanon-demo-") as folder:
        beside = _write_beside(Path(folder), clip)
        pictures = (yuv420(clip.frame(n)) for n in range(frames))
        encode(pictures, video, preset, partial, source=beside, on_frame=on_frame)
    partial.replace(path)


def _write_beside(folder: Path, clip: Scene) -> Path:
    """Write a file that holds what goes beside the pictures: the tone, the chapters and the timecode."""
    seconds = clip.frames / FPS
    marks = (0, *clip.cuts, clip.frames)
    chapters = [
        f"[CHAPTER]\nTIMEBASE=1/{FPS}\nSTART={start}\nEND={stop}\ntitle={SHOT_NAMES[i % len(SHOT_NAMES)]}\n"
        for i, (start, stop) in enumerate(pairwise(marks))
    ]
    notes, beside = folder / "chapters.txt", folder / "beside.mov"
    notes.write_text(";FFMETADATA1\n" + "".join(chapters), encoding="utf-8")
    # A timecode track needs a picture that it belongs to; this one goes no further.
    run(
        [
            *("-f", "lavfi", "-i", f"color=size=16x16:rate={FPS}:duration={seconds}"),
            *("-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={seconds}"),
            *("-f", "ffmetadata", "-i", f"file:{notes}", "-map", "0:v", "-map", "1:a", "-map_chapters", "2"),
            *("-c:v", "mpeg4", "-c:a", "aac", "-b:a", "96k", "-flags:a", "+bitexact"),
            *("-timecode", "10:00:00:00", "-f", "mov", f"file:{beside}"),
        ]
    )
    return beside


def yuv420(rgb: U8) -> tuple[U8, U8, U8]:
    """Y, Cb, Cr of an (H, W, 3) picture of even sides: BT.709, limited range, 4:2:0 sited left."""
    red, green, blue = (rgb[..., i].astype(np.float32) / np.float32(255) for i in range(3))
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue

    def chroma(part: F32, span: float) -> U8:
        full = (part - luma) * np.float32(224 / span)
        # Sited left: a sample lies on an even column, and between two rows.
        before = np.concatenate([full[:, :1], full[:, 1:-1:2]], axis=1)
        across = (before + 2 * full[:, ::2] + full[:, 1::2]) / 4
        return np.asarray((128 + (across[::2] + across[1::2]) / 2).round(), np.uint8)

    return np.asarray((16 + 219 * luma).round(), np.uint8), chroma(blue, 1.8556), chroma(red, 1.5748)
