"""Small ONNX graphs whose outputs can be worked out by hand, and the cards that fit them."""

import hashlib
from pathlib import Path

import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper, numpy_helper

LN2, LN4 = float(np.log(2)), float(np.log(4))


def centerface_like(size: tuple[int, int] = (32, 32), heat_gain: float = 1.0) -> bytes:
    """Heat is the mean red of a 4x4 cell (0 to 1); every box is 8 wide and 16 high, centred on its cell.

    Like the real export it names 10 pictures of a fixed size, and its weights are among its inputs.
    """
    weight = np.zeros((5, 3, 4, 4), np.float32)
    weight[0, 0] = heat_gain / 16 / 255
    bias = np.array([0, LN4, LN2, 0, 0], np.float32)
    nodes = [
        helper.make_node("Conv", ["picture", "weight", "bias"], ["all"], strides=[4, 4], kernel_shape=[4, 4]),
        helper.make_node("Split", ["all", "parts"], ["heat", "size", "offset"], axis=1),
    ]
    width, height = size
    cells = [height // 4, width // 4]
    outputs = [("heat", [10, 1, *cells]), ("size", [10, 2, *cells]), ("offset", [10, 2, *cells])]
    weights = {"weight": weight, "bias": bias, "parts": np.array([1, 2, 2], np.int64)}
    return _model(nodes, [10, 3, height, width], outputs, weights, weights_are_inputs=True)


def yunet_like(size: tuple[int | str, int | str] = ("width", "height"), rows: int = -1) -> bytes:
    """Both scores at stride 8 are the mean red of a cell (0 to 1), else 0; the model reads BGR.

    Every box is 2 cells wide and high, and centred on its cell. `rows` bakes the number of cells in, as some
    exports do.
    """
    nodes, outputs = [], []
    weights = {"parts": np.array([1, 1, 4], np.int64), "rows": np.array([1, rows, 6], np.int64)}
    for stride in (8, 16, 32):
        weight = np.zeros((6, 3, stride, stride), np.float32)
        weight[:2, 2] = 1 / stride**2 / 255 if stride == 8 else 0
        weights |= {f"w{stride}": weight, f"b{stride}": np.array([0, 0, 0.5, 0.5, LN2, LN2], np.float32)}
        names = [f"{head}_{stride}" for head in ("cls", "obj", "bbox")]
        nodes += [
            helper.make_node(
                "Conv", ["picture", f"w{stride}", f"b{stride}"], [f"map{stride}"], strides=[stride] * 2
            ),
            helper.make_node("Transpose", [f"map{stride}"], [f"last{stride}"], perm=[0, 2, 3, 1]),
            helper.make_node("Reshape", [f"last{stride}", "rows"], [f"rows{stride}"]),
            helper.make_node("Split", [f"rows{stride}", "parts"], names, axis=2),
        ]
        outputs += [
            (name, [1, f"n{stride}", columns]) for name, columns in zip(names, (1, 1, 4), strict=True)
        ]
    return _model(nodes, [1, 3, size[1], size[0]], outputs, weights)


def write_card(folder: Path, content: bytes, name: str = "tiny", **changes: object) -> Path:
    """A valid card for a model file of this content; a change of None takes the key away."""
    keys: dict[str, object] = {
        "name": name,
        "family": "centerface",
        "classes": ["face"],
        "licence": "CC0-1.0",
        "homepage": "made for a test",
        "sha256": hashlib.sha256(content).hexdigest(),
        "input": {"stride": 32, "colour": "rgb"},
        "threshold": 0.5,
        "training": "none",
        "limits": ["It sees red only."],
    }
    keys |= changes
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in keys.items() if value is not None}))
    return path


def _model(
    nodes: list[onnx.NodeProto],
    picture: list[int | str],
    outputs: list[tuple[str, list[int | str]]],
    weights: dict[str, np.ndarray],
    weights_are_inputs: bool = False,
) -> bytes:
    def value(name: str, shape: list[int | str], kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, shape)

    inputs = [value("picture", picture)]
    tensors = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    if weights_are_inputs:
        inputs += [value(tensor.name, list(tensor.dims), tensor.data_type) for tensor in tensors]
    graph = helper.make_graph(nodes, "tiny", inputs, [value(*output) for output in outputs], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return model.SerializeToString()
