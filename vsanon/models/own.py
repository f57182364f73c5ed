"""A card for a model file of the user's own that has none: from the file itself, its family and its classes."""

import re
from dataclasses import replace
from pathlib import Path

import onnxruntime

from vsanon.errors import InputError, ModelError
from vsanon.files import read_bytes, sha256_of
from vsanon.models.card import InputRules, ModelCard
from vsanon.models.runtime import RUNTIME_ERRORS, options

THRESHOLD = 0.25
"""The score from which a box of a model without a card counts."""


def own_card(path: Path, family: str, classes: tuple[str, ...], rules: InputRules) -> ModelCard:
    """A card made up for an ONNX file: a size that its graph declares is taken for the only one.

    Args:
        path: the file.
        family: the decoder that reads its outputs.
        classes: the class of each of its outputs.
        rules: how the family's models are fed.

    Raises:
        InputError: a class has no name.
        MissingError: the file can't be read.
        ModelError: it is no ONNX model that can be loaded, or does not take one picture.
    """
    if not classes or not all(classes):
        raise InputError(f"name the classes that {path} finds, in the order of its outputs")
    content = read_bytes(path)
    try:
        session = onnxruntime.InferenceSession(content, options(threads=1), providers=["CPUExecutionProvider"])
    except RUNTIME_ERRORS as error:
        raise ModelError(f"{path} is no ONNX model that can be loaded: {error}.\n  Export it again.") from error
    shape = session.get_inputs()[0].shape
    if len(shape) != 4:
        raise ModelError(f"{path} takes an input of the shape {shape}, expected a picture (1, 3, height, width)")
    height, width = shape[2:]
    size = (width, height) if isinstance(width, int) and isinstance(height, int) else None
    if size is not None and any(side % rules.stride for side in size):
        raise ModelError(
            f"{path} takes pictures of {width}x{height}, {family} needs multiples of {rules.stride}: "
            "write a card that names its `input.stride`."
        )
    return ModelCard(
        name=re.sub(r"^[^A-Za-z0-9]+|[^A-Za-z0-9._-]+", "_", path.stem).lstrip("_") or "own",
        family=family,
        classes=classes,
        licence="not stated: a file of the user's own",
        homepage="not stated",
        sha256=sha256_of(content),
        input=replace(rules, size=size),
        threshold=THRESHOLD,
        limits=("Nothing is known of it: it has no card.",),
        training="not stated",
        path=path,
    )
