"""Elements of Matroska and WebM files (RFC 8794): kind, length and content, side by side and in each other."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from vsanon.errors import InputError

_DEEPEST = 64
"""How deep elements lie in each other at most: those of Matroska in nine levels (RFC 9559), but for chapters."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its kind, where its content begins, and where that stops.

    None where its length is unknown, as that of a live stream: it lasts until its parent ends.
    """

    kind: int
    start: int
    stop: int | None


def element_at(file: BinaryIO, at: int) -> Element | None:
    """The element that begins at a byte of a file; None where there is none."""
    file.seek(at)
    head = file.read(12)
    across = _length(head[0]) if head else 0
    if not 1 <= across <= 4 or len(head) <= across:
        return None
    size = _length(head[across])
    if size > 8 or len(head) < across + size:
        return None
    content, unknown = int.from_bytes(head[across : across + size]), (1 << 7 * size) - 1
    start, length = at + across + size, content & unknown
    return Element(int.from_bytes(head[:across]), start, None if length == unknown else start + length)


def require_shallow(path: Path, depth: int) -> None:
    """Refuse what lies deeper than any program writes it.

    Raises:
        InputError: it does.
    """
    if depth > _DEEPEST:
        raise InputError(f"{path}: its elements lie in each other more than {_DEEPEST} deep, as in no film")


def _length(first: int) -> int:
    """Bytes of a number of variable length, by its first; 9 of one that is none."""
    return 9 - first.bit_length()
