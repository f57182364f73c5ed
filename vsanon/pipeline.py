"""A file, end to end: open, find, follow, cover, encode, verify, and only then deliver, with a ledger."""

import contextlib
import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import vapoursynth as vs
from numpy.typing import NDArray

import vsanon
from vsanon import filters, presets, props
from vsanon.detectors import resolve
from vsanon.effects import FILL, PROFILES
from vsanon.encode import EncodeReport, RawVideo, encode, ffmpeg_version
from vsanon.errors import CheckError, InputError, VsanonError
from vsanon.files import sha256_file, write_atomic
from vsanon.media import decode_timestamps
from vsanon.source import SOURCE_FILTER, Source, open_source
from vsanon.trackfile import TrackWriter, read_tracks
from vsanon.tracking import TrackSettings
from vsanon.tracks import Origin, TrackedBoxes
from vsanon.verify import Check, verify_file

Say = Callable[[str], None]
Progress = Callable[[int, int], None]


def _quiet(*_: object) -> None:
    """Take what is said, and say nothing."""


CACHE_MB = 1024
"""VapourSynth's own frame cache; its default is half of the machine's memory."""

CODEC_GRIDS: Mapping[str, int] = {
    "vp9": 32,
    "av1": 64,
    "vvc": 64,
    "ffv1": 1,
    "rawvideo": 1,
    "utvideo": 1,
    "huffyuv": 1,
    "png": 1,
}
"""Block grid by the source's codec, pixels; what is not listed takes `filters.GRID`."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a job does; every field goes into the ledger.

    Args:
        classes, models, size, threshold, on_missing: as for `filters.detect` and `filters.blur`.
        track: as for `filters.track`.
        preset: name or path of an ffmpeg preset.
        profile: as for `filters.blur`.
        grid: block grid, pixels; None goes by the source's codec.

    Raises:
        ValueError: a value that no filter takes.
    """

    classes: tuple[str, ...] = ("face",)
    models: Mapping[str, str] = field(default_factory=dict)
    size: int = 640
    threshold: float | None = None
    track: TrackSettings = field(default_factory=TrackSettings)
    preset: str = "h264_crf"
    profile: str = "strict"
    grid: int | None = None
    on_missing: str = "error"

    def __post_init__(self) -> None:
        if not self.classes:
            raise ValueError("name at least one class to cover")
        if self.profile not in PROFILES:
            raise ValueError(f"profile is one of {', '.join(PROFILES)}, not {self.profile!r}")


def default_models() -> tuple[str, ...]:
    """The models that are used where nobody names others."""
    return tuple(dict.fromkeys(filters.DEFAULT_MODELS.values()))


def ledger_path(output: Path) -> Path:
    """Where the ledger of a delivered file lies."""
    return output.with_name(output.name + ".ledger.json")


def anonymize_file(
    source: Path,
    output: Path,
    settings: Settings,
    *,
    tracks: Path | None = None,
    overwrite: bool = False,
    say: Say = _quiet,
    progress: Progress = _quiet,
) -> dict[str, Any]:
    """The main job, in one pass over the frames.

    Args:
        source: the file to cover.
        output: the file to deliver; it appears only when it is complete and verified.
        settings: what to do.
        tracks: also write the track file here.
        overwrite: replace what lies at `output`.
        say: takes lines for people.
        progress: called with (frames done, frames in all).

    Returns:
        The ledger, as written beside the output.

    Raises:
        InputError: the input, the settings or the paths can't be used.
        MissingError: a model or a program is missing.
        CheckError: a frame could not be searched, encoding or a check failed; nothing was delivered.
    """
    preset = presets.load(settings.preset)
    _check_paths(source, output, preset, overwrite)
    if tracks is not None:
        _check_target(tracks, overwrite)
    opened = _open(source)
    with _filter_errors():
        found = filters.detect(
            opened.clip,
            classes=settings.classes,
            models=settings.models,
            size=settings.size,
            threshold=settings.threshold,
            on_error="mark" if settings.on_missing == "mask" else "raise",
        )
        data = filters.track(found, settings.track)
    header = _track_header(opened, settings)
    return _deliver(opened, data, output, settings, preset, header, tracks, say, progress)


