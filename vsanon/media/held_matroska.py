"""What lies in a Matroska or WebM file beside its blocks (RFC 9559, RFC 8794)."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from vsanon.errors import InputError
from vsanon.files import is_blank, open_plain
from vsanon.media.ebml import element_at, require_shallow

_EBML, _SEGMENT, _CLUSTER, _VOID = 0x1A45DFA3, 0x18538067, 0x1F43B675, 0xEC
_BLOCKS = frozenset((0xA3, 0xA1))
"""SimpleBlock and Block: the packets, which are looked at for themselves."""
_CUES = 0x1C53BB6B
_PARENTS = frozenset(
    (_EBML, _SEGMENT, _CLUSTER, 0x1549A966, 0x1654AE6B, 0x1043A770, 0x1254C367, 0x114D9B74, _CUES, 0xA0)
) | frozenset((0xAE, 0xE0, 0xE1, 0x45B9, 0xB6, 0x80, 0x7373, 0x67C8, 0x63C0, 0x4DBB, 0xBB, 0xB7, 0x55B0, 0x55D0))
"""Info, Tracks, Chapters, Tags, SeekHead, Cues, BlockGroup, and what lies in those."""
_OTHERS = (
    frozenset((0xBF, 0x4286, 0x42F7, 0x42F2, 0x42F3, 0x4282, 0x4287, 0x4285))  # checksums, and of the EBML header
    | frozenset((0x2AD7B1, 0x4D80, 0x5741, 0x73A4, 0x4489, 0x4461, 0x7BA9))  # of Info
    | frozenset((0x53AB, 0x53AC, 0xB3, 0xF7, 0xF1, 0xF0, 0xB2, 0x5378))  # of SeekHead and Cues
    | frozenset((0xE7, 0xA7, 0xAB, 0x9B, 0xFB, 0x75A2, 0xA4))  # of Cluster and BlockGroup
    | frozenset((0xD7, 0x73C5, 0x83, 0xB9, 0x88, 0x55AA, 0x9C, 0x23E383, 0x536E, 0x22B59C, 0x22B59D, 0x86, 0x63A2))
    | frozenset((0x56AA, 0x56BB, 0x6DE7, 0x55AB, 0x55AC, 0x55AD, 0x55AE, 0x55AF, 0x55EE, 0x258688))  # of a track
    | frozenset((0x9A, 0x9D, 0xB0, 0xBA, 0x54AA, 0x54BB, 0x54CC, 0x54DD, 0x54B0, 0x54BA, 0x54B2, 0x53C0, 0x53B8))
    | frozenset((0x55B1, 0x55B2, 0x55B3, 0x55B4, 0x55B5, 0x55B6, 0x55B7, 0x55B8, 0x55B9, 0x55BA, 0x55BB, 0x55BC))
    | frozenset((0x55BD, *range(0x55D1, 0x55DB)))  # of its colours
    | frozenset((0xB5, 0x78B5, 0x9F, 0x6264, 0x52F1))  # of its sound
    | frozenset((0x45BC, 0x45BD, 0x45DB, 0x45DD, 0x73C4, 0x91, 0x92, 0x98, 0x4598, 0x85, 0x437C, 0x437D, 0x5654))
    | frozenset((0x68CA, 0x63CA, 0x63C5, 0x63C4, 0x45A3, 0x447A, 0x447B, 0x4484, 0x4487))  # of Chapters and Tags
)
_TRACK_BYTES, _CHAPTER_BYTES = 1024, 512
"""The most that all others take for a track, for the file, and for a chapter; titles come on top."""
_NUMBER_BYTES, _PACKET_BYTES = 8, 32
"""The most that a number takes, and those that go with a packet, such as its place in an index."""


@dataclass(frozen=True, slots=True)
class _Part:
    kind: int
    start: int
    stop: int


def hidden_in(path: Path, *, tracks: int, packets: int, chapters: int, texts: int) -> list[str]:
    """What lies in a file that belongs to no packet, in words; nothing where all is as it should be.

    Args:
        path: the file.
        tracks, packets, chapters: that it has.
        texts: bytes that its names, titles and headers of streams may take.

    Raises:
        InputError: it can't be read.
    """
    wrong: list[str] = []
    others = numbers = 0
    try:
        with open_plain(path) as file:
            size = os.fstat(file.fileno()).st_size
            top = list(_parts(file, 0, size))
            if (end := top[-1].stop if top else 0) != size:
                wrong.append(f"{size - end} bytes behind its last element")
            if (kinds := [part.kind for part in top if part.kind != _VOID]) != [_EBML, _SEGMENT]:
                wrong.append(f"{len(kinds)} elements side by side, not a header and a segment")
            for part in _all(path, file, top):
                length = part.stop - part.start
                if part.kind == _VOID:
                    if not is_blank(file, part.start, part.stop):
                        wrong.append(f"{length} bytes of padding that are not empty")
                elif part.kind not in _OTHERS and part.kind not in _PARENTS and part.kind not in _BLOCKS:
                    wrong.append(f"{length} bytes in an element {part.kind:X}")
                elif part.kind in _OTHERS and length <= _NUMBER_BYTES:
                    numbers += length
                elif part.kind in _OTHERS:
                    others += length
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror}") from error
    room = _TRACK_BYTES * (tracks + 1) + _CHAPTER_BYTES * chapters + texts
    if others > room or numbers > room + _PACKET_BYTES * packets:
        wrong.append(f"{others + numbers} bytes beside its blocks, which take {room} at most")
    return wrong


def _all(path: Path, file: BinaryIO, parts: list[_Part], depth: int = 0) -> Iterator[_Part]:
    require_shallow(path, depth)
    for part in parts:
        yield part
        if part.kind in _PARENTS:
            yield from _all(path, file, list(_parts(file, part.start, part.stop)), depth + 1)


def _parts(file: BinaryIO, start: int, stop: int) -> Iterator[_Part]:
    """The elements that lie side by side in `start <= byte < stop`, up to the first that is none."""
    while start < stop and (element := element_at(file, start)) is not None:
        end = stop if element.stop is None else element.stop
        if end > stop:
            return
        yield _Part(element.kind, element.start, end)
        start = end
