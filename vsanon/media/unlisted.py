"""What a container holds that its readers do not list among streams and tags; none of it goes into a delivery.

Cameras and editors keep positions, previews and manifests in atoms of their own, and Matroska may say that other
files belong to it, or that its pictures are played in another order. Whoever hands in such a file is told so.
"""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from vsanon.errors import InputError
from vsanon.files import open_plain
from vsanon.media.atoms import Atom, Walk, walk
from vsanon.media.ebml import element_at, require_shallow

_MOST = 20_000
"""Parts of a file that are looked at, side by side; fragmented films and those of many clusters have more."""

_NAMED = 12
"""Kinds of atoms that are named."""

_UUIDS = {
    bytes.fromhex("d8fec3d61b0e483c92975828877ec481"): "a C2PA manifest",
    bytes.fromhex("be7acfcb97a942e89c71999491e3afac"): "XMP",
}
"""Of ISO/IEC 14496-12 boxes of type uuid: C2PA 2.1, A.5, and XMP part 3, 1.2.7."""

_FILE = frozenset(b"ftyp moov mdat wide moof mfra sidx ssix styp prft pdin imda meta udta emsg".split())
_MOVIE = frozenset(b"mvhd trak mvex iods meta udta".split())
_TRACK = frozenset(b"tkhd mdia edts tref tapt load imap meta udta matt clip trgr".split())
_USER = frozenset(
    b"meta chpl name titl auth dscp cprt perf gnre loci kywd albm yrrc hnti hinf WLOC LOOP SelO AllF tagc".split()
)
"""What readers list, or what holds no more than how a film is played; beside them the texts of a sign ©."""

_EMPTY = frozenset((b"free", b"skip", b"\0\0\0\0", b"ptv "))


def of_quicktime(path: Path) -> tuple[str, ...]:
    """Of a QuickTime or MP4 file, in words.

    Raises:
        InputError: the file can't be read.
    """
    with walk(path) as (atoms, whole):
        names = list(dict.fromkeys(islice(_atoms(atoms, whole), _MOST)))
    if not names:
        return ()
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    told = "which may tell place and device, or show a picture"
    return (f"what a device or a program keeps in atoms of its own ({', '.join(names[:_NAMED])}{more}), {told}",)


def _atoms(atoms: Walk, whole: Atom) -> Iterator[str]:
    for atom in islice(atoms.atoms(whole.start, whole.stop), _MOST):
        yield from _named(atoms, atom, _FILE, "")
        if atom.kind == b"udta":
            yield from _user(atoms, atom)
        if atom.kind != b"moov":
            continue
        for part in atoms.atoms(atom.start, atom.stop):
            yield from _named(atoms, part, _MOVIE, "moov/")
            if part.kind == b"udta":
                yield from _user(atoms, part)
            for own in atoms.atoms(part.start, part.stop) if part.kind == b"trak" else ():
                yield from _named(atoms, own, _TRACK, "trak/")
                if own.kind == b"udta":
                    yield from _user(atoms, own)


def _user(atoms: Walk, user: Atom) -> Iterator[str]:
    for atom in atoms.atoms(user.start, user.stop):
        if atom.kind[:1] != b"\xa9":
            yield from _named(atoms, atom, _USER, "udta/")


def _named(atoms: Walk, atom: Atom, known: frozenset[bytes], place: str) -> Iterator[str]:
    if atom.kind in known or atom.stop <= atom.start:
        return
    if atom.kind in _EMPTY and not any(atoms.content(atom)):
        return
    if atom.kind == b"uuid" and (name := _UUIDS.get(atoms.content(atom)[:16])) is not None:
        yield name
        return
    kind = "".join(chr(c) if 31 < c < 127 else "?" for c in atom.kind).strip()
    yield f"{place}{kind}"


_SEGMENT, _INFO, _CHAPTERS, _CLUSTER = 0x18538067, 0x1549A966, 0x1043A770, 0x1F43B675
_EDITION, _ORDERED, _CHAPTER, _OTHER_SEGMENT = 0x45B9, 0x45DD, 0xB6, 0x6E67
_LINKS = frozenset((0x3CB923, 0x3EB923, 0x3C83AB, 0x3E83BB))
"""Of RFC 9559, 5.1: PrevUUID, NextUUID, and the names of those files."""

LINKED = "the files that it goes on from or to, or whose parts its chapters play (linked segments)"
ORDERED = "the order that its chapters are played in (ordered chapters): all its pictures stand in their own order"


def of_matroska(path: Path) -> tuple[str, ...]:
    """Of a Matroska file, in words.

    Raises:
        InputError: the file can't be read.
    """
    try:
        with open_plain(path) as file:
            found = set(_matroska(path, file, 0, os.fstat(file.fileno()).st_size, [_MOST]))
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror}") from error
    return tuple(sorted(found))


def _matroska(path: Path, file: BinaryIO, start: int, stop: int, left: list[int], depth: int = 0) -> Iterator[str]:
    require_shallow(path, depth)
    for kind, begins, ends in _elements(file, start, stop, left):
        if kind in (_SEGMENT, _INFO, _CHAPTERS, _EDITION, _CHAPTER):
            yield from _matroska(path, file, begins, ends, left, depth + 1)
        elif kind in _LINKS or kind == _OTHER_SEGMENT:
            yield LINKED
        elif kind == _ORDERED:
            file.seek(begins)
            if any(file.read(min(ends - begins, 8))):
                yield ORDERED


def _elements(file: BinaryIO, start: int, stop: int, left: list[int]) -> Iterator[tuple[int, int, int]]:
    """(kind, start of the content, stop) of elements side by side; a cluster of unknown size is gone into."""
    while start < stop and left[0] > 0 and (element := element_at(file, start)) is not None:
        left[0] -= 1
        if element.stop is None and element.kind == _CLUSTER:
            start = element.start
            continue
        start = stop if element.stop is None else element.stop
        yield element.kind, element.start, min(start, stop)
