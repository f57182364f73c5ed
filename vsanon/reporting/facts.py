"""What people state about a report, its id, and the one form in which JSON is written."""

import json
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any, Self

from vsanon.errors import InputError
from vsanon.files import sha256_of

ID_DIGITS = 16
_DATES = ("received", "tested", "issued")


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """What no measurement can know; what is None is printed as "not stated".

    Args:
        title: of the report; the matrix's title where None.
        issuer: who issues it: the organisation, with its address.
        client: for whom.
        authorised_by: the person who answers for it, with their role.
        received, tested, issued: dates, ISO 8601 (2026-11-23).
        place: where it was tested.
        method: a note on the method, beyond what the report says of it.
        sampling_plan: how the footage was chosen, and by whom.
        deviations: from the procedure, as people state them.
        notes: anything else.

    Raises:
        ValueError: a date is none.
    """

    title: str | None = None
    issuer: str | None = None
    client: str | None = None
    authorised_by: str | None = None
    received: str | None = None
    tested: str | None = None
    issued: str | None = None
    place: str | None = None
    method: str | None = None
    sampling_plan: str | None = None
    deviations: str | None = None
    notes: str | None = None

    def __post_init__(self) -> None:
        for name in _DATES:
            value = getattr(self, name)
            if value is not None:
                try:
                    date.fromisoformat(value)
                except ValueError:
                    raise ValueError(f"`{name}` must be a date such as 2026-11-23, got {value!r}") from None

    def as_dict(self) -> dict[str, str | None]:
        """Every field by name."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The facts that a report names; what is missing there is None.

        Raises:
            InputError: there is another key than those of the facts, a value is no text, or a date is none.
        """
        known = {field.name for field in fields(cls)}
        for key, value in values.items():
            if key not in known:
                raise InputError(f"the facts of a report have no {key!r}; known are {', '.join(sorted(known))}.")
            if value is not None and not isinstance(value, str):
                raise InputError(f"the fact {key!r} of a report must be text, got {value!r}.")
        try:
            return cls(**values)
        except ValueError as error:
            raise InputError(f"facts of the report: {error}.") from error


def canonical_json(value: object) -> bytes:
    """UTF-8, sorted keys, indented by one, no NaN, with a final newline: one value, one sequence of bytes."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
    return text.encode("utf-8", "backslashreplace") + b"\n"  # a lone surrogate stays JSON's own \\ud800


def report_id(evidence: bytes, facts: ReportFacts) -> str:
    """16 hexadecimal digits: the start of the SHA-256 over the evidence's bytes and the facts."""
    return sha256_of(evidence + canonical_json(facts.as_dict()))[:ID_DIGITS]
