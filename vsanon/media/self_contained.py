"""Which files are opened: those that hold all of their streams themselves.

Playlists, lists, scripts and patterns make ffmpeg open other files, absolute paths and `..` too, which nobody has
named and no hash vouches for. So only the demuxers listed here are let in, by ffmpeg's own probe, before they read.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from vsanon.errors import InputError
from vsanon.media.advice import REMUX
from vsanon.media.atoms import Atom, Walk, walk

SELF_CONTAINED = (
    *(
        "mov",
        "matroska",
        "avi",
        "mpegts",
        "mpeg",
        "mxf",
        "gxf",
        "asf",
        "flv",
        "nut",
        "ogg",
        "wtv",
        "rm",
        "dv",
        "ivf",
    ),
    *("swf", "nsv", "nuv", "r3d", "lxf", "vividas", "dhav", "pva", "ty", "live_flv", "yuv4mpegpipe"),
    *("h261", "h263", "h264", "hevc", "vvc", "evc", "obu", "av1", "mpegvideo", "m4v", "cavsvideo", "avs2", "avs3"),
    *("vc1", "vc1test", "dirac", "dnxhd", "mjpeg", "mjpeg_2000", "ingenient", "gif", "apng", "ipu", "apv"),
)
"""ffmpeg's names of demuxers that open no other file: containers, and bare streams of a codec."""

OPTIONS = {"format_whitelist": ",".join(SELF_CONTAINED), "protocol_whitelist": "file"}
"""For ffmpeg's libraries, so that they take no other kind of file and open no other place."""

REFUSED = (
    "a playlist, a list or a script, which would open other files, a picture, or of a kind that vsanon does not "
    "open: hand in the video file itself"
)

_PARENTS = {b"moov", b"trak", b"mdia", b"minf", b"dinf"}


def demuxer_args(container: str) -> list[str]:
    """ffmpeg's arguments before `-i` that open a file as what it was probed to be, and nothing else.

    Args:
        container: as in `MediaFacts`.
    """
    return ["-protocol_whitelist", "file", "-f", container.split(",")[0]]


def require_own_media(path: Path, container: str) -> None:
    """Refuse a QuickTime or MP4 file whose tracks lie in other files.

    Raises:
        InputError: one does, or the header can't be followed.
    """
    if not container.startswith("mov,"):
        return
    with walk(path) as (atoms, whole):
        external = any(_is_external(entry) for entry in _references(path, atoms, whole))
    if external:
        raise InputError(
            f"{path}: a track of it lies in another file (a reference movie): save it as a self-contained movie"
        )


def _references(path: Path, atoms: Walk, parent: Atom, depth: int = 0) -> Iterator[bytes]:
    """The entries of all data references, each with its type and flags (ISO/IEC 14496-12, 8.7.2)."""
    for atom in atoms.atoms(parent.start, parent.stop):
        if atom.kind in _PARENTS and depth < len(_PARENTS):
            yield from _references(path, atoms, atom, depth + 1)
        elif atom.kind == b"cmov":
            raise InputError(f"{path}: its header is compressed, as old QuickTime files' are: {REMUX}")
        elif atom.kind == b"dref":
            yield from _entries(atoms.content(atom))


def _entries(content: bytes) -> Iterator[bytes]:
    at = 8  # version, flags, count
    while at + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        if length < 12:
            return
        yield content[at : at + length]
        at += length


def _is_external(entry: bytes) -> bool:
    """Whether a data reference leads elsewhere: it is not flagged as this file, or has an alias to resolve."""
    kind, flags = entry[4:8], struct.unpack_from(">I", entry, 8)[0] & 0xFFFFFF
    return not flags & 1 or (kind == b"alis" and len(entry) > _ALIAS)


_ALIAS = 150
"""ffmpeg takes an alias of more bytes for a path, whatever its flag (libavformat/mov.c, mov_read_dref)."""
