"""Does a file hold more than is played of it, and does its header say how that is played?"""

from pathlib import Path

from vsanon.encode import is_telemetry
from vsanon.errors import InputError
from vsanon.job.checks import Check
from vsanon.media import Held, MediaFacts, held, hidden, wrong_lengths

HELD = "nothing is hidden in the file"
_PRIMING = 3
"""Packets of sound that an encoder writes before the first sample, as AAC's of Apple do (2,112 samples)."""
_TIMECODE_BYTES = 4
LENGTHS = "the header says how the file is played"


def held_checks(path: Path, facts: MediaFacts, frames: int) -> list[Check]:
    """Look for what players pass over: packets, bytes that belong to none, and what lies in pictures beside them.

    Whoever has the file gets all of it. It has as many packets of the picture as frames; in MOV and MP4 no sound
    that an edit list leaves out, and a header that names the lengths and the speed that are there.

    Args:
        path: the file.
        facts: of it.
        frames: that it shows.
    """
    expected = f"{frames} pictures, and nothing beside what is played"
    is_mov = "mov" in facts.container
    try:
        found = held(path)
        played = held(path, edits=True) if is_mov else found
        wrong = []
        if facts.video is not None and (count := found.packets[facts.video.index]) != frames:
            wrong.append(f"{count} pictures")
        pairs = zip(found.packets, played.packets, strict=True)
        # Texts have samples of nothing, before and after what is shown.
        heard = {stream.index for stream in facts.streams if stream.kind == "audio"}
        wrong += [f"stream {k}: {was} packets, {now} of them are played"
                  for k, (was, now) in enumerate(pairs) if was - now > _PRIMING and k in heard]  # fmt: skip
        wrong += [*_data(facts, found), *found.beside, *hidden(path, facts, found)]
        other = wrong_lengths(path) if is_mov else []
    except InputError as error:
        return [Check(HELD, False, expected, f"can't be read: {error}")]
    checks = [Check(HELD, not wrong, expected, "; ".join(wrong) or "the same")]
    if is_mov:
        checks.append(
            Check(LENGTHS, not other, "the lengths and the speed of its samples", "; ".join(other) or "the same")
        )
    return checks


def _data(facts: MediaFacts, found: Held) -> list[str]:
    """The tracks of data that are none of ours: there is one timecode, of one sample, and one track of chapters.

    Telemetry that was to be kept is compared with the source's.
    """
    wrong, left = [], {"tmcd": _TIMECODE_BYTES, "text": 0}
    for stream in facts.streams:
        if stream.kind in ("video", "audio", "subtitle", "attachment") or is_telemetry(stream):
            continue
        entry, size = "" if stream.track is None else stream.track.entry, found.each[stream.index]
        if left.pop(entry, -1) < size:
            wrong.append(f"{size} bytes in stream {stream.index}, a track of {entry or stream.kind!r}")
    return wrong
