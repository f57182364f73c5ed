"""The settings `fast`, `balanced` and `thorough`: for each class its models, scales and policy, as measured.

The figures behind them come from scripts/bench_detectors.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from vsanon.detectors.ensemble import Policy
from vsanon.detectors.scale import Scale

TILE_PX = 1280


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one class is found.

    Args:
        models: names or paths of cards, or paths of ONNX files; all of them run.
        scale: what each of them must find.
        policy: how their answers become one.

    Raises:
        ValueError: no model, or more votes than models.
    """

    models: tuple[str, ...]
    scale: Scale = field(default_factory=lambda: Scale(tile_px=TILE_PX))
    policy: Policy = field(default_factory=Policy)

    def __post_init__(self) -> None:
        if not self.models:
            raise ValueError("a class needs at least one model")
        if self.policy.min_votes > len(self.models):
            raise ValueError(f"{self.policy.min_votes} votes are wanted of {len(self.models)} models")


SETTINGS: Mapping[str, Mapping[str, Recipe]] = {
    "fast": {"face": Recipe(("yunet_n",), Scale(tile_px=TILE_PX))},
    "balanced": {"face": Recipe(("centerface",), Scale(tile_px=TILE_PX))},
    "thorough": {
        "face": Recipe(
            ("centerface", "yunet_n"), Scale(min_object_px=10, max_object_px=4320, tile_px=TILE_PX, step=2.5)
        )
    },
}
"""By name, then by class."""

DEFAULT = "balanced"
