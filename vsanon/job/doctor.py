"""Looks at this machine: what vsanon needs, what is missing, and how to get it."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from vsanon.detectors import resolve
from vsanon.detectors.recipes import SETTINGS, models_of
from vsanon.encode import ffmpeg_path, ffmpeg_version, presets, run
from vsanon.errors import MissingError, VsanonError
from vsanon.files import cache_root
from vsanon.media.best_source import best_source_version
from vsanon.media.source import threads, vapoursynth_release
from vsanon.models import PROVIDERS, chosen, package_version, store

_SCRIPT = "import vapoursynth as vs\nvs.core.std.BlankClip(length=1).set_output()\n"
_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: whether it is as it should be, and what was found or what to do."""

    name: str
    ok: bool
    text: str


def examine(*, fix: bool = False) -> list[Finding]:
    """Look at everything that a job may need.

    Args:
        fix: let `vapoursynth config` set up vspipe where it does not start.

    Returns:
        Findings in the order in which they matter.
    """
    return [
        _finding("Python", lambda: sys.version.partition(" ")[0]),
        _finding("VapourSynth", _vapoursynth),
        _finding("BestSource", _best_source),
        _finding("vspipe", lambda: _vspipe(fix)),
        _finding("ffmpeg", lambda: f"{ffmpeg_version()} at {ffmpeg_path()}"),
        *_encoders(),
        _finding("ONNX Runtime", _providers),
        *_models(),
        _finding("cache", _cache),
    ]


def vspipe_path() -> Path:
    """The vspipe that belongs to this Python; it need not be there."""
    return Path(sys.executable).with_name("vspipe")


class _MissingError(Exception):
    """What is missing and how to get it, in words."""


def _finding(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, look())
    except (_MissingError, VsanonError, OSError, subprocess.TimeoutExpired) as error:
        return Finding(name, False, str(error))


def _vapoursynth() -> str:
    release = vapoursynth_release()
    if release < 81:
        raise _MissingError(f"R{release} is too old: install vapoursynth 81")
    return f"R{release}, {threads()} threads"


def _best_source() -> str:
    version = best_source_version()
    if version is None:
        raise _MissingError("not loaded: install the package vapoursynth-bestsource beside vapoursynth")
    return version


def _providers() -> str:
    """Its version, and where it runs models on this machine: a GPU that does not start is no fault of a machine."""
    found = []
    for name in PROVIDERS:
        with contextlib.suppress(MissingError):
            found.append(chosen(name))
    return f"{package_version('onnxruntime')}, runs models on {', '.join(found)}"


def _vspipe(fix: bool) -> str:
    program = vspipe_path()
    if not program.is_file():
        raise _MissingError(f"not beside {sys.executable}: install vapoursynth there")
    said = _starts(program)
    if said is not None and fix:
        # -P: a file of the working folder, such as a re.py, must not stand in for Python's own.
        done = subprocess.run(
            [sys.executable, "-P", "-m", "vapoursynth", "config"],
            stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_TIMEOUT_S,
        )  # fmt: skip
        said = _starts(program)
        if said is not None:
            said += "\n" + (done.stdout + done.stderr).decode(errors="replace").strip()
    if said is not None:
        raise _MissingError(f"does not start: run `vsanon doctor --fix` or `vapoursynth config`. It said: {said}")
    return f"starts, at {program}"


def _starts(program: Path) -> str | None:
    """None where vspipe runs a script; otherwise what it said."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "one_frame.vpy")
        script.write_text(_SCRIPT)
        done = subprocess.run(
            [program, "--info", script, "-"], stdin=subprocess.DEVNULL, capture_output=True, check=False,
            timeout=_TIMEOUT_S,
        )  # fmt: skip
    if done.returncode == 0:
        return None
    return done.stderr.decode(errors="replace").strip() or f"nothing, with exit code {done.returncode}"


def _encoders() -> Iterator[Finding]:
    """One finding for the encoders of all presets together."""

    def look() -> str:
        listed = {line.split()[1] for line in run(["-encoders"]).decode().splitlines() if len(line.split()) > 1}
        wanted = {presets.load(name).encoder: name for name in presets.names()}
        missing = [f"{encoder} (preset {name})" for encoder, name in wanted.items() if encoder not in listed]
        if missing:
            raise _MissingError(
                f"this ffmpeg lacks {', '.join(missing)}: unset VSANON_FFMPEG, or name a fuller one"
            )
        return ", ".join(sorted(wanted))

    yield _finding("encoders", look)


def _models() -> Iterator[Finding]:
    """A finding for each setting: whether all that it runs is here, so that it works without a network."""
    for setting in SETTINGS:

        def look(setting: str = setting) -> str:
            models = {name: resolve(name) for name in models_of(setting)}
            missing = [name for name, card in models.items() if store.locate(card) is None]
            if missing:
                raise _MissingError(
                    f"{', '.join(missing)} not here yet: run `vsanon models pull` once, where there is a network, "
                    "or `vsanon models import FILE`"
                )
            return ", ".join(f"{name} ({card.licence})" for name, card in models.items())

        yield _finding(f"setting {setting}", look)


def _cache() -> str:
    folder = cache_root()
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise _MissingError(f"{folder} can't be written: name another folder with VSANON_CACHE")
    return str(folder)
