"""H.264 whose frames are coded as one picture or as two fields, as broadcast encoders choose (PAFF), exactly.

Every macroblock is I_PCM, so that what is decoded is what was drawn (ITU-T H.264, 7.3.2.1 to 7.3.5).
"""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Planes = Sequence[NDArray[np.uint8]]


class _Bits:
    def __init__(self) -> None:
        self._text = ""

    def u(self, value: int, count: int = 1) -> "_Bits":
        self._text += f"{value:0{count}b}"
        return self

    def ue(self, *values: int) -> "_Bits":
        for value in values:
            self._text += "0" * ((value + 1).bit_length() - 1) + f"{value + 1:b}"
        return self

    def aligned(self, stop: str = "") -> bytes:
        self._text += stop
        self._text += "0" * (-len(self._text) % 8)
        done, self._text = self._text, ""
        return int(done, 2).to_bytes(len(done) // 8, "big") if done else b""


def _unit(head: int, content: bytes) -> bytes:
    return b"\0\0\0\1" + bytes([head]) + re.sub(rb"\0\0(?=[\0-\3])", b"\0\0\3", content)


def _slice(planes: Planes, number: int, poc: int, *, field: int | None, idr: bool, kept: bool) -> bytes:
    bits = _Bits().ue(0, 7, 0).u(number, 4).u(field is not None)
    if field is not None:
        bits.u(field)
    if idr:
        bits.ue(0)
    bits.u(poc, 16)
    if kept:
        bits.u(0, 2 if idr else 1)  # decoded reference picture marking
    bits.ue(0, 1)  # no change of the quantiser; no deblocking
    luma, *chroma = planes
    content = b""
    for y in range(0, luma.shape[0], 16):
        for x in range(0, luma.shape[1], 16):
            content += bits.ue(25).aligned() + luma[y : y + 16, x : x + 16].tobytes()
            content += b"".join(c[y // 2 : y // 2 + 8, x // 2 : x // 2 + 8].tobytes() for c in chroma)
    return _unit(5 | kept << 5 if idr else 1 | kept << 5, content + bits.aligned("1"))


def paff(frames: Sequence[Planes], top_first: bool = True) -> bytes:
    """A byte stream of frames, (rows, columns) of Y, U and V each; the odd ones are coded as two fields.

    Rows are a multiple of 32, columns of 16.
    """
    height, width = frames[0][0].shape
    sizes = _Bits().u(77, 8).u(0, 8).u(30, 8).ue(0, 0, 0, 12, 1).u(0).ue(width // 16 - 1, height // 32 - 1)
    stream = _unit(0x67, sizes.u(0b00100, 5).aligned("1"))  # fields or frames, not by macroblock
    stream += _unit(0x68, _Bits().ue(0, 0).u(0, 2).ue(0, 0, 0).u(0, 3).ue(0, 0, 0).u(0b100, 3).aligned("1"))
    for n, planes in enumerate(frames):
        number = min(n, 1)
        if n % 2 == 0:
            stream += _slice(planes, number, 2 * n, field=None, idr=n == 0, kept=n == 0)
            continue
        for at, field in enumerate((0, 1) if top_first else (1, 0)):
            rows = [np.ascontiguousarray(plane[field::2]) for plane in planes]
            stream += _slice(rows, number, 2 * n + at, field=field, idr=False, kept=False)
    return stream
