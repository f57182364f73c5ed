"""Edits of an ONNX graph that change no value: which inputs it has, what is free in them, and what runs at once."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

import numpy as np
import onnx
import onnx.helper
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray
from onnx import numpy_helper

from vsanon.models.card import BLOCK

_SPLIT_BY_INPUT = 13
"""The operator set from which Split takes the parts as an input; before they are an attribute."""


def loosened(model: bytes, *, any_size: bool, read: Collection[str] = ()) -> bytes:
    """The graph with its weights out of its inputs and, if `any_size`, for one picture of any size.

    Args:
        read: names of outputs, of which alone those that it has are kept; none of them keeps all.

    Raises:
        ValueError: `model` is not an ONNX file.
    """
    try:
        graph = onnx.load_from_string(model)
    except DecodeError as error:
        raise ValueError("it is not an ONNX file") from error
    _close_weights(graph)
    if any(output.name in read for output in graph.graph.output):
        _keep_outputs(graph.graph, read)
    if any_size:
        _free_size(graph)
    content: bytes = graph.SerializeToString(deterministic=True)
    return content


def joined(graph: bytes) -> bytes:
    """The graph with one convolution in place of all that read one tensor in the same way."""
    model = onnx.load_from_string(graph)
    for k, node in enumerate(model.graph.node):
        node.name = f"{k}_{node.op_type}"
    join_siblings(model, {node.name for node in model.graph.node})
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def join_siblings(model: onnx.ModelProto, among: Collection[str]) -> None:
    """Make one convolution of those that read one tensor in the same way: runtimes pay for each reading.

    Args:
        model: is changed.
        among: the names of the nodes that may be joined.
    """
    graph = model.graph
    of_input = any(o.domain in ("", "ai.onnx") and o.version >= _SPLIT_BY_INPUT for o in model.opset_import)
    weights = {w.name: numpy_helper.to_array(w) for w in graph.initializer}
    alike: dict[Any, list[onnx.NodeProto]] = defaultdict(list)
    for node in graph.node:
        if node.name in among and node.op_type == "Conv" and len(node.input) == 3:
            rules = _attributes(node)
            if rules.get("group", 1) == 1 and all(name in weights for name in node.input[1:]):
                alike[node.input[0], str(sorted(rules.items())), weights[node.input[1]].shape[1:]].append(node)
    for (read, _, _), nodes in alike.items():
        if len(nodes) < 2:
            continue
        name = f"{nodes[0].name}_joined"
        parts = np.array([len(weights[node.input[1]]) for node in nodes], np.int64)
        tensors: dict[str, NDArray[Any]] = {f"{name}_parts": parts} if of_input else {}
        how: dict[str, Any] = {} if of_input else {"split": parts.tolist()}
        split = onnx.helper.make_node(
            "Split", [name, *tensors], [node.output[0] for node in nodes], f"{name}_split", axis=1, **how
        )
        for k, suffix in enumerate(("weight", "bias"), start=1):
            tensors[f"{name}_{suffix}"] = np.concatenate([weights[node.input[k]] for node in nodes])
        graph.initializer.extend(numpy_helper.from_array(value, key) for key, value in tensors.items())
        conv = onnx.helper.make_node("Conv", [read, f"{name}_weight", f"{name}_bias"], [name], name)
        conv.attribute.extend(nodes[0].attribute)
        at = list(graph.node).index(nodes[0])
        for node in nodes:
            graph.node.remove(node)
        graph.node.insert(at, split)
        graph.node.insert(at, conv)
    _drop_unread(graph)


def read_blocks(model: onnx.ModelProto) -> bool:
    """Let the first convolution read the picture in blocks of 2x2 samples, (1, 4 C, H/2, W/2), if it has stride 2.

    The channels of a block are its samples channel by channel, row by row. The sums are those of before, and a
    few more zeros; but three channels are too few to be read quickly.

    Returns:
        Whether it does so now; `model` is as it was where not.
    """
    graph = model.graph
    (picture,) = graph.input
    weights = {w.name: numpy_helper.to_array(w) for w in graph.initializer}
    readers = [node for node in graph.node if picture.name in node.input]
    if len(readers) != 1 or readers[0].op_type != "Conv" or readers[0].input[1] not in weights:
        return False
    (conv,) = readers
    rules, weight = _attributes(conv), weights[conv.input[1]]
    plain = {"auto_pad": b"NOTSET", "dilations": [1, 1], "group": 1, "strides": [BLOCK, BLOCK]}
    if {key: rules.get(key, value) for key, value in plain.items()} != plain or "strides" not in rules:
        return False
    across, (top, left, bottom, right) = weight.shape[2:], rules.get("pads", [0] * 4)
    rows, columns = _taps(across[0], top, bottom), _taps(across[1], left, right)
    if min(*rows[1], *columns[1]) < 0:
        return False
    size = [max(block for block, _ in taps) + 1 for taps, _ in (rows, columns)]
    blocks = np.zeros((*weight.shape[:2], BLOCK, BLOCK, *size), weight.dtype)
    for y, (row, dy) in enumerate(rows[0]):
        for x, (column, dx) in enumerate(columns[0]):
            blocks[:, :, dy, dx, row, column] = weight[:, :, y, x]
    name = f"{conv.input[1]}_blocks"
    graph.initializer.append(numpy_helper.from_array(blocks.reshape(len(weight), -1, *size), name))
    conv.input[1] = name
    del conv.attribute[:]
    pads = [rows[1][0], columns[1][0], rows[1][1], columns[1][1]]
    conv.attribute.append(onnx.helper.make_attribute("kernel_shape", size))
    conv.attribute.append(onnx.helper.make_attribute("pads", pads))
    shape = picture.type.tensor_type.shape.dim
    for axis, dim in enumerate((1, weight.shape[1] * BLOCK**2, "rows", "columns")):
        shape[axis].Clear()
        _set(shape[axis], dim)
    _drop_unread(graph)
    return True


def take_bytes(model: onnx.ModelProto) -> None:
    """Let the quantised input come as it is, uint8 and channels last, where a step is 1 and 0 is 0."""
    graph = model.graph
    (picture,) = graph.input
    (step,) = (node for node in graph.node if picture.name in node.input)
    assert step.op_type == "QuantizeLinear"
    _, channels, rows, columns = (d.dim_value or d.dim_param for d in picture.type.tensor_type.shape.dim)
    shown = onnx.helper.make_tensor_value_info(picture.name, onnx.TensorProto.UINT8, [1, rows, columns, channels])
    ordered = onnx.helper.make_node("Transpose", [picture.name], [step.output[0]], perm=[0, 3, 1, 2])
    graph.input.remove(picture)
    graph.input.append(shown)
    graph.node.remove(step)
    graph.node.insert(0, ordered)


def greatest_sums() -> bytes:
    """A convolution in 8-bit integers that gives back its input, 255 in 16 channels, where its sums are exact.

    255 · 127 + 255 · 127 does not fit into 16 bits, in which processors without VNNI add up two products.
    """
    kinds = {"x": onnx.TensorProto.UINT8, "y": onnx.TensorProto.UINT8}
    shown, given = (onnx.helper.make_tensor_value_info(k, kind, [1, 16, 4, 4]) for k, kind in kinds.items())
    constants: dict[str, NDArray[Any]] = {
        "one": np.array(1, np.float32),
        "sixteen_times_127": np.array(16 * 127, np.float32),
        "zero": np.array(0, np.uint8),
        "zero_int8": np.array(0, np.int8),
        "weights": np.full((16, 16, 1, 1), 127, np.int8),
    }
    inputs = ["x", "one", "zero", "weights", "one", "zero_int8", "sixteen_times_127", "zero"]
    node = onnx.helper.make_node("QLinearConv", inputs, ["y"])
    weights = [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = onnx.helper.make_graph([node], "greatest_sums", [shown], [given], weights)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _close_weights(model: onnx.ModelProto) -> None:
    """Take the initialisers out of the inputs: since IR version 4 they need not be there."""
    graph = model.graph
    weights = {weight.name for weight in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    del graph.input[:]
    graph.input.extend(inputs)
    model.ir_version = max(model.ir_version, 4)


def _keep_outputs(graph: onnx.GraphProto, read: Collection[str]) -> None:
    """Take out all other outputs and what leads to them alone: a runtime works out each output at every run."""
    for output in [o for o in graph.output if o.name not in read]:
        graph.output.remove(output)
    wanted = {output.name for output in graph.output}
    for node in reversed(list(graph.node)):
        if wanted.isdisjoint(node.output):
            graph.node.remove(node)
        else:
            wanted.update(node.input)
    _drop_unread(graph)


def _free_size(model: onnx.ModelProto) -> None:
    """One picture of any size in; out, only channels (of maps) and columns (of rows) stay fixed.

    Some heads have their rows across and some down; there are fewer columns than rows.
    """
    for value in model.graph.input:
        _rename(value, {0: 1, 2: "height", 3: "width"})
    for value in model.graph.output:
        dims = value.type.tensor_type.shape.dim
        rank = len(dims)
        across = min(reversed(range(1, rank)), key=lambda axis: dims[axis].dim_value or float("inf"), default=0)
        kept = 1 if rank == 4 else across
        _rename(value, {axis: f"{value.name}_{axis}" for axis in range(rank) if axis != kept})
    del model.graph.value_info[:]


def _rename(value: onnx.ValueInfoProto, dims: dict[int, int | str]) -> None:
    shape = value.type.tensor_type.shape.dim
    for axis, dim in dims.items():
        if axis < len(shape):
            shape[axis].Clear()
            _set(shape[axis], dim)


def _set(shown: onnx.TensorShapeProto.Dimension, dim: int | str) -> None:
    if isinstance(dim, int):
        shown.dim_value = dim
    else:
        shown.dim_param = dim


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def _taps(count: int, before: int, after: int) -> tuple[list[tuple[int, int]], tuple[int, int]]:
    """Where a kernel of stride `BLOCK` lies in blocks, along one axis.

    Args:
        count: its taps.
        before, after: the padding, samples.

    Returns:
        The block and the sample in it of each tap, from the first block on; and the padding in blocks, which is
        negative where blocks give no result of that size.
    """
    places = [divmod(k - before, BLOCK) for k in range(count)]
    first = places[0][0]
    size = places[-1][0] - first + 1
    # As many results as before: (n + before + after - count) // 2 + 1, n being even.
    return [(block - first, at) for block, at in places], (-first, (before + after - count) // BLOCK + first + size)


def _drop_unread(graph: onnx.GraphProto) -> None:
    read = {name for node in graph.node for name in node.input}
    for tensor in [t for t in graph.initializer if t.name not in read]:
        graph.initializer.remove(tensor)
