"""The plan of a run: its matrix and where it lies, so that any process can work on a cell of it."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from vsanon.errors import InputError
from vsanon.files import read_plain, write_output
from vsanon.plain_json import load_json
from vsanon.validation.runs.matrix import Matrix, parse
from vsanon.validation.runs.specs import SourceSpec

PLAN = "plan.json"


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
        write_output(out / PLAN, (json.dumps(asdict(self), indent=1, default=str) + "\n").encode())


def read_plan(out: Path) -> Plan:
    """Read the plan of a run.

    Raises:
        InputError: there is none.
    """
    try:
        values = load_json(read_plain(out / PLAN))
        specs = []
        for spec in values.pop("sources"):
            frames, truth = spec.pop("frames"), spec.pop("truth")
            file = spec.pop("file")
            path = None if file is None else Path(file)
            specs.append(
                SourceSpec(**spec, file=path, truth=truth, frames=None if frames is None else tuple(frames))
            )
        return Plan(**values, sources=tuple(specs))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(f"{out / PLAN}: no plan of a run: {error}. Start it with `vsanon validate run`") from error
