"""Is the file what was meant? Checks an encoded file against its frames' description and its source."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path

from vsanon.encode import (
    AS_IS,
    CONTAINER_METADATA,
    KEEP,
    KEPT_METADATA,
    CopyPlan,
    RawVideo,
    Sound,
    found_played,
    output_color,
    output_hdr,
    plan_copy,
    played,
    reel_of,
    same_language,
    sound_fits,
    start_origin,
    time_grid,
    timecode_of,
)
from vsanon.encode.presets import Preset
from vsanon.errors import InputError
from vsanon.job.sound_checks import compare_sound
from vsanon.media import (
    Chapter,
    Color,
    MediaFacts,
    Picture,
    StreamPackets,
    VideoFacts,
    decode_timestamps,
    packet_hashes,
    pixel_format,
    probe,
    what_name_tells,
)
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
# Codecs differ in what they tell of how fields are stored; which one is shown first is what must be right.
_SAME_ORDER = ({"progressive", "unknown"}, {"tt", "tb"}, {"bb", "bt"})
_MICROSECOND = Fraction(1, 1_000_000)
_MILLISECOND = Fraction(1, 1000)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: what it should be and what it is, in words."""

    name: str
    passed: bool
    expected: str
    found: str


def verify_file(
    path: Path,
    *,
    video: RawVideo,
    preset: Preset,
    source: Path | MediaFacts | None = None,
    keep: Iterable[str] = KEEP,
    sound: Sound = AS_IS,
    look: Callable[[Picture], None] | None = None,
) -> list[Check]:
    """Check the file at `path` against the frames that were sent, and against the source beside them.

    Args:
        path: the encoded file.
        video: the frames' description, as given to `encode`.
        preset: the preset, as given to `encode`.
        source: the file whose sound, subtitles, timecode and chapters were copied, or what was read of it, as given
            to `encode`.
        keep: what of it was to be kept, as given to `encode`.
        sound: which sound, and in which codec, as given to `encode`.
        look: called with the picture of each frame, in order; decoding is the dearest part, and done once.

    Returns:
        All checks, failed ones too. A file that can't be opened gives one failed check.

    Raises:
        InputError: the source can't be read.
    """
    original = probe(source) if isinstance(source, Path) else source
    plan = None if original is None else plan_copy(original, preset, keep, sound)
    try:
        facts = probe(path)
    except InputError as error:
        return [Check("opens", False, "a media file", str(error))]
    if facts.video is None:
        return [Check("opens", False, "a file with video", "no video stream")]
    checks = [_equal("codec", preset.codec, facts.video.codec), *_picture(facts.video, video, preset)]
    first, more = _frames(path, video, plan, look)
    checks += [
        *more,
        *_streams(facts, original, plan, video.timeline),
        *_metadata(facts, plan),
        _speech(facts, keep),
    ]
    if plan is not None:
        checks += _played(path, facts, plan)
    if plan is not None and plan.streams and original is not None and first is not None:
        try:
            found = packet_hashes(path)
        except InputError as error:
            return [*checks, Check("copied packets", False, "readable to the end", str(error))]
        fits = {index: (fit.lead, fit.total) for index, fit in sound_fits(plan, video.timeline).items()}
        fits = {index: _bytes(plan, index, *fit) for index, fit in fits.items()}
        checks += _packets(packet_hashes(original.path, fits=fits), found, plan, video, first)
        rows = compare_sound(original.path, path, plan, video.timeline.seconds(0), first)
        checks += [Check(*row) for row in rows]
    return checks


def _bytes(plan: CopyPlan, index: int, *samples: int) -> tuple[int, int]:
    """Samples of a stream of PCM as bytes."""
    (each,) = (
        (s.channels or 1) * (2 if codec == "pcm_s16le" else 3) for s, codec in plan.streams if s.index == index
    )
    lead, total = samples
    return lead * each, total * each


def _equal(name: str, expected: object, found: object) -> Check:
    return Check(name, expected == found, str(expected), str(found))


def _picture(found: VideoFacts, video: RawVideo, preset: Preset) -> list[Check]:
    pix_fmt = preset.pix_fmt_for(video.pix_fmt)
    accepted = {pix_fmt}
    if preset.codec == "prores":
        # ffmpeg's decoder gives 4444 in 12 bits, whatever the depth it was encoded from.
        accepted.add(pix_fmt.replace("444p10", "444p12"))
    if preset.codec == "exr":
        accepted.add(pix_fmt.replace("f32", "f16"))  # as many bits as the file has
    order = next(orders for orders in _SAME_ORDER if video.field_order in orders)
    hdr = output_hdr(video, preset) or None
    return [
        Check("pixel format", found.pix_fmt in accepted, " or ".join(sorted(accepted)), found.pix_fmt),
        _equal("size", "{}x{}".format(*video.size), "{}x{}".format(*found.size)),
        _color(output_color(video, preset), found.color, preset, pix_fmt),
        _shape(video, found, preset),
        Check("field order", found.field_order in order, " or ".join(sorted(order)), found.field_order),
        _equal("rotation", 0, found.rotation),
        _equal("HDR metadata", hdr, found.hdr),
    ]


