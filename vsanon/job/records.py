"""What a ledger says of how its file was made, held against the source, the tracks and the presets that are here.

Not here, and so not counted again, are when it was made, by which versions, ffmpeg's command, and which packets
were taken over from a file before; a signature vouches for those.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import vsanon
from vsanon import schemas
from vsanon.encode import CopyPlan, RawVideo, Sound, lost_in, lost_tags, plan_copy
from vsanon.encode.presets import Preset
from vsanon.encode.presets import load as load_preset
from vsanon.encode.presets import names as shipped
from vsanon.errors import InputError
from vsanon.job import ledger
from vsanon.job.checks import Check
from vsanon.job.part import Part
from vsanon.job.picture_checks import KEPT_OUT
from vsanon.media.source import Source

NAME = "the ledger's record of the work is true"
BORDERS = "chunks agree on the frames at their borders"


def borders_agree(chunks: int) -> Check:
    """What the join of a film's chunks vouches for: it had not come so far otherwise."""
    return Check(BORDERS, True, f"{chunks - 1} borders", "the same")


def check(
    book: Mapping[str, Any],
    source: Source,
    output: Path,
    video: RawVideo,
    preset: Preset,
    *,
    sound: Sound,
    header: Mapping[str, Any] | None,
    edits: Sequence[Mapping[str, Any]],
    part: Part | None,
    checks: Sequence[Check],
) -> Check:
    """Hold a ledger's entries against what they should be.

    Args:
        book: the ledger.
        source: the file that it was made from; of a part, as it is delivered.
        output: the delivered file.
        video: what its frames are.
        preset: the ledger's.
        sound: the ledger's.
        header: of the tracks; None where they could not be had, and what rests on them is not looked at.
        edits: of the track file, as the ledger lists them.
        part: the ledger's, as the source has it.
        checks: that were made by now of the kinds that the job makes, too.
    """
    wrong = []
    same_version = book["versions"].get("vsanon") == vsanon.__version__

    def hold(name: str, found: Any, wanted: Any) -> None:
        if found != wanted:
            wrong.append(f"{name}: {found!r:.60}, it is {wanted!r:.60}")

    hold("source, bytes", book["source"]["bytes"], source.path.stat().st_size)
    hold("output, bytes", book["output"]["bytes"], output.stat().st_size)
    hold("part", book.get("part"), None if part is None else part.facts)
    hold("painting", book["painting"], json.loads(json.dumps(ledger.Painting.of(book["painting"]).facts)))
    hold("video", book["video"], ledger.video_entry(source, video.pix_fmt, preset))
    if preset.name in shipped() and same_version:
        ours, said = (asdict(p) for p in (load_preset(preset.name), preset))
        for key in ours.keys() - {"tolerance"}:  # of which ours counts anyway
            hold(f"preset {preset.name}, {key}", said[key], ours[key])
    plan = plan_copy(source.facts, preset, book["keep"], sound, None if part is None else part.cut)
    lost = [*preset.loses(video.pix_fmt), *source.not_shown, *lost_in(video, preset), *plan.not_carried,
            *_lost_tags(plan, output)]  # fmt: skip
    wrong += [f"not_carried lacks {loss!r:.100}" for loss in lost if loss not in book["not_carried"]]
    wrong += [
        f"not_carried has {loss!r:.100}, which is not lost" for loss in book["not_carried"] if loss not in lost
    ]
    hold("sound, changes", book.get("sound", {}).get("changes", []), [change.facts for change in sound.changes])
    hold("converted", book.get("converted", []), list(plan.notes))
    hold("names", book.get("names", {}), dict(plan.names))
    hold("metadata_dropped", book.get("metadata_dropped"), list(plan.dropped_metadata))
    if header is not None:
        hold("analysis", book.get("analysis"), header.get("settings"))
        hold("models", book["models"], header.get("models", []))
        hold("frames_searched", book.get("frames_searched"), header.get("frames_searched"))
        hold("edits", list(book.get("edits", [])), list(edits))
        if "of_this_file" in book.get("tracks", {}):
            made_from_it = header.get("source_sha256") == book["source"]["sha256"]
            hold("tracks, of_this_file", book["tracks"]["of_this_file"], made_from_it)
    for name in ("chunks", "again"):
        if name in book:
            spans = [(own["start"], own["stop"]) for own in book[name]["list"]]
            hold(name, [*(start for start, _ in spans), book["frames"]], [0, *(stop for _, stop in spans)])
    if "chunks" in book:
        checks = [*checks, borders_agree(len(book["chunks"]["list"]))]
    wrong += [f"{place}: no entry that a ledger has" for place in schemas.undescribed(book, "ledger")]
    wrong += _checks(book["checks"], checks, whole=header is not None, same_version=same_version)
    return Check(NAME, not wrong, "what source, tracks and preset say", "; ".join(wrong) or "the same")


