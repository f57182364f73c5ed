"""The chunks of a file become one: joined, checked as a whole like any delivered file, and delivered with a ledger.

Nothing is searched or painted here. The records of all chunks are counted as if one job had made them, and what
they kept of the painted frames is what the joined file is compared with.
"""

import shlex
import shutil
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

from vsanon.encode import RawVideo, require_encodable
from vsanon.encode.joined import Piece, differs, join
from vsanon.errors import CheckError, InputError
from vsanon.farm.chunk_files import book_of, files_of
from vsanon.farm.delivered import delivered_by
from vsanon.farm.frame_records import FrameRecord, read_records
from vsanon.farm.locks import held
from vsanon.farm.plan import FilePlan, Plan
from vsanon.farm.plan_fit import require_source
from vsanon.job import ledger, ledger_signature
from vsanon.job.block_means import scales
from vsanon.job.checks import Check
from vsanon.job.delivery import Target
from vsanon.job.file_checks import verify_file
from vsanon.job.frames import our_errors, raw_video
from vsanon.job.images import as_file
from vsanon.job.ledger import Counts
from vsanon.job.opening import open_for_work
from vsanon.job.painted import PaintedFrames
from vsanon.job.picture_checks import PictureLook
from vsanon.job.progress import Say, quiet
from vsanon.job.records import borders_agree
from vsanon.job.region_checks import PaintingSeen
from vsanon.job.region_digests import RegionDigests
from vsanon.job.rendering import require_passed
from vsanon.job.tolerances import allowed_for
from vsanon.job.witness import digests_of
from vsanon.media.intact import IntactCheck
from vsanon.media.source import Source
from vsanon.signing import Signer
from vsanon.tracking.identities import IdentitySettings
from vsanon.tracking.same_picture import Verdict
from vsanon.tracks import edits
from vsanon.tracks.file import TrackWriter, read_tracks


def join_file(
    plan: Plan,
    file: FilePlan,
    *,
    sign: Signer | None = None,
    keep_chunks: bool = False,
    overwrite: bool = False,
    say: Say = quiet,
) -> dict[str, Any] | None:
    """Join the chunks of a file and deliver it; of the work "analyze", its track file.

    Args:
        plan: the plan.
        file: one of its files.
        sign: the key that the ledger is signed with.
        keep_chunks: leave the chunks where they are.
        overwrite: replace what lies at the output.
        say: takes lines for people.

    Returns:
        The ledger, as written beside the output; None where a track file was delivered, or where all of it was
        delivered before by this plan.

    Raises:
        InputError: chunks are missing, the source is another, or something else lies at the output.
        CheckError: the chunks do not fit each other, or a check failed; nothing was delivered.
    """
    if delivered_by(plan, file):
        return None
    lock = plan.folder / f"{file.id}.lock"
    with held(lock):
        if delivered_by(plan, file):  # by another process, which was waited for
            return None
        book = _join(plan, file, sign, say, overwrite=overwrite)
        if not keep_chunks:
            with suppress(OSError):
                shutil.rmtree(plan.folder / file.id)
                lock.unlink()
                plan.folder.rmdir()  # once the last file is joined
        return book


def _join(plan: Plan, file: FilePlan, sign: Signer | None, say: Say, *, overwrite: bool) -> dict[str, Any] | None:
    books = [book_of(plan, unit) for unit in file.units]
    if missing := [unit for unit, book in zip(file.units, books, strict=True) if book is None]:
        unfit = sum(files_of(plan, unit).ledger.exists() for unit in missing)
        raise InputError(
            f"{plan.path}: {len(missing)} of {len(books)} chunks of {file.source.name} are not done: "
            f"run `vsanon farm chunk {shlex.quote(str(plan.path))} {missing[0]}`"
            + (", and the others" if missing[1:] else "")
            + (f"; of {unfit} of them files are there that were changed, or are another plan's" if unfit else "")
        )
    done = [book for book in books if book is not None]
    _require_agreed(plan, file, done)
    require_source(file)
    try:
        ledger.place_of(file.output).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{file.output.parent}: can't be made: {error.strerror}") from error
    if plan.work != "analyze":
        return _deliver(plan, file, done, sign, say, overwrite=overwrite)
    _deliver_tracks(plan, file, overwrite=overwrite)
    return None


