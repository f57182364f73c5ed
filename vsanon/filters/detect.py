"""`detect`: from a clip to a data clip that carries what models found."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import vapoursynth as vs

from vsanon.boxes import scale_boxes
from vsanon.covering.cells import sample_cells
from vsanon.detections import Detections
from vsanon.detectors import Detector, open_detector
from vsanon.detectors.recipes import DEFAULT, SETTINGS, Recipe
from vsanon.detectors.scale import Scale, View
from vsanon.detectors.search import plan_search
from vsanon.detectors.zones import Zone, area_left, in_zones
from vsanon.errors import InputError, ModelError
from vsanon.filters import props
from vsanon.filters.clips import (
    ClipFormat,
    first_props,
    flat,
    format_of,
    luma_of,
    modify,
    named,
    say_assumed,
    shifted,
)
from vsanon.filters.same import signed
from vsanon.filters.stride import CHANGES, sample
from vsanon.models import CPU, cores
from vsanon.tracking.between import spacing_of

DEFAULT_MODELS: Mapping[str, str] = {name: recipe.models[0] for name, recipe in SETTINGS[DEFAULT].items()}
"""The model for each class that works out of the box."""

Models = Mapping[str, str | Sequence[str]]


@named
def detect(
    clip: vs.VideoNode,
    *,
    classes: Sequence[str] = ("face",),
    models: Models | None = None,
    setting: str = DEFAULT,
    size: int | None = None,
    min_object_px: float | None = None,
    max_object_px: float | None = None,
    family: str | None = None,
    threshold: float | None = None,
    seed: int = 0,
    stride: int | str = 1,
    ignore: Sequence[Zone] = (),
    on_error: str = "raise",
    provider: str = CPU,
) -> vs.VideoNode:
    """Find objects in every frame.

    Args:
        clip: any clip of constant format.
        classes: what to find.
        models: a model for each class, or several: the name or path of a card, or the path of an ONNX file;
            unnamed classes take those of the setting.
        setting: "fast", "balanced" or "thorough": models, scales and policy, see `detectors.settings`.
        size: the longer side of the picture of the whole clip that a model sees, pixels. Given alone, it is the
            only picture; None takes the setting's. Clips are not enlarged to it, and a model of one size sees
            that size.
        min_object_px: the height of the smallest object that must be found, pixels of the clip: finer looks
            are added, in tiles where they get large. None takes the setting's.
        max_object_px: the height of the largest; coarser looks are added. None takes the setting's.
        family: the decoder for models that are ONNX files without a card.
        threshold: the least score; None takes each model's own.
        seed: of the noise in the colours that `soft` paints from.
        stride: 1 searches every frame, N every Nth and both sides of cuts; "auto" every eighth, both sides of cuts,
            and those between that need it. What lies between is followed, see `vsanon.tracking.between`.
        ignore: zones (x0, y0, x1, y1), pixels, that are not searched: bars, a clock, a poster. Beyond the rectangle
            that holds all else no model looks, which saves time; boxes that lie in a zone are left out.
        on_error: "raise" stops at a frame where the model fails; "mark" lets `blur` decide.
        provider: where models run, see `models.runtime`; the scores of two providers differ in their last digits.

    Returns:
        A data clip: a signature of each frame of `clip`, whose properties carry the boxes; see `same` and `props`.

    Raises:
        vs.Error: format or matrix is not constant or not known, no model for a class, settings out of range, or a
            provider that does not work here.
    """
    found = format_of(clip)
    if on_error not in ("raise", "mark"):
        raise InputError(f'on_error is "raise" or "mark", not {on_error!r}')
    if not isinstance(seed, int) or seed < 0:
        raise InputError(f"seed is a whole number from 0 on, got {seed}")
    spacing = spacing_of(stride)
    recipes = recipes_for(classes, models, setting, size, min_object_px, max_object_px)
    lanes = max(1, min(vs.core.num_threads, cores(), clip.num_frames))
    detectors = _open(recipes, family, threshold, provider)
    left, top, right, bottom = area_left(found.size, ignore, (1 << found.subsampling[0], 1 << found.subsampling[1]))
    search = plan_search((right - left, bottom - top), detectors, recipes)
    whole = search.views[0]

    def run(n: int, f: Sequence[vs.VideoFrame]) -> vs.VideoFrame:
        out = f[0].copy()
        try:
            pictures = [np.stack([np.asarray(frame[p]) for p in range(3)]) for frame in f[1:]]
            raw = search.answer(list(detectors.values()), pictures)
            width, height = whole.size
            inverse = (1 / whole.factor[0], 1 / whole.factor[1])
            cells = sample_cells(pictures[0][:, :height, :width], scale_boxes(raw.xyxy, inverse), n, seed)
        except (ModelError, ValueError) as error:
            if on_error == "raise":
                raise
            out.props[props.MISSING] = str(error)
        else:
            xyxy = raw.xyxy + np.array([left, top] * 2, np.float32)
            boxes = Detections(xyxy, raw.scores, raw.classes, cells)
            props.write(out.props, boxes.select(~in_zones(xyxy, ignore)) if ignore else boxes, found.size)
            out.props[props.SEARCHED] = 1
        return out

    luma = luma_of(clip, found)
    data = _with_changes(signed(clip), luma)
    looked_at = clip.std.CropAbs(*search.frame, left, top) if ignore else clip
    inputs = [data, *_pictures(looked_at, found, search.views)]
    if spacing == 1:
        return modify("detect", inputs, run, lanes)
    searched = [modify("detect", inputs, run) for _ in range(lanes)]
    return sample(clip, luma, data, searched, stride)


def recipes_for(
    classes: Sequence[str],
    models: Models | None = None,
    setting: str = DEFAULT,
    size: int | None = None,
    min_object_px: float | None = None,
    max_object_px: float | None = None,
) -> dict[str, Recipe]:
    """How each class is found; arguments as for `detect`.

    Raises:
        InputError: a class has no model, or a value lies outside what it can be.
    """
    if not classes or isinstance(classes, str):
        raise InputError(f'classes is a list such as ["face"], got {classes!r}')
    if setting not in SETTINGS:
        raise InputError(f"setting is one of {', '.join(SETTINGS)}, not {setting!r}")
    if size is not None and not isinstance(size, int):
        raise InputError(f"size is the longer side of the model's picture, at least 32 pixels, got {size!r}")
    recipes = {}
    for name in dict.fromkeys(classes):
        recipe = SETTINGS[setting].get(name)
        named = (models or {}).get(name)
        try:
            if named is not None:
                chosen = (named,) if isinstance(named, str) else tuple(named)
                recipe = replace(recipe, models=chosen) if recipe else Recipe(chosen)
            if recipe is None:
                raise InputError(
                    f"no model finds {name!r}: name one with models={{{name!r}: CARD}}, or leave the class out"
                )
            recipes[name] = replace(recipe, scale=_scale(recipe.scale, size, min_object_px, max_object_px))
        except ValueError as error:
            raise InputError(f"{name}: {error}") from error
    return recipes


def _scale(scale: Scale, size: int | None, least_px: float | None, most_px: float | None) -> Scale:
    """A setting's scale with what was asked for; a size asked for alone is the only picture."""
    if size is not None and least_px is None and most_px is None:
        return replace(scale, size=size, min_object_px=None, max_object_px=None)
    return replace(
        scale,
        size=scale.size if size is None else size,
        min_object_px=scale.min_object_px if least_px is None else least_px,
        max_object_px=scale.max_object_px if most_px is None else most_px,
    )


