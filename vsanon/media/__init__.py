"""Media files, read with PyAV: what one holds, its packets and decoded frames, and ffmpeg's formats."""

from vsanon.media.facts import Chapter, MediaFacts, StreamFacts, VideoFacts
from vsanon.media.formats import Color, PixelFormat, pixel_format, takes_codec
from vsanon.media.held import Held, held, hidden
from vsanon.media.held_atoms import wrong_lengths
from vsanon.media.pictures import Picture
from vsanon.media.probing import probe
from vsanon.media.reading import StreamPackets, decode_timestamps, packet_hashes
from vsanon.media.telemetry import what_name_tells

__all__ = [
    "Chapter",
    "Color",
    "Held",
    "MediaFacts",
    "Picture",
    "PixelFormat",
    "StreamFacts",
    "StreamPackets",
    "VideoFacts",
    "decode_timestamps",
    "held",
    "hidden",
    "packet_hashes",
    "pixel_format",
    "probe",
    "takes_codec",
    "what_name_tells",
    "wrong_lengths",
]
