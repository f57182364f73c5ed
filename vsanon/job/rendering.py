"""Tracks to a delivery: covered, encoded to a hidden name, verified, recorded, and only then delivered."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from vsanon import filters
from vsanon.encode import encode, plan_copy, presets, require_encodable
from vsanon.encode.joined import differs
from vsanon.encode.source_preset import natural
from vsanon.encode.spliced import splice
from vsanon.errors import CheckError, InputError
from vsanon.files import sha256_file
from vsanon.filters import props
from vsanon.job import again, ledger, ledger_signature
from vsanon.job.checks import Check
from vsanon.job.delivery import Target
from vsanon.job.file_checks import verify_file
from vsanon.job.frames import frames_of, our_errors, raw_video
from vsanon.job.images import as_file
from vsanon.job.later_colours import LaterColours
from vsanon.job.ledger import Counts
from vsanon.job.part import Part, searched_of
from vsanon.job.picture_checks import HIDDEN, SHOWN, WHOLE
from vsanon.job.progress import Progress, Say
from vsanon.job.settings import Settings
from vsanon.job.witness import Witness
from vsanon.media.intact import IntactCheck
from vsanon.media.source import Source
from vsanon.signing import Signer
from vsanon.tracking.same_picture import Verdict
from vsanon.tracks import edits
from vsanon.tracks.file import TrackWriter, read_tracks


@dataclass(frozen=True, slots=True)
class Job:
    """One file to deliver, and how; `coming`: its frames where they can be had before they are covered."""

    opened: Source
    part: Part | None
    output: Path
    target: Target
    settings: Settings
    preset: presets.Preset | None
    say: Say
    progress: Progress
    started: str
    sign: Signer | None
    earlier: again.Earlier | None = None
    coming: filters.VideoNode | None = None


def render(
    job: Job,
    intact: IntactCheck,
    data: filters.VideoNode,
    header: Mapping[str, Any],
    *,
    write_tracks: Path | None = None,
    read_from: Path | None = None,
    edited: Sequence[Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Render, encode to a hidden name, verify, write the ledger, and only then move all to their places.

    Args:
        write_tracks: also write the track file of what was found here.
        read_from: the track file that the data is from, whose edits are `edited`, see `edits.listed`.
    """
    part, target, settings = job.part, job.target, job.settings
    opened = job.opened if part is None else part.source(job.opened)
    cut = None if part is None else part.cut
    video = raw_video(opened)
    preset = job.preset or natural(opened.facts, video, job.output.suffix.lower())
    if job.preset is None:
        job.say(f"preset {preset.name}: {preset.notes}")
    require_encodable(video, preset)
    plan_copy(opened.facts, preset, settings.keep, settings.sound, cut)  # what is refused is so before the work
    painting = settings.painting(filters.grid_of(opened.video.codec))
    with our_errors(InputError):
        data = filters.around(job.coming or job.opened.clip, data, **painting.toning)
        data = data if part is None else part.tracks(job.opened, data)
        witness = Witness(opened.clip, data, painting, video, preset)
    anew = None
    if job.earlier is not None and read_from is not None:
        table, digest = edits.apply(read_tracks(read_from)), sha256_file(job.opened.path)
        anew = again.plan(
            job.earlier, opened, digest, table, part, painting=painting, preset=preset, pix_fmt=video.pix_fmt
        )
        job.say(anew.told)
    writer = TrackWriter(header, settings.identities).of_frames(opened.clip.num_frames)
    colours, counts = LaterColours(writer), Counts(identities=read_from is not None)
    missing, why = 0, ""
    pictures = dict.fromkeys((v.value for v in Verdict if v is not Verdict.OTHER), 0)

    def planes() -> Iterator[list[NDArray[Any]]]:
        nonlocal missing, why
        for frame in frames_of(witness.clip):
            intact.poll()
            painted, boxes = witness.add(frame)
            cut, searched = (bool(frame.props.get(name)) for name in (props.CUT, props.SEARCHED))
            miniature = witness.miniature(frame) if write_tracks is not None else None
            if read_from is None:
                colours.add(boxes, witness.tracks(frame), cut=cut, searched=searched, miniature=miniature)
            pictures[props.text(frame.props[props.PICTURE])] += 1
            counts.add(boxes)
            if props.MISSING in frame.props:
                missing, why = missing + 1, why or str(frame.props[props.MISSING])
            yield painted

    def on_frame(n: int) -> None:
        job.progress(n + 1, witness.clip.num_frames)

    partial, rate = _partial(job), video.timeline.fps if preset.muxer == "image2" else None
    with witness, our_errors(CheckError), contextlib.ExitStack() as held:
        facts, keep, sound = opened.facts, settings.keep, settings.sound
        beside: dict[str, Any] = {"source": facts, "keep": keep, "sound": sound, "cut": cut, "on_frame": on_frame}
        if anew is None or anew.why_all:
            report = encode(planes(), video, preset, partial, **beside)
        else:
            report = splice(planes(), video, preset, partial, before=job.output, stretches=anew.stretches, **beside)
        opened = opened.lacking(intact.finish())
        look = witness.look()
        encoded = partial
        partial = held.enter_context(as_file(encoded, rate))  # images are looked at as they lie there
        checks = verify_file(
            partial, video=video, preset=preset, source=facts, keep=keep, sound=sound, cut=cut, look=look
        )
        checks += witness.checks(look)
        require_passed(checks, job.output)
        target.require_unchanged()  # what is hashed for the ledger is what was read
        book = ledger.describe(
            opened,
            partial,
            job.output,
            times=(job.started, ledger.now()),
            analysis=header,
            painting=painting,
            preset=preset,
            keep=keep,
            sound=sound,
            pix_fmt=video.pix_fmt,
            report=report,
            encoded=encoded,
            counts=counts.table(writer.count() if read_from is None else {}),
            covered_whole=missing,
            searched=writer.frames_searched if read_from is None else searched_of(header, part),
            checks=checks,
            pictures=pictures,
            regions=witness.digests,
            part=part,
            edited=edited,
        )
        if write_tracks is not None:
            book["tracks"] = {
                "name": write_tracks.name, "sha256": target.put_lines(write_tracks, writer.lines())
            }  # fmt: skip
        elif read_from is not None:
            made_from_it = header.get("source_sha256") == book["source"]["sha256"]
            book["tracks"] = {
                "name": read_from.name, "sha256": sha256_file(read_from), "of_this_file": made_from_it,
            }  # fmt: skip
        if anew is not None and job.earlier is not None:
            again.require_so(book["regions"]["hmac_sha256"], anew.digests, job.output)
            if not anew.why_all:
                before = job.earlier.book["output"]["sha256"]
                book["again"] = {"output_sha256": before, "encode": differs(preset), "list": anew.facts}
        if job.sign is not None:
            book = ledger_signature.signed(book, job.sign)
        target.put(ledger.path_of(job.output), ledger.dump(book).encode())
        target.deliver()
    if missing:
        job.say(f"{missing} frames could not be searched and were covered whole: {why}")
    if differ := {name: count for name, count in pictures.items() if count and name != Verdict.SAME}:
        job.say(f"pictures against those analysed: {_listed(differ)}; {_MEANING}")
    for loss in book["not_carried"]:
        job.say(f"not carried: {loss}")
    for note in report.notes:
        job.say(note)
    return book


def _partial(job: Job) -> Path:
    """The hidden file to encode to; of images the pattern, in a hidden folder."""
    place = ledger.place_of(job.output)
    return job.target.partial(place) if place == job.output else job.target.partial_folder(place) / job.output.name


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
    "the file does not show what was painted. Where the source is noisy or full of fine edges, or a picture with "
    "sharp edges is laid over regions, the preset keeps too little of that: choose one of more bits (prores_hq), "
    "or ffv1, which loses nothing; in place of a picture, the profile strict"
)
_MEANING = "changed is graded, cleaned or encoded anew, unknown is too flat to tell, unchecked was asked for"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())