def _shape(video: RawVideo, found: VideoFacts, preset: Preset) -> Check:
    want, got = video.sar or Fraction(1), found.sar or Fraction(1)
    told = want
    if preset.muxer == "webm":  # which says by how many whole pixels the picture is shown
        told = Fraction(round(video.size[0] * want), video.size[0])
    elif preset.codec == "mpeg2video":  # which says the shape of the whole picture, by one of three numbers
        told = got if abs(got / want - 1) < Fraction(1, 200) else want
    return Check("sample aspect ratio", told == got, str(want), str(got))


def _color(expected: Color, found: Color, preset: Preset, pix_fmt: str) -> Check:
    """Compare the tags that the preset's file can hold, with what decoders assume where there is no tag."""
    kept = pixel_format(pix_fmt)
    assumed = {"range": "tv", "chroma_location": "left", "matrix": "gbr" if kept.rgb else None}
    wrong = []
    for tag in (f.name for f in fields(Color) if f.name in preset.tags):
        if tag == "chroma_location" and kept.chroma != (2, 2):
            continue  # ITU-T H.273 defines it for 4:2:0 only
        if tag == "range" and kept.rgb:
            assumed["range"] = "pc"
        want, got = getattr(expected, tag), getattr(found, tag)
        if want != got and {want, got} != {None, assumed.get(tag)}:
            wrong.append(f"{tag} {got}")
    told = ", ".join(f"{f.name} {getattr(expected, f.name)}" for f in fields(Color) if f.name in preset.tags)
    return Check("colour tags", not wrong, told, ", ".join(wrong) or "the same")


def _frames(
    path: Path, video: RawVideo, plan: CopyPlan | None, look: Callable[[Picture], None] | None
) -> tuple[Fraction | None, list[Check]]:
    """Decode all; the time of the first frame in seconds, and the checks on number and times."""
    try:
        pts, time_base = decode_timestamps(path, look=look)
    except InputError as error:
        return None, [Check("decodes", False, "every frame without error", str(error))]
    expected, grid = time_grid(video.timeline, start_origin(video.timeline, plan))
    exact = [p * grid / time_base for p in expected]
    # Rounded once to the container's ticks: no frame is more than half a tick from its place.
    off = [n for n, (e, p) in enumerate(zip(exact, pts, strict=False)) if abs(p - e) > Fraction(1, 2)]
    found = f"all within half a tick of {time_base} s"
    if off:
        n = off[0]
        found = f"{len(off)} frames off, the first is {n}: {float(pts[n] * time_base):.6f} s"
    place = f"frame {off[0]} at {float(expected[off[0]] * grid):.6f} s" if off else "the source's"
    return (pts[0] * time_base if pts else None), [
        Check("decodes", True, "every frame without error", f"{len(pts)} frames"),
        _equal("frame count", len(expected), len(pts)),
        Check("timestamps", not off and bool(pts), place, found),
    ]


def _streams(
    facts: MediaFacts, original: MediaFacts | None, plan: CopyPlan | None, timeline: Timeline
) -> list[Check]:
    def told(kind: str, codec: str, language: str | None, disposition: Iterable[str]) -> str:
        return " ".join([kind, codec, language or "und", *sorted(disposition)])

    found = [s for s in facts.streams if s.kind in ("video", "audio", "subtitle", "attachment")][1:]
    wanted = plan.streams if plan is not None else ()
    expected = [told(s.kind, codec, s.language, s.disposition) for s, codec in wanted]
    seen = []
    for n, stream in enumerate(found):
        language, disposition, codec = stream.language, stream.disposition, stream.codec
        if n < len(wanted):
            want = wanted[n][0]
            # MP4's object type 0x6B says "MPEG-1 audio", of whatever layer, and readers call it mp3.
            if (want.codec, codec) == ("mp2", "mp3") and "mp4" in facts.container:
                codec = want.codec
            # deu and ger are one language. What MOV and MP4 have no code or mark for is in the encode report.
            bare = facts.container.startswith(_WITHOUT_TAGS)
            if same_language(want.language, language) or (language is None and bare):
                language = want.language
            if bare and set(disposition) - {"default"} <= set(want.disposition):
                disposition = want.disposition
        seen.append(told(stream.kind, codec, language, disposition))
    timecode = "00:00:00:00" if facts.container == "mxf" else None
    if plan is not None and original is not None:
        timecode = timecode_of(original, plan, start_origin(timeline, plan))
    checks = [
        _equal("streams beside the picture", expected, seen),
        _equal("timecode", timecode, facts.timecode),
    ]
    chapters = original.chapters if original is not None and plan is not None and plan.chapters else ()
    return [*checks, _chapters(chapters, plan.chapter_titles if plan is not None else (), facts)]


