"""VapourSynth filters that find, track and cover faces and licence plates, frame-accurately."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vsanon.covering.shapes import Shape
    from vsanon.detectors.search import Search
    from vsanon.filters import anonymize
    from vsanon.filters.detect import detect
    from vsanon.filters.load import load
    from vsanon.filters.paint import blur, mask, overlay
    from vsanon.filters.track import track
    from vsanon.tracking.settings import TrackSettings

__version__ = "0.1.0"

__all__ = ["Search", "Shape", "TrackSettings", "anonymize", "blur", "detect", "load", "mask", "overlay", "track"]

_ELSEWHERE = {"Search": "detectors.search", "Shape": "covering.masks", "TrackSettings": "tracking.settings"}


def __getattr__(name: str) -> Any:
    """A public name when it is first asked for: `vsanon --help` need not wait for VapourSynth and ONNX Runtime."""
    if name not in __all__:
        raise AttributeError(f"module 'vsanon' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"vsanon.{_ELSEWHERE.get(name, 'filters')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
