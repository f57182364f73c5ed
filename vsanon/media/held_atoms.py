"""What lies in a QuickTime or MP4 file beside its samples, and whether its header says of them what they are.

Players go by the header: by its lengths, rates and flags, which ffmpeg's reader passes over. And what lies in an
atom that no player knows is in the file all the same.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from vsanon.errors import InputError
from vsanon.files import is_blank
from vsanon.media.atoms import ENABLED, Atom, Walk, walk

_PARENTS = frozenset(
    (b"moov", b"trak", b"edts", b"tref", b"mdia", b"minf", b"dinf", b"gmhd", b"stbl", b"udta", b"tapt")
)
_PADDING = frozenset((b"free", b"skip", b"wide"))
_LISTS = {
    b"stts": 8,
    b"ctts": 8,
    b"stss": 4,
    b"stsz": 4,
    b"stco": 4,
    b"co64": 8,
    b"stsc": 12,
    b"sdtp": 1,
    b"sbgp": 8,
}
"""Atoms that list samples, and the bytes that each takes."""
_COUNTED = frozenset((b"stts", b"ctts", b"stss", b"stco", b"co64", b"stsc"))
"""Those that begin with the number of their entries."""
_OTHERS = (
    frozenset(
        (b"ftyp", b"mvhd", b"tkhd", b"elst", b"mdhd", b"hdlr", b"vmhd", b"smhd", b"nmhd", b"sthd", b"gmin", b"text")
    )
    | frozenset((b"tmcd", b"chap", b"cdsc", b"dref", b"stsd", b"sgpd", b"meta", b"chpl", b"name", b"iods", b"cslg"))
    | frozenset((b"clef", b"prof", b"enof"))
)
"""The others that are written; `meta` holds tags, which are checked for themselves."""

_ROLES = frozenset(
    bytes(4) + b"urn:mpeg:dash:role:2011\0" + role + b"\0"
    for role in (b"caption", b"commentary", b"description", b"dub", b"forced-subtitle")
)
"""What a `kind` says of a track (ISO/IEC 14496-12, 8.10.4), by the marks that ffmpeg writes so."""

_LIST_HEAD = 20
_TRACK_BYTES, _CHAPTER_BYTES = 1536, 512
"""The most that all others take for a track, for the file, and for a chapter; titles come on top. Files of every
preset take 780 for a track."""
_DEEPEST = 16
"""How deep atoms lie in each other at most; those of films in eight levels."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Of a track, in seconds, as its header has them and as its samples last; and how fast it is played."""

    kind: str
    enabled: bool
    samples: Fraction
    media: Fraction
    shown: Fraction
    edited: Fraction | None
    tick: Fraction
    speeds: tuple[int, ...]


def hidden_in(path: Path, *, packets: int, chapters: int, texts: int) -> list[str]:
    """What lies in a file that belongs to no sample, in words; nothing where all is as it should be.

    Args:
        path: the file.
        packets: bytes of its packets.
        chapters: that it has, whose titles are samples and no packets.
        texts: bytes that its names, titles and headers of streams may take.

    Raises:
        InputError: it can't be read.
    """
    wrong: list[str] = []
    with walk(path) as (atoms, whole):
        top = list(atoms.atoms(whole.start, whole.stop))
        media = [atom for atom in top if atom.kind == b"mdat"]
        if (end := top[-1].stop if top else 0) != whole.stop:
            wrong.append(f"{whole.stop - end} bytes behind its last atom")
        if len(media) > 1:
            wrong.append(f"{len(media)} places for samples")
        tracks, others = 0, 0
        samples = 0
        for atom, listed in _all(atoms, top, 0):
            size = atom.stop - atom.start
            if atom.kind == b"trak":
                tracks += 1
                samples += _bytes_of_samples(atoms, atom)
            elif atom.kind in _PADDING:
                if not is_blank(atoms.file, atom.start, atom.stop):
                    wrong.append(f"{size} bytes of padding that are not empty")
            elif atom.kind in _LISTS:
                if size > _room_of(atoms, atom, listed):
                    wrong.append(f"{size} bytes in the {_named(atom)} of {listed} samples")
            elif atom.kind in _OTHERS or (atom.kind == b"kind" and atoms.content(atom) in _ROLES):
                others += size
            elif atom.kind not in _PARENTS and atom.kind != b"mdat":
                wrong.append(f"{size} bytes in an atom {_named(atom)}")
        held = sum(atom.stop - atom.start for atom in media)
        if held != samples:
            wrong.append(f"{held} bytes of samples, of which the header names {samples}")
        if samples - packets > _CHAPTER_BYTES * chapters:
            wrong.append(f"{samples - packets} bytes of samples that are no packets")
        room = _TRACK_BYTES * (tracks + 1) + _CHAPTER_BYTES * chapters + texts
        if others > room:
            wrong.append(f"{others} bytes in its header, which takes {room} at most")
    return wrong


def lengths_of(path: Path) -> tuple[int, Fraction, list[Lengths]]:
    """The speed of the movie in 1/65536, its length in seconds, and those of its tracks.

    Raises:
        InputError: the file can't be read.
    """
    try:
        with walk(path) as (atoms, whole):
            return _all_lengths(atoms, whole)
    except (struct.error, IndexError, ZeroDivisionError) as error:
        raise InputError(f"{path}: its movie header (moov) is damaged: {error}") from error


def _all_lengths(atoms: Walk, whole: Atom) -> tuple[int, Fraction, list[Lengths]]:
    movie = atoms.inside(whole, b"moov")
    head = atoms.content(None if movie is None else atoms.inside(movie, b"mvhd"))
    if movie is None or len(head) < 28:
        return 0, Fraction(0), []
    scale, length = _scale_and_length(head, 12)
    (speed,) = struct.unpack_from(">I", head, 32 if head[0] == 1 else 20)
    tracks = [a for a in atoms.atoms(movie.start, movie.stop) if a.kind == b"trak"]
    return speed, Fraction(length, scale), [_lengths(atoms, track, scale) for track in tracks]


