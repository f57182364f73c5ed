"""The ledger: what was done to a file, with what, and how it was checked, as JSON beside the delivered file."""

import json
import platform
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import vsanon
from vsanon import schemas
from vsanon.covering.block_grid import GRID, reach_px
from vsanon.covering.effects import Fill
from vsanon.covering.looks import FILLS, STRENGTHS
from vsanon.covering.pictures import Sticker, smile
from vsanon.covering.shapes import SHAPES, Shape
from vsanon.detections import Origin, TrackedBoxes
from vsanon.encode import EncodeReport, Sound, ffmpeg_version
from vsanon.encode.presets import Preset, require_encoding, tolerance_of
from vsanon.errors import InputError
from vsanon.files import open_plain, sha256_file
from vsanon.job.anonymised import objections
from vsanon.job.checks import Check
from vsanon.job.part import Part
from vsanon.job.region_digests import SPAN, RegionDigests
from vsanon.media.best_source import SOURCE_FILTER
from vsanon.media.sequences import is_pattern
from vsanon.media.source import Source
from vsanon.models import package_version

VERSION = 2

_MOST_BYTES = 1 << 24

_PACKAGES = ("numpy", "onnxruntime", "opencv-python-headless", "av", "vapoursynth", "vapoursynth-bestsource")


def place_of(output: Path) -> Path:
    """What is delivered as a whole: the file, or the folder of a pattern of images."""
    return output.parent if is_pattern(output) else output


def path_of(output: Path) -> Path:
    """Where the ledger of a delivered file lies; of images, beside their folder."""
    output = place_of(output)
    return output.with_name(output.name + ".ledger.json")


class Counts:
    """What was covered, by class: frames, boxes by origin, and tracks, which are identities.

    Args:
        identities: the ids of the boxes are identities, as those of a track file; live ones are anchors, of which
            one face has many, and `table` is told the identities that they were linked to.
    """

    def __init__(self, *, identities: bool) -> None:
        self._frames: dict[str, int] = {}
        self._boxes: dict[str, dict[str, int]] = {}
        self._ids: dict[str, set[int]] | None = {} if identities else None

    def add(self, boxes: TrackedBoxes) -> None:
        """Count the boxes of one frame."""
        for name in dict.fromkeys(boxes.classes):
            self._frames[name] = self._frames.get(name, 0) + 1
        for name, origin, id_ in zip(boxes.classes, boxes.origins, boxes.ids, strict=True):
            by_origin = self._boxes.setdefault(name, {o.name.lower(): 0 for o in Origin})
            by_origin[origin.name.lower()] += 1
            if self._ids is not None:
                self._ids.setdefault(name, set()).add(id_)

    def table(self, linked: Mapping[str, int]) -> dict[str, Any]:
        """The counts by class name.

        Args:
            linked: number of identities by class, for live boxes.
        """
        tracks = linked if self._ids is None else {name: len(ids) for name, ids in self._ids.items()}
        return {
            name: {"frames": self._frames[name], "boxes": self._boxes[name], "tracks": tracks[name]}
            for name in sorted(self._frames)
        }


