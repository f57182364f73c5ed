"""Rendered again after an edit: the packets of frames that it left alone are taken over from the file before.

A ledger holds a digest of how the frames are covered, for each hundred of them. Where that is still the same, and
source, preset and versions are too, the encoder would be handed the same frames. What was taken over is checked as
what was encoded: every frame is painted, and the whole file is decoded and compared with them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from vsanon.covering.effects import takes_tone
from vsanon.covering.surroundings import TONE_REACH
from vsanon.detections import TrackedBoxes
from vsanon.encode.joined import cuts_anywhere
from vsanon.encode.presets import Preset
from vsanon.encode.spliced import Stretch
from vsanon.errors import CheckError, InputError
from vsanon.files import sha256_file
from vsanon.job import ledger
from vsanon.job.ledger import Painting
from vsanon.job.part import Part
from vsanon.job.region_digests import SPAN
from vsanon.job.witness import digests_of
from vsanon.media.best_source import SOURCE_FILTER
from vsanon.media.sequences import is_pattern
from vsanon.media.source import Source
from vsanon.timing import FrameRange
from vsanon.tracks.table import TrackTable


@dataclass(frozen=True, slots=True)
class Earlier:
    """A file that was delivered before, and its ledger, which speaks of it to the byte."""

    output: Path
    book: Mapping[str, Any]


def earlier_at(output: Path) -> Earlier | None:
    """What was delivered to a place before; None where nothing lies there.

    Raises:
        InputError: what lies there has no ledger that speaks of it, or is images.
    """
    if is_pattern(output):
        raise InputError(f"{output}: images are not rendered again in part: name a new folder")
    if not output.exists() and not output.is_symlink():
        return None
    path, advice = (
        ledger.path_of(output),
        "replace it with --overwrite, or give the output another name",
    )
    if not path.exists():
        raise InputError(f"{output} is there, and has no ledger, so that nothing is known of it: {advice}")
    book = ledger.read(path)
    if book["output"]["sha256"] != sha256_file(output):
        raise InputError(f"{output} is there, and its ledger speaks of other bytes: {advice}")
    return Earlier(output, book)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is encoded anew.

    Args:
        stretches: all frames, in order.
        digests: of how they are covered now.
        why_all: why nothing is taken over; empty where something is.
    """

    stretches: tuple[Stretch, ...]
    digests: tuple[str, ...]
    why_all: str = ""

    @property
    def told(self) -> str:
        """What people are told."""
        if self.why_all:
            return f"all is encoded anew: {self.why_all}"
        anew = [stretch.frames for stretch in self.stretches if not stretch.taken]
        if not anew:
            return "no frame is covered otherwise than before: no picture is encoded anew"
        # Neighbours are one to people.
        ends = [anew[0].start, *(x for a, b in pairwise(anew) if a.stop != b.start for x in (a.stop, b.start))]
        ends.append(anew[-1].stop)
        spans = [f"{a} to {b - 1}" for a, b in zip(ends[::2], ends[1::2], strict=True)]
        return f"encoded anew: frames {', '.join(spans)}; the packets of all others are those of the file before"

    @property
    def facts(self) -> list[dict[str, Any]]:
        """The stretches, as the ledger lists them."""
        return [{"start": s.frames.start, "stop": s.frames.stop, "taken_over": s.taken} for s in self.stretches]


