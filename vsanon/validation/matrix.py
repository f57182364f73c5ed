"""The matrix file: what is measured, read from YAML, checked to line and key, and multiplied out to cells."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from functools import partial
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import product
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from vsanon import presets
from vsanon.errors import InputError
from vsanon.schemas import validator
from vsanon.settings import Settings
from vsanon.tracking import TrackSettings
from vsanon.validation.scenes import SETTINGS as SCENES
from vsanon.variants import Changes, bits_per_second, variant

AS_IS = "as_is"
"""In the place of a preset: the source is searched as it came."""

REFERENCE = "reference"
"""In the place of a truth file: what the setting `thorough` finds in the source itself."""

_AXES = ("crf", "bit_rate", "gop", "b_frames", "pix_fmt", "scale", "fps", "denoise", "generations")


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A clip to measure on.

    Args:
        id: its name in the evidence.
        file: the file, None for a drawn scene.
        scene: one of `scenes.SCENES`, None for a file.
        truth: a truth file, `REFERENCE`, or None: nothing is known.
        truth_kind: what kind of file the truth is; None: by its content.
        truth_class: of a truth file that names no class.
        frames: start and stop (exclusive) of what is measured; None: all.
        tags: conditions, such as light or weather, in words.
    """

    id: str
    file: Path | None = None
    scene: str | None = None
    truth: Path | str | None = None
    truth_kind: str | None = None
    truth_class: str = "face"
    frames: tuple[int, int] | None = None
    tags: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EncodeSpec:
    """How a source is encoded before it is searched.

    Args:
        preset: name or path of an ffmpeg preset; `AS_IS`: not at all.
        changes: what differs from the preset.
        scale: of width and height.
        fps: frames a second, fewer than the source's; None: the source's.
        generations: how many times in a row.
    """

    preset: str
    changes: Changes = field(default_factory=Changes)
    scale: float | None = None
    fps: Fraction | None = None
    generations: int = 1

    @property
    def axes(self) -> dict[str, Any]:
        """Every axis by name; None where it is the preset's or the source's own."""
        fps = None if self.fps is None else str(self.fps)
        return {**asdict(self.changes), "scale": self.scale, "fps": fps, "generations": self.generations}

    @property
    def id(self) -> str:
        """The preset and what differs, such as "h264_crf-crf28-gop50"."""
        usual = {"generations": 1}
        own = {k: v for k, v in self.axes.items() if v is not None and v != usual.get(k)}
        parts = [f"{k}{v:g}" if isinstance(v, float) else f"{k}{v}" for k, v in own.items()]
        return "-".join([Path(self.preset).stem, *parts]).replace("/", "_")

    def resolved(self) -> presets.Preset:
        """The ffmpeg preset.

        Raises:
            InputError: there is none, or its encoder has no such value.
        """
        return variant(presets.load(self.preset), self.changes)


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination; its id names its parts."""

    source: str
    encode: str
    setting: str
    profile: str
    delivery: str | None

    @property
    def id(self) -> str:
        """source/encode/setting/profile/delivery."""
        return "/".join([self.source, self.encode, self.setting, self.profile, self.delivery or "none"])


@dataclass(frozen=True, slots=True)
class Matrix:
    """A whole matrix.

    Args:
        name, title, purpose: for people.
        sources, encodes, settings: by id, in their order.
        profiles: how the regions are covered.
        deliveries: presets that the covered picture is encoded with; None among them: it is not.
        picture: VMAF models; None: no picture metrics.
        confidence: of every interval.
        criteria: as in the file.
        names: whether file names may stand in the evidence.
    """

    name: str
    title: str
    purpose: str
    sources: Mapping[str, SourceSpec]
    encodes: Mapping[str, EncodeSpec]
    settings: Mapping[str, Settings]
    profiles: tuple[str, ...]
    deliveries: tuple[str | None, ...]
    picture: tuple[str, ...] | None
    confidence: float
    criteria: tuple[Mapping[str, Any], ...]
    names: bool = False

    def cells(self) -> tuple[Cell, ...]:
        """Every combination, those of one encoded file next to each other."""
        combinations = product(self.sources, self.encodes, self.settings, self.profiles, self.deliveries)
        return tuple(Cell(*parts) for parts in combinations)


def names() -> tuple[str, ...]:
    """The names of the matrices that come with vsanon, sorted."""
    return tuple(sorted(p.name.removesuffix(".yaml") for p in _folder().iterdir() if p.name.endswith(".yaml")))


def load(name_or_path: str, sources: tuple[SourceSpec, ...] = ()) -> Matrix:
    """Load a matrix by its name, or from a YAML file of one's own (a path that ends in .yaml or .yml).

    Args:
        name_or_path: the matrix.
        sources: in place of the file's own.

    Raises:
        InputError: there is no such matrix, or it is not a valid one; file, line and key are named.
    """
    return parse(*locate(name_or_path), sources)


def locate(name_or_path: str) -> tuple[str, str, Path]:
    """The text of a matrix, what names it in errors, and the folder that its relative paths start from.

    Raises:
        InputError: there is no such matrix.
    """
    if name_or_path.endswith((".yaml", ".yml")):
        place: Path | Traversable = Path(name_or_path)
    elif name_or_path in names():
        place = _folder() / f"{name_or_path}.yaml"
    else:
        raise InputError(
            f"no matrix {name_or_path!r}. There are: {', '.join(names())}; or give the path of your own .yaml file."
        )
    try:
        text = place.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"matrix {place}: can't be read: {error}.") from error
    where = str(place) if isinstance(place, Path) else place.name
    return text, where, place.parent.absolute() if isinstance(place, Path) else Path().absolute()


def parse(text: str, where: str, folder: Path, sources: tuple[SourceSpec, ...] = ()) -> Matrix:
    """Parse a matrix.

    Args:
        text: YAML.
        where: names the file in errors.
        folder: relative paths start here.
        sources: in place of the file's own.

    Raises:
        InputError: it is not a valid matrix; file, line and key are named.
    """
    file = _File(text, where)
    data = file.data
    found: list[_Found[SourceSpec]] = [(spec.id, spec, ()) for spec in sources]
    found = found or list(_sources(file, folder))
    if not found:
        raise file.error(("sources",), "a matrix needs sources: name some here, or give --source FILE[=TRUTH]")
    encodes = list(_encodes(file, folder))
    settings = list(_settings(file))
    deliveries = data.get("deliveries", [None])
    for i, name in enumerate(deliveries):
        if name is not None:
            file.check(("deliveries", i), partial(presets.load, name))
    matrix = Matrix(
        name=data["name"],
        title=data.get("title", data["name"]),
        purpose=data.get("purpose", "").strip(),
        sources=_by_id(file, found),
        encodes=_by_id(file, encodes),
        settings=_by_id(file, settings),
        profiles=tuple(data.get("profiles", ["strict"])),
        deliveries=tuple(deliveries),
        picture=None if data.get("picture") is False else tuple(data.get("picture", ["vmaf"])),
        confidence=data.get("confidence", 0.95),
        criteria=tuple(data.get("criteria", [])),
        names=data.get("names", False),
    )
    _check_criteria(file, matrix, own_sources=not sources)
    return matrix


type _At = tuple[str | int, ...]
type _Found[T] = tuple[str, T, _At]


class _File:
    """A YAML file, its content checked against the schema, and the line of each of its keys."""

    def __init__(self, text: str, where: str) -> None:
        self._where = where
        self._lines: dict[_At, int] = {}
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            if node is not None:
                self._note(node, ())
            self.data: dict[str, Any] = yaml.safe_load(text)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = f":{mark.line + 1}" if mark is not None else ""
            raise InputError(
                f"matrix {where}{line}: is not YAML: {getattr(error, 'problem', None) or error}."
            ) from error
        self._require_finite(self.data, ())
        wrong = list(validator("matrix").iter_errors(self.data))
        if wrong:
            deepest = max(
                (jsonschema.exceptions.best_match([e]) or e for e in wrong), key=lambda e: len(e.absolute_path)
            )
            raise self.error(tuple(deepest.absolute_path), _words(deepest))

    def error(self, path: _At, why: str) -> InputError:
        """An error that names file, line and key."""
        at = path
        while at and at not in self._lines:
            at = at[:-1]
        line = self._lines.get(at, 1)
        key = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).removeprefix(".")
        return InputError(f"matrix {self._where}:{line}: {key or 'the file'}: {why}.")

    def check(self, path: _At, make: Callable[[], Any]) -> Any:
        """What `make` gives; its errors with file, line and key."""
        try:
            return make()
        except (InputError, ValueError) as error:
            raise self.error(path, str(error).rstrip(".")) from error

    def _require_finite(self, value: Any, path: _At) -> None:
        if isinstance(value, float) and not math.isfinite(value):
            raise self.error(path, f"needs a finite number, got {value}")
        parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, part in parts:
            self._require_finite(part, (*path, key))

    def _note(self, node: yaml.Node, path: _At) -> None:
        self._lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                own = (*path, key.value)
                if own in self._lines:
                    self._lines[own] = key.start_mark.line + 1
                    raise self.error(own, "the key stands here for the second time")
                self._lines[own] = key.start_mark.line + 1
                self._note(value, own)
        elif isinstance(node, yaml.SequenceNode):
            for i, value in enumerate(node.value):
                self._note(value, (*path, i))


def _sources(file: _File, folder: Path) -> Iterator[_Found[SourceSpec]]:
    for i, entry in enumerate(file.data.get("sources", [])):
        at: _At = ("sources", i)
        scene = entry.get("scene")
        if scene is not None and scene not in SCENES:
            raise file.error((*at, "scene"), f"no scene {scene!r}. There are: {', '.join(SCENES)}")
        frames = entry.get("frames")
        if frames is not None and not frames[0] < frames[1]:
            raise file.error((*at, "frames"), f"needs start < stop, got {frames[0]} and {frames[1]}")
        if scene is not None and "truth" in entry:
            raise file.error((*at, "truth"), "a drawn scene has its own truth; leave this out")
        truth = entry.get("truth")
        spec = SourceSpec(
            id=entry.get("id") or scene or f"source-{i + 1}",
            file=None if scene is not None else folder / entry["file"],
            scene=scene,
            truth=truth if truth in (None, REFERENCE) else folder / truth,
            truth_kind=entry.get("truth_kind"),
            truth_class=entry.get("truth_class", "face"),
            frames=None if frames is None else (frames[0], frames[1]),
            tags=entry.get("tags", {}),
        )
        yield spec.id, spec, at


def _encodes(file: _File, folder: Path) -> Iterator[_Found[EncodeSpec]]:
    for i, entry in enumerate(file.data["encodes"]):
        at: _At = ("encodes", i)
        lists = {k: v if isinstance(v, list) else [v] for k, v in entry.items()}
        axes = [axis for axis in _AXES if axis in lists]
        for name, *values in product(lists["preset"], *(lists[axis] for axis in axes)):
            chosen = {k: v for k, v in zip(axes, values, strict=True) if v is not None}
            if name == AS_IS and chosen:
                raise file.error((*at, next(iter(chosen))), f"{AS_IS} changes nothing of the source")
            if "bit_rate" in chosen:
                chosen["bit_rate"] = file.check((*at, "bit_rate"), partial(bits_per_second, chosen["bit_rate"]))
            fps = chosen.pop("fps", None)
            scale, generations = chosen.pop("scale", None), chosen.pop("generations", 1)
            preset = str(folder / name) if name.endswith((".yaml", ".yml")) else name
            rate = None if fps is None else file.check((*at, "fps"), partial(_rate, fps))
            spec = EncodeSpec(preset, Changes(**chosen), None if scale == 1 else scale, rate, generations)
            if name != AS_IS:
                file.check(at, spec.resolved)
            yield spec.id, spec, at


def _rate(text: str | float) -> Fraction:
    try:
        rate = Fraction(str(text))
    except ZeroDivisionError:
        rate = Fraction(0)
    if not rate:
        raise ValueError(f"a frame rate is above 0, got {text}")
    return rate


def _settings(file: _File) -> Iterator[_Found[Settings]]:
    entries = file.data.get("settings", [{"id": "balanced", "setting": "balanced"}])
    for i, entry in enumerate(entries):
        at: _At = ("settings", i) if "settings" in file.data else ()
        names = ("setting", "size", "min_object_px", "max_object_px", "threshold", "stride")
        given = {k: v for k, v in entry.items() if k in names}
        track = {k: entry[k] for k in ("gap_s", "lead_s") if k in entry}
        make = partial(
            Settings,
            classes=tuple(entry.get("classes", ["face"])),
            models={k: tuple(v) for k, v in entry.get("models", {}).items()},
            track=file.check(at, partial(TrackSettings, **track)),
            **given,
        )
        settings = file.check(at, make)
        file.check(at, settings.cards)
        yield entry["id"], settings, at


def _by_id[T](file: _File, found: list[_Found[T]]) -> dict[str, T]:
    kept: dict[str, T] = {}
    for name, value, at in found:
        if name in kept:
            raise file.error(at, f"{name!r} is there twice: each needs an id, or values, of its own")
        kept[name] = value
    return kept


def _check_criteria(file: _File, matrix: Matrix, *, own_sources: bool) -> None:
    known: dict[str, Any] = {
        "encode": matrix.encodes,
        "setting": matrix.settings,
        "profile": matrix.profiles,
        "delivery": [d or "none" for d in matrix.deliveries],
        "codec": {presets.load(s.preset).codec for s in matrix.encodes.values() if s.preset != AS_IS} | {AS_IS},
    }
    if own_sources:
        known["source"] = matrix.sources
    searched = dict.fromkeys(name for used in matrix.settings.values() for name in used.classes)
    seen: set[str] = set()
    for i, criterion in enumerate(matrix.criteria):
        at: _At = ("criteria", i)
        if criterion["id"] in seen:
            raise file.error((*at, "id"), f"{criterion['id']!r} is there twice")
        seen.add(criterion["id"])
        metric, limit = criterion["metric"], "at_least" if "at_least" in criterion else "at_most"
        if metric not in ("over_blur", "residual_per_1000") and not 0 <= criterion[limit] <= 1:
            raise file.error((*at, limit), f"{metric} is a share from 0 to 1, and never {criterion[limit]}")
        if metric in ("residual_per_1000", "checks_passed") and not any(matrix.deliveries):
            raise file.error((*at, "metric"), f"{metric} is measured of deliveries: name some")
        if "class" in criterion and criterion["class"] not in searched:
            there = ", ".join(searched)
            raise file.error((*at, "class"), f"no setting searches for {criterion['class']!r}, only for {there}")
        if "class" not in criterion and metric not in ("over_blur", "checks_passed"):
            raise file.error(at, f"{metric} is measured by class: name one with the key `class`")
        for key, values in criterion.get("where", {}).items():
            unknown = [v for v in values if (v or "none") not in known.get(key, values)]
            if unknown:
                there = ", ".join(map(str, sorted(known[key])))
                raise file.error(
                    (*at, "where", key), f"there is no {key} {unknown[0]!r} in this matrix, only {there}"
                )


def _words(error: jsonschema.ValidationError) -> str:
    """A schema's complaint in words of the file."""
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    if error.validator == "additionalProperties" and "properties" in schema:
        return f"{error.message}; the keys are {', '.join(schema['properties'])}"
    if error.validator == "oneOf" and isinstance(error.instance, dict):
        return "needs one of " + " or ".join(str(s["required"][0]) for s in schema["oneOf"])
    text = str(error.message)
    return text if len(text) < 300 else text[:300] + " ..."


def _folder() -> Traversable:
    """`matrices/`: inside the package in a wheel, beside it in a checkout."""
    package = resources.files("vsanon")
    inside = package / "matrices"
    return inside if inside.is_dir() else Path(str(package)).parent / "matrices"
