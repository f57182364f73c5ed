"""A content-addressed store of steps: what was made once from the same inputs is not made again.

A step's key is the SHA-256 of everything that its result depends on (`keys`).
A step is done once its result lies under its key, whole; it is written under another name and then renamed. The
media that it made lie in a folder of their own, and may go while the result stays. A result lies beside its own
SHA-256: one that was damaged or written to is not used, but made again. Media lie beside their sizes and times of
change, for the same reason: to hash gigabytes at each use would take longer than some steps.
"""

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock

from vsanon.errors import CheckError, InputError
from vsanon.files import read_plain, sha256_of, write_atomic
from vsanon.media.best_source import forget_index
from vsanon.plain_json import load_json

Result = dict[str, Any]
_AT_WORK = "at-work."
"""How the locks of those who work with media begin."""
_STATES = ".states.json"
"""Beside media: what they were when they were made."""


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces; the same for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)


class NotMadeError(Exception):
    """A step is not in the store, and this store is only read."""


class Store:
    """A folder of results and media; several processes may use it at once.

    Args:
        root: the folder; made if need be.
        read_only: a step that is not done raises `NotMadeError`.

    Attributes:
        made: how many steps were made here, and not found.

    Raises:
        InputError: the folder can't be made.
    """

    def __init__(self, root: Path, *, read_only: bool = False) -> None:
        self.root = root
        self.made = 0
        self._read_only = read_only
        try:
            for name in ("results", "media", "locks"):
                (root / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{root}: the folder can't be made: {error.strerror}") from error

    def result(self, key: str) -> Result | None:
        """The result of a step that is done, else None, also where it is not what was written."""
        try:
            stored = self._result(key).read_bytes()
        except FileNotFoundError:
            return None
        digest, _, content = stored.partition(b"\n")
        if digest != sha256_of(content).encode():
            return None
        found: Result = json.loads(content)
        return found

    def media(self, key: str) -> Path:
        """The folder of a step's media; it is there while they are."""
        return self.root / "media" / key

    def step(self, key: str, make: Callable[[Path], Result], file: str | None = None) -> "Step":
        """A step: the one that lies here, or else what `make` gives.

        Args:
            key: as of `key_of`.
            make: does the work, given an empty folder for the media. Files of other steps it asks for itself, so
                that they are made again only where they are needed.
            file: the name of the file that it leaves in the folder; None: it leaves none.

        Raises:
            NotMadeError: it is not done, and the store is only read.
            Exception: whatever `make` raises; then nothing lies under the key.
        """
        result = self.result(key)
        if result is None:
            result = self._make(key, make, file)
        return Step(key, result, None if file is None else lambda: self._file(key, make, file))

    def _file(self, key: str, make: Callable[[Path], Result], file: str) -> Path:
        if not self._is_whole(key):
            self._make(key, make, file)
        return self.media(key) / file

    def _make(self, key: str, make: Callable[[Path], Result], file: str | None) -> Result:
        if self._read_only:
            raise NotMadeError(key)
        with self._locked(key):
            known = self.result(key)
            if known is not None and (file is None or self._is_whole(key)):
                return known  # made by another process meanwhile
            partial = self.root / "media" / f".{key}.{secrets.token_hex(4)}.partial"
            partial.mkdir()
            try:
                content = canonical(make(partial))
                # As it reads back, so that a first run and a second one see the same.
                result: Result = json.loads(content)
                self.made += 1
                if known is not None and known != result:
                    raise CheckError(
                        f"{self._result(key)}: made again, the step gave another result: this machine does not "
                        "repeat itself, or the store was changed. Start with an empty store."
                    )
                if file is not None:
                    (partial / _STATES).write_text(canonical(_states(partial)), encoding="utf-8")
                    _forget(partial)
                    self.drop(key)  # what lies there has no result to go by
                    os.replace(partial, self.media(key))
                written = content.encode()
                write_atomic(self._result(key), f"{sha256_of(written)}\n".encode() + written)
            finally:
                _remove(partial)
            return result

    def drop(self, key: str) -> None:
        """Remove the media of a step; its result stays."""
        _remove(self.media(key))

    @contextlib.contextmanager
    def at_work(self, name: str) -> Iterator[None]:
        """Hold the store's media while something named so works with them; one at a time under a name."""
        with self._locked(f"{_AT_WORK}{sha256_of(name.encode())[:32]}"):
            yield

    def drop_media(self, keep: Collection[str] = ()) -> int:
        """Remove all media but those of these keys, and what broken-off runs left; the bytes that were freed.

        While anybody else is at work with the store, nothing goes: whoever ends last clears it up.
        """
        with contextlib.ExitStack() as held:
            for lock in (self.root / "locks").glob(f"{_AT_WORK}*"):
                try:
                    held.enter_context(filelock.FileLock(lock, timeout=0, thread_local=False))
                except filelock.Timeout:
                    return 0
            freed = 0
            for folder in (self.root / "media").iterdir():
                if folder.name not in keep:
                    freed += sum(p.stat().st_size for p in folder.rglob("*") if p.is_file() and p.name != _STATES)
                    _remove(folder)
            return freed

    def _is_whole(self, key: str) -> bool:
        """Whether the media of a step are there, as they were made."""
        try:
            return bool(load_json(read_plain(self.media(key) / _STATES)) == _states(self.media(key)))
        except (OSError, ValueError):
            return False

    def _result(self, key: str) -> Path:
        return self.root / "results" / key[:2] / key

    @contextlib.contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        """One process at a time makes a step; the lock goes with the process that holds it."""
        with filelock.FileLock(self.root / "locks" / key, thread_local=False):
            yield


def _states(folder: Path) -> dict[str, list[int]]:
    """Size and time of change of each file, by name."""
    found = {path.name: path.stat() for path in folder.iterdir() if path.name != _STATES}
    return {name: [state.st_size, state.st_mtime_ns] for name, state in found.items()}


def _forget(folder: Path) -> None:
    """Leave no index of these media in the cache folder, under the place where they are now."""
    for path in folder.rglob("*"):
        if path.is_file():
            with contextlib.suppress(FileNotFoundError):  # another process removes the same media
                forget_index(path)


def _remove(folder: Path) -> None:
    _forget(folder)
    shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Step:
    """A step that is done.

    Args:
        key: as of `key_of`.
        result: what it found.
        locate: gives its file, made again where it is gone; None where it has none.
    """

    key: str
    result: Result
    locate: Callable[[], Path] | None = None

    def file(self) -> Path:
        """Its file.

        Raises:
            ValueError: it has none.
            Exception: whatever making it again raises.
        """
        if self.locate is None:
            raise ValueError(f"step {self.key} has no file")
        return self.locate()
