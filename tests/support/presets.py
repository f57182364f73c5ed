"""Every shipped preset as a parameter: one of each kind belongs to the quick loop, all others are slow."""

from typing import Any

import pytest

from vsanon.encode import presets

QUICK = ("ffv1", "h264_crf", "h265_crf", "prores_hq")


def each_preset() -> list[Any]:
    """The names, those outside the quick loop marked."""
    return [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in presets.names()]
