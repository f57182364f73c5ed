"""ffmpeg's names for how samples are stored and what they stand for, and what each container takes."""

import os
from dataclasses import dataclass
from functools import cache

import av

from vsanon.errors import InputError

# ITU-T H.273 code points under ffmpeg's names; 2 is "unspecified" in all three and stays untagged.
MATRICES = {
    0: "gbr",
    1: "bt709",
    4: "fcc",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "ycgco",
    9: "bt2020nc",
    10: "bt2020c",
    11: "smpte2085",
    12: "chroma-derived-nc",
    13: "chroma-derived-c",
    14: "ictcp",
    15: "ipt-c2",
    16: "ycgco-re",
    17: "ycgco-ro",
}
PRIMARIES = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "film",
    9: "bt2020",
    10: "smpte428",
    11: "smpte431",
    12: "smpte432",
    22: "ebu3213",
}
TRANSFERS = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    9: "log100",
    10: "log316",
    11: "iec61966-2-4",
    12: "bt1361e",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    17: "smpte428",
    18: "arib-std-b67",
}
RANGES = {1: "tv", 2: "pc"}
CHROMA_LOCATIONS = {1: "left", 2: "center", 3: "topleft", 4: "top", 5: "bottomleft", 6: "bottom"}
FIELD_ORDERS = {1: "progressive", 2: "tt", 3: "bb", 4: "tb", 5: "bt"}


@dataclass(frozen=True, slots=True)
class Color:
    """How sample values stand for light, in ffmpeg's names; None is untagged."""

    matrix: str | None = None
    primaries: str | None = None
    transfer: str | None = None
    range: str | None = None
    chroma_location: str | None = None


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """What an ffmpeg pixel format holds; `chroma` divides (width, height) for the size of a chroma plane."""

    name: str
    rgb: bool
    alpha: bool
    gray: bool
    depth: int
    is_float: bool
    chroma: tuple[int, int]
    planar: bool
    plane_count: int

    def plane_shapes(self, size: tuple[int, int]) -> tuple[tuple[int, int], ...]:
        """(rows, columns) of each plane of a planar format, for a frame of `size` (width, height)."""
        width, height = size
        across, down = self.chroma
        small = (-(-height // down), -(-width // across))
        whole = (height, width)
        return tuple(
            small if not self.rgb and not self.gray and p in (1, 2) else whole for p in range(self.plane_count)
        )

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample: 1, 2 or 4."""
        return 1 if self.depth <= 8 else 2 if self.depth <= 16 else 4


@cache
def pixel_format(name: str) -> PixelFormat:
    """Describe an ffmpeg pixel format.

    Raises:
        InputError: ffmpeg has no such format.
    """
    try:
        found = av.VideoFormat(name, 64, 64)
    except ValueError as error:
        raise InputError(f"{name!r} is not a pixel format that ffmpeg knows (`ffmpeg -pix_fmts`).") from error
    parts = found.components
    depth = max(part.bits for part in parts)
    colors = [part for part in parts if not part.is_alpha]
    gray = len(colors) == 1
    chroma = colors[1] if not gray and not found.is_rgb else colors[0]
    planes = {part.plane for part in parts}
    return PixelFormat(
        name=name,
        rgb=found.is_rgb,
        alpha=any(part.is_alpha for part in parts),
        gray=gray,
        depth=depth,
        is_float=depth == 32 or "f16" in name,
        chroma=(64 // chroma.width, 64 // chroma.height),
        planar=len(planes) == len(parts),
        plane_count=len(planes),
    )


# This muxer's list has every codec; these are those it has an essence container for.
_MXF = frozenset(
    ("pcm_s16le", "pcm_s24le", "mpeg2video", "dvvideo", "dnxhd", "jpeg2000", "h264", "prores", "ffv1"),
)

# The muxer's own list has these; on writing the header it refuses them.
_REFUSED = frozenset({("mov", "flac"), ("mov", "opus"), ("mov", "truehd"), ("mp4", "truehd")})


@cache
def takes_codec(container: str, codec: str) -> bool:
    """Whether ffmpeg's muxer named `container` (mov, mp4, matroska, ...) takes streams of `codec`."""
    if (container, codec) in _REFUSED or (container == "mxf" and codec not in _MXF):
        return False
    with av.open(os.devnull, "w", format=container) as output:
        try:
            output.add_mux_stream(codec)
        except ValueError:
            return False
        return True
