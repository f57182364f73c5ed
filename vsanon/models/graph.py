"""Edits of an ONNX graph that change no weight: which inputs it has, and which of its dimensions are free."""

import onnx
import onnx.helper
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]


def loosened(model: bytes, *, any_size: bool) -> bytes:
    """The graph with its weights out of its inputs and, if `any_size`, for one picture of any size.

    Raises:
        ValueError: `model` is not an ONNX file.
    """
    try:
        graph = onnx.load_from_string(model)
    except DecodeError as error:
        raise ValueError("it is not an ONNX file") from error
    _close_weights(graph)
    if any_size:
        _free_size(graph)
    content: bytes = graph.SerializeToString(deterministic=True)
    return content


def smallest() -> bytes:
    """A graph of one addition, to see whether anything runs at all."""
    shape = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in ("x", "y")]
    add = onnx.helper.make_node("Add", ["x", "x"], ["y"])
    graph = onnx.helper.make_graph([add], "smallest", shape[:1], shape[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


def _close_weights(model: onnx.ModelProto) -> None:
    """Take the initialisers out of the inputs: since IR version 4 they need not be there."""
    graph = model.graph
    weights = {weight.name for weight in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    del graph.input[:]
    graph.input.extend(inputs)
    model.ir_version = max(model.ir_version, 4)


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
            if isinstance(dim, int):
                shape[axis].dim_value = dim
            else:
                shape[axis].dim_param = dim
