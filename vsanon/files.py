"""Files: the cache, a folder of models, hashes, and writing one whole or not at all."""

import contextlib
import errno
import hashlib
import io
import os
import secrets
import stat
from pathlib import Path
from typing import BinaryIO

import platformdirs

from vsanon import stops
from vsanon.errors import InputError, MissingError

NAME_BYTES = 255
"""The longest name that the file systems in use take (NAME_MAX)."""

_READ_BYTES = 1 << 18
_MOST_BYTES = 1 << 31


def cache_root() -> Path:
    """The cache folder: `VSANON_CACHE`, or the user's own cache; it need not exist."""
    return Path(os.environ.get("VSANON_CACHE") or platformdirs.user_cache_dir("vsanon"))


def models_folder() -> Path | None:
    """The folder that `VSANON_MODELS` names, None where it names none.

    Raises:
        InputError: it names something that is not a folder.
    """
    named = os.environ.get("VSANON_MODELS")
    if not named:
        return None
    folder = Path(named)
    if not folder.is_dir():
        raise InputError(f"VSANON_MODELS names {folder}, which is not a folder: make it, or unset VSANON_MODELS.")
    return folder


def read_bytes(path: Path) -> bytes:
    """The content of a model file.

    Raises:
        MissingError: the file can't be read.
    """
    try:
        return read_plain(path)
    except OSError as error:
        raise MissingError(f"can't read the model file {path}: {error.strerror}") from error


def open_plain(path: Path) -> io.BufferedReader:
    """Open a file for reading that is one, or a link to one: no pipe, which may never end or begin, and no device.

    Raises:
        OSError: it can't be read, or is no such file.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "not a plain file", os.fspath(path))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def is_blank(file: BinaryIO, start: int, stop: int) -> bool:
    """Whether there is nothing but zeros in `start <= byte < stop`; read in pieces, as it may be of any size."""
    file.seek(start)
    left = stop - start
    while left > 0 and (content := file.read(min(left, 1 << 20))):
        if content.strip(b"\0"):
            return False
        left -= len(content)
    return True


def read_plain(path: Path, most: int = _MOST_BYTES) -> bytes:
    """The content of a file of at most so many bytes; errors as for `open_plain`."""
    with open_plain(path) as file:
        # What is there by now, not `most`: for so many bytes room would be made at once.
        content = file.read() if os.fstat(file.fileno()).st_size <= most else None
    if content is None or len(content) > most:
        raise OSError(errno.EFBIG, f"more than {most} bytes", os.fspath(path))
    return content


def require_name(path: Path) -> None:
    """Refuse a name that not every part of the chain can take, or that would steer the terminal it is shown on.

    Raises:
        InputError: it holds control characters, is not UTF-8, or is longer than file systems take.
    """
    text = os.fspath(path)
    if any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in text):
        raise InputError(f"{text!r}: a name with control characters in it: give the file another one")
    if any(0xD800 <= ord(c) < 0xE000 for c in text):
        raise InputError(f"{text!r}: a name that is not UTF-8, which VapourSynth can't take: give the file another")
    for part in path.parts:
        if (length := len(os.fsencode(part))) > NAME_BYTES:
            raise InputError(f"{part}: the name has {length} bytes, file systems take {NAME_BYTES}: shorten it")


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes.

    Raises:
        InputError: it can't be read.
        Stopped: a stop was asked for.
    """
    digest, buffer = hashlib.sha256(), bytearray(_READ_BYTES)
    try:
        with open_plain(path) as file:
            while count := file.readinto(buffer):
                stops.poll()
                digest.update(memoryview(buffer)[:count])
            return digest.hexdigest()
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror}") from error


def sha256_of(content: bytes) -> str:
    """SHA-256 as 64 lowercase hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def hidden_beside(path: Path) -> str:
    """How the names begin of what lies beside a file while it is written; short, however long its own name."""
    return f".vsanon-{sha256_of(os.fsencode(path.name))[:16]}"


def lock_beside(path: Path) -> Path:
    """The lock of whoever writes a file."""
    return path.with_name(f"{hidden_beside(path)}.lock")


def left_beside(path: Path) -> list[Path]:
    """What runs that were killed left of a file that they wrote; only for who holds its lock."""
    return sorted(path.parent.glob(f"{hidden_beside(path)}-*.partial*"))


def create_new(path: Path) -> BinaryIO:
    """Open a file for writing that did not exist: never one that somebody put there, or that a link leads to.

    Raises:
        OSError: something lies there, or the folder can't be written.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o666), "wb")


def sync_folder(folder: Path) -> None:
    """Have the disk hold the names in a folder; does nothing where the system can't, as on Windows.

    Raises:
        OSError: the disk failed.
    """
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # file systems that have no such thing
            raise
    finally:
        os.close(descriptor)


def write_atomic(path: Path, content: bytes) -> None:
    """Write `content` to `path`, which then holds all of it or is as it was before; who may read it stays so too.

    Raises:
        OSError: the folder can't be made or written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{hidden_beside(path)}-{secrets.token_hex(8)}.partial")
    try:
        with create_new(partial) as file:
            with contextlib.suppress(FileNotFoundError):
                os.chmod(partial, stat.S_IMODE(path.stat().st_mode) & 0o777)  # before there is anything to read
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
        sync_folder(path.parent)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_output(path: Path, content: bytes) -> None:
    """As `write_atomic`, for a path that people named.

    Raises:
        InputError: the folder can't be made or written.
    """
    try:
        write_atomic(path, content)
    except OSError as error:
        raise InputError(f"{path}: can't be written: {error.strerror}") from error
