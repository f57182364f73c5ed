"""Turns a published graph into one that runs well: any size of picture, no open weights, constants folded.

CenterFace's export names 10 pictures of 32x32 as its input, and lists its weights among the inputs, which
forbids ONNX Runtime to fold them: at 640x384 that doubles the time of a frame.
"""

import os
import tempfile
from collections.abc import Collection
from pathlib import Path

import onnxruntime

from vsanon.errors import InputError, MissingError
from vsanon.models.card import BLOCK, ModelCard
from vsanon.models.runtime import RUNTIME_ERRORS, options
from vsanon.models.session import unloadable


def prepared(model: bytes, card: ModelCard, read: Collection[str] = ()) -> bytes:
    """The graph to run for a model file: the same bytes for the same file, card and version of ONNX Runtime.

    It is made at each load, and never kept: the card vouches for the file, and nothing would for what lies in a
    cache. It takes 10 to 30 ms, 0.2 s more for the first, and 0.9 s where a model is quantised.

    Args:
        model: the verified content of the model file.
        read: the outputs that will be read, see `graph.loosened`.

    Raises:
        ModelError: `model` is no ONNX graph that ONNX Runtime can load.
        InputError: the card's ranges are not of this model.
        MissingError: there is no room for temporary files.
    """
    # Only here: importing onnx takes longer than all else that importing this package does.
    from vsanon.models.graph import joined, loosened

    try:
        graph = loosened(model, any_size=card.input.size is None, read=read)
    except ValueError as error:
        raise unloadable(card, error) from error
    try:
        folded = _fold(graph)
    except RUNTIME_ERRORS as error:
        raise unloadable(card, error) from error
    except OSError as error:
        raise MissingError(
            f"no room to prepare the model {card.name} in the folder for temporary files: {error}. "
            "Make room there, or name another folder in TMPDIR"
        ) from error
    if card.ranges is None:
        # Sums stay what they are, channel by channel. CenterFace, whose heads are large maps, takes longer so.
        return joined(folded) if read else folded
    from vsanon.models.quantize import quantized, read_ranges

    try:
        return quantized(folded, read_ranges(card.ranges, card.sha256), of_bytes=_of_bytes(card))
    except ValueError as error:
        raise InputError(f"{card.ranges}: {error}") from error


def _of_bytes(card: ModelCard) -> bool:
    """Whether a model may take the picture's bytes as they are: its card neither shifts nor scales them."""
    return not any(card.input.mean) and card.input.scale == 1 and card.input.stride % BLOCK == 0


def _fold(graph: bytes) -> bytes:
    """ONNX Runtime's basic optimisations, which hold on every machine; the rest it does at each load."""
    settings = options(threads=1)
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    with tempfile.TemporaryDirectory(prefix="vsanon-") as folder:
        path = os.path.join(folder, "graph.onnx")
        settings.optimized_model_filepath = path
        try:
            onnxruntime.InferenceSession(graph, settings, providers=["CPUExecutionProvider"])
        except RUNTIME_ERRORS:
            _require_room(Path(folder), 2 * len(graph))
            raise
        return Path(path).read_bytes()


def _require_room(folder: Path, size: int) -> None:
    """Raise what the system says where so many bytes can't be written: the runtime does not tell it from a graph
    that can't be loaded.

    Raises:
        OSError: they can't.
    """
    with (folder / "room").open("wb") as file:
        for _ in range(0, size, 1 << 20):
            file.write(bytes(1 << 20))
