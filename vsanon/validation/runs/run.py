"""A matrix run: planned, handed to an executor cell by cell, and gathered to the evidence."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from vsanon.errors import CheckError, InputError
from vsanon.farm.executors import Executor
from vsanon.files import read_plain, sha256_of, write_atomic
from vsanon.validation.runs.cells import Record, failure, measure_cell, media_keys, not_run, shares
from vsanon.validation.runs.evidence import dump, evidence
from vsanon.validation.runs.keys import made_by
from vsanon.validation.runs.matrix import Matrix, parse
from vsanon.validation.runs.specs import Cell, SourceSpec
from vsanon.validation.runs.store import NotMadeError, Store, canonical

PLAN, EVIDENCE, LOG = "plan.json", "evidence.json", "run.jsonl"

Say = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """A matrix and where its run lies, so that any process can work on a cell of it.

    Args:
        text: the matrix, YAML.
        where: names its file in errors.
        folder: relative paths of it start here.
        sources: in place of its own.
        keep_media: encodes stay when they are measured.
        pictures: whether the matrix may put stills into the evidence; it may forbid them itself.
    """

    text: str
    where: str
    folder: str
    sources: tuple[SourceSpec, ...] = ()
    keep_media: bool = False
    pictures: bool = True

    def matrix(self) -> Matrix:
        """The matrix.

        Raises:
            InputError: it is not a valid one.
        """
        found = parse(self.text, self.where, Path(self.folder), self.sources)
        return replace(found, pictures=found.pictures and self.pictures)

    def write(self, out: Path) -> None:
        """Write the plan into the folder of a run."""
        try:
            write_atomic(out / PLAN, (json.dumps(asdict(self), indent=1, default=str) + "\n").encode())
        except OSError as error:
            raise InputError(f"{out / PLAN}: can't be written: {error.strerror}") from error


def read_plan(out: Path) -> Plan:
    """Read the plan of a run.

    Raises:
        InputError: there is none.
    """
    try:
        values = json.loads(read_plain(out / PLAN))
        specs = []
        for spec in values.pop("sources"):
            frames, truth = spec.pop("frames"), spec.pop("truth")
            file = spec.pop("file")
            path = None if file is None else Path(file)
            specs.append(
                SourceSpec(**spec, file=path, truth=truth, frames=None if frames is None else tuple(frames))
            )
        return Plan(**values, sources=tuple(specs))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{out / PLAN}: no plan of a run: {error}. Start it with `vsanon validate run`") from error


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
        _record_file(folder, cell_id).unlink(missing_ok=True)
        began = time.monotonic()
        record = measure_cell(matrix, cell, store)
        found = {**asdict(record), "seconds": time.monotonic() - began, "made": store.made, **_stand(plan)}
        write_atomic(_record_file(folder, cell_id), canonical(found).encode())
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
    records = {cell.id: record for cell in cells if (record := _known(matrix, cell, store)) is not None}
    todo = [cell.id for cell in cells if cell.id not in records]
    for cell in cells:
        # A cell that has a record waits for no media.
        if cell.id in records:
            kept = {**asdict(records[cell.id]), **_stand(plan)}
            write_atomic(_record_file(out, cell.id), canonical(kept).encode())
        else:
            _record_file(out, cell.id).unlink(missing_ok=True)
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
        record = _known(matrix, cell, store)
        if record is None:
            try:
                found = json.loads(read_plain(_record_file(out, cell.id)))
                # What was measured is known by its steps; a failure stands for as long as nothing is another.
                same = all(found.get(key) == value for key, value in _stand(plan).items())
                record = _record(matrix, cell.id, found) if same else not_run(cell)
            except FileNotFoundError:
                record = not_run(cell)
            except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
                record = failure(matrix, cell, "run", "Damaged", f"its record can't be read, run it again: {error}")
        records.append(record)
    return _write(matrix, records, out)


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


def _known(matrix: Matrix, cell: Cell, store: Store) -> Record | None:
    """The record of a cell all of whose steps are done, None for others."""
    try:
        record = measure_cell(matrix, cell, Store(store.root, read_only=True))
    except NotMadeError:
        return None
    return None if record.failed else record


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


def _stand(plan: Plan) -> dict[str, str]:
    """What a record stands on: the code and libraries that made it, and the plan that it was made for."""
    asked = json.dumps([plan.text, [asdict(spec) for spec in plan.sources], plan.pictures], default=str)
    return {"by": made_by(), "plan": sha256_of(asked.encode())}


def _cell(matrix: Matrix, cell_id: str) -> Cell:
    for cell in matrix.cells():
        if cell.id == cell_id:
            return cell
    raise InputError(f"the matrix {matrix.name} has no cell {cell_id!r}: see `vsanon validate plan`")


def _record_file(out: Path, cell_id: str) -> Path:
    return out / "cells" / f"{sha256_of(cell_id.encode())[:32]}.json"


def _release(out: Path, plan: Plan, matrix: Matrix, cell: Cell, store: Store) -> None:
    """Let media go that no cell needs any more: all that share them have a record."""
    if plan.keep_media:
        return
    waiting = [c for c in matrix.cells() if not _record_file(out, c.id).exists()]
    for name, key in media_keys(matrix, cell, store).items():
        if not any(shares(matrix, name, cell, other) for other in waiting):
            store.drop(key)


def _write(matrix: Matrix, records: Sequence[Record], out: Path) -> dict[str, Any]:
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