@dataclass(frozen=True, slots=True)
class Painting:
    """How frames were covered; arguments of `filters.blur`."""

    profile: str
    grid: int
    fill: Fill
    on_missing: str
    same_picture: bool
    shapes: Mapping[str, Shape] = field(default_factory=lambda: dict(SHAPES))
    picture: Sticker | None = None

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Painting":
        """From what `facts` gives.

        Raises:
            KeyError, TypeError, ValueError: it is not whole, or a value lies outside its range.
        """
        own = {entry.name: plain[entry.name] for entry in fields(cls) if entry.name in plain}
        fill = own["fill"] if isinstance(own["fill"], str) else tuple(int(v) for v in own["fill"])
        shapes = {name: _shape(shape) for name, shape in own.get("shapes", {}).items()}
        picture = Sticker.of(own["picture"]) if "picture" in own else None
        return cls(**{**own, "fill": fill, "shapes": shapes or dict(SHAPES), "picture": picture})

    @property
    def arguments(self) -> dict[str, Any]:
        """By name."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}

    @property
    def strength(self) -> str:
        """What can still be read from the look, with what was measured otherwise than is painted here.

        Attacks were made on films in H.264, whose grid is `GRID`.
        """
        other = []
        if self.profile in ("strict", "picture") and self.fill != FILLS["grey"]:
            other.append("the fill grey")
        if dict(self.shapes) != dict(SHAPES):
            other.append("the margins and soft edges that are the default")
        if (reach := reach_px(GRID)) != reach_px(self.grid):
            other.append(f"the traces of a codec covered {reach:g} px around each box")
        if self.profile == "picture" and self.picture not in (None, smile()):
            other.append("the picture that vsanon draws")
        measured = f"; that was measured with {' and '.join(other)}, and not as here" if other else ""
        return STRENGTHS[self.profile] + measured

    @property
    def toning(self) -> dict[str, Any]:
        """Those of `filters.around`, by name."""
        return {name: getattr(self, name) for name in ("profile", "shapes", "grid", "fill")}

    @property
    def facts(self) -> dict[str, Any]:
        """What the ledger says of it, and how strong the look is; the picture where one is laid over regions."""
        drawn = {"picture": (self.picture or smile()).facts} if self.profile == "picture" else {}
        return {
            **{name: value for name, value in self.arguments.items() if name != "picture"},
            **drawn,
            "fill": self.fill if isinstance(self.fill, str) else list(self.fill),
            "shapes": {
                name: {**asdict(shape), "margin": list(shape.margin), "points": [list(p) for p in shape.points]}
                for name, shape in self.shapes.items()
            },
            "strength": self.strength,
        }


def _shape(plain: Mapping[str, Any]) -> Shape:
    left, top, right, bottom = (float(v) for v in plain["margin"])
    points = tuple((float(x), float(y)) for x, y in plain["points"])
    return Shape(**{**plain, "margin": (left, top, right, bottom), "points": points})


def now() -> str:
    """The time, as ledgers have it: UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions(source_filter: str) -> dict[str, str]:
    """The versions that a result depends on; the source filter is named with its own."""
    return {
        "vsanon": vsanon.__version__,
        "python": platform.python_version(),
        "source_filter": source_filter,
        "ffmpeg": ffmpeg_version(),
        **{name: package_version(name) for name in _PACKAGES},
    }


