"""Which frames are searched: those in steps of a spacing, and by halves those between that need it."""

from collections.abc import Iterable
from itertools import pairwise

from vsanon.errors import InputError

AUTO = "auto"
SPACING = 8
"""Of the frames that `auto` always searches; a power of two, so that halving reaches every frame."""
MOST = 60
"""The greatest fixed stride."""


def spacing_of(stride: int | str) -> int:
    """The spacing of frames that are searched in any case.

    Raises:
        InputError: neither "auto" nor a whole number from 1 to `MOST`.
    """
    if stride == AUTO:
        return SPACING
    if isinstance(stride, bool) or not isinstance(stride, int) or not 1 <= stride <= MOST:
        raise InputError(f'stride is "{AUTO}" or a whole number of frames from 1 to {MOST}, got {stride!r}')
    return stride


def levels(spacing: int) -> tuple[tuple[int, ...], ...]:
    """The positions in a block of `spacing` frames that each halving may search: of 8 (4), (2, 6), (1, 3, 5, 7).

    Raises:
        ValueError: not a power of two.
    """
    if spacing < 1 or spacing & (spacing - 1):
        raise ValueError(f"halving needs a spacing that is a power of two, got {spacing}")
    steps = [spacing >> k for k in range(spacing.bit_length() - 1)]
    return tuple(tuple(range(step // 2, spacing, step)) for step in steps)


def gaps(known: Iterable[int]) -> list[tuple[int, int]]:
    """The pairs of successive known positions with unknown ones between."""
    at = sorted(known)
    return [(a, b) for a, b in pairwise(at) if b - a > 1]
