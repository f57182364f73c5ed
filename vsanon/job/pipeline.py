"""A file, end to end: open, find, follow, cover, encode, verify, and only then deliver, with a ledger."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from vsanon import filters, turns
from vsanon.covering.looks import AVERAGED
from vsanon.detectors.turned import AUTO
from vsanon.errors import CheckError, InputError
from vsanon.filters import props
from vsanon.filters.clips import film
from vsanon.job import ledger
from vsanon.job.again import earlier_at
from vsanon.job.delivery import Target
from vsanon.job.frames import frames_of, our_errors
from vsanon.job.images import as_file
from vsanon.job.opening import open_for_work, preset_for, require_models
from vsanon.job.part import part_of
from vsanon.job.progress import Progress, Say, quiet
from vsanon.job.rendering import Job, render
from vsanon.job.settings import Settings, track_header, video_track_of
from vsanon.job.sound_edits import with_edits
from vsanon.media.intact import IntactCheck
from vsanon.media.once import ReadAnewError
from vsanon.media.source import bound_cache
from vsanon.signing import Signer
from vsanon.tracks import edits
from vsanon.tracks.file import TrackWriter, read_tracks

_TOO_LARGE = "more of its frames are looked at together than fit into memory"
_WRITTEN = "wrote the track file {}; it is personal data"


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
        tracks: also write the track file here; where a part is delivered, all frames are searched for it.
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
    require_models(settings.search, say)  # what is missing is said before the file is read
    if tracks is not None and not settings.span.is_whole:
        return _part_with_tracks(source, output, settings, tracks, overwrite, sign, say, progress)

    def work(once: bool) -> dict[str, Any]:
        return _anonymized(source, output, settings, tracks, overwrite, sign, say, progress, once)

    return _read_again(work, source, say, unless=settings.search.turned == AUTO)


def _anonymized(
    source: Path,
    output: Path,
    settings: Settings,
    tracks: Path | None,
    overwrite: bool,
    sign: Signer | None,
    say: Say,
    progress: Progress,
    once: bool,
) -> dict[str, Any]:
    """`anonymize_file`; `once`: the source is decoded once only where it is of such a kind."""
    started, preset = ledger.now(), preset_for(source, output, settings)
    beside = [] if tracks is None else [tracks]
    with (
        as_file(source, settings.rate, settings.start_number) as file,
        Target([file], [*beside, ledger.place_of(output), ledger.path_of(output)], overwrite=overwrite) as target,
    ):
        opened = open_for_work(file, say, settings.video_track, named=source, once=once)
        part = part_of(settings.span, opened)
        on_error = "mark" if settings.on_missing == "mask" else "raise"
        with IntactCheck(opened) as intact:
            with our_errors(InputError):
                search = filters.settled(opened.clip, settings.search)
                # Fewer frames wait where nobody paints from colours that are means over time.
                later = part is None and settings.profile not in AVERAGED
                held = filters.hold(opened.clip, settings.track, colours_later=later)
                if held.short and opened.once is not None:
                    raise ReadAnewError(f"{source}: {_TOO_LARGE}")
                bound_cache(held.bytes)
                found = filters.detect(held.searched, search, on_error=on_error)
                data = filters.track(found, settings.track, colours_later=later)
                header = track_header(opened, settings, search, hashed=tracks is not None)
            waiting = replace(opened, clip=held.covered)
            job = Job(
                waiting, part, output, target, settings, preset, say, progress, started, sign, coming=held.waiting
            )
            return render(job, intact, data, header, write_tracks=tracks)


def _read_again[T](work: Callable[[bool], T], source: Path, say: Say, *, unless: bool) -> T:
    """Do work on a source that is decoded once; where that can't be after all, all of it again, with an index.

    Args:
        work: is told whether the source is decoded once.
        unless: frames of all its parts are looked at first, or none before those of one part: not once.
    """
    with film(str(source)), turns.opencv_in_one():
        if unless:
            return work(False)
        try:
            return work(True)
        except ReadAnewError as why:
            say(f"{why}: it is read anew, with an index")
        return work(False)


def _part_with_tracks(
    source: Path,
    output: Path,
    settings: Settings,
    tracks: Path,
    overwrite: bool,
    sign: Signer | None,
    say: Say,
    progress: Progress,
) -> dict[str, Any]:
    """`anonymize_file` of a part, in two steps, as a track file tells of every frame; errors come before both.

    Where a step fails, what lay at `tracks` before is still there.
    """
    preset_for(source, output, settings)
    with (
        as_file(source, settings.rate, settings.start_number) as file,
        Target([file], [tracks, ledger.place_of(output), ledger.path_of(output)], overwrite=overwrite),
    ):
        part_of(settings.span, open_for_work(file, quiet, settings.video_track, named=source))
    say("a track file tells of every frame: all are searched")
    with film(str(source)), tempfile.TemporaryDirectory(prefix="vsanon-") as folder:
        found = Path(folder) / tracks.name
        analyze_file(source, found, settings, progress=progress)
        book = render_file(
            source, found, output, settings, overwrite=overwrite, sign=sign, say=say, progress=progress
        )
        with Target([], [tracks], overwrite=overwrite) as target:
            target.put(tracks, found.read_bytes())
            target.deliver()
    say(_WRITTEN.format(tracks))
    return book


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
    require_models(settings.search, say)

    def work(once: bool) -> None:
        _analyzed(source, tracks, settings, overwrite, say, progress, once)

    _read_again(work, source, say, unless=settings.search.turned == AUTO)


def _analyzed(
    source: Path, tracks: Path, settings: Settings, overwrite: bool, say: Say, progress: Progress, once: bool
) -> None:
    """`analyze_file`; `once`: the source is decoded once only where it is of such a kind."""
    with (
        as_file(source, settings.rate, settings.start_number) as file,
        Target([file], [tracks], overwrite=overwrite) as target,
    ):
        opened = open_for_work(file, say, settings.video_track, named=source, once=once)
        with IntactCheck(opened) as intact:
            with our_errors(InputError):
                if opened.once is not None and not filters.keep_searched(opened.clip, settings.track):
                    raise ReadAnewError(f"{source}: {_TOO_LARGE}")
                search = filters.settled(opened.clip, settings.search)
                data = filters.track(filters.detect(opened.clip, search), settings.track)
                writer = TrackWriter(track_header(opened, settings, search), settings.identities)
            with our_errors(CheckError):
                for n, frame in enumerate(frames_of(data)):
                    intact.poll()
                    cut, searched = (bool(frame.props.get(name)) for name in (props.CUT, props.SEARCHED))
                    boxes, miniature = props.read_tracked(frame.props), np.asarray(frame[0])
                    writer.add(boxes, cut=cut, searched=searched, miniature=miniature)
                    progress(n + 1, data.num_frames)
            intact.finish()
        target.put_lines(tracks, writer.lines())
        target.deliver()
    say(_WRITTEN.format(tracks))


def render_file(
    source: Path,
    tracks: Path,
    output: Path,
    settings: Settings,
    *,
    overwrite: bool = False,
    again: bool = False,
    sign: Signer | None = None,
    say: Say = quiet,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Cover what a track file says; the same bytes as `anonymize_file` gives where the file was not edited.

    Args:
        again: replace what was delivered to `output` before, and encode only what is covered otherwise since, where
            the codec lets files be joined there; else all of it, which is said. The ledger lists what was.
        source, tracks, output, settings, overwrite, sign, say, progress: as for `anonymize_file`.

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

    def work(once: bool) -> dict[str, Any]:
        return _rendered(source, tracks, output, settings, overwrite, again, sign, say, progress, once)

    return _read_again(work, source, say, unless=again or not settings.span.is_whole)


def _rendered(
    source: Path,
    tracks: Path,
    output: Path,
    settings: Settings,
    overwrite: bool,
    again: bool,
    sign: Signer | None,
    say: Say,
    progress: Progress,
    once: bool,
) -> dict[str, Any]:
    """`render_file`; `once`: the source is decoded once only where it is of such a kind."""
    started, preset = ledger.now(), preset_for(source, output, settings)
    with (
        as_file(source, settings.rate, settings.start_number) as file,
        Target(
            [file, tracks], [ledger.place_of(output), ledger.path_of(output)], overwrite=overwrite or again
        ) as target,
    ):
        earlier = earlier_at(output) if again else None
        if again and earlier is None:
            say(f"nothing was rendered to {output} before: all is encoded")
        table = read_tracks(tracks)
        header = table.header
        opened = open_for_work(file, say, video_track_of(header), named=source, once=once)
        sound = with_edits(settings.sound, edits.edits_of(table), opened.timeline)
        settings = replace(settings, sound=sound)
        part, edited = part_of(settings.span, opened), edits.listed(table)
        job = Job(opened, part, output, target, settings, preset, say, progress, started, sign, earlier)
        with IntactCheck(opened) as intact:
            with our_errors(InputError):
                if opened.once is None:
                    data = filters.load(opened.clip, tracks, same_picture=settings.same_picture)
                else:  # the first is there, and the others are compared as they come
                    same = settings.same_picture
                    data = filters.load_table(opened.clip, edits.apply(table), tracks, same_picture=same, first=[0])
            return render(job, intact, data, header, read_from=tracks, edited=edited)
