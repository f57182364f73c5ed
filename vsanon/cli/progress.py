"""How far a command is: a bar on a terminal, a line at each tenth otherwise."""

import sys
from typing import Any, Self

from vsanon.cli.shared import say


def bar(total: int, unit: str, label: str | None = None) -> Any:
    """A bar on stderr, with the time left."""
    from tqdm import tqdm  # only here: importing it takes a fifth of what `vsanon --help` does

    return tqdm(total=total, desc=label, unit=unit, file=sys.stderr)


class Progress:
    """A bar on a terminal; a plain line at each tenth otherwise. Both on stderr.

    with Progress("render") as progress:
        progress(done, total)
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._bar: Any = None
        self._tenth = -1

    def __call__(self, done: int, total: int) -> None:
        if sys.stderr.isatty():
            if self._bar is None:
                self._bar = bar(total, "frame", self._label)
            self._bar.update(done - self._bar.n)
        elif (tenth := done * 10 // total) != self._tenth:
            self._tenth = tenth
            say(f"{self._label}: {done} of {total} frames")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
