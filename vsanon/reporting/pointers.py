"""The report as templates see it: mappings and lists whose every number knows where in report.json it stands."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vsanon.errors import InputError


class Whole(int):
    """A whole number of the report, and its JSON pointer (RFC 6901)."""

    path: str


class Real(float):
    """A real number of the report, and its JSON pointer."""

    path: str


class Branch(Mapping[str, Any]):
    """An object of the report; keys are read as attributes too, and `path` is its JSON pointer."""

    def __init__(self, values: Mapping[str, Any], path: str = "") -> None:
        self._values = values
        self.path = path

    def __getitem__(self, key: str) -> Any:
        return at(self._values[key], f"{self.path}/{_escaped(key)}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class Row(Sequence[Any]):
    """A list of the report."""

    def __init__(self, values: Sequence[Any], path: str) -> None:
        self._values = values
        self.path = path

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self._values)))]
        return at(self._values[index], f"{self.path}/{index % len(self._values)}")

    def __len__(self) -> int:
        return len(self._values)


def at(value: Any, path: str = "") -> Any:
    """`value`, which stands at `path` of the report, in a form that remembers it; text stays as it is."""
    if isinstance(value, Mapping):
        return Branch(value, path)
    if isinstance(value, list | tuple):
        return Row(value, path)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    number: Whole | Real = Whole(value) if isinstance(value, int) else Real(value)
    number.path = path
    return number


def resolve(document: Any, path: str) -> Any:
    """What stands at a JSON pointer.

    Raises:
        InputError: nothing stands there.
    """
    value = document
    for part in path.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, ValueError, TypeError):
            raise InputError(f"the report has nothing at {path}.") from None
    return value


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
