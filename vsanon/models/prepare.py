"""Turns a published graph into one that runs well: any size of picture, no open weights, constants folded.

CenterFace's export names 10 pictures of 32x32 as its input, and lists its weights among the inputs, which
forbids ONNX Runtime to fold them: at 640x384 that doubles the time of a frame.
"""

import logging
import os
import tempfile
from pathlib import Path

import onnxruntime

from vsanon.errors import InputError, MissingError
from vsanon.files import cache_root, sha256_of, write_atomic
from vsanon.models.card import BLOCK, ModelCard
from vsanon.models.runtime import RUNTIME_ERRORS, options
from vsanon.models.session import unloadable

VERSION = 4
"""Rises with every change of what is done to a graph, so that no older result is taken for today's."""

_log = logging.getLogger(__name__)


def prepared(model: bytes, card: ModelCard) -> bytes:
    """The graph to run for a model file: from the cache if it is whole there, else made and cached.

    The result is the same bytes for the same file, card and version of ONNX Runtime. A cache that can't be
    written is no error: the graph is then made each time.

    Args:
        model: the verified content of the model file.

    Raises:
        ModelError: `model` is no ONNX graph that ONNX Runtime can load.
        InputError: the card's ranges are not of this model.
        MissingError: there is no room for temporary files.
    """
    path = prepared_path(card)
    sidecar = path.with_suffix(".sha256")
    if path.is_file() and sidecar.is_file():
        graph = path.read_bytes()
        if sha256_of(graph) == sidecar.read_text("ascii", "replace").strip():
            return graph
        _log.info("%s is damaged; making it again", path)
    graph = build(model, card)
    try:
        write_atomic(path, graph)
        write_atomic(sidecar, f"{sha256_of(graph)}\n".encode())
    except OSError as error:
        _log.info("can't keep the prepared graph at %s: %s", path, error)
    return graph


def prepared_path(card: ModelCard) -> Path:
    """Where the prepared graph of a card is cached; named by all that it depends on."""
    size = "x".join(map(str, card.input.size)) if card.input.size else "any"
    ranges = f"-int8_{card.digests[1][:16]}{'-bytes' if _of_bytes(card) else ''}" if card.ranges else ""
    name = f"{card.sha256}-v{VERSION}-ort{onnxruntime.__version__}-{size}{ranges}.onnx"
    return cache_root() / "prepared" / name


def build(model: bytes, card: ModelCard) -> bytes:
    """Prepare a graph without the cache; see `prepared`."""
    # Only here: importing onnx takes longer than all else that opening a cached model does.
    from vsanon.models.graph import loosened

    try:
        graph = loosened(model, any_size=card.input.size is None)
    except ValueError as error:
        raise unloadable(card, error) from error
    try:
        folded = _fold(graph)
    except RUNTIME_ERRORS as error:
        raise unloadable(card, error) from error
    except OSError as error:
        raise MissingError(f"no room to prepare the model {card.name}: {error}") from error
    if card.ranges is None:
        return folded
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
        onnxruntime.InferenceSession(graph, settings, providers=["CPUExecutionProvider"])
        return Path(path).read_bytes()
