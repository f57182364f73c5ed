"""Finds ffmpeg and runs it: the one module that starts it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache
from threading import Thread
from typing import IO, Any

import imageio_ffmpeg

from vsanon import stops
from vsanon.errors import EncodeError, MissingError

_QUIET = ("-hide_banner", "-nostdin", "-loglevel", "warning")
_LINES_KEPT = 40

# Ctrl-C goes to all of a terminal's group: ffmpeg would end its file as if it were whole. Stopping it is for us.
_APART: dict[str, Any] = {"process_group": 0}
if sys.platform == "win32":
    _APART = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}


def ffmpeg_path() -> str:
    """The ffmpeg to run: the one that VSANON_FFMPEG names, else that of the imageio-ffmpeg wheel.

    Raises:
        MissingError: there is none.
    """
    named = os.environ.get("VSANON_FFMPEG")
    if named:
        found = shutil.which(named)
        if found is None:
            raise MissingError(f"VSANON_FFMPEG names {named!r}, which is not a program that can be run.")
        return found
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise MissingError(
            "there is no ffmpeg: install the package imageio-ffmpeg, or name one with VSANON_FFMPEG."
        ) from error


def ffmpeg_version() -> str:
    """The version as ffmpeg says it, such as "n9.0.2-17-g2a571b6068"."""
    first = _version_text(ffmpeg_path()).partition("\n")[0]
    match = re.match(r"ffmpeg version (\S+)", first)
    return match[1] if match else first


def require_encoder(name: str) -> None:
    """Refuse an encoder that this ffmpeg was built without.

    Raises:
        MissingError: it has no such encoder, or there is no ffmpeg.
    """
    if name not in _encoders(ffmpeg_path()):
        raise MissingError(
            f"this ffmpeg ({ffmpeg_version()}) has no encoder {name}: unset VSANON_FFMPEG, or name a fuller one"
        )


def run(args: Sequence[str], *, timeout_s: float | None = None) -> bytes:
    """Run ffmpeg with `args`, to its end, and give its standard output.

    Raises:
        EncodeError: it failed; with the last lines of what it said.
        MissingError: there is no ffmpeg.
        Stopped: a stop was asked for.
    """
    argv, pipe = [ffmpeg_path(), *_QUIET, *args], subprocess.PIPE
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    process: subprocess.Popen[bytes]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, **_APART) as process:
        try:
            while True:
                try:
                    found, said = process.communicate(timeout=stops.LOOK_S)
                    break
                except subprocess.TimeoutExpired:
                    stops.poll()
                    if deadline is not None and time.monotonic() > deadline:
                        raise
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise EncodeError(_failure(process.returncode, said.decode(errors="replace").splitlines()))
    return found


def fed(args: Sequence[str]) -> tuple[str, ...]:
    """The whole command of an ffmpeg that is fed frames."""
    return (ffmpeg_path(), *_QUIET, "-progress", "pipe:1", *args)


def run_through(first: Sequence[str], second: Sequence[str]) -> None:
    """Run two ffmpegs, the standard output of the first being the standard input of the second, to their end.

    Raises:
        EncodeError: one of them failed; with the last lines of what it said.
        MissingError: there is no ffmpeg.
        Stopped: a stop was asked for.
    """
    program, pipe = [ffmpeg_path(), *_QUIET], subprocess.PIPE
    # Without -nostdin the second one reads commands from its standard input as well as frames.
    giving = subprocess.Popen([*program, *first], stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, **_APART)
    taking = subprocess.Popen([*program, *second], stdin=giving.stdout, stdout=pipe, stderr=pipe, **_APART)
    assert giving.stdout is not None
    giving.stdout.close()  # so that the first one notices where the second one ends early
    said = {taking: (_Drain(taking.stderr), _Drain(taking.stdout)), giving: (_Drain(giving.stderr),)}
    try:
        for process in said:
            while process.poll() is None:
                stops.poll()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(stops.LOOK_S)
    finally:
        for process in said:
            process.kill()
            process.wait()
    for process, (words, *_) in said.items():
        if process.returncode != 0:
            raise EncodeError(_failure(process.returncode, words.lines()))


class Running:
    """ffmpeg at work, fed through `stdin`; what it says is read all along, so that it never waits for us.

    Args:
        args: the arguments, without the program.

    Raises:
        MissingError: there is no ffmpeg.
    """

    def __init__(self, args: Sequence[str]) -> None:
        self.argv = fed(args)
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(self.argv, stdin=pipe, stdout=pipe, stderr=pipe, **_APART)
        assert self._process.stdin is not None
        self.stdin = self._process.stdin
        self._said, self._progress = _Drain(self._process.stderr), _Drain(self._process.stdout)

    def finish(self, frames: int) -> None:
        """Wait for its end, once `stdin` is closed.

        Raises:
            EncodeError: it failed, with the last lines of what it said; or it did not write just `frames` frames.
            Stopped: a stop was asked for.
        """
        code = self._wait()
        written = _frames_written(self._progress.lines())
        if code != 0 or written != frames:
            raise EncodeError(_failure(code, self._said.lines(), written, frames))

    def _wait(self) -> int:
        while True:
            stops.poll()
            with suppress(subprocess.TimeoutExpired):
                return self._process.wait(stops.LOOK_S)

    def kill(self) -> None:
        """End it at once; does nothing where it has ended."""
        self._process.kill()
        self._process.wait()


class _Drain:
    """Reads a pipe to its end in a thread, so that ffmpeg never waits for us; keeps the last lines."""

    def __init__(self, pipe: IO[bytes] | None) -> None:
        self._lines: deque[str] = deque(maxlen=_LINES_KEPT)
        self._thread = Thread(target=self._read, args=(pipe,), daemon=True)
        self._thread.start()

    def _read(self, pipe: IO[bytes]) -> None:
        with pipe:
            for line in pipe:
                self._lines.append(line.decode(errors="replace").rstrip())

    def lines(self) -> list[str]:
        """The last lines; waits for the end of the pipe."""
        self._thread.join()
        return list(self._lines)


def _frames_written(progress: Iterable[str]) -> int:
    counts = [int(line[6:]) for line in progress if re.fullmatch(r"frame=\d+", line)]
    return counts[-1] if counts else 0


def _failure(code: int, said: Iterable[str], written: int | None = None, expected: int | None = None) -> str:
    words = "\n  ".join(list(said)[-8:]) or "(ffmpeg said nothing)"
    if any("No space left on device" in line for line in said):
        return f"the disk is full: ffmpeg could not write all of the file. Free some space.\n  {words}"
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"failed with exit code {code}"
    if code == 0:
        how = f"wrote {written} frames where {expected} were sent"
    return f"ffmpeg {how}. Its last words:\n  {words}"


@cache
def _encoders(program: str) -> frozenset[str]:
    rows = [line.split() for line in _said(program, "-encoders").splitlines()]
    return frozenset(row[1] for row in rows if len(row) > 1)


@cache
def _version_text(program: str) -> str:
    return _said(program, "-version")


def _said(program: str, option: str) -> str:
    try:
        done = subprocess.run([program, option], capture_output=True, check=True, timeout=60, **_APART)
    except (OSError, subprocess.SubprocessError) as error:
        raise MissingError(f"{program} does not run as ffmpeg: {error}.") from error
    return str(done.stdout, errors="replace")
