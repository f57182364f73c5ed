"""The settings `fast`, `balanced` and `thorough`: for each class its models, scales and policy, as measured.

The figures behind them come from scripts/bench_detectors.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from vsanon.detectors.ensemble import Policy
from vsanon.detectors.scale import Scale
from vsanon.detectors.second_look import SecondLook

TILE_PX = 1280
LARGEST_PX = 2160
"""A face as high as a frame of 3840x2160."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one class is found.

    Args:
        models: names or paths of cards, or paths of ONNX files; all of them run.
        scale: what each of them must find ...
        policy: how their answers become one.
        scales: ... but for these, by name.
        second: how the first of them looks again at what it is not sure of; None for not at all.

    Raises:
        ValueError: no model, more votes than models, or a scale of another model.
    """

    models: tuple[str, ...]
    scale: Scale = field(default_factory=lambda: Scale(tile_px=TILE_PX))
    policy: Policy = field(default_factory=Policy)
    scales: Mapping[str, Scale] = field(default_factory=dict)
    second: SecondLook | None = None

    def __post_init__(self) -> None:
        if not self.models:
            raise ValueError("a class needs at least one model")
        if self.policy.min_votes > len(self.models):
            raise ValueError(f"{self.policy.min_votes} votes are wanted of {len(self.models)} models")
        if others := [name for name in self.scales if name not in self.models]:
            raise ValueError(f"{others[0]} has a scale, and is none of the models {', '.join(self.models)}")

    def scale_of(self, model: str) -> Scale:
        """What one of the models must find."""
        return self.scales.get(model, self.scale)


def _plates(scale: Scale) -> Recipe:
    # What the second look asks for was measured with this model.
    return Recipe(("plates",), scale, second=SecondLook())


# In a 1920x1080 frame the picture of 640 alone finds one in two faces of 13 to 46 px. With the finer looks of
# `fast` and `balanced` all from 24 px are found, with those of `thorough` all from 12. CenterFace finds more hidden
# and turned faces than YuNet n at the same price in false boxes, for four times the time.
SETTINGS: Mapping[str, Mapping[str, Recipe]] = {
    "fast": {
        "face": Recipe(("yunet_n",), Scale(min_object_px=24, tile_px=TILE_PX)),
        "plate": _plates(Scale(min_object_px=20, max_object_px=LARGEST_PX, tile_px=TILE_PX)),
    },
    "balanced": {
        "face": Recipe(("centerface",), Scale(min_object_px=24, fine=(8, 1280), tile_px=TILE_PX)),
        "plate": _plates(Scale(min_object_px=18, max_object_px=LARGEST_PX, fine=(9, 1280), tile_px=TILE_PX)),
    },
    "thorough": {
        "face": Recipe(("centerface",), Scale(min_object_px=8, max_object_px=LARGEST_PX, tile_px=TILE_PX)),
        "plate": _plates(Scale(min_object_px=8, max_object_px=LARGEST_PX, tile_px=TILE_PX, step=2.0)),
    },
}
"""By name, then by class."""

DEFAULT = "balanced"

DEFAULT_CLASSES = ("face", "plate")
"""What is covered where nobody names classes."""


def models_of(*settings: str) -> tuple[str, ...]:
    """Every model of these settings, or of all, once."""
    return tuple(
        dict.fromkeys(
            m for name in settings or SETTINGS for recipe in SETTINGS[name].values() for m in recipe.models
        )
    )
