"""A file, end to end: open, find, follow, cover, encode, verify, and only then deliver, with a ledger."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsanon import filters
from vsanon.encode import encode, ffmpeg_path, plan_copy, presets, require_encodable, require_encoder
from vsanon.encode.natural import NAME as NATURAL
from vsanon.encode.natural import natural, usual_suffix
from vsanon.errors import CheckError, InputError
from vsanon.files import sha256_file, sha256_of
from vsanon.filters import props
from vsanon.filters.clips import frame_bytes
from vsanon.job import ledger, ledger_signature
from vsanon.job.delivery import Target
from vsanon.job.file_checks import Check, verify_file
from vsanon.job.frames import frames_of, map_planes, our_errors, raw_video
from vsanon.job.images import as_file
from vsanon.job.ledger import Counts, Painting
from vsanon.job.memory import require_memory
from vsanon.job.picture_checks import HIDDEN, SHOWN, WHOLE
from vsanon.job.settings import Settings, track_header, video_track_of
from vsanon.job.witness import Witness
from vsanon.media import probe
from vsanon.media.intact import IntactCheck
from vsanon.media.sequences import is_pattern
from vsanon.media.source import Source, bound_cache, open_source
from vsanon.signing import Signer
from vsanon.tracking.identities import IdentitySettings
from vsanon.tracking.same_picture import Verdict
from vsanon.tracks import edits
from vsanon.tracks.file import TrackWriter, read_tracks

Say = Callable[[str], None]
Progress = Callable[[int, int], None]


def quiet(*_: object) -> None:
    """Take what is said, and say nothing."""


def anonymize_file(
    source: Path,
    output: Path,
    settings: Settings,
    *,
    tracks: Path | None = None,
    overwrite: bool = False,
    sign: Signer | None = None,
    say: Say = quiet,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """The main job, in one pass over the frames.

    Args:
        source: the file to cover.
        output: the file to deliver; it appears only when it is complete and verified.
        settings: what to do.
        tracks: also write the track file here.
        overwrite: replace what lies at `output`.
        sign: the key that the ledger is signed with.
        say: takes lines for people.
        progress: called with (frames done, frames in all).

    Returns:
        The ledger, as written beside the output.

    Raises:
        InputError: the input, the settings or the paths can't be used.
        MissingError: a model or a program is missing.
        CheckError: a frame could not be searched, encoding or a check failed; nothing was delivered.

    Examples:
        >>> from vsanon import Search
        >>> plates = Settings(search=Search(classes=("plate",)))
        >>> book = anonymize_file(Path("in.mp4"), Path("out.mp4"), plates)
        >>> book["frames"], all(check["passed"] for check in book["checks"])
        (12, True)
    """
    settings.search.cards()  # a model that nobody knows is said before the file is read
    started, preset = _now(), _preset_for(source, output, settings)
    beside = [] if tracks is None else [tracks]
    with (
        as_file(source, settings.rate, settings.start_number) as file,
        Target([file], [*beside, ledger.place_of(output), ledger.path_of(output)], overwrite=overwrite) as target,
    ):
        opened = open_for_work(file, say, settings.video_track, named=source)
        job = _Job(opened, output, target, settings, preset, say, progress, started, sign)
        on_error = "mark" if settings.on_missing == "mask" else "raise"
        with IntactCheck(opened) as intact:
            with our_errors(InputError):
                search = filters.settled(opened.clip, settings.search)
                found = filters.detect(opened.clip, search, on_error=on_error)
                data = filters.track(found, settings.track)
                bound_cache(filters.hold(opened.clip, settings.track))
                header = track_header(opened, settings, search, hashed=tracks is not None)
            return _render(job, intact, data, header, write_tracks=tracks)


def analyze_file(
    source: Path,
    tracks: Path,
    settings: Settings,
    *,
    overwrite: bool = False,
    say: Say = quiet,
    progress: Progress = quiet,
) -> None:
    """Find and follow, and write the track file; arguments and errors as for `anonymize_file`.

    Examples:
        >>> from vsanon import Search
        >>> analyze_file(Path("in.mp4"), Path("in.tracks.jsonl"), Settings(search=Search(classes=("plate",))))
        >>> read_tracks(Path("in.tracks.jsonl")).header["frames"]
        12
    """
    settings.search.cards()
    with (
        as_file(source, settings.rate, settings.start_number) as file,
        Target([file], [tracks], overwrite=overwrite) as target,
    ):
        opened = open_for_work(file, say, settings.video_track, named=source)
        with IntactCheck(opened) as intact:
            with our_errors(InputError):
                search = filters.settled(opened.clip, settings.search)
                data = filters.track(filters.detect(opened.clip, search), settings.track)
                writer = TrackWriter(track_header(opened, settings, search), _identities(settings))
            with our_errors(CheckError):
                for n, frame in enumerate(frames_of(data)):
                    intact.poll()
                    cut, searched = (bool(frame.props.get(name)) for name in (props.CUT, props.SEARCHED))
                    boxes, miniature = props.read_tracked(frame.props), np.asarray(frame[0])
                    writer.add(boxes, cut=cut, searched=searched, miniature=miniature)
                    progress(n + 1, data.num_frames)
            intact.finish()
        target.put(tracks, writer.content())
        target.deliver()
    say(f"wrote the track file {tracks}; it is personal data")


def render_file(
    source: Path,
    tracks: Path,
    output: Path,
    settings: Settings,
    *,
    overwrite: bool = False,
    sign: Signer | None = None,
    say: Say = quiet,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Cover what a track file says; the same bytes as `anonymize_file` gives where the file was not edited.

    Raises:
        TrackFileError: the file is damaged, or belongs to another clip.
        Others as for `anonymize_file`.

    Examples:
        >>> from vsanon import Search
        >>> settings = Settings(search=Search(classes=("plate",)))
        >>> analyze_file(Path("in.mp4"), Path("in.tracks.jsonl"), settings)
        >>> book = render_file(Path("in.mp4"), Path("in.tracks.jsonl"), Path("out.mp4"), settings)
        >>> Path("out.mp4").exists()
        True
    """
    started, preset = _now(), _preset_for(source, output, settings)
    with (
        as_file(source, settings.rate, settings.start_number) as file,
        Target([file, tracks], [ledger.place_of(output), ledger.path_of(output)], overwrite=overwrite) as target,
    ):
        header = read_tracks(tracks).header
        opened = open_for_work(file, say, video_track_of(header), named=source)
        job = _Job(opened, output, target, settings, preset, say, progress, started, sign)
        with IntactCheck(opened) as intact:
            with our_errors(InputError):
                data = filters.load(opened.clip, tracks, same_picture=settings.same_picture)
            return _render(job, intact, data, header, read_from=tracks)