def wrong_lengths(path: Path) -> list[str]:
    """Where a header says other than its samples how long and how fast a file is played, in words.

    Raises:
        InputError: the file can't be read.
    """
    speed, length, tracks = lengths_of(path)
    wrong = [] if speed == 1 << 16 else [f"the movie is played {speed / 65536:g} times as fast"]
    for n, track in enumerate(tracks):
        name = f"track {n} ({track.kind})"
        if track.kind == "vide" and not track.enabled:
            wrong.append(f"{name} is switched off")
        wrong += [f"{name} is played {s / 65536:g} times as fast" for s in track.speeds if s != 1 << 16]
        if abs(track.media - track.samples) > track.tick:
            wrong.append(
                f"{name} lasts {float(track.media):g} s by its header, its samples {float(track.samples):g}"
            )
        edited = track.shown if track.edited is None else track.edited
        # Of a timecode that waits for the picture ffmpeg writes the time before it twice.
        if track.kind in ("vide", "soun") and abs(track.shown - edited) > 2 * track.tick:
            wrong.append(f"{name} is shown for {float(track.shown):g} s, by its edits {float(edited):g}")
    longest = max((track.shown for track in tracks), default=length)
    if abs(length - longest) > max((2 * track.tick for track in tracks), default=Fraction(0)):
        wrong.append(f"the movie lasts {float(length):g} s by its header, its tracks {float(longest):g}")
    return wrong


def _all(atoms: Walk, inside: list[Atom], listed: int, depth: int = 0) -> Iterator[tuple[Atom, int]]:
    """Every atom, with the number of samples of its track."""
    if depth > _DEEPEST:
        raise InputError(f"{atoms.path}: its atoms lie in each other more than {_DEEPEST} deep, as in no film")
    for atom in inside:
        if atom.kind == b"trak":
            listed = _count(atoms.content(_table(atoms, atom, b"stsz")))
        yield atom, listed
        if atom.kind in _PARENTS and atom.kind != b"gmhd":
            yield from _all(atoms, list(atoms.atoms(atom.start, atom.stop)), listed, depth + 1)


def _room_of(atoms: Walk, atom: Atom, listed: int) -> int:
    """What a list of samples takes at most: what it says itself, and no more entries than there are samples."""
    most = max(listed, 8)
    if atom.kind in _COUNTED:
        head = atoms.content(atom)[:8]
        said = int(struct.unpack_from(">I", head, 4)[0]) if len(head) == 8 else 0
        return 8 + _LISTS[atom.kind] * min(said, most)
    return _LIST_HEAD + _LISTS[atom.kind] * most


def _table(atoms: Walk, track: Atom, kind: bytes) -> Atom | None:
    return atoms.inside(track, b"mdia", b"minf", b"stbl", kind)


def _count(sizes: bytes) -> int:
    return int(struct.unpack_from(">I", sizes, 8)[0]) if len(sizes) >= 12 else 0


def _bytes_of_samples(atoms: Walk, track: Atom) -> int:
    place = _table(atoms, track, b"stsz")
    head = atoms.content(place)[:12]
    if place is None or len(head) < 12:
        return 0
    each, count = struct.unpack_from(">II", head, 4)
    if each:
        return int(each * count)
    atoms.file.seek(place.start + 12)
    table = atoms.file.read(min(4 * count, place.stop - place.start - 12))
    return sum(n for (n,) in struct.iter_unpack(">I", table[: len(table) // 4 * 4]))


def _scale_and_length(head: bytes, at: int) -> tuple[int, int]:
    """Of an `mvhd` or `mdhd`."""
    if head[0] == 1:
        scale, length = struct.unpack_from(">IQ", head, at + 8)
    else:
        scale, length = struct.unpack_from(">II", head, at)
    return max(int(scale), 1), int(length)


def _lengths(atoms: Walk, track: Atom, movie_scale: int) -> Lengths:
    head, media = atoms.content(atoms.inside(track, b"tkhd")), atoms.content(atoms.inside(track, b"mdia", b"mdhd"))
    scale, length = _scale_and_length(media, 12) if len(media) >= 20 else (1, 0)
    shown = struct.unpack_from(">Q", head, 28)[0] if head[0] == 1 else struct.unpack_from(">I", head, 20)[0]
    times = atoms.content(_table(atoms, track, b"stts"))[8:]
    samples = sum(n * ticks for n, ticks in struct.iter_unpack(">II", times[: len(times) // 8 * 8]))
    edits = atoms.content(atoms.inside(track, b"edts", b"elst"))
    form = ">QqI" if edits[:1] == b"\1" else ">IiI"
    body = edits[8:]
    parts = list(struct.iter_unpack(form, body[: len(body) // struct.calcsize(form) * struct.calcsize(form)]))
    return Lengths(
        kind=atoms.content(atoms.inside(track, b"mdia", b"hdlr"))[8:12].decode("latin-1"),
        enabled=bool(head[3] & ENABLED),
        samples=Fraction(samples, scale),
        media=Fraction(length, scale),
        shown=Fraction(shown, movie_scale),
        edited=Fraction(sum(part[0] for part in parts), movie_scale) if parts else None,
        tick=Fraction(1, movie_scale) + Fraction(1, scale),
        speeds=tuple(part[2] for part in parts if part[1] >= 0),
    )


def _named(atom: Atom) -> str:
    return repr(atom.kind.decode("latin-1"))
