"""A graph whose convolutions run in 8-bit integers, from ranges that were measured on real frames.

The last convolution before each output and what follows it stay in float: scores and sizes lie there, and cost
little. Weights are symmetric
int8 per channel and activations uint8 (Jacob et al. 2018), the one pair of types that is fast on x86; where a
processor has no VNNI, `runtime.options` has ONNX Runtime add them up another way, to the same sums.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import version_converter
from onnxruntime.quantization import CalibrationMethod, QuantType
from onnxruntime.quantization.calibrate import TensorsData
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

from vsanon.errors import InputError
from vsanon.models.graph import join_siblings, read_blocks, take_bytes

_OPSET = 15
_CONVOLUTIONS = ["Conv", "ConvTranspose"]
_OPERATORS = [*_CONVOLUTIONS, "Add", "Relu", "MaxPool"]
_BYTES = (0.0, 255.0)

Ranges = Mapping[str, tuple[float, float]]
"""The least and greatest value of each activation, by the tensor's name."""


def read_ranges(path: Path, sha256: str) -> Ranges:
    """The ranges that `scripts/measure_ranges.py` wrote for the model file of this SHA-256.

    Raises:
        InputError: it can't be read, holds none, is of another model, or a range is none: such a model could find
            nothing, and nobody would know.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
        measured = content["of"]["sha256"]
        ranges = {str(name): (float(low), float(high)) for name, (low, high) in content["ranges"].items()}
    except OSError as error:
        raise InputError(f"{path}: the ranges of a model can't be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: not the ranges of a model: {error!r}") from error
    if measured != sha256:
        raise InputError(f"{path}: the ranges of another model ({measured}): measure those of {sha256}")
    for name, (low, high) in ranges.items():
        if not -math.inf < low < high < math.inf:
            raise InputError(f"{path}: the range of {name!r} must be two rising numbers, got {low} and {high}")
    return ranges


def activations(graph: bytes) -> list[str]:
    """The tensors whose ranges `quantized` needs: the inputs and outputs of what runs in integers."""
    model = _named(graph)
    kept = _near_outputs(model)
    weights = {w.name for w in model.graph.initializer}
    names: dict[str, None] = {}
    for node in model.graph.node:
        if node.name not in kept and node.op_type in _OPERATORS:
            names |= dict.fromkeys(name for name in (*node.input, *node.output) if name and name not in weights)
    return list(names)


def quantized(graph: bytes, ranges: Ranges, *, of_bytes: bool = False) -> bytes:
    """The graph in 8-bit integers; the same bytes for the same graph, ranges and versions.

    Args:
        graph: ONNX in float, constants folded.
        ranges: of each of `activations`.
        of_bytes: its pictures are bytes, neither shifted nor scaled. Where their range is that of bytes too and
            the first convolution has stride 2, the input is uint8 in blocks, (1, H/2, W/2, 12), as
            `graph.read_blocks` orders them.

    Raises:
        ValueError: a range is missing, as where the file's folding gives other tensors.
    """
    if missing := [name for name in activations(graph) if name not in ranges]:
        raise ValueError(f"no range was measured for the tensor {missing[0]!r}: measure them anew")
    model = _named(graph)
    kept = _near_outputs(model)
    picture = model.graph.input[0].name
    first = {node.name for node in model.graph.node if picture in node.input}
    blocks = of_bytes and ranges.get(picture) == _BYTES and first.isdisjoint(kept) and read_blocks(model)
    bounds = {name: (np.float32(low), np.float32(high)) for name, (low, high) in ranges.items()}
    quantizer = QDQQuantizer(
        model,
        per_channel=True,
        reduce_range=False,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range=TensorsData(CalibrationMethod.MinMax, bounds),
        nodes_to_quantize=[],
        nodes_to_exclude=sorted(kept),
        op_types_to_quantize=_OPERATORS,
        extra_options={},
    )
    quantizer.quantize_model()
    if blocks:
        take_bytes(quantizer.model.model)
    content: bytes = quantizer.model.model.SerializeToString(deterministic=True)
    return content


def _named(graph: bytes) -> onnx.ModelProto:
    """The graph in an operator set that knows scales per channel, its nodes named, its heads one convolution."""
    model = onnx.load_from_string(graph)
    if any(o.domain in ("", "ai.onnx") and o.version < _OPSET for o in model.opset_import):
        model = version_converter.convert_version(model, _OPSET)
    for k, node in enumerate(model.graph.node):
        node.name = f"{k}_{node.op_type}"
    join_siblings(model, _near_outputs(model))
    return model


def _near_outputs(model: onnx.ModelProto) -> set[str]:
    """The nodes from each output back to the convolution before it, that one included."""
    made_by = {name: node for node in model.graph.node for name in node.output}
    wanted, near = [output.name for output in model.graph.output], set()
    while nodes := [made_by[name] for name in wanted if name in made_by]:
        near |= {node.name for node in nodes}
        wanted = [name for node in nodes if node.op_type not in _CONVOLUTIONS for name in node.input]
    return near