@dataclass(frozen=True, slots=True)
class _Job:
    """One file to deliver, and how."""

    opened: Source
    output: Path
    target: Target
    settings: Settings
    preset: presets.Preset | None
    say: Say
    progress: Progress
    started: str
    sign: Signer | None


def _preset_for(source: Path, output: Path, settings: Settings) -> presets.Preset | None:
    """The preset of the settings; refuses what can't work before anything is done.

    Returns:
        None where it follows from the source, which must be opened first.

    Raises:
        InputError: there is no such preset, or it writes files of another kind than the output.
        MissingError: there is no ffmpeg.
    """
    ffmpeg_path()
    if settings.preset == NATURAL:
        if output.suffix.lower() not in presets.MUXERS:
            usual = usual_suffix(probe(source))
            raise InputError(
                f"{output}: vsanon writes {', '.join(presets.MUXERS)}: name the output so, here best {usual}"
            )
        return None
    preset = presets.load(settings.preset)
    require_encoder(preset.encoder)
    if preset.muxer == "image2" and not is_pattern(output):
        raise InputError(f"{output}: images need a pattern in a new folder, such as OUT/shot.%06d{preset.suffix}")
    if output.suffix.lower() != preset.suffix:
        raise InputError(
            f"{output}: the preset {preset.name} writes {preset.suffix} files: name the output so, "
            "or choose another preset (`vsanon presets list`)"
        )
    return preset


