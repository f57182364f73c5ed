"""A user's own picture, read from its file: a PNG, reduced to what a region needs."""

import hashlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.covering.colour import U8
from vsanon.covering.pictures import OWN, SIDE, Sticker, smile
from vsanon.errors import InputError
from vsanon.files import read_plain

_MOST_BYTES = 1 << 24
_MOST_SIDE = 8192
_PNG = b"\x89PNG\r\n\x1a\n"


def picture_of(text: str) -> Sticker:
    """A picture by the path of its PNG file, or `OWN`.

    Raises:
        InputError: there is no such file, it is no PNG, too large, or wholly transparent.
    """
    if text == OWN:
        return smile()
    path = Path(text)
    try:
        content = read_plain(path, _MOST_BYTES)
    except OSError as error:
        raise InputError(f"{path}: can't read the picture: {error.strerror}. Name a PNG file, or {OWN}") from error
    sides = (int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big"))
    if not content.startswith(_PNG) or not all(1 <= side <= _MOST_SIDE for side in sides):
        raise InputError(f"{path}: a picture is a PNG of 1 to {_MOST_SIDE} samples a side; convert it")
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None:
        raise InputError(f"{path}: the PNG can't be decoded; export it again")
    rgba = _reduced(_as_rgba(np.asarray(decoded)))
    if not rgba[..., 3].any():
        raise InputError(f"{path}: the picture is wholly transparent, so nothing of it would be seen")
    height, width = rgba.shape[:2]
    return Sticker(path.name, hashlib.sha256(content).hexdigest(), (width, height), rgba.tobytes())


def _as_rgba(decoded: NDArray[Any]) -> U8:
    if decoded.dtype == np.uint16:
        decoded = (decoded >> 8).astype(np.uint8)
    if decoded.ndim == 2:
        return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_GRAY2RGBA), np.uint8)
    code = cv2.COLOR_BGRA2RGBA if decoded.shape[2] == 4 else cv2.COLOR_BGR2RGBA
    return np.asarray(cv2.cvtColor(decoded, code), np.uint8)


def _reduced(rgba: U8) -> U8:
    """Halved until it is no larger than `SIDE`, colours weighted by alpha; odd sides get a clear line more."""
    while max(rgba.shape[:2]) > SIDE:
        padded = np.pad(rgba, ((0, rgba.shape[0] % 2), (0, rgba.shape[1] % 2), (0, 0))).astype(np.int64)
        padded[..., :3] *= padded[..., 3:]
        total = padded[::2, ::2] + padded[1::2, ::2] + padded[::2, 1::2] + padded[1::2, 1::2]
        alpha = total[..., 3:]
        colour = (2 * total[..., :3] + alpha) // np.maximum(2 * alpha, 1)
        rgba = np.concatenate([colour, (alpha + 2) // 4], axis=-1).astype(np.uint8)
    return rgba
