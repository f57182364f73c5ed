"""Which provider works on this machine, tried with the smallest graph."""

from vsanon.errors import MissingError
from vsanon.models.runtime import CPU, Provider, known, require_available, start


def smallest() -> bytes:
    """A graph of one addition, to see whether anything runs at all."""
    # Only here: importing onnx takes longer than all else that opening a cached model does.
    import onnx
    import onnx.helper

    shape = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in ("x", "y")]
    add = onnx.helper.make_node("Add", ["x", "x"], ["y"])
    graph = onnx.helper.make_graph([add], "smallest", shape[:1], shape[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


def chosen(names: str) -> str:
    """The provider to run on: the first of a list that works here.

    Args:
        names: one name, or several with commas between: whoever names several accepts each of them.

    Raises:
        InputError: there is no such name.
        MissingError: none of them works on this machine.
    """
    wanted = known(names)
    reasons = []
    for provider in wanted:
        try:
            _require_running(provider)
        except MissingError as error:
            reasons.append(str(error))
        else:
            return provider.name
    raise MissingError("\n".join([*reasons, f"  To accept another, name it too: --provider {wanted[0].name},cpu"]))


def _require_running(provider: Provider) -> None:
    """Load a graph of one addition."""
    require_available(provider.name)
    if provider.name == CPU:
        return
    start(smallest(), provider, threads=1)