def _render(
    job: _Job,
    intact: IntactCheck,
    data: filters.VideoNode,
    header: Mapping[str, Any],
    *,
    write_tracks: Path | None = None,
    read_from: Path | None = None,
) -> dict[str, Any]:
    """Render, encode to a hidden name, verify, write the ledger, and only then move all to their places."""
    opened, target, settings = job.opened, job.target, job.settings
    video = raw_video(opened)
    preset = job.preset or natural(opened.facts, video, job.output.suffix.lower())
    if job.preset is None:
        job.say(f"preset {preset.name}: {preset.notes}")
    require_encodable(video, preset)
    plan_copy(opened.facts, preset, job.settings.keep, job.settings.sound)  # what is refused is so before the work
    grid = settings.grid or filters.grid_of(opened.video.codec)
    painting = Painting(
        settings.profile, grid, settings.fill, settings.on_missing, settings.same_picture, settings.shapes
    )
    with our_errors(InputError):
        witness = Witness(opened.clip, data, painting, video, preset)
    writer = TrackWriter(header, _identities(settings))
    counts = Counts(identities=read_from is not None)
    missing: list[str] = []
    pictures = dict.fromkeys((v.value for v in Verdict if v is not Verdict.OTHER), 0)

    def planes() -> Iterator[list[NDArray[Any]]]:
        for frame in frames_of(witness.clip):
            intact.poll()
            painted, boxes = witness.add(frame)
            cut, searched = (bool(frame.props.get(name)) for name in (props.CUT, props.SEARCHED))
            miniature = witness.miniature(frame) if write_tracks is not None else None
            writer.add(boxes, cut=cut, searched=searched, miniature=miniature)
            pictures[props.text(frame.props[props.PICTURE])] += 1
            counts.add(boxes)
            if props.MISSING in frame.props:
                missing.append(str(frame.props[props.MISSING]))
            yield painted

    def on_frame(n: int) -> None:
        job.progress(n + 1, witness.clip.num_frames)

    partial, rate = _partial(job), video.timeline.fps if preset.muxer == "image2" else None
    with witness, our_errors(CheckError), contextlib.ExitStack() as held:
        facts, keep, sound = opened.facts, settings.keep, settings.sound
        report = encode(planes(), video, preset, partial, source=facts, keep=keep, sound=sound, on_frame=on_frame)
        intact.finish()
        look = witness.look()
        partial = held.enter_context(as_file(partial, rate))  # images are looked at as they lie there
        checks = verify_file(partial, video=video, preset=preset, source=facts, keep=keep, sound=sound, look=look)
        checks += witness.checks(look)
        require_passed(checks, job.output)
        target.require_unchanged()  # what is hashed for the ledger is what was read
        book = ledger.describe(
            opened,
            partial,
            job.output,
            times=(job.started, _now()),
            analysis=header,
            painting=painting,
            preset=preset,
            keep=keep,
            sound=sound,
            pix_fmt=video.pix_fmt,
            report=report,
            counts=counts.table(writer.count() if read_from is None else {}),
            covered_whole=len(missing),
            searched=writer.frames_searched if read_from is None else header.get("frames_searched"),
            checks=checks,
            pictures=pictures,
            regions=witness.digests,
        )
        if write_tracks is not None:
            found = writer.content()
            target.put(write_tracks, found)
            book["tracks"] = {"name": write_tracks.name, "sha256": sha256_of(found)}
        elif read_from is not None:
            made_from_it = header.get("source_sha256") == book["source"]["sha256"]
            book["tracks"] = {
                "name": read_from.name, "sha256": sha256_file(read_from), "of_this_file": made_from_it,
            }  # fmt: skip
            book["edits"] = [edits.summary(edit) for edit in edits.edits_of(read_tracks(read_from))]
        if job.sign is not None:
            book = ledger_signature.signed(book, job.sign)
        target.put(ledger.path_of(job.output), ledger.dump(book).encode())
        target.deliver()
    if missing:
        job.say(f"{len(missing)} frames could not be searched and were covered whole: {missing[0]}")
    if differ := {name: count for name, count in pictures.items() if count and name != Verdict.SAME}:
        job.say(f"pictures against those analysed: {_listed(differ)}; {_MEANING}")
    for loss in book["not_carried"]:
        job.say(f"not carried: {loss}")
    for note in report.notes:
        job.say(note)
    return book


def _partial(job: _Job) -> Path:
    """The hidden file to encode to; of images the pattern, in a hidden folder."""
    place = ledger.place_of(job.output)
    return job.target.partial(place) if place == job.output else job.target.partial_folder(place) / job.output.name


def open_for_work(
    path: Path, say: Say = quiet, video_track: int | None = None, *, named: Path | None = None
) -> Source:
    """Open a file for work, which people named so; whether every frame decodes cleanly is for `IntactCheck`."""
    require_memory()
    bound_cache()
    say(f"reading {named or path}")
    opened = open_source(path, video_track)
    if any(opened.video.crop):
        left, top, right, bottom = opened.video.crop
        say(f"hidden by the container, and not shown: {left} px left, {top} top, {right} right, {bottom} bottom")
    require_memory(opened.clip.num_frames * frame_bytes(opened.clip) >> 20)
    map_planes(opened.clip)
    return opened


def _identities(settings: Settings) -> IdentitySettings:
    return IdentitySettings(across_cuts=settings.across_cuts)


def require_passed(checks: Sequence[Check], output: Path) -> None:
    """Raise where a check failed.

    Raises:
        CheckError: one did; all that did are named.
    """
    failed = [check for check in checks if not check.passed]
    if failed:
        lines = "\n".join(f"  {c.name}: expected {c.expected}, found {c.found}" for c in failed)
        if {check.name for check in failed} & {SHOWN, HIDDEN, WHOLE}:
            lines += f"\n  {_COARSE}"
        raise CheckError(f"{output} was not delivered: {len(failed)} of {len(checks)} checks failed\n{lines}")


_COARSE = (
    "the file does not show what was painted. Where the source is noisy, the preset's rate may be too low for it: "
    "choose one of a higher rate, or by quality (a CRF or ProRes)"
)
_MEANING = "changed is graded, cleaned or encoded anew, unknown is too flat to tell, unchecked was asked for"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
