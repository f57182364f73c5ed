"""Detectors: one small file a decoder family, opened by the name of a model."""

import logging
from collections.abc import Callable
from pathlib import Path

from vsanon.detectors.base import U8, Detector, Family
from vsanon.detectors.centerface import CenterFace
from vsanon.detectors.yunet import YuNet
from vsanon.errors import InputError
from vsanon.models import ModelCard, Session, cards, load, load_card, prepared

__all__ = ["U8", "Detector", "Family", "families", "open_detector", "resolve"]

families: dict[str, Family] = {"centerface": CenterFace, "yunet": YuNet}
"""Decoder families by the name that a card's `family` gives."""

_log = logging.getLogger(__name__)


def open_detector(
    model: str,
    *,
    threshold: float | None = None,
    threads: int = 1,
    say: Callable[[str], None] = _log.warning,
) -> Detector:
    """Open a detector: find its model (pulling it on first use), verify it, and load it.

    Args:
        model: the name of a card, or a path to a card of one's own (YAML).
        threshold: the score from which a box counts; the card's unless given.
        threads: that one run of the model may use.
        say: takes the line that a pull announces itself with.

    Raises:
        InputError: `model` is no card, its family is unknown, or `threshold` is not between 0 and 1.
        MissingError: the model's file can't be had.
        ModelError: the file is damaged, or does not fit its family.
    """
    if threshold is not None and not 0 < threshold < 1:
        raise InputError(f"threshold must lie between 0 and 1, got {threshold}")
    card = resolve(model)
    family = families.get(card.family)
    if family is None:
        raise InputError(
            f"the model card {card.path or card.name} names the family {card.family!r}; "
            f"known are {', '.join(sorted(families))}."
        )
    session = Session(card, prepared(load(card, say), card), threads=threads)
    return family(session, card.threshold if threshold is None else threshold)


def resolve(model: str) -> ModelCard:
    """The card of a model: by its name, or by the path of a YAML file.

    Raises:
        InputError: there is no such card.
    """
    path = Path(model)
    if path.suffix in (".yaml", ".yml"):
        return load_card(path)
    if path.suffix == ".onnx":
        raise InputError(
            f"{model} is a model file; a card is needed: YAML that names its family, sha256, input, …\n"
            "  Give the card's path, and let the file lie beside it."
        )
    known = cards()
    if model not in known:
        raise InputError(f"no model has the name {model!r}; known are {', '.join(sorted(known))}.")
    return known[model]
