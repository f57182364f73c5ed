"""What a job on a file does: one frozen value for every choice, and its description for track file and ledger."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import vsanon
from vsanon import filters
from vsanon.covering.effects import PROFILES
from vsanon.detectors import resolve
from vsanon.detectors.recipes import DEFAULT, Recipe
from vsanon.detectors.zones import Zone
from vsanon.encode import KEEP
from vsanon.errors import InputError
from vsanon.filters.detect import recipes_for
from vsanon.media.source import SOURCE_FILTER, Source
from vsanon.models import CPU, ModelCard
from vsanon.tracking.between import spacing_of
from vsanon.tracking.cover import TrackSettings


@dataclass(frozen=True, slots=True)
class Settings:
    """What a job does; every field goes into the ledger.

    Args:
        classes, models, setting, size, min_object_px, max_object_px, family, threshold,
        stride, ignore, provider: as for `filters.detect`.
        track: as for `filters.track`.
        preset: name or path of an ffmpeg preset.
        profile: as for `filters.blur`.
        grid: block grid, pixels; None goes by the source's codec.
        on_missing: as for `filters.blur`.
        same_picture: as for `filters.blur` and `filters.load`.
        keep: what goes with the picture; some of `encode.KEEP`.
        across_cuts: link identities across cuts too, by colours and size; what is covered does not depend on it.

    Raises:
        ValueError: no class, or an unknown profile.
        InputError: not a stride.
    """

    classes: tuple[str, ...] = ("face",)
    models: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    setting: str = DEFAULT
    size: int | None = None
    min_object_px: float | None = None
    max_object_px: float | None = None
    family: str | None = None
    threshold: float | None = None
    stride: int | str = 1
    provider: str = CPU
    ignore: tuple[Zone, ...] = ()
    track: TrackSettings = field(default_factory=TrackSettings)
    preset: str = "h264_crf"
    profile: str = "strict"
    grid: int | None = None
    on_missing: str = "error"
    same_picture: bool = True
    keep: frozenset[str] = KEEP
    across_cuts: bool = False

    def __post_init__(self) -> None:
        if not self.classes:
            raise ValueError("name at least one class to cover")
        spacing_of(self.stride)
        if self.profile not in PROFILES:
            raise ValueError(f"profile is one of {', '.join(PROFILES)}, not {self.profile!r}")

    @property
    def search(self) -> dict[str, Any]:
        """The arguments of `filters.detect`."""
        names = ("classes", "models", "setting", "size", "min_object_px", "max_object_px", "family", "threshold",
                 "stride", "ignore", "provider")  # fmt: skip
        return {name: getattr(self, name) for name in names}

    def recipes(self) -> dict[str, Recipe]:
        """How each class is found.

        Raises:
            InputError: a class has no model, or a value lies outside what it can be.
        """
        known = filters.DEFAULT_MODELS.keys() | self.models.keys()
        if without := [name for name in self.classes if name not in known]:
            raise InputError(
                f"no model finds {without[0]!r} by itself: name one with --model {without[0]}=CARD (see "
                "`vsanon models list`), or leave the class out"
            )
        search = self.search
        for name in ("family", "threshold", "stride", "ignore", "provider"):
            del search[name]
        return recipes_for(**search)

    def cards(self) -> dict[str, tuple[ModelCard, ...]]:
        """The cards of the models that run, by class.

        Raises:
            InputError: as for `recipes`, or there is no such card.
            MissingError: an ONNX file can't be read.
        """
        recipes = self.recipes()
        found = {}
        for model in dict.fromkeys(m for recipe in recipes.values() for m in recipe.models):
            served = [name for name, recipe in recipes.items() if model in recipe.models]
            own: dict[str, Any] = {"family": self.family, "classes": served} if model.endswith(".onnx") else {}
            found[model] = resolve(model, **own)
        return {name: tuple(found[model] for model in recipe.models) for name, recipe in recipes.items()}


def track_header(source: Source, settings: Settings) -> dict[str, Any]:
    """What a track file says of its clip and of how it was made; names of folders are left out."""
    cards = settings.cards()
    once = {card.name: card for used in cards.values() for card in used}
    search = {name: value for name, value in settings.search.items() if name != "models"}
    return {
        "vsanon": vsanon.__version__,
        "frames": source.clip.num_frames,
        "size": [source.clip.width, source.clip.height],
        "fps": str(source.timeline.fps),
        "source_filter": f"{SOURCE_FILTER}, {source.filter_version}",
        "models": [card.facts for card in once.values()],
        "settings": {
            **search,
            "classes": list(settings.classes),
            "models": {name: [card.name for card in used] for name, used in cards.items()},
            "scales": {name: asdict(recipe.scale) for name, recipe in settings.recipes().items()},
            "policies": {name: asdict(recipe.policy) for name, recipe in settings.recipes().items()},
            "track": asdict(settings.track),
            "across_cuts": settings.across_cuts,
        },
    }