def analyze_file(
    source: Path,
    tracks: Path,
    settings: Settings,
    *,
    overwrite: bool = False,
    say: Say = _quiet,
    progress: Progress = _quiet,
) -> None:
    """Find and follow, and write the track file; arguments and errors as for `anonymize_file`."""
    _check_source(source)
    _check_target(tracks, overwrite)
    opened = _open(source)
    with _filter_errors():
        found = filters.detect(
            opened.clip,
            classes=settings.classes,
            models=settings.models,
            size=settings.size,
            threshold=settings.threshold,
        )
        data = filters.track(found, settings.track)
        writer = TrackWriter(_track_header(opened, settings))
        for n, frame in enumerate(data.frames(close=True)):
            writer.add(props.read_tracked(frame.props))
            progress(n + 1, data.num_frames)
    writer.write(tracks)
    say(f"wrote the track file {tracks}; it is personal data")


def render_file(
    source: Path,
    tracks: Path,
    output: Path,
    settings: Settings,
    *,
    overwrite: bool = False,
    say: Say = _quiet,
    progress: Progress = _quiet,
) -> dict[str, Any]:
    """Cover what a track file says; the same bytes as `anonymize_file` gives where the file was not edited.

    Raises:
        TrackFileError: the file is damaged, or belongs to another clip.
        Others as for `anonymize_file`.
    """
    preset = presets.load(settings.preset)
    _check_paths(source, output, preset, overwrite)
    table = read_tracks(tracks)
    opened = _open(source)
    with _filter_errors():
        data = filters.load(opened.clip, tracks)
    header = dict(table.header)
    return _deliver(opened, data, output, settings, preset, header, None, say, progress)


def verify_delivery(output: Path, source: Path, ledger: Path) -> list[dict[str, Any]]:
    """Check a delivered file again, against its source and its ledger.

    Returns:
        Checks as objects with name, passed, expected and found.

    Raises:
        InputError: a file is missing or can't be read.
    """
    try:
        said = json.loads(ledger.read_text())
        wanted = {"source": said["source"]["sha256"], "output": said["output"]["sha256"]}
        preset = presets.load(said["settings"]["preset"])
    except OSError as error:
        raise InputError(f"{ledger}: can't read the ledger: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{ledger}: not a ledger of vsanon: {error!r}") from error
    checks = [
        _same_hash("source is the ledger's", wanted["source"], source),
        _same_hash("output is the ledger's", wanted["output"], output),
    ]
    opened = _open(source)
    checks += verify_file(output, video=_raw_video(opened), preset=preset, source=source)
    return [asdict(check) for check in checks]


