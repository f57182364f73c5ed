"""Which cases of a test are of the quick loop, and which of the full run alone."""

from collections.abc import Iterable
from typing import Any

import pytest


def first_quick(cases: Iterable[Any]) -> list[Any]:
    """The cases of a parameter, all but the first of them slow: of a kind that costs, one is tried in each loop.

    A tuple is the values of several names, as to `parametrize` itself; of one name, a value is no tuple but a list.
    """
    first, *others = cases
    # What is marked already is a tuple, too.
    return [first, *(pytest.param(*_values(case), marks=pytest.mark.slow) for case in others)]


def _values(case: Any) -> tuple[Any, ...]:
    if isinstance(case, type(pytest.param())):
        return tuple(case.values)
    return case if isinstance(case, tuple) else (case,)