def _lost_tags(plan: CopyPlan, output: Path) -> list[str]:
    """Tags that found no place in the file; of one that can't be read, which other checks say, none."""
    try:
        return lost_tags(plan, output) if plan.streams else []
    except InputError:
        return []


def _checks(
    said: Sequence[Mapping[str, Any]], made: Sequence[Check], *, whole: bool, same_version: bool
) -> list[str]:
    """What is wrong with the checks that a ledger lists: they are those that the job makes, each once, and passed.

    Args:
        said: the ledger's.
        made: again, by now.
        whole: the job makes no others.
        same_version: this very vsanon wrote the ledger, in the same words.
    """
    names = [entry["name"] for entry in said]
    again = {check.name: check for check in made}
    wrong = [f"{name!r:.60} stands there twice" for name in names if names.count(name) > 1]
    wrong += [f"{name!r} is not among them" for name in again if name not in names]
    if whole:
        wrong += [f"{name!r:.60} is none that is made" for name in names if name not in again]
    wrong += [f"{entry['name']!r:.60} failed" for entry in said if not entry["passed"]]
    unseen = [c.name for c in made if not c.seen]
    wrong += [f"{entry['name']!r:.60} could see nothing" for entry in said
              if entry["name"] in unseen and entry.get("seen", True)]  # fmt: skip
    for entry in said if same_version else ():
        if (one := again.get(entry["name"])) is not None:
            name = f"{entry['name']!r:.60}"
            if entry["expected"] != one.expected:
                wrong.append(f"{name} expected {entry['expected']!r:.60}, it is {one.expected!r:.60}")
            if one.passed and one.name not in _BY_TRACK and not alike(entry["found"], one.found):
                wrong.append(f"{name} found {entry['found']!r:.60}, it is {one.found!r:.60}")
    return [f"checks: {words}" for words in wrong[:1]]


_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_WHERE = re.compile(r"\([^()]*(?:frame|plane) [^()]*\)")
_SHARE, _STEP = 0.05, 0.02
_BY_TRACK = frozenset({KEPT_OUT})
"""Adds up over tracks: those of a live search are anchors, of which a track file makes fewer."""


def alike(said: str, found: str) -> bool:
    """Whether two texts of what a check found say the same: decimals to a twentieth, as processors round otherwise.

    Examples:
        >>> alike("3.01 codes at most (frame 4, face 1)", "3.02 codes at most (frame 9, face 1)")
        True
        >>> alike("12 regions, 0.03 codes at most", "12 regions, 3.02 codes at most")
        False
        >>> alike("12 regions", "13 regions")
        False
    """
    if said == found:
        return True
    said, found = (_WHERE.sub("", text) for text in (said, found))
    pairs = list(zip(_NUMBER.findall(said), _NUMBER.findall(found), strict=False))
    return _NUMBER.sub("0", said) == _NUMBER.sub("0", found) and all(
        a == b or ("." in a and "." in b and abs(float(a) - float(b)) <= _STEP + _SHARE * float(b))
        for a, b in pairs
    )
