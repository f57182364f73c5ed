"""Checking a delivered file later: what it must show is painted once more, from source, tracks and ledger."""

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from vsanon import filters
from vsanon.detectors.search import Search
from vsanon.encode import AS_IS, Sound
from vsanon.encode.presets import Preset, Tolerance
from vsanon.encode.presets import load as load_preset
from vsanon.encode.presets import names as shipped
from vsanon.errors import CheckError, InputError
from vsanon.files import sha256_file
from vsanon.filters import props
from vsanon.job import ledger, ledger_signature, records
from vsanon.job.anonymised import objections
from vsanon.job.checks import Check
from vsanon.job.delivery import stamp
from vsanon.job.file_checks import verify_file
from vsanon.job.frames import frames_of, our_errors, raw_video
from vsanon.job.images import as_file
from vsanon.job.ledger import Counts, Painting
from vsanon.job.opening import open_for_work
from vsanon.job.part import part_from, searched_of
from vsanon.job.progress import Progress, quiet
from vsanon.job.region_digests import first_difference
from vsanon.job.settings import Settings, track_header
from vsanon.job.sound_edits import with_edits
from vsanon.job.witness import Witness
from vsanon.media.intact import require_intact
from vsanon.media.sequences import is_sequence
from vsanon.media.source import Source
from vsanon.tracking.evidence import Evidences
from vsanon.tracking.identities import IdentitySettings
from vsanon.tracking.settings import TrackSettings
from vsanon.tracks import edits
from vsanon.tracks.edit_kinds import Edit
from vsanon.tracks.file import TrackWriter, read_tracks

REGIONS = "regions are the ledger's"
COUNTS = "counts are the ledger's"

_ANEW = (
    "they were searched for again, and on another kind of processor a box can lie elsewhere by a sample: verify on "
    "the kind that made it, or from its track file (--tracks)"
)

_BY_FILE = "the same, by the track file: what that leaves out was not searched for again"


def verify_delivery(
    output: Path,
    source: Path,
    ledger_file: Path | None = None,
    tracks: Path | None = None,
    public_key: Path | None = None,
    *,
    progress: Progress = quiet,
) -> list[Check]:
    """Check a delivered file again: paint its source once more, as its ledger says, and compare.

    Args:
        output: the delivered file.
        source: the file that it was made from.
        ledger_file: the ledger; None looks beside the output.
        tracks: the track file; None: the one that the ledger names, beside ledger or source, and where the job
            found the regions itself, they are searched for again.
        public_key: of who is said to have signed the ledger.
        progress: called with (frames done, frames in all).

    Raises:
        InputError: a file is missing or can't be read, or the ledger is not a whole one.
        MissingError: a model is missing, or a library.
        CheckError: a frame could not be searched, or a file changed meanwhile, so that its parts are not of one.
    """
    where = ledger_file or ledger.path_of(output)
    book = ledger.read(where)
    said = _read(book, where)
    tracks = tracks or _beside(book, [where.parent, source.parent])
    files = [path for path in (source, output, where, tracks) if path is not None and not is_sequence(path)]
    before = {path: stamp(path) for path in files}
    with contextlib.ExitStack() as held:
        source, output = (_file(held, path, book) for path in (source, output))
        checks = _verified(output, source, book, said, tracks, public_key, progress)
    for path, was in before.items():
        if stamp(path) != was:
            raise CheckError(f"{path} changed while it was checked: check it again, where nobody writes to it")
    return checks


