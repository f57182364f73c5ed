"""What is looked for in a clip, and how: one value for filters, jobs, matrices and the command line."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Self

from vsanon.detectors import require_finds, resolve
from vsanon.detectors.recipes import DEFAULT, DEFAULT_CLASSES, SETTINGS, Recipe
from vsanon.detectors.scale import Scale, heights
from vsanon.detectors.turned import check_turned
from vsanon.detectors.zones import Zone
from vsanon.errors import InputError
from vsanon.models import CPU, ModelCard
from vsanon.tracking.strides import spacing_of


@dataclass(frozen=True, slots=True)
class Search:
    """How a clip is searched; valid from birth, but for what only the clip or the machine can tell.

    Lists become tuples, and one model for a class a tuple of one.

    Args:
        classes: what to find.
        models: a model for each class, or several: the name or path of a card, or the path of an ONNX file;
            unnamed classes take those of the setting.
        setting: "fast", "balanced" or "thorough": models, scales and policy, see `detectors.recipes`.
        size: the longer side of the picture of the whole clip that a model sees, pixels. Given alone, it is the
            only picture; None takes the setting's. Clips are not enlarged to it, and a model of one size sees
            that size.
        min_object_px: the height of the smallest object that must be found, pixels of the clip: finer looks
            are added, in tiles where they get large. None takes the setting's.
        max_object_px: the height of the largest; coarser looks are added. None takes the setting's.
        family: the decoder for models that are ONNX files without a card.
        threshold: the least score; None takes each model's own.
        stride: 1 searches every frame, N every Nth and both sides of cuts; "auto" every eighth, both sides of cuts,
            and those between that need it. What lies between is followed, see `vsanon.tracking.between`.
        ignore: zones (x0, y0, x1, y1), pixels, that are not searched: bars, a clock, a poster. Beyond the rectangle
            that holds all else no model looks, which saves time; boxes that lie in a zone are left out.
        turned: by how many degrees clockwise the picture must be turned to be upright: 0, 90, 180 or 270; "auto"
            finds out by a sample of frames, see `filters.settled`. Models see it upright, the clip stays as it is.
        provider: where models run, see `models.runtime`; the scores of two providers differ in their last digits.

    Raises:
        InputError: no class, a class without a model, or a value outside what it can be.

    Examples:
        >>> Search(classes=["face", "plate"], models={"face": "yunet_n"}).models
        {'face': ('yunet_n',)}
        >>> Search(stride=0)
        Traceback (most recent call last):
        vsanon.errors.InputError: ...
    """

    classes: Sequence[str] = DEFAULT_CLASSES
    models: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    setting: str = DEFAULT
    size: int | None = None
    min_object_px: float | None = None
    max_object_px: float | None = None
    family: str | None = None
    threshold: float | None = None
    stride: int | str = 1
    ignore: Sequence[Zone] = ()
    turned: int | str = 0
    provider: str = CPU

    def __post_init__(self) -> None:
        if not self.classes or isinstance(self.classes, str):
            raise InputError(f'classes is a list such as ["face"], got {self.classes!r}')
        if self.setting not in SETTINGS:
            raise InputError(f"setting is one of {', '.join(SETTINGS)}, not {self.setting!r}")
        if self.size is not None and not isinstance(self.size, int):
            raise InputError(
                f"size is the longer side of the model's picture, at least 32 pixels, got {self.size!r}"
            )
        spacing_of(self.stride)
        check_turned(self.turned)
        models = {name: (named,) if isinstance(named, str) else tuple(named) for name, named in self.models.items()}
        zones = tuple(tuple(zone) if isinstance(zone, Sequence) else zone for zone in self.ignore)
        for name, value in (("classes", tuple(dict.fromkeys(self.classes))), ("models", models), ("ignore", zones)):
            object.__setattr__(self, name, value)
        self.recipes()

    @classmethod
    def of(cls, search: Self | None, keywords: Mapping[str, Any]) -> Self:
        """A search, or the default one, with some of its fields given as keywords.

        Raises:
            InputError: a keyword is none of its fields, or has a value outside what it can be.
        """
        known = [entry.name for entry in fields(cls)]
        if unknown := [name for name in keywords if name not in known]:
            raise InputError(f"a search has no {unknown[0]!r}; it has {', '.join(known)}")
        # A script may say models=None for the setting's.
        given = {name: value for name, value in keywords.items() if (name, value) != ("models", None)}
        if search is None:
            return cls(**given)
        if not isinstance(search, cls):
            raise InputError(f"search is a Search, got {type(search).__name__}; name its fields as keywords")
        return replace(search, **given)

    def recipes(self) -> dict[str, Recipe]:
        """How each class is found."""
        recipes = {}
        for name in self.classes:
            recipe, named = SETTINGS[self.setting].get(name), self.models.get(name)
            try:
                if named is not None:
                    recipe = _with_models(recipe, tuple(named)) if recipe else Recipe(tuple(named))
                if recipe is None:
                    raise InputError(
                        f"no model finds {name!r} by itself: name one with models={{{name!r}: CARD}} or --model "
                        f"{name}=CARD (see `vsanon models list`), or leave the class out"
                    )
                scales = {model: self._scale(scale) for model, scale in recipe.scales.items()}
                recipes[name] = replace(recipe, scale=self._scale(recipe.scale), scales=scales)
            except ValueError as error:
                raise InputError(f"{name}: {error}") from error
        return recipes

    def served(self) -> dict[str, tuple[str, ...]]:
        """Each model once, in the order of the classes, with the classes that it finds."""
        recipes = self.recipes()
        models = dict.fromkeys(model for recipe in recipes.values() for model in recipe.models)
        return {model: tuple(n for n, recipe in recipes.items() if model in recipe.models) for model in models}

    def own(self, model: str) -> dict[str, Any]:
        """What must be said of a model when it is opened: family and classes of an ONNX file without a card."""
        return {"family": self.family, "classes": self.served()[model]} if model.endswith(".onnx") else {}

    def cards(self) -> dict[str, tuple[ModelCard, ...]]:
        """The cards of the models that run, by class.

        Raises:
            InputError: there is no such card, or its model does not find the class that it is named for.
            MissingError: an ONNX file can't be read.
        """
        found = {model: resolve(model, **self.own(model)) for model in self.served()}
        for model, names in self.served().items():
            require_finds(found[model], names)
        return {name: tuple(found[model] for model in recipe.models) for name, recipe in self.recipes().items()}

    def facts(self) -> dict[str, Any]:
        """What track file, ledger and evidence say of it; models by the names of their cards, without folders."""
        recipes = self.recipes()
        return {
            **{entry.name: getattr(self, entry.name) for entry in fields(self)},
            "classes": list(self.classes),
            "models": {name: [card.name for card in used] for name, used in self.cards().items()},
            "scales": {name: asdict(recipe.scale) for name, recipe in recipes.items()},
            "scales_of_models": {
                m: asdict(scale) for recipe in recipes.values() for m, scale in recipe.scales.items()
            },
            "policies": {name: asdict(recipe.policy) for name, recipe in recipes.items()},
            "second_looks": {name: asdict(r.second) for name, r in recipes.items() if r.second is not None},
        }

    def least_scores(self) -> dict[str, float]:
        """The score from which a box of each model counts by its own card."""
        return {card.name: card.threshold for used in self.cards().values() for card in used}

    def heights(self, frame: tuple[int, int]) -> dict[str, tuple[float, float]]:
        """The heights of the smallest and of the largest thing of each class that its models are shown, pixels.

        Of the best of its models, or where several must agree of the worst.

        Args:
            frame: (width, height), pixels.
        """
        cards, found = self.cards(), {}
        for name, recipe in self.recipes().items():
            low, high = zip(
                *(
                    heights(frame, card.input, card.reach, recipe.scale_of(model))
                    for model, card in zip(recipe.models, cards[name], strict=True)
                ),
                strict=True,
            )
            found[name] = (min(low), max(high)) if recipe.policy.min_votes == 1 else (max(low), min(high))
        return found

    def _scale(self, scale: Scale) -> Scale:
        """A setting's scale with what was asked for; a size asked for alone is the only picture."""
        least_px, most_px = self.min_object_px, self.max_object_px
        if self.size is not None and least_px is None and most_px is None:
            return replace(scale, size=self.size, min_object_px=None, max_object_px=None, fine=None)
        return replace(
            scale,
            size=scale.size if self.size is None else self.size,
            fine=scale.fine if self.size is None and least_px is None else None,
            min_object_px=scale.min_object_px if least_px is None else least_px,
            max_object_px=scale.max_object_px if most_px is None else most_px,
        )


def _with_models(recipe: Recipe, models: tuple[str, ...]) -> Recipe:
    """A recipe by other models; a second look is of the model that it was measured with."""
    return replace(recipe, models=models, scales={}, second=recipe.second if models == recipe.models else None)
