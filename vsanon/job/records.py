"""What a ledger says of how its file was made, held against the source, the tracks and the presets that are here.

Not here, and so not counted again, are when it was made, by which versions, and ffmpeg's command; a signature
vouches for those.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import vsanon
from vsanon.encode import RawVideo, Sound, plan_copy
from vsanon.encode.presets import Preset
from vsanon.encode.presets import load as load_preset
from vsanon.encode.presets import names as shipped
from vsanon.job import ledger
from vsanon.job.checks import Check
from vsanon.job.part import Part
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
    if missing := [loss for loss in (*preset.loses(video.pix_fmt), *source.not_shown, *plan.not_carried)
                   if loss not in book["not_carried"]]:  # fmt: skip
        wrong.append(f"not_carried lacks {missing[0]!r:.100}")
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
    if "chunks" in book:
        spans = [(own["start"], own["stop"]) for own in book["chunks"]["list"]]
        edges = [0, *(stop for _, stop in spans)]
        hold("chunks", [*(start for start, _ in spans), book["frames"]], edges)
        checks = [*checks, borders_agree(len(spans))]
    wrong += _checks(book["checks"], checks, whole=header is not None, same_version=same_version)
    return Check(NAME, not wrong, "what source, tracks and preset say", "; ".join(wrong) or "the same")


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
    # Of those that compare two values; what others found is told in words and figures of their own.
    equal = {c.name: c.found for c in made if same_version and c.found == c.expected}
    wrong += [f"{e['name']!r:.60} found {e['found']!r:.60}, it is {equal[e['name']]!r:.60}" for e in said
              if equal.get(e["name"], e["found"]) != e["found"]]  # fmt: skip
    return [f"checks: {words}" for words in wrong[:1]]
