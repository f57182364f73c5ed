"""Imports point one way along the flow, file by file, and each outside library is known in its declared places."""

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import vsanon

PACKAGE = Path(vsanon.__file__).parent

# The rooms by floors: a file imports from its own room and from the rooms of the floors before its own.
# Finding and covering know no files, and media and encode know no boxes: they meet in "job" only.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors", "stops", "turns", "timing", "plain_json", "plain_yaml", "boxes", "assignment"),
    ("files", "scratch", "detections", "schemas"),
    ("media", "tracking", "covering", "models", "signing"),
    ("encode", "tracks", "detectors"),
    ("drawn", "interchange", "filters"),
    ("vsanon", "validation.truth"),
    ("job", "validation.metrics"),
    ("audit", "farm", "review", "validation.conclusions"),
    ("validation.runs", "validation.attacks", "reporting"),
    ("cli",),
    ("__main__",),
)
STRANGERS: Mapping[str, tuple[str, ...]] = {
    "media": ("boxes", "detections", "tracking", "covering", "models", "tracks", "detectors", "filters"),
    "encode": ("boxes", "detections", "tracking", "covering", "models", "tracks", "detectors", "filters"),
    "tracking": ("files", "media", "encode"),
    "covering": ("files", "media", "encode"),
    "detectors": ("media", "encode"),
    "filters": ("media", "encode"),
    "reporting": ("validation.runs", "validation.attacks"),
}
"""What stands before a room and is none of its business all the same."""

# Who may import what: a room, or one file of it; everything else passes its objects on.
ONLY_IN: dict[str, tuple[str, ...]] = {
    "vapoursynth": (
        "filters",
        "media.best_source",
        "media.shown",
        "media.source",
        "media.intact",
        "media.once",
        "job.frames",
    ),
    "onnx": ("models",),
    "onnxruntime": ("models",),
    "av": ("media", "encode.raw", "encode.joined"),
    "imageio_ffmpeg": ("encode.ffmpeg",),
    "subprocess": ("encode.ffmpeg", "models.pull", "job.doctor"),  # ffmpeg; the package client; vspipe
    "cryptography": ("signing",),
    "multiprocessing": ("farm.executors",),
    "distributed": ("farm.executors",),
    "starlette": ("review.app",),
    "uvicorn": ("review.server",),
    "jinja2": ("reporting.pages",),
    "weasyprint": ("reporting.pdf",),
    "click": ("cli",),
    "tqdm": ("cli",),
}
VIDEO_IN_CV2 = ("VideoCapture", "VideoWriter")
"""Never used: PyAV and BestSource read, ffmpeg writes."""
PRINTS = ("cli",)

_STARTS = ("system", "popen", "startfile", "exec", "spawn", "posix_spawn", "fork")


def modules() -> dict[str, ast.AST]:
    """Every module of the package by its dotted name."""
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        names = ("vsanon", *file.relative_to(PACKAGE).with_suffix("").parts)
        found[".".join(names).removesuffix(".__init__")] = ast.parse(file.read_text(encoding="utf-8"))
    return found


MODULES = modules()


def docstring_of(tree: ast.AST) -> str:
    assert isinstance(tree, ast.Module)
    return ast.get_docstring(tree) or ""


