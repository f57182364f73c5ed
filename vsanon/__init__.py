"""VapourSynth filters that find, track and cover faces and licence plates, frame-accurately."""

from vsanon.covering.masks import Shape
from vsanon.detectors.search import Search
from vsanon.filters import anonymize, blur, detect, load, mask, overlay, track
from vsanon.tracking.cover import TrackSettings

__version__ = "0.1.0"

__all__ = ["Search", "Shape", "TrackSettings", "anonymize", "blur", "detect", "load", "mask", "overlay", "track"]
