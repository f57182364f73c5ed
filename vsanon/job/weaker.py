"""What of a job was set weaker than all that vsanon's figures are of, by its ledger; pure.

A search for scores that no model gives, or in a picture of 32 pixels, finds nobody, and every check of the file
passes. Who sets less than was measured may have reasons; the file is not called anonymised for them.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from vsanon.covering.shapes import SHAPES, Shape
from vsanon.detectors.recipes import LARGEST_PX, SETTINGS
from vsanon.models import shipped
from vsanon.tracking.settings import TrackSettings

_LEAST_PX = {name: recipe.scale.min_object_px for name, recipe in SETTINGS["fast"].items()}
"""The height from which the setting that finds least searches for a class, pixels of the frame."""

_NEAR = 1.05
"""Plans leave out a picture that is not larger by more than this than another one."""
_SIZES = ("size", "min_object_px", "max_object_px")
_NUMBERS = ("threshold", *_SIZES, "stride")
_LARGEST = {"face": 1.0, "plate": 0.5}
"""The height of the largest thing that is asked for, of the frame's height; a plate is wider than high ..."""
_AS_SHOWN = 0.75
"""... but at most so much of the frame's longer side: with their pictures of 640 px all settings show that."""

_STRIDE = 4
"""The greatest fixed stride that left but one of 1,753 true faces bare; 8 left 9 (docs/evaluation.md)."""

_HELD = {
    "gap_s": "tracks were bridged over gaps of at most {:g} s, and {:g} s was measured",
    "lead_s": "tracks were held before and after for {:g} s, and {:g} s was measured",
    "growth": "tracks grew a second by {:g}, and {:g} was measured",
}
_USUAL = TrackSettings()
_EVIDENCE = json.loads(json.dumps(asdict(_USUAL.evidence)))
_EXACT = 1e-6
"""By which a number may differ, as JSON has it."""


def weaker(analysis: Any, shapes: Any, size: Sequence[int] | None = None) -> list[str]:
    """What was set weaker than measured, in part of a sentence each; none where nothing was.

    What is set for other classes than faces and plates covers more, whatever it is.

    Args:
        analysis: of a ledger, see `settings.Settings.analysis`; what it does not say was left as it is.
        shapes: of a ledger's `painting`, by class.
        size: [width, height] of the picture, pixels; None where nothing was searched yet.
    """
    said = _mapping(analysis)
    garbled = [
        f"what was set as {name} can't be read"
        for name in _NUMBERS
        if said.get(name) not in (None, "auto" if name == "stride" else None) and _number(said[name]) is None
    ]
    searched = [*garbled, *_scores(said), *(_heights(said, size[0], size[1]) if size else ()), *_stride(said)]
    return [*searched, *_track(_mapping(said.get("track"))), *_shapes(_mapping(shapes))]


def unmeasured(analysis: Any, models: Iterable[Any]) -> list[str]:
    """The classes that no model searched which vsanon has figures of, in part of a sentence each.

    Args:
        analysis: of a ledger, as for `weaker`.
        models: of a ledger.
    """
    known = {card.sha256 for _, card in shipped()}
    digests = {str(model.get("name")): model.get("sha256") for model in map(_mapping, models)}
    used = {name: _searching(_mapping(analysis), name, digests) for name in _LEAST_PX}
    return [
        f"{name}s were searched for by {' and '.join(names)}, and vsanon has no figures of that"
        for name, names in used.items()
        if names and not any(digests.get(own) in known for own in names)
    ]


def _searching(said: Mapping[str, Any], name: str, every: Iterable[str]) -> list[str]:
    """The models that search for a class; where that is not said, all of them."""
    used = _mapping(said.get("models")).get(name, list(every))
    return [str(own) for own in used] if isinstance(used, list | tuple) else []


def _scores(said: Mapping[str, Any]) -> list[str]:
    asked, own = _number(said.get("threshold")), _mapping(said.get("least_scores"))
    if asked is None:
        return []
    if not own:
        return [f"a least score of {asked:g} was asked for, and nothing says with which its models were measured"]
    used = dict.fromkeys(model for name in _LEAST_PX for model in _searching(said, name, own))
    return [
        f"a least score of {asked:g} was asked for, and {name} was measured with {_number(own.get(name)) or 0:g}"
        for name in used
        if asked > (_number(own.get(name)) or 0) + _EXACT
    ]


def _heights(said: Mapping[str, Any], width: int, height: int) -> list[str]:
    shown, found = _mapping(said.get("heights_px")), []
    is_set = any(said.get(name) is not None for name in _SIZES)
    classes = said.get("classes")
    for name, least in _LEAST_PX.items():
        span = shown.get(name)
        low, high = map(_number, span if isinstance(span, list | tuple) and len(span) == 2 else (None, None))
        if is_set and isinstance(classes, list | tuple) and name in classes and None in (low, high):
            found.append(f"sizes of the search were set, and nothing says which {name}s it could find")
        if low is not None and low > (least or 0) * _NEAR:
            found.append(
                f"{name}s under {low:.0f} px were not searched for, and every setting does from {least:g} px on"
            )
        needed = min(_LARGEST[name] * height, _AS_SHOWN * max(width, height), LARGEST_PX)
        if high is not None and high * _NEAR < needed:
            found.append(f"{name}s higher than {high:.0f} px were not searched for")
    return found


def _stride(said: Mapping[str, Any]) -> list[str]:
    stride = _number(said.get("stride"))
    if stride is None or stride <= _STRIDE:
        return []
    return [f"one of {stride:g} frames was searched, whatever the others needed; auto searches those that need it"]


def _track(said: Mapping[str, Any]) -> list[str]:
    found = []
    for name, words in _HELD.items():
        usual, value = getattr(_USUAL, name), said.get(name)
        values = [value.get(own) for own in _LEAST_PX] if isinstance(value, Mapping) else [value]
        # What can't be read is no time at all.
        least = min(((_number(own) or 0.0) if own is not None else usual for own in values), default=usual)
        if least < usual - _EXACT:
            found.append(words.format(least, usual))
    if said.get("evidence", _EVIDENCE) != _EVIDENCE:
        found.append("what it takes to be covered was set otherwise than it was measured")
    return found


def _shapes(shapes: Mapping[str, Any]) -> list[str]:
    return [
        f"masks of {name}s are smaller than those that were measured"
        for name, said in shapes.items()
        if name in SHAPES and not _holds(_mapping(said), SHAPES[name])
    ]


def _holds(said: Mapping[str, Any], usual: Shape) -> bool:
    """Whether what a shape covers of a box holds what the usual one does."""
    margin = said.get("margin")
    if (
        said.get("kind") not in (usual.kind, "rectangle")
        or not isinstance(margin, list | tuple)
        or len(margin) != 4
    ):
        return False
    pairs = [*zip(map(_number, margin), usual.margin, strict=True), (_number(said.get("slack")), usual.slack)]
    return all(value is not None and value >= least - _EXACT for value, least in pairs)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