def imported(tree: ast.AST) -> Iterator[str]:
    """Every imported name, also inside functions; `from a import b` as a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(tree: ast.AST) -> set[str]:
    """The modules of vsanon that are imported; a name within one counts as its module."""
    names = {name for name in imported(tree) if name.split(".")[0] == "vsanon"}
    return {name if name in MODULES else name.rpartition(".")[0] or name for name in names}


def room_of(module: str) -> str:
    """The room of a module: the first name below vsanon, and below validation the second as well."""
    names = module.split(".")[1:]
    if not names:
        return "vsanon"
    return ".".join(names[: 2 if names[0] == "validation" else 1])


def may_import(room: str) -> set[str]:
    before: set[str] = set()
    for floor in FLOORS:
        if room in floor:
            return before - set(STRANGERS.get(room, ())) | {room}
        before |= set(floor)
    raise AssertionError(f"{room} has no place in FLOORS: put it where it stands in the flow.")


def within(module: str, places: tuple[str, ...]) -> bool:
    return any(f"{module}.".startswith(f"vsanon.{place}.") for place in places)


def against_the_flow(module: str, tree: ast.AST) -> list[str]:
    if module == "vsanon.validation":
        return []  # a docstring
    # The version stands in the package itself, and everybody may state it.
    wanted = {
        name for name in ours(tree) if not (name == "vsanon" and set(imported(tree)) & {"vsanon.__version__"})
    }
    return [
        f"{module} imports {name}" for name in sorted(wanted) if room_of(name) not in may_import(room_of(module))
    ]


def out_of_place(module: str, tree: ast.AST) -> list[str]:
    libraries = {name.split(".")[0] for name in imported(tree)}
    found = [f"{module} imports {x}" for x in sorted(libraries & set(ONLY_IN)) if not within(module, ONLY_IN[x])]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = f"{node.value.id}.{node.attr}"
            starts = node.value.id == "os" and node.attr.startswith(_STARTS)
            if starts or name.startswith("asyncio.create_subprocess"):
                found.append(f"{module} starts a program with {name}")
            if node.value.id == "cv2" and node.attr in VIDEO_IN_CV2:
                found.append(f"{module} reads or writes video with {name}")
    return found


def prints(module: str, tree: ast.AST) -> list[str]:
    if within(module, PRINTS):
        return []
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("print", "input"):
            found.append(f"{module} calls {node.func.id} in line {node.lineno}")
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = f"{node.value.id}.{node.attr}"
            if name in ("sys.stdout", "sys.stderr", "sys.stdin"):
                found.append(f"{module} uses {name} in line {node.lineno}")
    return found


def complaints(module: str, tree: ast.AST) -> list[str]:
    return [*against_the_flow(module, tree), *out_of_place(module, tree), *prints(module, tree)]


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """The files of a circle of imports, those inside functions included; empty where there is none."""
    try:
        TopologicalSorter({name: wanted - {name} for name, wanted in graph.items()}).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_imports_point_one_way_along_the_flow() -> None:
    assert [words for name, tree in MODULES.items() for words in against_the_flow(name, tree)] == []


def test_no_files_import_each_other_in_a_circle() -> None:
    assert circle({name: ours(tree) for name, tree in MODULES.items()}) == []


def test_a_circle_of_files_is_named() -> None:
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}})) == {"a", "b", "c"}


def test_each_outside_library_is_known_in_one_place_and_one_module_starts_ffmpeg() -> None:
    assert [words for name, tree in MODULES.items() for words in out_of_place(name, tree)] == []


def test_only_the_command_line_prints() -> None:
    assert [words for name, tree in MODULES.items() for words in prints(name, tree)] == []


def test_every_room_has_one_place_in_the_flow_and_no_place_is_empty() -> None:
    places = [room for floor in FLOORS for room in floor]
    assert len(places) == len(set(places))
    assert set(places) == {room_of(name) for name in MODULES} - {"validation"}


def test_tests_lie_in_the_rooms_that_they_are_of() -> None:
    here = Path(__file__).parent
    folders = {".".join(file.relative_to(here).parts[:-1]) for file in here.rglob("test_*.py")}
    assert folders - {room for floor in FLOORS for room in floor} == {"", "support"}
    packages = {room_of(name) for name in MODULES if name.count(".") > room_of(name).count(".") + 1}
    assert packages - folders - {"vsanon"} == set(), "a room without tests"


def test_every_file_says_in_its_first_line_what_it_owns() -> None:
    assert [name for name, tree in MODULES.items() if not docstring_of(tree).partition("\n")[0].strip()] == []


def test_every_place_named_for_a_library_is_there() -> None:
    places = {f"vsanon.{place}" for found in ONLY_IN.values() for place in found}
    assert places - set(MODULES) == set()


@pytest.mark.parametrize(
    ("module", "source", "words"),
    [
        ("vsanon.errors", "import vsanon.files", "imports vsanon.files"),
        ("vsanon.boxes", "from vsanon.cli import main", "imports vsanon.cli.main"),
        ("vsanon.media.facts", "from vsanon.encode.presets import load", "imports vsanon.encode.presets"),
        ("vsanon.encode.raw", "from vsanon.detections import Origin", "imports vsanon.detections"),
        ("vsanon.covering.masks", "def f():\n    import vsanon.media", "imports vsanon.media"),
        ("vsanon.reporting.svg", "import vsanon.validation.runs.run", "imports vsanon.validation.runs.run"),
        ("vsanon.covering.masks", "import vapoursynth as vs", "imports vapoursynth"),
        ("vsanon.detectors.yunet", "import onnxruntime.capi", "imports onnxruntime"),
        ("vsanon.encode.presets", "from subprocess import run", "imports subprocess"),
        ("vsanon.drawn.people", "import os\nos.execv('ffmpeg', [])", "starts a program with os.execv"),
        ("vsanon.drawn.people", "import cv2\ncv2.VideoCapture('a')", "reads or writes video with cv2.VideoCapture"),
        ("vsanon.job.pipeline", "print('done')", "calls print in line 1"),
        ("vsanon.job.pipeline", "import sys\nsys.stdout.write('')", "uses sys.stdout in line 2"),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_is_named(module: str, source: str, words: str) -> None:
    assert complaints(module, ast.parse(source)) == [f"{module} {words}"]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("vsanon.job.frames", "from vsanon import encode, filters\nimport vapoursynth as vs"),
        ("vsanon.job.ledger", "from vsanon import __version__"),
        ("vsanon.media.probing", "import av\nfrom vsanon.media.facts import Chapter"),
        ("vsanon.encode.ffmpeg", "import subprocess"),
        ("vsanon.cli.main", "import click\nfrom vsanon import __version__, job\nprint('done')"),
    ],
)  # fmt: skip
def test_what_keeps_the_rules_is_let_through(module: str, source: str) -> None:
    assert complaints(module, ast.parse(source)) == []


def test_a_room_without_a_place_in_the_flow_is_asked_for_one() -> None:
    with pytest.raises(AssertionError, match="newcomer has no place"):
        may_import("newcomer")