def _file(held: contextlib.ExitStack, path: Path, book: Mapping[str, Any]) -> Path:
    """What a path stands for, as a file: images at the rate that the ledger says."""
    if not is_sequence(path):
        return path
    try:
        rate = Fraction(book["video"]["rate"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise InputError(f"{path}: the ledger does not say the rate of the images: {error!r}") from error
    return held.enter_context(as_file(path, rate))


def _verified(
    output: Path,
    source: Path,
    book: Mapping[str, Any],
    said: "_Said",
    tracks: Path | None,
    public_key: Path | None,
    progress: Progress,
) -> list[Check]:
    checks = [ledger_signature.check(book, public_key)]
    checks += [_same_hash(f"{name} is the ledger's", said.hashes[name], path)
               for name, path in (("source", source), ("output", output))]  # fmt: skip
    if tracks is not None:
        if "tracks" in said.hashes:
            checks.append(_same_hash("tracks are the ledger's", said.hashes["tracks"], tracks))
        else:
            checks.append(
                Check("tracks are the ledger's", False, "none: the ledger names no track file", tracks.name)
            )
    whole = open_for_work(source, video_track=said.video_track)
    whole = whole.lacking(require_intact(whole))
    part = None if said.part is None else part_from(said.part, whole)
    opened, cut = (whole, None) if part is None else (part.source(whole), part.cut)
    video = raw_video(opened)
    try:
        with our_errors(InputError):
            made = _searched(whole, book) if tracks is None else _loaded(whole, tracks, said.painting)
            made = replace(made, data=filters.around(whole.clip, made.data, **said.painting.toning))
            if part is not None:
                made = replace(made, data=part.tracks(whole, made.data), writer=made.writer_for(opened))
            witness = Witness(opened.clip, made.data, said.painting, video, said.preset, _tolerance(said.preset))
    except InputError as error:
        # The other checks are told all the same, but what could not be looked at is no pass.
        checks.append(Check(REGIONS, False, "painted once more, and compared", f"not checked: {error}"))
        of_file = verify_file(
            output, video=video, preset=said.preset, source=opened.facts, keep=said.keep, sound=said.sound, cut=cut
        )
        record = records.check(
            book, opened, output, video, said.preset, sound=said.sound, header=None, edits=(), part=part,
            checks=of_file,
        )  # fmt: skip
        return [*checks, record, *of_file]
    sound = with_edits(said.sound, made.edited, opened.timeline)
    with witness, our_errors(CheckError):
        checks += _painted_again(witness, made, said, progress)
        look = witness.look()
        of_file = verify_file(
            output,
            video=video,
            preset=said.preset,
            source=opened.facts,
            keep=said.keep,
            sound=sound,
            cut=cut,
            look=look,
        )
        of_file += witness.checks(look)
    searched = made.writer.frames_searched if tracks is None else searched_of(made.header, part)
    header = {**made.header, "frames_searched": searched}
    checks.append(
        records.check(book, opened, output, video, said.preset, sound=sound, header=_plain(header),
                      edits=made.edits, part=part, checks=of_file)
    )  # fmt: skip
    return checks + of_file


@dataclass(frozen=True, slots=True)
class _Said:
    """What a ledger says that the checks rest on; `anonymised` is what follows from its other entries."""

    preset: Preset
    painting: Painting
    keep: Sequence[str]
    sound: Sound
    video_track: int | None
    hashes: Mapping[str, str]
    regions: Sequence[str]
    counts: Mapping[str, Any]
    part: Mapping[str, Any] | None
    anonymised: bool


def _read(book: Mapping[str, Any], where: Path) -> _Said:
    try:
        painting = book["painting"]
        hashes = {name: str(book[name]["sha256"]) for name in ("source", "output", "tracks") if name in book}
        return _Said(
            ledger.preset_of(book),
            Painting.of(painting),
            [str(name) for name in book["keep"]],
            Sound(str(book["sound"]["mode"]), tuple(int(n) for n in book["sound"]["tracks"]))
            if "sound" in book
            else AS_IS,
            int(book["video"]["track"]) if "track" in book["video"] else None,
            hashes,
            [str(digest) for digest in book["regions"]["hmac_sha256"]],
            _figures(
                book["classes"], book["pictures"], book["frames"], book["frames_covered_whole"], book["anonymised"]
            ),
            book.get("part"),
            not objections(book),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"{where}: a ledger, but not a whole one: {error!r}") from error


def _beside(book: Mapping[str, Any], folders: Sequence[Path]) -> Path | None:
    """The track file that a ledger names, where it lies beside others of the job; a name, never a path."""
    entry = book.get("tracks")
    name = entry.get("name") if isinstance(entry, dict) else None
    if not isinstance(name, str) or Path(name).name != name:
        return None
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


@dataclass(frozen=True, slots=True)
class _Made:
    """The tracks once more: of a file, or found anew, and then linked by the writer to count them."""

    data: filters.VideoNode
    header: Mapping[str, Any]
    writer: TrackWriter
    edits: Sequence[Mapping[str, Any]] = ()
    edited: Sequence[Edit] = ()
    found_anew: bool = False

    def writer_for(self, opened: Source) -> TrackWriter:
        """A writer that counts the tracks of a part."""
        return self.writer.of_frames(opened.clip.num_frames)


def _loaded(opened: Source, tracks: Path, painting: Painting) -> _Made:
    table = read_tracks(tracks)
    data = filters.load(opened.clip, tracks, same_picture=painting.same_picture)
    return _Made(data, table.header, TrackWriter(table.header), edits.listed(table), edits.edits_of(table))


def _searched(opened: Source, book: Mapping[str, Any]) -> _Made:
    """The tracks as the job found them, by the settings in the ledger; another search than the job's is refused."""
    if "edits" in book:
        entry = book.get("tracks")
        named = f" {entry['name']}" if isinstance(entry, dict) else ", which the ledger does not name"
        raise InputError(f"the regions come from a track file{named}: name it with --tracks")
    try:
        said = book["analysis"]
        search = Search(**{entry.name: said[entry.name] for entry in fields(Search)})
        search = replace(search, turned=said["turned_asked"])
        track = TrackSettings(**{**said["track"], "evidence": Evidences.of(said["track"]["evidence"])})
        settings = Settings(search, track, across_cuts=said["across_cuts"])
        on_error = "mark" if book["painting"]["on_missing"] == "mask" else "raise"
        theirs = [model["sha256"] for model in book["models"]]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(
            f"the ledger does not say how its regions were found ({error!r}): name the track file with --tracks"
        ) from error
    search = filters.settled(opened.clip, settings.search)
    header = track_header(opened, settings, search, hashed=False)
    if [model["sha256"] for model in header["models"]] != theirs or _plain(header["settings"]) != _plain(said):
        raise InputError(
            "the search can't be made again here: other models, or other settings of them, than the ledger's: name "
            "the track file with --tracks, or use the vsanon that wrote it"
        )
    found = filters.detect(opened.clip, search, on_error=on_error)
    writer = TrackWriter(header, IdentitySettings(across_cuts=settings.across_cuts))
    return _Made(filters.track(found, settings.track), header, writer, found_anew=True)


def _plain(value: Any) -> Any:
    """As JSON holds it."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _painted_again(
    witness: Witness, made: _Made, said: _Said, progress: Callable[[int, int], None]
) -> list[Check]:  # fmt: skip
    """Hand every frame to the witness; what its regions tell of the ledger."""
    counts, missing, frames = Counts(identities=not made.found_anew), 0, witness.clip.num_frames
    pictures: Counter[str] = Counter()
    for n, frame in enumerate(frames_of(witness.clip)):
        _, boxes = witness.add(frame)
        counts.add(boxes)
        if made.found_anew:
            cut, searched = (bool(frame.props.get(name)) for name in (props.CUT, props.SEARCHED))
            made.writer.add(boxes, cut=cut, searched=searched)
        pictures[props.text(frame.props[props.PICTURE])] += 1
        missing += props.MISSING in frame.props
        progress(n + 1, frames)
    other = first_difference(witness.digests.keyed(said.hashes["source"]), said.regions, frames)
    if other and made.found_anew:
        other += f"; {_ANEW}"
    table = counts.table(made.writer.count() if made.found_anew else {})
    found = _figures(table, pictures, frames, missing, said.anonymised)
    wrong = [f"{name} {said.counts.get(name)}, found {value}" for name, value in found.items()
             if said.counts.get(name) != value]  # fmt: skip
    wrong += [f"{name} {said.counts[name]}, found none" for name in said.counts.keys() - found.keys()]
    return [
        Check(
            REGIONS,
            not other,
            f"{len(said.regions)} digests",
            other or ("the same" if made.found_anew else _BY_FILE),
        ),
        Check(
            COUNTS,
            not wrong,
            "frames, boxes and tracks of each class, and pictures",
            "; ".join(wrong) or "the same",
        ),
    ]


def _figures(
    classes: Mapping[str, Any], pictures: Mapping[str, int], frames: int, covered_whole: int, anonymised: bool
) -> dict[str, Any]:
    keys = ("frames", "boxes", "tracks")
    counted = {f"{name} {key}": counts[key] for name, counts in classes.items() for key in keys}
    counted |= {f"pictures {name}": count for name, count in pictures.items() if count}
    return {**counted, "frames": frames, "frames covered whole": covered_whole, "anonymised": anonymised}


def _tolerance(preset: Preset) -> Tolerance:
    """Of a preset that we ship, ours: a ledger could name a greater one. That of others is bounded."""
    return load_preset(preset.name).tolerance if preset.name in shipped() else preset.tolerance


def _same_hash(name: str, wanted: str, path: Path) -> Check:
    found = sha256_file(path)
    return Check(name, found == wanted, wanted, found)
