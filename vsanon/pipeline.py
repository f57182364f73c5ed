"""A file, end to end: open, find, follow, cover, encode, verify, and only then deliver, with a ledger."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import vapoursynth as vs
from numpy.typing import NDArray

from vsanon import edits, filters, ledger, presets, props
from vsanon.coverage import CoveredLook, Seen
from vsanon.delivery import Stamp, deliver, partial_file, require_targets, require_unchanged, stamp
from vsanon.demo import write_demo
from vsanon.effects import FILL
from vsanon.encode import encode, ffmpeg_path
from vsanon.errors import CheckError, InputError
from vsanon.files import sha256_file, write_atomic
from vsanon.frames import frames_of, map_planes, our_errors, picture, planes_of, raw_video
from vsanon.identities import IdentitySettings
from vsanon.ledger import Counts, Painting
from vsanon.settings import Settings, track_header
from vsanon.source import IntactCheck, Source, bound_cache, open_source, require_intact
from vsanon.trackfile import TrackWriter, read_tracks
from vsanon.verify import Check, verify_file

Say = Callable[[str], None]
Progress = Callable[[int, int], None]


def _quiet(*_: object) -> None:
    """Take what is said, and say nothing."""


def default_models() -> tuple[str, ...]:
    """The models that are used where nobody names others."""
    return tuple(dict.fromkeys(filters.DEFAULT_MODELS.values()))


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
    settings.cards()  # a model that nobody knows is said before the file is read
    more = [] if tracks is None else [tracks]
    job = _start(source, output, settings, say, progress, overwrite, more=more)
    opened = _open(source, say)
    on_error = "mark" if settings.on_missing == "mask" else "raise"
    with IntactCheck(opened) as intact:
        with our_errors(InputError):
            found = filters.detect(opened.clip, on_error=on_error, **settings.search)
            data = filters.track(found, settings.track)
            bound_cache(filters.hold(opened.clip, settings.track))
            header = track_header(opened, settings, fingerprint=tracks is not None)
        return _render(job, opened, intact, data, header, write_tracks=tracks)


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
    settings.cards()
    before = stamp(source)
    require_targets([source], [tracks], overwrite=overwrite)
    opened = _open(source, say)
    with IntactCheck(opened) as intact:
        with our_errors(InputError):
            data = filters.track(filters.detect(opened.clip, **settings.search), settings.track)
            writer = TrackWriter(track_header(opened, settings), _identities(settings))
        with our_errors(CheckError):
            for n, frame in enumerate(frames_of(data)):
                intact.poll()
                cut, searched = (bool(frame.props.get(name)) for name in (props.CUT, props.SEARCHED))
                writer.add(props.read_tracked(frame.props), cut=cut, searched=searched)
                progress(n + 1, data.num_frames)
        intact.finish()
    require_unchanged(source, before)
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
    job = _start(source, output, settings, say, progress, overwrite, inputs=[tracks])
    header = read_tracks(tracks).header
    opened = _open(source, say)
    with IntactCheck(opened) as intact:
        with our_errors(InputError):
            data = filters.load(opened.clip, tracks)
        return _render(job, opened, intact, data, header, read_from=tracks)


def verify_delivery(
    output: Path, source: Path, ledger_file: Path | None = None, tracks: Path | None = None
) -> list[Check]:
    """Check a delivered file again, against its source, its ledger and, where it is at hand, its track file.

    Args:
        output: the delivered file.
        source: the file that it was made from.
        ledger_file: the ledger; None looks beside the output.
        tracks: the track file; the regions are then looked at as well.

    Raises:
        InputError: a file is missing or can't be read.
    """
    where = ledger_file or ledger.path_of(output)
    said = ledger.read(where)
    try:
        preset, keep, strict = ledger.preset_of(said), said["keep"], said["painting"]["profile"] == "strict"
        hashes = {name: str(said[name]["sha256"]) for name in ("source", "output", "tracks") if name in said}
        checks = [
            _same_hash("source is the ledger's", hashes["source"], source),
            _same_hash("output is the ledger's", hashes["output"], output),
        ]
    except (KeyError, TypeError) as error:
        raise InputError(f"{where}: a ledger, but not a whole one: {error!r}") from error
    opened = _open(source)
    require_intact(opened)
    look = None
    if tracks is not None and strict:
        table = edits.apply(read_tracks(tracks))
        look = CoveredLook(table.at, len(table))
    video = raw_video(opened)
    checks += verify_file(output, video=video, preset=preset, source=source, keep=keep, look=look)
    if tracks is not None and "tracks" in hashes:
        checks.append(_same_hash("tracks are the ledger's", hashes["tracks"], tracks))
    return checks if look is None else [*checks, look.check()]


def demo(
    folder: Path, preset: str, *, say: Say = _quiet, progress: Progress = _quiet
) -> tuple[list[Path], dict[str, Any]]:
    """Draw a clip, cover its faces, and put both beside each other.

    Args:
        folder: where to write; made if need be. Files of an earlier demo are replaced.
        preset: name or path of an ffmpeg preset.

    Returns:
        The files (the drawn clip, the covered one, its ledger, a picture of before and after), and the ledger.

    Raises:
        As for `anonymize_file`.
    """
    suffix = presets.load(preset).suffix
    source, output = folder / "demo.mp4", folder / f"demo_anonymized{suffix}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: the folder can't be made: {error.strerror}") from error
    say(f"drawing {source}")
    write_demo(source)
    book = anonymize_file(source, output, Settings(preset=preset), overwrite=True, say=say, progress=progress)
    before, after = open_source(source).clip, open_source(output).clip
    shown = (before.num_frames // 4, 3 * before.num_frames // 4)
    rows = [np.hstack([picture(before, n), picture(after, n)]) for n in shown]
    coded = cv2.imencode(".png", np.vstack(rows)[..., ::-1])[1]
    image = folder / "before_after.png"
    try:
        write_atomic(image, coded.tobytes())
    except OSError as error:
        raise InputError(f"{image}: can't be written: {error.strerror}") from error
    return [source, output, ledger.path_of(output), image], book


@dataclass(frozen=True, slots=True)
class _Job:
    """One file to deliver, and how."""

    source: Path
    output: Path
    settings: Settings
    preset: presets.Preset
    say: Say
    progress: Progress
    started: str
    before: Stamp


def _start(
    source: Path,
    output: Path,
    settings: Settings,
    say: Say,
    progress: Progress,
    overwrite: bool,
    *,
    inputs: Sequence[Path] = (),
    more: Sequence[Path] = (),
) -> _Job:
    """Refuse what can't work before anything is done.

    Args:
        inputs: files that are read beside the source.
        more: files that are written beside the output and its ledger.
    """
    started = _now()
    preset = presets.load(settings.preset)
    before = stamp(source)
    require_targets([source, *inputs], [output, ledger.path_of(output), *more], overwrite=overwrite)
    ffmpeg_path()
    if output.suffix.lower() != preset.suffix:
        raise InputError(
            f"{output}: the preset {preset.name} writes {preset.suffix} files: name the output so, "
            "or choose another preset (`vsanon presets list`)"
        )
    return _Job(source, output, settings, preset, say, progress, started, before)


def _render(
    job: _Job,
    opened: Source,
    intact: IntactCheck,
    data: vs.VideoNode,
    header: Mapping[str, Any],
    *,
    write_tracks: Path | None = None,
    read_from: Path | None = None,
) -> dict[str, Any]:
    """Render, encode to a hidden name, verify, write the ledger, and only then move the file to its place."""
    settings, preset, video = job.settings, job.preset, raw_video(opened)
    grid = settings.grid or filters.grid_of(opened.video.codec)
    painting = Painting(settings.profile, grid, FILL, settings.on_missing)
    with our_errors(InputError):
        covered = filters.blur(opened.clip, data, **asdict(painting))
    writer, counts, seen = TrackWriter(header, _identities(settings)), Counts(), Seen()
    missing: list[str] = []

    def planes() -> Iterator[list[NDArray[Any]]]:
        for frame in frames_of(covered):
            intact.poll()
            boxes = props.read_tracked(frame.props)
            cut, searched = (bool(frame.props.get(name)) for name in (props.CUT, props.SEARCHED))
            writer.add(boxes, cut=cut, searched=searched)
            counts.add(boxes)
            seen.add(boxes)
            if props.MISSING in frame.props:
                missing.append(str(frame.props[props.MISSING]))
            yield planes_of(frame, video.pix_fmt)

    def on_frame(n: int) -> None:
        job.progress(n + 1, covered.num_frames)

    with partial_file(job.output) as partial, our_errors(CheckError):
        facts, keep = opened.facts, settings.keep
        report = encode(planes(), video, preset, partial, source=facts, keep=keep, on_frame=on_frame)
        intact.finish()
        look = CoveredLook(seen.at, covered.num_frames) if settings.profile == "strict" else None
        checks = verify_file(partial, video=video, preset=preset, source=job.source, keep=keep, look=look)
        if look is not None:
            checks.append(look.check())
        _require_passed(checks, job.output)
        require_unchanged(job.source, job.before)
        book = ledger.describe(
            opened,
            partial,
            job.output,
            times=(job.started, _now()),
            analysis=header,
            painting=painting,
            preset=preset,
            keep=keep,
            pix_fmt=video.pix_fmt,
            report=report,
            counts=counts,
            covered_whole=len(missing),
            searched=writer.frames_searched if read_from is None else header.get("frames_searched"),
            checks=checks,
        )
        if write_tracks is not None:
            book["tracks"] = {"name": write_tracks.name, "sha256": writer.write(write_tracks)}
        elif read_from is not None:
            book["tracks"] = {"name": read_from.name, "sha256": sha256_file(read_from)}
            book["edits"] = [edits.summary(edit) for edit in edits.edits_of(read_tracks(read_from))]
        deliver(partial, job.output, ledger.path_of(job.output), ledger.dump(book))
    if missing:
        job.say(f"{len(missing)} frames could not be searched and were covered whole: {missing[0]}")
    for loss in book["not_carried"]:
        job.say(f"not carried: {loss}")
    return book


def _open(path: Path, say: Say = _quiet) -> Source:
    """Open a file for work; whether every frame of it decodes cleanly is for `IntactCheck`."""
    bound_cache()
    say(f"reading {path}")
    opened = open_source(path)
    map_planes(opened.clip)
    return opened


def _identities(settings: Settings) -> IdentitySettings:
    return IdentitySettings(across_cuts=settings.across_cuts)


def _require_passed(checks: Sequence[Check], output: Path) -> None:
    failed = [check for check in checks if not check.passed]
    if failed:
        lines = "\n".join(f"  {c.name}: expected {c.expected}, found {c.found}" for c in failed)
        raise CheckError(f"{output} was not delivered: {len(failed)} of {len(checks)} checks failed\n{lines}")


def _same_hash(name: str, wanted: str, path: Path) -> Check:
    found = sha256_file(path)
    return Check(name, found == wanted, wanted, found)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