def describe(
    source: Source,
    partial: Path,
    output: Path,
    *,
    times: tuple[str, str],
    analysis: Mapping[str, Any],
    painting: Painting,
    preset: Preset,
    keep: Collection[str],
    sound: Sound,
    pix_fmt: str,
    report: EncodeReport,
    encoded: Path,
    counts: Mapping[str, Any],
    covered_whole: int,
    searched: int | None,
    checks: Sequence[Check],
    pictures: Mapping[str, int],
    regions: RegionDigests,
    part: Part | None = None,
    edited: Sequence[Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """The ledger of a finished file, which still lies at `partial`; names of folders are left out.

    Args:
        times: when the work began and ended; nothing else in the ledger changes from run to run.
        analysis: the header of the tracks.
        pix_fmt: of the source's frames, as ffmpeg names it.
        encoded: what ffmpeg wrote: `partial`, or the pattern of the images that lie in it.
        counts: as of `Counts.table`.
        searched: number of frames that a model has seen; None where a track file does not say.
        pictures: number of frames by what came of comparing them with the analysed ones.
        covered_whole: number of frames that no detection was made for, and that were covered whole.
        regions: of every frame.
        part: of the source, where not all of it was searched or delivered.
        edited: what people changed in the track file, as `edits.listed` gives it; None where the job found the
            regions itself.
    """
    original = _file(source.path, source.path.name)
    book = {
        "vsanon_ledger": VERSION,
        "started": times[0],
        "finished": times[1],
        "source": original,
        "decoded_by": list(source.readers),
        "output": _file(partial, output.name),
        "frames": len(source.timeline.pts),
        **({} if part is None else {"part": part.facts}),
        "frames_searched": searched,
        "frames_covered_whole": covered_whole,
        "pictures": dict(pictures),
        "classes": counts,
        "analysis": analysis.get("settings"),
        "models": analysis.get("models", []),
        "painting": painting.facts,
        "regions": {"frames_each": SPAN, "hmac_sha256": regions.keyed(original["sha256"])},
        "preset": _plain(asdict(preset)),
        "keep": sorted(keep),
        "sound": sound_entry(sound),
        "video": video_entry(source, pix_fmt, preset),
        "not_carried": [*preset.loses(pix_fmt), *source.not_shown, *report.not_carried],
        "converted": list(report.notes),
        "names": dict(report.names),
        "metadata_dropped": list(report.dropped_metadata),
        "checks": [check.facts for check in checks],
        "ffmpeg_command": ["ffmpeg", *(_without_folder(a, source.path, encoded, output) for a in report.argv[1:])],
        "versions": versions(f"{SOURCE_FILTER}, {source.filter_version}"),
        **({} if edited is None else {"edits": list(edited)}),
    }
    return {**book, "anonymised": not objections(book)}


def video_entry(source: Source, pix_fmt: str, preset: Preset) -> dict[str, Any]:
    """What the source's picture is, and in which format it is encoded."""
    return {
        "track": source.video.track,
        "codec": source.video.codec,
        "pix_fmt": pix_fmt,
        "encoded_pix_fmt": preset.pix_fmt_for(pix_fmt),
        "size": [source.clip.width, source.clip.height],
        "rate": str(source.timeline.fps),
        "rate_assumed": source.rate_assumed,
        "variable_rate": source.timeline.is_vfr,
        "rotation_applied": source.video.rotation,
        "crop_applied": list(source.video.crop),
        "field_order": source.field_order,
    }


def sound_entry(sound: Sound) -> dict[str, Any]:
    """Which sound goes with the picture, how, and what edits change of it."""
    changes = {"changes": [change.facts for change in sound.changes]} if sound.changes else {}
    return {"mode": sound.mode, "tracks": list(sound.tracks), **changes}


def dump(ledger: Mapping[str, Any]) -> str:
    """The ledger as text."""
    return json.dumps(ledger, indent=2, sort_keys=True, allow_nan=False) + "\n"


def read(path: Path) -> dict[str, Any]:
    """Read a ledger, whole and of the types of `schema/ledger.schema.json`.

    Raises:
        InputError: it can't be read, or is not a ledger of this version; the entry is named.
    """
    try:
        with open_plain(path) as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: can't read the ledger: {error.strerror}. Name it with --ledger") from error
    return parse(content, str(path))


def parse(content: bytes, where: str) -> dict[str, Any]:
    """The ledger that a file holds; errors as for `read`.

    Args:
        content: of the file.
        where: names it in errors.
    """
    if len(content) > _MOST_BYTES:
        raise InputError(f"{where}: not a ledger of vsanon: it has more than {_MOST_BYTES} bytes")
    return schemas.parse(content, where, kind="ledger", version=VERSION)


def preset_of(ledger: Mapping[str, Any]) -> Preset:
    """The preset that a ledger, as `read` gives it, or a plan names: as it was when the file was made.

    Raises:
        InputError: its arguments are none that a preset's file could hold.
        KeyError, TypeError, ValueError: it is not whole.
    """
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in ledger["preset"].items()
    }
    found = Preset(**{**values, "tolerance": tolerance_of(values["tolerance"])})
    require_encoding(found, found.name)
    return found


def _file(path: Path, name: str) -> dict[str, Any]:
    return {"name": name, "sha256": sha256_file(path), "bytes": path.stat().st_size}


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


def _without_folder(argument: str, source: Path, encoded: Path, output: Path) -> str:
    """A command's argument without the folders of this machine."""
    names = {f"file:{encoded}": f"file:{output.name}", f"file:{source}": f"file:{source.name}"}
    return names.get(argument, argument)
