"""Which footage a record is of: figures of a file that was replaced are not those of what lies there now."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vsanon.errors import InputError
from vsanon.validation.runs.cells import Record, failure
from vsanon.validation.runs.matrix import Matrix
from vsanon.validation.runs.specs import REFERENCE, Cell
from vsanon.validation.runs.step_media import content_of

_CHANGED = (
    "its source or truth was another file than in other cells of this run: it was replaced meanwhile. Run again, "
    "and leave the files as they are until the run ends"
)


def is_of_present_footage(matrix: Matrix, cell: Cell, source: Mapping[str, Any] | None) -> bool:
    """Whether what a record says of its source is so of the files that lie there now.

    Files that are not here say nothing: whoever gathers need not have them.
    """
    if source is None:
        return True
    spec = matrix.sources[cell.source]
    truth = None if spec.truth in (None, REFERENCE) else Path(str(spec.truth))
    said = ((spec.file, source["sha256"]), (truth, source["truth"]["sha256"]))
    return all(path is None or known is None or _is(path, known) for path, known in said)


def of_one_footage(matrix: Matrix, records: Sequence[Record]) -> list[Record]:
    """The records, those of a source failed that were not all measured on the same footage by the same truth."""
    seen: dict[str, set[tuple[Any, ...]]] = {}
    for record in records:
        if record.source is not None and not record.failed:
            facts = record.source["sha256"], record.source["truth"]["sha256"]
            seen.setdefault(record.cell["source"], set()).add(facts)
    mixed = {name for name, facts in seen.items() if len(facts) > 1}
    cells = {cell.id: cell for cell in matrix.cells()}
    return [
        failure(matrix, cells[record.cell["id"]], "run", "OtherFootage", _CHANGED)
        if record.cell["source"] in mixed and record.source is not None
        else record
        for record in records
    ]


def _is(path: Path, sha256: str) -> bool:
    try:
        return content_of(path) == sha256
    except InputError:
        return True