def _chapters(wanted: Sequence[Chapter], titles: Sequence[str | None], facts: MediaFacts) -> Check:
    """MOV and MP4 know when a chapter begins, the first with the file, and let it last until the next one."""
    ends = "mov" not in facts.container

    def times(chapters: Sequence[Chapter]) -> list[tuple[float, float]]:
        last = chapters[-1].start if chapters else Fraction(0)
        return [
            (float(c.start - last) if n or ends else 0.0, float(c.stop - c.start) if ends else 0.0)
            for n, c in enumerate(chapters)
        ]

    expected, found = times(wanted), times(facts.chapters)
    named = [title or None for title in titles], [c.title or None for c in facts.chapters]
    near = len(expected) == len(found) and all(
        abs(a[k] - b[k]) <= 2 * _MILLISECOND for a, b in zip(expected, found, strict=True) for k in (0, 1)
    )
    return Check("chapters", near and named[0] == named[1], f"{expected} {named[0]}", f"{found} {named[1]}")


def _metadata(facts: MediaFacts, plan: CopyPlan | None) -> list[Check]:
    names = {} if plan is None else dict(plan.names)
    allowed = KEPT_METADATA | CONTAINER_METADATA | _WRITTEN_BY_FFMPEG | {key.lower() for key in names}
    if facts.container == "mxf":
        allowed |= _WRITTEN_INTO_MXF
    if reel_of(names) is not None:
        allowed |= {"reel_name"}
    other = [key for key in facts.metadata_keys if key.partition(":")[2].lower() not in allowed]
    lower = {key.lower(): value for key, value in facts.names.items()}
    return [
        Check("metadata", not other, "only " + ", ".join(sorted(allowed)), ", ".join(other) or "the same"),
        _equal("names of reel and clip", names, {key: lower.get(key.lower()) for key in names}),
    ]


def _speech(facts: MediaFacts, keep: Iterable[str]) -> Check:
    """Read the delivered texts themselves: nothing but speech, and names that are none of places and devices."""
    kept = frozenset(keep)
    telling = [f"stream {s.index}: {s.tells}" for s in facts.streams
               if s.tells and not {"unread-subtitles" if s.is_unread else "telemetry"} & kept]  # fmt: skip
    named = [(f"stream {s.index}'s title", s.title) for s in facts.streams]
    named += [(f"chapter {n}'s title", chapter.title) for n, chapter in enumerate(facts.chapters)]
    if "telemetry" not in kept:
        telling += [f"{name}: {words}" for name, title in named if (words := what_name_tells(title or ""))]
    return Check("texts", not telling, "speech and names", "; ".join(telling) or "the same")


def _played(path: Path, facts: MediaFacts, plan: CopyPlan) -> list[Check]:
    """Which sound is played, by the atoms of the file: a track that is switched off sounds as if it were lost."""
    wanted = played(plan) if "mov" in facts.container else None
    if not wanted:
        return []
    told = [
        " ".join(f"{'on' if p.enabled else 'off'}/{p.group}" for p in tracks)
        for tracks in (wanted, found_played(path))
    ]
    return [_equal("sound tracks that are played, and their groups", *told)]


def _packets(
    source: Iterable[StreamPackets],
    found: Iterable[StreamPackets],
    plan: CopyPlan,
    video: RawVideo,
    first: Fraction,
) -> list[Check]:
    """The copied streams: the same bytes, at the same times from the first frame."""
    by_index = {packets.index: packets for packets in source}
    checks = []
    for (stream, codec), got in zip(plan.streams, found, strict=False):
        want = by_index[stream.index]
        name = f"{stream.kind} {stream.index}"
        if codec == stream.codec:
            checks.append(_equal(f"{name}: packets", want.sha256, got.sha256))
        if plan.fits_picture and stream.kind == "audio":
            checks.append(_equal(f"{name}: begins with the picture", first, got.start))
            continue  # what was moved to its place is in the packets' hash
        if codec != stream.codec and stream.kind == "audio":
            continue  # another codec cuts sound into packets of its own; see `compare_sound`
        checks.append(_times(f"{name}: times", want, got, video.timeline.seconds(0), first))
    return checks


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
