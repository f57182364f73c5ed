"""Going on with a run: which cells are done, which are tried again, and whether the folder is this run's at all."""

import json
from dataclasses import asdict
from pathlib import Path

from vsanon.errors import InputError
from vsanon.files import sha256_of, write_atomic
from vsanon.validation.runs.cells import Record, measure_cell
from vsanon.validation.runs.keys import made_by
from vsanon.validation.runs.matrix import Matrix
from vsanon.validation.runs.plan import PLAN, Plan, read_plan
from vsanon.validation.runs.specs import Cell, SourceSpec
from vsanon.validation.runs.store import NotMadeError, Store, canonical


def require_own(plan: Plan, matrix: Matrix, out: Path) -> None:
    """Refuse a folder whose evidence would be replaced by that of another matrix, or of other footage.

    Raises:
        InputError: it holds such a run.
    """
    if not (out / PLAN).is_file():
        return
    before = read_plan(out)
    try:
        name = before.matrix().name
    except InputError:
        return  # it can't be run any more, as after a preset was renamed: going on is how it is mended
    if name != matrix.name:
        raise InputError(
            f"{out}: the folder holds the run of the matrix {name!r}, and this one is {matrix.name!r}: its "
            "evidence would be replaced. Give another folder"
        )
    if bool(before.sources) != bool(plan.sources) or not set(map(_footage, before.sources)) <= set(
        map(_footage, plan.sources)
    ):
        raise InputError(
            f"{out}: the folder holds a run on other sources, and its evidence would be replaced. Name those again "
            "and add yours, or give another folder"
        )


def _footage(spec: SourceSpec) -> tuple[str, str]:
    return str(spec.file), str(spec.truth)


def resumed(plan: Plan, matrix: Matrix, store: Store, out: Path) -> dict[str, Record]:
    """The records of the cells that are done, by cell; the others, those that failed too, are to be tried again.

    A record that lies at `out` says that its cell waits for no media; that of a cell to be tried again goes.
    """
    records = {
        cell.id: record for cell in matrix.cells() if (record := done_before(matrix, cell, store)) is not None
    }
    for cell in matrix.cells():
        if cell.id in records:
            kept = {**asdict(records[cell.id]), **stands_on(plan)}
            write_atomic(record_file(out, cell.id), canonical(kept).encode())
        else:
            record_file(out, cell.id).unlink(missing_ok=True)
    return records


def done_before(matrix: Matrix, cell: Cell, store: Store) -> Record | None:
    """The record of a cell all of whose steps are done; None where one is missing or failed."""
    try:
        record = measure_cell(matrix, cell, Store(store.root, read_only=True))
    except NotMadeError:
        return None
    return None if record.failed else record


def stands_on(plan: Plan) -> dict[str, str]:
    """What a record stands on: the code and libraries that made it, and the plan that it was made for."""
    asked = json.dumps([plan.text, [asdict(spec) for spec in plan.sources], plan.pictures], default=str)
    return {"by": made_by(), "plan": sha256_of(asked.encode())}


def record_file(out: Path, cell_id: str) -> Path:
    """Where the record of a cell lies, once somebody has worked on it."""
    return out / "cells" / f"{sha256_of(cell_id.encode())[:32]}.json"