def _deliver(
    opened: Source,
    data: vs.VideoNode,
    output: Path,
    settings: Settings,
    preset: presets.Preset,
    header: Mapping[str, Any],
    tracks: Path | None,
    say: Say,
    progress: Progress,
) -> dict[str, Any]:
    """Render, encode to a hidden name, verify, write the ledger, and only then move the file to its place."""
    started = datetime.now(UTC)
    grid = settings.grid or CODEC_GRIDS.get(_video(opened).codec, filters.GRID)
    video = _raw_video(opened)
    with _filter_errors():
        covered = filters.blur(
            opened.clip, data, profile=settings.profile, grid=grid, on_missing=settings.on_missing
        )
    writer = TrackWriter(header)
    counts = _Counts()
    total = covered.num_frames

    def planes() -> Iterator[list[NDArray[Any]]]:
        for frame in covered.frames(close=True):
            boxes = props.read_tracked(frame.props)
            writer.add(boxes)
            counts.add(boxes, props.MISSING in frame.props)
            yield _planes(frame, video.pix_fmt)

    partial = output.with_name(f".{output.stem}.partial{output.suffix}")
    with _clean(partial), _filter_errors():
        report = encode(
            planes(), video, preset, partial, source=opened.path, on_frame=lambda n: progress(n + 1, total)
        )
        checks = verify_file(partial, video=video, preset=preset, source=opened.path)
        failed = [check for check in checks if not check.passed]
        if failed:
            lines = "\n".join(f"  {c.name}: expected {c.expected}, found {c.found}" for c in failed)
            raise CheckError(f"{output} was not delivered: {len(failed)} of {len(checks)} checks failed\n{lines}")
        ledger = _ledger(opened, output, partial, settings, grid, header, counts, report, checks, started, preset)
        if tracks is not None:
            ledger["tracks"] = {"name": tracks.name, "sha256": writer.write(tracks)}
        text = json.dumps(ledger, indent=2, sort_keys=True) + "\n"
        try:
            write_atomic(ledger_path(output), text.encode())
            os.replace(partial, output)
        except OSError as error:
            raise CheckError(f"{output} was not delivered: writing failed: {error.strerror}") from error
    for loss in (*preset.loses(video.pix_fmt), *report.not_carried):
        say(f"not carried: {loss}")
    return ledger


class _Counts:
    """Counts of what was covered, by class."""

    def __init__(self) -> None:
        self._frames: dict[str, int] = {}
        self._boxes: dict[str, dict[str, int]] = {}
        self._ids: dict[str, set[int]] = {}
        self.missing = 0

    def add(self, boxes: TrackedBoxes, missing: bool) -> None:
        self.missing += missing
        for name in dict.fromkeys(boxes.classes):
            self._frames[name] = self._frames.get(name, 0) + 1
        for name, origin, id_ in zip(boxes.classes, boxes.origins, boxes.ids, strict=True):
            by_origin = self._boxes.setdefault(name, {o.name.lower(): 0 for o in Origin})
            by_origin[origin.name.lower()] += 1
            self._ids.setdefault(name, set()).add(id_)

    def table(self) -> dict[str, Any]:
        return {
            name: {"frames": self._frames[name], "boxes": self._boxes[name], "tracks": len(self._ids[name])}
            for name in sorted(self._frames)
        }


def _ledger(
    opened: Source,
    output: Path,
    partial: Path,
    settings: Settings,
    grid: int,
    header: Mapping[str, Any],
    counts: _Counts,
    report: EncodeReport,
    checks: Sequence[Check],
    started: datetime,
    preset: presets.Preset,
) -> dict[str, Any]:
    video = _raw_video(opened)
    return {
        "vsanon_ledger": 1,
        "source": {
            "name": opened.path.name,
            "sha256": sha256_file(opened.path),
            "bytes": opened.path.stat().st_size,
        },
        "output": {"name": output.name, "sha256": sha256_file(partial), "bytes": partial.stat().st_size},
        "started": started.isoformat(timespec="seconds"),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "frames": len(opened.timeline.pts),
        "frames_covered_whole": counts.missing,
        "classes": counts.table(),
        "settings": {**_plain(settings), "grid": grid, "fill": list(FILL)},
        "anonymised": settings.profile != "cosmetic",
        "models": header.get("models", []),
        "checks": [asdict(check) for check in checks],
        "video": {
            "pix_fmt": video.pix_fmt,
            "encoded_pix_fmt": preset.pix_fmt_for(video.pix_fmt),
            "lost_by_preset": list(preset.loses(video.pix_fmt)),
            "rate": str(opened.timeline.fps),
            "rate_assumed": opened.rate_assumed,
            "variable_rate": opened.timeline.is_vfr,
            "rotation_applied": _video(opened).rotation,
        },
        "metadata_dropped": list(report.dropped_metadata),
        "not_carried": list(report.not_carried),
        "ffmpeg_command": [_without_folder(a, opened.path, partial, output) for a in report.argv[1:]],
        "versions": versions(opened),
    }


