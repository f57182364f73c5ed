"""A plan: which frames of which files make a unit of work, and all that every worker must agree on.

It lies in one file, see `plan_file`. Chunks lie beside it, in the folder `NAME.chunks`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vsanon import filters
from vsanon.encode.presets import Preset
from vsanon.errors import InputError
from vsanon.job.ledger import Painting
from vsanon.job.settings import Settings
from vsanon.timing import FrameRange

type Work = Literal["anonymize", "analyze", "render"]


@dataclass(frozen=True, slots=True)
class FilePlan:
    """One file of a plan.

    Args:
        id: names it in units and folders.
        source, output: where it lies and where the result goes; of the work "analyze" that is the track file.
        sha256, bytes: of the source.
        frames: how many it has.
        header: of its tracks, as a track file would say it.
        chunks: its units, which follow each other and cover it.
        tracks: the track file that it is rendered from, and its SHA-256; of the work "render" only.
    """

    id: str
    source: Path
    output: Path
    sha256: str
    bytes: int
    frames: int
    header: Mapping[str, Any]
    chunks: tuple[FrameRange, ...]
    tracks: tuple[Path, str] | None = None

    @property
    def units(self) -> tuple[str, ...]:
        """The ids of its chunks."""
        return tuple(f"{self.id}-{k:05}" for k in range(len(self.chunks)))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a farm does.

    Args:
        path: where the plan lies.
        sha256: of its file.
        work: to find and cover, only to find, or only to cover what track files say.
        versions: of all that a result depends on; a worker must have the same.
        settings: of all files.
        preset: of all files, as it was when the plan was made.
        files: what is done.
    """

    path: Path
    sha256: str
    work: Work
    versions: Mapping[str, str]
    settings: Settings
    preset: Preset
    files: tuple[FilePlan, ...]

    @property
    def folder(self) -> Path:
        """Where chunks lie until they are joined."""
        return self.path.with_name(f"{self.path.stem}.chunks")

    @property
    def units(self) -> tuple[str, ...]:
        """The ids of all chunks, file by file."""
        return tuple(unit for file in self.files for unit in file.units)

    def file(self, name: str) -> FilePlan:
        """A file by its id.

        Raises:
            InputError: the plan has no such file.
        """
        for file in self.files:
            if file.id == name:
                return file
        raise InputError(f"{self.path}: the plan has no file {name!r}; it has {_some([f.id for f in self.files])}")

    def unit(self, name: str) -> tuple[FilePlan, int]:
        """A chunk by its id: its file, and which of its chunks it is.

        Raises:
            InputError: the plan has no such chunk.
        """
        for file in self.files:
            if name in file.units:
                return file, file.units.index(name)
        raise InputError(f"{self.path}: the plan has no chunk {name!r}; it has {_some(self.units)}")

    def named(self, text: str) -> tuple[str, ...]:
        """The chunks that a text names: an id, or numbers of chunks, such as 12, 0-9 or 3,5,8-10.

        Raises:
            InputError: the plan has no such chunk.
        """
        units = self.units
        if text in units:
            return (text,)
        if not re.fullmatch(r"\d{1,9}(-\d{1,9})?(,\d{1,9}(-\d{1,9})?)*", text):
            raise InputError(f"{self.path}: the plan has no chunk {text!r}; it has {_some(units)}")
        chosen: list[str] = []
        for part in text.split(","):
            first, _, last = part.partition("-")
            start, stop = int(first), int(last or first) + 1
            if not start < stop <= len(units):
                raise InputError(f"{self.path}: chunks are numbered 0 to {len(units) - 1}, got {part}")
            chosen += units[start:stop]
        return tuple(chosen)

    def painting(self, codec: str) -> Painting:
        """How the frames of a source of this codec are covered."""
        return self.settings.painting(filters.grid_of(codec))


def _some(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) < 5 else f"{names[0]} to {names[-1]}"
