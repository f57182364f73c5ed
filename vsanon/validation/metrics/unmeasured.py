"""A figure that could not be measured, and why: never a blank and never a zero."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """Stands in the place of a figure.

    Args:
        reason: why there is none, in words for the reader of a report.

    Raises:
        ValueError: there is no reason.
    """

    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ValueError("what is not measured needs a reason")

    def __str__(self) -> str:
        return f"not measured: {self.reason}"
