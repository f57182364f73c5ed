"""Is what goes beside the picture what was meant? Streams, times, chapters, names and texts, as in the source."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

from vsanon.encode import (
    CONTAINER_METADATA,
    KEPT_METADATA,
    CopyPlan,
    RawVideo,
    SoundFit,
    found_played,
    is_telemetry,
    played,
    reel_of,
    same_language,
    start_origin,
    timecode_of,
)
from vsanon.encode.sound import LOSSY, keeps_bytes, sample_bytes
from vsanon.job.checks import Check, equal
from vsanon.media import (
    Chapter,
    MediaFacts,
    StreamFacts,
    StreamPackets,
    what_name_tells,
)
from vsanon.media.headers import BESIDE
from vsanon.timing import Timeline

# Keys that ffmpeg's muxers write of their own accord, with values that say nothing of the source.
_WRITTEN_BY_FFMPEG = frozenset({"encoder", "handler_name", "vendor_id"})
_WRITTEN_INTO_MXF = (
    frozenset(
        ("operational_pattern_ul", "uid", "generation_uid", "company_name", "product_name", "product_version_num")
    )
    | frozenset(
        ("product_version", "application_platform", "product_uid", "toolkit_version_num", "material_package_umid")
    )
    | frozenset(("file_package_umid",))
)
# What these files have no place for: languages and all marks but one.
_WITHOUT_TAGS = ("mov", "mxf")

_ONE_ROLE = {"hearing_impaired": "captions", "captions": "hearing_impaired",
             "visual_impaired": "descriptions", "descriptions": "visual_impaired"}  # fmt: skip
"""Marks that MP4 has one word for, so that the one is read as both."""

_MICROSECOND = Fraction(1, 1_000_000)
_MILLISECOND = Fraction(1, 1000)


def in_bytes(stream: StreamFacts, fit: SoundFit) -> tuple[int, int]:
    """How PCM is fitted to the picture, in bytes: those before it, and all."""
    each = (stream.channels or 1) * sample_bytes(stream.codec)
    return fit.lead * each, fit.total * each


def stream_checks(
    facts: MediaFacts, original: MediaFacts | None, plan: CopyPlan | None, timeline: Timeline
) -> list[Check]:
    def kind_of(stream: StreamFacts, codec: str) -> str:
        return stream.track.entry if stream.kind == "data" and stream.track is not None else codec

    def told(kind: str, codec: str, language: str | None, disposition: Iterable[str]) -> str:
        return " ".join([kind, codec, language or "und", *sorted(disposition)])

    kinds = ("video", "audio", "subtitle", "attachment")
    found = [s for s in facts.streams if s.kind in kinds or is_telemetry(s)][1:]
    wanted = plan.streams if plan is not None else ()
    expected = [told(s.kind, kind_of(s, codec), s.language, s.disposition) for s, codec in wanted]
    seen = []
    for n, stream in enumerate(found):
        language, disposition, codec = stream.language, stream.disposition, kind_of(stream, stream.codec)
        if n < len(wanted):
            want = wanted[n][0]
            # MP4's object type 0x6B says "MPEG-1 audio", of whatever layer, and readers call it mp3.
            if (want.codec, codec) == ("mp2", "mp3") and "mp4" in facts.container:
                codec = want.codec
            # deu and ger are one language. What MOV and MP4 have no code or mark for is in the encode report.
            bare = facts.container.startswith(_WITHOUT_TAGS)
            if same_language(want.language, language) or (language is None and bare):
                language = want.language
            may_be = {twin for mark in want.disposition for twin in (mark, _ONE_ROLE.get(mark, mark))}
            if bare and set(disposition) - {"default"} <= may_be:
                disposition = want.disposition
        seen.append(told(stream.kind, codec, language, disposition))
    timecode = "00:00:00:00" if facts.container == "mxf" else None
    if plan is not None and original is not None:
        timecode = timecode_of(original, plan, start_origin(timeline, plan))
    checks = [
        equal("streams beside the picture", expected, seen),
        equal("timecode", timecode, facts.timecode),
    ]
    chapters = plan.chapters if original is not None and plan is not None else ()
    titles = plan.chapter_titles if plan is not None else ()
    # Those of a part are in its own time.
    origin = start_origin(timeline, plan) if plan is None or plan.cut is None else Fraction(0)
    return [*checks, _chapters(chapters, titles, origin, facts)]


def _chapters(
    wanted: Sequence[Chapter], titles: Sequence[str | None], origin: Fraction, facts: MediaFacts
) -> Check:
    """MOV and MP4 know when a chapter begins, the first with the file, and let it last until the next one."""
    ends = "mov" not in facts.container

    def times(chapters: Sequence[Chapter], before: Fraction) -> list[tuple[float, float]]:
        return [
            (float(c.start - before) if n or ends else 0.0, float(c.stop - c.start) if ends else 0.0)
            for n, c in enumerate(chapters)
        ]

    expected, found = times(wanted, origin), times(facts.chapters, Fraction(0))
    named = [title or None for title in titles], [c.title or None for c in facts.chapters]
    near = len(expected) == len(found) and all(
        abs(a[k] - b[k]) <= 2 * _MILLISECOND for a, b in zip(expected, found, strict=True) for k in (0, 1)
    )
    return Check("chapters", near and named[0] == named[1], f"{expected} {named[0]}", f"{found} {named[1]}")


def metadata_checks(facts: MediaFacts, plan: CopyPlan | None) -> list[Check]:
    names = {} if plan is None else dict(plan.names)
    allowed = KEPT_METADATA | CONTAINER_METADATA | _WRITTEN_BY_FFMPEG | {key.lower() for key in names}
    if facts.container == "mxf":
        allowed |= _WRITTEN_INTO_MXF
    if reel_of(names) is not None:
        allowed |= {"reel_name", "reel_umid"}
    other = [key for key in facts.metadata_keys if key.partition(":")[2].lower() not in allowed]
    lower = {key.lower(): value for key, value in facts.names.items()}
    return [
        Check("metadata", not other, "only " + ", ".join(sorted(allowed)), ", ".join(other) or "the same"),
        equal("names of reel and clip", names, {key: lower.get(key.lower()) for key in names}),
    ]


def text_check(facts: MediaFacts, keep: Iterable[str]) -> Check:
    """Read the delivered texts themselves: nothing but speech, and names that are none of places and devices."""
    kept = frozenset(keep)
    telling = [f"stream {s.index}: {s.tells}" for s in facts.streams
               if s.tells and not {"unread-subtitles" if s.is_unread else "telemetry"} & kept]  # fmt: skip
    named = [(f"stream {s.index}'s title", s.title) for s in facts.streams]
    named += [(f"chapter {n}'s title", chapter.title) for n, chapter in enumerate(facts.chapters)]
    if "telemetry" not in kept:
        telling += [f"{name}: {words}" for name, title in named if (words := what_name_tells(title or ""))]
    return Check("texts", not telling, "speech and names", "; ".join(telling) or "the same")


def played_checks(path: Path, facts: MediaFacts, plan: CopyPlan) -> list[Check]:
    """Which sound is played, by the atoms of the file: a track that is switched off sounds as if it were lost."""
    wanted = played(plan) if "mov" in facts.container else None
    if not wanted:
        return []
    told = [
        " ".join(f"{'on' if p.enabled else 'off'}/{p.group}" for p in tracks)
        for tracks in (wanted, found_played(path))
    ]
    return [equal("sound tracks that are played, and their groups", *told)]


def packet_checks(
    source: Iterable[StreamPackets],
    found: Iterable[StreamPackets],
    plan: CopyPlan,
    video: RawVideo,
    first: Fraction,
    fits: Mapping[int, SoundFit],
) -> list[Check]:
    """The copied streams: the same bytes, at the same times from the first frame."""
    by_index = {packets.index: packets for packets in source}
    checks = []
    for (stream, codec), got in zip(plan.streams, found, strict=False):
        want = by_index[stream.index]
        name = f"{stream.kind} {stream.index}"
        fit, edited = fits.get(stream.index), stream.index in plan.changes
        if got.beside:
            found_beside = f"{BESIDE}: --audio pcm leaves it out"
            checks.append(Check(f"{name}: packets", False, "nothing beside them", found_beside))
        copied = keeps_bytes(stream, codec, fit) if stream.kind == "audio" else codec == stream.codec
        if copied and not edited:
            checks.append(equal(f"{name}: packets", want.sha256, got.sha256))
        if fit is not None:
            if codec not in LOSSY:  # those begin with what comes before the first sample, see `compare_sound`
                checks.append(_together(name, first, got))
            continue  # what was moved to its place is in the packets' hash
        if (codec != stream.codec or edited) and stream.kind == "audio":
            continue  # what is encoded here is cut into packets of its own; see `compare_sound`, `check_edited`
        checks.append(_times(f"{name}: times", want, got, video.timeline.seconds(0), first))
    return checks


def _together(name: str, first: Fraction, got: StreamPackets) -> Check:
    begins = got.start
    near = begins is not None and abs(begins - first) <= got.time_base
    return Check(f"{name}: begins with the picture", near, str(first), str(begins))


def _times(name: str, want: StreamPackets, got: StreamPackets, was_first: Fraction, first: Fraction) -> Check:
    # Each time is rounded to ticks where it was read and where it was written, and so is the first frame.
    room = (want.time_base + got.time_base) / 2 + max(want.time_base, got.time_base) + _MICROSECOND
    expected = [p * want.time_base - was_first for p in want.pts]
    seen = [p * got.time_base - first for p in got.pts]
    if want.codec.startswith("pcm_"):
        expected, seen = expected[:1], seen[:1]  # containers cut PCM into packets as they like
    if want.codec != got.codec:
        room += _MILLISECOND  # subtitles are decoded and encoded in milliseconds
    off = max((abs(a - b) for a, b in zip(expected, seen, strict=False)), default=Fraction(0))
    passed = len(expected) == len(seen) and off <= room
    return Check(
        name,
        passed,
        f"{len(expected)} times, within {float(room) * 1e6:.0f} µs",
        f"{len(seen)} times, {float(off) * 1e6:.0f} µs off at most",
    )
