"""Sources that are named where a matrix is run, in place of its own."""

import os
from collections.abc import Sequence
from pathlib import Path

from vsanon.errors import InputError
from vsanon.validation.runs.specs import REFERENCE, SourceSpec


def named_sources(entries: Sequence[str]) -> tuple[SourceSpec, ...]:
    """Sources of FILE or FILE=TRUTH, where TRUTH is a file or "reference".

    They are called source-1, source-2 and so on, so that no file name stands in the evidence.

    Raises:
        InputError: there is no such file.
    """
    found = []
    for i, entry in enumerate(entries, start=1):
        name, truth = _parts(entry)
        for path in [name] + ([] if truth in (None, REFERENCE) else [str(truth)]):
            if not os.path.isfile(path):  # a name that is too long or holds NUL is none, too
                raise InputError(f"{path}: no such file: --source takes FILE, FILE=TRUTH or FILE={REFERENCE}")
        place = truth if truth in (None, REFERENCE) else Path(str(truth)).absolute()
        found.append(SourceSpec(f"source-{i}", Path(name).absolute(), truth=place))
    return tuple(found)


def _parts(entry: str) -> tuple[str, str | None]:
    """File and truth; an equals sign may be part of the file's own name."""
    if os.path.isfile(entry):
        return entry, None
    name, equals, truth = entry.rpartition("=")
    return (name, truth) if equals else (entry, None)
