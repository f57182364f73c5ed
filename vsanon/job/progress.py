"""What a job tells while it runs: lines for people, and how far it is."""

from collections.abc import Callable

Say = Callable[[str], None]
Progress = Callable[[int, int], None]


def quiet(*_: object) -> None:
    """Take what is said, and say nothing."""
