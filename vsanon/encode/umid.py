"""The UMID of an MXF file, by which editors know material: one of its own, and the same for the same content.

ffmpeg writes a random one, or, where two runs must write the same bytes, zeros: every file is then the same one.
"""

import hashlib
from pathlib import Path

from vsanon import stops

_LABEL = bytes.fromhex("060a2b340101010501010d0013000000")
"""A basic UMID's label, length and instance (SMPTE ST 330), as ffmpeg writes them."""
_ZEROS = bytes(15)
"""Of the material number, all but its last byte, by which ffmpeg tells the packages of a file apart."""
_READ_BYTES = 1 << 22


def stamp(path: Path) -> None:
    """Put the first bytes of the content's SHA-256 into every UMID of a file; the content is that with zeros there.

    Raises:
        OSError: the file can't be read or written.
        Stopped: a stop was asked for.
    """
    wanted = _LABEL + _ZEROS
    digest, places, before, at = hashlib.sha256(), [], b"", 0
    with path.open("r+b") as file:
        while part := file.read(_READ_BYTES):
            stops.poll()
            digest.update(part)
            joined, start = before + part, at - len(before)
            found = joined.find(wanted)
            while found >= 0:
                places.append(start + found + len(_LABEL))
                found = joined.find(wanted, found + 1)
            before, at = joined[-len(wanted) + 1 :], at + len(part)
        for place in places:
            file.seek(place)
            file.write(digest.digest()[: len(_ZEROS)])
