"""Image sequences: which files one is made of, without gaps."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from vsanon.errors import InputError

SUFFIXES = (".dpx", ".exr", ".tif", ".tiff", ".png")
"""Of the images that are read and written."""

_PATTERN = re.compile(r"%(?:0(\d+))?d")
_NUMBERED = re.compile(r"(.*?)(\d+)(\.[^.]+)")


@dataclass(frozen=True, slots=True)
class ImageSequence:
    """Images `start` to `start + count - 1`: `prefix`, the number of at least `digits` digits, `suffix`."""

    folder: Path
    prefix: str
    digits: int
    suffix: str
    start: int
    count: int

    @property
    def pattern(self) -> str:
        """As ffmpeg takes it, with all of the path; a % of a name is doubled."""
        return f"{os.path.join(self.folder, self.prefix).replace('%', '%%')}%0{self.digits}d{self.suffix}"

    @property
    def name(self) -> str:
        """What it is called where one name must do, such as shot.0001-0006.dpx."""
        last = self.start + self.count - 1
        return f"{self.prefix}{self.start:0{self.digits}d}-{last:0{self.digits}d}{self.suffix}"

    def path(self, number: int) -> Path:
        """The image of a number."""
        return self.folder / f"{self.prefix}{number:0{self.digits}d}{self.suffix}"


def is_pattern(path: Path) -> bool:
    """Whether a path is a pattern such as shot.%06d.dpx."""
    return path.suffix.lower() in SUFFIXES and len(_PATTERN.findall(path.name)) == 1


def is_sequence(path: Path) -> bool:
    """Whether a path stands for images: a folder, a pattern such as shot.%06d.dpx, or an image."""
    return path.is_dir() or path.suffix.lower() in SUFFIXES


def sequence_of(path: Path, start: int | None = None) -> ImageSequence:
    """The sequence that a path stands for.

    Args:
        path: a folder of numbered images, or a pattern.
        start: the number of the first image to take; None takes the first that is there.

    Raises:
        InputError: it is one image, there is no sequence, more than one, or one with a gap, or with what is no file
            of this folder.
    """
    folder, wanted = (path, None) if path.is_dir() else (path.parent, _PATTERN.search(path.name))
    if not path.is_dir() and wanted is None:
        raise InputError(f"{path}: one image is no film{_advice(path)}")
    found: dict[tuple[str, str], dict[int, int]] = {}
    try:
        names = sorted(entry.name for entry in folder.iterdir() if not entry.is_dir())
    except OSError as error:
        raise InputError(f"{folder}: can't be read: {error.strerror}") from error
    for name in names:
        parts = _NUMBERED.fullmatch(name)
        if parts is None or parts[3].lower() not in SUFFIXES:
            continue
        if wanted is not None and (parts[1], parts[3]) != (path.name[: wanted.start()], path.name[wanted.end() :]):
            continue
        found.setdefault((parts[1], parts[3]), {})[int(parts[2])] = len(parts[2])
    if not found:
        raise InputError(f"{path}: there are no numbered images ({', '.join(SUFFIXES)}) of that name")
    if len(found) > 1:
        listed = ", ".join(f"{prefix}%d{suffix}" for prefix, suffix in found)
        raise InputError(f"{path}: more than one sequence lies there ({listed}): name one by its pattern")
    ((prefix, suffix), widths) = next(iter(found.items()))
    numbers = sorted(n for n in widths if start is None or n >= start)
    if not numbers or (start is not None and numbers[0] != start):
        raise InputError(f"{path}: there is no image number {start}: the first is {min(widths)}")
    sequence = ImageSequence(folder, prefix, min(widths.values()), suffix, numbers[0], len(numbers))
    for n in range(sequence.start, numbers[-1] + 1):
        if not sequence.path(n).is_file():
            if os.path.lexists(sequence.path(n)):
                raise InputError(f"{sequence.path(n)}: no image, but a pipe, a device or a link to nothing")
            raise InputError(
                f"{path}: the sequence has a gap: {sequence.path(n).name} is missing, and goes on to number "
                f"{numbers[-1]}: put it there, or name where to begin (--start-number)"
            )
        image = sequence.path(n)
        if image.is_symlink() and image.resolve().parent != folder.resolve():
            raise InputError(f"{image}: a link to an image in another folder, which nobody named: copy it")
    return sequence


def _advice(path: Path) -> str:
    parts = _NUMBERED.fullmatch(path.name)
    if parts is None:
        return ": name a folder of numbered images, or their pattern, such as shot.%06d.dpx"
    pattern = f"{parts[1]}%0{len(parts[2])}d{parts[3]}"
    others = sum(
        (other := _NUMBERED.fullmatch(entry.name)) is not None and (other[1], other[3]) == (parts[1], parts[3])
        for entry in (path.parent.iterdir() if path.parent.is_dir() else ())
    )
    return f", and it is one of {others}: name the folder, or the pattern {path.with_name(pattern)}"
