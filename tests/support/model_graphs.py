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
        outputs += [(name, [1, f"n{stride}", columns]) for name, columns in zip(names, (1, 1, 4), strict=True)]
    return _model(nodes, [1, 3, size[1], size[0]], outputs, weights)


def scrfd_like() -> bytes:
    """Six outputs of SCRFD: both anchors of a cell of stride 8 score its mean red; boxes as in `yunet_like`."""
    return _rows_like(
        strides=(8, 16, 32),
        heads={"score": [0.0], "bbox": [0.5, 0.5, 1.5, 1.5]},
        anchors=2,
        red={("score", 0, 0): 1.0},
        by_level=True,
    )


def retinaface_like(anchor: int) -> bytes:
    """Of the two priors of a cell of stride 8 one scores its mean red; every box is its prior."""
    return _rows_like(
        strides=(8, 16, 32),
        heads={"loc": [0.0] * 4, "conf": [1.0, 0.0]},
        anchors=2,
        red={("conf", 0, anchor): -1.0, ("conf", 1, anchor): 1.0},
    )


def lpd_yunet_like() -> bytes:
    """The middle prior of a cell of stride 8 (16 px) scores its mean red; the quadrilateral is the prior."""
    corners = [0.0] * 4 + [-5, -5, 5, -5] + [0.0] * 2 + [5, 5, -5, 5]
    return _rows_like(
        strides=(8, 16, 32, 64),
        heads={"loc": corners, "conf": [1.0, 0.0], "iou": [0.0]},
        anchors=(3, 2, 2, 3),
        red={("conf", 0, 1): -1.0, ("conf", 1, 1): 1.0, ("iou", 0, 1): 1.0},
        batched=False,
    )


def yolo_like() -> bytes:
    """A raw head of v8 with one class: a cell of stride 8 scores its mean red; boxes as in `yunet_like`."""
    nodes, weights, parts = [], {"rows": np.array([1, 5, -1], np.int64)}, []
    for axis in (2, 3):
        weights[f"axis{axis}"] = np.array(axis, np.int64)
    for stride in (8, 16, 32):
        weight = np.zeros((2, 3, stride, stride), np.float32)
        weight[0, 0] = 1 / stride**2 / 255 if stride == 8 else 0
        weights |= {
            f"w{stride}": weight,
            f"b{stride}": np.array([0, 1], np.float32),
            f"side{stride}": np.array([stride], np.float32),
            f"half{stride}": np.array([stride / 2], np.float32),
            f"two{stride}": np.array([2], np.float32),
        }
        red, one = f"red{stride}", f"one{stride}"
        nodes += [
            helper.make_node("Conv", ["picture", f"w{stride}", f"b{stride}"], [f"m{stride}"], strides=[stride] * 2),
            helper.make_node("Split", [f"m{stride}"], [red, one], axis=1, num_outputs=2),
            helper.make_node("Mul", [one, f"side{stride}"], [f"px{stride}"]),
            helper.make_node("Mul", [f"px{stride}", f"two{stride}"], [f"wide{stride}"]),
        ]
        for axis in (3, 2):
            nodes += [
                helper.make_node("CumSum", [f"px{stride}", f"axis{axis}"], [f"far{stride}{axis}"]),
                helper.make_node("Sub", [f"far{stride}{axis}", f"half{stride}"], [f"mid{stride}{axis}"]),
            ]
        mids = [f"mid{stride}3", f"mid{stride}2"]
        nodes += [
            helper.make_node("Concat", [*mids, f"wide{stride}", f"wide{stride}", red], [f"all{stride}"], axis=1),
            helper.make_node("Reshape", [f"all{stride}", "rows"], [f"rows{stride}"]),
        ]
        parts.append(f"rows{stride}")
    nodes.append(helper.make_node("Concat", parts, ["output0"], axis=2))
    return _model(nodes, [1, 3, "height", "width"], [("output0", [1, 5, "n"])], weights, opset=18)


def plates_like() -> bytes:
    """vsanon's own plate head: a cell of stride 8 scores its mean red (0 to 1), all other scores are 0.

    The sides lie half a stride to the left and above the cell's middle, one stride to the right and two below.
    """
    nodes, outputs, weights = [], [], {"parts": np.array([1, 4], np.int64)}
    for stride in (8, 16, 32, 64):
        weight = np.zeros((5, 3, stride, stride), np.float32)
        weight[0, 0] = 1 / stride**2 / 255 if stride == 8 else 0
        weights |= {f"w{stride}": weight, f"b{stride}": np.array([0, 0.5, 0.5, 1, 2], np.float32) * stride}
        names = [f"score_{stride}", f"box_{stride}"]
        pads = [0, 0, 32, 32] if stride == 64 else [0] * 4
        nodes += [
            helper.make_node(
                "Conv", ["picture", f"w{stride}", f"b{stride}"], [f"m{stride}"], strides=[stride] * 2, pads=pads
            ),
            helper.make_node("Split", [f"m{stride}", "parts"], names, axis=1),
        ]
        outputs += [
            (name, [1, channels, f"h{stride}", f"w{stride}"]) for name, channels in zip(names, (1, 4), strict=True)
        ]
    return _model(nodes, [1, 3, "height", "width"], outputs, weights)


