"""What lies in an MXF file beside its essence (SMPTE ST 377-1, ST 379-2)."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from vsanon.errors import InputError
from vsanon.files import is_blank, open_plain

_FILL = "0301021001000000"
_ESSENCE = "0d010301"
_FRAME_ITEMS = ("0d01030104010100", "0d01030104010201")
"""The system item that goes with each frame."""
_INDEX = "0d01020101100100"
_KNOWN = ("0d010201", "0d01010101")
"""Partitions, the primer, the index of partitions; and sets of metadata."""

_TRACK_BYTES, _FRAME_BYTES = 2048, 192
"""The most that metadata take for a track and for the file, and system items and indexes for a frame."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One triplet: its key's last eight bytes, where its content lies, and whether that is essence."""

    kind: str
    start: int
    stop: int
    essence: bool


def hidden_in(path: Path, *, tracks: int, frames: int, essence: int, texts: int) -> list[str]:
    """What lies in a file that is no essence, in words; nothing where all is as it should be.

    Args:
        path: the file.
        tracks, frames: that it has.
        essence: bytes of its packets.
        texts: bytes that its names, titles and headers of streams may take.

    Raises:
        InputError: it can't be read.
    """
    wrong: list[str] = []
    held = metadata = with_frames = 0
    try:
        with open_plain(path) as file:
            size, end = os.fstat(file.fileno()).st_size, 0
            for part in _parts(file, size):
                length, end = part.stop - part.start, part.stop
                if part.kind == _FILL:
                    if not is_blank(file, part.start, part.stop):
                        wrong.append(f"{length} bytes of padding that are not empty")
                elif part.kind in _FRAME_ITEMS or part.kind == _INDEX:
                    with_frames += length
                elif part.essence:
                    held += length
                elif part.kind.startswith(_KNOWN):
                    metadata += length
                else:
                    wrong.append(f"{length} bytes under a key that ends in {part.kind}")
            if end != size:
                wrong.append(f"{size - end} bytes behind its last part")
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror}") from error
    room = _TRACK_BYTES * (tracks + 1) + texts, _FRAME_BYTES * (frames + 8)
    if metadata > room[0] or with_frames > room[1]:
        wrong.append(f"{metadata + with_frames} bytes beside its essence, which take {sum(room)} at most")
    if held != essence:
        wrong.append(f"{held} bytes of essence, of which {essence} are played")
    return wrong


def _parts(file: BinaryIO, stop: int) -> Iterator[_Part]:
    """The triplets of key, length and value, up to the first that is none."""
    at = 0
    while at + 17 <= stop:
        file.seek(at)
        head = file.read(25)
        size = head[16] & 127 if head[16] & 128 else 0
        length = int.from_bytes(head[17 : 17 + size]) if size else head[16]
        start = at + 17 + size
        if head[:4] != b"\x06\x0e\x2b\x34" or size > 8 or start + length > stop:
            return
        kind = head[8:16].hex()
        yield _Part(kind, start, start + length, head[4] == 1 and kind.startswith(_ESSENCE))
        at = start + length