def versions(opened: Source) -> dict[str, str]:
    """The versions that a result depends on."""
    from importlib.metadata import version

    names = ("numpy", "onnxruntime", "opencv-python-headless", "av", "vapoursynth")
    return {
        "vsanon": vsanon.__version__,
        "python": platform.python_version(),
        "source_filter": opened.filter_version,
        "ffmpeg": ffmpeg_version(),
        **{name: version(name) for name in names},
    }


def _track_header(opened: Source, settings: Settings) -> dict[str, Any]:
    by_class = {**filters.DEFAULT_MODELS, **settings.models}
    cards = [resolve(name) for name in dict.fromkeys(by_class[c] for c in settings.classes)]
    plain = _plain(settings)
    return {
        "vsanon": vsanon.__version__,
        "frames": opened.clip.num_frames,
        "size": [opened.clip.width, opened.clip.height],
        "fps": str(opened.timeline.fps),
        "fingerprint": filters.fingerprint(opened.clip),
        "source_filter": f"{SOURCE_FILTER}, {opened.filter_version}",
        "models": [{"name": c.name, "sha256": c.sha256, "licence": c.licence} for c in cards],
        "settings": {name: plain[name] for name in ("classes", "models", "size", "threshold", "track")},
    }


def _plain(settings: Settings) -> dict[str, Any]:
    values = asdict(replace(settings, models=dict(settings.models)))
    values["classes"] = list(settings.classes)
    return values


def _open(path: Path) -> Source:
    """Open a file, and make sure that every frame decodes cleanly and that both readers see the same times.

    Raises:
        InputError: it can't be read, is damaged, or the readers disagree.
    """
    _check_source(path)
    vs.core.max_cache_size = CACHE_MB
    opened = open_source(path)
    pts, time_base = decode_timestamps(path)
    mine = [p * opened.timeline.time_base for p in opened.timeline.pts]
    theirs = [p * time_base for p in pts]
    if len(mine) != len(theirs):
        raise InputError(
            f"{path}: {SOURCE_FILTER} gives {len(mine)} frames, ffmpeg's decoder {len(theirs)}: the file is "
            "damaged or cut short. Remux or repair it, then try again"
        )
    if not opened.rate_assumed and any(abs(a - b) > Fraction(1, 1000) for a, b in zip(mine, theirs, strict=True)):
        raise InputError(f"{path}: the two readers give the frames different times: remux the file, then try again")
    order = _field_order(opened)
    if order != "progressive":
        # Some frames of an interlaced stream are flagged progressive; covering by field is right for both.
        tff = vs.FIELD_TOP if order == "tt" else vs.FIELD_BOTTOM
        opened = replace(opened, clip=opened.clip.std.SetFieldBased(int(tff)))
    return opened


def _video(opened: Source) -> Any:
    video = opened.facts.video
    assert video is not None  # open_source refuses files without one
    return video


def _field_order(opened: Source) -> str:
    """progressive, or the field that is shown first: tt or bb."""
    shown_first = {"tt": "tt", "bt": "tt", "bb": "bb", "tb": "bb"}
    by_frame = {int(vs.FIELD_TOP): "tt", int(vs.FIELD_BOTTOM): "bb"}
    flag = int(opened.clip.get_frame(0).props.get("_FieldBased", 0))
    return shown_first.get(_video(opened).field_order, by_frame.get(flag, "progressive"))


def _raw_video(opened: Source) -> RawVideo:
    facts = _video(opened)
    with opened.clip.get_frame(0) as frame:
        pix_fmt = _pix_fmt(opened.clip.format, "_Alpha" in frame.props)
    sar = facts.sar
    if sar is not None and facts.rotation % 180:
        sar = 1 / sar
    return RawVideo(
        pix_fmt=pix_fmt,
        size=(opened.clip.width, opened.clip.height),
        timeline=opened.timeline,
        sar=sar,
        color=facts.color,
        field_order=_field_order(opened),
        hdr=facts.hdr,
    )


