"""A decoded frame as planes of samples."""

from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from vsanon.errors import InputError
from vsanon.media.formats import pixel_format

_PACKED = {
    "bgr0": (1, 0, 2), "bgra": (1, 0, 2, 3), "rgb24": (1, 2, 0), "rgba": (1, 2, 0, 3), "rgb48le": (1, 2, 0),
    "rgb48be": (1, 2, 0), "rgba64le": (1, 2, 0, 3), "rgba64be": (1, 2, 0, 3),
}  # fmt: skip
"""Of packed formats, where among the samples of a pixel G, B, R and alpha stand."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded frame.

    `planes` are (rows, columns) in ffmpeg's planar order: Y, U, V or G, B, R, then alpha; packed RGB comes in that
    order too. They are views that live until the next frame. `pix_fmt` is the format's name. `full_range` says
    whether the samples span it.
    """

    planes: tuple[NDArray[Any], ...]
    pix_fmt: str
    full_range: bool


def picture_of(frame: av.VideoFrame) -> Picture:
    """The planes of a frame.

    Raises:
        InputError: its samples are packed in a way that is not known here.
    """
    found = pixel_format(frame.format.name.replace("yuvj", "yuv"))
    full = found.rgb or frame.format.name != found.name or int(frame.color_range) == 2
    dtype = np.dtype(f"<f{found.sample_bytes}" if found.is_float else f"<u{found.sample_bytes}")
    if found.name.endswith("be"):
        dtype = dtype.newbyteorder(">")
    rows = [np.frombuffer(plane, dtype).reshape(plane.height, -1) for plane in frame.planes]
    if found.planar:
        planes = tuple(r[:, : p.width] for r, p in zip(rows, frame.planes, strict=True))
        if found.is_float and found.depth == 16:  # a half is a float, exactly
            return Picture(tuple(p.astype(np.float32) for p in planes), found.name.replace("f16", "f32"), full)
        return Picture(planes, found.name, full)
    if found.name not in _PACKED:
        raise InputError(f"pictures of {found.name} can't be compared: use a preset with a planar format")
    order, width = _PACKED[found.name], frame.planes[0].width
    each = 4 if found.name == "bgr0" else len(order)
    native = dtype.newbyteorder("=")
    return Picture(tuple(np.asarray(rows[0][:, i : width * each : each], native) for i in order), found.name, full)
