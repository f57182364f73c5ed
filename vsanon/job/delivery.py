"""Where results go: refused early, written under a hidden name beside their place, moved there when whole."""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vsanon.errors import CheckError, InputError
from vsanon.files import write_atomic


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells whether a file was written to since; see `require_unchanged`."""

    device: int
    inode: int
    size: int
    modified_ns: int


def stamp(path: Path) -> Stamp:
    """Note a file's state.

    Raises:
        InputError: it is gone, or can't be looked at.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror}") from error
    return Stamp(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def require_unchanged(path: Path, before: Stamp) -> None:
    """Raise where a source was replaced or written to while it was worked on.

    Raises:
        CheckError: it was.
    """
    if stamp(path) != before:
        raise CheckError(f"{path} changed while it was read: nothing was delivered. Try again when it is complete")


def require_targets(inputs: Sequence[Path], targets: Sequence[Path], *, overwrite: bool) -> None:
    """Make sure, before any work is done, that results can go where they are to go.

    Args:
        inputs: files that are read, and must stay as they are.
        targets: files to write.
        overwrite: what lies at a target may be replaced.

    Raises:
        InputError: a target is an input (also through a link), a folder, or already there; two are one; or
            its folder is missing or can't be written.
    """
    for n, target in enumerate(targets):
        if any(target.exists() and other.exists() and target.samefile(other) for other in inputs):
            raise InputError(f"{target} is also an input: give the output another name")
        if any(_place(target) == _place(other) for other in targets[:n]):
            raise InputError(f"{target} is named twice: give each output a name of its own")
        if target.is_dir():
            raise InputError(f"{target} is a folder: name a file in it")
        if os.path.lexists(target) and not overwrite:
            raise InputError(f"{target} is already there: give --overwrite to replace it, or another name")
        if not target.parent.is_dir():
            raise InputError(f"{target}: the folder {target.parent} does not exist: make it first")
        if not os.access(target.parent, os.W_OK | os.X_OK):
            raise InputError(f"{target}: the folder {target.parent} can't be written: choose another")


@contextlib.contextmanager
def partial_file(output: Path) -> Iterator[Path]:
    """A hidden name beside `output` to write to; whatever is left there at the end is removed.

    The name is held by a lock that dies with the process, so a second run for the same output is refused, and
    what a killed run left behind is cleaned up by the next one.

    Raises:
        InputError: another run is writing this output, or the folder can't be written.
    """
    partial = output.with_name(f".{output.stem}.partial{output.suffix}")
    try:
        file = partial.open("ab")
    except OSError as error:
        raise InputError(f"{output}: can't be written: {error.strerror}") from error
    with file:
        _lock(file.fileno(), output)
        try:
            yield partial
        finally:
            with contextlib.suppress(FileNotFoundError):
                partial.unlink()


def deliver(partial: Path, output: Path, ledger: Path, text: str) -> None:
    """Write the ledger and move the finished file to its place, which is the last thing that happens.

    Raises:
        CheckError: writing failed; the output is not there, and what was there before still is.
    """
    kept = ledger.read_bytes() if ledger.is_file() else None
    try:
        _sync(partial)
        write_atomic(ledger, text.encode())
        try:
            os.replace(partial, output)
        except OSError:
            ledger.unlink() if kept is None else write_atomic(ledger, kept)
            raise
    except OSError as error:
        raise CheckError(f"{output} was not delivered: writing failed: {error.strerror}") from error


def _place(path: Path) -> Path:
    return path.parent.resolve() / path.name


def _lock(descriptor: int, output: Path) -> None:
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InputError(f"{output}: another run is writing it at this moment: wait for it, or stop it") from error
    except OSError:
        pass  # a file system without locks


def _sync(path: Path) -> None:
    """Have the disk hold the content before the name says that it is there."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
