"""Fixtures that all tests share."""

import gc
import os
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


def pytest_collection_finish() -> None:
    """Take what was imported and collected for good: `VideoNode.frames` has all other objects looked through."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def assets() -> Path:
    """The folder of real footage and models; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("VSANON_ASSETS", Path(__file__).parents[2] / "shared" / "assets"))
    if not (folder / "INDEX.md").is_file():
        pytest.skip(f"no assets: {folder} has no INDEX.md (set VSANON_ASSETS)")
    return folder