def plan(
    earlier: Earlier,
    source: Source,
    source_sha256: str,
    table: TrackTable,
    part: Part | None,
    *,
    painting: Painting,
    preset: Preset,
    pix_fmt: str,
) -> Plan:
    """What of an earlier file can be taken over.

    Args:
        earlier: the file.
        source: as it is delivered.
        source_sha256: of its file.
        table: its tracks, edits applied.
        part, painting, preset, pix_fmt: as for `ledger.describe`.
    """
    now, book, frames = digests_of(painting), earlier.book, source.clip.num_frames
    for boxes in _boxes(table, part):
        now.add(boxes)
    digests, before = tuple(now.keyed(source_sha256)), book["regions"]["hmac_sha256"]
    made = ledger.versions(f"{SOURCE_FILTER}, {source.filter_version}")
    anywhere = cuts_anywhere(preset)
    borders = range(0, frames, SPAN) if anywhere else borders_of(book, frames)
    why = ""
    if book["source"]["sha256"] != source_sha256:
        why = "the file before was made of another source"
    elif _without_python(book["versions"]) != _without_python(made):
        why = "the file before was made by other versions of vsanon, of ffmpeg or of what they rest on"
    elif ledger.preset_of(book) != preset:
        why = f"the file before was encoded otherwise, by the preset {book['preset']['name']}"
    elif book.get("part") != (None if part is None else part.facts):
        why = "another part of the source is delivered"
    elif book["video"] != ledger.video_entry(source, pix_fmt, preset) or len(before) != len(digests):
        why = "the file before has another picture"
    else:
        same = [a == b for a, b in zip(digests, before, strict=True)]
        if any(takes_tone(name, painting.profile, painting.fill) for name in set(table.classes)):
            # The colour of a region's surroundings is a mean over the frames around, which may lie beyond a border.
            assert TONE_REACH <= SPAN
            same = [all(same[max(k - 1, 0) : k + 2]) for k in range(len(same))]
        stretches = stretches_of(same, borders or [0], frames, merged=anywhere)
        if any(stretch.taken for stretch in stretches):
            return Plan(stretches, digests)
        why = "every part of it is covered otherwise"
        if borders is None:
            why = f"{preset.encoder} encodes groups of pictures, and the file before was not made in chunks"
    return Plan((Stretch(FrameRange(0, frames), taken=False),), digests, why)


def stretches_of(same: Sequence[bool], borders: Sequence[int], frames: int, *, merged: bool) -> tuple[Stretch, ...]:
    """The stretches between borders, each taken over where all of its frames are the same.

    Args:
        same: of each `SPAN` frames.
        borders: the first frames of the stretches.
        frames: their number.
        merged: neighbours that are encoded are encoded together.

    Examples:
        >>> found = stretches_of([True, False, True], [0, 100, 200], 250, merged=True)
        >>> [(s.frames.start, s.frames.stop, s.taken) for s in found]
        [(0, 100, True), (100, 200, False), (200, 250, True)]
        >>> [s.taken for s in stretches_of([True, False, True], [0, 50, 150, 210], 250, merged=False)]
        [True, False, False, True]
    """
    spans = [FrameRange(a, b) for a, b in pairwise([*borders, frames])]
    own = [Stretch(span, all(same[span.start // SPAN : (span.stop - 1) // SPAN + 1])) for span in spans]
    if not merged:
        return tuple(own)
    groups = (list(group) for _, group in groupby(own, key=lambda stretch: stretch.taken))
    return tuple(Stretch(FrameRange(g[0].frames.start, g[-1].frames.stop), g[0].taken) for g in groups)


def require_so(found: Sequence[str], wanted: Sequence[str], output: Path) -> None:
    """Raise where frames were not covered as it was planned for, and others should have been encoded anew.

    Raises:
        CheckError: they were not.
    """
    if list(found) != list(wanted):
        raise CheckError(f"{output} was not delivered: frames are covered otherwise than their tracks say")


def borders_of(book: Mapping[str, Any], frames: int) -> Sequence[int] | None:
    """The frames at which the encoder of a file began anew, as its ledger tells; None where it tells of none.

    Raises:
        InputError: the ledger lists parts that are not those of so many frames.
    """
    entry = book.get("again") or book.get("chunks")
    if entry is None:
        return None
    starts = [part["start"] for part in entry["list"]]
    if starts[:1] != [0] or any(a >= b for a, b in pairwise([*starts, frames])):
        raise InputError(f"the ledger is not a whole one: its parts are not those of its {frames} frames")
    return starts


def _boxes(table: TrackTable, part: Part | None) -> Iterator[TrackedBoxes]:
    """The boxes of the frames that are delivered."""
    none = table.at(0).select(np.zeros(0, np.intp))
    for n in range(len(table)):
        if part is None or n in part.frames:
            yield table.at(n)
        elif part.cut is None:
            yield none


def _without_python(versions: Mapping[str, str]) -> dict[str, str]:
    return {name: version for name, version in versions.items() if name != "python"}
