"""How many digits a figure carries, and when one that was computed again is the same.

Processors add up and take logarithms alike to some 15 digits, and a fit ends alike to some 9. No figure here
carries more than six: a share of a million boxes has steps of its sixth digit, and an interval by 2,000 draws is
known to two or three. So figures are rounded to six before they are stored, hashed, printed or held against a
limit. A figure that lies between two roundings can still come out as either: what is computed again may be one unit
of the last digit off, and no more.
"""

from math import floor, isfinite, log10
from typing import Any

DIGITS = 6
_NOISE = 1e-12
"""How far, as a share, rounding errors of sums go at most: what is so near to a whole number is that."""
_ALIKE = 1e-9
"""How far, as a share, processors agree on a fit."""


def rounded(value: Any) -> Any:
    """All figures of a JSON value, each to the digits that it carries; whole numbers and words stay as they are.

    Those are six, of the figure or of its distance from 1 where that is smaller: a share of 0.9999987 keeps how
    much it lacks, and never becomes one that lacks nothing.
    """
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(entry) for entry in value]
    if not isinstance(value, float) or not isfinite(value):
        return value
    whole = float(round(value))
    return whole if abs(value - whole) <= _NOISE * max(1.0, abs(value)) else round(value, _decimals(value))


def same_but_rounding(found: Any, expected: Any) -> bool:
    """Whether two figures that were both rounded are one unit of their last digit apart at most.

    Two whole numbers have to be equal: they are counts, or are printed to the last digit.
    """
    if type(found) is not float or type(expected) is not float or not isfinite(found) or found != rounded(found):
        return False
    if found == expected:
        return True
    if found.is_integer() and expected.is_integer():
        return False
    unit = max(max(10.0 ** -_decimals(x), _ALIKE * abs(x)) for x in (found, expected) if x not in (0.0, 1.0))
    return abs(found - expected) < 1.5 * unit  # two units are too many, whatever the last bits say


def _decimals(value: float) -> int:
    """Where the last digit of a figure stands, which is neither 0 nor 1."""
    return DIGITS - 1 - floor(log10(min(abs(value), abs(1 - value))))
