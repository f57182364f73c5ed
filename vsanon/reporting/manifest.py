"""The manifest of a report's folder: every file with its size and SHA-256, and how the folder differs from it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsanon.errors import InputError
from vsanon.files import read_plain, sha256_of, write_atomic
from vsanon.plain_json import load_json

MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
SIGNATURE = "manifest.sig"
PUBLIC_KEY = "manifest.pub.pem"
OWN = frozenset({MANIFEST, SUMS, SIGNATURE, PUBLIC_KEY})
"""What is about the manifest, and so not listed in it."""

VERSION = 1


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be.

    Args:
        file: its name in the folder, with / between folders.
        what: what is wrong with it, for people.
    """

    file: str
    what: str

    def __str__(self) -> str:
        return f"{self.file}: {self.what}"


def write_manifest(folder: Path) -> list[Path]:
    """Write manifest.json, and SHA256SUMS for `sha256sum -c`, of all files that lie in `folder` and below.

    A signature that lies there is removed: it was made for another state of the folder.

    Returns:
        The two files.

    Raises:
        InputError: the folder or a file in it can't be read or written, or something in it is no plain file.
    """
    try:
        contents = {}
        for name, path in entries(folder):
            if path.is_symlink() or not path.is_file():
                raise InputError(f"{path}: not a plain file: a manifest lists files only. Remove it, or copy it.")
            if name not in OWN:
                contents[name] = read_plain(path)
        text = manifest_bytes(contents)
        for stale in (SIGNATURE, PUBLIC_KEY):
            (folder / stale).unlink(missing_ok=True)
        write_atomic(folder / MANIFEST, text)
        write_atomic(folder / SUMS, sums_bytes(text))
    except OSError as error:
        raise InputError(f"{folder}: the manifest can't be written: {error.strerror}: {error.filename}") from error
    return [folder / MANIFEST, folder / SUMS]


def manifest_bytes(contents: dict[str, bytes]) -> bytes:
    """manifest.json of files by name: canonical, so that the same files give the same bytes."""
    return _canonical(
        {name: {"bytes": len(content), "sha256": sha256_of(content)} for name, content in contents.items()}
    )


def sums_bytes(manifest: bytes) -> bytes:
    """SHA256SUMS of a manifest: the manifest itself and the files that it lists, as GNU sha256sum writes them.

    Raises:
        InputError: `manifest` is none.
    """
    hashes = {name: entry["sha256"] for name, entry in read_manifest(manifest).items()}
    hashes[MANIFEST] = sha256_of(manifest)
    return "".join(_sum_line(name, digest) for name, digest in sorted(hashes.items())).encode()


def read_manifest(content: bytes) -> dict[str, dict[str, Any]]:
    """The files of a manifest: by name, "bytes" and "sha256".

    Raises:
        InputError: it is no manifest of this version.
    """
    try:
        found = load_json(content)
    except ValueError as error:
        raise InputError(f"not a manifest: {error}") from error
    if (
        not isinstance(found, dict)
        or found.get("vsanon_manifest") != VERSION
        or set(found)
        != {
            "vsanon_manifest",
            "files",
        }
    ):
        raise InputError(f"not a manifest of version {VERSION}")
    files = found["files"]
    if not isinstance(files, dict) or not all(_whole(entry) for entry in files.values()):
        raise InputError("a manifest, but its list of files is damaged")
    return files


def check_manifest(folder: Path) -> list[Finding]:
    """What in `folder` is changed, missing or extra against its manifest, by name; nothing where all is well.

    Names in the manifest are only compared with those in the folder, and never opened.

    Raises:
        InputError: the folder can't be read.
    """
    present: dict[str, Path] = {}
    findings = []
    try:
        for name, path in entries(folder):
            if path.is_symlink() or not path.is_file():
                findings.append(
                    Finding(name, "extra: a link, an empty folder or a device, where only files belong")
                )
            else:
                present[name] = path
        for name in (MANIFEST, SUMS):
            if name not in present:
                findings.append(Finding(name, "missing"))
        if MANIFEST not in present:
            return findings
        content = read_plain(present[MANIFEST])
        try:
            listed = read_manifest(content)
        except InputError as error:
            return [*findings, Finding(MANIFEST, f"changed: {error}")]
        if content != _canonical(listed):
            findings.append(Finding(MANIFEST, "changed: it is not written as vsanon writes it"))
        if SUMS in present and read_plain(present[SUMS]) != sums_bytes(content):
            findings.append(Finding(SUMS, f"changed: it does not say what {MANIFEST} says"))
        for name in sorted(set(listed) | (set(present) - OWN)):
            findings += _difference(name, listed.get(name), present.get(name))
    except OSError as error:
        raise InputError(f"{folder}: can't be read: {error.strerror}: {error.filename}") from error
    return sorted(findings, key=lambda finding: finding.file)


def _difference(name: str, listed: dict[str, Any] | None, path: Path | None) -> Iterator[Finding]:
    if listed is None:
        yield Finding(name, "extra: the manifest does not list it")
    elif path is None:
        yield Finding(name, "missing: the manifest lists it")
    else:
        content = read_plain(path)
        found = sha256_of(content)
        if found != listed["sha256"] or len(content) != listed["bytes"]:
            yield Finding(
                name,
                f"changed: SHA-256 {found}, {len(content)} bytes; "
                f"the manifest says {listed['sha256']}, {listed['bytes']} bytes",
            )


def entries(folder: Path) -> Iterator[tuple[str, Path]]:
    """Everything below `folder` but folders that hold something; links are not followed."""
    if not folder.is_dir():
        raise InputError(f"{folder}: not a folder; that of a report was expected")
    for path in sorted(folder.rglob("*")):
        if path.is_dir() and not path.is_symlink() and any(path.iterdir()):
            continue
        yield path.relative_to(folder).as_posix(), path


def _canonical(files: dict[str, dict[str, Any]]) -> bytes:
    value = {"vsanon_manifest": VERSION, "files": files}
    return json.dumps(value, sort_keys=True, indent=1, allow_nan=False).encode() + b"\n"


def _whole(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and set(entry) == {"bytes", "sha256"}
        and type(entry["bytes"]) is int
        and isinstance(entry["sha256"], str)
        and re.fullmatch("[0-9a-f]{64}", entry["sha256"]) is not None
    )


def _sum_line(name: str, digest: str) -> str:
    # GNU sha256sum: a leading backslash says that the name is escaped.
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return f"{'\\' if escaped != name else ''}{digest}  {escaped}\n"
