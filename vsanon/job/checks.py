"""A check of a delivery: one thing looked at, what it should be and what it is."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: what it should be and what it is, in words.

    `seen` is False where nothing could be seen, though it was looked for, such as a shift of a flat picture: that
    is no fault, and no proof, and is never counted among what passed.
    """

    name: str
    passed: bool
    expected: str
    found: str
    seen: bool = True

    @property
    def facts(self) -> dict[str, Any]:
        """As a ledger holds it."""
        facts = asdict(self)
        if self.seen:
            del facts["seen"]
        return facts


def counted(checks: Sequence[Mapping[str, Any]]) -> str:
    """How many of a ledger's checks passed, and how many could not see anything, in words."""
    unseen = sum(not check.get("seen", True) for check in checks)
    passed = sum(bool(check["passed"]) for check in checks) - unseen
    return f"{passed} of {len(checks)} passed" + (f", {unseen} could not see anything" if unseen else "")


def equal(name: str, expected: object, found: object) -> Check:
    """The check that two values are the same."""
    return Check(name, expected == found, str(expected), str(found))
