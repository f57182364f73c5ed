"""The matrix file: what is measured, read from YAML, checked to line and key, and multiplied out to cells."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import product
from pathlib import Path
from typing import Any

from vsanon.detectors.search import Search
from vsanon.encode import presets
from vsanon.encode.variants import Changes, bits_per_second
from vsanon.errors import InputError
from vsanon.files import read_plain
from vsanon.job.settings import Settings
from vsanon.plain_yaml import MOST_BYTES
from vsanon.tracking.settings import TrackSettings
from vsanon.validation.conclusions.metric_kinds import BY_IDENTITY, OF_DELIVERIES, OF_NOBODY, UNBOUNDED
from vsanon.validation.conclusions.objections import misread
from vsanon.validation.metrics.conditions import CONDITIONS
from vsanon.validation.runs.marked_yaml import At, MarkedYaml
from vsanon.validation.runs.specs import AS_IS, AXES, REFERENCE, Cell, EncodeSpec, SourceSpec
from vsanon.validation.truth.scene_roles import SETTINGS as SCENES


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
        pictures: whether stills may, in which everybody known is painted over.
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
    pictures: bool = True

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
        content = read_plain(place, MOST_BYTES) if isinstance(place, Path) else place.read_bytes()
        text = content.decode("utf-8")
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
    file = MarkedYaml(text, where)
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
            file.check(("deliveries", i), partial(_film, partial(presets.load, name)))
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
        criteria=tuple(map(_listed, data.get("criteria", []))),
        names=data.get("names", False),
        pictures=data.get("pictures", True),
    )
    _check_criteria(file, matrix, own_sources=not sources)
    return matrix


_SEARCH = (
    "classes",
    "models",
    "setting",
    "size",
    "min_object_px",
    "max_object_px",
    "threshold",
    "stride",
    "turned",
)
"""Keys of a setting that are fields of `Search`."""

type _Found[T] = tuple[str, T, At]


def _sources(file: MarkedYaml, folder: Path) -> Iterator[_Found[SourceSpec]]:
    for i, entry in enumerate(file.data.get("sources", [])):
        at: At = ("sources", i)
        scene = entry.get("scene")
        if scene is not None and scene not in SCENES:
            raise file.error((*at, "scene"), f"no scene {scene!r}. There are: {', '.join(SCENES)}")
        frames = entry.get("frames")
        if frames is not None and not frames[0] < frames[1]:
            raise file.error((*at, "frames"), f"needs start < stop, got {frames[0]} and {frames[1]}")
        if scene is not None and "truth" in entry:
            raise file.error((*at, "truth"), "a drawn scene has its own truth; leave this out")
        if scene is None and "takes" in entry:
            raise file.error((*at, "takes"), "only a drawn scene has takes; name each of your files")
        truth = entry.get("truth")
        spec = SourceSpec(
            id=entry.get("id") or scene or f"source-{i + 1}",
            file=None if scene is not None else folder / entry["file"],
            scene=scene,
            truth=truth if truth in (None, REFERENCE) else folder / truth,
            truth_kind=entry.get("truth_kind"),
            truth_class=entry.get("truth_class", "face"),
            frames=None if frames is None else (frames[0], frames[1]),
            tags={tag: _tag(value) for tag, value in entry.get("tags", {}).items()},
        )
        for take in range(entry.get("takes", 1)):
            one = replace(spec, take=take, id=f"{spec.id}-{take + 1}" if "takes" in entry else spec.id)
            yield one.id, one, at


def _encodes(file: MarkedYaml, folder: Path) -> Iterator[_Found[EncodeSpec]]:
    for i, entry in enumerate(file.data["encodes"]):
        at: At = ("encodes", i)
        lists = {k: v if isinstance(v, list) else [v] for k, v in entry.items()}
        axes = [axis for axis in AXES if axis in lists]
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
                file.check(at, partial(_film, spec.resolved))
            yield spec.id, spec, at


def _film(preset: Callable[[], presets.Preset]) -> None:
    """Refuse a preset of images, before anything is measured.

    Raises:
        InputError: it is one.
    """
    if (found := preset()).muxer == "image2":
        raise InputError(
            f"the preset {found.name} writes images, and a matrix measures films: use ffv1 or prores_4444"
        )


def _rate(text: str | float) -> Fraction:
    try:
        rate = Fraction(str(text))
    except ZeroDivisionError:
        rate = Fraction(0)
    if not rate:
        raise ValueError(f"a frame rate is above 0, got {text}")
    return rate


def _settings(file: MarkedYaml) -> Iterator[_Found[Settings]]:
    entries = file.data.get("settings", [{"id": "balanced", "setting": "balanced"}])
    for i, entry in enumerate(entries):
        at: At = ("settings", i) if "settings" in file.data else ()
        given = {k: v for k, v in entry.items() if k in _SEARCH}
        track = {k: entry[k] for k in ("gap_s", "lead_s") if k in entry}
        search = file.check(at, partial(Search, **given))
        file.check(at, search.cards)
        yield entry["id"], Settings(search, file.check(at, partial(TrackSettings, **track))), at


def _by_id[T](file: MarkedYaml, found: list[_Found[T]]) -> dict[str, T]:
    kept: dict[str, T] = {}
    for name, value, at in found:
        if name in kept:
            raise file.error(at, f"{name!r} is there twice: each needs an id, or values, of its own")
        kept[name] = value
    return kept


def _listed(criterion: Mapping[str, Any]) -> Mapping[str, Any]:
    """A criterion whose `where` has lists of words: `occluded: true` is `occluded: ["yes"]`."""
    if "where" not in criterion:
        return criterion

    def words(value: Any) -> Any:
        return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value

    def as_list(value: Any) -> list[Any]:
        return [words(one) for one in (value if isinstance(value, list) else [value])]

    where: dict[str, Any] = {key: as_list(value) for key, value in criterion["where"].items() if key != "tags"}
    if "tags" in criterion["where"]:
        where["tags"] = {
            tag: [_tag(v) for v in as_list(value)] for tag, value in criterion["where"]["tags"].items()
        }
    return {**criterion, "where": where}


def _tag(value: Any) -> str:
    """A tag's value as the evidence holds it."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _check_criteria(file: MarkedYaml, matrix: Matrix, *, own_sources: bool) -> None:
    known: dict[str, Any] = {
        "encode": matrix.encodes,
        "setting": matrix.settings,
        "profile": matrix.profiles,
        "delivery": [d or "none" for d in matrix.deliveries],
        **CONDITIONS,
    }
    if all(spec.preset != AS_IS for spec in matrix.encodes.values()):  # what came has a codec that nobody knows yet
        known["codec"] = {presets.load(spec.preset).codec for spec in matrix.encodes.values()}
    if own_sources:
        known["source"] = matrix.sources
    searched = dict.fromkeys(name for used in matrix.settings.values() for name in used.search.classes)
    seen: set[str] = set()
    for i, criterion in enumerate(matrix.criteria):
        at: At = ("criteria", i)
        if criterion["id"] in seen:
            raise file.error((*at, "id"), f"{criterion['id']!r} is there twice")
        seen.add(criterion["id"])
        metric, limit = criterion["metric"], "at_least" if "at_least" in criterion else "at_most"
        for words in misread(criterion):
            raise file.error((*at, limit), words)
        if metric not in UNBOUNDED and not 0 <= criterion[limit] <= 1:
            raise file.error((*at, limit), f"{metric} is a share from 0 to 1, and never {criterion[limit]}")
        if metric in OF_DELIVERIES and not any(matrix.deliveries):
            raise file.error((*at, "metric"), f"{metric} is measured of deliveries: name some")
        if "class" in criterion and criterion["class"] not in searched:
            there = ", ".join(searched)
            raise file.error((*at, "class"), f"no setting searches for {criterion['class']!r}, only for {there}")
        if "class" not in criterion and metric not in OF_NOBODY:
            raise file.error(at, f"{metric} is measured by class: name one with the key `class`")
        where = criterion.get("where", {})
        if metric not in BY_IDENTITY and (asked := [key for key in where if key in CONDITIONS]):
            there = ", ".join(BY_IDENTITY)
            raise file.error(
                (*at, "where", asked[0]),
                f"conditions are of boxes, which {metric} has none of; they go with {there}",
            )
        for tag, values in where.get("tags", {}).items():
            tags = sorted({str(s.all_tags[tag]) for s in matrix.sources.values() if tag in s.all_tags})
            if own_sources and (unknown := [v for v in values if v not in tags]):
                there = ", ".join(tags) or "no such tag"
                raise file.error((*at, "where", "tags"), f"no source has {tag}: {unknown[0]}, only {there}")
        for key, values in where.items():
            if key == "tags":
                continue
            unknown = [v for v in values if (v or "none") not in known.get(key, values)]
            if unknown:
                there = ", ".join(map(str, sorted(known[key])))
                raise file.error(
                    (*at, "where", key), f"there is no {key} {unknown[0]!r} in this matrix, only {there}"
                )


def _folder() -> Traversable:
    """`matrices/`: inside the package in a wheel, beside it in a checkout."""
    package = resources.files("vsanon")
    inside = package / "matrices"
    return inside if inside.is_dir() else Path(str(package)).parent / "matrices"
