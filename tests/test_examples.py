"""Every `>>>` example of a docstring runs, and gives what stands there."""

import doctest
import importlib
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.media_clips import draw
from tests.test_imports import MODULES, PACKAGE

WITH_EXAMPLES = [
    name
    for name in MODULES
    if any(
        file.is_file() and ">>> " in file.read_text(encoding="utf-8")
        for stem in ["/".join(name.split(".")[1:])]
        for file in ((PACKAGE / f"{stem}.py") if stem else PACKAGE / "__init__.py", PACKAGE / stem / "__init__.py")
    )
]


def examples(module: ModuleType) -> list[doctest.DocTest]:
    return [test for test in doctest.DocTestFinder().find(module) if test.examples]


HEAVY = ("vsanon.job.pipeline",)
"""Whose examples are whole jobs."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in HEAVY else name for name in WITH_EXAMPLES]
)
def test_the_examples_of_a_module_give_what_they_say(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each runs in a folder of its own, with a clip `in.mp4` of 12 frames in it."""
    tests = examples(importlib.import_module(name))
    assert tests
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in tests:
        folder = tmp_path / test.name
        folder.mkdir()
        monkeypatch.chdir(folder)
        draw(Path("in.mp4"), "-c:v", "libx264", "-pix_fmt", "yuv420p", video="testsrc2=s=320x180:r=24:d=0.5")
        runner.run(test, out=said.append)
    assert "".join(said) == ""


def test_every_filter_that_scripts_get_has_an_example() -> None:
    import vsanon

    filters = [name for name in vsanon.__all__ if name.islower()]
    assert [name for name in filters if ">>> " not in str(getattr(vsanon, name).__doc__)] == []
