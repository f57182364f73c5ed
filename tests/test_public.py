"""The names that scripts and farms may rely on: a change here is one that users must be told of in CHANGELOG.md."""

import importlib
import subprocess
import sys

import pytest

import vsanon

FILTERS = ["Search", "Shape", "TrackSettings", "anonymize", "blur", "detect", "load", "mask", "overlay", "track"]
"""What a VapourSynth script gets with `import vsanon`."""

PUBLIC = {
    "vsanon.errors": (
        "VsanonError InputError TrackFileError MissingError ModelError CheckError EncodeError"
    ),
    "vsanon.job.pipeline": "anonymize_file analyze_file render_file",
    "vsanon.job.settings": "Settings",
    "vsanon.job.scripting": "Footage footage",
    "vsanon.tracks.file": "read_tracks TrackWriter",
    "vsanon.tracks.table": "TrackTable",
    "vsanon.detections": "Detections TrackedBoxes Origin",
    "vsanon.cli.main": "main",
}  # fmt: skip
"""For programs that call vsanon. All other modules are its inside, and may change without a word."""


def test_the_package_gives_scripts_these_names_and_no_others() -> None:
    assert sorted(vsanon.__all__) == FILTERS
    assert [name for name in FILTERS if not hasattr(vsanon, name)] == []


@pytest.mark.parametrize(("module", "name"), [(m, n) for m, names in PUBLIC.items() for n in names.split()])
def test_a_public_name_is_there_and_says_what_it_is(module: str, name: str) -> None:
    assert getattr(importlib.import_module(module), name).__doc__


def test_the_command_line_starts_without_what_only_its_work_needs() -> None:
    heavy = "{'numpy', 'cv2', 'vapoursynth', 'onnxruntime', 'av', 'scipy', 'yaml', 'jinja2'}"
    code = f"import sys, vsanon, vsanon.cli.main; print(sorted(set(sys.modules) & {heavy}))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_what_the_package_does_not_have_is_said_as_python_says_it() -> None:
    with pytest.raises(AttributeError, match="module 'vsanon' has no attribute 'blurr'"):
        vsanon.blurr  # noqa: B018
    assert set(vsanon.__all__) <= set(dir(vsanon))
