"""A reader that anybody can have: PP-OCR's recognition, out of a package, as it is; nothing is learnt."""

import hashlib
import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vsanon.errors import MissingError
from vsanon.files import write_atomic
from vsanon.models.card import WheelSource
from vsanon.models.pull import PullError, pull
from vsanon.models.runtime import CPU, require_available, start
from vsanon.validation.attacks.plates import words

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
I64 = NDArray[np.int64]

SOURCE = WheelSource("rapidocr", "3.10.0", "rapidocr/models/PP-OCRv6_rec_small.onnx")
"""Apache-2.0; the weights are Baidu's."""
SHA256 = "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884"
HEIGHT_PX = 48
"""Of the lines that it reads."""


def fetch(folder: Path) -> bytes:
    """The model, kept in a folder.

    Raises:
        MissingError: it can't be had, or is another one.
    """
    kept = folder / Path(SOURCE.member).name
    try:
        graph = kept.read_bytes() if kept.exists() else pull(SOURCE)
    except PullError as error:
        raise MissingError(f"the public reader, {SOURCE}, can't be had: {error}") from error
    if hashlib.sha256(graph).hexdigest() != SHA256:
        cure = f"remove {kept}" if kept.exists() else "the package index gives another file"
        raise MissingError(f"the public reader, {SOURCE}, has not the SHA-256 {SHA256}: {cure}")
    if not kept.exists():
        write_atomic(kept, graph)
    return graph


class PublicReader:
    """PP-OCR's recognition of a line of text."""

    def __init__(self, graph: bytes) -> None:
        self._session = start(graph, require_available(CPU), threads=1)
        self._input = self._session.get_inputs()[0].name
        known = self._session.get_modelmeta().custom_metadata_map["character"].splitlines()
        # An attacker knows that a plate has letters and digits; column 0 is none.
        self._columns = [0, *(k for k, c in enumerate(known, 1) if c.isascii() and c.isalnum())]
        self._characters = ["", *(known[k - 1] for k in self._columns[1:])]

    def likely(self, pictures: U8) -> F32:
        """(n, steps, characters) how likely each letter and digit is at each step of a line; the first is none.

        Args:
            pictures: (n, h, w, 3) luma and chroma of narrow range.
        """
        found = []
        for picture in pictures:
            luma = np.clip((picture[..., 0].astype(np.float64) - 16) * 255 / 219, 0, 255).astype(np.uint8)
            bgr = cv2.cvtColor(np.dstack([luma, picture[..., 2], picture[..., 1]]), cv2.COLOR_YCrCb2BGR)
            width = math.ceil(HEIGHT_PX * bgr.shape[1] / bgr.shape[0])
            large = cv2.resize(bgr, (width, HEIGHT_PX), interpolation=cv2.INTER_CUBIC)
            line = np.moveaxis(large.astype(np.float32) / np.float32(127.5) - 1, 2, 0)[None]
            found.append(self._session.run(None, {self._input: line})[0][0][:, self._columns])
        return np.stack(found)

    def said(self, likely: F32) -> list[str]:
        """The text of each line."""
        return [joined([self._characters[k] for k in steps]) for steps in likely.argmax(axis=2).tolist()]


def joined(steps: list[str]) -> str:
    """What the characters along a line spell, by connectionist temporal classification (Graves 2006).

    Examples:
        >>> joined(["", "a", "a", "", "a", "1", "1", ""])
        'AA1'
    """
    return "".join(c for c, before in zip(steps, ["", *steps], strict=False) if c != before).upper()


def right(read: list[str], text: I64) -> I64:
    """(n,) how many characters stand where they do in the plates of `plates.texts`."""
    return np.array([sum(a == b for a, b in zip(one, words(t), strict=False))
                     for one, t in zip(read, text, strict=True)], np.int64)  # fmt: skip
