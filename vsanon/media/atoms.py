"""The atoms of QuickTime and MP4 files (ISO/IEC 14496-12, QuickTime File Format), read without ffmpeg.

What a track's header says of it, and what timecode its first picture has: ffmpeg's reader passes over edit lists of
timecode tracks, flags and groups. So this is also what a delivered file is checked with.
"""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from vsanon.errors import InputError
from vsanon.files import open_plain
from vsanon.media.advice import REMUX
from vsanon.timing import Clock

_MOST_ATOMS = 100_000
_MOST_BYTES = 1 << 20
"""Of one atom that is read whole."""

Aperture = tuple[Fraction, Fraction, Fraction, Fraction]
"""Width, height, and where its middle lies from that of the picture, across and down, pixels."""

ENABLED = 1
"""The flag of a track that is played (8.3.2)."""


@dataclass(frozen=True, slots=True)
class Atom:
    """One atom: its content is `start <= byte < stop` of the file."""

    kind: bytes
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Timecode:
    """What a `tmcd` track counts: `first` is the number of its first frame, `ticks` the length of one in its scale.

    `drop` leaves out two numbers a minute. `base` frames a second are counted.
    """

    first: int
    ticks: int
    base: int
    drop: bool


@dataclass(frozen=True, slots=True)
class Track:
    """One track, as its header tells it.

    `header` is where the content of its `tkhd` begins. `starts_s` is when its media begin to be presented, in
    seconds, and `skipped` how many ticks of `scale` a second of them its edit list leaves out before. `behind_s` is
    what it leaves out after the part that is presented, in seconds; None where there are several. `speed` is that
    of the first part that is not presented as fast as it was sampled. `entry` is the kind of its samples, such as
    "gpmd", and `aperture` the clean aperture of a picture (`clap`, 12.1.4).
    """

    number: int
    handler: str
    header: int
    enabled: bool
    group: int
    scale: int
    starts_s: Fraction
    skipped: int
    behind_s: Fraction | None
    speed: Fraction
    chapters: tuple[int, ...]
    timecodes: tuple[int, ...]
    timecode: Timecode | None
    entry: str = ""
    aperture: Aperture | None = None


class Walk:
    """Goes through the atoms of one file; a header of more than 100,000 of them is refused."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path, self.file, self._left = path, file, _MOST_ATOMS

    def atoms(self, start: int, stop: int) -> Iterator[Atom]:
        """The atoms that lie side by side in `start <= byte < stop`."""
        while start + 8 <= stop:
            self._left -= 1
            if self._left < 0:
                raise InputError(f"{self.path}: its header has more than {_MOST_ATOMS} parts: {REMUX}")
            self.file.seek(start)
            head = self.file.read(16)
            length, kind = struct.unpack_from(">I4s", head)
            begins = start + 8
            if length == 1 and len(head) == 16:
                (length,) = struct.unpack_from(">Q", head, 8)
                begins = start + 16
            elif length == 0:
                length = stop - start
            if length < begins - start:
                return  # not an atom: ffmpeg reads no further either
            yield Atom(kind, begins, min(start + length, stop))
            start += length

    def inside(self, parent: Atom, *kinds: bytes) -> Atom | None:
        """The first atom down a path of kinds."""
        for kind in kinds:
            found = next((a for a in self.atoms(parent.start, parent.stop) if a.kind == kind), None)
            if found is None:
                return None
            parent = found
        return parent

    def content(self, atom: Atom | None) -> bytes:
        """What an atom holds, of a megabyte at most; nothing where there is none."""
        if atom is None:
            return b""
        self.file.seek(atom.start)
        return self.file.read(min(atom.stop - atom.start, _MOST_BYTES))


@contextmanager
def walk(path: Path) -> Iterator[tuple[Walk, Atom]]:
    """A file's atoms, and the whole of it as one."""
    try:
        with open_plain(path) as file:
            yield Walk(path, file), Atom(b"", 0, os.fstat(file.fileno()).st_size)
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror}") from error


def lacks_header(path: Path) -> bool:
    """Whether this is a QuickTime or MP4 file without the header that tells of its tracks."""
    try:
        with walk(path) as (atoms, whole):
            found = {atom.kind for atom in atoms.atoms(whole.start, whole.stop)}
    except InputError:
        return False
    return bool(found & {b"ftyp", b"mdat"}) and not found & {b"moov", b"moof"}


def read_tracks(path: Path) -> tuple[Track, ...]:
    """The tracks of a file, in its order; none where there is no movie header.

    Raises:
        InputError: the header can't be followed.
    """
    with walk(path) as (atoms, whole):
        movie = atoms.inside(whole, b"moov")
        if movie is None:
            return ()
        header = atoms.content(atoms.inside(movie, b"mvhd"))
        if len(header) < 24:
            return ()
        (scale,) = struct.unpack_from(">I", header, 20 if header[0] == 1 else 12)
        try:
            return tuple(
                _track(atoms, atom, scale or 1)
                for atom in atoms.atoms(movie.start, movie.stop)
                if atom.kind == b"trak"
            )
        except (struct.error, IndexError, ValueError) as error:
            raise InputError(f"{path}: the header of a track is cut short: {REMUX}") from error


