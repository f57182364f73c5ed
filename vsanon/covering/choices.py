"""Fills, shapes and growth as people write them: on the command line, and in the arguments of scripts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from vsanon.covering.effects import Fill
from vsanon.covering.looks import FILLS, SURROUNDINGS
from vsanon.covering.shapes import SHAPES, Shape, shape_of
from vsanon.errors import InputError


def fill_of(text: str) -> Fill:
    """A fill by name, or by its three values from 0 to 255.

    Raises:
        InputError: neither.

    Examples:
        >>> fill_of("black"), fill_of("200,180,160"), fill_of("surroundings")
        ((0, 0, 0), (200, 180, 160), 'surroundings')
    """
    if text == SURROUNDINGS:
        return "surroundings"
    if text in FILLS:
        return FILLS[text]
    parts = text.split(",")
    if len(parts) != 3 or not all(part.strip().isdecimal() and int(part) <= 255 for part in parts):
        known = ", ".join([*FILLS, SURROUNDINGS])
        raise InputError(f"a fill is one of {known}, or R,G,B from 0 to 255, got {text!r}")
    red, green, blue = (int(part) for part in parts)
    return red, green, blue


def shapes_of(margins: Sequence[str] = (), feathers: Sequence[str] = ()) -> Mapping[str, Shape]:
    """The shapes of all classes, some with another margin or feather.

    Args:
        margins: such as "face=0.3", or "face=0.2,0.3,0.2,0.2" for left, top, right and bottom; shares of the box.
        feathers: such as "face=0.1", a share of the box's smaller side.

    Raises:
        InputError: not so written, or a value outside 0 to 2.

    Examples:
        >>> shapes_of(["plate=0.3"])["plate"].margin
        (0.3, 0.3, 0.3, 0.3)
    """
    shapes = dict(SHAPES)
    for text in margins:
        name, values = _parted(text, "margin", (1, 4))
        left, top, right, bottom = values * 4 if len(values) == 1 else values
        shapes[name] = replace(shape_of(name, shapes), margin=(left, top, right, bottom))
    for text in feathers:
        name, (feather,) = _parted(text, "feather", (1,))
        shapes[name] = replace(shape_of(name, shapes), feather=feather)
    return shapes


def growths_of(texts: Sequence[str]) -> Mapping[str, float]:
    """How much the boxes of some classes grow for each second to the nearest detection, see `TrackSettings`.

    Args:
        texts: such as "face=0.6", a share of the box.

    Raises:
        InputError: not so written, or a value outside 0 to 2.
    """
    return {name: growth for name, (growth,) in (_parted(text, "growth", (1,)) for text in texts)}


def _parted(text: str, what: str, counts: tuple[int, ...]) -> tuple[str, list[float]]:
    name, _, numbers = text.partition("=")
    try:
        values = [float(part) for part in numbers.split(",")]
    except ValueError:
        values = []
    if not name or len(values) not in counts or not all(0 <= v <= 2 for v in values):
        wanted = " or ".join(f"{count} {'numbers' if count > 1 else 'number'}" for count in counts)
        raise InputError(f"a {what} is CLASS={wanted} from 0 to 2, such as face=0.3, got {text!r}")
    return name, values
