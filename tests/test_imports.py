"""Imports point one way along the flow, and each outside library is known in one place."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import vsanon

PACKAGE = Path(vsanon.__file__).parent
FILES = {place.stem for place in PACKAGE.iterdir() if place.name != "__init__.py"}

# A module or package imports what stands before it in its own strand, and any of the strands it stands on.
# "boxes" and "media" meet in "job" only: what finds and covers knows no files, what encodes knows no boxes.
STRANDS: dict[str, tuple[tuple[str, ...], str]] = {
    "ground": ((), "errors boxes timing files schemas assignment"),
    "boxes": (
        ("ground",),
        "tracks models detectors linking tracklets tracking sampling identities trackfile edits "
        "following interchange masks effects props filters",
    ),
    "media": (("ground",), "media presets variants source encode"),
    "job": (
        ("ground", "boxes", "media"),
        "vsanon demo_art demo frames settings scripting verify coverage ledger delivery pipeline mattes timelines "
        "pictures review doctor validation reporting cli",
    ),
}

# Who may import what; a dot names one module of a package, everything else the whole of it.
ONLY_IN: dict[str, tuple[str, ...]] = {
    # "filters", "source" and "frames" know it; the others pass clips on, or look whether it is there.
    "vapoursynth": (
        "filters",
        "source",
        "frames",
        "scripting",
        "pipeline",
        "doctor",
        "validation.media_steps",
        "validation.cover_steps",
        "validation.search_steps",
    ),
    "onnx": ("models",),
    "onnxruntime": ("models",),
    "av": ("media", "encode"),
    "imageio_ffmpeg": ("encode.ffmpeg",),
    "subprocess": ("encode.ffmpeg", "models.pull", "doctor"),  # ffmpeg; the package client; vspipe
    "cryptography": ("reporting.signing",),
    "multiprocessing": ("validation.executors",),
    "jinja2": ("reporting.rendering",),
    "weasyprint": ("reporting.pdf",),
    "click": ("cli",),
    "tqdm": ("cli",),
}
PRINTS = ("cli",)

_STARTS = ("system", "popen", "startfile", "exec", "spawn", "posix_spawn", "fork")


def imported(tree: ast.AST) -> Iterator[str]:
    """Every imported module, also inside functions; `from a import b` as a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part_of(name: str) -> str:
    """The module or package right under vsanon; the command line counts as one, however many files it has.

    The names of vsanon itself (`vsanon.__version__`) are part "vsanon".
    """
    first = name.split(".")[1] if "." in name else "vsanon"
    if first.startswith("cli_"):
        return "cli"
    return first if first in FILES or any(first in parts.split() for _, parts in STRANDS.values()) else "vsanon"


def may_import(part: str) -> set[str]:
    for below, parts in STRANDS.values():
        if part in parts.split():
            own = parts.split()
            lower = {p for name in below for p in STRANDS[name][1].split()}
            return lower | set(own[: own.index(part)])
    raise AssertionError(f"vsanon.{part} has no place in STRANDS: put it where it stands in the flow.")


def within(module: str, places: tuple[str, ...]) -> bool:
    return part_of(module) in places or any(f"{module}.".startswith(f"vsanon.{place}.") for place in places)


def against_the_flow(module: str, tree: ast.AST) -> list[str]:
    part = part_of(module)
    allowed = may_import(part)
    wanted = {part_of(name) for name in imported(tree) if name.split(".")[0] == "vsanon"}
    return [f"{module} imports {other}" for other in sorted(wanted - allowed - {part})]


def out_of_place(module: str, tree: ast.AST) -> list[str]:
    libraries = {name.split(".")[0] for name in imported(tree)}
    found = [f"{module} imports {x}" for x in sorted(libraries & set(ONLY_IN)) if not within(module, ONLY_IN[x])]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = f"{node.value.id}.{node.attr}"
            starts = node.value.id == "os" and node.attr.startswith(_STARTS)
            if starts or name.startswith("asyncio.create_subprocess"):
                found.append(f"{module} starts a program with {name}")
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


def modules() -> Iterator[tuple[str, ast.AST]]:
    for file in sorted(PACKAGE.rglob("*.py")):
        names = ("vsanon", *file.relative_to(PACKAGE).with_suffix("").parts)
        yield ".".join(names).removesuffix(".__init__"), ast.parse(file.read_text(encoding="utf-8"))


def test_imports_point_one_way_along_the_flow() -> None:
    assert [words for name, tree in modules() for words in against_the_flow(name, tree)] == []


def test_each_outside_library_is_known_in_one_place_and_one_module_starts_ffmpeg() -> None:
    assert [words for name, tree in modules() for words in out_of_place(name, tree)] == []


def test_only_the_command_line_prints() -> None:
    assert [words for name, tree in modules() for words in prints(name, tree)] == []


def test_every_module_is_looked_at() -> None:
    names = {name for name, _ in modules()}
    assert {"vsanon", "vsanon.errors", "vsanon.cli", "vsanon.encode", "vsanon.encode.ffmpeg"} <= names


@pytest.mark.parametrize(
    ("module", "source", "words"),
    [
        ("vsanon.errors", "import vsanon", "vsanon.errors imports vsanon"),
        ("vsanon.boxes", "from vsanon import cli", "vsanon.boxes imports cli"),
        ("vsanon.media.facts", "from vsanon.presets import load", "vsanon.media.facts imports presets"),
        ("vsanon.encode.raw", "from vsanon.tracks import Track", "vsanon.encode.raw imports tracks"),
        ("vsanon.masks", "def f():\n    import vsanon.media", "vsanon.masks imports media"),
        ("vsanon.masks", "import vapoursynth as vs", "vsanon.masks imports vapoursynth"),
        ("vsanon.detectors.yunet", "import onnxruntime.capi", "vsanon.detectors.yunet imports onnxruntime"),
        ("vsanon.encode.raw", "from subprocess import run", "vsanon.encode.raw imports subprocess"),
        ("vsanon.demo", "import os\nos.execv('ffmpeg', [])", "vsanon.demo starts a program with os.execv"),
        ("vsanon.pipeline", "print('done')", "vsanon.pipeline calls print in line 1"),
        ("vsanon.pipeline", "import sys\nsys.stdout.write('')", "vsanon.pipeline uses sys.stdout in line 2"),
    ],
)
def test_what_breaks_a_rule_is_named(module: str, source: str, words: str) -> None:
    tree = ast.parse(source)
    assert [*against_the_flow(module, tree), *out_of_place(module, tree), *prints(module, tree)] == [words]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("vsanon.pipeline", "from vsanon import encode, filters"),
        ("vsanon.media.probing", "import av\nfrom vsanon.media.facts import Chapter"),
        ("vsanon.encode.ffmpeg", "import subprocess"),
        ("vsanon.cli", "import click\nfrom vsanon import __version__, pipeline\nprint('done')"),
        ("vsanon.cli_review", "from vsanon import cli\nprint('done')"),
    ],
)
def test_what_keeps_the_rules_is_let_through(module: str, source: str) -> None:
    tree = ast.parse(source)
    assert [*against_the_flow(module, tree), *out_of_place(module, tree), *prints(module, tree)] == []


def test_a_module_without_a_place_in_the_flow_is_asked_for_one() -> None:
    with pytest.raises(AssertionError, match="newcomer has no place"):
        may_import("newcomer")