def _require_agreed(plan: Plan, file: FilePlan, books: Sequence[Mapping[str, Any]]) -> None:
    for (left, right), (before, after) in zip(pairwise(file.units), pairwise(books), strict=True):
        if before["borders"]["next"] != after["borders"]["first"]:
            raise CheckError(
                f"{file.source}: the chunks {left} and {right} do not agree on frame {after['start']}: they were "
                f"made on {before['processor']} and {after['processor']}. Remove {files_of(plan, left).ledger} and "
                f"{files_of(plan, right).ledger}, and do these chunks again on one kind of machine; or analyse "
                "first, and render from the track file"
            )


def _records(plan: Plan, file: FilePlan) -> Iterator[FrameRecord]:
    for unit, span in zip(file.units, file.chunks, strict=True):
        count = 0
        for record in read_records(files_of(plan, unit).records):
            count += 1
            yield record
        if count != len(span):
            raise CheckError(
                f"{unit}: the chunk knows {count} of its {len(span)} frames: remove "
                f"{files_of(plan, unit).ledger}, and do it again"
            )


def _deliver_tracks(plan: Plan, file: FilePlan, *, overwrite: bool) -> None:
    with Target([file.source], [file.output], overwrite=overwrite) as target:
        opened = open_for_work(file.source, video_track=file.header["video_track"])
        with IntactCheck(opened) as intact:
            writer = TrackWriter(file.header, plan.settings.identities)
            for record in _records(plan, file):
                intact.poll()
                writer.add(record.boxes, cut=record.cut, searched=record.searched, miniature=record.miniature)
            intact.finish()
        target.put_lines(file.output, writer.lines())
        target.deliver()


