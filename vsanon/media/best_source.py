"""BestSource: a file asked for its frames, with the index that it makes kept in the cache folder."""

import contextlib
import hashlib
import logging
import os
import secrets
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import vapoursynth as vs

from vsanon import stops
from vsanon.errors import InputError, MissingError
from vsanon.files import cache_root, sha256_file
from vsanon.media.advice import UNREADABLE

log = logging.getLogger(__name__)

SOURCE_FILTER = "bs.VideoSource"

DECODED_MB = 128
"""Decoded frames that BestSource keeps beside it, at most; its default is as much as `CACHE_MB`. It needs ..."""
_DECODED = 24
"""... those around one that was asked for out of turn, ..."""
_DECODED_A_THREAD = 8
"""... and of each thread a block of those that are searched: see `filters.clips.ahead`."""

_DIGITS = 16
"""How many digits of an index's SHA-256 stand in its name."""


def forget_index(path: Path) -> None:
    """Remove the index of a file that is about to go; the name of an index follows from its file."""
    if hasattr(vs.core, "bs"):
        for index in _index_folder().glob(f"{_index_key(path)}-*"):
            index.unlink(missing_ok=True)


def best_source_version() -> str | None:
    """The version of BestSource, such as "22.0"; None where it is not loaded."""
    if not hasattr(vs.core, "bs"):
        return None
    version = vs.core.bs.version
    return f"{version.major}.{version.minor}"


def decoded_mb(frame_bytes: int) -> int:
    """The memory for decoded frames of this size."""
    frames = max(_DECODED, _DECODED_A_THREAD * int(vs.core.num_threads))
    return min(DECODED_MB, 1 + (frames * frame_bytes >> 20))


def indexed(path: Path, track: int, cache_mb: int, **options: Any) -> Any:
    """What BestSource answers, with its index kept in the cache folder; one that is damaged is made again.

    Args:
        path: the file.
        track: its number among all streams.
        cache_mb: for decoded frames.
        options: of BestSource.

    Raises:
        InputError: it can't be read.
        MissingError: BestSource is missing, or the cache folder can't be written.
    """
    if not hasattr(vs.core, "bs"):
        raise MissingError("BestSource is missing: install the package vapoursynth-bestsource beside vapoursynth")
    key, options = f"{_index_key(path)}-{track}", {"track": track, "cachesize": cache_mb, **options}
    try:
        _index_folder().mkdir(parents=True, exist_ok=True)
        if (index := _whole_index(key)) is not None:
            try:
                return _video_source(path, index, options)
            except vs.Error as error:
                log.info("%s: its index is made again: %s", path, error)
                forget_index(path)
        return _newly_indexed(path, key, options)
    except vs.Error as error:
        raise InputError(f"{path}: BestSource can't read it: {error}{UNREADABLE}") from error
    except OSError as error:
        raise MissingError(
            f"can't write the cache folder {cache_root()}: {error.strerror}. Name another in VSANON_CACHE"
        ) from error


def _newly_indexed(path: Path, key: str, options: dict[str, Any]) -> Any:
    """As `indexed`; a new index is written under a name of its own: another run must not meet half of it."""
    base = _index_folder() / f".{secrets.token_hex(8)}"
    try:
        found = _video_source(path, base, options)
        for index in _written(base):
            digest = sha256_file(index)[:_DIGITS]
            os.replace(index, index.with_name(f"{key}-{digest}{index.name.removeprefix(base.name)}"))
        return found
    finally:
        for index in _written(base):
            with contextlib.suppress(OSError):
                index.unlink(missing_ok=True)


def _video_source(path: Path, index: Path, options: dict[str, Any]) -> Any:
    with _without_return_warning():
        return stops.patiently(
            partial(
                vs.core.bs.VideoSource,
                str(path.absolute()),  # to ffmpeg, "take:1.mp4" would be an address
                variableformat=-1,  # all frames, so that a change of format shows
                cachemode=3,
                cachepath=str(index),
                **options,
            )
        )


def _index_folder() -> Path:
    return cache_root() / "index"


def _whole_index(key: str) -> Path | None:
    """The index of that key, as BestSource wants its path, if its content is what its name says; others go."""
    for written in _index_folder().glob(f"{key}-*"):
        base = written.name.partition(".")[0]
        if base == f"{key}-{sha256_file(written)[:_DIGITS]}":
            return written.with_name(base)
        with contextlib.suppress(OSError):
            written.unlink()
    return None


def _written(base: Path) -> list[Path]:
    # BestSource adds the number of the track, counted among all streams that it takes for video.
    return list(base.parent.glob(f"{base.name}.*.bsindex"))


def _index_key(path: Path) -> str:
    """A name for these very bytes: BestSource takes an old index for a new file of the same size.

    The change time moves whenever content is written, and no program can set it back.
    """
    stat = path.stat()
    facts = (
        path.resolve(),
        stat.st_dev,
        stat.st_ino,
        stat.st_size,
        stat.st_mtime_ns,
        stat.st_ctime_ns,
        filter_version(),
    )
    return hashlib.sha256("|".join(map(str, facts)).encode(errors="surrogateescape")).hexdigest()[:24]


@contextlib.contextmanager
def _without_return_warning() -> Iterator[None]:
    """Drop one warning: BestSource 22 answers `exporttimestamps` with values that its signature does not list."""

    def other(record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith("VideoSource: no return value(s) named timebaseden,")

    logger = logging.getLogger("vapoursynth")
    logger.addFilter(other)
    try:
        yield
    finally:
        logger.removeFilter(other)


def filter_version() -> str:
    return f"{SOURCE_FILTER} {best_source_version()}"