def timecode_at(tracks: tuple[Track, ...], seconds: Fraction = Fraction(0)) -> str | None:
    """The timecode of a time of the movie, by the edit list of its timecode track, as a trimmed movie has one.

    None where there is no such track; of several, that which the picture refers to.
    """
    having = [t for t in tracks if t.timecode is not None]
    wanted = {number for t in tracks if t.handler == "vide" for number in t.timecodes}
    track = next((t for t in having if t.number in wanted), having[0] if having else None)
    if track is None or track.timecode is None:
        return None
    counted = track.timecode
    ticks = (seconds - track.starts_s) * track.scale + track.skipped
    return Clock(counted.base, counted.drop, counted.first).at(ticks // counted.ticks)


def _track(atoms: Walk, track: Atom, movie_scale: int) -> Track:
    place = atoms.inside(track, b"tkhd")
    header, media = atoms.content(place), atoms.content(atoms.inside(track, b"mdia", b"mdhd"))
    handler = atoms.content(atoms.inside(track, b"mdia", b"hdlr"))[8:12].decode("latin-1")
    long, (version, *_) = header[0] == 1, media
    (number,) = struct.unpack_from(">I", header, 20 if long else 12)
    (group,) = struct.unpack_from(">h", header, group_at(header[0]))
    (scale,) = struct.unpack_from(">I", media, 20 if version == 1 else 12)
    described = atoms.content(atoms.inside(track, b"mdia", b"minf", b"stbl", b"stsd"))
    lasts = struct.unpack_from(">Q" if version == 1 else ">I", media, 24 if version == 1 else 16)[0]
    edits = _edits(atoms.content(atoms.inside(track, b"edts", b"elst")), movie_scale)
    starts, skipped, shown, _ = edits[0] if edits else (Fraction(0), 0, Fraction(0), 1)
    behind = Fraction(lasts - skipped, scale or 1) - shown if shown else Fraction(0)
    return Track(
        number=number,
        handler=handler,
        header=place.start if place is not None else 0,
        enabled=bool(header[3] & ENABLED),
        group=group,
        scale=scale or 1,
        starts_s=starts,
        skipped=skipped,
        behind_s=None if len(edits) > 1 else max(behind, Fraction(0)),
        speed=next((speed for *_, speed in edits if speed != 1), Fraction(1)),
        chapters=_references(atoms.content(atoms.inside(track, b"tref", b"chap"))),
        timecodes=_references(atoms.content(atoms.inside(track, b"tref", b"tmcd"))),
        timecode=_timecode(atoms, track) if handler == "tmcd" else None,
        entry=described[12:16].decode("latin-1"),
        aperture=_aperture(described) if handler == "vide" else None,
    )


def group_at(version: int) -> int:
    """Where in a `tkhd` of this version the number of its alternate group stands (8.3.2)."""
    return 46 if version == 1 else 34


def _edits(content: bytes, movie_scale: int) -> list[tuple[Fraction, int, Fraction, Fraction]]:
    """The parts of the media that are presented: when, from which of its ticks on, how long, and how fast (8.6.6).

    Times are in seconds; a length of 0 goes to the end of the media, as in fragments.
    """
    found = []
    if len(content) >= 8:
        form, waits = ">QqI" if content[0] == 1 else ">IiI", 0
        for at in range(8, len(content) - struct.calcsize(form) + 1, struct.calcsize(form)):
            length, begins, speed = struct.unpack_from(form, content, at)
            if begins >= 0:
                times = Fraction(waits, movie_scale), begins, Fraction(length, movie_scale)
                found.append((*times, Fraction(speed, 1 << 16)))
            waits += length
    return found


def _aperture(described: bytes) -> Aperture | None:
    """The clean aperture in the first description of a picture's samples."""
    if len(described) < _PICTURE_HEAD:
        return None
    at, stop = _PICTURE_HEAD, min(8 + struct.unpack_from(">I", described, 8)[0], len(described))
    while at + 8 <= stop:
        length, kind = struct.unpack_from(">I4s", described, at)
        if kind == b"clap" and length >= 40 and at + 40 <= stop:
            numbers = struct.unpack_from(">8i", described, at + 8)
            if all(n > 0 for n in numbers[1::2]):
                width, height, across, down = (
                    Fraction(a, b) for a, b in zip(numbers[::2], numbers[1::2], strict=True)
                )
                return width, height, across, down
            return None
        if length < 8:
            return None
        at += length
    return None


_PICTURE_HEAD = 8 + 86
"""Bytes of an `stsd` with a VisualSampleEntry, before what describes it further."""


def _references(content: bytes) -> tuple[int, ...]:
    return struct.unpack(f">{len(content) // 4}I", content[: len(content) // 4 * 4])


def _timecode(atoms: Walk, track: Atom) -> Timecode | None:
    """Of a `tmcd` track: its description, and the number in its first sample (QuickTime, Timecode Media)."""
    table = atoms.inside(track, b"mdia", b"minf", b"stbl")
    if table is None:
        return None
    described = atoms.content(atoms.inside(table, b"stsd"))[8:]
    offsets, wide = (
        atoms.content(atoms.inside(table, b"stco"))[8:16],
        atoms.content(atoms.inside(table, b"co64"))[8:16],
    )
    if len(described) < 34 or described[4:8] != b"tmcd" or not (len(offsets) >= 4 or len(wide) == 8):
        return None
    flags, scale, ticks, base = struct.unpack_from(">IIIB", described, 20)
    (at,) = struct.unpack(">Q", wide) if len(wide) == 8 else struct.unpack_from(">I", offsets)
    atoms.file.seek(at)
    sample = atoms.file.read(4)
    if len(sample) < 4 or not scale or not ticks:
        return None
    counted = base or round(Fraction(scale, ticks))
    drop = bool(flags & 1) and not counted % 30
    return Timecode(struct.unpack(">I", sample)[0], ticks, counted or 1, drop)