def _rows_like(
    strides: tuple[int, ...],
    heads: dict[str, list[float]],
    anchors: int | tuple[int, ...],
    red: dict[tuple[str, int, int], float],
    by_level: bool = False,
    batched: bool = True,
) -> bytes:
    """Rows for each anchor of each cell. The columns of a head are constants; to some of stride 8, known by
    head, column and anchor, the cell's mean red (0 to 1) is added by a factor."""
    of_level = (anchors,) * len(strides) if isinstance(anchors, int) else anchors
    width = sum(map(len, heads.values()))
    first = dict(zip(heads, np.cumsum([0, *map(len, heads.values())]).tolist(), strict=False))
    constants = [value for values in heads.values() for value in values]
    nodes, levels = [], []
    shape = [1, -1, width] if batched else [-1, width]
    weights = {"shape": np.array(shape, np.int64), "parts": np.array([*map(len, heads.values())], np.int64)}
    axis = len(shape) - 1
    for stride, count in zip(strides, of_level, strict=True):
        weight = np.zeros((width * count, 3, stride, stride), np.float32)
        for (head, column, anchor), factor in red.items():
            if stride == 8:
                weight[anchor * width + first[head] + column, 0] = factor / stride**2 / 255
        weights |= {f"w{stride}": weight, f"b{stride}": np.array(constants * count, np.float32)}
        nodes += [
            helper.make_node("Conv", ["picture", f"w{stride}", f"b{stride}"], [f"m{stride}"], strides=[stride] * 2),
            helper.make_node("Transpose", [f"m{stride}"], [f"last{stride}"], perm=[0, 2, 3, 1]),
            helper.make_node("Reshape", [f"last{stride}", "shape"], [f"rows{stride}"]),
        ]
        levels.append(f"rows{stride}")
    free = [1, "n"] if batched else ["n"]
    if by_level:
        for stride, rows in zip(strides, levels, strict=True):
            names = [f"{head}_{stride}" for head in heads]
            nodes.append(helper.make_node("Split", [rows, "parts"], names, axis=axis))
        named = [(f"{head}_{stride}", len(columns)) for head, columns in heads.items() for stride in strides]
    else:
        nodes.append(helper.make_node("Concat", levels, ["all"], axis=axis - 1))
        nodes.append(helper.make_node("Split", ["all", "parts"], list(heads), axis=axis))
        named = [(head, len(columns)) for head, columns in heads.items()]
    outputs = [(name, [*free, columns]) for name, columns in named]
    return _model(nodes, [1, 3, "height", "width"], outputs, weights)


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
    opset: int = 13,
) -> bytes:
    def value(name: str, shape: list[int | str], kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, shape)

    inputs = [value("picture", picture)]
    tensors = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    if weights_are_inputs:
        inputs += [value(tensor.name, list(tensor.dims), tensor.data_type) for tensor in tensors]
    graph = helper.make_graph(nodes, "tiny", inputs, [value(*output) for output in outputs], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    return model.SerializeToString()


def chain_of_convolutions(count: int) -> bytes:
    """Red, green and blue through `count` convolutions that change nothing; tensors t0, t1, ... and `heat`."""
    weights = {f"w{k}": np.eye(3, dtype=np.float32).reshape(3, 3, 1, 1) for k in range(count)}
    names = ["picture", *(f"t{k}" for k in range(count - 1)), "heat"]
    # A sigmoid or the like would be a step of its own; a bias keeps the folding from dropping what does nothing.
    weights |= {f"b{k}": np.full(3, (-1.0) ** k, np.float32) for k in range(count)}
    nodes = [
        helper.make_node("Conv", [names[k], f"w{k}", f"b{k}"], [names[k + 1]], kernel_shape=[1, 1])
        for k in range(count)
    ]
    return _model(nodes, [1, 3, "height", "width"], [("heat", [1, 3, "height", "width"])], weights)


def strided_heads(kernel: tuple[int, int] = (3, 3), pads: tuple[int, int, int, int] = (1, 1, 1, 1)) -> bytes:
    """A convolution of stride 2 and whole weights from -2 to 2, another of 1x1, and two heads that read that one.

    Tensors are `picture`, `first`, `second`, `a` (2 channels) and `b` (1 channel).
    """
    draw = np.random.default_rng(3).integers
    weights = {
        "w0": draw(-2, 3, (4, 3, *kernel)).astype(np.float32),
        "w1": draw(-2, 3, (4, 4, 1, 1)).astype(np.float32),
        "wa": draw(-2, 3, (2, 4, 1, 1)).astype(np.float32),
        "wb": draw(-2, 3, (1, 4, 1, 1)).astype(np.float32),
    }
    weights |= {f"b{key[1]}": np.arange(len(value), dtype=np.float32) for key, value in weights.items()}
    conv = helper.make_node
    nodes = [
        conv("Conv", ["picture", "w0", "b0"], ["first"], kernel_shape=kernel, strides=[2, 2], pads=pads),
        conv("Conv", ["first", "w1", "b1"], ["second"], kernel_shape=[1, 1]),
        conv("Conv", ["second", "wa", "ba"], ["a"], kernel_shape=[1, 1]),
        conv("Conv", ["second", "wb", "bb"], ["b"], kernel_shape=[1, 1]),
    ]
    outputs = [("a", [1, 2, "rows", "columns"]), ("b", [1, 1, "rows", "columns"])]
    return _model(nodes, [1, 3, "height", "width"], outputs, weights)


def heads_of_one_tensor(opset: int) -> bytes:
    """Three convolutions that read the picture, one for each output: `heat`, `size` and `points`."""
    rng = np.random.default_rng(3)
    channels = {"heat": 1, "size": 2, "points": 10}
    weights = {f"w_{name}": rng.normal(size=(n, 3, 1, 1)).astype(np.float32) for name, n in channels.items()}
    weights |= {f"b_{name}": rng.normal(size=n).astype(np.float32) for name, n in channels.items()}
    nodes = [helper.make_node("Conv", ["picture", f"w_{name}", f"b_{name}"], [name]) for name in channels]
    outputs: list[tuple[str, list[int | str]]] = [(n, [1, c, "height", "width"]) for n, c in channels.items()]
    return _model(nodes, [1, 3, "height", "width"], outputs, weights, opset=opset)
