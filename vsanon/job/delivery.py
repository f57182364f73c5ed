"""Where results go: refused early, written under hidden names beside their place, moved there when whole.

Files of one job are moved one after the other, the ledger last, each on the disk before the next one moves. So a
machine that dies on the way leaves one of these states, and no ledger ever vouches for what is not there:

* nothing moved: what was there before is still there, with its own ledger;
* the output moved and the ledger did not: the output is whole and passed its checks, and the ledger that lies
  beside it, if any, names other bytes, which `vsanon verify` says. Run the job again with --overwrite.
"""

import contextlib
import hashlib
import logging
import os
import secrets
import shutil
import stat as modes
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import filelock

from vsanon.errors import CheckError, InputError
from vsanon.files import create_new, hidden_beside, left_beside, lock_beside, require_name, sync_folder

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells whether a file was written to since; see `require_unchanged`."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


def stamp(path: Path) -> Stamp:
    """Note a file's state.

    Raises:
        InputError: it is gone, or can't be looked at.
    """
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: can't be read: {_why(error)}") from error
    return Stamp(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


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
        overwrite: what lies at a target may be replaced, where it is a plain file.

    Raises:
        InputError: a target is an input (also through a link), a folder, no plain file, or already there; two are
            one; its name is too long; or its folder is missing or can't be written.
    """
    for n, target in enumerate(targets):
        require_name(target)
        if any(target.exists() and other.exists() and target.samefile(other) for other in inputs):
            raise InputError(f"{target} is also an input: give the output another name")
        if any(_place(target) == _place(other) for other in targets[:n]):
            raise InputError(f"{target} is named twice: give each output a name of its own")
        if target.is_dir():
            raise InputError(
                f"{target} is a folder that is there already: name a file in it, or for images a new folder"
            )
        if os.path.lexists(target):
            if not overwrite:
                raise InputError(f"{target} is already there: give --overwrite to replace it, or another name")
            _require_plain(target)
        if not target.parent.is_dir():
            raise InputError(f"{target}: the folder {target.parent} does not exist: make it first")
        if not os.access(target.parent, os.W_OK | os.X_OK):
            raise InputError(f"{target}: the folder {target.parent} can't be written: choose another")


class Target:
    """The files that one job delivers, all or none, and the inputs that must stay as they are meanwhile.

        with Target([source], [output, ledger], overwrite=False) as target:
            write(target.partial(output))
            target.put(ledger, content)
            target.deliver()

    The targets are locked, so a second run for one of them is refused. What is written lies under hidden names
    that nobody can guess, and goes at the end, delivered or not; what a killed run left goes with the next run.

    Args:
        inputs: files that are read.
        targets: files to write, in the order in which they move to their place: the ledger, which vouches for the
            others, comes last.
        overwrite: plain files at the targets may be replaced.

    Raises:
        InputError: on creation: an input can't be read, or as for `require_targets`; on entering: another run is
            writing a target, or its folder can't be written.
    """

    def __init__(self, inputs: Sequence[Path], targets: Sequence[Path], *, overwrite: bool) -> None:
        self._before = {path: stamp(path) for path in inputs}
        self._targets, self._overwrite = tuple(targets), overwrite
        self._partials: dict[Path, _Partial] = {}
        self._held = contextlib.ExitStack()
        require_targets(inputs, targets, overwrite=overwrite)

    def __enter__(self) -> "Target":
        with contextlib.ExitStack() as held:
            for target in self._targets:
                held.enter_context(_locked(target))
            held.callback(self._clean)
            self._held = held.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def partial(self, target: Path) -> Path:
        """A new, empty, hidden file beside `target` to write to.

        Raises:
            CheckError: it can't be made.
        """
        assert target in self._targets
        path = target.with_name(f"{hidden_beside(target)}-{secrets.token_hex(8)}.partial{target.suffix}")
        try:
            with create_new(path) as file:
                found = os.fstat(file.fileno())
        except OSError as error:
            raise CheckError(f"{target} was not delivered: can't be written: {_why(error)}") from error
        self._partials[target] = _Partial(path, found.st_dev, found.st_ino)
        return path

    def partial_folder(self, target: Path) -> Path:
        """A new, empty, hidden folder beside `target`, for the files of a folder that is delivered as one.

        Raises:
            CheckError: it can't be made.
        """
        assert target in self._targets
        path = target.with_name(f"{hidden_beside(target)}-{secrets.token_hex(8)}.partial")
        try:
            path.mkdir()
            found = path.lstat()
        except OSError as error:
            raise CheckError(f"{target} was not delivered: can't be written: {_why(error)}") from error
        self._partials[target] = _Partial(path, found.st_dev, found.st_ino, is_folder=True)
        return path

    def path(self, target: Path) -> Path:
        """The hidden file or folder that was made for `target`."""
        return self._partials[target].path

    def put(self, target: Path, content: bytes) -> None:
        """Write the whole content of a target, under its hidden name.

        Raises:
            CheckError: writing failed.
        """
        self.put_lines(target, [content])

    def put_lines(self, target: Path, lines: Iterable[bytes]) -> str:
        """As `put`, of content that comes line by line; its SHA-256."""
        digest, path = hashlib.sha256(), self.partial(target)
        try:
            with path.open("wb") as file:
                for line in lines:
                    digest.update(line)
                    file.write(line)
        except OSError as error:
            raise CheckError(f"{target} was not delivered: writing failed: {_why(error)}") from error
        return digest.hexdigest()

    def require_unchanged(self) -> None:
        """Raise where an input was replaced or written to since.

        Raises:
            CheckError: one was.
        """
        for path, before in self._before.items():
            require_unchanged(path, before)

    def deliver(self) -> None:
        """Move the finished files to their places, which is the last thing that happens.

        Raises:
            CheckError: an input changed, a hidden file is not the one that was made here, or writing failed; then
                what was at the targets before still is (where the file system has hard links).
            InputError: something has come to lie at a target meanwhile that may not be replaced.
        """
        self.require_unchanged()
        moves = [(self._partials[target], target) for target in self._targets]
        for made, target in moves:
            made.require_same(target)
        require_targets([*self._before], self._targets, overwrite=self._overwrite)
        with contextlib.ExitStack() as undo:
            for made, target in moves:
                try:
                    for file in sorted(made.path.iterdir()) if made.is_folder else [made.path]:
                        _sync(file)
                    put_back = self._way_back(target, made)
                    os.replace(made.path, target)
                    undo.callback(put_back)
                    sync_folder(target.parent)
                except OSError as error:
                    raise CheckError(f"{target} was not delivered: writing failed: {_why(error)}") from error
            undo.pop_all()

    def _way_back(self, target: Path, made: "_Partial") -> Callable[[], object]:
        """What undoes the move to a target: a second, hidden name of what lies there now puts that back."""
        if made.is_folder:
            return partial(shutil.rmtree, target, ignore_errors=True)
        if not os.path.lexists(target):
            return partial(target.unlink, missing_ok=True)
        kept = target.with_name(f"{hidden_beside(target)}-{secrets.token_hex(8)}.partial")
        try:
            os.link(target, kept, follow_symlinks=False)
        except OSError as error:
            log.info("%s: no second name for what lies there, so it can't be put back: %s", target, error)
            return partial(log.error, "%s was replaced, and its ledger was not: run the job again", target)
        self._held.callback(kept.unlink, missing_ok=True)
        return partial(os.replace, kept, target)

    def _clean(self) -> None:
        for made in self._partials.values():
            with contextlib.suppress(FileNotFoundError):
                _remove(made.path)


@dataclass(frozen=True, slots=True)
class _Partial:
    """A hidden file that was made here, or a hidden folder for many."""

    path: Path
    device: int
    inode: int
    is_folder: bool = False

    def require_same(self, target: Path) -> None:
        """Raise where something else lies at its name by now."""
        try:
            found = self.path.lstat()
        except OSError as error:
            raise CheckError(f"{target} was not delivered: writing failed: {_why(error)}") from error
        right = modes.S_ISDIR if self.is_folder else modes.S_ISREG
        if not right(found.st_mode) or (found.st_dev, found.st_ino) != (self.device, self.inode):
            raise CheckError(
                f"{target} was not delivered: somebody put another file in the place of {self.path}: deliver into "
                "a folder that nobody else can write to"
            )


def _require_plain(target: Path) -> None:
    """Raise where what lies there is a link, a pipe, a device or a socket: replacing it would take it away."""
    mode = target.lstat().st_mode
    if modes.S_ISLNK(mode):
        raise InputError(
            f"{target} is a link, to {os.readlink(target)}: name that file itself, or remove the link first"
        )
    if not modes.S_ISREG(mode):
        kind = {modes.S_IFIFO: "a pipe", modes.S_IFSOCK: "a socket"}.get(modes.S_IFMT(mode), "a device")
        raise InputError(f"{target} is {kind}, and not a file to replace: name a file")


def _place(path: Path) -> Path:
    return path.parent.resolve() / path.name


@contextlib.contextmanager
def _locked(target: Path) -> Iterator[None]:
    """Hold a target for this run; the lock dies with the process. Then what killed runs left can be removed."""
    path = lock_beside(target)
    lock = filelock.FileLock(path, timeout=0, thread_local=False, fallback_to_soft=False)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise InputError(f"{target}: another run is writing it at this moment: wait for it, or stop it") from error
    except OSError as error:
        raise InputError(
            f"{target}: can't be written: its lock {path}: {_why(error)}. Remove that, or choose another folder"
        ) from error
    try:
        for left in left_beside(target):
            with contextlib.suppress(OSError):
                _remove(left)
        yield
    finally:
        # Held still, so that whoever waits for it sees that the name is gone, and makes a new one.
        with contextlib.suppress(OSError):
            path.unlink()
        lock.release()


def _remove(path: Path) -> None:
    """Remove a file, or a folder with all in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _sync(path: Path) -> None:
    """Have the disk hold the content before the name says that it is there."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