def _deliver(
    plan: Plan,
    file: FilePlan,
    books: Sequence[Mapping[str, Any]],
    sign: Signer | None,
    say: Say,
    *,
    overwrite: bool,
) -> dict[str, Any]:
    place, book_path = ledger.place_of(file.output), ledger.path_of(file.output)
    inputs = [file.source] if file.tracks is None else [file.source, file.tracks[0]]
    started, preset, settings = min(book["started"] for book in books), plan.preset, plan.settings
    with Target(inputs, [place, book_path], overwrite=overwrite) as target:
        track = file.header.get("video_track")
        opened = open_for_work(file.source, say, track if isinstance(track, int) else None)
        video = raw_video(opened)
        require_encodable(video, preset)
        painting = plan.painting(opened.video.codec)
        partial = target.partial(place) if place == file.output else target.partial_folder(place) / file.output.name
        pictures = [files_of(plan, unit).picture for unit in file.units]
        pieces = [Piece(p, len(span)) for p, span in zip(pictures, file.chunks, strict=True) if p is not None]
        with (
            our_errors(CheckError),
            IntactCheck(opened) as intact,
            PaintedFrames(video.size, scales(video, preset)[0]) as kept,
        ):
            count = _Count(file, digests_of(painting), settings.identities, is_found=file.tracks is None)
            for record in _records(plan, file):
                intact.poll()
                count.add(record)
            for unit, span, book in zip(file.units, file.chunks, books, strict=True):
                paint = files_of(plan, unit).paint
                assert paint is not None
                kept.append(paint, len(span), book["too_small"])
            report = join(
                pieces, video, preset, partial, source=opened.facts, keep=settings.keep, sound=settings.sound,
                on_piece=lambda _: intact.poll(),
            )  # fmt: skip
            with as_file(partial, video.timeline.fps if preset.muxer == "image2" else None) as looked_at:
                try:
                    checks = _checks(plan, opened, video, looked_at, kept, books)
                except (struct.error, zlib.error, ValueError) as error:
                    raise CheckError(
                        f"{file.source}: what its chunks kept of the painted frames can't be read: remove "
                        f"{plan.folder / file.id}, and do them again"
                    ) from error
                opened = opened.lacking(intact.finish())  # the source is read beside all of this
                require_passed(checks, file.output)
                target.require_unchanged()
                book = ledger.describe(
                    opened,
                    looked_at,
                    file.output,
                    times=(started, ledger.now()),
                    analysis=file.header,
                    painting=painting,
                    preset=preset,
                    keep=settings.keep,
                    sound=settings.sound,
                    pix_fmt=video.pix_fmt,
                    report=report,
                    encoded=partial,
                    counts=count.table(),
                    covered_whole=count.missing,
                    searched=count.searched,
                    checks=checks,
                    pictures=count.pictures,
                    regions=count.digests,
                    edited=None if file.tracks is None else edits.listed(read_tracks(file.tracks[0])),
                )
        if book["source"]["sha256"] != file.sha256:
            raise CheckError(f"{file.source} is not the file that the plan was made for: nothing was delivered")
        if file.tracks is not None:
            made_from_it = file.header.get("source_sha256") == book["source"]["sha256"]
            path, sha256 = file.tracks
            book["tracks"] = {"name": path.name, "sha256": sha256, "of_this_file": made_from_it}
        book["chunks"] = {
            "plan_sha256": plan.sha256,
            "encode": differs(preset),
            "list": [{name: own[name] for name in _LISTED} for own in books],
        }
        if sign is not None:
            book = ledger_signature.signed(book, sign)
        target.put(book_path, ledger.dump(book).encode())
        target.deliver()
    return book


_LISTED = ("start", "stop", "started", "finished", "processor", "frames_sha256", "files")


class _Count:
    """What the ledger counts, of all frames in order, as one job counts them."""

    def __init__(
        self, file: FilePlan, digests: RegionDigests, identities: IdentitySettings, *, is_found: bool
    ) -> None:
        self._writer = TrackWriter(file.header, identities)
        self._counts = Counts(identities=not is_found)
        self._is_found, self._header = is_found, file.header
        self.digests = digests
        self.missing = 0
        self.pictures = dict.fromkeys((v.value for v in Verdict if v is not Verdict.OTHER), 0)

    def add(self, record: FrameRecord) -> None:
        if self._is_found:
            self._writer.add(record.boxes, cut=record.cut, searched=record.searched)
        self._counts.add(record.boxes)
        self.digests.add(record.boxes)
        self.missing += record.missing is not None
        self.pictures[record.picture] += 1

    @property
    def searched(self) -> int | None:
        return self._writer.frames_searched if self._is_found else self._header.get("frames_searched")

    def table(self) -> dict[str, Any]:
        return self._counts.table(self._writer.count() if self._is_found else {})


def _checks(
    plan: Plan,
    opened: Source,
    video: RawVideo,
    partial: Path,
    kept: PaintedFrames,
    books: Sequence[Mapping[str, Any]],
) -> list[Check]:
    """Those of a job on the whole file, and that the chunks fit each other."""
    preset, settings = plan.preset, plan.settings
    allowed = allowed_for(video, preset, preset.tolerance, picture=settings.profile == "picture")
    look = PictureLook(kept, scales(video, preset)[1], *allowed, sharp=settings.profile == "picture")
    checks = verify_file(
        partial,
        video=video,
        preset=preset,
        source=opened.facts,
        keep=settings.keep,
        sound=settings.sound,
        look=look,
    )
    seen = PaintingSeen()
    for book in books:
        seen.add(PaintingSeen(**book["seen"]))
    return [*checks, *seen.checks(), *look.checks(), borders_agree(len(books))]
