"""Detectors: one small file a decoder family, opened by the name of a model."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from vsanon.detectors.base import U8, Detector, Family
from vsanon.detectors.centerface import CenterFace
from vsanon.detectors.lpd_yunet import LpdYuNet
from vsanon.detectors.plates import Plates
from vsanon.detectors.retinaface import RetinaFace, RetinaFace1MB
from vsanon.detectors.scrfd import Scrfd
from vsanon.detectors.yolo import Yolo
from vsanon.detectors.yunet import READ as YUNET_READ
from vsanon.detectors.yunet import YuNet
from vsanon.errors import InputError
from vsanon.models import CPU, InputRules, ModelCard, Session, cards, load, load_card, own_card, prepared

__all__ = ["U8", "Detector", "Family", "families", "open_detector", "require_finds", "resolve"]

families: dict[str, Family] = {
    "centerface": CenterFace,
    "lpd_yunet": LpdYuNet,
    "plates": Plates,
    "retinaface": RetinaFace,
    "retinaface_1mb": RetinaFace1MB,
    "scrfd": Scrfd,
    "yolo": Yolo,
    "yunet": YuNet,
}
"""Decoder families by the name that a card's `family` gives."""

READ: Mapping[str, Collection[str]] = {"yunet": YUNET_READ}
"""The outputs that a family reads, where it knows them by name; its models work out no others."""

_BGR_MEAN = (104.0, 117.0, 123.0)
INPUTS: dict[str, InputRules] = {
    "centerface": InputRules(colour="rgb"),
    "lpd_yunet": InputRules(colour="bgr"),
    "plates": InputRules(colour="rgb"),
    "retinaface": InputRules(colour="bgr", mean=_BGR_MEAN),
    "retinaface_1mb": InputRules(colour="bgr", mean=_BGR_MEAN),
    "scrfd": InputRules(colour="rgb", mean=(127.5, 127.5, 127.5), scale=1 / 128),
    "yolo": InputRules(colour="rgb", scale=1 / 255),
    "yunet": InputRules(colour="bgr"),
}
"""How the published models of a family are fed; for a model file that has no card."""

_log = logging.getLogger(__name__)


def open_detector(
    model: str,
    *,
    family: str | None = None,
    classes: Sequence[str] = (),
    finds: Sequence[str] = (),
    threshold: float | None = None,
    threads: int = 1,
    provider: str = CPU,
    say: Callable[[str], None] = _log.warning,
) -> Detector:
    """Open a detector: find its model (pulling it on first use), verify it, and load it.

    Args:
        model: the name of a card, a path to a card of one's own (YAML), or a path to an ONNX file.
        family: what reads the outputs of an ONNX file; a card names its own.
        classes: what an ONNX file finds, in the order of its outputs; a card names its own.
        finds: the classes that it is opened for; one that it does not know would never be found.
        threshold: the score from which a box counts; the card's unless given.
        threads: that one run of the model may use.
        provider: where it runs, see `models.runtime`.
        say: takes the line that a pull announces itself with.

    Raises:
        InputError: `model` is no card, its family is unknown, it does not find what it is
            opened for, or `threshold` is not between 0 and 1.
        MissingError: the model's file can't be had, or the provider does not work on this machine.
        ModelError: the file is damaged, or does not fit its family.
    """
    if threshold is not None and not 0 < threshold < 1:
        raise InputError(f"threshold must lie between 0 and 1, got {threshold}")
    card = resolve(model, family=family, classes=classes)
    require_finds(card, finds)
    opened = families.get(card.family)
    if opened is None:
        raise InputError(
            f"the model card {card.path or card.name} names the family {card.family!r}; "
            f"known are {', '.join(sorted(families))}."
        )
    graph = prepared(load(card, say), card, READ.get(card.family, ()))
    session = Session(card, graph, threads=threads, provider=provider)
    return opened(session, card.threshold if threshold is None else threshold)


def resolve(model: str, *, family: str | None = None, classes: Sequence[str] = ()) -> ModelCard:
    """The card of a model: by its name, by the path of a YAML file, or made up for an ONNX file.

    Args:
        model, family, classes: as for `open_detector`.

    Raises:
        InputError: there is no such card, or an ONNX file comes without its family and classes.
        MissingError: the ONNX file can't be read.
        ModelError: the ONNX file can't be loaded, or takes no picture.
    """
    if "://" in model:
        raise InputError(
            f"{model} is an address: download the file and name its path, or write a card that names the address "
            "as a source (see `vsanon models list`)."
        )
    path = Path(model)
    if path.suffix == ".onnx":
        return _card_of_file(path, family, classes)
    if family is not None or classes:
        raise InputError(f"the card of {model} names its family and classes: leave them out, or give an .onnx file")
    if path.suffix in (".yaml", ".yml"):
        return load_card(path)
    known = cards()
    if model not in known:
        raise InputError(f"no model has the name {model!r}; known are {', '.join(sorted(known))}.")
    return known[model]


def require_finds(card: ModelCard, classes: Sequence[str]) -> None:
    """Refuse a model for a class that it does not find.

    Raises:
        InputError: it does not find one of `classes`.
    """
    if unknown := [name for name in classes if name not in card.classes]:
        raise InputError(
            f"{card.name} finds {', '.join(dict.fromkeys(card.classes))}, and no {unknown[0]!r}: name another "
            f"model with --model {unknown[0]}=CARD (models={{{unknown[0]!r}: CARD}}), or look for what it finds"
        )


def _card_of_file(path: Path, family: str | None, classes: Sequence[str]) -> ModelCard:
    if family is None:
        raise InputError(
            f"{path} is a model file; its family is needed too: one of {', '.join(sorted(INPUTS))}.\n"
            "  Or write a card, YAML that names family, classes, sha256, input, …, and give the card's path."
        )
    if family not in INPUTS:
        raise InputError(
            f"a model file without a card is of one of the families {', '.join(sorted(INPUTS))}, not {family!r}."
        )
    return own_card(path, family, tuple(classes), INPUTS[family])
