"""The stubs in typings/ say nothing of VapourSynth that is not so."""

import ast
import builtins
from pathlib import Path

import pytest
import vapoursynth as vs

STUBS = ast.parse(Path(__file__).parents[1].joinpath("typings/vapoursynth/__init__.pyi").read_text())
CLASSES = {node.name: node for node in STUBS.body if isinstance(node, ast.ClassDef)}
PUBLIC = [name for name in CLASSES if not name.startswith("_")]
CLIP = vs.core.std.BlankClip(length=1)
FUNCTIONS = {
    "_ClipStd": CLIP.std,
    "_CoreStd": vs.core.std,
    "_BestSource": vs.core.bs,
}
"""The namespaces of plugins, whose functions say by themselves what they take."""


def members(kind: ast.ClassDef) -> list[str]:
    found = [node.name for node in kind.body if isinstance(node, ast.FunctionDef)]
    found += [node.target.id for node in kind.body if isinstance(node, ast.AnnAssign)]
    return found + [node.targets[0].id for node in kind.body if isinstance(node, ast.Assign)]


def wrong_names(tree: ast.Module) -> list[str]:
    """Module-level names that VapourSynth has not."""
    names = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    names += [node.targets[0].id for node in tree.body if isinstance(node, ast.Assign)]
    return [name for name in names if not name.startswith("_") and not hasattr(vs, name)]


def test_every_name_is_vapoursynths_own() -> None:
    assert wrong_names(STUBS) == []


def test_a_name_that_vapoursynth_has_not_is_noticed() -> None:
    assert wrong_names(ast.parse("class VideoNode: ...\nclass VideoKnot: ...\nGREY = 1")) == ["VideoKnot", "GREY"]


@pytest.mark.parametrize("name", sorted(set(PUBLIC) - {"PluginVersion", "Core", "VapourSynthVersion"}))
def test_every_member_is_there(name: str) -> None:
    real = {"FrameProps": vs.FrameProps, "VideoNode": CLIP, "Plugin": vs.core.std}.get(name, getattr(vs, name))
    assert [member for member in members(CLASSES[name]) if not hasattr(real, member)] == []


def wrong_types(kind: ast.ClassDef, real: object) -> list[str]:
    """Properties and values that the stubs give another type than an object of VapourSynth has."""
    told = [(node.target.id, node.annotation) for node in kind.body if isinstance(node, ast.AnnAssign)]
    told += [
        (node.name, node.returns) for node in kind.body if isinstance(node, ast.FunctionDef) and node.decorator_list
    ]
    simple = {name: type_ for name, type_ in vars(vs).items() if isinstance(type_, type)} | vars(builtins)
    kinds = [(name, simple.get(ast.unparse(annotation))) for name, annotation in told if annotation is not None]
    return [name for name, type_ in kinds if isinstance(type_, type) and not isinstance(getattr(real, name), type_)]


@pytest.mark.parametrize(
    ("name", "real"), [("VideoNode", CLIP), ("VideoFormat", CLIP.format), ("Core", vs.core.core)]
)
def test_every_property_has_the_type_that_is_told(name: str, real: object) -> None:
    assert wrong_types(CLASSES[name], real) == []


def test_a_property_of_another_type_is_noticed() -> None:
    (told,) = ast.parse(
        "class VideoNode:\n    @property\n    def width(self) -> str: ...\n    num_frames: bool"
    ).body
    assert wrong_types(told, CLIP) == ["num_frames", "width"]


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_argument_of_a_plugins_function_is_one_that_it_takes(name: str) -> None:
    for node in CLASSES[name].body:
        if not isinstance(node, ast.FunctionDef) or node.decorator_list:
            continue
        taken = {part.partition(":")[0] for part in getattr(FUNCTIONS[name], node.name).signature.split(";")}
        asked = {a.arg for a in node.args.args[1:] + node.args.kwonlyargs}
        assert asked - taken == set(), node.name


def test_every_argument_of_the_resizer_is_one_that_it_takes() -> None:
    call = next(node for node in CLASSES["_ResizeFunction"].body if isinstance(node, ast.FunctionDef))
    for name in members(CLASSES["_Resize"]):
        taken = {part.partition(":")[0] for part in getattr(CLIP.resize, name).signature.split(";")}
        assert {a.arg for a in call.args.args[1:] + call.args.kwonlyargs} - taken == set()
