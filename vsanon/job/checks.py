"""A check of a delivery: one thing looked at, what it should be and what it is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: what it should be and what it is, in words."""

    name: str
    passed: bool
    expected: str
    found: str


def equal(name: str, expected: object, found: object) -> Check:
    """The check that two values are the same."""
    return Check(name, expected == found, str(expected), str(found))
