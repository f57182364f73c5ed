"""Files: the cache, a folder of models, hashes, and writing one whole or not at all."""

import hashlib
import os
import secrets
from pathlib import Path

import platformdirs

from vsanon.errors import InputError, MissingError


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
        return path.read_bytes()
    except OSError as error:
        raise MissingError(f"can't read the model file {path}: {error.strerror}") from error


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes.

    Raises:
        InputError: it can't be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror}") from error


def sha256_of(content: bytes) -> str:
    """SHA-256 as 64 lowercase hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def write_atomic(path: Path, content: bytes) -> None:
    """Write `content` to `path`, which then holds all of it or is as it was before.

    Raises:
        OSError: the folder can't be made or written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}.partial")
    try:
        with open(partial, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