def _open(
    recipes: Mapping[str, Recipe], family: str | None, threshold: float | None, provider: str
) -> dict[str, Detector]:
    """Each model once, in the order of the classes."""
    opened = {}
    for model in dict.fromkeys(model for recipe in recipes.values() for model in recipe.models):
        served = [name for name, recipe in recipes.items() if model in recipe.models]
        own: dict[str, Any] = {"family": family, "classes": served} if model.endswith(".onnx") else {}
        opened[model] = open_detector(model, threshold=threshold, threads=1, provider=provider, **own)
    return opened


def _pictures(clip: vs.VideoNode, found: ClipFormat, views: Sequence[View]) -> list[vs.VideoNode]:
    """The RGB24 clip of each view."""
    whole = flat(clip)
    extra: dict[str, Any] = {}
    if found.family == "yuv":
        first = first_props(clip)
        # Frames with a tag go by their tag; this stands in where there is none.
        extra = {"matrix_in": found.matrix(first)}
        say_assumed(found, first)
    else:
        whole = whole.std.RemoveFrameProps(["_Matrix"])
    pictures = []
    for view in views:
        (width, height), (full_width, full_height) = view.size, view.padded
        part = {"src_left": view.left, "src_top": view.top, "src_width": view.width, "src_height": view.height}
        picture = whole.resize.Bilinear(width, height, format=vs.RGB24, **part, **extra)
        if view.size != view.padded:
            picture = picture.std.AddBorders(right=full_width - width, bottom=full_height - height)
        pictures.append(picture)
    return pictures


def _with_changes(data: vs.VideoNode, luma: vs.VideoNode) -> vs.VideoNode:
    """Add `CHANGES`: the mean luma change, in [0, 1], from one, two and three frames before."""
    small = luma.resize.Bilinear(96, 54, format=vs.GRAY8).std.RemoveFrameProps()
    changed = small
    for k, name in enumerate(CHANGES, start=1):
        changed = changed.std.PlaneStats(shifted(small, -k), prop=name.removesuffix("Diff"))
    return data.std.CopyFrameProps(changed, props=list(CHANGES))
