"""What a matrix asks for: sources, encodes and cells."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from vsanon.encode import presets
from vsanon.encode.variants import Changes, variant
from vsanon.validation.truth.scenes import FRAMES, Scene

AS_IS = "as_is"
"""In the place of a preset: the source is searched as it came."""

REFERENCE = "reference"
"""In the place of a truth file: what the setting `thorough` finds in the source itself."""


AXES = ("crf", "bit_rate", "gop", "b_frames", "pix_fmt", "scale", "fps", "denoise", "generations")


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A clip to measure on.

    Args:
        id: its name in the evidence.
        file: the file, None for a drawn scene.
        scene: one of `scene_roles.SETTINGS`, None for a file.
        take: of the scene.
        truth: a truth file, `REFERENCE`, or None: nothing is known.
        truth_kind: what kind of file the truth is; None: by its content.
        truth_class: of a truth file that names no class.
        frames: start and stop (exclusive) of what is measured; None: all.
        tags: conditions, such as light or weather, in words.
    """

    id: str
    file: Path | None = None
    scene: str | None = None
    take: int = 0
    truth: Path | str | None = None
    truth_kind: str | None = None
    truth_class: str = "face"
    frames: tuple[int, int] | None = None
    tags: Mapping[str, Any] = field(default_factory=dict)

    @property
    def all_tags(self) -> dict[str, Any]:
        """Its own, and those of its scene."""
        return {**(self.drawn().tags if self.scene is not None else {}), **self.tags}

    def drawn(self) -> Scene:
        """The scene, as far as it is measured.

        Raises:
            InputError: there is no such scene.
        """
        assert self.scene is not None
        frames = FRAMES if self.frames is None else min(FRAMES, self.frames[1])
        return Scene(self.scene, frames=frames, take=self.take)


@dataclass(frozen=True, slots=True)
class EncodeSpec:
    """How a source is encoded before it is searched.

    Args:
        preset: name or path of an ffmpeg preset; `AS_IS`: not at all.
        changes: what differs from the preset.
        scale: of width and height.
        fps: frames a second, fewer than the source's; None: the source's.
        generations: how many times in a row.
    """

    preset: str
    changes: Changes = field(default_factory=Changes)
    scale: float | None = None
    fps: Fraction | None = None
    generations: int = 1

    @property
    def axes(self) -> dict[str, Any]:
        """Every axis by name; None where it is the preset's or the source's own."""
        fps = None if self.fps is None else str(self.fps)
        return {**asdict(self.changes), "scale": self.scale, "fps": fps, "generations": self.generations}

    @property
    def id(self) -> str:
        """The preset and what differs, such as "h264_crf-crf28-gop50"."""
        usual = {"generations": 1}
        own = {k: v for k, v in self.axes.items() if v is not None and v != usual.get(k)}
        parts = [f"{k}{v:g}" if isinstance(v, float) else f"{k}{v}" for k, v in own.items()]
        return "-".join([Path(self.preset).stem, *parts]).replace("/", "_")

    def resolved(self) -> presets.Preset:
        """The ffmpeg preset.

        Raises:
            InputError: there is none, or its encoder has no such value.
        """
        return variant(presets.load(self.preset), self.changes)


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination; its id names its parts."""

    source: str
    encode: str
    setting: str
    profile: str
    delivery: str | None

    @property
    def id(self) -> str:
        """source/encode/setting/profile/delivery."""
        return "/".join([self.source, self.encode, self.setting, self.profile, self.delivery or "none"])
