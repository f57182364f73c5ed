"""Which files a run takes, and where the result of each goes: folders, patterns and lists to pairs of paths."""

import glob
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vsanon.errors import InputError
from vsanon.files import require_name
from vsanon.media import probe
from vsanon.media.sequences import SUFFIXES, is_sequence

VIDEO = frozenset(
    {
        *{".3g2", ".3gp", ".asf", ".avi", ".divx", ".dv", ".f4v", ".flv", ".gxf", ".insv", ".ivf", ".lrv", ".m2t"},
        *{".m2ts", ".m2v", ".m4v", ".mkv", ".mod", ".mov", ".mp4", ".mpe", ".mpeg", ".mpg", ".mts", ".mxf", ".nut"},
        *{".ogm", ".ogv", ".qt", ".rm", ".rmvb", ".tod", ".ts", ".vob", ".webm", ".wmv", ".y4m", ".av1", ".obu"},
        *{".h264", ".264", ".hevc", ".h265", ".265"},
    }
)
"""Of a folder, files with these suffixes are taken; whatever is named one by one is taken in any case."""

_MOST_LIST_BYTES = 1 << 24
_PATTERN = re.compile(r"(?:[^{}]|\{(?:stem|name|parent)\})+")


@dataclass(frozen=True, slots=True)
class Job:
    """One file to cover, and where it goes."""

    source: Path
    output: Path


@dataclass(frozen=True, slots=True)
class Listing:
    """What a run takes, in the order of the names, and what lay beside it and is left alone.

    That are files without the suffix of a video, hidden ones, and links to folders or to nothing: a link to a
    folder may lead in a circle, and is followed where it is named.
    """

    jobs: tuple[Job, ...]
    left_alone: tuple[Path, ...]


def told_of(left_alone: Sequence[Path | str]) -> str:
    """What was left alone, and why, in one line."""
    names = ", ".join(map(str, left_alone))
    return f"left alone, as they are no videos by their names, hidden, or links to folders or nothing: {names}"


def listed(
    inputs: Sequence[Path],
    out: Path,
    suffix: str,
    *,
    lists: Sequence[Path] = (),
    pattern: str = "{stem}",
    may_be_empty: bool = False,
) -> Listing:
    """The jobs of a run. Below a folder, the same tree is made below `out`.

    Args:
        inputs: files, folders, and patterns such as `*.mov` where the shell left them as they are.
        out: the folder of the results; what lies in it is no input.
        suffix: of the results, such as ".mp4"; of images ".%06d.dpx", which lie in a folder of that name each.
        lists: text files, UTF-8, a path a line, relative to the list's folder; empty lines and those that start
            with `#` are passed over.
        pattern: the name of a result without suffix; `{stem}` is that of the source without suffix, `{name}` the
            whole, `{parent}` its folder's name.
        may_be_empty: there may be no video yet, as in a folder that is watched.

    Raises:
        InputError: there is nothing of a name, a list can't be read, the pattern is none, no file is left, or two
            results would have one name.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is no folder, and results go below one: name another with --out")
    results = out.resolve()
    found: dict[Path, Path] = {}  # the source, and the folder below which its tree begins
    left_alone: list[Path] = []
    for named in [*inputs, *(path for file in lists for path in _lines(file))]:
        for path in _expanded(named):
            if not path.is_dir():
                found.setdefault(path, path.parent)
                continue
            here = path.resolve()  # the results' folder may be named another way
            for file in sorted(
                p for p in path.rglob("*") if not (here / p.relative_to(path)).is_relative_to(results)
            ):
                if file.is_file() and file.suffix.lower() in VIDEO and not _hidden(file.relative_to(path)):
                    found.setdefault(file, path)
                elif file.is_symlink() or not file.is_dir():
                    left_alone.append(file)
    if not found and not may_be_empty:
        if (
            inside := next((p for p in inputs if p.is_dir() and p.resolve().is_relative_to(results)), None)
        ) is not None:
            raise InputError(
                f"{inside} lies in {out}, where results go, and results are no inputs: name another folder with "
                "--out"
            )
        if (image := next((file for file in left_alone if file.suffix.lower() in SUFFIXES), None)) is not None:
            raise no_film(image)
        raise InputError(f"{', '.join(map(str, inputs))}: no video is there; name files that have another suffix")
    jobs = tuple(Job(path, _output(path, root, out, suffix, pattern)) for path, root in sorted(found.items()))
    first: dict[Path, Path] = {}
    for job in jobs:
        if (other := first.setdefault(job.output, job.source)) != job.source:
            raise InputError(
                f"{other} and {job.source} would both be {job.output}: tell them apart with --name, such as "
                "'{name}' or '{parent}-{stem}'"
            )
    return Listing(jobs, tuple(left_alone))


def no_film(path: Path) -> InputError:
    """Why images are not taken among many files, and what to do."""
    return InputError(
        f"{path}: images have no rate, and are not cut into chunks: use `vsanon anonymize IN OUT --rate FPS`, or "
        "put them into a film first, as they are: ffmpeg -framerate FPS -i shot.%06d.dpx -c copy film.mov"
    )


def by_length(listing: Listing, chunk_seconds: float | None) -> tuple[Listing, tuple[Job, ...]]:
    """The files to do in one go, and those to do in chunks: of more than two chunks.

    Args:
        listing: all of them; one that can't be read is done in one go, which says why it can't.
        chunk_seconds: how long a chunk is, seconds; None where there are none.
    """
    if chunk_seconds is None:
        return listing, ()
    long = tuple(job for job in listing.jobs if _seconds(job.source) > 2 * chunk_seconds)
    return replace(listing, jobs=tuple(job for job in listing.jobs if job not in long)), long


def _seconds(path: Path) -> float:
    """How long a film says it is; 0 where it can't be read, or does not say."""
    if is_sequence(path):
        return 0.0
    try:
        return float(probe(path).duration or 0)
    except InputError:
        return 0.0


def _expanded(named: Path) -> list[Path]:
    require_name(named)
    if named.exists():
        return [named]
    if named.suffix.lower() in SUFFIXES and "%" in named.name:
        raise no_film(named)
    if glob.has_magic(str(named)) and (hits := sorted(glob.glob(str(named), recursive=True))):
        return [Path(hit) for hit in hits]
    raise InputError(f"{named}: there is no such file or folder")


def _lines(file: Path) -> Iterator[Path]:
    try:
        with file.open("rb") as opened:
            content = opened.read(_MOST_LIST_BYTES + 1)
        text = content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: can't read the list: {error}") from error
    if len(content) > _MOST_LIST_BYTES:
        raise InputError(f"{file}: no list of files: it has more than {_MOST_LIST_BYTES} bytes")
    if "\0" in text:
        raise InputError(f"{file}: no list of files: it holds bytes that no name has; give one path a line")
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            yield file.parent / line.strip()


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _output(source: Path, root: Path, out: Path, suffix: str, pattern: str) -> Path:
    if not _PATTERN.fullmatch(pattern):
        raise InputError(f"{pattern!r} is no name: it may hold {{stem}}, {{name}} and {{parent}}")
    name = pattern.format(stem=source.stem, name=source.name, parent=source.resolve().parent.name)
    if not name or name in (".", "..") or "/" in name or "\\" in name:
        raise InputError(f"{pattern!r} gives {name!r} for {source}, which is no name of a file")
    folder = out / source.parent.relative_to(root)
    return (folder / name if "%" in suffix else folder) / f"{name}{suffix}"
