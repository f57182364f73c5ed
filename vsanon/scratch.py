"""Scratch: what a job sets aside until its end lies in a temporary file, so that a long film takes no memory."""

import contextlib
import tempfile
import weakref
from collections.abc import Iterator
from typing import IO

from vsanon.errors import CheckError


@contextlib.contextmanager
def room(what: str) -> Iterator[None]:
    """Say what to do where temporary files find no room.

    Args:
        what: could not be set aside, and for what it is needed.

    Raises:
        CheckError: the disk is full, or can't be written or read.
    """
    try:
        yield
    except OSError as error:
        raise CheckError(
            f"{what}: {error.strerror}: free space for temporary files, or name another folder in TMPDIR"
        ) from error


class Scratch:
    """Bytes in a temporary file without a name, which is made with the first of them and goes with this object.

    Args:
        what: as for `room`.
    """

    def __init__(self, what: str) -> None:
        self._what, self._size = what, 0
        self._file: IO[bytes] | None = None

    def append(self, content: bytes | bytearray) -> int:
        """Set bytes aside; where they lie, for `read`.

        Raises:
            CheckError: as for `room`.
        """
        at = self._size
        with room(self._what):
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed with this object)
                weakref.finalize(self, _close, self._file)
            self._file.seek(at)
            self._file.write(content)
        self._size += len(content)
        return at

    def read(self, at: int, count: int) -> bytes:
        """So many bytes from a place on.

        Raises:
            CheckError: as for `room`.
            ValueError: there are no such bytes.
        """
        found = b""
        if self._file is not None:
            with room(self._what):
                self._file.seek(at)
                found = self._file.read(count)
        if len(found) != count:
            raise ValueError(f"{len(found)} of {count} bytes lie at {at} of {self._size}")
        return found


def _close(file: IO[bytes]) -> None:
    # What is thrown away need not reach a disk that is full.
    with contextlib.suppress(OSError):
        file.close()