def _pix_fmt(format_: Any, alpha: bool) -> str:
    """ffmpeg's name of a VapourSynth format."""
    bits = format_.bits_per_sample
    suffix = "" if bits == 8 else f"{bits}le"
    if format_.sample_type == vs.FLOAT:
        if format_.color_family != vs.RGB:
            raise InputError(f"{format_.name} has no name in ffmpeg: convert the clip to integer samples first")
        return f"gbr{'a' if alpha else ''}pf32le"
    if format_.color_family == vs.GRAY:
        if alpha:
            raise InputError("grey with alpha is not supported: convert the clip to RGB first")
        return f"gray{suffix}"
    if format_.color_family == vs.RGB:
        return f"gbr{'a' if alpha else ''}p{suffix}"
    chroma = {(0, 0): "444", (1, 0): "422", (1, 1): "420", (0, 1): "440", (2, 0): "411", (2, 2): "410"}
    return f"yuv{'a' if alpha else ''}{chroma[format_.subsampling_w, format_.subsampling_h]}p{suffix}"


def _planes(frame: vs.VideoFrame, pix_fmt: str) -> list[NDArray[Any]]:
    """The frame's planes in ffmpeg's order: VapourSynth keeps R, G, B, ffmpeg G, B, R."""
    order = (1, 2, 0) if frame.format.color_family == vs.RGB else range(frame.format.num_planes)
    planes = [np.asarray(frame[p]) for p in order]
    if "_Alpha" in frame.props:
        planes.append(np.asarray(frame.props["_Alpha"][0]))
    elif "a" in pix_fmt.replace("gray", ""):
        raise CheckError("a frame has no alpha, the first one had: repair the source, or convert it first")
    return planes


def _check_source(source: Path) -> None:
    if not source.is_file():
        raise InputError(f"{source}: no such file")


def _check_target(path: Path, overwrite: bool) -> None:
    if path.exists() and not overwrite:
        raise InputError(f"{path} is already there: give --overwrite to replace it, or another name")
    if not path.parent.is_dir():
        raise InputError(f"{path}: the folder {path.parent} does not exist")


def _check_paths(source: Path, output: Path, preset: presets.Preset, overwrite: bool) -> None:
    _check_source(source)
    if output.exists() and output.samefile(source):
        raise InputError(f"{output} is its own input: give the output another name")
    _check_target(output, overwrite)
    if output.suffix.lower() != preset.suffix:
        raise InputError(f"{output}: the preset {preset.name} writes {preset.suffix} files: name the output so")


@contextlib.contextmanager
def _clean(partial: Path) -> Iterator[None]:
    """Leave no half-written file behind, whatever happens."""
    partial.unlink(missing_ok=True)
    try:
        yield
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def _filter_errors() -> Iterator[None]:
    """Turn a filter's `vs.Error` into ours, with the exit code of what caused it."""
    try:
        yield
    except vs.Error as error:
        cause = error.__cause__
        kind = type(cause) if isinstance(cause, VsanonError) else CheckError
        raise kind(_last_line(str(error))) from error


def _last_line(text: str) -> str:
    """A callback's exception reaches us with a traceback in its text; people need its end only."""
    marker = "vapoursynth.Error: "
    return text.rpartition(marker)[2].strip() if marker in text else text.strip()


def _same_hash(name: str, wanted: str, path: Path) -> Check:
    found = sha256_file(path)
    return Check(name, found == wanted, wanted, found)


def _without_folder(argument: str, source: Path, partial: Path, output: Path) -> str:
    """A command's argument without the folders of this machine."""
    return argument.replace(str(partial), output.name).replace(str(source), source.name)
