"""A matrix run: planned, handed to an executor cell by cell, and gathered to the evidence."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from vsanon.errors import CheckError, InputError
from vsanon.farm.executors import Executor
from vsanon.files import read_plain, write_atomic
from vsanon.plain_json import load_json
from vsanon.validation.runs.cells import Record, failure, measure_cell, media_keys, not_run, shares
from vsanon.validation.runs.evidence import dump, evidence
from vsanon.validation.runs.keys import made_by
from vsanon.validation.runs.matrix import Matrix
from vsanon.validation.runs.plan import Plan, read_plan
from vsanon.validation.runs.present_footage import is_of_present_footage, of_one_footage
from vsanon.validation.runs.resume_or_retry import done_before, record_file, require_own, resumed, stands_on
from vsanon.validation.runs.specs import Cell
from vsanon.validation.runs.store import Store, canonical

EVIDENCE, LOG = "evidence.json", "run.jsonl"

Say = Callable[[dict[str, Any]], None]


def run_cell(out: str, cell_id: str) -> dict[str, Any]:
    """Work on one cell of the run at `out`, and leave its record there; what executors and farms call.

    Raises:
        InputError: there is no such plan or cell.
    """
    folder = Path(out)
    plan = read_plan(folder)
    matrix, store = plan.matrix(), Store(folder / "store")
    cell = _cell(matrix, cell_id)
    with store.at_work(cell_id):
        # Without a record, no other cell that ends takes this one's media for done with.
        record_file(folder, cell_id).unlink(missing_ok=True)
        began = time.monotonic()
        record = measure_cell(matrix, cell, store)
        found = {**asdict(record), "seconds": time.monotonic() - began, "made": store.made, **stands_on(plan)}
        write_atomic(record_file(folder, cell_id), canonical(found).encode())
        _release(folder, plan, matrix, cell, store)
    return found


def run_matrix(plan: Plan, out: Path, executor: Executor, say: Say) -> dict[str, Any]:
    """Measure every cell that is not measured yet, and write the evidence.

    Args:
        plan: what to run.
        out: the folder of the run: the evidence, the plan, the store.
        executor: who works on the cells.
        say: takes events: {"event": "start" | "cell" | "end", ...}.

    Returns:
        The evidence.

    Raises:
        InputError: the matrix is none, or the folder holds another run, or can't be written.
        CheckError: the evidence can't be written.
    """
    matrix = plan.matrix()
    require_own(plan, matrix, out)
    store = Store(out / "store")
    plan.write(out)
    cells = matrix.cells()
    records = resumed(plan, matrix, store, out)
    todo = [cell.id for cell in cells if cell.id not in records]
    say({"event": "start", "cells": len(cells), "reused": len(records), "to_do": len(todo)})
    began = time.monotonic()
    with open(out / LOG, "a", encoding="utf-8") as log:
        for done, (cell_id, found) in enumerate(executor.run(partial(run_cell, str(out)), todo), start=1):
            record = _record(matrix, cell_id, found)
            records[cell_id] = record
            spent = time.monotonic() - began
            event = {
                "event": "cell",
                "id": cell_id,
                "outcome": record.cell["outcome"],
                "failure": record.cell["failure"],
                "done": done,
                "to_do": len(todo),
                "seconds": round(spent, 1),
                "seconds_left": round(spent / done * (len(todo) - done), 1),
            }
            seconds = found["seconds"] if isinstance(found, dict) else None
            log.write(json.dumps({**event, "cell_seconds": seconds, "at": time.time()}) + "\n")
            log.flush()
            say(event)
    found = _write(matrix, [records[cell.id] for cell in cells], out)
    if not plan.keep_media:
        store.drop_media()
    say({"event": "end", "cells": len(cells), "failed": sum(r.failed for r in records.values())})
    return found


def collect(out: Path) -> dict[str, Any]:
    """The evidence of what was measured by now, such as by a farm; what was not is said not to have run.

    Raises:
        InputError: there is no plan at `out`.
        CheckError: the evidence can't be written.
    """
    plan = read_plan(out)
    matrix, store = plan.matrix(), Store(out / "store")
    records = []
    for cell in matrix.cells():
        record = done_before(matrix, cell, store)
        if record is None:
            try:
                found = load_json(read_plain(record_file(out, cell.id)))
                # What was measured is known by its steps; a failure stands for as long as nothing is another.
                same = all(found.get(key) == value for key, value in stands_on(plan).items())
                same = same and is_of_present_footage(matrix, cell, found["source"])
                record = _record(matrix, cell.id, found) if same else not_run(cell)
            except FileNotFoundError:
                record = not_run(cell)
            except (OSError, ValueError, LookupError, TypeError) as error:
                record = failure(matrix, cell, "run", "Damaged", f"its record can't be read, run it again: {error}")
        records.append(record)
    return _write(matrix, records, out)


def _record(matrix: Matrix, cell_id: str, found: Any) -> Record:
    if isinstance(found, BaseException):
        return failure(matrix, _cell(matrix, cell_id), "run", type(found).__name__, str(found))
    if found["by"] != made_by():
        words = (
            "it was measured by another version of vsanon or of a library than this one: run it again with one "
            "version everywhere"
        )
        return failure(matrix, _cell(matrix, cell_id), "run", "OtherCode", words)
    return Record(found["cell"], found["source"], found["failed"])


def _cell(matrix: Matrix, cell_id: str) -> Cell:
    for cell in matrix.cells():
        if cell.id == cell_id:
            return cell
    raise InputError(f"the matrix {matrix.name} has no cell {cell_id!r}: see `vsanon validate plan`")


def _release(out: Path, plan: Plan, matrix: Matrix, cell: Cell, store: Store) -> None:
    """Let media go that no cell needs any more: all that share them have a record."""
    if plan.keep_media:
        return
    waiting = [c for c in matrix.cells() if not record_file(out, c.id).exists()]
    for name, key in media_keys(matrix, cell, store).items():
        if not any(shares(matrix, name, cell, other) for other in waiting):
            store.drop(key)


def _write(matrix: Matrix, records: Sequence[Record], out: Path) -> dict[str, Any]:
    records = of_one_footage(matrix, records)
    # As it reads back, so that whoever goes on with it sees what a reader of the file does.
    text = dump(json.loads(canonical(evidence(matrix, records))))
    try:
        write_atomic(out / EVIDENCE, text.encode())
    except OSError as error:
        raise CheckError(
            f"{out / EVIDENCE}: can't be written: {error.strerror}. What was measured lies in the store: "
            "make room, then run again"
        ) from error
    found: dict[str, Any] = json.loads(text)
    return found
