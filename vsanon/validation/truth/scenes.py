"""Drawn clips with exact truth, so that a matrix runs without anyone's data.

Every picture is a function of the scene and its number alone. Nothing in it comes from a photograph.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from vsanon.drawn.backdrops import draw_pillar
from vsanon.drawn.cars import draw_car
from vsanon.drawn.compositing import Actor, cast, compose, shown
from vsanon.drawn.demo import yuv420
from vsanon.drawn.people import LOOKS, Look, draw_person
from vsanon.encode import EncodeReport, RawVideo, encode, presets
from vsanon.errors import InputError
from vsanon.media import Color
from vsanon.timing import Timeline
from vsanon.validation.truth.boxes import Truth
from vsanon.validation.truth.files import write_truth
from vsanon.validation.truth.scene_roles import SETTINGS, STAGE, U8, Role, taken

FPS = Fraction(25)
FRAMES = 75
SHARPNESS = 1.3
"""Sprites are drawn this much larger than they are shown, so that turning them costs no detail."""
SEEN = 0.9
"""From this visible share on a box is not occluded."""
COUNTS = 0.5
"""Below this visible share a box is ignored: too much of it is hidden, or lies outside the frame."""
HIDDEN = 0.05
"""Below this one it has no truth at all."""
READABLE_PX = 10
"""Plates as high as this can be read where they are not occluded and not smeared over a third of that."""
_GRAIN = 256


@dataclass(frozen=True)
class Scene:
    """A drawn clip.

    Args:
        name: of its setting, one of `SETTINGS`.
        size: (width, height), pixels; both even, 64 or more.
        fps: frames a second; the ways are given in frames.
        frames: how many.
        seed: deals the looks, the textures, the grain and the plates' text.
        take: from 1 on, everybody is somebody else, of another size, and goes another way; the light stays.

    Raises:
        InputError: there is no such setting, or a value can't be.
    """

    name: str
    size: tuple[int, int] = STAGE
    fps: Fraction = FPS
    frames: int = FRAMES
    seed: int = 0
    take: int = 0

    def __post_init__(self) -> None:
        if self.name not in SETTINGS:
            raise InputError(f"no scene has the name {self.name!r}; known are {', '.join(SETTINGS)}.")
        width, height = self.size
        if (
            min(self.size) < 64
            or width % 2
            or height % 2
            or self.frames < 1
            or self.fps <= 0
            or min(self.seed, self.take) < 0
        ):
            raise InputError(
                f"the scene {self.name} needs even sides from 64 px up, a frame, a rate above 0, and seed and "
                f"take from 0 up; got {width}x{height}, {self.frames} frames at {self.fps}, seed {self.seed}, "
                f"take {self.take}."
            )

    @property
    def tags(self) -> Mapping[str, str]:
        """What a report says of it."""
        return SETTINGS[self.name].tags

    @property
    def video(self) -> RawVideo:
        """What its frames are once they are written."""
        timeline = Timeline(tuple(range(self.frames)), 1 / self.fps, self.fps)
        color = Color("bt709", "bt709", "bt709", "tv", "left")
        return RawVideo("yuv420p", self.size, timeline, sar=Fraction(1), color=color)

    @property
    def identity(self) -> str:
        """Which scene it is, whatever its size and however much of it is drawn."""
        return f"{self.name} {self.seed} {self.take}"

    def frame(self, n: int) -> U8:
        """Picture `n`, (H, W, 3) uint8 RGB.

        Raises:
            IndexError: `n` lies outside the clip.
        """
        if not 0 <= n < self.frames:
            raise IndexError(f"frame {n} of a clip of {self.frames} frames")
        setting, props = SETTINGS[self.name], _props(self.name, self.size, self.seed, self.take)
        pan = setting.pan * self.size[1] / STAGE[1] * n % props.travel
        slide = np.array([[1, 0, -pan], [0, 1, 0]])
        picture = np.asarray(cv2.warpAffine(props.background, slide, self.size), np.uint8)
        layers = [layer for actor in props.actors if (layer := actor.layer(n, self.size)) is not None]
        picture = compose(picture, layers)
        if setting.exposure != 1:
            picture = np.asarray(cv2.LUT(picture, _darker(setting.exposure)), np.uint8)
        x, y = n * 97 % _GRAIN, n * 151 % _GRAIN
        window = slice(y, y + self.size[1]), slice(x, x + self.size[0])
        return np.asarray(cv2.subtract(cv2.add(picture, props.lighter[window]), props.darker[window]), np.uint8)

    def truth(self) -> Truth:
        """The exact boxes of all pictures, faces and plates, clipped to the frame.

        Identities are numbered from 1 in the order of the roles. A box of which less than `COUNTS` is visible is
        ignored, one of which less than `SEEN` is visible is occluded.
        """
        actors = _props(self.name, self.size, self.seed, self.take).actors
        rows = [
            (n, i + 1, actors[i].label, box, share)
            for n in range(self.frames)
            for i, box, share in shown(actors, n, self.size)
            if share >= HIDDEN
        ]
        boxes = np.array([row[3] for row in rows], np.float32).reshape(-1, 4)
        seen = np.array([row[4] for row in rows])
        plate = np.array([row[2] == "plate" for row in rows], np.bool_)
        blur = np.array([actors[row[1] - 1].blur_px for row in rows])
        high = boxes[:, 3] - boxes[:, 1]
        return Truth(
            frames=np.array([row[0] for row in rows], np.int64),
            ids=np.array([row[1] for row in rows], np.int64),
            classes=np.array([row[2] for row in rows], np.str_),
            xyxy=boxes,
            ignore=seen < COUNTS,
            occluded=seen < SEEN,
            readable=plate & (seen >= SEEN) & (high >= READABLE_PX) & (3 * blur < high),
        )

    def conditions(self) -> Mapping[tuple[str, int], Mapping[str, float | str]]:
        """How each identity is shown, by class and id: height and blur at frame 0 in pixels, and the light."""
        light = self.tags["light"]
        return {
            (actor.label, i): {
                "height_px": round(actor.box(0)[3] - actor.box(0)[1], 2),
                "blur_px": round(actor.blur_px, 2),
                "light": light,
            }
            for i, actor in enumerate(_props(self.name, self.size, self.seed, self.take).actors, start=1)
            if actor.label
        }


def write_scene(scene: Scene, path: Path, *, on_frame: Callable[[int], None] | None = None) -> EncodeReport:
    """Write a scene without loss: FFV1, BT.709, 8-bit 4:2:0; and its truth as CSV beside it.

    Args:
        scene: what is drawn.
        path: the file to write, .mkv; its truth goes to the same name with .csv.
        on_frame: called with `n` after picture `n` was handed to the encoder.

    Raises:
        InputError: `path` has another suffix, or the truth can't be written.
        EncodeError: ffmpeg failed.
        MissingError: there is no ffmpeg.
    """
    if path.suffix != ".mkv":
        raise InputError(f"{path}: a scene is written as .mkv, not as {path.suffix or 'no suffix'}.")
    pictures: Iterator[tuple[U8, U8, U8]] = (yuv420(scene.frame(n)) for n in range(scene.frames))
    report = encode(pictures, scene.video, presets.load("ffv1"), path, on_frame=on_frame)
    write_truth(path.with_suffix(".csv"), scene.truth())
    return report


@dataclass(frozen=True, slots=True, eq=False)
class _Props:
    """What is drawn once: the background, `travel` px wider than the frame, the grain, and the cast."""

    background: U8
    travel: int
    lighter: U8
    darker: U8
    actors: tuple[Actor, ...]


@lru_cache(maxsize=4)
def _props(name: str, size: tuple[int, int], seed: int, take: int) -> _Props:
    setting = SETTINGS[name]
    # Each drawing has a generator of its own: what it shows must not hang on the size of another.
    streams = iter(np.random.default_rng([seed, take] if take else seed).spawn(3 + len(setting.roles)))
    zoom, travel = size[1] / 360, round(size[1] / 2)
    background = setting.background((size[0] + travel, size[1]), zoom, next(streams))
    grain = next(streams).normal(0, setting.noise, (size[1] + _GRAIN, size[0] + _GRAIN, 1)).round()
    grain = np.repeat(grain.astype(np.int16), 3, axis=2)
    looks = next(streams)
    roles = taken(setting.roles, np.random.default_rng([seed, take, 1])) if take else setting.roles
    return _Props(
        background=background,
        travel=travel,
        lighter=grain.clip(0, 255).astype(np.uint8),
        darker=(-grain).clip(0, 255).astype(np.uint8),
        actors=tuple(_cast(role, size, looks, stream) for role, stream in zip(roles, streams, strict=True)),
    )


def _cast(role: Role, size: tuple[int, int], looks: np.random.Generator, rng: np.random.Generator) -> Actor:
    across, zoom = size[0] / STAGE[0], size[1] / STAGE[1]
    shown_px = role.height_px * zoom
    drawn_px = max(shown_px, 8) * SHARPNESS
    way = role.way
    way = replace(
        way,
        at=(way.at[0] * across, way.at[1] * zoom),
        step=(way.step[0] * across, way.step[1] * zoom),
        bob=way.bob * zoom,
    )
    match role.what:
        case "face":
            sprite = draw_person(_look(looks), role.yaw, drawn_px, rng)
        case "plate":
            sprite = draw_car(drawn_px, rng)
        case _:
            sprite = draw_pillar(drawn_px, rng)
    yaw = role.yaw if role.what == "plate" else 0.0
    return cast(sprite, shown_px, way, yaw=yaw, blur_px=role.blur_px * zoom)


def _look(rng: np.random.Generator) -> Look:
    """A person of whom each part is one of those in `LOOKS`."""
    skin, hair, coat, shirt, kind = (LOOKS[i] for i in rng.integers(0, len(LOOKS), 5))
    return replace(kind, skin=skin.skin, hair=hair.hair, coat=coat.coat, shirt=shirt.shirt)


@lru_cache(maxsize=8)
def _darker(exposure: float) -> U8:
    """8-bit steps with this share of the light, by the gamma of 2.4 that screens have."""
    steps = np.arange(256) * np.float64(exposure ** (1 / 2.4))
    return np.asarray(steps.round(), np.uint8)
