"""The keys of steps: what the result of each depends on, declared in one place.

A key is the SHA-256 of the step's name, its declared inputs, vsanon's own code, and the versions of the libraries
that compute in it. Another input, another code or another library is another key: figures that were made before
are never taken for those that would be made today. An input that is not declared here, or one that is left out, is
an error and no key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from vsanon.encode import ffmpeg_version
from vsanon.files import sha256_of
from vsanon.models import package_version
from vsanon.validation.runs.store import canonical

FFMPEG = "ffmpeg"
_DECODE = ("av", "vapoursynth", "vapoursynth-bestsource")
_SEARCH = (*_DECODE, "numpy", "onnxruntime", "opencv-python-headless", "scipy")
_MEASURE = ("numpy", "opencv-python-headless", "scipy")


@dataclass(frozen=True, slots=True)
class Declared:
    """What a step depends on besides vsanon's own code.

    Args:
        inputs: names, each of which its key has to be given.
        libraries: packages by their names at PyPI, and `FFMPEG`.
    """

    inputs: tuple[str, ...]
    libraries: tuple[str, ...]


STEPS: Mapping[str, Declared] = {
    "scene": Declared(("scene",), (*_MEASURE, FFMPEG)),
    "read": Declared(("file", "frames"), _DECODE),
    "master": Declared(("source", "scale", "fps"), (*_DECODE, "numpy", "opencv-python-headless", FFMPEG)),
    "as_is": Declared(("source", "master"), ("av",)),
    "encode": Declared(("master", "preset", "generations"), (*_DECODE, FFMPEG)),
    "picture": Declared(("reference", "distorted", "models"), ("av", "numpy", FFMPEG)),
    "seen": Declared(("master", "truth", "points"), (*_DECODE, *_MEASURE, "onnxruntime")),
    "search": Declared(("encoded", "search", "models"), _SEARCH),
    "fidelity": Declared(("master", "search"), ("numpy", "opencv-python-headless")),
    "cover": Declared(("search", "truth", "seen"), (*_DECODE, *_MEASURE)),
    "regions": Declared(("master", "encoded", "truth", "classes"), (*_DECODE, *_MEASURE)),
    "pictures": Declared(("master", "encoded", "search", "truth"), (*_DECODE, *_MEASURE)),
    "anonymise": Declared(("search", "profile"), (*_SEARCH, FFMPEG)),
    "deliver": Declared(("anonymised", "preset", "picture", "truth", "search", "models"), (*_SEARCH, FFMPEG)),
    "cell": Declared(("read", "search", "truth", "cell"), ()),
}
"""By name."""

PACKAGES = tuple(sorted({name for step in STEPS.values() for name in step.libraries} - {FFMPEG}))
"""All packages that compute in some step."""


def key_of(step: str, **inputs: Any) -> str:
    """The key of a step with these inputs, 64 hexadecimal digits.

    Args:
        step: one of `STEPS`.
        inputs: all that it declares, JSON-able: keys of other steps, hashes, settings.

    Raises:
        ValueError: there is no such step, or its inputs are not those declared.
    """
    declared = STEPS.get(step)
    if declared is None:
        raise ValueError(f"there is no step {step!r}, only {', '.join(STEPS)}")
    if sorted(inputs) != sorted(declared.inputs):
        raise ValueError(f"the step {step} depends on {', '.join(declared.inputs)}; got {', '.join(inputs)}")
    versions = {name: ffmpeg_version() if name == FFMPEG else version(name) for name in declared.libraries}
    whole = {"step": step, "code": code_sha256(), "versions": versions, "inputs": inputs}
    return sha256_of(canonical(whole).encode())


def made_by() -> str:
    """What computes here, as 64 hexadecimal digits: vsanon's own code, and all libraries that any step uses."""
    versions = {"code": code_sha256(), FFMPEG: ffmpeg_version(), **{name: version(name) for name in PACKAGES}}
    return sha256_of(canonical(versions).encode())


@cache
def version(package: str) -> str:
    """The version of a package, as it is installed; what has begun to compute with it goes on with that one."""
    return package_version(package)


@cache
def code_sha256() -> str:
    """SHA-256 over the names and contents of vsanon's own files: another version of the code gives other keys.

    The command line and the reports are left out: they only pass on and show what was measured.
    """
    package = Path(str(resources.files("vsanon")))
    lines = [f"{name} {sha256_of((package / name).read_bytes())}" for name in code_files(package)]
    return sha256_of("\n".join(lines).encode())


def code_files(package: Path) -> list[str]:
    """The files below the package that can change what is measured, as paths from it, sorted."""
    kinds = (".py", ".yaml", ".onnx")
    inside = (p.relative_to(package) for p in package.rglob("*") if p.suffix in kinds and p.is_file())
    return sorted(p.as_posix() for p in inside if p.parts[0] not in ("cli", "reporting"))
